"""A door's pulse: how it begins, and all the ways in which it ends."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from agents.door.core import Door
from agents.door.effects import Drive, Tell
from agents.runtime.clock import Now
from agents.wire.messages import Action, Cause, EventType, LockState, Refusal
from tests.door.orders import (
    BUTTON,
    HOLD_S,
    JUMPS_S,
    MAX_HOLD_S,
    REST_S,
    SETTLE_S,
    command,
    door_settings,
    drives,
    events,
    grant,
    held_to_the_last,
    new_door,
    press,
    say_word,
    the_event,
    unlock,
    unset,
)
from tests.fakes import T0, after

# The pulse


@pytest.mark.parametrize("word", [b"UNLOCK", b"OPEN", b" UNLOCK\r\n", command("UNLOCK"), command("OPEN")])
def test_an_unlock_drives_the_relay_and_says_so(word: bytes) -> None:
    door = new_door()
    (effect,) = door.command(word, False, after(0))
    assert effect == Drive(True, effect.event, at_most_s=HOLD_S)
    assert the_event([effect]).event_type is EventType.UNLOCKED
    assert the_event([effect]).at == T0
    assert door.state is LockState.UNLOCKED


def test_the_pulse_ends_at_hold_s_not_before_and_only_once() -> None:
    door = new_door()
    unlock(door, 0)
    assert door.tick(after(HOLD_S - 0.001)) == []
    assert door.due_s(after(1)) == HOLD_S - 1
    ended = door.tick(after(HOLD_S))
    assert drives(ended) == [False]
    assert (the_event(ended).event_type, the_event(ended).cause) == (EventType.LOCKED, Cause.TIMEOUT)
    assert door.state is LockState.LOCKED
    assert door.tick(after(HOLD_S + 1)) == []


def test_with_no_pulse_and_no_connection_nothing_is_due() -> None:
    door = Door(door_settings())
    assert door.due_s(after(0)) == float("inf")
    assert door.tick(after(0)) == []


def test_a_second_unlock_has_the_relay_stay_on_for_hold_s_from_then() -> None:
    door = new_door()
    unlock(door, 0)
    (effect,) = door.command(b"UNLOCK", False, after(2))
    assert effect == Drive(True, effect.event, at_most_s=HOLD_S)
    assert the_event([effect]).event_type is EventType.EXTENDED
    assert door.due_s(after(2)) <= HOLD_S
    assert door.tick(after(4.9)) == []
    assert drives(door.tick(after(5))) == [False]


def test_whatever_drives_the_relay_on_says_for_how_long_at_most_and_that_is_until_the_pulses_end() -> None:
    door = new_door()
    for s, at_most_s in ((0, HOLD_S), (2, HOLD_S), (4, HOLD_S), (6, HOLD_S), (8, MAX_HOLD_S - 8)):
        (effect,) = door.command(b"UNLOCK", False, after(s))
        assert effect == Drive(True, effect.event, at_most_s)


def test_no_number_of_unlocks_extends_a_pulse_beyond_max_hold_s() -> None:
    door = new_door()
    told = [unlock(door, s) for s in (0, 2, 4, 6, 8, 9)]
    assert [event.event_type for event in told] == ["unlocked", *["extended"] * 4, "rejected"]
    assert told[-1].reason is Refusal.MAX_HOLD
    assert door.tick(after(MAX_HOLD_S - 0.001)) == []
    assert drives(door.tick(after(MAX_HOLD_S))) == [False]


def test_two_orders_of_the_same_instant_are_no_case_of_max_hold() -> None:
    door = new_door()
    assert [unlock(door, 0).event_type for _ in range(2)] == ["unlocked", "extended"]
    assert door.due_s(after(0)) == HOLD_S


@pytest.mark.parametrize("s", [HOLD_S, MAX_HOLD_S - 1, MAX_HOLD_S, MAX_HOLD_S + 5])
def test_a_tick_that_comes_late_ends_the_pulse_by_max_hold_s_whatever_arrived_before_it(s: float) -> None:
    door = new_door()
    unlock(door, 0)
    for _ in range(3):
        unlock(door, s)
    door.tick(after(s))
    ends = s + door.due_s(after(s)) if door.state is LockState.UNLOCKED else s
    assert ends <= max(s, MAX_HOLD_S)


@pytest.mark.parametrize("jump_s", JUMPS_S)
@pytest.mark.parametrize("clock", [after, unset])
def test_a_jump_of_the_wall_clock_neither_lengthens_nor_shortens_a_pulse(
    clock: Callable[..., Now], jump_s: float
) -> None:
    door = new_door()
    unlock(door, 0)
    assert door.due_s(clock(0, jump_s)) == HOLD_S
    assert door.tick(clock(HOLD_S - 0.001, jump_s)) == []
    assert drives(door.tick(clock(HOLD_S, jump_s))) == [False]


def test_lock_ends_a_pulse_early() -> None:
    door = new_door()
    unlock(door, 0)
    effects = door.command(command("LOCK", id="l1", source="test"), False, after(1))
    assert drives(effects) == [False]
    event = the_event(effects)
    assert (event.event_type, event.cause, event.action) == ("locked", "command", "LOCK")
    assert (event.id, event.source) == ("l1", "test")
    assert door.state is LockState.LOCKED
    assert door.tick(after(HOLD_S)) == []


def test_lock_drives_the_relay_off_even_when_it_should_be_off_already() -> None:
    effects = new_door().command(b"LOCK", False, after(0))
    assert drives(effects) == [False]
    assert the_event(effects).event_type is EventType.LOCKED


@pytest.mark.parametrize("s", [MAX_HOLD_S, MAX_HOLD_S + 0.001, MAX_HOLD_S + 60])
def test_an_order_that_comes_before_a_late_tick_does_not_prolong_a_pulse_that_is_over(s: float) -> None:
    door = new_door()
    unlock(door, 0)
    event = unlock(door, s)
    assert (event.event_type, event.reason) == (EventType.REJECTED, Refusal.MAX_HOLD)
    assert drives(door.tick(after(s))) == [False]


def test_a_pulse_after_a_lock_has_its_full_length_and_its_own_cap() -> None:
    door = new_door()
    unlock(door, 0)
    door.command(b"LOCK", False, after(1))
    assert [unlock(door, s).event_type for s in (2, 4, 6, 8, 10)] == ["unlocked", *["extended"] * 4]
    assert door.tick(after(2 + MAX_HOLD_S - 0.001)) == []
    assert drives(door.tick(after(2 + MAX_HOLD_S))) == [False]


def test_a_door_released_for_max_hold_s_rests_before_it_opens_again() -> None:
    door = new_door()
    held_to_the_last(door)
    refused = unlock(door, MAX_HOLD_S + REST_S - 0.001)
    assert (refused.event_type, refused.reason) == (EventType.REJECTED, Refusal.LOCKED_OUT)
    assert "rests" in refused.detail
    assert unlock(door, MAX_HOLD_S + REST_S).event_type is EventType.UNLOCKED


def test_a_grant_rests_as_well() -> None:
    door = new_door()
    held_to_the_last(door)
    say_word(door, "w", MAX_HOLD_S)
    effects = door.grant(grant(session="w", expires_at=T0 + MAX_HOLD_S + 5), False, after(MAX_HOLD_S))
    assert (drives(effects), the_event(effects).reason) == ([], Refusal.LOCKED_OUT)


def test_the_rest_is_measured_from_when_the_relay_went_off_also_by_a_lock() -> None:
    door = new_door()
    for s in (0, 2, 4, 6, 8):
        unlock(door, s)
    door.command(b"LOCK", False, after(MAX_HOLD_S + 1))
    assert unlock(door, MAX_HOLD_S + 1 + REST_S - 0.001).reason is Refusal.LOCKED_OUT
    assert unlock(door, MAX_HOLD_S + 1 + REST_S).event_type is EventType.UNLOCKED


def test_a_pulse_that_ended_before_max_hold_s_needs_no_rest() -> None:
    door = new_door()
    for s in (0, 2, 4, 6):
        unlock(door, s)
    assert drives(door.tick(after(9))) == [False]
    assert unlock(door, 9).event_type is EventType.UNLOCKED


def test_lock_is_obeyed_while_the_door_rests() -> None:
    door = new_door()
    held_to_the_last(door)
    assert the_event(door.command(b"LOCK", False, after(MAX_HOLD_S))).event_type is EventType.LOCKED


# Pulses of other lengths


def test_a_hold_time_that_somebody_set_is_that_of_the_next_pulse_and_the_running_one_keeps_its_deadline() -> None:
    door = new_door()
    unlock(door, 0)
    door.hold.obey(b"1", False, after(1))
    assert door.tick(after(HOLD_S - 0.001)) == []
    assert drives(door.tick(after(HOLD_S))) == [False]
    (effect,) = door.command(b"UNLOCK", False, after(4))
    assert effect == Drive(True, effect.event, at_most_s=1)
    assert drives(door.tick(after(5))) == [False]


def test_an_unlock_never_shortens_a_pulse_that_runs() -> None:
    door = new_door()
    unlock(door, 0)
    door.hold.obey(b"0.5", False, after(1))
    (effect,) = door.command(b"UNLOCK", False, after(1))
    assert effect == Drive(True, effect.event, at_most_s=HOLD_S - 1)
    assert drives(door.tick(after(HOLD_S))) == [False]


def test_a_long_hold_time_is_that_of_grants_and_of_the_exit_button_too_and_no_pulse_exceeds_max_hold_s() -> None:
    door = new_door(exit_button=BUTTON)
    door.hold.obey(str(MAX_HOLD_S).encode(), False, after(0))
    (effect,) = door.grant(grant(), False, after(0))
    assert effect == Drive(True, effect.event, at_most_s=MAX_HOLD_S)
    assert unlock(door, 1).reason is Refusal.MAX_HOLD
    assert drives(door.tick(after(MAX_HOLD_S))) == [False]
    assert press(door, 20) == [True]
    assert door.tick(after(20 + MAX_HOLD_S)) == []
    assert drives(door.tick(after(20 + SETTLE_S + MAX_HOLD_S))) == [False]


TEST_S = 0.25


@pytest.mark.parametrize("word", [b"TEST", b" TEST\n", command("TEST")])
def test_a_test_pulse_is_refused_by_a_door_that_has_none(word: bytes) -> None:
    door = new_door()
    effects = door.command(word, False, after(0))
    assert (drives(effects), the_event(effects).reason) == ([], Refusal.NOT_ENABLED)
    assert "test_pulse_s" in the_event(effects).detail
    assert the_event(effects).action is Action.TEST


@pytest.mark.parametrize("word", [b"TEST", b" TEST\n", command("TEST")])
def test_a_test_pulse_is_as_long_as_it_was_set_and_told_as_one(word: bytes) -> None:
    door = new_door(test_pulse_s=TEST_S)
    (effect,) = door.command(word, False, after(0))
    assert effect == Drive(True, effect.event, at_most_s=TEST_S)
    assert (the_event([effect]).event_type, the_event([effect]).action) == (EventType.UNLOCKED, Action.TEST)
    assert drives(door.tick(after(TEST_S))) == [False]


def test_a_test_pulse_does_not_shorten_an_unlock_and_an_unlock_lengthens_a_test_pulse() -> None:
    door = new_door(test_pulse_s=TEST_S)
    unlock(door, 0)
    event = the_event(door.command(b"TEST", False, after(1)))
    assert (event.event_type, event.action) == (EventType.EXTENDED, Action.TEST)
    assert door.tick(after(HOLD_S - 0.001)) == []
    assert drives(door.tick(after(HOLD_S))) == [False]
    door.command(b"TEST", False, after(5))
    unlock(door, 5)
    assert door.due_s(after(5)) == HOLD_S


def test_test_pulses_have_the_cap_and_the_rest_of_every_opening() -> None:
    door = new_door(test_pulse_s=2.0)
    for s in (0, 2, 4, 6, 8):
        door.command(b"TEST", False, after(s))
        say_word(door, f"word-{s}", s)
    assert the_event(door.command(b"TEST", False, after(9))).reason is Refusal.MAX_HOLD
    assert drives(door.tick(after(MAX_HOLD_S))) == [False]
    assert the_event(door.command(b"TEST", False, after(MAX_HOLD_S))).reason is Refusal.LOCKED_OUT


# The broker goes


@pytest.mark.parametrize("policy", ["finish", "cut"])
def test_a_lost_broker_finishes_or_cuts_a_running_pulse_as_set(policy: str) -> None:
    door = new_door(on_broker_lost=policy)
    unlock(door, 0)
    effects = door.lose_broker(after(1))
    if policy == "cut":
        assert drives(effects) == [False]
        assert (the_event(effects).event_type, the_event(effects).cause) == (EventType.LOCKED, Cause.BROKER_LOST)
        assert door.tick(after(HOLD_S)) == []
    else:
        assert effects == []
        assert drives(door.tick(after(HOLD_S))) == [False]


@pytest.mark.parametrize("policy", ["finish", "cut"])
def test_a_lost_broker_is_nothing_to_a_locked_door(policy: str) -> None:
    door = new_door(on_broker_lost=policy)
    assert door.lose_broker(after(1)) == []
    assert door.words.due_s(after(1)) == float("inf")


def test_a_lost_broker_cuts_no_pulse_of_the_exit_button_which_needs_none() -> None:
    door = new_door(on_broker_lost="cut", exit_button=BUTTON)
    assert press(door, 1) == [True]
    assert door.lose_broker(after(1.5)) == []
    assert drives(door.tick(after(1 + SETTLE_S + HOLD_S))) == [False]
    unlock(door, 5)
    assert press(door, 5) == [True]
    assert door.lose_broker(after(5.5)) == []


# Jammed and stopped


def test_a_door_that_starts_after_it_ended_badly_in_a_pulse_is_driven_off_and_says_so() -> None:
    (effect,) = new_door().stop(Cause.RESTART, after(0), was_on=True)
    assert effect == Drive(False, effect.event)
    assert (the_event([effect]).event_type, the_event([effect]).cause) == (EventType.LOCKED, Cause.RESTART)


def test_a_jammed_door_says_so_and_opens_for_nobody_until_it_is_freed() -> None:
    door = new_door(exit_button=BUTTON)
    unlock(door, 0)
    event = door.jam("relay is on fire" * 50, None, after(1))
    assert (event.event_type, event.cause, event.id) == (EventType.JAMMED, Cause.FAULT, None)
    assert event.detail.startswith("relay is on fire")
    assert door.state is LockState.JAMMED
    assert door.problem == event.detail
    for effects in (door.command(b"UNLOCK", False, after(1)), door.grant(grant(), False, after(1))):
        assert (drives(effects), the_event(effects).reason) == ([], Refusal.JAMMED)
        assert the_event(effects).detail == event.detail
    assert press(door, 2) == []
    assert door.tick(after(HOLD_S)) == []
    (told,) = door.freed(after(4))
    assert isinstance(told, Tell)
    assert (told.event.event_type, told.event.cause) == (EventType.LOCKED, Cause.FAULT)
    assert door.problem is None
    assert unlock(door, 5).event_type is EventType.UNLOCKED


def test_a_jam_answers_the_order_that_met_with_it() -> None:
    door = new_door()
    tried = the_event(door.command(command(id="c1", source="Ana"), False, after(0)))
    event = door.jam("stuck", tried, after(0))
    assert (event.event_type, event.cause, event.id) == (EventType.JAMMED, Cause.COMMAND, "c1")
    assert (event.source, event.action) == ("Ana", Action.UNLOCK)
    tried = the_event(new_door().grant(grant(), False, after(0)))
    assert new_door().jam("stuck", tried, after(0)).person == "Ana"


def test_an_opening_that_had_to_wait_for_the_disk_is_answered_as_stale() -> None:
    door = new_door()
    tried = the_event(door.command(command(id="c1", source="Ana"), False, after(0)))
    event = door.too_late(tried, after(2))
    assert (event.event_type, event.reason, event.at) == (EventType.REJECTED, Refusal.STALE, T0 + 2)
    assert (event.id, event.source, "disk" in event.detail) == ("c1", "Ana", True)


def test_a_lock_is_tried_even_on_a_jammed_door_and_says_that_it_may_not_have_worked() -> None:
    door = new_door()
    door.jam("stuck", None, after(0))
    effects = door.command(command("LOCK", id="l1"), False, after(0))
    assert drives(effects) == [False]
    assert (the_event(effects).event_type, the_event(effects).reason) == (EventType.REJECTED, Refusal.JAMMED)
    assert (the_event(effects).id, the_event(effects).detail) == ("l1", "stuck")
    assert door.state is LockState.JAMMED


def test_a_jam_does_not_shorten_the_rest() -> None:
    door = new_door()
    held_to_the_last(door)
    door.jam("stuck", None, after(MAX_HOLD_S))
    door.freed(after(MAX_HOLD_S + 1))
    assert unlock(door, MAX_HOLD_S + REST_S - 0.001).reason is Refusal.LOCKED_OUT


@pytest.mark.parametrize("state", ["locked", "unlocked", "jammed"])
def test_stop_drives_off_whatever_the_state_and_tells_of_a_pulse_it_cut(state: str) -> None:
    door = new_door()
    if state != "locked":
        unlock(door, 0)
    if state == "jammed":
        door.jam("stuck", None, after(0))
    effects = door.stop(Cause.STOP, after(1))
    assert drives(effects) == [False]
    told = [(event.event_type, event.cause) for event in events(effects)]
    assert told == ([("locked", "stop")] if state == "unlocked" else [])
    assert door.tick(after(HOLD_S)) == []
