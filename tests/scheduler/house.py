"""A scheduler agent, its two sessions in the test's hands, and its journal on disk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from agents.runtime.events import Kept, Message
from agents.runtime.inbox import Inbox
from agents.scheduler.agent import SchedulerAgent
from agents.scheduler.config import SchedulerSettings
from agents.scheduler.journal import FILE
from agents.scheduler.rules import Rules
from agents.wire.identity import MOST_MEASURED, Face, Identity
from agents.wire.stamp import Stamp
from agents.wire.topics import AVAILABILITY, DECISION, GRANT, IDENTITY, SESSION, SNAPSHOT, WINDOW, Topic
from tests.fakes import T0, FakeClock, FakeSession, after, message
from tests.scheduler.gates import ALIVE, face
from tests.scheduler.records import records

JUNK = [b"", b"\xff\xfe", b"{", b'"null"', b"[]", b"\0" * 20_000, b"[" * 10_000, b'{"id":"x"}']
ALWAYS = [{"who": "everybody", "days": "mon-sun", "from": "00:00", "to": "24:00"}]
ASKING = [{**ALWAYS[0], "confirm": "phone"}]


def settings(front_windows: list[dict[str, str]], liveness: str = "required", **more: Any) -> SchedulerSettings:
    front = {"cameras": ["porch", "hall"], "windows": front_windows, "liveness": liveness}
    back = {"cameras": ["yard"], "windows": ALWAYS}
    doors = {"front": front, "back": back}
    return SchedulerSettings.model_validate({"timezone": "Europe/Zagreb", "doors": doors, **more})


class House:
    """A scheduler that was started and connected; both doors are there unless told otherwise."""

    def __init__(
        self, data: Path, doors_there: bool = True, front_windows: list[dict[str, str]] = ALWAYS, **more: Any
    ) -> None:
        self.session, self.ears, self.clock, self.seq = FakeSession(), FakeSession(), FakeClock(), 0
        self.data = data
        wanted = settings(front_windows, **more)
        rules = Rules(wanted, lambda _: None)
        self.agent = SchedulerAgent(wanted, rules, data, self.session, self.ears, Inbox(), self.clock)
        self.agent.start()
        self.agent.on_connect(self.clock.now())
        self.agent.publish_all(self.clock.now())
        self.agent.on_tick(self.clock.now())
        for door in ("front", "back") if doors_there else ():
            self.hear(SESSION, door, payload=f"session-{door}")
            self.hear(AVAILABILITY, "door", door, payload="online")

    def tell(self, topic: Topic, *names: str, payload: bytes | str, mid: int) -> None:
        """What comes by the journal's own connection."""
        raw = payload.encode() if isinstance(payload, str) else payload
        self.agent.on_event(Kept(topic, names, raw, False, (), T0, None, mid), self.clock.now())

    def snapshot(self, jpeg: bytes, captured_at: float) -> None:
        stamp = Stamp(captured_at, self.seq).properties()
        self.agent.on_event(Message(SNAPSHOT, ("porch",), jpeg, True, stamp, T0), self.clock.now())

    def records(self) -> list[tuple[str, dict[str, Any]]]:
        return records(self.data / FILE)

    def hear(self, topic: Topic, *names: str, payload: bytes | str, retain: bool = False) -> None:
        self.agent.on_event(message(topic, *names, payload=payload, retain=retain), self.clock.now())

    def see(
        self, *people: str | Face | None, camera: str = "porch", topic_camera: str | None = None, **how: Any
    ) -> None:
        self.seq += 1
        self.clock.at = after(self.seq / 10)
        identity = Identity(
            id=f"frame-{self.seq}",
            camera=camera,
            captured_at=self.clock.now().utc,
            seq=self.seq,
            faces=tuple(
                p if isinstance(p, Face) else face(p, liveness=ALIVE if i < MOST_MEASURED else None)
                for i, p in enumerate(people)
            ),
        )
        self.hear(IDENTITY, topic_camera or camera, payload=identity.encode(), **how)

    def decisions(self, door: str = "front") -> list[tuple[str, str | None]]:
        found = [json.loads(s.payload) for s in self.session.said if s.topic is DECISION and s.names == (door,)]
        return [(decision["reason"], decision["person"]) for decision in found]

    @property
    def grants(self) -> list[dict[str, Any]]:
        return [{**json.loads(s.payload), "door": s.names[0]} for s in self.session.said if s.topic is GRANT]

    @property
    def windows(self) -> list[tuple[str, str]]:
        return [(s.names[0], s.text) for s in self.session.said if s.topic is WINDOW]

    def last(self, topic: Topic, door: str = "front") -> str:
        return [s.text for s in self.session.said if s.topic is topic and s.names == (door,)][-1]

    def wait(self, s: float) -> None:
        """Nothing happens for so long."""
        self.seq += round(s * 10)
        self.clock.at = after(self.seq / 10)
        self.agent.on_tick(self.clock.now())

    @property
    def refused(self) -> int:
        return self.agent.report().counters["refused"]
