"""A scheduler, what it hears, and who judges whether topics.md lets it say what it says."""

from __future__ import annotations

import json
from typing import Any

from agents.runtime.events import Disconnected, Kept, Message
from agents.wire.scheduling import Decision, LetInList, Question
from agents.wire.topics import (
    ANSWER,
    AVAILABILITY,
    AWAY,
    AWAY_SET,
    DECISION,
    ENABLED,
    ENABLED_SET,
    GRANT,
    IDENTITY,
    LAST,
    LET_IN,
    LET_IN_SET,
    QUESTION,
    QUESTION_SNAPSHOT,
    SESSION,
    SNAPSHOT,
    WINDOW,
    Topic,
)
from tests.fakes import T0, FakeClock, FakeSession, Said, after
from tests.fuzz import contract
from tests.fuzz.scheduler_agent import Memory, Scheduler
from tests.fuzz.scheduler_door import Door, Moment
from tests.fuzz.scheduler_rules import DOORS, is_open
from tests.fuzz.scheduler_views import Eye, Frame, why_late

CAMERAS = sorted({camera for door in DOORS.values() for camera in door["cameras"]})
SNAPSHOT_WAIT_S, SNAPSHOT_BEFORE_S = 3.0, 1.0
Properties = tuple[tuple[str, str], ...]


class House:
    """Raises AssertionError when the scheduler says what it may not, or does not say what it should."""

    def __init__(self) -> None:
        self.session, self.ears, self.journal, self.clock = FakeSession(), FakeSession(), Memory(), FakeClock()
        self.s, self.jump_s, self.utc_is_set, self.away = 0.0, 0.0, True, False
        self.agent = Scheduler(self.session, self.ears, self.journal, self.clock)
        self.doors = {door: Door(door) for door in DOORS}
        self.eyes = {camera: Eye(camera) for camera in CAMERAS}
        self.snapshots: list[tuple[str, float, bytes]] = []  # camera, when it was taken, picture
        self.questions: dict[str, tuple[dict[str, Any], float]] = {}  # by door: the last, and when
        self.kept = self.told = 0
        self.last: dict[str, bytes] = {}  # the last decision of each door, as told
        self.seen: set[str] = set()
        self.agent.start()
        self.connect()

    @property
    def now(self) -> Moment:
        utc = self.clock.now().utc
        return Moment(self.s, utc, self.utc_is_set, self.away, self.journal.writable, self.session.there)

    # What happens to a scheduler

    def connect(self) -> None:
        self.session.there = True
        self._lose_doors()
        self.agent.on_connect(self.clock.now())
        self.agent.publish_all(self.clock.now())
        self.turn()

    def disconnect(self, told: bool) -> None:
        """It takes a moment until the agent is told."""
        self.session.there = False
        if told:
            self._lose_doors()
            self.agent.on_event(Disconnected("gone"), self.clock.now())
        self.turn()

    def pass_by(self, s: float) -> None:
        self.s += s
        self.clock.at = after(self.s, self.jump_s, self.utc_is_set)

    def wait(self, s: float) -> None:
        self.pass_by(s)
        self.turn()

    def turn(self) -> None:
        turns = self.agent.turns
        self.agent.on_tick(self.clock.now())
        if self.agent.turns > turns:
            for door in self.doors.values():
                door.pass_by(self.now)
        self._judge(None)
        if self.agent.turns > turns:
            self._settle(None, None)

    def hear(
        self, topic: Topic, names: tuple[str, ...], content: bytes, retain: bool, properties: Properties = ()
    ) -> None:
        heard = Message(topic, names, content, retain, properties, T0)
        if topic is IDENTITY:
            self._hear_identity(heard)
        else:
            self._pass_on(heard, self._note(heard))
            self._judge(None)
        for door in self.doors.values():
            assert not any(stay.declined for view in door.views.values() for stay in view.stays.values())

    def keep(self, topic: Topic, names: tuple[str, ...], content: bytes) -> None:
        """What comes by the journal's own connection."""
        self.kept += 1
        self.agent.on_event(Kept(topic, names, content, False, (), T0, None, self.kept), self.clock.now())

    def finish(self) -> None:
        """Everybody leaves, and the disk has room again."""
        self.journal.writable = True
        self.wait(3.0)
        assert not any(view.stays or view.late for door in self.doors.values() for view in door.views.values())
        self.wait(3.0)
        assert self.ears.acknowledged == list(range(1, self.kept + 1))

    # Who judges it

    def _lose_doors(self) -> None:
        for door in self.doors.values():
            door.session, door.online = None, False

    def _pass_on(self, heard: Message, obeyed: bool) -> None:
        """What is refused is counted, and nothing else is."""
        before, records = self._refused, len(self.journal.records)
        self.agent.on_event(heard, self.clock.now())
        assert self._refused == before + (not obeyed), heard
        switched = [body for kind, body in self.journal.records[records:] if kind == "switch"]
        is_order = heard.topic in (ANSWER, AWAY_SET, ENABLED_SET, LET_IN_SET)
        assert len(switched) == (obeyed and is_order and self.journal.writable), (heard, switched)

    @property
    def _refused(self) -> int:
        return self.agent.report().counters["refused"]

    def _hear_identity(self, heard: Message) -> None:
        camera = heard.names[0]
        frame = self.eyes[camera].read(heard.payload, heard.retain)
        if frame is None:
            self._pass_on(heard, False)
            self._judge(None)
            return
        new = frame if self.eyes[camera].is_new(frame, self.now.utc) else None
        counts = new is not None and bool(new.faces) and why_late(new, self.now.utc, self.utc_is_set) is None
        for door in self._doors_of(camera):
            door.see(camera, new, self.now)
        self._pass_on(heard, True)
        self._judge(camera if counts else None)
        self._settle(camera, new if counts else None)

    def _note(self, heard: Message) -> bool:
        """What it means. Returns whether it is obeyed."""
        name, content, live = heard.names[-1], heard.payload, not heard.retain
        if heard.topic is SNAPSHOT:
            return self._note_snapshot(heard)
        if heard.topic is AWAY_SET:
            order = contract.switch(content) if live else None
            self.away = self.away if order is None else order["state"] == "ON"
            return order is not None
        door = self.doors[name]
        if heard.topic is AVAILABILITY:
            door.online = content == b"online"
            return True
        return self._note_order(door, heard.topic, content) if live or heard.topic is SESSION else False

    def _note_order(self, door: Door, topic: Topic, content: bytes) -> bool:
        if topic is SESSION:
            word = content.decode("utf-8", "replace")
            door.session = word if contract.is_id(word) else door.session
            return contract.is_id(word)
        read = {ENABLED_SET: contract.switch, LET_IN_SET: contract.let_in, ANSWER: contract.answer}[topic](content)
        if read is None:
            return False
        if topic is ENABLED_SET:
            door.enabled = read["state"] == "ON"
            return True
        return door.admit(read, self.now) if topic is LET_IN_SET else door.answer(read, self.now)

    def _note_snapshot(self, heard: Message) -> bool:
        stamp = contract.stamp(heard.properties)
        if stamp is None:
            return False
        self.snapshots.append((heard.names[0], stamp[0], heard.payload))
        return True

    def _doors_of(self, camera: str) -> list[Door]:
        return [door for door in self.doors.values() if camera in door.views]

    def _settle(self, camera: str | None, frame: Frame | None) -> None:
        for door in self.doors.values() if camera is None else self._doors_of(camera):
            door.settle(camera, self.now, frame)

    def _judge(self, here: str | None) -> None:
        """All that was said. `here` is the camera of the frame that was just seen, if it counts."""
        said, self.session.said = self.session.said, []
        for one in said:
            if one.topic is DECISION:
                self._judge_decision(one, here)
            elif one.topic is QUESTION:
                self._judge_question(one, here)
            elif one.topic is GRANT:
                found = contract.grant(one.payload)
                assert found is not None, one
                self.doors[one.names[0]].ordered(found, self.now)
                self.seen.add(f"grant at the {one.names[0]} door")
            else:
                self._judge_standing(one)

    def _judge_decision(self, said: Said, here: str | None) -> None:
        assert Decision.decode(said.payload).encode() == said.payload
        self.last[said.names[0]] = said.payload
        found = json.loads(said.payload)
        if self.journal.writable:
            written = [body for kind, body in self.journal.records if kind == "decision"]
            assert written[self.told] == found, "told before it was written"
            self.told += 1
        self.doors[said.names[0]].decided(found, self.now, here)
        self.seen.add(f"{found['outcome']} {found['reason']}")

    def _judge_question(self, said: Said, here: str | None) -> None:
        found = json.loads(Question.decode(said.payload).encode())
        self.doors[said.names[0]].questioned(found, self.now, here)
        self.questions[said.names[0]] = found, self.s
        self.seen.add("a question")

    def _judge_standing(self, said: Said) -> None:
        """What is true at all times."""
        door = self.doors.get(said.names[0])
        if said.topic is LAST:
            assert said.payload == self.last.get(said.names[0])
        elif said.topic is AWAY:
            assert (said.names, said.text) == (("main",), _word(self.away))
        elif door is None:
            raise AssertionError(said)
        elif said.topic is ENABLED:
            assert said.text == _word(door.enabled)
        elif said.topic is WINDOW:
            assert said.text == _word(self.utc_is_set and is_open(door.name, self.now.utc))
        elif said.topic is LET_IN:
            people = {one.person: one.until for one in LetInList.decode(said.payload).people}
            assert door.tells(people, self.now), said
        else:
            assert said.topic is QUESTION_SNAPSHOT, said
            self._judge_snapshot(said)

    def _judge_snapshot(self, said: Said) -> None:
        """It shows who asks, and not who was there before."""
        question, asked_s = self.questions[said.names[0]]
        taken = [at for camera, at, jpeg in self.snapshots if (camera, jpeg) == (question["camera"], said.payload)]
        assert taken, "a picture from nowhere"
        assert self.s - asked_s <= SNAPSHOT_WAIT_S, "a picture long after the question"
        assert max(taken) >= question["asked_at"] - SNAPSHOT_BEFORE_S, "a picture of somebody before"
        self.seen.add("a picture beside a question")


def _word(on: bool) -> str:
    return "ON" if on else "OFF"
