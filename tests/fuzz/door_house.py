"""A door, what its agent and its house do around it, and an account of what topics.md lets it do."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

from agents.door.config import ContactSettings, DoorSettings, ExitButtonSettings, RelaySettings
from agents.door.core import Door
from agents.door.effects import Drive, Effect
from agents.runtime.clock import Now
from agents.wire.messages import Action, BadMessage, Cause, Command, DoorEvent, EventType, LockState
from tests.fakes import after
from tests.fuzz import contract

# all times are exact in binary, so that no rounding stands between the door and who judges it
HOLD_S, MAX_HOLD_S, REST_S, MAX_AGE_S, DEBOUNCE_S = 3.0, 10.0, 5.0, 10.0, 0.0625
HELD_OPEN_S, TURN_S, TEST_S = 8.0, 2.0, 0.25
ROUNDED_S = 1e-6  # hold times come from anybody
NEVER = float("-inf")


class House:
    """Raises AssertionError when the door does what it may not, or does not do what it should."""

    def __init__(
        self, finishes: bool = True, locks_when_opened: bool = False, pressed: bool = False, tests: bool = False
    ) -> None:
        self.door = Door(_settings(finishes, locks_when_opened, tests))
        self.tests, self.hold_s, self.ends_s = tests, HOLD_S, NEVER
        self.hold_tokens = (20.0, 0.0)
        self.s, self.jump_s, self.utc_is_set = 0.0, 0.0, True
        self.pressed, self.closed = pressed, True
        self.heard, self.heard_s = pressed, NEVER  # what the door may know of the button, and since when
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
        admitted = self.admits(cause)
        wanted = self.verdict(cause, content, retain, admitted)
        on, rests = self.on_s is not None, self.s < self.rests_until_s
        may_open = admitted and wanted == "open" and self.door.state is not LockState.JAMMED and (on or not rests)
        effects = (self.door.command if cause is Cause.COMMAND else self.door.grant)(content, retain, self.now)
        assert may_open or not _drives(effects, True), (content, effects)
        assert on or may_open == _drives(effects, True), (content, effects)
        assert _drives(effects, False) == (wanted == "lock" and (admitted or on)), (content, effects)
        assert Command.locks(content) is ((contract.command(content) or {}).get("action") == "LOCK")
        answers = self.carry_out(effects)
        assert len(answers) == 1 if admitted else len(answers) <= 1, (content, effects)
        self.tell(answers)
        if not admitted:
            self.seen.add(f"{cause} in a flood")

    def set_hold(self, content: bytes, retain: bool) -> None:
        """An order of another kind: it moves nothing, and what runs keeps its deadline."""
        due_s, self.hold_tokens, admitted = self.door.due_s(self.now), *self.spent(self.hold_tokens)
        wanted: float = 0.0 if retain else (contract.hold(content) or {"hold_s": 0.0})["hold_s"]
        good = admitted and 0.5 <= wanted <= MAX_HOLD_S
        try:
            obeyed = self.door.hold.obey(content, retain, self.now)
        except BadMessage as error:
            refusal: str | None = str(error)
        else:
            refusal = None
            assert (obeyed is not None) == good, (content, obeyed)
        assert (refusal is not None) == (admitted and not good), (content, refusal)
        assert (refusal or "-").isprintable()
        self.hold_s = wanted if good else self.hold_s
        assert self.door.hold.s == self.hold_s
        assert self.door.due_s(self.now) == due_s
        self.seen.add("hold_s set" if good else "hold_s refused" if admitted else "hold_s in a flood")

    def wait(self, s: float) -> None:
        """As an agent waits: it takes a turn whenever the door says that something is due."""
        until_s = self.s + s
        for _ in range(1000):
            due_s = self.turn(self.now)
            if self.s >= until_s and due_s > 0:
                return
            self.s = min(until_s, self.s + min(TURN_S, due_s))
        raise AssertionError("the door is always due, and never done")

    def turn(self, now: Now) -> float:
        """Returns the seconds until the next turn is due."""
        self.door.sample(self.pressed, self.closed, now)
        if self.pressed is not self.heard:
            self.heard, self.heard_s = self.pressed, self.s
        effects = self.door.tick(now)
        if _drives(effects, True):
            assert self.pressed, "opened by a button that nobody pressed"
            assert self.s - self.heard_s >= DEBOUNCE_S, "opened by a spike"
        self.tell(self.carry_out(effects))
        assert self.on_s is None or self.s - self.on_s < MAX_HOLD_S + ROUNDED_S, "released for longer than max_hold_s"
        if self.connected and self.door.words.silent(now):
            self.disconnect()
        elif self.connected and self.door.words.due_s(now) <= 0:
            self.new_word()
        return max(0.0, self.door.due_s(now))

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
        self.pressed = self.heard = pressed
        self.heard_s = self.s
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
                self.switch(Drive(False))
            elif isinstance(effect, Drive):
                self.switch(effect)
            if event is not None:
                told.append(self.checked(event))
        return told

    def tell(self, events: Sequence[DoorEvent]) -> None:
        self.seen |= {" ".join(filter(None, (event.cause, event.event_type, event.reason))) for event in events}

    def switch(self, drive: Drive) -> None:
        if drive.on:
            kind = EventType.UNLOCKED if self.on_s is None else EventType.EXTENDED
            assert drive.event is not None
            assert drive.event.event_type is kind
            self.ends_s = NEVER if self.on_s is None else self.ends_s
            self.on_s = self.s if self.on_s is None else self.on_s
            pulse_s = TEST_S if drive.event.action is Action.TEST else self.hold_s
            self.ends_s = max(self.ends_s, min(self.s + pulse_s, self.on_s + MAX_HOLD_S))
            assert drive.at_most_s > 0
            assert abs(drive.at_most_s - (self.ends_s - self.s)) < ROUNDED_S
            self.seen |= {"a test pulse"} if drive.event.action is Action.TEST else set()
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
        self.tokens[cause], admitted = self.spent(self.tokens[cause])
        return admitted

    def spent(self, bucket: tuple[float, float]) -> tuple[tuple[float, float], bool]:
        """20 at once and 5 a second in the long run."""
        tokens, at_s = bucket
        tokens = min(20.0, tokens + 5 * (self.s - at_s))
        return (tokens - (tokens >= 1), self.s), tokens >= 1

    def verdict(self, cause: Cause, content: bytes, retain: bool, admitted: bool) -> str:
        """`open`, `lock` or `refuse`, whatever the state of the lock."""
        read = contract.command(content) if cause is Cause.COMMAND else contract.grant(content)
        if read is None or retain:
            return "refuse"
        if read.get("action") == "TEST" and not self.tests:
            return "refuse"
        lock = read.get("action") == "LOCK"
        if not lock and not (self.fresh(read) if cause is Cause.COMMAND else self.fresh_grant(read)):
            return "refuse"
        if admitted and self.came_before(cause, read):
            return "refuse"
        return "lock" if lock else "open"

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
        if not self.connected or (session is not None and not self.is_good(session)):
            return False
        if ts is not None and self.utc_is_set:
            return bool(self.now.utc - MAX_AGE_S <= ts <= self.now.utc + 2)
        return ts is None or session is not None

    def fresh_grant(self, read: dict[str, Any]) -> bool:
        if not self.is_good(read["session"]):
            return False
        return not self.utc_is_set or bool(self.now.utc <= read["expires_at"] <= self.now.utc + 10)

    def is_good(self, word: str) -> bool:
        return self.s - self.words.get(word, NEVER) <= 8


def _settings(finishes: bool, locks_when_opened: bool, tests: bool) -> DoorSettings:
    return DoorSettings(
        relay=RelaySettings(pin=17, pin_factory="mock"),
        hold_s=HOLD_S,
        max_hold_s=MAX_HOLD_S,
        rest_s=REST_S,
        max_age_s=MAX_AGE_S,
        test_pulse_s=TEST_S if tests else None,
        on_broker_lost="finish" if finishes else "cut",
        exit_button=ExitButtonSettings(pin=27, debounce_s=DEBOUNCE_S),
        contact=ContactSettings(
            pin=22, debounce_s=DEBOUNCE_S, locks_when_opened=locks_when_opened, held_open_after_s=HELD_OPEN_S
        ),
    )


def _drives(effects: Sequence[Effect], on: bool) -> bool:
    return any(isinstance(effect, Drive) and effect.on is on for effect in effects)
