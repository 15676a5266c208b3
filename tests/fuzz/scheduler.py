"""The scheduler between a house's topics and its doors: a grant only for somebody who was seen to be there."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from agents.runtime.inbox import Inbox
from agents.scheduler.agent import SchedulerAgent
from agents.scheduler.config import SchedulerSettings
from agents.wire.messages import Decision
from agents.wire.topics import AVAILABILITY, DECISION, ENABLED, ENABLED_SET, GRANT, IDENTITY, SESSION, WINDOW, Topic
from tests.fakes import FakeClock, FakeSession, Said, after, message
from tests.fuzz import contract
from tests.fuzz.junk import FRAGMENTS, RAW, damaged, obj, payload, text
from tests.fuzz.reader import Reader, Target, blob, read_log

CAMERAS = {"front": ("porch", "hall"), "back": ("yard",)}
FRONT_HOURS = range(7, 19)  # UTC, Monday to Friday; the back door's are all
SETTINGS = SchedulerSettings.model_validate(
    {
        "timezone": "UTC",
        "doors": {
            "front": {"cameras": ["porch", "hall"], "hours": [{"days": "mon-fri", "from": "07:00", "to": "19:00"}]},
            "back": {"cameras": ["yard"], "hours": [{"days": "mon-sun", "from": "00:00", "to": "24:00"}]},
        },
    }
)
FRAMES, OF, WITHIN_S, MAX_AGE_S, FUTURE_S, COOL_DOWN_S, GRANT_S = 2, 3, 5.0, 2.0, 1.0, 10.0, 5.0
STEPS_S = (0.0, 0.125, 0.125, 0.5, 1.0, 2.5, 6.0, 11.0)
JUMPS_S = (0.0, 1.5, -1.5, 12 * 3600.0, 86_400.0, -1e6, 4e8)  # T0 is a Friday at 8
PEOPLE = (b'"Ana"', b'"Ana"', b'"Borut"', b"null")
MAX_STEPS = 24
DOORS = tuple(CAMERAS)


class Scheduler(SchedulerAgent):
    """Its switches are not written to disk, and its log is read."""

    def __init__(self, session: FakeSession, clock: FakeClock) -> None:
        super().__init__(SETTINGS, Path("/nonexistent"), session, Inbox(), clock)
        self.log = read_log()

    def _keep_switches(self) -> None:
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
        self.s += s
        self.clock.at = after(self.s, self.jump_s)
        self.turn()

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
                assert said.topic in (ENABLED, WINDOW)
                assert said.payload in (b"ON", b"OFF")
        self.session.said.clear()

    def judge(self, said: Said, camera: str | None, sight: Sight | None) -> None:
        found, utc, name = contract.grant(said.payload), self.clock.now().utc, said.names[0]
        door = self.doors[name]
        assert found is not None, said
        assert camera in CAMERAS[name], "granted by a camera that may not"
        assert sight is not None and found["person"] in sight.people, "granted to somebody who is not in the frame"
        person = found["person"]
        assert door.enabled, "granted while switched off"
        assert door.online and found["session"] == door.session, "granted to a door that is away"
        assert name == "back" or _in_hours(utc), "granted outside working hours"
        assert found["expires_at"] == utc + GRANT_S
        with_faces = [s for s in self.sights[camera] if s.faces][-OF:]
        times = {s.captured_at for s in with_faces if person in s.people and s.captured_at >= utc - WITHIN_S}
        assert len(times) >= FRAMES, "granted without enough distinct, fresh frames"
        assert self.s - door.granted_s.get(person, float("-inf")) >= COOL_DOWN_S, "granted twice at once"
        door.granted_s[person] = self.s
        self.seen.add(f"grant at the {name} door")


def _in_hours(utc: float) -> bool:
    local = time.gmtime(utc)
    return local.tm_wday < 5 and local.tm_hour in FRONT_HOURS


class Story:
    """Bytes as a story: what one scheduler hears, one message after another."""

    def __init__(self, data: bytes) -> None:
        self.reader, self.house, self.seq = Reader(data), House(), 0
        self.said: list[bytes] = []
        if not self.reader.flag():
            for door in DOORS:
                self.house.hear(SESSION, (door,), b"word-" + door.encode(), True)
                self.house.hear(AVAILABILITY, ("door", door), b"online", True)

    def run(self) -> set[str]:
        for _ in range(MAX_STEPS):
            if not self.reader.more:
                break
            self.reader.pick(STEPS)(self)
        self.house.wait(3.0)
        counters = self.house.agent.report().counters
        return self.house.seen | {word for word, count in counters.items() if count}

    def identity(self) -> None:
        camera = self.reader.pick(("porch", "porch", "porch", "yard", "hall"))
        retain = self.reader.number() % 8 == 1
        fresh = lambda reader: self._identity(reader, camera)  # noqa: E731
        content = payload(self.reader, fresh, fresh, fresh, self._again)
        self.said.append(content)
        self.house.hear(IDENTITY, (camera,), content, retain)

    def frame(self) -> None:
        """A frame as a camera's next one is: a tenth of a second later, and of somebody."""
        self.house.wait(0.125)
        self.identity()

    def session(self) -> None:
        door, retain = self.reader.pick(DOORS), self.reader.flag()
        words = (b"word-2", b"word-3", b"", b"a\n", b"\xff", "č".encode(), b"a" * 64, b"a" * 65, b'"a"')
        self.house.hear(SESSION, (door,), payload(self.reader, lambda reader: reader.pick(words)), retain)

    def availability(self) -> None:
        door, retain = self.reader.pick(DOORS), self.reader.flag()
        words = (b"online", b"offline", b"ONLINE", b"online\n", b"", b"\xff")
        content = payload(self.reader, lambda reader: reader.pick(words))
        self.house.hear(AVAILABILITY, ("door", door), content, retain)

    def switch(self) -> None:
        door, retain = self.reader.pick(DOORS), self.reader.number() % 8 == 1
        words = (b"ON", b"OFF", b" ON\n", b"on", b"true", b"ON\x00", b"\xff\xfe")
        self.house.hear(ENABLED_SET, (door,), payload(self.reader, lambda reader: reader.pick(words)), retain)

    def wait(self) -> None:
        self.house.wait(self.reader.pick(STEPS_S))

    def clock(self) -> None:
        self.house.jump_s = self.reader.pick(JUMPS_S)
        self.house.wait(0.0)

    def broker(self) -> None:
        self.house.session.there = not self.house.session.there
        if self.house.session.there:
            self.house.connect()

    def _again(self, reader: Reader) -> bytes:
        return reader.pick(self.said) if self.said else b""

    def _identity(self, reader: Reader, camera: str) -> bytes:
        self.seq += 1
        age_s = reader.pick((0.0, 0.0, 0.0, 0.0, 0.25, 0.25, 2.0, 2.001, -1.0, -1.001, 5.0, -1e6))
        faces = [self._face(reader) for _ in range(reader.pick((1, 1, 1, 1, 1, 1, 1, 2, 2, 3, 0, 32, 33)))]
        return obj(
            damaged(
                reader,
                [
                    ("id", text(f"{camera}-{self.seq}")),
                    ("camera", text("yard" if reader.number() == 7 else camera)),
                    ("captured_at", text(self.house.clock.now().utc - age_s)),
                    ("seq", text(1 if reader.number() == 7 else self.seq)),
                    ("faces", b"[" + b",".join(faces) + b"]"),
                ],
            )
        )

    def _face(self, reader: Reader) -> bytes:
        box = [(side, b"100") for side in ("left", "top", "width", "height")]
        kind = reader.number()
        pairs = [
            ("person", PEOPLE[kind % 4]),
            ("distance", reader.pick((b"0.3", b"0", b"null", b"0.7")) if kind >= 128 else b"0.3"),
            ("margin", b"0.1"),
            ("box", obj(damaged(reader, box) if kind >= 224 else box)),
            ("sharpness", b"9.0"),
        ]
        return obj(damaged(reader, pairs) if kind >= 224 else pairs)


STEPS = (
    *(Story.frame, Story.identity, Story.session, Story.availability, Story.switch, Story.wait, Story.clock),
    *(Story.broker, *[Story.frame] * 12, Story.identity, Story.wait),
)


def run(data: bytes) -> set[str]:
    return Story(data).run()


# Seeds

FRAME, IDENTITY_, SESSION_, AVAILABILITY_, SWITCH, WAIT, CLOCK, BROKER = (bytes([n]) for n in range(8))
START, ALONE = b"\x00", b"\x01"
SEEN = FRAME + b"\x00\x00\x02" + b"\x00\x00\x00\x00\x00" + b"\x04\x00"
"""A good frame from the porch with Ana in it."""


def told(kind: bytes, content: bytes, retain: bytes = b"\x00") -> bytes:
    """The step in which exactly this payload arrives, at the porch or the front door."""
    return kind + b"\x00" + retain + RAW + blob(content)


def whole(number: int, **other: bytes) -> bytes:
    """An identity of Ana as the `number`th frame of those that `told` tells."""
    face = obj(
        [
            ("person", other.get("person", b'"Ana"')),
            ("distance", other.get("distance", b"0.3")),
            ("margin", b"0.1"),
            ("box", other.get("box", obj([(side, b"100") for side in ("left", "top", "width", "height")]))),
            ("sharpness", other.get("sharpness", b"9.0")),
        ]
    )
    return obj(
        [
            ("id", other.get("id", b'"porch-1"')),
            ("camera", other.get("camera", b'"porch"')),
            ("captured_at", other.get("captured_at", text(1_800_000_000 + number / 8))),
            ("seq", other.get("seq", text(number))),
            ("faces", other.get("faces", b"[" + face + b"]")),
        ]
    )


def pair(**other: bytes) -> bytes:
    """Two frames that agree, but for what is `other` in both."""
    return told(FRAME, whole(1, **other)) + told(FRAME, whole(2, **other))


CHANGED = ("person", "distance", "box", "sharpness", "id", "camera", "captured_at", "seq", "faces")
STORIES = (
    *(pair(), SEEN * 2, SEEN * 5, told(FRAME, whole(1)) * 3, told(IDENTITY_, whole(0)) * 2, pair() + pair()),
    *(told(FRAME, whole(1), b"\x01") + told(FRAME, whole(2), b"\x01"), SEEN + WAIT + b"\x06" + SEEN),
    *(told(SWITCH, b"OFF") + pair(), told(SWITCH, b"OFF", b"\x01") + pair(), told(SWITCH, b"\xff") + pair()),
    *(told(AVAILABILITY_, b"offline") + pair(), told(SESSION_, b"other") + pair(), told(SESSION_, b"a\n") + pair()),
    *(CLOCK + b"\x03" + SEEN * 2, CLOCK + b"\x04" + SEEN * 2, BROKER + pair(), BROKER * 2 + pair()),
    *(told(AVAILABILITY_, word) + pair() for word in (b"online\n", b"ONLINE", b"", b"\xff")),
    SEEN * 2 + WAIT + b"\x07" + SEEN * 2,
)
SEEDS = [START + story for story in STORIES] + [ALONE + story for story in STORIES]
SEEDS += [START + pair(**{key: fragment}) for key in CHANGED for fragment in FRAGMENTS]
SEEDS += [
    START + told(kind, fragment) + pair() for kind in (FRAME, SESSION_, AVAILABILITY_, SWITCH) for fragment in FRAGMENTS
]

TARGET = Target(run, SEEDS)


