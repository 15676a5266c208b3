"""Topic strings are made and taken apart by one table, and no two rows can be confused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.wire import topics
from agents.wire.topics import ALL, COMMAND, ENABLED, Topic
from tests.wire.strategies import names

bases = st.lists(names, min_size=1, max_size=3).map("/".join)
any_topic = st.sampled_from(ALL)
every_topic = pytest.mark.parametrize("topic", ALL, ids=lambda topic: topic.path)


def placeholders(topic: Topic) -> int:
    return topic.path.count("<")


def test_the_table_lists_every_topic_once() -> None:
    defined = [value for value in vars(topics).values() if isinstance(value, Topic)]
    assert sorted(topic.path for topic in ALL) == sorted(topic.path for topic in defined)
    assert len({topic.path for topic in ALL}) == len(ALL)


@given(topic=any_topic, base=bases, given_names=st.tuples(names, names))
def test_match_undoes_at(topic: Topic, base: str, given_names: tuple[str, ...]) -> None:
    given_names = given_names[: placeholders(topic)]
    assert topic.match(base, topic.at(base, *given_names)) == given_names


@settings(max_examples=30)
@given(base=bases, given_names=st.tuples(names, names))
def test_no_topic_takes_anothers_string(base: str, given_names: tuple[str, ...]) -> None:
    for writer in ALL:
        string = writer.at(base, *given_names[: placeholders(writer)])
        assert [topic.path for topic in ALL if topic.match(base, string) is not None] == [writer.path]


@given(topic=any_topic, base=bases, given_names=st.tuples(names, names), more=names)
def test_a_string_below_beside_or_above_is_another_topic(
    topic: Topic, base: str, given_names: tuple[str, ...], more: str
) -> None:
    string = topic.at(base, *given_names[: placeholders(topic)])
    assert topic.match(base, f"{string}/{more}/{more}") is None
    assert topic.match(base, f"{more}/{string}") is None
    assert topic.match(base, string.rpartition("/")[0]) is None
    assert topic.match(f"{base}x", string) is None
    assert topic.match(base, f"{string}\n") is None


@every_topic
def test_a_wrong_number_of_names_is_an_error(topic: Topic) -> None:
    count = placeholders(topic)
    for wrong in (("x",) * (count - 1), ("x",) * (count + 1), ("",) * count):
        with pytest.raises(ValueError, match="does not take the names"):
            topic.at("facelatch", *wrong)


def test_the_base_is_taken_literally() -> None:
    assert COMMAND.match("face.latch", "facexlatch/door/front/command") is None
    assert ENABLED.match("a/b", "a/b/scheduler/front/enabled") == ("front",)


def test_what_opens_a_door_is_never_retained_and_never_queued_for_later() -> None:
    for topic in ALL:
        assert not (topic.live_only and topic.retain)
    assert [topic.path for topic in (topics.GRANT, topics.COMMAND) if topic.qos > 0] == []
    assert topics.GRANT.expiry_s is not None
    assert topics.GRANT.live_only
    assert topics.COMMAND.live_only
