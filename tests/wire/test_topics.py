"""Topic strings are made and taken apart by one table, and no two rows can be confused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.wire import topics
from agents.wire.topics import ALL, Topic
from tests.wire.strategies import names

bases = st.lists(names, min_size=1, max_size=3).map("/".join)
every_topic = pytest.mark.parametrize("topic", ALL, ids=lambda topic: topic.path)


def placeholders(topic: Topic) -> int:
    return topic.path.count("<")


def test_the_table_lists_every_topic_once() -> None:
    defined = [value for value in vars(topics).values() if isinstance(value, Topic)]
    assert sorted(topic.path for topic in ALL) == sorted(topic.path for topic in defined)
    assert len({topic.path for topic in ALL}) == len(ALL)


@settings(max_examples=30)
@given(base=bases, one=st.tuples(names, names, names), other=st.tuples(names, names, names))
def test_no_two_topics_ever_have_the_same_string(base: str, one: tuple[str, ...], other: tuple[str, ...]) -> None:
    strings: dict[str, tuple[str, tuple[str, ...]]] = {}
    for topic, given_names in [(topic, both) for topic in ALL for both in (one, other)]:
        filled = given_names[: placeholders(topic)]
        string = topic.at(base if topic.below == "house" else f"{base}/homeassistant", *filled)
        assert string.startswith(f"{base}/")
        assert strings.setdefault(string, (topic.path, filled)) == (topic.path, filled)


@every_topic
def test_a_wrong_number_of_names_is_an_error(topic: Topic) -> None:
    count = placeholders(topic)
    for wrong in (("x",) * abs(count - 1), ("x",) * (count + 1), ("",) * (count or 1)):
        with pytest.raises(ValueError, match="does not take the names"):
            topic.at("facelatch", *wrong)


@settings(max_examples=300)
@given(topic=st.sampled_from(ALL), base=bases, both=st.tuples(names, names, names))
def test_the_names_are_read_back_from_the_string_they_were_put_in(
    topic: Topic, base: str, both: tuple[str, str, str]
) -> None:
    filled = both[: placeholders(topic)]
    assert topic.names_in(base, topic.at(base, *filled)) == filled


levels = st.sampled_from(["reply", "door", "command", "x", "", "+", "#", "a+", "#b", "<client>", "\x00", "č"])
strings = st.lists(levels, max_size=5).map("/".join) | st.text(max_size=40)


@settings(max_examples=300)
@given(topic=st.sampled_from([topics.REPLY, topics.COMMAND, topics.AVAILABILITY]), string=strings)
def test_whatever_string_names_are_read_from_they_make_the_same_string(topic: Topic, string: str) -> None:
    for candidate in (string, f"facelatch/{string}"):
        found = topic.names_in("facelatch", candidate)
        if found is not None:
            assert topic.at("facelatch", *found) == candidate
            assert all(found)


@pytest.mark.parametrize(
    "string",
    [
        "",
        "facelatch",
        "facelatch/reply",
        "facelatch/reply/phone",
        "facelatch/reply/phone/",
        "facelatch/reply//a1",
        "facelatch/reply/phone/a1/",
        "facelatch/reply/phone/a1/b2",
        "facelatch/Reply/phone/a1",
        "/facelatch/reply/phone/a1",
        "reply/phone/a1",
        "other/reply/phone/a1",
        "facelatch/facelatch/reply/phone/a1",
        "facelatch/door/front/command",
        "facelatch/reply/../door/front/command",
        "facelatch/reply/+/a1",
        "facelatch/reply/phone/#",
        "facelatch/reply/phone/a+",
        "$SYS/reply/phone/a1",
    ],
    ids=repr,
)
def test_nothing_but_a_houses_own_reply_topic_is_one(string: str) -> None:
    assert topics.REPLY.names_in("facelatch", string) is None
    assert topics.REPLY.names_in("facelatch", "facelatch/reply/phone/a1") == ("phone", "a1")


def test_who_writes_below_anothers_name_is_told_one_by_one() -> None:
    elsewhere = {topic.path: topic.writer for topic in ALL if topic.writer != topic.path.split("/")[0]}
    assert elsewhere == {
        topics.BIRTH.path: "Home Assistant",
        topics.DISCOVERY.path: "each agent",
        topics.DEVICE_DISCOVERY.path: "each agent",
        topics.HOLD_SET.path: "people",
        topics.GRANT.path: "scheduler",
        topics.COMMAND.path: "people",
        topics.ENABLED_SET.path: "people",
        topics.AWAY_SET.path: "people",
        topics.LET_IN_SET.path: "people",
        topics.ANSWER.path: "people",
        topics.REPLY.path: "door",
        topics.AVAILABILITY.path: "each agent",
        topics.HEALTH.path: "each agent",
    }


def test_nobody_but_the_door_reads_what_opens_it() -> None:
    assert topics.GRANT.readers == topics.COMMAND.readers == ("door",)


def test_what_opens_a_door_is_never_retained_and_never_queued_for_later() -> None:
    for topic in ALL:
        assert not (topic.live_only and topic.retain)
    assert [topic.path for topic in (topics.GRANT, topics.COMMAND) if topic.qos > 0] == []
    assert topics.GRANT.expiry_s is not None
    assert topics.GRANT.live_only
    assert topics.COMMAND.live_only
