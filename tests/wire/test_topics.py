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
@given(base=bases, one=st.tuples(names, names), other=st.tuples(names, names))
def test_no_two_topics_ever_have_the_same_string(base: str, one: tuple[str, ...], other: tuple[str, ...]) -> None:
    strings: dict[str, tuple[str, tuple[str, ...]]] = {}
    for topic, given_names in [(topic, both) for topic in ALL for both in (one, other)]:
        filled = given_names[: placeholders(topic)]
        string = topic.at(base, *filled)
        assert string.startswith(f"{base}/")
        assert strings.setdefault(string, (topic.path, filled)) == (topic.path, filled)


@every_topic
def test_a_wrong_number_of_names_is_an_error(topic: Topic) -> None:
    count = placeholders(topic)
    for wrong in (("x",) * (count - 1), ("x",) * (count + 1), ("",) * count):
        with pytest.raises(ValueError, match="does not take the names"):
            topic.at("facelatch", *wrong)


def test_what_opens_a_door_is_never_retained_and_never_queued_for_later() -> None:
    for topic in ALL:
        assert not (topic.live_only and topic.retain)
    assert [topic.path for topic in (topics.GRANT, topics.COMMAND) if topic.qos > 0] == []
    assert topics.GRANT.expiry_s is not None
    assert topics.GRANT.live_only
    assert topics.COMMAND.live_only
