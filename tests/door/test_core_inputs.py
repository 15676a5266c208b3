"""What a door's exit button and its leaf do to it."""

from __future__ import annotations

from agents.door.core import Door
from agents.runtime.flood import BURST
from agents.wire.messages import Action, Cause, EventType
from tests.door.orders import (
    BUTTON,
    CONTACT,
    HOLD_S,
    MAX_HOLD_S,
    SETTLE_S,
    door_settings,
    drives,
    events,
    held_to_the_last,
    new_door,
    press,
    say_word,
    swing,
    the_event,
    unlock,
    unset,
)
from tests.fakes import after

# The exit button


def test_the_exit_button_opens_when_it_has_settled_without_any_broker() -> None:
    door = new_door(exit_button=BUTTON)
    door.lose_broker(after(0))
    door.press(True, after(1))
    assert door.tick(after(1)) == []
    assert door.due_s(after(1)) == SETTLE_S
    assert door.tick(after(1 + SETTLE_S - 0.001)) == []
    effects = door.tick(after(1 + SETTLE_S))
    assert drives(effects) == [True]
    event = the_event(effects)
    assert (event.event_type, event.cause, event.action) == (EventType.UNLOCKED, Cause.BUTTON, Action.UNLOCK)
    assert door.due_s(after(1 + SETTLE_S)) == HOLD_S
    assert drives(door.tick(after(1 + SETTLE_S + HOLD_S))) == [False]


def test_a_button_that_stays_pressed_opens_once() -> None:
    door = new_door(exit_button=BUTTON)
    assert press(door, 1, hold_s=60) == [True, False]


def test_a_spike_on_the_buttons_wire_opens_nothing() -> None:
    door = new_door(exit_button=BUTTON)
    for s in range(1, 9):
        door.press(True, after(s))
        door.press(False, after(s + SETTLE_S / 2))
        assert door.tick(after(s + SETTLE_S)) == []


def test_a_press_whose_edge_got_lost_is_seen_when_the_button_is_looked_at() -> None:
    door = new_door(exit_button=BUTTON)
    for s in (1, 1 + SETTLE_S / 2):
        door.sample(True, None, after(s))
        assert door.tick(after(s)) == []
    door.sample(True, None, after(1 + SETTLE_S))
    assert drives(door.tick(after(1 + SETTLE_S))) == [True]


def test_a_look_that_tells_nothing_of_an_input_changes_nothing() -> None:
    door = new_door(exit_button=BUTTON, contact=CONTACT)
    door.press(True, after(1))
    door.close(False, after(1))
    for s in (1, 1 + SETTLE_S / 2, 1 + SETTLE_S):
        door.sample(None, None, after(s))
    told = events(door.tick(after(1 + SETTLE_S)))
    assert [event.event_type for event in told] == [EventType.UNLOCKED, EventType.OPENED]
    unwired = new_door()
    unwired.sample(True, False, after(1))
    assert unwired.tick(after(2)) == []


def test_a_spike_whose_second_edge_got_lost_opens_nothing() -> None:
    door = new_door(exit_button=BUTTON)
    door.press(True, after(1))
    door.sample(False, None, after(1 + SETTLE_S))
    assert door.tick(after(1 + SETTLE_S)) == []
    assert door.tick(after(2)) == []


def test_a_button_pressed_at_the_start_opens_nothing_until_it_is_pressed_anew() -> None:
    door = Door(door_settings(exit_button=BUTTON))
    door.begin(pressed=True, closed=None, now=after(0))
    door.sample(True, None, after(1))
    assert door.tick(after(1)) == []
    assert (press(door, 2, hold_s=-1), press(door, 5)) == ([], [True])


def test_a_button_that_is_not_wired_opens_nothing() -> None:
    door = new_door()
    assert press(door, 1) == []
    door = Door(door_settings(exit_button=BUTTON))
    door.begin(pressed=None, closed=None, now=after(0))
    assert press(door, 1) == []


def test_nobody_is_kept_inside_while_the_door_rests() -> None:
    door = new_door(exit_button=BUTTON)
    held_to_the_last(door)
    assert press(door, MAX_HOLD_S) == [True]


def test_nobody_is_kept_inside_by_a_flood_or_a_clock_that_is_not_set() -> None:
    door = new_door(exit_button=BUTTON)
    for _ in range(5 * BURST):
        door.command(b"NOISE", False, unset(1))
        door.grant(b"NOISE", False, unset(1))
    door.press(True, unset(1))
    assert drives(door.tick(unset(1 + SETTLE_S))) == [True]


def test_no_number_of_presses_extends_a_pulse_beyond_max_hold_s() -> None:
    door = new_door(exit_button=BUTTON)
    for i in range(19):
        assert False not in press(door, i * 4 * SETTLE_S)
    assert drives(door.tick(after(SETTLE_S + MAX_HOLD_S))) == [False]


# The leaf


def test_the_contact_says_where_the_leaf_is() -> None:
    door = new_door(contact=CONTACT)
    assert door.leaf is not None
    assert not door.leaf.is_open
    swing(door, True, 1)
    assert door.leaf.is_open
    ajar = Door(door_settings(contact=CONTACT))
    ajar.begin(pressed=None, closed=False, now=after(0))
    assert ajar.leaf is not None
    assert ajar.leaf.is_open


def test_a_contact_that_is_not_wired_says_nothing() -> None:
    door = Door(door_settings(contact=CONTACT))
    door.begin(pressed=None, closed=None, now=after(0))
    assert (door.leaf, swing(door, True, 1)) == (None, [])
    door = new_door()
    assert (door.leaf, swing(door, True, 1)) == (None, [])


def test_a_leaf_that_opens_without_an_unlock_was_forced() -> None:
    (event,) = swing(new_door(contact=CONTACT), True, 1)
    assert (event.event_type, event.cause) == (EventType.FORCED, Cause.CONTACT)


def test_a_leaf_that_opens_in_a_pulse_was_opened_and_is_closed_again() -> None:
    door = new_door(contact=CONTACT)
    unlock(door, 0)
    told = [*swing(door, True, 1), *swing(door, False, 2)]
    assert [(event.event_type, event.cause) for event in told] == [("opened", "contact"), ("closed", "contact")]
    assert drives(door.tick(after(HOLD_S))) == [False]


def test_a_leaf_that_opens_in_the_pulses_last_moment_was_not_forced() -> None:
    for late_s, kind in ((0.5, EventType.OPENED), (3, EventType.FORCED)):
        door = new_door(contact=CONTACT)
        unlock(door, 0)
        door.tick(after(HOLD_S))
        assert [event.event_type for event in swing(door, True, HOLD_S + late_s)] == [kind]


def test_a_leaf_that_opens_when_the_relay_jams_or_the_agent_starts_anew_in_a_pulse_was_not_forced() -> None:
    jammed = new_door(contact=CONTACT)
    unlock(jammed, 1)
    jammed.jam("stuck", None, after(2))
    restarted = new_door(contact=CONTACT)
    restarted.stop(Cause.RESTART, after(2), was_on=True)
    for door in (jammed, restarted):
        assert [event.event_type for event in swing(door, True, 2.5)] == [EventType.OPENED]


def test_an_order_to_lock_on_a_locked_door_excuses_nobody_who_forces_it() -> None:
    door = new_door(contact=CONTACT)
    unlock(door, 0)
    door.tick(after(HOLD_S))
    door.command(b"LOCK", False, after(10))
    assert [event.event_type for event in swing(door, True, 10.5)] == [EventType.FORCED]


def test_a_rattling_contact_tells_nothing() -> None:
    door = new_door(contact=CONTACT)
    for i in range(40):
        door.close(bool(i % 2), after(1 + i * SETTLE_S / 2))
        assert door.tick(after(1 + i * SETTLE_S / 2)) == []


def test_a_contact_whose_edge_got_lost_is_seen_when_it_is_looked_at() -> None:
    door = new_door(contact=CONTACT)
    door.sample(None, False, after(1))
    assert door.due_s(after(1)) == SETTLE_S
    assert [event.event_type for event in events(door.tick(after(1 + SETTLE_S)))] == [EventType.FORCED]


def test_a_leaf_held_open_is_told_once_and_after_it_was_closed_again_anew() -> None:
    door = new_door(contact=CONTACT)
    for start in (1.0, 200.0):
        swing(door, True, start)
        say_word(door, "w", start + 59)
        assert door.due_s(after(start + 59)) == 1
        assert door.tick(after(start + 59.9)) == []
        (held,) = door.tick(after(start + 60))
        assert (the_event([held]).event_type, the_event([held]).cause) == (EventType.HELD_OPEN, Cause.CONTACT)
        assert door.tick(after(start + 100)) == []
        assert [event.event_type for event in swing(door, False, start + 110)] == [EventType.CLOSED]


def test_an_unlock_ends_once_the_door_has_opened_only_if_set_so() -> None:
    for locks, driven in ((True, [False]), (False, [])):
        door = new_door(contact=CONTACT.model_copy(update={"locks_when_opened": locks}))
        unlock(door, 0)
        door.close(False, after(1))
        effects = door.tick(after(1 + SETTLE_S))
        assert drives(effects) == driven
        told = [(event.event_type, event.cause) for event in events(effects)]
        assert told == [("opened", "contact"), *[("locked", "contact")] * locks]


def test_a_door_that_locks_when_opened_can_be_unlocked_while_it_stands_open() -> None:
    door = new_door(contact=CONTACT.model_copy(update={"locks_when_opened": True}))
    unlock(door, 0)
    swing(door, True, 1)
    assert unlock(door, 2).event_type is EventType.UNLOCKED
    door.close(True, after(3))
    assert drives(door.tick(after(3 + SETTLE_S))) == []
    assert drives(door.tick(after(2 + HOLD_S))) == [False]


def test_a_forced_door_is_no_pulse_to_end() -> None:
    door = new_door(contact=CONTACT.model_copy(update={"locks_when_opened": True}))
    door.close(False, after(1))
    effects = door.tick(after(1 + SETTLE_S))
    assert (drives(effects), the_event(effects).event_type) == ([], EventType.FORCED)


def test_the_button_and_the_leaf_settle_each_by_itself_and_the_pulses_end_comes_first() -> None:
    door = new_door(exit_button=BUTTON, contact=CONTACT)
    unlock(door, 0)
    door.press(True, after(HOLD_S - SETTLE_S))
    door.close(False, after(HOLD_S - SETTLE_S))
    effects = door.tick(after(HOLD_S))
    assert drives(effects) == [False, True]
    assert [event.cause for event in events(effects)] == ["timeout", "button", "contact"]
