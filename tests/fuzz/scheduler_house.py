"""A scheduler, what it hears, and an account of what topics.md lets it grant."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agents.runtime.clock import Now
from agents.runtime.inbox import Inbox
from agents.scheduler.agent import SchedulerAgent
from agents.scheduler.config import SchedulerSettings
from agents.scheduler.recorder import Recorder
from agents.scheduler.rules import Rules
from agents.scheduler.switchboard import Switchboard
from agents.wire.scheduling import Decision
from agents.wire.topics import (
    AVAILABILITY,
    AWAY,
    DECISION,
    ENABLED,
    ENABLED_SET,
    GRANT,
    IDENTITY,
    LET_IN,
    SESSION,
    WINDOW,
    Topic,
)
from tests.fakes import FakeClock, FakeSession, Said, after, message
from tests.fuzz import contract
from tests.fuzz.reader import read_log

CAMERAS = {"front": ("porch", "hall"), "back": ("yard",)}
FRONT_HOURS = range(7, 19)  # UTC, Monday to Friday; the back door's are all
SETTINGS = SchedulerSettings.model_validate(
    {
        "timezone": "UTC",
        "doors": {
            "front": {
                "cameras": ["porch", "hall"],
                "windows": [{"who": "everybody", "days": "mon-fri", "from": "07:00", "to": "19:00"}],
            },
            "back": {
                "cameras": ["yard"],
                "windows": [{"who": "everybody", "days": "mon-sun", "from": "00:00", "to": "24:00"}],
            },
        },
    }
)
RULES, NOWHERE = Rules(SETTINGS, lambda _: None), Path("/nonexistent")
FRAMES, OF, WITHIN_S, MAX_AGE_S, FUTURE_S, COOL_DOWN_S, GRANT_S = 2, 3, 5.0, 2.0, 1.0, 10.0, 5.0


class Forgetful(Recorder):
    """A journal in which everything can be written, and nothing is."""

    def start(self) -> None:
        pass

    def decision(self, decision: Decision) -> bool:
        return True

    def switch(self, at: float, what: Mapping[str, object]) -> bool:
        return True

    def tick(self, now: Now, busy: bool, connected: bool) -> None:
        pass


class Scheduler(SchedulerAgent):
    """Nothing is written to disk, and its log is read."""

    def __init__(self, session: FakeSession, clock: FakeClock) -> None:
        super().__init__(SETTINGS, RULES, NOWHERE, session, FakeSession(), Inbox(), clock)
        self.log = read_log()
        self._recorder = Forgetful(NOWHERE, FakeSession(), self.log)
        self._board = Board(SETTINGS, NOWHERE, session, self._recorder, self.log)


class Board(Switchboard):
    def _save(self) -> None:
        pass


class Door:
    """What the scheduler may know of one door, by topics.md."""

    def __init__(self) -> None:
        self.enabled, self.online = True, False
        self.session: str | None = None
        self.granted_s: dict[str, float] = {}


class Sight:
    """One frame that counted: when by both clocks, and who was in it."""

    def __init__(self, read: dict[str, Any]) -> None:
        self.captured_at, self.seq = read["captured_at"], read["seq"]
        self.faces = len(read["faces"])
        self.people = {face["person"] for face in read["faces"]} - {None}


class House:
    def __init__(self) -> None:
        self.session, self.clock = FakeSession(), FakeClock()
        self.s, self.jump_s = 0.0, 0.0
        self.agent = Scheduler(self.session, self.clock)
        self.doors = {door: Door() for door in CAMERAS}
        self.sights: dict[str, list[Sight]] = {camera: [] for cameras in CAMERAS.values() for camera in cameras}
        self.seen: set[str] = set()
        self.agent.start()
        self.connect()

    # What happens to a scheduler

    def connect(self) -> None:
        for door in self.doors.values():
            door.session, door.online = None, False
        self.agent.on_connect(self.clock.now())
        self.turn()

    def wait(self, s: float) -> None:
        self.pass_by(s)
        self.turn()

    def pass_by(self, s: float) -> None:
        self.s += s
        self.clock.at = after(self.s, self.jump_s)

    def turn(self) -> None:
        self.agent.on_tick(self.clock.now())
        self.read_what_was_said(None, None)

    def hear(self, topic: Topic, names: tuple[str, ...], content: bytes, retain: bool) -> None:
        camera, sight = None, None
        if topic is IDENTITY:
            camera, sight = names[0], self.count(names[0], content, retain)
        else:
            self.note(topic, names[-1], content, retain)
        self.agent.on_event(message(topic, *names, payload=content, retain=retain), self.clock.now())
        self.read_what_was_said(camera, sight)

    # Who judges it

    def note(self, topic: Topic, name: str, content: bytes, retain: bool) -> None:
        door, word = self.doors[name], content.decode("utf-8", "replace")
        if topic is SESSION and contract.is_id(word):
            door.session = word
        elif topic is AVAILABILITY:
            door.online = content == b"online"
        elif topic is ENABLED_SET and content.strip() in (b"ON", b"OFF") and not retain:
            door.enabled = content.strip() == b"ON"

    def count(self, camera: str, content: bytes, retain: bool) -> Sight | None:
        """What the frame says, if it is fresh and newer than the one before."""
        read, utc, sights = contract.identity(content), self.clock.now().utc, self.sights[camera]
        if read is None or retain or read["camera"] != camera:
            return None
        if not utc - MAX_AGE_S <= read["captured_at"] <= utc + FUTURE_S:
            return None
        before = sights[-1] if sights and sights[-1].captured_at <= utc + FUTURE_S else None
        if before is not None and (read["captured_at"] <= before.captured_at or read["seq"] == before.seq):
            return None
        sights.append(Sight(read))
        return sights[-1]

    def read_what_was_said(self, camera: str | None, sight: Sight | None) -> None:
        for said in self.session.said:
            if said.topic is GRANT:
                self.judge(said, camera, sight)
            elif said.topic is DECISION:
                decision = Decision.decode(said.payload)
                self.seen.add(f"{decision.outcome} {decision.reason}")
            else:
                assert said.topic in (ENABLED, WINDOW, AWAY, LET_IN)
                assert said.topic is LET_IN or said.payload in (b"ON", b"OFF")
        self.session.said.clear()

    def judge(self, said: Said, camera: str | None, sight: Sight | None) -> None:
        found, utc, name = contract.grant(said.payload), self.clock.now().utc, said.names[0]
        assert found is not None, said
        assert camera in CAMERAS[name], "granted by a camera that may not"
        assert found["expires_at"] == utc + GRANT_S
        assert name == "back" or _in_hours(utc), "granted outside working hours"
        self.judge_door(self.doors[name], found)
        self.judge_sights(found["person"], self.sights[camera], sight)
        self.seen.add(f"grant at the {name} door")

    def judge_door(self, door: Door, found: dict[str, Any]) -> None:
        assert door.enabled, "granted while switched off"
        assert door.online, "granted to a door that is away"
        assert found["session"] == door.session, "granted to a door that was"
        since_s = self.s - door.granted_s.get(found["person"], float("-inf"))
        assert since_s >= COOL_DOWN_S, "granted twice at once"
        door.granted_s[found["person"]] = self.s

    def judge_sights(self, person: str, sights: list[Sight], sight: Sight | None) -> None:
        assert sight is not None, "granted for a frame that does not count"
        assert person in sight.people, "granted to somebody who is not in the frame"
        agreeing = [s for s in [s for s in sights if s.faces][-OF:] if person in s.people]
        times = {s.captured_at for s in agreeing if s.captured_at >= self.clock.now().utc - WITHIN_S}
        assert len(times) >= FRAMES, "granted without enough distinct, fresh frames"


def _in_hours(utc: float) -> bool:
    local = time.gmtime(utc)
    return local.tm_wday < 5 and local.tm_hour in FRONT_HOURS
