"""What a door does with what it is told, tried by somebody who wants it open."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from agents.door.config import DoorSettings, RelaySettings
from agents.door.core import REMEMBERED_IDS, Door, Drive, Effect, Tell
from agents.runtime.clock import Now
from agents.wire.messages import Cause, DoorEvent, EventType, LockState, Refusal
from tests.fakes import T0, after

HOLD_S, MAX_HOLD_S, MAX_AGE_S = 3.0, 10.0, 10.0
SESSION = "session-now"
RELAY = RelaySettings(pin=17, pin_factory="mock")


def new_door(max_age_s: float = MAX_AGE_S) -> Door:
    door = Door(DoorSettings(relay=RELAY, hold_s=HOLD_S, max_hold_s=MAX_HOLD_S, max_age_s=max_age_s))
    door.session = SESSION
    return door


def command(action: str = "UNLOCK", **keys: object) -> bytes:
    return json.dumps({"action": action, **keys}).encode()


def grant(id_: str = "g1", **keys: object) -> bytes:
    whole = {"id": id_, "session": SESSION, "person": "Ana", "expires_at": T0 + 5, **keys}
    return json.dumps(whole).encode()


def events(effects: Sequence[Effect]) -> list[DoorEvent]:
    return [effect.event for effect in effects if isinstance(effect, Tell)]


def drives(effects: Sequence[Effect]) -> list[bool]:
    return [effect.on for effect in effects if isinstance(effect, Drive)]


def the_event(effects: Sequence[Effect]) -> DoorEvent:
    """The one event that every order must get."""
    (event,) = events(effects)
    return event


def unlock(door: Door, now: Now) -> DoorEvent:
    return the_event(door.command(b"UNLOCK", False, now))


# The pulse


@pytest.mark.parametrize("word", [b"UNLOCK", b"OPEN", b" UNLOCK\r\n", command("UNLOCK"), command("OPEN")])
def test_an_unlock_drives_the_relay_first_and_tells_then(word: bytes) -> None:
    door = new_door()
    effects = door.command(word, False, after(0))
    assert [type(effect) for effect in effects] == [Drive, Tell]
    assert drives(effects) == [True]
    assert the_event(effects).event_type is EventType.UNLOCKED
    assert door.state is LockState.UNLOCKED


def test_the_pulse_ends_at_hold_s_not_before_and_only_once() -> None:
    door = new_door()
    unlock(door, after(0))
    assert door.tick(after(HOLD_S - 0.001)) == []
    assert door.due_s(after(1)) == HOLD_S - 1
    ended = door.tick(after(HOLD_S))
    assert drives(ended) == [False]
    assert (the_event(ended).event_type, the_event(ended).cause) == (EventType.LOCKED, Cause.TIMEOUT)
    assert door.tick(after(HOLD_S + 1)) == []
    assert door.due_s(after(HOLD_S + 1)) == float("inf")


def test_a_second_unlock_extends_the_pulse_without_switching_again() -> None:
    door = new_door()
    unlock(door, after(0))
    effects = door.command(b"UNLOCK", False, after(2))
    assert drives(effects) == []
    assert the_event(effects).event_type is EventType.EXTENDED
    assert door.tick(after(4.9)) == []
    assert drives(door.tick(after(5))) == [False]


def test_no_number_of_unlocks_extends_a_pulse_beyond_max_hold_s() -> None:
    door = new_door()
    told = [unlock(door, after(s)) for s in (0, 2, 4, 6, 8, 9)]
    assert [event.event_type for event in told] == ["unlocked", *["extended"] * 4, "rejected"]
    assert told[-1].reason is Refusal.MAX_HOLD
    assert door.tick(after(MAX_HOLD_S - 0.001)) == []
    assert drives(door.tick(after(MAX_HOLD_S))) == [False]


def test_two_orders_of_the_same_instant_are_no_case_of_max_hold() -> None:
    door = new_door()
    assert [unlock(door, after(0)).event_type for _ in range(2)] == ["unlocked", "extended"]
    assert door.due_s(after(0)) == HOLD_S


def test_a_tick_that_comes_late_still_ends_the_pulse_whatever_arrived_before_it() -> None:
    door = new_door()
    unlock(door, after(0))
    assert unlock(door, after(MAX_HOLD_S + 5)).event_type is EventType.EXTENDED
    assert unlock(door, after(MAX_HOLD_S + 5)).reason is Refusal.MAX_HOLD
    assert drives(door.tick(after(MAX_HOLD_S + 5))) == [False]


@pytest.mark.parametrize("jump_s", [-86_400.0, -1.0, 1.0, 86_400.0 * 365])
def test_a_jump_of_the_wall_clock_neither_lengthens_nor_shortens_a_pulse(jump_s: float) -> None:
    door = new_door()
    unlock(door, after(0))
    assert door.tick(after(HOLD_S - 0.001, jump_s)) == []
    assert drives(door.tick(after(HOLD_S, jump_s))) == [False]


def test_lock_ends_a_pulse_early() -> None:
    door = new_door()
    unlock(door, after(0))
    effects = door.command(command("LOCK", id="l1", source="test"), False, after(1))
    assert drives(effects) == [False]
    event = the_event(effects)
    assert (event.event_type, event.cause, event.id, event.source) == ("locked", "command", "l1", "test")
    assert door.state is LockState.LOCKED
    assert door.tick(after(HOLD_S)) == []


def test_lock_is_answered_even_when_the_door_is_locked() -> None:
    effects = new_door().command(b"LOCK", False, after(0))
    assert drives(effects) == [False]
    assert the_event(effects).event_type is EventType.LOCKED


def test_a_pulse_after_a_lock_has_its_full_length_and_its_own_cap() -> None:
    door = new_door()
    unlock(door, after(0))
    door.command(b"LOCK", False, after(1))
    unlock(door, after(2))
    assert door.tick(after(4.9)) == []
    assert drives(door.tick(after(5))) == [False]


# Orders that are refused

COMMANDS = {
    "an unknown word": (b"SESAME", False, Refusal.UNKNOWN_ACTION),
    "a word in lower case": (b"unlock", False, Refusal.UNKNOWN_ACTION),
    "two words": (b"UNLOCK UNLOCK", False, Refusal.UNKNOWN_ACTION),
    "nothing": (b"", False, Refusal.UNKNOWN_ACTION),
    "a null byte after the word": (b"UNLOCK\0", False, Refusal.UNKNOWN_ACTION),
    "a byte order mark": (b"\xef\xbb\xbfUNLOCK", False, Refusal.UNKNOWN_ACTION),
    "UTF-16": ("UNLOCK".encode("utf-16"), False, Refusal.UNKNOWN_ACTION),
    "not UTF-8": (b"\xff\xfe\xfd", False, Refusal.UNKNOWN_ACTION),
    "JSON that is not UTF-8": (b'{"action":"UNLOCK","source":"\xff"}', False, Refusal.MALFORMED),
    "an unknown action in JSON": (command("BLAST"), False, Refusal.UNKNOWN_ACTION),
    "JSON cut short": (b'{"action":"UNLOCK"', False, Refusal.MALFORMED),
    "no action": (b"{}", False, Refusal.MALFORMED),
    "an unknown key": (command(door="back"), False, Refusal.MALFORMED),
    "a list": (b'["UNLOCK"]', False, Refusal.UNKNOWN_ACTION),
    "a time that is text": (command(ts=str(T0)), False, Refusal.MALFORMED),
    "a time in milliseconds": (command(ts=T0 * 1000), False, Refusal.MALFORMED),
    "a time that is not a number": (b'{"action":"UNLOCK","ts":NaN}', False, Refusal.MALFORMED),
    "an endless time": (b'{"action":"UNLOCK","ts":1e999}', False, Refusal.MALFORMED),
    "an id with a space": (command(id="a b"), False, Refusal.MALFORMED),
    "a half surrogate": (b'{"action":"UNLOCK","source":"\\ud800"}', False, Refusal.MALFORMED),
    "too large": (b"UNLOCK" + b" " * 2000, False, Refusal.TOO_LARGE),
    "a deep nest": (b'{"action":' * 100, False, Refusal.MALFORMED),
    "retained": (b"UNLOCK", True, Refusal.RETAINED),
    "retained JSON": (command(ts=T0), True, Refusal.RETAINED),
    "stale": (command(ts=T0 - MAX_AGE_S - 0.1), False, Refusal.STALE),
    "from 1970": (command(ts=0), False, Refusal.STALE),
    "from the future": (command(ts=T0 + 2.1), False, Refusal.STALE),
    "far from the future": (command(ts=9e10), False, Refusal.STALE),
}
GRANTS = {
    "a bare word": (b"UNLOCK", False, Refusal.MALFORMED),
    "not UTF-8": (b"\xff", False, Refusal.MALFORMED),
    "too large": (grant() + b" " * 20_000, False, Refusal.TOO_LARGE),
    "without a session": (b'{"id":"g","person":"Ana","expires_at":1800000005}', False, Refusal.MALFORMED),
    "session null": (grant(session=None), False, Refusal.MALFORMED),
    "nobody's": (grant(person="unknown"), False, Refusal.MALFORMED),
    "for a name with a line break": (grant(person="Ana\nBob"), False, Refusal.MALFORMED),
    "retained": (grant(), True, Refusal.RETAINED),
    "of another session": (grant(session="session-before"), False, Refusal.WRONG_SESSION),
    "expired": (grant(expires_at=T0 - 0.001), False, Refusal.EXPIRED),
    "expired long ago": (grant(expires_at=0), False, Refusal.EXPIRED),
    "valid for too long": (grant(expires_at=T0 + 10.1), False, Refusal.EXPIRED),
    "valid for ever": (grant(expires_at=9e10), False, Refusal.EXPIRED),
}


@pytest.mark.parametrize(("payload", "retain", "why"), COMMANDS.values(), ids=COMMANDS)
def test_a_bad_command_is_refused_with_its_reason_and_moves_nothing(payload: bytes, retain: bool, why: Refusal) -> None:
    check_refused_locked_and_unlocked("command", payload, retain, why)


@pytest.mark.parametrize(("payload", "retain", "why"), GRANTS.values(), ids=GRANTS)
def test_a_bad_grant_is_refused_with_its_reason_and_moves_nothing(payload: bytes, retain: bool, why: Refusal) -> None:
    check_refused_locked_and_unlocked("grant", payload, retain, why)


def check_refused_locked_and_unlocked(channel: str, payload: bytes, retain: bool, why: Refusal) -> None:
    """Neither does a locked door open nor does an open one stay open a moment longer."""
    door = new_door()
    for _ in range(2):
        state, due_s = door.state, door.due_s(after(0))
        order = door.command if channel == "command" else door.grant
        effects = order(payload, retain, after(0))
        event = the_event(effects)
        assert (event.event_type, event.reason, event.cause) == (EventType.REJECTED, why, channel)
        assert drives(effects) == []
        assert (door.state, door.due_s(after(0))) == (state, due_s)
        unlock(door, after(-1))


def test_a_command_may_be_as_old_as_max_age_s_and_as_early_as_two_seconds() -> None:
    for i, ts in enumerate((T0 - MAX_AGE_S, T0, T0 + 2.0, int(T0))):
        assert drives(new_door().command(command(ts=ts, id=f"c{i}"), False, after(0))) == [True]


def test_a_good_grant_opens_and_the_event_says_whose_and_which() -> None:
    effects = new_door().grant(grant(), False, after(0))
    assert drives(effects) == [True]
    event = the_event(effects)
    assert (event.cause, event.action, event.id, event.person) == ("grant", "UNLOCK", "g1", "Ana")


def test_a_door_that_believes_no_old_command_still_obeys_a_fresh_grant() -> None:
    """A scheduler's grant is valid for five seconds; a short max_age_s is about commands."""
    door = new_door(max_age_s=1.0)
    assert drives(door.grant(grant(expires_at=T0 + 5), False, after(0))) == [True]


def test_a_door_that_believes_old_commands_still_refuses_a_grant_valid_for_long() -> None:
    door = new_door(max_age_s=3600.0)
    assert the_event(door.grant(grant(expires_at=T0 + 3600), False, after(0))).reason is Refusal.EXPIRED


def test_without_a_connection_no_grant_is_obeyed() -> None:
    door = new_door()
    door.session = None
    assert the_event(door.grant(grant(), False, after(0))).reason is Refusal.WRONG_SESSION
    assert the_event(door.grant(grant(session=""), False, after(0))).reason is Refusal.MALFORMED


def test_a_grant_that_comes_twice_opens_once() -> None:
    door = new_door()
    assert drives(door.grant(grant(), False, after(0))) == [True]
    again = door.grant(grant(), False, after(1))
    assert (drives(again), the_event(again).reason) == ([], Refusal.DUPLICATE)
    door.tick(after(HOLD_S))
    later = door.grant(grant(), False, after(HOLD_S))
    assert (drives(later), the_event(later).reason) == ([], Refusal.DUPLICATE)


def test_a_grant_played_again_after_a_reconnect_is_of_the_wrong_session() -> None:
    door = new_door()
    door.session = "session-new"
    effects = door.grant(grant(), False, after(1))
    assert (drives(effects), the_event(effects).reason) == ([], Refusal.WRONG_SESSION)


def test_two_people_granted_by_one_frame_are_both_obeyed() -> None:
    """Their grants carry the same correlation id, that of the frame."""
    door = new_door()
    told = [the_event(door.grant(grant(person=person), False, after(0))) for person in ("Ana", "Bob")]
    assert [(event.event_type, event.person) for event in told] == [("unlocked", "Ana"), ("extended", "Bob")]


def test_a_command_that_comes_twice_opens_once_also_after_the_door_locked() -> None:
    door = new_door()
    order = command(id="c1", ts=T0)
    assert drives(door.command(order, False, after(0))) == [True]
    door.tick(after(HOLD_S))
    again = door.command(order, False, after(HOLD_S))
    assert (drives(again), the_event(again).reason) == ([], Refusal.DUPLICATE)


def test_a_refused_order_does_not_use_up_the_id_of_a_good_one() -> None:
    door = new_door()
    for bad in (command(id="c1", ts=1.0), command(id="c1", door="back")):
        assert drives(door.command(bad, False, after(0))) == []
    assert drives(door.command(command(id="c1"), False, after(0))) == [True]


def test_remembered_ids_are_bounded_and_the_oldest_goes_first() -> None:
    door = new_door()
    for i in range(REMEMBERED_IDS + 1):
        door.command(command("LOCK", id=f"c{i}"), False, after(0))
    assert len(door._ids) == REMEMBERED_IDS
    newest, oldest = command("LOCK", id=f"c{REMEMBERED_IDS}"), command("LOCK", id="c0")
    assert the_event(door.command(newest, False, after(0))).reason is Refusal.DUPLICATE
    assert the_event(door.command(oldest, False, after(0))).event_type is EventType.LOCKED


# Jammed and stopped


def test_a_jammed_door_says_so_and_opens_for_nobody_until_it_is_freed() -> None:
    door = new_door()
    unlock(door, after(0))
    event = the_event(door.jam("relay is on fire" * 50, after(1)))
    assert (event.event_type, event.cause) == (EventType.JAMMED, Cause.FAULT)
    assert door.state is LockState.JAMMED
    assert door.problem is not None
    for effects in (door.command(b"UNLOCK", False, after(1)), door.grant(grant(), False, after(1))):
        assert (drives(effects), the_event(effects).reason) == ([], Refusal.JAMMED)
    assert door.tick(after(HOLD_S)) == []
    door.freed()
    assert door.problem is None
    assert drives(door.command(b"UNLOCK", False, after(20))) == [True]


def test_a_lock_is_tried_even_on_a_jammed_door() -> None:
    door = new_door()
    door.jam("stuck", after(0))
    assert drives(door.command(b"LOCK", False, after(0))) == [False]
    assert door.state is LockState.JAMMED


@pytest.mark.parametrize("state", ["locked", "unlocked", "jammed"])
def test_stop_drives_off_whatever_the_state(state: str) -> None:
    door = new_door()
    if state != "locked":
        unlock(door, after(0))
    if state == "jammed":
        door.jam("stuck", after(0))
    effects = door.stop(Cause.STOP, after(1))
    assert drives(effects) == [False]
    told = [(event.event_type, event.cause) for event in events(effects)]
    assert told == ([("locked", "stop")] if state == "unlocked" else [])
    assert door.tick(after(HOLD_S)) == []


# Everything at once

ANY_COMMAND = st.binary(max_size=50) | st.text(max_size=50).map(str.encode) | st.builds(
    lambda keys: json.dumps(keys).encode(),
    st.dictionaries(
        st.sampled_from(["action", "ts", "source", "id", "x"]),
        st.sampled_from(["UNLOCK", "OPEN", "LOCK", "BLAST", T0, -1, None, True, [], {}]) | st.text() | st.floats(),
    ),
)  # fmt: skip


@settings(deadline=None, max_examples=80)
@given(payload=ANY_COMMAND, retain=st.booleans())
@example(payload=b'{"action":"UNLOCK","\\u001b[2J":1}', retain=False)
def test_any_bytes_get_exactly_one_answer_that_can_be_sent(payload: bytes, retain: bool) -> None:
    door = new_door()
    for effects in (door.command(payload, retain, after(0)), door.grant(payload, retain, after(0))):
        event = the_event(effects)
        assert DoorEvent.decode(event.encode()) == event
        if retain or event.event_type is EventType.REJECTED:
            assert drives(effects) == []


# Bad at any time, however the clock jumps
NEVER_GOOD = [("command", *bad) for bad in COMMANDS.values()] + [("grant", *bad) for bad in GRANTS.values()]
NEVER_GOOD = [bad for bad in NEVER_GOOD if bad[3] not in (Refusal.STALE, Refusal.EXPIRED)]


class Burglar(RuleBasedStateMachine):
    """Orders good and bad, and those heard before; time passes, the clock jumps, the relay fails.

    The relay here is what the effects make of it, with each tick carried out when it is due.
    """

    @initialize(max_hold_s=st.sampled_from([HOLD_S, 5.0, MAX_HOLD_S]))
    def install(self, max_hold_s: float) -> None:
        self.max_hold_s = max_hold_s
        self.door = Door(DoorSettings(relay=RELAY, hold_s=HOLD_S, max_hold_s=max_hold_s))
        self.mono = self.jump_s = 0.0
        self.on_since: float | None = None
        self.sent = 0
        self.obeyed: list[tuple[str, bytes]] = []

    @property
    def now(self) -> Now:
        return after(self.mono, self.jump_s)

    @invariant()
    def never_on_for_longer_than_max_hold_s(self) -> None:
        if self.on_since is not None:
            assert self.mono - self.on_since <= self.max_hold_s

    @invariant()
    def the_state_is_that_of_the_relay(self) -> None:
        assert (self.door.state is LockState.UNLOCKED) == (self.on_since is not None)

    @rule(seconds=st.integers(0, 240).map(lambda n: n / 16))
    def time_passes(self, seconds: float) -> None:
        until = self.mono + seconds
        while self.mono + self.door.due_s(self.now) <= until:
            self.mono += self.door.due_s(self.now)
            self.never_on_for_longer_than_max_hold_s()
            self.carry_out(self.door.tick(self.now), may_open=False)
        self.mono = until

    @rule(seconds=st.integers(-(10**6), 10**6))
    def the_wall_clock_jumps(self, seconds: int) -> None:
        self.jump_s += seconds

    @rule(word=st.sampled_from([b"UNLOCK", b"OPEN"]))
    def somebody_unlocks(self, word: bytes) -> None:
        self.order("command", word, good=True)

    @rule()
    def somebody_locks(self) -> None:
        self.carry_out(self.door.command(b"LOCK", False, self.now), may_open=False)
        assert self.on_since is None

    @rule(age_s=st.integers(-8, 24).map(lambda n: n / 2))
    def a_command_of_some_age(self, age_s: float) -> None:
        payload = command(id=self.new_id(), ts=self.now.utc - age_s)
        self.order("command", payload, good=-2 <= age_s <= MAX_AGE_S)

    @precondition(lambda self: self.door.session is not None)
    @rule(valid_s=st.integers(-4, 24).map(lambda n: n / 2))
    def a_grant_valid_for_some_time(self, valid_s: float) -> None:
        payload = grant(self.new_id(), session=self.door.session, expires_at=self.now.utc + valid_s)
        self.order("grant", payload, good=0 <= valid_s <= 10)

    @precondition(lambda self: self.obeyed)
    @rule(data=st.data())
    def an_order_obeyed_before_is_played_again(self, data: st.DataObject) -> None:
        self.order(*data.draw(st.sampled_from(self.obeyed)), good=False)

    @rule(bad=st.sampled_from(NEVER_GOOD))
    def a_bad_order(self, bad: tuple[str, bytes, bool, Refusal]) -> None:
        channel, payload, retain, _ = bad
        self.order(channel, payload, good=False, retain=retain)

    @rule()
    def the_connection_is_new(self) -> None:
        self.door.session = self.new_id()

    @rule()
    def the_connection_is_lost(self) -> None:
        self.door.session = None

    @rule()
    def the_relay_fails(self) -> None:
        self.door.jam("stuck", self.now)
        self.on_since = None

    @rule()
    def the_relay_works_again(self) -> None:
        self.door.freed()

    def order(self, channel: str, payload: bytes, good: bool, retain: bool = False) -> None:
        take = self.door.command if channel == "command" else self.door.grant
        due_s, jammed = self.door.due_s(self.now), self.door.state is LockState.JAMMED
        effects = take(payload, retain, self.now)
        event = the_event(effects)
        refused = event.event_type is EventType.REJECTED
        assert refused != (good and not jammed) or (good and event.reason is Refusal.MAX_HOLD)
        if event.reason is Refusal.MAX_HOLD:
            assert self.on_since is not None
            assert self.mono + due_s == self.on_since + self.max_hold_s
        if refused:
            assert (drives(effects), self.door.due_s(self.now)) == ([], due_s)
        elif payload.startswith(b"{"):
            self.obeyed.append((channel, payload))
        self.carry_out(effects, may_open=not refused)

    def carry_out(self, effects: Sequence[Effect], may_open: bool) -> None:
        for on in drives(effects):
            assert may_open or not on, "the relay was switched on without an order that counts"
            self.on_since = self.mono if on else None

    def new_id(self) -> str:
        self.sent += 1
        return f"id{self.sent}"


TestBurglar = Burglar.TestCase
TestBurglar.settings = settings(deadline=None, max_examples=60, stateful_step_count=40)
