"""A door under more orders than it answers, and under any bytes at all."""

from __future__ import annotations

import json
import pickle

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agents.door.core import REMEMBERED_IDS
from agents.runtime.flood import BURST, PER_S
from agents.wire.messages import Cause, DoorEvent, EventType, LockState, Refusal
from tests.door.orders import (
    BUTTON,
    CONTACT,
    WORD,
    YEARS_S,
    command,
    drives,
    events,
    grant,
    new_door,
    say_word,
    the_event,
    unlock,
    unset,
)
from tests.fakes import T0, after

# Floods


def test_a_flood_is_told_of_and_not_answered_one_by_one() -> None:
    door = new_door()
    answered = [door.command(b"NOISE", False, after(1)) for _ in range(BURST + 7)]
    assert [len(effects) for effects in answered] == [1] * BURST + [0] * 7
    (told,) = door.tick(after(1))
    event = the_event([told])
    assert (event.event_type, event.cause, event.reason) == (EventType.REJECTED, Cause.COMMAND, Refusal.FLOOD)
    assert event.detail.startswith("7 more")
    assert door.tick(after(2)) == []


def test_a_flood_of_grants_opens_nothing_and_leaves_commands_alone() -> None:
    door = new_door()
    for _ in range(2 * BURST):
        door.grant(b"NOISE", False, after(1))
    assert door.grant(grant(), False, after(1)) == []
    event = the_event(door.tick(after(1)))
    assert (event.cause, event.reason) == (Cause.GRANT, Refusal.FLOOD)
    assert event.detail.startswith(f"{BURST + 1} more")
    assert unlock(door, 1).event_type is EventType.UNLOCKED


def test_a_flood_of_commands_leaves_grants_alone() -> None:
    door = new_door()
    for _ in range(2 * BURST):
        door.command(b"NOISE", False, after(1))
    assert door.command(b"UNLOCK", False, after(1)) == []
    assert drives(door.grant(grant(), False, after(1))) == [True]


LOCKS = [b"LOCK", b" LOCK\n", command("LOCK"), command("LOCK", ts=0, session="another", id="l1")]


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_ends_a_pulse_whatever_the_flood_the_clock_and_the_session(lock: bytes) -> None:
    door = new_door()
    unlock(door, 0)
    for _ in range(2 * BURST):
        door.command(b"UNLOCK", False, unset(1))
    door.lose_broker(after(1))
    effects = door.command(lock, False, unset(1, -YEARS_S))
    assert drives(effects) == [False]
    event = the_event(effects)
    assert (event.event_type, event.cause, event.action) == ("locked", "command", "LOCK")
    assert door.state is LockState.LOCKED
    assert door.command(lock, False, after(1)) == []


@pytest.mark.parametrize(
    ("payload", "retain"),
    [(b"LOCK", True), (b"lock", False), (b"LOCK" + b" " * 2000, False), (command("LOCK", x=1), False)],
    ids=["retained", "lower case", "too large", "unknown key"],
)
def test_what_is_no_good_lock_is_none_in_a_flood_either(payload: bytes, retain: bool) -> None:
    door = new_door()
    unlock(door, 0)
    for _ in range(2 * BURST):
        door.command(b"NOISE", False, after(1))
    assert door.command(payload, retain, after(1)) == []
    assert door.state is LockState.UNLOCKED


def test_five_thousand_orders_a_second_are_bounded_in_what_is_told_and_a_lock_ends_the_pulse_at_once() -> None:
    door = new_door(rest_s=0.0)
    per_s, seconds = 5000, 30
    told: list[DoorEvent] = []
    locked = 0
    for i in range(1, per_s * seconds + 1):
        now = after(i / per_s)
        told += events(door.command(b"UNLOCK", False, now))
        if i % 25 == 0:
            told += events(door.tick(now))
        if i % per_s == per_s // 2 and door.state is LockState.UNLOCKED:
            assert drives(door.command(b"LOCK", False, now)) == [False]
            locked += 1
    assert locked > 0
    floods = [event for event in told if event.reason is Refusal.FLOOD]
    assert len(floods) <= seconds + 1
    assert len(told) - len(floods) <= BURST + 5 * seconds + 2 * seconds
    say_word(door, "w", seconds + 60)
    assert the_event(door.command(b"LOCK", False, after(seconds + 60))).event_type is EventType.LOCKED
    assert unlock(door, seconds + 60).event_type is EventType.UNLOCKED


# Whatever comes


def test_what_a_door_remembers_is_bounded_however_many_orders_come() -> None:
    """The state as a whole, in bytes: nothing in it grows for ever."""
    door = new_door(exit_button=BUTTON, contact=CONTACT)
    sizes = []
    for i in range(3 * REMEMBERED_IDS):
        now = after(i)
        if door.words.due_s(now) <= 0:
            say_word(door, f"word-{i:04}", i)
        door.command(command("OPEN" if i % 2 else "LOCK", id=f"{i:064}", source="x" * 200), False, now)
        door.grant(grant(f"{i:064}", person=f"{i:064}", session=f"word-{i - i % 4:04}", expires_at=now.utc), False, now)
        door.hold.obey(f"{1 + i % 8}".encode(), False, now)
        door.press(bool(i % 2), now)
        door.close(bool(i % 3), now)
        door.tick(now)
        if i % 50 == 0:
            sizes.append(len(pickle.dumps(door)))
    third = len(sizes) // 3
    assert max(sizes[2 * third :]) <= max(sizes[: 2 * third]) + 100


ANY_COMMAND = st.binary(max_size=50) | st.text(max_size=50).map(str.encode) | st.builds(
    lambda keys: json.dumps(keys).encode(),
    st.dictionaries(
        st.sampled_from(["action", "session", "ts", "source", "id", "x"]),
        st.sampled_from(["UNLOCK", "OPEN", "LOCK", "TEST", WORD, T0, -1, None, True, []]) | st.text() | st.floats(),
    ),
)  # fmt: skip


@settings(deadline=None, max_examples=80)
@given(payload=ANY_COMMAND, retain=st.booleans())
@example(payload=b'{"action":"UNLOCK","\\u001b[2J":1}', retain=False)
def test_any_bytes_get_exactly_one_answer_that_can_be_sent(payload: bytes, retain: bool) -> None:
    door = new_door(test_pulse_s=1.0)
    for effects in (door.command(payload, retain, after(0)), door.grant(payload, retain, after(0))):
        event = the_event(effects)
        assert DoorEvent.decode(event.encode()) == event
        if retain or event.event_type is EventType.REJECTED:
            assert drives(effects) == []


def test_a_contact_that_chatters_does_not_fill_the_journal() -> None:
    door = new_door(contact=CONTACT.model_copy(update={"debounce_s": 0.005}))
    told: list[DoorEvent] = []
    for turn in range(6000):  # 100 moves a second, for a minute
        door.close(turn % 2 == 1, after(turn / 100))
        told += events(door.tick(after(turn / 100 + 0.006)))
    moves = [event for event in told if event.cause is Cause.CONTACT]
    assert BURST < len(moves) < BURST + 60 * (PER_S + 1) + 1
    assert any(event.reason is Refusal.FLOOD for event in moves)
