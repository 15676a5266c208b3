"""How many orders are answered one by one."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from agents.runtime.clock import Now
from agents.runtime.flood import BURST, PER_S, TELL_EVERY_S, Flood
from tests.fakes import after


def admitted(flood: Flood, orders: int, s: float) -> int:
    return sum(flood.admits(after(s)) for _ in range(orders))


def test_the_bounds_are_those_that_the_contract_promises() -> None:
    assert (BURST, PER_S, TELL_EVERY_S) == (20, 5, 1)


def test_so_many_at_once_are_admitted_and_no_more() -> None:
    assert admitted(Flood(), 10 * BURST, 0) == BURST


def test_the_first_ones_are_admitted_even_when_the_computer_has_just_started() -> None:
    flood = Flood()
    assert sum(flood.admits(Now(utc=0.0, mono=0.0)) for _ in range(2 * BURST)) == BURST


def test_after_a_flood_they_are_admitted_again_one_by_one() -> None:
    flood = Flood()
    admitted(flood, 10 * BURST, 0)
    assert admitted(flood, 10, 0.9 / PER_S) == 0
    assert admitted(flood, 10, 1 / PER_S + 0.001) == 1
    assert admitted(flood, 100, 1 / PER_S + 1.001) == PER_S


def test_however_long_it_was_quiet_no_more_than_a_burst_is_admitted() -> None:
    flood = Flood()
    admitted(flood, BURST, 0)
    assert admitted(flood, 10 * BURST, 1e6) == BURST


def test_in_a_lasting_flood_so_many_a_second_are_admitted() -> None:
    flood = Flood()
    assert sum(flood.admits(after(i / 1000)) for i in range(20_000)) in range(BURST + 99, BURST + 101)


@given(st.lists(st.integers(0, 40), min_size=1, max_size=60))
def test_in_no_stretch_of_time_are_more_admitted_than_the_bound(gaps: list[int]) -> None:
    times = [sum(gaps[: i + 1]) / 16 for i in range(len(gaps))]
    flood = Flood()
    taken = [s for s in times for _ in range(3) if flood.admits(after(s))]
    for (i, first), (j, last) in combinations(enumerate(taken), 2):
        assert j - i + 1 <= BURST + (last - first) * PER_S


@given(st.lists(st.integers(4, 100), max_size=60))
def test_who_sends_no_more_often_than_the_bound_is_always_admitted(gaps: list[int]) -> None:
    flood, s = Flood(), 0.0
    for gap in gaps:
        s += gap / 16
        assert flood.admits(after(s))
    assert flood.unanswered(after(s)) == 0


def test_those_not_admitted_are_told_at_once_and_then_once_a_second() -> None:
    flood = Flood()
    assert flood.unanswered(after(0)) == 0
    admitted(flood, BURST + 3, 0)
    assert flood.unanswered(after(0)) == 3
    assert flood.unanswered(after(10)) == 0
    admitted(flood, BURST + 2, 10)
    assert flood.unanswered(after(10)) == 2
    admitted(flood, 4, 10)
    assert flood.unanswered(after(10 + TELL_EVERY_S - 0.001)) == 0
    assert flood.unanswered(after(10 + TELL_EVERY_S)) == 4
    assert flood.unanswered(after(10 + TELL_EVERY_S)) == 0


@given(st.lists(st.tuples(st.integers(0, 32), st.integers(0, 60)), max_size=30))
def test_each_order_not_admitted_is_counted_once(bursts: list[tuple[int, int]]) -> None:
    flood, s, missed, told = Flood(), 0.0, 0, 0
    for gap, orders in bursts:
        s += gap / 16
        missed += orders - admitted(flood, orders, s)
        told += flood.unanswered(after(s))
    assert told + flood.unanswered(after(s + TELL_EVERY_S)) == missed
