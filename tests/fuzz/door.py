"""Stories of a door: whatever arrives, it opens for good orders only."""

from __future__ import annotations

from agents.wire.messages import Cause
from tests.fuzz.door_house import DEBOUNCE_S, MAX_HOLD_S, House
from tests.fuzz.junk import FRAGMENTS, RAW, damaged, obj, payload, text
from tests.fuzz.reader import Reader, blob
from tests.fuzz.targets import Target

# exact in binary, so that no rounding stands between the door and who judges it
STEPS_S = (0.0, 1 / 64, 0.25, 1.0, 1.5, 2.5, 3.0, 4.0, 5.0, 8.0, 11.0)
JUMPS_S = (0.0, 1.0, -1.0, 3600.0, -86_400.0, 4e8, -1_800_000_000.0)
MAX_STEPS = 16


class Story:
    """Bytes as a story: what happens to one door, one thing after another."""

    def __init__(self, data: bytes) -> None:
        self.reader = Reader(data)
        self.house = House(self.reader.flag(), self.reader.flag(), self.reader.flag(), self.reader.flag())
        self.said: list[bytes] = []
        self.house.connect()

    def run(self) -> set[str]:
        for _ in range(MAX_STEPS):
            if not self.reader.more:
                break
            self.reader.pick(STEPS)(self)
        self.house.wait(DEBOUNCE_S + MAX_HOLD_S)
        assert self.house.on_s is None, "the relay stays on"
        return self.house.seen

    def command(self) -> None:
        retain, content = self.reader.number() % 8 == 1, payload(self.reader, self._command, self._word, self._again)
        self.said.append(content)
        self.house.order(Cause.COMMAND, content, retain)

    def grant(self) -> None:
        retain, content = self.reader.number() % 8 == 1, payload(self.reader, self._grant, self._grant, self._again)
        self.said.append(content)
        self.house.order(Cause.GRANT, content, retain)

    def hold(self) -> None:
        retain, content = self.reader.number() % 8 == 1, payload(self.reader, _hold, _hold_word)
        for _ in range(self.reader.pick((1, 1, 1, 21))):
            self.house.set_hold(content, retain)

    def many(self) -> None:
        content = payload(self.reader, self._command, self._word)
        for _ in range(21):
            self.house.order(Cause.COMMAND, content, False)

    def wait(self) -> None:
        self.house.wait(self.reader.pick(STEPS_S))

    def clock(self) -> None:
        self.house.jump_s, self.house.utc_is_set = self.reader.pick(JUMPS_S), not self.reader.flag()

    def broker(self) -> None:
        """The connection goes or comes, or the broker falls silent or speaks again."""
        kind = self.reader.number() % 4
        if kind == 0:
            self.house.disconnect()
        elif kind == 1:
            self.house.connect()
        else:
            self.house.acknowledges = kind == 3

    def hardware(self) -> None:
        """An edge that the agent hears of, one that it misses, or a relay that breaks or is mended."""
        kind, on = self.reader.number() % 5, self.reader.flag()
        if kind == 0:
            self.house.press(on)
        elif kind == 1:
            self.house.move_leaf(on)
        elif kind == 2:
            self.house.break_relay(on)
        elif kind == 3:
            self.house.pressed = on
        elif kind == 4:
            self.house.closed = on

    def _word(self, reader: Reader) -> bytes:
        odd = (b" UNLOCK\r\n", b"unlock", b"UNLOCK\x00", b"UNLOCKED", b"")
        return reader.pick((b"UNLOCK", b"OPEN", b"LOCK", *odd, b"TEST"))

    def _again(self, reader: Reader) -> bytes:
        return reader.pick(self.said) if self.said else b"UNLOCK"

    def _command(self, reader: Reader) -> bytes:
        pairs = [("action", text(reader.pick(("UNLOCK", "OPEN", "LOCK", "OPEN ", "TEST"))))]
        for key, make in (("session", self._session), ("ts", self._ts), ("source", _source), ("id", _id)):
            if reader.flag():
                pairs.append((key, make(reader)))
        return obj(damaged(reader, pairs))

    def _grant(self, reader: Reader) -> bytes:
        return obj(
            damaged(
                reader,
                [
                    ("session", self._session(reader)),
                    ("expires_at", self._ts(reader)),
                    ("person", text(reader.pick(("Ana", "Borut Š.", "unknown")))),
                    ("id", _id(reader)),
                ],
            )
        )

    def _session(self, reader: Reader) -> bytes:
        """The newest word, mostly; one from before; or another door's."""
        words = [*reversed(self.house.words), "word-of-the-back-door"]
        return text(words[reader.pick((0, 0, 0, 1, 2, 3, -1)) % len(words)])

    def _ts(self, reader: Reader) -> bytes:
        return text(self.house.now.utc + reader.pick((0.0, 2.0, 5.0, 2.0001, 10.0, 10.001, -10.0, -10.001, 1e4, -1e9)))


def _id(reader: Reader) -> bytes:
    return text(f"id-{reader.number() % 16}")


def _hold(reader: Reader) -> bytes:
    pairs = [("hold_s", _hold_word(reader))]
    if reader.flag():
        pairs.append(("source", _source(reader)))
    return obj(damaged(reader, pairs))


def _hold_word(reader: Reader) -> bytes:
    return reader.pick((b"0.5", b"1", b"10", b"4.7", b"0.49", b"10.01", b" 3\n", b"-1", b"1e0", b"0.1"))


def _source(reader: Reader) -> bytes:
    return text(reader.pick(("Ana, shell", "a\nb", "\x1b[31m", "x" * 200, "x" * 201, "\u202e", "")))


STEPS = (
    *(Story.command, Story.command, Story.grant, Story.wait, Story.clock, Story.broker, Story.hardware, Story.many),
    *(Story.command, Story.command, Story.grant, Story.wait, Story.grant, Story.wait, Story.hardware, Story.wait) * 3,
    *(Story.hold, Story.hold),
)


def run(data: bytes) -> set[str]:
    return Story(data).run()


# Seeds

COMMAND, GRANT, WAIT, CLOCK, BROKER, HARDWARE, MANY, HOLD = (
    bytes([n]) for n in (0, 2, 3, 4, 5, 6, 7, STEPS.index(Story.hold))
)
START, TESTED, LIVE, RETAINED = b"\x00\x00\x00\x00", b"\x00\x00\x00\x01", b"\x00", b"\x01"


def told(kind: bytes, content: bytes, retain: bytes = LIVE) -> bytes:
    """The step in which exactly this payload arrives."""
    return kind + retain + RAW + blob(content)


def waited(s: float) -> bytes:
    return WAIT + bytes([STEPS_S.index(s)])


def _with_fragments(pairs: list[tuple[str, bytes]]) -> list[bytes]:
    return [
        obj([*pairs[:at], (key, fragment), *pairs[at + 1 :]])
        for at, (key, _) in enumerate(pairs)
        for fragment in FRAGMENTS
    ]


GOOD_COMMAND = [
    *(("action", b'"UNLOCK"'), ("session", b'"word-0"'), ("ts", b"1800000000"), ("source", b'"Ana"'), ("id", b'"i"'))
]
GOOD_GRANT = [("id", b'"i"'), ("session", b'"word-0"'), ("person", b'"Ana"'), ("expires_at", b"1800000005")]
UNLOCK, LOCK = told(COMMAND, b"UNLOCK"), told(COMMAND, b"LOCK")
COMMANDED, GIVEN = obj(GOOD_COMMAND), obj(GOOD_GRANT)
ONCE, GRANTED = told(COMMAND, COMMANDED), told(GRANT, GIVEN)
TIMED = told(COMMAND, b'{"action":"UNLOCK","ts":1800000000}')

GOOD = (
    UNLOCK, ONCE, TIMED, GRANTED, LOCK, UNLOCK + LOCK, UNLOCK + UNLOCK, UNLOCK + GRANTED,
)  # fmt: skip
ODD = (
    told(COMMAND, b""), told(GRANT, b""), told(GRANT, b"UNLOCK"), told(COMMAND, GIVEN),
    *(told(kind, content, RETAINED) for kind, content in ((COMMAND, b"UNLOCK"), (COMMAND, COMMANDED), (GRANT, GIVEN))),
    *(told(COMMAND, COMMANDED.ljust(size)) for size in (1024, 1025)),
    *(told(COMMAND, b"UNLOCK".rjust(size)) for size in (1024, 1025)),
    *(told(GRANT, GIVEN.ljust(size)) for size in (16_384, 16_385)),
)  # fmt: skip
AGAIN = (ONCE + LOCK + ONCE, GRANTED + LOCK + GRANTED, ONCE + LOCK + GRANTED, (ONCE + waited(4.0)) * 2)
WAITED = (
    *(waited(s) + step for s in (5.0, 8.0, 11.0) for step in (ONCE, TIMED, GRANTED, UNLOCK)),
    *(BROKER + b"\x00" + waited(8.0) + step for step in (ONCE, TIMED, GRANTED, UNLOCK, LOCK)),
    *(BROKER + b"\x02" + waited(8.0) + step for step in (ONCE, TIMED, GRANTED, UNLOCK, LOCK)),
    *(BROKER + b"\x00" + BROKER + b"\x01" + step for step in (ONCE, TIMED, GRANTED, UNLOCK)),
    *(CLOCK + to + step for to in (b"\x00\x01", b"\x03\x00", b"\x06\x01") for step in (ONCE, TIMED, GRANTED, UNLOCK)),
)  # fmt: skip
LONG = (
    (UNLOCK + waited(2.5)) * 4 + UNLOCK + waited(0.25) + UNLOCK,
    (UNLOCK + waited(2.5)) * 3 + UNLOCK * 2 + waited(3.0) + GRANTED,
)
FLOODS = (
    MANY + RAW + blob(b"UNLOCK") + LOCK,
    MANY + RAW + blob(b"junk") + UNLOCK + waited(1.0) + UNLOCK,
    UNLOCK + MANY + RAW + blob(b"junk") + LOCK,
)
PRESSED, LET_GO, MISSED, MISSED_BACK = (HARDWARE + by for by in (b"\x00\x01", b"\x00\x00", b"\x03\x01", b"\x03\x00"))
OPENED, CLOSED, BROKEN, MENDED = (HARDWARE + change for change in (b"\x01\x00", b"\x01\x01", b"\x02\x01", b"\x02\x00"))
PUSHED = (
    *(change + waited(1.0) for change in (PRESSED, MISSED, PRESSED + waited(1 / 64) + LET_GO)),
    *(OPENED + waited(11.0) + CLOSED + waited(1.0), UNLOCK + OPENED + waited(1.0)),
    *(BROKEN + UNLOCK + UNLOCK + LOCK + MENDED + UNLOCK, MISSED + waited(1 / 64) + MISSED_BACK + MISSED + waited(8.0)),
)

TESTS = (
    *(told(COMMAND, content) for content in (b"TEST", b'{"action":"TEST"}', b'{"action":"TEST","id":"t"}')),
    *(told(COMMAND, b"TEST", RETAINED), told(COMMAND, b"TEST") + UNLOCK, UNLOCK + told(COMMAND, b"TEST")),
)


def held(content: bytes, retain: bytes = LIVE, many: bytes = b"\x00") -> bytes:
    """The step in which somebody sets the hold time like that."""
    return HOLD + retain + RAW + blob(content) + many


HOLDS = (
    *(held(content) + UNLOCK for content in (b"0.5", b"10", b"4.7", b" 3\n", b"0.4", b"10.1")),
    *(held(content) + UNLOCK for content in (b"9" * 400, b"0." + b"1" * 400, b"1e0", b"nan", b"")),
    *(held(b'{"hold_s":%s,"source":"Ana"}' % number) + UNLOCK for number in (b"7", b"0.5", b"1e1", b"1e999", b'"7"')),
    *(held(b"5", RETAINED) + UNLOCK, held(b"5", many=b"\x03") + held(b"6") + UNLOCK, UNLOCK + held(b"0.5") + UNLOCK),
    *(held(b"10") + GRANTED + waited(11.0) + UNLOCK, held(b"10") + PRESSED + waited(11.0) + UNLOCK),
)  # fmt: skip
SEEDS = [START + story for story in (*GOOD, *ODD, *AGAIN, *WAITED, *LONG, *FLOODS, *PUSHED, *TESTS, *HOLDS)]
SEEDS += [TESTED + story for story in TESTS]
SEEDS += [START + told(COMMAND, content) + UNLOCK for content in _with_fragments(GOOD_COMMAND)]
SEEDS += [START + told(GRANT, content) + UNLOCK for content in _with_fragments(GOOD_GRANT)]
SEEDS += [START + told(kind, fragment) + UNLOCK for kind in (COMMAND, GRANT) for fragment in FRAGMENTS]
SEEDS += [START + held(fragment) + held(b'{"hold_s":%s}' % fragment) + UNLOCK for fragment in FRAGMENTS]

TARGET = Target(run, SEEDS)
