"""Everything at once: a door between everybody who wants it open or shut, and what must hold all the while."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from agents.door.core import REMEMBERED_IDS, Door
from agents.door.effects import Drive, Effect
from agents.door.words import ANSWER_S, GOOD_S, RENEW_S
from agents.runtime.clock import Now
from agents.runtime.flood import BURST, PER_S
from agents.wire.messages import Action, BadMessage, Cause, DoorEvent, EventType, LockState, Refusal
from tests.door.orders import (
    BUTTON,
    CONTACT,
    HOLD_S,
    MAX_AGE_S,
    MAX_HOLD_S,
    SETTLE_S,
    command,
    door_settings,
    events,
    grant,
    the_event,
)
from tests.door.test_core_orders import COMMANDS, GRANTS
from tests.fakes import after

HELD_OPEN_AFTER_S = 4.0
IDLE_S = 1.0  # the agent looks at least so often
BY_THE_CLOCK = (Refusal.STALE, Refusal.EXPIRED)
NEVER_GOOD = [
    (channel, payload, retain)
    for channel, table in (("command", COMMANDS), ("grant", GRANTS))
    for payload, retain, why in table.values()
    if why not in (*BY_THE_CLOCK, Refusal.NOT_ENABLED)
]
ANSWERS = (EventType.UNLOCKED, EventType.EXTENDED, EventType.LOCKED, EventType.REJECTED)
LEAF = (EventType.OPENED, EventType.FORCED, EventType.CLOSED)
sixteenths = {"min_value": 0, "max_value": 240}


@dataclass
class Bucket:
    """How many orders are looked at, said once more."""

    tokens: float = BURST
    at: float = 0.0

    def admits(self, at: float) -> bool:
        self.tokens, self.at = min(BURST, self.tokens + (at - self.at) * PER_S), at
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


@dataclass
class Level:
    """An input's wire. It settles on what it has been for `SETTLE_S`."""

    active: bool
    since: float
    settled: bool

    def move(self, active: bool, at: float) -> None:
        self.look(at)
        self.active, self.since = active, at

    def look(self, at: float) -> bool | None:
        """What it has just settled on."""
        if self.active is self.settled or at - self.since < SETTLE_S:
            return None
        self.settled = self.active
        return self.settled


class Burglar(RuleBasedStateMachine):
    """Orders good, bad and heard before; fingers on the button and pulls at the leaf; time passes, clocks
    jump, the broker falls silent or goes, the relay fails.

    The relay here is what the effects make of it. The agent here does what the real one promises: it
    ticks when something is due and looks at the inputs before, renews the word, and gives up a silent broker.
    """

    @initialize(
        max_hold_s=st.sampled_from([HOLD_S, 5.0, MAX_HOLD_S]),
        rest_s=st.sampled_from([0.0, 2.0, 5.0]),
        on_broker_lost=st.sampled_from(["finish", "cut"]),
        locks_when_opened=st.booleans(),
        test_pulse_s=st.sampled_from([None, 0.25, 5.0]),
    )
    def install(
        self, max_hold_s: float, rest_s: float, on_broker_lost: str, locks_when_opened: bool, test_pulse_s: float | None
    ) -> None:
        contact = CONTACT.model_copy(
            update={"locks_when_opened": locks_when_opened, "held_open_after_s": HELD_OPEN_AFTER_S}
        )
        self.settings = door_settings(
            max_hold_s=max(max_hold_s, test_pulse_s or 0.0), rest_s=rest_s, on_broker_lost=on_broker_lost,
            exit_button=BUTTON, contact=contact, test_pulse_s=test_pulse_s,
        )  # fmt: skip
        self.hold_s = HOLD_S
        self.locks_when_opened = locks_when_opened
        self.door = Door(self.settings)
        self.mono = self.jump_s = 0.0
        self.clock_is_set = True
        self.button, self.leaf = Level(False, 0.0, False), Level(True, 0.0, True)
        self.door.begin(False, True, self.now)
        self.open_since: float | None = None  # until it was told that the leaf is held open
        self.on_since: float | None = None
        self.ends_at = self.rests_until = 0.0
        self.buckets = {"command": Bucket(), "grant": Bucket(), "hold": Bucket()}
        self.words: list[tuple[str, float]] = []  # of this connection, with when they were made
        self.old_words: list[str] = ["word-of-yesterday"]
        self.unanswered_since: float | None = None
        self.broker_answers = True
        self.made = 0
        self.obeyed: list[tuple[str, bytes, str]] = []
        self.connect()

    @property
    def now(self) -> Now:
        return replace(after(self.mono, self.jump_s), utc_is_set=self.clock_is_set)

    # What must hold

    @invariant()
    def never_on_for_longer_than_max_hold_s(self) -> None:
        if self.on_since is not None:
            assert self.mono - self.on_since <= self.settings.max_hold_s

    @invariant()
    def a_relay_that_is_on_has_a_deadline_and_is_not_slept_through(self) -> None:
        if self.on_since is not None:
            assert self.ends_at <= self.on_since + self.settings.max_hold_s
            assert self.door.due_s(self.now) <= self.ends_at - self.mono

    @invariant()
    def the_state_is_that_of_the_relay(self) -> None:
        assert (self.door.state is LockState.UNLOCKED) == (self.on_since is not None)

    @invariant()
    def what_is_remembered_is_bounded(self) -> None:
        assert len(self.door._ids) <= REMEMBERED_IDS
        assert len(self.door.words._words) <= GOOD_S / RENEW_S + 1
        assert len(self.door.words._unanswered) <= 2

    # Time

    @rule(seconds=st.integers(**sixteenths).map(lambda n: n / 16))
    def time_passes(self, seconds: float) -> None:
        until = self.mono + seconds
        while (wakes_at := self.mono + min(IDLE_S, self.door.due_s(self.now))) <= until:
            self.mono = wakes_at
            self.never_on_for_longer_than_max_hold_s()
            self.take_a_turn()
        self.mono = until

    @rule()
    def take_a_turn(self) -> None:
        self.door.sample(self.button.active, self.leaf.active, self.now)
        pressed, closed = self.button.look(self.mono) is True, self.leaf.look(self.mono)
        was_on = self.on_since is not None
        due = was_on and self.mono >= self.ends_at
        told = self.carry_out(self.door.tick(self.now), opens_for=Cause.BUTTON if pressed else None)
        causes = [event.cause for event in told]
        assert (Cause.TIMEOUT in causes) == due
        assert causes.count(Cause.BUTTON) == pressed
        if pressed and self.door.problem is None and not was_on:
            assert EventType.UNLOCKED in [event.event_type for event in told], "somebody is kept inside"
        self.check_leaf(closed, told, released=was_on and not due)
        self.keep_in_touch()
        assert self.door.due_s(self.now) > 0

    def check_leaf(self, closed: bool | None, told: list[DoorEvent], released: bool) -> None:
        kinds = [event.event_type for event in told]
        held = closed is None and self.open_since is not None and self.mono - self.open_since >= HELD_OPEN_AFTER_S
        assert (EventType.HELD_OPEN in kinds) == held
        assert len([kind for kind in kinds if kind in LEAF]) == (closed is not None)
        if held or closed is not None:
            self.open_since = self.mono if closed is False else None
        if closed is False and (released or EventType.UNLOCKED in kinds):
            assert EventType.OPENED in kinds
            assert (self.on_since is None) == self.locks_when_opened

    @rule(seconds=st.integers(-(10**9), 10**6))
    def the_wall_clock_jumps(self, seconds: int) -> None:
        self.jump_s += seconds if self.now.utc + seconds >= 0 else -seconds

    @rule(is_set=st.booleans())
    def the_clock_is_lost_or_set(self, is_set: bool) -> None:
        self.clock_is_set = is_set

    # Orders

    @rule(wanted=st.integers(-8, 200).map(lambda n: n / 16), retain=st.booleans(), orders=st.integers(1, 2 * BURST))
    def somebody_sets_the_hold_time(self, wanted: float, retain: bool, orders: int) -> None:
        """Also in a flood, and out of bounds. Whatever runs keeps its deadline."""
        for _ in range(orders):
            admitted = self.buckets["hold"].admits(self.mono)
            good = not retain and 0.5 <= wanted <= self.settings.max_hold_s
            due_s = self.door.due_s(self.now)
            try:
                obeyed = self.door.hold.obey(str(wanted).encode(), retain, self.now)
            except BadMessage:
                assert admitted
                assert not good
            else:
                assert admitted == good if obeyed else not admitted
                self.hold_s = wanted if obeyed else self.hold_s
            assert self.door.hold.s == self.hold_s
            assert self.door.due_s(self.now) == due_s

    @rule(from_json=st.booleans())
    def somebody_tests_the_relay(self, from_json: bool) -> None:
        id_ = self.new_id() if from_json else None
        enabled = self.settings.test_pulse_s is not None
        payload = command("TEST", id=id_) if from_json else b"TEST"
        self.order("command", payload, id_, good=self.trusts and enabled)

    @rule(word=st.sampled_from([b"UNLOCK", b"OPEN"]))
    def somebody_unlocks(self, word: bytes) -> None:
        self.order("command", word, None, good=self.trusts)

    @rule(word=st.sampled_from([b"UNLOCK", b"OPEN"]), press=st.booleans())
    def somebody_unlocks_until_the_door_rests(self, word: bytes, press: bool) -> None:
        for _ in range(10):
            self.somebody_unlocks(word)
            if self.on_since is None:
                break
            self.time_passes(2.0)
        if press:
            self.the_button_moves()
            self.time_passes(2 * SETTLE_S)

    @rule(
        keys=st.fixed_dictionaries({}, optional={"ts": st.sampled_from([0, 9e10]), "session": st.just("nonsense")}),
        dup=st.integers(1, 2),
    )
    def somebody_locks_without_any_proof(self, keys: dict[str, Any], dup: int) -> None:
        id_ = self.new_id()
        self.lock(command("LOCK", id=id_, **keys), id_)
        assert self.on_since is None
        for _ in range(dup - 1):
            self.order("command", command("LOCK", id=id_), id_, good=False)

    @rule(age_s=st.none() | st.integers(-8, 24).map(lambda n: n / 2), how_old=st.none() | st.integers(0, 4))
    def a_command_of_some_age_with_some_word(self, age_s: float | None, how_old: int | None) -> None:
        id_ = self.new_id()
        keys: dict[str, Any] = {} if age_s is None else {"ts": max(0.0, self.now.utc - age_s)}
        if how_old is not None:
            keys["session"] = self.some_word(how_old)
        fresh = age_s is None or -2 <= self.now.utc - keys["ts"] <= MAX_AGE_S
        self.order("command", command(id=id_, **keys), id_, good=self.judge(age_s is not None, fresh, keys))

    def judge(self, has_ts: bool, fresh: bool, keys: dict[str, Any]) -> bool:
        """Whether such a command is good."""
        if "session" in keys and not self.is_good(keys["session"]):
            return False
        if has_ts and not self.clock_is_set and "session" not in keys:
            return False
        if has_ts and self.clock_is_set and not fresh:
            return False
        return self.trusts

    @rule(valid_s=st.integers(-4, 24).map(lambda n: n / 2), how_old=st.integers(0, 4))
    def a_grant_valid_for_some_time_with_some_word(self, valid_s: float, how_old: int) -> None:
        id_, word = self.new_id(), self.some_word(how_old)
        payload = grant(id_, session=word, expires_at=max(0.0, self.now.utc + valid_s))
        good = self.is_good(word) and (not self.clock_is_set or 0 <= valid_s <= 10)
        self.order("grant", payload, id_, good=good)

    @precondition(lambda self: self.obeyed)
    @rule(data=st.data())
    def an_order_obeyed_before_is_played_again(self, data: st.DataObject) -> None:
        self.order(*data.draw(st.sampled_from(self.obeyed)), good=False)

    @rule(bad=st.sampled_from(NEVER_GOOD))
    def a_bad_order(self, bad: tuple[str, bytes, bool]) -> None:
        channel, payload, retain = bad
        effects = self.take(channel, payload, retain)
        if effects:
            assert the_event(effects).event_type is EventType.REJECTED
        self.carry_out(effects)

    @rule(word=st.sampled_from([b"UNLOCK", b"NOISE"]), orders=st.integers(1, 3 * BURST), lock=st.booleans())
    def a_flood(self, word: bytes, orders: int, lock: bool) -> None:
        for _ in range(orders):
            self.order("command", word, None, good=self.trusts if word == b"UNLOCK" else False)
        if lock:
            self.somebody_locks_without_any_proof({}, dup=1)

    # The broker

    @precondition(lambda self: not self.words)
    @rule()
    def connect(self) -> None:
        self.add_word()

    @precondition(lambda self: self.words)
    @rule()
    def the_connection_is_lost(self) -> None:
        was_on = self.on_since is not None
        told = self.carry_out(self.door.lose_broker(self.now))
        cut = was_on and self.settings.on_broker_lost == "cut" and not self.for_exit
        assert [event.cause for event in told] == [Cause.BROKER_LOST] * cut
        assert cut == (was_on and self.on_since is None)
        self.old_words += [text for text, _ in self.words]
        self.words, self.unanswered_since, self.broker_answers = [], None, True

    @rule()
    def the_broker_falls_silent(self) -> None:
        self.broker_answers = False

    # The hardware

    @rule()
    def the_button_moves(self) -> None:
        self.button.move(not self.button.active, self.mono)
        self.door.press(self.button.active, self.now)

    @rule()
    def a_spike_on_the_buttons_wire(self) -> None:
        for _ in range(2):
            self.the_button_moves()

    @rule()
    def the_leaf_moves(self) -> None:
        self.leaf.move(not self.leaf.active, self.mono)
        self.door.close(self.leaf.active, self.now)

    @rule()
    def the_relay_fails(self) -> None:
        assert self.door.jam("stuck", None, self.now).event_type is EventType.JAMMED
        self.on_since = None

    @precondition(lambda self: self.door.problem is not None)
    @rule()
    def the_relay_works_again(self) -> None:
        self.carry_out(self.door.freed(self.now))

    # How it is checked

    def order(self, channel: str, payload: bytes, id_: str | None, good: bool) -> None:
        """An order to open."""
        jammed, on = self.door.state is LockState.JAMMED, self.on_since is not None
        ends_at = self.ends_at
        effects = self.take(channel, payload)
        if not effects:
            return
        event = the_event(effects)
        assert event.event_type in ANSWERS
        assert event.id == id_
        if event.event_type is EventType.REJECTED:
            assert self.may_refuse(event, good, jammed, on)
        else:
            assert good
            assert not jammed
            assert event.event_type is (EventType.EXTENDED if on else EventType.UNLOCKED)
            if id_ is not None:
                self.obeyed.append((channel, payload, id_))
        self.carry_out(effects, opens_for=event.cause)
        assert not on or self.ends_at >= ends_at, "a pulse was made shorter"

    def may_refuse(self, event: DoorEvent, good: bool, jammed: bool, on: bool) -> bool:
        """A good order is refused only for what the door is."""
        last = self.ends_at == (self.on_since or 0.0) + self.settings.max_hold_s
        return {
            Refusal.JAMMED: jammed,
            Refusal.MAX_HOLD: on and last,
            Refusal.LOCKED_OUT: not on and self.mono < self.rests_until,
        }.get(event.reason or Refusal.MALFORMED, not good)

    def lock(self, payload: bytes, id_: str) -> None:
        jammed = self.door.state is LockState.JAMMED
        effects = self.take("command", payload)
        if effects and the_event(effects).id is not None:  # looked at: not only obeyed in a flood
            assert the_event(effects).id == id_
            assert the_event(effects).event_type is (EventType.REJECTED if jammed else EventType.LOCKED)
        self.carry_out(effects)

    def take(self, channel: str, payload: bytes, retain: bool = False) -> Sequence[Effect]:
        """Whatever is admitted gets one answer; what is not can but lock."""
        admitted = self.buckets[channel].admits(self.mono)
        decide = self.door.command if channel == "command" else self.door.grant
        effects = decide(payload, retain, self.now)
        told = [event.event_type for event in events(effects)]
        assert len(told) == 1 if admitted else told in ([], [EventType.LOCKED])
        return effects

    def carry_out(self, effects: Sequence[Effect], opens_for: Cause | None = None) -> list[DoorEvent]:
        for effect in effects:
            if isinstance(effect, Drive) and effect.on:
                self.switch_on(effect, opens_for)
            elif isinstance(effect, Drive):
                self.switch_off()
        return events(effects)

    def switch_on(self, effect: Drive, opens_for: Cause | None) -> None:
        assert effect.event is not None
        assert effect.event.cause is opens_for, "the relay was driven on without an order that counts"
        assert self.door.problem is None
        if self.on_since is None:
            assert effect.event.event_type is EventType.UNLOCKED
            assert self.mono >= self.rests_until or opens_for is Cause.BUTTON
            self.on_since = self.mono
            self.for_exit = False
        else:
            assert effect.event.event_type is EventType.EXTENDED
            assert self.ends_at < self.on_since + self.settings.max_hold_s
        self.for_exit |= opens_for is Cause.BUTTON
        ends_at = min(self.mono + self.pulse_s(effect.event), self.on_since + self.settings.max_hold_s)
        self.ends_at = max(self.ends_at, ends_at) if effect.event.event_type is EventType.EXTENDED else ends_at
        assert effect.at_most_s == self.ends_at - self.mono > 0

    def pulse_s(self, event: DoorEvent) -> float:
        if event.action is not Action.TEST:
            return self.hold_s
        assert self.settings.test_pulse_s is not None
        return self.settings.test_pulse_s

    def switch_off(self) -> None:
        if self.on_since is not None and self.mono - self.on_since >= self.settings.max_hold_s:
            self.rests_until = self.mono + self.settings.rest_s
        self.on_since = None

    # What the agent does beside

    def keep_in_touch(self) -> None:
        if self.door.words.silent(self.now):
            assert self.unanswered_since is not None
            assert self.mono - self.unanswered_since > ANSWER_S
            self.the_connection_is_lost()
        elif self.door.words.due_s(self.now) <= 0:
            self.add_word()
        elif self.unanswered_since is not None:
            assert self.mono - self.unanswered_since <= ANSWER_S

    def add_word(self) -> None:
        text = self.new_id()
        self.words.append((text, self.mono))
        self.door.words.add(text, self.made, self.now)
        if self.broker_answers:
            self.door.words.acknowledged(self.made)
        elif self.unanswered_since is None:
            self.unanswered_since = self.mono

    @property
    def trusts(self) -> bool:
        """Whether a command may come without a proof of its age."""
        silent = self.unanswered_since is not None and self.mono - self.unanswered_since > ANSWER_S
        return bool(self.words) and not silent

    def is_good(self, word: str) -> bool:
        return any(text == word and self.mono - made_at <= GOOD_S for text, made_at in self.words)

    def some_word(self, how_old: int) -> str:
        """0 is the newest; beyond those of this connection come those of earlier ones."""
        ours = [text for text, _ in reversed(self.words)]
        return [*ours, *reversed(self.old_words)][: how_old + 1][-1]

    def new_id(self) -> str:
        self.made += 1
        return f"id{self.made}"


TestBurglar = Burglar.TestCase
TestBurglar.settings = settings(deadline=None, max_examples=50, stateful_step_count=40)
