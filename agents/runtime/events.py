"""What a session tells its agent, and what an agent asks its session for. Values only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from agents.runtime.inbox import Vital
from agents.wire.topics import Topic


@dataclass(frozen=True)
class Connected(Vital):
    """The broker is there (again), and the subscriptions are in force. Once for each connection; they are counted."""

    number: int = 0


@dataclass(frozen=True)
class Disconnected(Vital):
    reason: str


@dataclass(frozen=True)
class Published(Vital):
    """The broker has the message with this id."""

    mid: int


@dataclass(frozen=True)
class ReplyTo:
    """Where the sender of a message waits for the answer: MQTT 5 response topic, correlation data."""

    names: tuple[str, ...]
    correlation: bytes | None = None


@dataclass(frozen=True)
class Message:
    """Something arrived. `received_at` is UTC seconds; `properties` are MQTT 5 user properties."""

    topic: Topic
    names: tuple[str, ...]
    payload: bytes
    retain: bool
    properties: tuple[tuple[str, str], ...]
    received_at: float
    reply_to: ReplyTo | None = None


@dataclass(frozen=True)
class Kept(Message, Vital):
    """A message of which the broker keeps a copy until it is acknowledged."""

    mid: int = 0


@dataclass(frozen=True)
class Subscription:
    """A topic with its names filled in. With `latest`, a newer message replaces a waiting one. What
    is `urgent` by its payload gets through even when the inbox is full: the newest such message.
    `at` is the full MQTT topic where somebody else publishes what arrives as a message of `topic`.
    """

    topic: Topic
    names: tuple[str, ...]
    latest: bool = False
    urgent: Callable[[bytes], bool] | None = None
    at: str | None = None
