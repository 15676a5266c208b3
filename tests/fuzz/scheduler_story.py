"""Stories of a scheduler, told by bytes: what it hears, one message after another."""

from __future__ import annotations

from functools import partial

from agents.wire.topics import (
    ANSWER,
    AVAILABILITY,
    AWAY_SET,
    ENABLED_SET,
    EVENT,
    IDENTITY,
    LET_IN_SET,
    SESSION,
    SNAPSHOT,
    Topic,
)
from tests.fuzz.junk import Pair, damaged, obj, payload, text
from tests.fuzz.reader import Reader
from tests.fuzz.scheduler_house import House

HOUR_S, DAY_S = 3600.0, 86_400.0
STEPS_S = (0.0, 0.125, 0.125, 0.5, 1.0, 2.0, 2.5, 6.0, 11.0, 61.0)
# T0 is Friday at nine in the house. Then: people have to agree; one frame is enough, also past midnight; an
# exception opens; nothing is open; a holiday; a closed day; the guests are there; long ago, and far ahead
JUMPS_S = (
    *(0.0, 1.5, -1.5, 60.0, 12 * HOUR_S, 14 * HOUR_S, 16.5 * HOUR_S, DAY_S, 2 * DAY_S, 3 * DAY_S, 4 * DAY_S),
    *(5 * DAY_S, -DAY_S, -1e6, 4e8),
)
AGES_S = (0.0, 0.0, 0.0, 0.0, 0.25, 0.25, 2.0, 2.001, -1.0, -1.001, 3.0, 5.0, 11.0, -1e6)
PEOPLE = ("Ana", "Ana", "Ana", "Borut", "Cene", "Petra", "Karlo", "Lucija", "Vid", None, None, None)
TRACKS = (None, None, None, 1, 1, 2)
COUNTS = (1, 1, 1, 1, 1, 1, 1, 2, 2, 3, 0, 32, 33)
CAMERAS = ("porch", "porch", "porch", "yard", "hall")
DOORS = ("front", "back")
ORDERS: tuple[tuple[Topic, tuple[str, ...]], ...] = (
    *((ENABLED_SET, (door,)) for door in DOORS),
    (AWAY_SET, ("main",)),
    *((LET_IN_SET, (door,)) for door in DOORS),
)
UNTILS = ('"22:00"', '"09:00"', '"9:05"', "null", '"24:00"', "1800000000", "1800000060", "1800050000.5", "1900000000")
SOURCES = ("null", '"Ana, phone"', '"a\\nb"', '"\\u202e"', '"' + "č" * 200 + '"', '"' + "č" * 201 + '"')
STAMPS = ((), (("seq", "1"),), (("captured_at", "nan"), ("seq", "1")), (("captured_at", "1e400"), ("seq", "1")))
MAX_STEPS = 20


class Story:
    """Bytes as a story of one scheduler, of at most `MAX_STEPS` steps."""

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
        self.house.finish()
        counters = self.house.agent.report().counters
        return self.house.seen | {word for word, count in counters.items() if count}

    def identity(self) -> None:
        camera = self.reader.pick(CAMERAS)
        retain = self.reader.number() % 8 == 1
        make = partial(self._identity, camera)
        content = payload(self.reader, make, make, make, self._again)
        self.said.append(content)
        self.house.hear(IDENTITY, (camera,), content, retain)

    def frame(self) -> None:
        """A frame as a camera's next one is: an eighth of a second later, and the agent takes its turn."""
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

    def order(self) -> None:
        """What people may switch, and whom they may let in."""
        (topic, names), retain = self.reader.pick(ORDERS), self.reader.number() % 8 == 1
        makers = (_let_in, _let_in_words) if topic is LET_IN_SET else (_switch, _switch_words)
        self.house.hear(topic, names, payload(self.reader, *makers), retain)

    def answer(self) -> None:
        door, retain = self.reader.pick(DOORS), self.reader.number() % 8 == 1
        content = payload(self.reader, partial(self._answer, door), _answer_words)
        self.house.hear(ANSWER, (door,), content, retain)

    def snapshot(self) -> None:
        camera, kind = self.reader.pick(CAMERAS), self.reader.number() % 8
        at = self.house.clock.now().utc - self.reader.pick(AGES_S)
        stamp = STAMPS[kind - 1] if 1 <= kind <= len(STAMPS) else (("captured_at", f"{at:.6f}"), ("seq", "7"))
        self.house.hear(SNAPSHOT, (camera,), b"a picture" + self.reader.take(2), True, stamp)

    def event(self) -> None:
        """What the journal's connection hears."""
        if self.reader.flag():
            states = (b"online", b"offline", b"gone", b"\xff")
            self.house.keep(AVAILABILITY, ("camera", "porch"), payload(self.reader, lambda reader: reader.pick(states)))
        else:
            self.house.keep(EVENT, (self.reader.pick(DOORS),), payload(self.reader, _event))

    def wait(self) -> None:
        self.house.wait(self.reader.pick(STEPS_S))

    def stall(self) -> None:
        """Time passes, and the agent takes no turn."""
        self.house.pass_by(self.reader.pick(STEPS_S))

    def clock(self) -> None:
        self.house.jump_s, self.house.utc_is_set = self.reader.pick(JUMPS_S), self.reader.number() % 4 != 1
        self.house.wait(0.0)

    def broker(self) -> None:
        if self.house.session.there:
            self.house.disconnect(told=self.reader.flag())
        else:
            self.house.connect()

    def disk(self) -> None:
        """It is full, or there is room again."""
        self.house.journal.writable = not self.house.journal.writable

    def _again(self, reader: Reader) -> bytes:
        return reader.pick(self.said) if self.said else b""

    def _identity(self, camera: str, reader: Reader) -> bytes:
        self.seq += 1
        age_s = reader.pick(AGES_S)
        faces = [self._face(reader) for _ in range(reader.pick(COUNTS))]
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
        person, kind = reader.pick(PEOPLE), reader.number()
        pairs = [
            ("person", text(person)),
            ("distance", reader.pick((b"0.3", b"0", b"null", b"0.7")) if kind >= 128 else b"0.3"),
            ("margin", b"0.1"),
            ("box", obj(damaged(reader, box) if kind >= 224 else box)),
            ("sharpness", b"9.0"),
            ("track", text(TRACKS[kind % len(TRACKS)])),
        ]
        return obj(damaged(reader, pairs) if kind >= 224 else pairs)

    def _answer(self, door: str, reader: Reader) -> bytes:
        """To the last question, mostly."""
        last = self.house.questions.get(door)
        ids = (text(last[0]["id"]) if last else b"null", b"null", b'"porch-1"', b'"x y"')
        pairs = [("answer", reader.pick((b'"YES"', b'"NO"', b'"yes"'))), ("id", reader.pick(ids)), _source(reader)]
        return obj(damaged(reader, pairs))


def _source(reader: Reader) -> Pair:
    return "source", reader.pick(SOURCES).encode()


def _answer_words(reader: Reader) -> bytes:
    return reader.pick((b"YES", b"NO", b" YES\n", b"yes", b"YES\x00", b"NO!", b""))


def _switch(reader: Reader) -> bytes:
    return obj(damaged(reader, [("state", reader.pick((b'"OFF"', b'"ON"', b'"on"'))), _source(reader)]))


def _switch_words(reader: Reader) -> bytes:
    return reader.pick((b"OFF", b"ON", b" ON\n", b"on", b"true", b"ON\x00", b"\xff\xfe"))


def _let_in(reader: Reader) -> bytes:
    person, until = text(reader.pick(("Petra", "Ana", "Vid", "unknown", "e\u0301"))), reader.pick(UNTILS).encode()
    return obj(damaged(reader, [("person", person), ("until", until), _source(reader)]))


def _let_in_words(reader: Reader) -> bytes:
    if reader.flag():
        return f"guest {reader.number() % 16} until 23:00".encode()
    words = ("Petra until 22:00", "Ana until 8:15", "Petra", "until 22:00", "a until b until 23:59", "Vid until 24:00")
    return reader.pick(words).encode()


def _event(reader: Reader) -> bytes:
    pairs = [
        ("seq", reader.pick((b"1", b"2", b"3", b"9", b"null"))),
        ("event_type", reader.pick((b'"unlocked"', b'"locked"'))),
        ("at", b"1800000000.5"),
        ("cause", b'"grant"'),
    ]
    return obj(damaged(reader, pairs))


STEPS = (
    *(Story.frame, Story.identity, Story.session, Story.availability, Story.order, Story.wait, Story.clock),
    *(Story.broker, Story.answer, Story.snapshot, Story.event, Story.disk, Story.stall),
    *([Story.frame] * 12 + [Story.order, Story.answer, Story.wait, Story.wait, Story.clock, Story.identity]),
)
