"""What was announced, and which of it is no longer true. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from agents.discovery.device import Announcement, Device, announcements, without
from agents.discovery.household import Form

Topics = Mapping[str, Mapping[str, str]]
Announced = Mapping[str, Topics]
"""By node, by topic: the parts of a message for a whole device, component by key; none for a single entity."""

Where = Callable[[Announcement], str]
"""An announcement's topic string."""


def now(devices: Sequence[Device], form: Form, where: Where) -> Announced:
    """What these devices' announcements are, as it is remembered."""
    return {
        device.node: {where(one): dict(one.parts) for one in announcements([device], form)}
        for device in devices
        if form != "off"
    }


def gone(before: Announced, ours: Announced, theirs: Sequence[Device]) -> Iterator[str]:
    """The topics that were announced `before` and should not be any more.

    What another agent of the house announces is its own affair; what one announced that the house has
    no more is everybody's who remembers it.
    """
    others = {device.node for device in theirs}
    for node, topics in before.items():
        if node in ours or node not in others:
            yield from (topic for topic in topics if topic not in ours.get(node, {}))


def kept(before: Announced, topics: Sequence[str]) -> Announced:
    """What is left when these `topics` are withdrawn."""
    left = {node: {at: parts for at, parts in known.items() if at not in topics} for node, known in before.items()}
    return {node: known for node, known in left.items() if known}


def with_farewells(announcement: Announcement, topic: str, before: Announced) -> Announcement:
    """A device's message says which of its entities are gone, or they would stay."""
    known = next((topics[topic] for topics in before.values() if topic in topics), {})
    lost = {key: component for key, component in known.items() if announcement.parts.get(key) != component}
    return without(announcement, lost) if lost else announcement
