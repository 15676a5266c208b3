"""Which orders a door refuses, and why: whatever is not fresh, new and right opens nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from agents.door.core import REMEMBERED_IDS, Door
from agents.door.words import ANSWER_S, GOOD_S, RENEW_S
from agents.runtime.clock import Now
from agents.wire.messages import EventType, Refusal
from tests.door.orders import (
    HOLD_S,
    JUMPS_S,
    MAX_AGE_S,
    WORD,
    YEARS_S,
    command,
    door_settings,
    drives,
    grant,
    new_door,
    say_word,
    the_event,
    unlock,
    unset,
)
from tests.fakes import T0, after

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
    "a session with a space": (command(session="a b"), False, Refusal.MALFORMED),
    "a half surrogate": (b'{"action":"UNLOCK","source":"\\ud800"}', False, Refusal.MALFORMED),
    "too large": (b"UNLOCK" + b" " * 2000, False, Refusal.TOO_LARGE),
    "a deep nest": (b'{"action":' * 100, False, Refusal.MALFORMED),
    "retained": (b"UNLOCK", True, Refusal.RETAINED),
    "retained JSON": (command(ts=T0), True, Refusal.RETAINED),
    "retained with the door's own word": (command(session=WORD), True, Refusal.RETAINED),
    "a retained lock": (b"LOCK", True, Refusal.RETAINED),
    "stale": (command(ts=T0 - MAX_AGE_S - 0.1), False, Refusal.STALE),
    "from 1970": (command(ts=0), False, Refusal.STALE),
    "from the future": (command(ts=T0 + 2.1), False, Refusal.STALE),
    "far from the future": (command(ts=9e10), False, Refusal.STALE),
    "with a good word, but stale": (command(session=WORD, ts=T0 - MAX_AGE_S - 0.1), False, Refusal.STALE),
    "with another door's word": (command(session="word-1"), False, Refusal.WRONG_SESSION),
    "a test that is not enabled": (b"TEST", False, Refusal.NOT_ENABLED),
    "a retained test": (b"TEST", True, Refusal.RETAINED),
    "with another door's word, but fresh": (command(session="word-1", ts=T0), False, Refusal.WRONG_SESSION),
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
    "of another session": (grant(session="word-1"), False, Refusal.WRONG_SESSION),
    "expired": (grant(expires_at=T0 - 0.001), False, Refusal.EXPIRED),
    "expired long ago": (grant(expires_at=0), False, Refusal.EXPIRED),
    "valid for too long": (grant(expires_at=T0 + 10.1), False, Refusal.EXPIRED),
    "valid for ever": (grant(expires_at=9e10), False, Refusal.EXPIRED),
}


@pytest.mark.parametrize(("payload", "retain", "why"), COMMANDS.values(), ids=COMMANDS)
def test_a_bad_command_is_refused_with_its_reason_and_moves_nothing(payload: bytes, retain: bool, why: Refusal) -> None:
    check_refused_locked_and_unlocked("command", payload, retain, why)


@pytest.mark.parametrize(("payload", "retain", "why"), COMMANDS.values(), ids=COMMANDS)
def test_a_bad_command_is_no_better_as_a_test(payload: bytes, retain: bool, why: Refusal) -> None:
    door = new_door(test_pulse_s=1.0)
    if why is Refusal.NOT_ENABLED:
        assert drives(door.command(payload, retain, after(0))) == [True]
        return
    effects = door.command(payload.replace(b"UNLOCK", b"TEST"), retain, after(0))
    assert (drives(effects), the_event(effects).reason) == ([], why)


@pytest.mark.parametrize(("payload", "retain", "why"), GRANTS.values(), ids=GRANTS)
def test_a_bad_grant_is_refused_with_its_reason_and_moves_nothing(payload: bytes, retain: bool, why: Refusal) -> None:
    check_refused_locked_and_unlocked("grant", payload, retain, why)


def check_refused_locked_and_unlocked(channel: str, payload: bytes, retain: bool, why: Refusal) -> None:
    """Neither does a locked door open nor does an open one stay open a moment longer."""
    for prepare in (lambda _: None, lambda door: unlock(door, -1)):
        door = new_door()
        prepare(door)
        state, due_s = door.state, door.due_s(after(0))
        order = door.command if channel == "command" else door.grant
        effects = order(payload, retain, after(0))
        event = the_event(effects)
        assert (event.event_type, event.reason, event.cause) == (EventType.REJECTED, why, channel)
        assert drives(effects) == []
        assert (door.state, door.due_s(after(0))) == (state, due_s)


def test_a_refusal_names_the_order_it_refuses_and_says_what_to_do() -> None:
    event = the_event(new_door().command(command("OPEN", id="c1", source="Ana", ts=0), False, after(0)))
    assert (event.id, event.source, event.action, event.person) == ("c1", "Ana", "OPEN", None)
    assert "too long ago" in event.detail
    event = the_event(new_door().grant(grant("g7", expires_at=0), False, after(0)))
    assert (event.id, event.person, event.action) == ("g7", "Ana", "UNLOCK")


def test_a_refusal_of_what_cannot_be_read_says_what_is_wrong_with_it() -> None:
    assert "ts" in the_event(new_door().command(command(ts="now"), False, after(0))).detail
    assert "person" in the_event(new_door().grant(grant(person=7), False, after(0))).detail


def test_a_command_may_be_as_old_as_max_age_s_and_as_early_as_two_seconds() -> None:
    for i, ts in enumerate((T0 - MAX_AGE_S, T0, T0 + 2.0, int(T0))):
        assert drives(new_door().command(command(ts=ts, id=f"c{i}"), False, after(0))) == [True]
    assert the_event(new_door(max_age_s=1.0).command(command(ts=T0 - 1.1), False, after(0))).reason is Refusal.STALE


# Duplicates


def test_a_command_that_comes_twice_opens_once_also_after_the_door_locked() -> None:
    door = new_door()
    order = command(id="c1", ts=T0)
    assert drives(door.command(order, False, after(0))) == [True]
    door.tick(after(HOLD_S))
    again = door.command(order, False, after(HOLD_S))
    assert (drives(again), the_event(again).reason, the_event(again).id) == ([], Refusal.DUPLICATE, "c1")


def test_a_grant_that_comes_twice_opens_once() -> None:
    door = new_door()
    assert drives(door.grant(grant(), False, after(0))) == [True]
    again = door.grant(grant(), False, after(1))
    assert (drives(again), the_event(again).reason) == ([], Refusal.DUPLICATE)
    door.tick(after(HOLD_S))
    later = door.grant(grant(), False, after(HOLD_S))
    assert (drives(later), the_event(later).reason) == ([], Refusal.DUPLICATE)


def test_two_people_granted_by_one_frame_are_both_obeyed() -> None:
    """Their grants carry the same correlation id, that of the frame."""
    door = new_door()
    told = [the_event(door.grant(grant(person=person), False, after(0))) for person in ("Ana", "Bob")]
    assert [(event.event_type, event.person) for event in told] == [("unlocked", "Ana"), ("extended", "Bob")]


def test_a_command_and_a_grant_may_carry_the_same_id() -> None:
    door = new_door()
    assert the_event(door.command(command(id="g1"), False, after(0))).event_type is EventType.UNLOCKED
    assert the_event(door.grant(grant("g1"), False, after(0))).event_type is EventType.EXTENDED


def test_commands_without_an_id_are_never_duplicates() -> None:
    door = new_door()
    assert [unlock(door, s).event_type for s in (0, 1)] == ["unlocked", "extended"]


def test_a_lock_that_comes_twice_does_not_end_the_pulse_after_it() -> None:
    door = new_door()
    lock = command("LOCK", id="l1")
    door.command(lock, False, after(0))
    unlock(door, 1)
    again = door.command(lock, False, after(2))
    assert (drives(again), the_event(again).reason) == ([], Refusal.DUPLICATE)


@pytest.mark.parametrize(
    ("bad", "retain"),
    [
        (command(id="c1", ts=1.0), False),
        (command(id="c1", door="back"), False),
        (command(id="c1"), True),
        (command(id="c1", session="other"), False),
    ],
    ids=["stale", "malformed", "retained", "wrong session"],
)
def test_a_refused_order_does_not_use_up_the_id_of_a_good_one(bad: bytes, retain: bool) -> None:
    door = new_door()
    assert drives(door.command(bad, retain, after(0))) == []
    assert drives(door.command(command(id="c1"), False, after(0))) == [True]


def test_a_refused_grant_does_not_use_up_the_id_of_a_good_one() -> None:
    door = new_door()
    for bad, retain in ((grant(), True), (grant(session="other"), False), (grant(expires_at=0), False)):
        assert drives(door.grant(bad, retain, after(0))) == []
    assert drives(door.grant(grant(), False, after(0))) == [True]


def test_a_thousand_ids_are_remembered_as_promised() -> None:
    assert REMEMBERED_IDS == 1000


def test_remembered_ids_are_bounded_and_the_oldest_goes_first() -> None:
    door = new_door()
    for i in range(REMEMBERED_IDS + 1):
        door.command(command("LOCK", id=f"c{i}"), False, after(i))
    end = after(REMEMBERED_IDS + 10)
    known = [command("LOCK", id=f"c{i}") for i in (REMEMBERED_IDS, 1)]
    assert [the_event(door.command(lock, False, end)).reason for lock in known] == [Refusal.DUPLICATE] * 2
    assert the_event(door.command(command("LOCK", id="c0"), False, end)).event_type is EventType.LOCKED


def test_a_flood_of_other_ids_does_not_make_a_door_forget_one_while_it_is_fresh() -> None:
    door = new_door()
    order = command(id="c1", ts=T0)
    door.command(order, False, after(0))
    for i in range(4000):
        now = after((MAX_AGE_S - 1) * i / 4000)
        door.command(command("LOCK", id=f"c-{i}"), False, now)
        door.grant(grant(f"g-{i}", expires_at=now.utc + 5), False, now)
    say_word(door, "word-1", MAX_AGE_S)
    effects = door.command(order, False, after(MAX_AGE_S))
    assert (drives(effects), the_event(effects).reason) == ([], Refusal.DUPLICATE)


# Freshness


def test_a_command_with_the_doors_word_opens_and_the_word_before_serves_as_well() -> None:
    door = new_door()
    say_word(door, "word-1", 4)
    for i, (word, s) in enumerate([(WORD, 4), ("word-1", 4), (WORD, 8), ("word-1", 12)]):
        effects = door.command(command(session=word, id=f"c{i}"), False, after(s))
        assert the_event(effects).event_type is not EventType.REJECTED


@pytest.mark.parametrize("clock", [after, unset])
@pytest.mark.parametrize("jump_s", [0.0, *JUMPS_S])
def test_a_word_is_good_for_eight_seconds_whatever_the_wall_clock_says(
    clock: Callable[..., Now], jump_s: float
) -> None:
    door = new_door()
    say_word(door, "word-1", 8)
    late = door.command(command(session=WORD), False, clock(8.001, jump_s))
    assert (drives(late), the_event(late).reason) == ([], Refusal.WRONG_SESSION)
    late = door.grant(grant(expires_at=T0 + 8.001 + jump_s), False, clock(8.001, jump_s))
    assert (drives(late), the_event(late).reason) == ([], Refusal.WRONG_SESSION)
    assert drives(door.command(command(session=WORD), False, clock(8, jump_s))) == [True]


@pytest.mark.parametrize("jump_s", [0.0, *JUMPS_S])
def test_a_door_that_does_not_know_the_time_obeys_its_own_word_and_no_ts(jump_s: float) -> None:
    now = unset(1, jump_s)
    assert drives(new_door().grant(grant(), False, now)) == [True]
    assert drives(new_door().command(command(session=WORD), False, now)) == [True]
    assert drives(new_door().command(command(session=WORD, ts=T0), False, now)) == [True]
    for ts in (now.utc, T0, T0 + 1, 0.0):
        event = the_event(new_door().command(command(ts=ts), False, now))
        assert (event.event_type, event.reason) == (EventType.REJECTED, Refusal.CLOCK_NOT_SET)
        assert "session" in event.detail


@pytest.mark.parametrize("jump_s", [0.0, *JUMPS_S])
def test_a_door_that_does_not_know_the_time_refuses_what_has_another_word(jump_s: float) -> None:
    for order in (new_door().grant(grant(session="w"), False, unset(1, jump_s)),
                  new_door().command(command(session="w", ts=T0), False, unset(1, jump_s))):  # fmt: skip
        assert (drives(order), the_event(order).reason) == ([], Refusal.WRONG_SESSION)


@pytest.mark.parametrize("jump_s", JUMPS_S)
def test_a_clock_that_is_wrong_without_knowing_it_opens_for_no_grant_and_no_ts_but_its_own(jump_s: float) -> None:
    """Not even one that is fresh: its sender's clock and this one differ, and nobody knows which is right."""
    far = abs(jump_s) > 60
    assert drives(new_door().grant(grant(), False, after(1, jump_s))) == ([] if far else [True])
    assert drives(new_door().command(command(ts=T0 + 1), False, after(1, jump_s))) == ([] if far else [True])
    assert drives(new_door().command(command(session=WORD), False, after(1, jump_s))) == [True]
    assert drives(new_door().command(b"UNLOCK", False, after(1, jump_s))) == [True]


def test_without_a_connection_nothing_that_comes_is_obeyed_but_a_lock() -> None:
    door = new_door()
    door.lose_broker(after(0))
    assert the_event(door.grant(grant(), False, after(0))).reason is Refusal.WRONG_SESSION
    assert the_event(door.command(command(session=WORD), False, after(0))).reason is Refusal.WRONG_SESSION
    waited = the_event(door.command(b"UNLOCK", False, after(0)))
    assert (waited.reason, "not trusted" in waited.detail) == (Refusal.STALE, True)
    assert the_event(door.command(b"LOCK", False, after(0))).event_type is EventType.LOCKED


def test_a_door_that_was_never_connected_obeys_nobody() -> None:
    door = Door(door_settings())
    assert unlock(door, 0).reason is Refusal.STALE


def test_a_grant_played_again_after_a_reconnect_is_of_the_wrong_session() -> None:
    door = new_door()
    door.lose_broker(after(0))
    say_word(door, "word-1", 1)
    effects = door.grant(grant(), False, after(1))
    assert (drives(effects), the_event(effects).reason) == ([], Refusal.WRONG_SESSION)
    assert unlock(door, 1).event_type is EventType.UNLOCKED


def test_to_lock_nobody_has_to_prove_anything() -> None:
    for keys in ({"ts": 0}, {"ts": T0 + 99}, {"session": "another"}, {"ts": 0, "session": "another"}):
        for now in (after(0), after(0, -YEARS_S), unset(0)):
            door = new_door()
            unlock(door, 0)
            effects = door.command(command("LOCK", **keys), False, now)
            assert (drives(effects), the_event(effects).event_type) == ([False], EventType.LOCKED)


def test_a_good_grant_opens_and_the_event_says_whose_and_which() -> None:
    effects = new_door().grant(grant(), False, after(0))
    assert drives(effects) == [True]
    event = the_event(effects)
    assert (event.cause, event.action, event.id, event.person) == ("grant", "UNLOCK", "g1", "Ana")


@pytest.mark.parametrize("expires_at", [T0, T0 + 5, T0 + 10])
def test_a_grant_is_good_until_it_expires_if_that_is_soon(expires_at: float) -> None:
    assert drives(new_door().grant(grant(expires_at=expires_at), False, after(0))) == [True]


def test_max_age_s_is_about_commands_and_not_about_grants() -> None:
    assert drives(new_door(max_age_s=1.0).grant(grant(expires_at=T0 + 5), False, after(0))) == [True]
    long = new_door(max_age_s=60.0).grant(grant(expires_at=T0 + 3600), False, after(0))
    assert the_event(long).reason is Refusal.EXPIRED


def test_what_waited_in_a_connection_that_was_given_up_is_refused_however_fresh_its_ts() -> None:
    """The door stood still, or the broker was silent: its orders must not open late, though in time for max_age_s."""
    door = new_door()
    door.lose_broker(after(9))
    effects = door.command(command(ts=T0 + 1), False, after(9))
    assert (drives(effects), the_event(effects).reason) == ([], Refusal.STALE)


def test_a_bare_command_is_refused_from_the_moment_on_that_the_broker_is_silent_for_too_long() -> None:
    for s, driven in ((RENEW_S + ANSWER_S, [True]), (RENEW_S + ANSWER_S + 0.001, [])):
        door = new_door()
        door.words.add("word-1", 2, after(RENEW_S))
        assert drives(door.command(b"UNLOCK", False, after(s))) == driven


def test_a_bare_command_is_refused_when_no_word_is_good_any_more() -> None:
    """Whatever kept the agent from renewing them."""
    for s, driven in ((GOOD_S, [True]), (GOOD_S + 0.001, [])):
        assert drives(new_door().command(b"UNLOCK", False, after(s))) == driven
