"""What a topic as people write it, with the base and real names, is in the contract."""

from __future__ import annotations

from agents.wire.topics import ALL, Topic


def topic_of(written: str, base: str = "facelatch") -> Topic:
    """The topic that is meant. Raises AssertionError where there is none."""
    fitting = [topic for topic in ALL if topic.below == "house" and topic.names_in(base, written)]
    assert fitting, f"no topic of the contract: {written}"
    # a name stands for any word: of `door/<door>/health` and `<agent>/<id>/health` the more exact one is meant
    return min(fitting, key=lambda topic: topic.path.count("<"))
