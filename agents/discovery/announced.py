"""What was announced, and which of it is no longer true. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from agents.discovery.device import Announcement, Device, announcements, without
from agents.discovery.household import Form

Topics = Mapping[str, Mapping[str, str]]
"""By topic: the parts of a message for a whole device, component by key; none for a single entity."""

Announced = Mapping[str, Topics]
"""By agent: the first node of what it tells."""

Where = Callable[[Announcement], str]
"""An announcement's topic string."""


def now(told: Mapping[str, Sequence[Device]], form: Form, where: Where) -> Announced:
    """What these agents announce, as it is remembered."""
    found = {agent: {where(one): dict(one.parts) for one in announcements(told[agent], form)} for agent in told}
    return {agent: topics for agent, topics in found.items() if topics}


def gone(before: Announced, ours: Announced, others: Collection[str]) -> Iterator[str]:
    """The topics that were announced `before` and should not be any more.

    What one of the `others` announced is its own affair; what an agent did that the house has no more is
    everybody's who remembers it.
    """
    for agent, topics in before.items():
        if agent in ours or agent not in others:
            yield from (topic for topic in topics if topic not in ours.get(agent, {}))


def kept(before: Announced, topics: Collection[str]) -> Announced:
    """What is left when these `topics` are withdrawn."""
    left = {agent: {at: parts for at, parts in known.items() if at not in topics} for agent, known in before.items()}
    return {agent: known for agent, known in left.items() if known}


def with_farewells(announcement: Announcement, topic: str, before: Announced) -> Announcement:
    """A device's message says which of its entities are gone, or they would stay."""
    known = next((topics[topic] for topics in before.values() if topic in topics), {})
    lost = {key: component for key, component in known.items() if key not in announcement.parts}
    return without(announcement, lost) if lost else announcement
