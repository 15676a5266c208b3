"""A door, and around it what an agent and a house do; whatever arrives, it opens for good orders only."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

from agents.door.config import ContactSettings, DoorSettings, ExitButtonSettings, RelaySettings
from agents.door.core import Door
from agents.door.effects import Drive, Effect
from agents.runtime.clock import Now
from agents.wire.messages import Cause, DoorEvent, EventType, LockState
from tests.fakes import after
from tests.fuzz import contract
from tests.fuzz.junk import FRAGMENTS, RAW, damaged, obj, payload, text
from tests.fuzz.reader import Reader, Target, blob

# all times are exact in binary, so that no rounding stands between the door and who judges it
HOLD_S, MAX_HOLD_S, REST_S, MAX_AGE_S, DEBOUNCE_S = 3.0, 10.0, 5.0, 10.0, 0.0625
HELD_OPEN_S = 8.0
STEPS_S = (0.0, 1 / 64, 0.25, 1.0, 1.5, 2.5, 3.0, 4.0, 5.0, 8.0, 11.0)
JUMPS_S = (0.0, 1.0, -1.0, 3600.0, -86_400.0, 4e8, -1_800_000_000.0)
MAX_STEPS = 24
NEVER = float("-inf")


class House:
    """The door's surroundings and, beside the door, an account of what it may do by topics.md."""

    def __init__(self, finishes: bool = True, locks_when_opened: bool = False, pressed: bool = False) -> None:
        self.door = Door(_settings(finishes, locks_when_opened))
        self.s, self.jump_s, self.utc_is_set = 0.0, 0.0, True
        self.pressed, self.closed, self.moved_s = pressed, True, NEVER
        self.connected, self.acknowledges, self.broken = False, True, False
        self.words: dict[str, float] = {}  # text: when it was made, s
        self.ids: deque[str] = deque(maxlen=1000)
        self.tokens = {Cause.COMMAND: (20.0, 0.0), Cause.GRANT: (20.0, 0.0)}  # how many, and when, s
        self.on_s: float | None = None
        self.rests_until_s = NEVER
        self.seen: set[str] = set()
        self.door.begin(self.pressed, self.closed, self.now)

    @property
    def now(self) -> Now:
        return after(self.s, self.jump_s, self.utc_is_set)

    # What happens to a door

    def order(self, cause: Cause, content: bytes, retain: bool) -> None:
        wanted = self.verdict(cause, content, retain)
        admitted = self.admits(cause)
        on, jammed = self.on_s is not None, self.door.state is LockState.JAMMED
        rests = self.s < self.rests_until_s
        decide = self.door.command if cause is Cause.COMMAND else self.door.grant
        effects = decide(content, retain, self.now)
        opened, locked = _drives(effects, True), _drives(effects, False)
        assert opened == (admitted and wanted == "open" and not (on or jammed or rests)), (content, effects)
        assert locked == (wanted == "lock" and (admitted or on)), (content, effects)
        answers = self.carry_out(effects)
        assert len(answers) == 1 if admitted else len(answers) <= 1, (content, effects)
        self.seen |= {f"{cause} {answer.event_type} {answer.reason or ''}".strip() for answer in answers}
        if not admitted:
            self.seen.add(f"{cause} in a flood")

    def wait(self, s: float) -> None:
        """As an agent waits: it takes a turn whenever the door says that something is due."""
        until_s = self.s + s
        for _ in range(1000):
            self.turn()
            due_s = max(0.0, self.door.due_s(self.now))
            if self.s >= until_s and due_s > 0:
                return
            self.s = min(until_s, self.s + min(1.0, due_s))
        raise AssertionError("the door is always due, and never done")

    def turn(self) -> None:
        self.door.sample(self.pressed, self.closed, self.now)
        effects = self.door.tick(self.now)
        if _drives(effects, True):
            assert self.pressed, "opened by a button that nobody pressed"
            assert self.s - self.moved_s >= DEBOUNCE_S, "opened by a spike"
        self.seen |= {f"{told.cause} {told.event_type}" for told in self.carry_out(effects)}
        assert self.on_s is None or self.s - self.on_s < MAX_HOLD_S, "released for longer than max_hold_s"
        if self.connected and self.door.words.silent(self.now):
            self.disconnect()
        elif self.connected and self.door.words.due_s(self.now) <= 0:
            self.new_word()

    def connect(self) -> None:
        if not self.connected:
            self.connected = True
            self.new_word()

    def new_word(self) -> None:
        word = f"word-{len(self.words)}"
        self.words[word] = self.s
        self.door.words.add(word, len(self.words), self.now)
        if self.acknowledges:
            self.door.words.acknowledged(len(self.words))

    def disconnect(self) -> None:
        self.connected = False
        self.words = dict.fromkeys(self.words, NEVER)
        self.carry_out(self.door.lose_broker(self.now))

    def press(self, pressed: bool) -> None:
        self.pressed, self.moved_s = pressed, self.s
        self.door.press(pressed, self.now)

    def move_leaf(self, closed: bool) -> None:
        self.closed = closed
        self.door.close(closed, self.now)

    def break_relay(self, broken: bool) -> None:
        self.broken = broken
        if not broken and self.door.state is LockState.JAMMED:
            self.carry_out(self.door.freed(self.now))

    def carry_out(self, effects: Sequence[Effect]) -> list[DoorEvent]:
        """As the agent does. Returns what was told."""
        told = []
        for effect in effects:
            event = effect.event
            if isinstance(effect, Drive) and self.broken:
                event = self.door.jam("the relay does not answer", event, self.now)
                self.switch(False)
            elif isinstance(effect, Drive):
                assert not effect.on or (event is not None and event.event_type is EventType.UNLOCKED)
                self.switch(effect.on)
            if event is not None:
                told.append(self.checked(event))
        return told

    def switch(self, on: bool) -> None:
        if on:
            assert self.on_s is None
            self.on_s = self.s
        elif self.on_s is not None:
            if self.s - self.on_s >= MAX_HOLD_S and not self.broken:
                self.rests_until_s = self.s + REST_S
            self.on_s = None

    def checked(self, event: DoorEvent) -> DoorEvent:
        assert DoorEvent.decode(event.encode()) == event
        for words in (event.id, event.person, event.source, event.detail):
            assert words is None or words.isprintable(), event
        assert (event.event_type is EventType.REJECTED) == (event.reason is not None), event
        return event

    # Who judges it

    def admits(self, cause: Cause) -> bool:
        """20 at once and 5 a second in the long run."""
        tokens, at_s = self.tokens[cause]
        tokens = min(20.0, tokens + 5 * (self.s - at_s))
        self.tokens[cause] = (tokens - (tokens >= 1), self.s)
        return tokens >= 1

    def verdict(self, cause: Cause, content: bytes, retain: bool) -> str:
        """`open`, `lock` or `refuse`, whatever the state of the lock."""
        read = contract.command(content) if cause is Cause.COMMAND else contract.grant(content)
        if read is None or retain:
            return "refuse"
        lock = read.get("action") == "LOCK"
        if not lock and not (self.fresh(read) if cause is Cause.COMMAND else self.fresh_grant(read)):
            return "refuse"
        if self.peek(cause) and self.came_before(cause, read):
            return "refuse"
        return "lock" if lock else "open"

    def peek(self, cause: Cause) -> bool:
        """Whether the next order is admitted: ids of the others are not looked at."""
        tokens, at_s = self.tokens[cause]
        return tokens + 5 * (self.s - at_s) >= 1

    def came_before(self, cause: Cause, read: dict[str, Any]) -> bool:
        id_ = read["id"] if cause is Cause.COMMAND else f"{read['id']} for {read['person']}"
        if id_ is None:
            return False
        before = id_ in self.ids
        if not before:
            self.ids.append(id_)
        return before

    def fresh(self, read: dict[str, Any]) -> bool:
        session, ts = read["session"], read["ts"]
        if session is not None and not self.is_good(session):
            return False
        if ts is None:
            return session is not None or self.connected
        if self.utc_is_set:
            return bool(self.now.utc - MAX_AGE_S <= ts <= self.now.utc + 2)
        return session is not None

    def fresh_grant(self, read: dict[str, Any]) -> bool:
        if not self.is_good(read["session"]):
            return False
        return not self.utc_is_set or bool(self.now.utc <= read["expires_at"] <= self.now.utc + 10)

    def is_good(self, word: str) -> bool:
        return self.s - self.words.get(word, NEVER) <= 8


def _settings(finishes: bool, locks_when_opened: bool) -> DoorSettings:
    return DoorSettings(
        relay=RelaySettings(pin=17, pin_factory="mock"),
        hold_s=HOLD_S,
        max_hold_s=MAX_HOLD_S,
        rest_s=REST_S,
        max_age_s=MAX_AGE_S,
        on_broker_lost="finish" if finishes else "cut",
        exit_button=ExitButtonSettings(pin=27, debounce_s=DEBOUNCE_S),
        contact=ContactSettings(
            pin=22, debounce_s=DEBOUNCE_S, locks_when_opened=locks_when_opened, held_open_after_s=HELD_OPEN_S
        ),
    )


def _drives(effects: Sequence[Effect], on: bool) -> bool:
    return any(isinstance(effect, Drive) and effect.on is on for effect in effects)


class Story:
    """Bytes as a story: what happens to one door, one thing after another."""

    def __init__(self, data: bytes) -> None:
        self.reader = Reader(data)
        self.house = House(self.reader.flag(), self.reader.flag(), self.reader.flag())
        self.said: list[bytes] = []
        self.house.connect()

    def run(self) -> set[str]:
        for _ in range(MAX_STEPS):
            if not self.reader.more:
                break
            self.reader.pick(STEPS)(self)
        self.house.wait(MAX_HOLD_S + 1)
        self.house.wait(0.0)
        return self.house.seen

    def command(self) -> None:
        retain, content = self.reader.number() % 8 == 1, payload(self.reader, self._command, self._word, self._again)
        self.said.append(content)
        self.house.order(Cause.COMMAND, content, retain)

    def grant(self) -> None:
        retain, content = self.reader.number() % 8 == 1, payload(self.reader, self._grant, self._grant, self._again)
        self.said.append(content)
        self.house.order(Cause.GRANT, content, retain)

    def many(self) -> None:
        content = payload(self.reader, self._command, self._word)
        for _ in range(21):
            self.house.order(Cause.COMMAND, content, False)

    def wait(self) -> None:
        self.house.wait(self.reader.pick(STEPS_S))

    def clock(self) -> None:
        self.house.jump_s, self.house.utc_is_set = self.reader.pick(JUMPS_S), not self.reader.flag()

    def broker(self) -> None:
        {
            0: self.house.disconnect,
            1: self.house.connect,
            2: lambda: setattr(self.house, "acknowledges", False),
            3: lambda: setattr(self.house, "acknowledges", True),
        }[self.reader.number() % 4]()

    def hardware(self) -> None:
        """An edge that the agent hears of, one that it misses, or a relay that breaks or is mended."""
        kind, on = self.reader.number() % 5, self.reader.flag()
        if kind == 0:
            self.house.press(on)
        elif kind == 1:
            self.house.move_leaf(on)
        elif kind == 2:
            self.house.break_relay(on)
        elif kind == 3 and on is not self.house.pressed:
            self.house.pressed, self.house.moved_s = on, self.house.s
        elif kind == 4:
            self.house.closed = on

    def _word(self, reader: Reader) -> bytes:
        return reader.pick((b"UNLOCK", b"OPEN", b"LOCK", b" UNLOCK\r\n", b"unlock", b"UNLOCK\x00", b"UNLOCKED", b""))

    def _again(self, reader: Reader) -> bytes:
        return reader.pick(self.said) if self.said else b"UNLOCK"

    def _command(self, reader: Reader) -> bytes:
        pairs = [("action", text(reader.pick(("UNLOCK", "OPEN", "LOCK", "OPEN "))))]
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


def _source(reader: Reader) -> bytes:
    return text(reader.pick(("Ana, shell", "a\nb", "\x1b[31m", "x" * 200, "x" * 201, "\u202e", "")))


STEPS = (
    *(Story.command, Story.command, Story.grant, Story.wait, Story.clock, Story.broker, Story.hardware, Story.many),
    *(Story.command, Story.command, Story.grant, Story.wait, Story.grant, Story.wait, Story.hardware, Story.wait),
)


def run(data: bytes) -> set[str]:
    return Story(data).run()


# Seeds

COMMAND, GRANT, WAIT, CLOCK, BROKER, HARDWARE, MANY = (bytes([n]) for n in (0, 2, 3, 4, 5, 6, 7))
START, LIVE, RETAINED = b"\x00\x00\x00", b"\x00", b"\x01"


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
ONCE = told(COMMAND, obj(GOOD_COMMAND))
GRANTED = told(GRANT, obj(GOOD_GRANT))


def _padded(size: int) -> bytes:
    """A good command of so many bytes."""
    return obj(GOOD_COMMAND).ljust(size)


STORIES = (
    *(UNLOCK, ONCE, GRANTED, LOCK, UNLOCK + LOCK, UNLOCK + UNLOCK, told(COMMAND, b"UNLOCK", RETAINED)),
    *(told(COMMAND, obj(GOOD_COMMAND), RETAINED), told(GRANT, obj(GOOD_GRANT), RETAINED), told(COMMAND, b"")),
    *(ONCE + LOCK + ONCE, GRANTED + LOCK + GRANTED, (GRANTED + LOCK) * 2, GRANTED + waited(4.0) + GRANTED),
    *(told(COMMAND, _padded(1024)), told(COMMAND, _padded(1025)), told(COMMAND, b" " * 1018 + b"UNLOCK")),
    *(told(COMMAND, b" " * 1019 + b"UNLOCK"), told(GRANT, obj(GOOD_GRANT).ljust(16_384))),
    *(told(GRANT, obj(GOOD_GRANT).ljust(16_385)), told(GRANT, b"UNLOCK"), told(COMMAND, obj(GOOD_GRANT))),
    # what waited somewhere
    *(waited(8.0) + ONCE, waited(11.0) + ONCE, waited(8.0) + GRANTED, waited(5.0) + GRANTED, waited(11.0) + GRANTED),
    *(BROKER + b"\x00" + step for step in (UNLOCK, ONCE, GRANTED, LOCK)),
    *(BROKER + b"\x02" + waited(8.0) + step for step in (UNLOCK, ONCE, GRANTED)),
    *(CLOCK + clock + step for clock in (b"\x00\x01", b"\x03\x00", b"\x06\x01") for step in (UNLOCK, ONCE, GRANTED)),
    # the longest pulse, and the rest after it
    (UNLOCK + waited(2.5)) * 4 + UNLOCK + waited(0.25) + UNLOCK,
    (UNLOCK + waited(2.5)) * 3 + UNLOCK + waited(3.0) + GRANTED,
    # floods
    *(MANY + RAW + blob(b"UNLOCK") + LOCK, MANY + RAW + blob(b"junk") + UNLOCK + waited(1.0) + UNLOCK),
    UNLOCK + MANY + RAW + blob(b"junk") + LOCK,
    # the hardware: a press, a spike, a push on the leaf, a relay that breaks
    *(HARDWARE + b"\x00\x01" + waited(1.0), HARDWARE + b"\x03\x01" + waited(1.0)),
    HARDWARE + b"\x00\x01" + waited(1 / 64) + HARDWARE + b"\x00\x00" + waited(1.0),
    *(HARDWARE + b"\x01\x00" + waited(11.0), UNLOCK + HARDWARE + b"\x01\x00" + waited(1.0)),
    HARDWARE + b"\x02\x01" + UNLOCK + UNLOCK + LOCK + HARDWARE + b"\x02\x00" + UNLOCK,
)
SEEDS = [START + story for story in STORIES]
SEEDS += [START + told(COMMAND, content) + UNLOCK for content in _with_fragments(GOOD_COMMAND)]
SEEDS += [START + told(GRANT, content) + UNLOCK for content in _with_fragments(GOOD_GRANT)]
SEEDS += [START + told(kind, fragment) + UNLOCK for kind in (COMMAND, GRANT) for fragment in FRAGMENTS]

TARGET = Target(run, SEEDS)
