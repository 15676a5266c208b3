"""A session and a clock that a test holds in its hands. Nothing of paho is imitated."""

from __future__ import annotations

from dataclasses import dataclass

from agents.runtime.clock import Clock, Now
from agents.runtime.session import Message, Session
from agents.wire.topics import Topic

T0 = 1_800_000_000.0  # UTC seconds; a Friday


def after(s: float, utc_jump_s: float = 0.0) -> Now:
    """The instant `s` seconds after the test began, on a wall clock that jumped meanwhile."""
    return Now(utc=T0 + s + utc_jump_s, mono=5000.0 + s)


class FakeClock(Clock):
    def __init__(self) -> None:
        self.at = after(0)

    def now(self) -> Now:
        return self.at


@dataclass(frozen=True)
class Said:
    topic: Topic
    names: tuple[str, ...]
    payload: bytes

    @property
    def text(self) -> str:
        return self.payload.decode()


class FakeSession(Session):
    """Keeps what is published. `connected` is whatever the test says."""

    def __init__(self) -> None:
        self.said: list[Said] = []
        self.there = True

    @property
    def connected(self) -> bool:
        return self.there

    def publish(
        self, topic: Topic, *names: str, payload: bytes | str, properties: tuple[tuple[str, str], ...] = ()
    ) -> bool:
        if not self.there and topic.qos == 0:
            return False
        self.said.append(Said(topic, names, payload.encode() if isinstance(payload, str) else payload))
        return self.there

    def texts(self, topic: Topic) -> list[str]:
        return [said.text for said in self.said if said.topic is topic]


def message(topic: Topic, *names: str, payload: bytes | str, retain: bool = False, received_at: float = T0) -> Message:
    raw = payload.encode() if isinstance(payload, str) else payload
    return Message(topic, names, raw, retain, (), received_at)
