"""A session and a clock that a test holds in its hands. Nothing of paho is imitated."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

from agents.runtime.clock import Clock, Now
from agents.runtime.events import Kept, Message, ReplyTo
from agents.runtime.session import Session
from agents.runtime.settings import MqttSettings, Site
from agents.wire.topics import REPLY, Topic

T0 = 1_800_000_000.0  # UTC seconds; a Friday


def after(s: float, utc_jump_s: float = 0.0, utc_is_set: bool = True) -> Now:
    """The instant `s` seconds after the test began, on a wall clock that jumped meanwhile or was never set."""
    return Now(utc=T0 + s + utc_jump_s, mono=5000.0 + s, utc_is_set=utc_is_set)


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
    """Keeps what is published, answered and renewed. `connected` is whatever the test says.

    Like the real one it numbers messages, drops QoS 0 while there is no broker and takes QoS 1 in any case.
    """

    def __init__(self) -> None:
        self.site = Site(MqttSettings(), Path("nowhere"), Path("nowhere"))  # Home Assistant is told nothing
        self.acknowledged: list[int] = []
        self.said: list[Said] = []
        self.answers: list[tuple[ReplyTo, bytes]] = []
        self.renewed: list[str] = []
        self.there = True
        self._mids = itertools.count(1)

    @property
    def connected(self) -> bool:
        return self.there

    def publish(
        self, topic: Topic, *names: str, payload: bytes | str, properties: tuple[tuple[str, str], ...] = ()
    ) -> int | None:
        if not self.there and topic.qos == 0:
            return None
        self.said.append(Said(topic, names, payload.encode() if isinstance(payload, str) else payload))
        return next(self._mids)

    def answer(self, reply_to: ReplyTo, payload: bytes) -> int | None:
        if not self.there and REPLY.qos == 0:
            return None
        self.answers.append((reply_to, payload))
        return next(self._mids)

    def acknowledge(self, message: Kept) -> None:
        self.acknowledged.append(message.mid)

    def renew(self, reason: str) -> None:
        self.renewed.append(reason)

    def start(self) -> None:
        """There is nothing to connect to."""

    def close(self, timeout_s: float = 2.0) -> None:
        self.there = False

    def texts(self, topic: Topic) -> list[str]:
        return [said.text for said in self.said if said.topic is topic]


def close(session: Session, timeout_s: float = 2.0) -> None:
    """Close a real session for good: paho leaves its own pair of sockets to the garbage collector, which complains."""
    session.close(timeout_s)
    session._client._reset_sockets()


def message(
    topic: Topic,
    *names: str,
    payload: bytes | str,
    retain: bool = False,
    received_at: float = T0,
    reply_to: ReplyTo | None = None,
) -> Message:
    raw = payload.encode() if isinstance(payload, str) else payload
    return Message(topic, names, raw, retain, (), received_at, reply_to)
