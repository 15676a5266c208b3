"""One queue: in order, bounded, and for pictures only the newest."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from agents.runtime.events import Connected, Disconnected, Published
from agents.runtime.inbox import Fault, Inbox, Stop, Vital


def drain(inbox: Inbox) -> list[object]:
    found = []
    while (event := inbox.get(0)) is not None:
        found.append(event)
    return found


def test_events_come_out_in_the_order_they_went_in() -> None:
    inbox = Inbox()
    for event in "abc":
        inbox.put(event)
    assert drain(inbox) == ["a", "b", "c"]


@pytest.mark.parametrize("timeout_s", [0, -1, float("nan")])
def test_an_empty_inbox_answers_at_once_when_there_is_no_time_to_wait(timeout_s: float) -> None:
    assert Inbox().get(timeout_s) is None


def test_of_one_key_only_the_newest_is_kept_and_the_others_are_counted() -> None:
    inbox = Inbox()
    for frame in (1, 2, 3):
        inbox.put_latest("front", frame)
    assert drain(inbox) == [3]
    assert inbox.passed_over == 2


def test_keys_do_not_pass_over_each_other() -> None:
    inbox = Inbox()
    inbox.put_latest("front", 1)
    inbox.put_latest("back", 2)
    inbox.put_latest("front", 3)
    assert drain(inbox) == [3, 2]
    assert inbox.passed_over == 1


def test_the_newest_takes_the_place_of_the_one_it_passed_over() -> None:
    inbox = Inbox()
    inbox.put_latest("front", 1)
    inbox.put("order")
    inbox.put_latest("front", 2)
    assert drain(inbox) == [2, "order"]


def test_a_slot_is_free_again_once_its_event_was_taken() -> None:
    inbox = Inbox()
    for frame in (1, 2):
        inbox.put_latest("front", frame)
        assert drain(inbox) == [frame]
    assert inbox.passed_over == 0


def test_what_does_not_fit_is_dropped_and_counted() -> None:
    inbox = Inbox(limit=2)
    for event in "abcd":
        inbox.put(event)
    assert drain(inbox) == ["a", "b"]
    assert inbox.dropped == 2
    inbox.put("e")
    assert drain(inbox) == ["e"]


@pytest.mark.parametrize(
    "event",
    [Stop("SIGTERM"), Fault(OSError()), Connected(), Disconnected("keep alive"), Published(7)],
    ids=lambda e: type(e).__name__,
)
def test_a_flood_never_drowns_what_is_vital(event: Vital) -> None:
    inbox = Inbox(limit=1)
    inbox.put("flood")
    inbox.put(event)
    assert drain(inbox) == ["flood", event]
    assert inbox.dropped == 0


def test_it_is_full_when_the_next_event_would_be_dropped_and_not_before() -> None:
    inbox = Inbox(limit=2)
    for event in "ab":
        assert not inbox.full
        inbox.put(event)
    assert inbox.full
    inbox.get(0)
    assert not inbox.full


def test_the_newest_of_its_kind_gets_into_a_full_inbox_where_others_do_not() -> None:
    inbox = Inbox(limit=2)
    for event in "abc":
        inbox.put(event)
    for order in (1, 2, 3):
        inbox.put_latest("urgent", order)
    assert drain(inbox) == ["a", "b", 3]
    assert (inbox.dropped, inbox.passed_over) == (1, 2)


def in_threads(*work: Callable[[], None]) -> list[threading.Thread]:
    threads = [threading.Thread(target=w) for w in work]
    for thread in threads:
        thread.start()
    return threads


def test_nothing_is_lost_or_reordered_between_threads() -> None:
    inbox, producers, events = Inbox(limit=10_000), 4, 500

    def produce(who: int) -> None:
        for i in range(events):
            inbox.put((who, i))

    threads = in_threads(*(lambda who=who: produce(who) for who in range(producers)))
    received = [inbox.get(10) for _ in range(producers * events)]
    for thread in threads:
        thread.join()
    for who in range(producers):
        assert [event for event in received if isinstance(event, tuple) and event[0] == who] == [
            (who, i) for i in range(events)
        ]
    assert inbox.dropped == 0


def test_each_picture_is_either_taken_or_counted_as_passed_over() -> None:
    inbox, producers, frames = Inbox(), 4, 500

    def produce(camera: int) -> None:
        for i in range(frames):
            inbox.put_latest(camera, (camera, i))

    threads = in_threads(*(lambda camera=camera: produce(camera) for camera in range(producers)))
    taken: list[tuple[int, int]] = []
    awaited = {(camera, frames - 1) for camera in range(producers)}
    while awaited:
        event = inbox.get(10)
        assert isinstance(event, tuple)
        taken.append(event)
        awaited.discard(event)
    for thread in threads:
        thread.join()
    assert drain(inbox) == []
    assert len(taken) + inbox.passed_over == producers * frames
    for camera in range(producers):
        own = [i for who, i in taken if who == camera]
        assert own == sorted(set(own))
        assert own[-1] == frames - 1
