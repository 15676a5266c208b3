"""The book-keeping of the long runs: it must not overlook what it is there to find."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.runtime.spool import Spool
from agents.wire.messages import Cause, DoorEvent, EventType
from soak.ledger import Opening, Pulse, compare, delays_s, journal, openings, pulses, too_long, unheard

CLOCK = 1_800_000_000.0  # UTC minus monotonic


def event(kind: EventType, at: float, cause: Cause, seq: int = 0) -> DoorEvent:
    return DoorEvent(seq=seq, event_type=kind, at=CLOCK + at, cause=cause)


def events_of(done: Sequence[Pulse]) -> list[DoorEvent]:
    """What a door that is right tells of its pulses."""
    told: list[DoorEvent] = []
    for pulse in done:
        told.append(event(EventType.UNLOCKED, pulse.on_at - 0.01, Cause.GRANT, len(told)))
        cause = Cause.RESTART if pulse.died else Cause.TIMEOUT
        told.append(event(EventType.LOCKED, pulse.off_at + 0.01, cause, len(told)))
    return told


@st.composite
def runs(draw: st.DrawFn) -> list[Pulse]:
    now, found = 0.0, []
    for gap_s, length_s, died in draw(
        st.lists(st.tuples(st.floats(0.03, 9), st.floats(0.03, 3), st.booleans()), min_size=1)
    ):
        found.append(Pulse(now + gap_s, now + gap_s + length_s, died))
        now += gap_s + length_s
    return found


def told(events: Sequence[DoorEvent]) -> list[Opening]:
    return openings(events, CLOCK)


@given(runs())
def test_a_journal_that_tells_each_pulse_is_right(done: list[Pulse]) -> None:
    assert compare(done, told(events_of(done)), []) == []


@given(runs(), st.data())
def test_an_event_that_is_missing_is_found(done: list[Pulse], data: st.DataObject) -> None:
    events = events_of(done)
    del events[data.draw(st.integers(0, len(events) - 1))]
    assert not all(difference.excused for difference in compare(done, told(events), []))


@given(runs(), st.data())
def test_a_pulse_that_never_was_is_found(done: list[Pulse], data: st.DataObject) -> None:
    events = events_of(done)
    del done[data.draw(st.integers(0, len(done) - 1))]
    assert not all(difference.excused for difference in compare(done, told(events), []))


@given(runs(), st.data())
def test_a_pulse_that_ended_otherwise_or_at_another_time_is_found(done: list[Pulse], data: st.DataObject) -> None:
    events, at = events_of(done), data.draw(st.integers(0, len(done) - 1))
    longer = replace(done[at], off_at=done[at].off_at + 0.45)
    for changed in (replace(done[at], died=not done[at].died), *([] if longer.died else [longer])):
        assert compare([*done[:at], changed, *done[at + 1 :]], told(events), [])


def test_a_door_that_takes_its_time_between_event_and_relay_is_right_but_its_delay_is_told() -> None:
    events = told([event(EventType.UNLOCKED, 5.0, Cause.GRANT), event(EventType.LOCKED, 7.0, Cause.TIMEOUT)])
    assert compare([Pulse(5.9, 6.5)], events, []) == []
    assert delays_s([Pulse(5.9, 6.5)], events) == [pytest.approx(0.9)]
    assert len(compare([Pulse(4.8, 6.5)], events, [])) == 2, "the relay was on before the event was on disk"
    assert len(compare([Pulse(5.0, 5.4), Pulse(5.9, 6.5)], events, [])) == 1


def test_a_door_killed_before_the_relay_was_on_is_excused_and_only_then() -> None:
    events = told([event(EventType.UNLOCKED, 5.0, Cause.GRANT), event(EventType.LOCKED, 7.0, Cause.RESTART)])
    assert [difference.excused for difference in compare([], events, [5.01])] == [True]
    assert [difference.excused for difference in compare([], events, [6.9])] == [False]


def test_a_door_killed_just_after_the_relay_was_off_is_excused_and_only_then() -> None:
    events = told([event(EventType.UNLOCKED, 5.0, Cause.GRANT), event(EventType.LOCKED, 7.0, Cause.RESTART)])
    assert [difference.excused for difference in compare([Pulse(5.0, 5.5)], events, [5.51])] == [True]
    assert [difference.excused for difference in compare([Pulse(5.0, 5.5)], events, [5.3])] == [False]


def test_a_pulse_beyond_the_cap_is_too_long_and_one_cut_by_a_kill_counts_up_to_the_kill() -> None:
    assert too_long([Pulse(0, 3.1)], 3.0, []) == []
    assert len(too_long([Pulse(0, 3.5)], 3.0, [])) == 1
    assert too_long([Pulse(0, 6.0, died=True)], 3.0, [2.9]) == []
    assert len(too_long([Pulse(0, 6.0, died=True)], 3.0, [3.9])) == 1
    assert len(too_long([Pulse(0, 6.0, died=True)], 3.0, [])) == 1


def test_the_record_of_pins_becomes_pulses(tmp_path: Path) -> None:
    pins = tmp_path / "pins.jsonl"
    assert pulses(pins, 9.0) == []
    records = [
        {"mono": 1.0, "start": True},
        {"mono": 2.0, "pin": "GPIO17", "high": True},
        {"mono": 2.1, "pin": "GPIO27", "high": True},
        {"mono": 2.5, "pin": "GPIO17", "high": False},
        {"mono": 3.0, "pin": "GPIO17", "high": True},
        {"mono": 4.0, "start": True},
        {"mono": 5.0, "pin": "GPIO17", "high": True},
    ]
    pins.write_text("".join(json.dumps(record) + "\n" for record in records))
    assert pulses(pins, 9.0) == [Pulse(2.0, 2.5), Pulse(3.0, 4.0, died=True), Pulse(5.0, 9.0)]


KEPT = [(n, event(EventType.LOCKED, float(n), Cause.TIMEOUT, n).encode(), True) for n in range(1, 4)]
HEARD = [payload for _, payload, _ in KEPT]


@pytest.mark.parametrize(
    ("heard", "found"),
    [
        (HEARD, []),
        ([*HEARD[:2], HEARD[0], HEARD[1], HEARD[2]], []),
        (HEARD[:2], ["not heard"]),
        ([HEARD[1], HEARD[0], HEARD[2]], ["first heard out of turn"]),
        ([*HEARD, HEARD[2].replace(b"timeout", b"grant")], ["heard, but not in the journal"]),
        ([*HEARD, HEARD[2].replace(b'"seq":3', b'"seq":null')], ["heard, but not in the journal"]),
    ],
)
def test_what_was_heard_is_held_against_the_journal(heard: list[bytes], found: list[str]) -> None:
    texts = unheard(KEPT, heard)
    assert len(texts) == len(found)
    assert all(text.startswith(start) for text, start in zip(texts, found, strict=True))


def test_a_journal_is_read_once_its_door_has_ended(tmp_path: Path) -> None:
    path = tmp_path / "door-front.events"
    spool = Spool(path)
    for _ in range(2):
        spool.write(lambda seq: f"event {seq}".encode())
    spool.acknowledge(1)
    with pytest.raises(sqlite3.Error):
        journal(path)
    spool.close()
    assert journal(path) == [(1, b"event 1", True), (2, b"event 2", False)]
