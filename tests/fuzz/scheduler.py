"""Stories of a scheduler: whatever it hears, it grants only to somebody who was seen to be there."""

from __future__ import annotations

from functools import partial

from agents.wire.topics import AVAILABILITY, ENABLED_SET, IDENTITY, SESSION
from tests.fuzz.junk import FRAGMENTS, RAW, damaged, obj, payload, text
from tests.fuzz.reader import Reader, blob
from tests.fuzz.scheduler_house import House
from tests.fuzz.targets import Target

STEPS_S = (0.0, 0.125, 0.125, 0.5, 1.0, 2.5, 6.0, 11.0)
JUMPS_S = (0.0, 1.5, -1.5, 12 * 3600.0, 86_400.0, -1e6, 4e8)  # T0 is a Friday at 8
PEOPLE = (b'"Ana"', b'"Ana"', b'"Borut"', b"null")
MAX_STEPS = 16
DOORS = ("front", "back")


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
        make = partial(self._identity, camera)
        content = payload(self.reader, make, make, make, self._again)
        self.said.append(content)
        self.house.hear(IDENTITY, (camera,), content, retain)

    def frame(self) -> None:
        """A frame as a camera's next one is: an eighth of a second later."""
        self.house.pass_by(0.125)
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

    def _identity(self, camera: str, reader: Reader) -> bytes:
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
START, ALONE, LIVE, RETAINED = b"\x00", b"\x01", b"\x00", b"\x01"
SEEN = FRAME + b"\x00\x00\x02" + b"\x00\x00\x00\x00\x00" + b"\x04\x00"
"""A good frame from the porch with Ana in it."""
SEEN_AT_THE_BACK, STRANGER = FRAME + b"\x03" + SEEN[2:], SEEN[:6] + b"\x03" + SEEN[7:]


def told(kind: bytes, content: bytes, retain: bytes = LIVE) -> bytes:
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
ONLINE, OFF, ON = told(AVAILABILITY_, b"online"), told(SWITCH, b"OFF"), told(SWITCH, b"ON", RETAINED)
STORIES = (
    pair(), pair() * 2, told(FRAME, whole(1)) * 3, told(IDENTITY_, whole(0)) * 2, SEEN * 2, SEEN * 5, SEEN + STRANGER,
    STRANGER * 4, SEEN_AT_THE_BACK * 2, told(FRAME, whole(1), RETAINED) + told(FRAME, whole(2), RETAINED),
    # the switch, the door and the broker
    OFF + pair(), OFF + ON + pair(), told(SWITCH, b"OFF", RETAINED) + pair(), told(SWITCH, b"\xff") + pair(),
    *(told(AVAILABILITY_, word) + pair() for word in (b"offline", b"online\n", b"ONLINE", b"", b"\xff")),
    told(SESSION_, b"other") + pair(), told(SESSION_, b"a\n") + pair(), BROKER + pair(), BROKER * 2 + pair(),
    BROKER * 2 + ONLINE + pair(), BROKER * 2 + told(SESSION_, b"other") + pair(),
    # the time
    *(SEEN * 2 + WAIT + bytes([STEPS_S.index(s)]) + SEEN * 2 for s in (1.0, 2.5, 6.0, 11.0)),
    SEEN + WAIT + b"\x06" + SEEN,
    *(CLOCK + to + seen * 2 for to in (b"\x03", b"\x04", b"\x05") for seen in (SEEN, SEEN_AT_THE_BACK)),
)  # fmt: skip

SEEDS = [START + story for story in STORIES] + [ALONE + story for story in STORIES]
SEEDS += [START + pair(**{key: fragment}) for key in CHANGED for fragment in FRAGMENTS]
SEEDS += [
    START + told(kind, fragment) + pair() for kind in (FRAME, SESSION_, AVAILABILITY_, SWITCH) for fragment in FRAGMENTS
]

TARGET = Target(run, SEEDS)
