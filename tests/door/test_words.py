"""The words that prove an order's age, by nothing but the door's monotonic clock."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.door.words import ANSWER_S, GOOD_S, RENEW_S, Words
from tests.fakes import after


def words(*made_at: float) -> Words:
    """`w0`, `w1` … made at these times, as the messages 1, 2 …; none acknowledged."""
    made = Words()
    for i, s in enumerate(made_at):
        made.add(f"w{i}", i + 1, after(s))
    return made


def test_the_times_are_those_that_the_contract_promises() -> None:
    assert (GOOD_S, RENEW_S, RENEW_S + ANSWER_S) == (8, 4, 7)


def test_a_word_is_good_from_when_it_is_made_for_good_s() -> None:
    made = words(0)
    assert [made.good("w0", after(s)) for s in (0, GOOD_S, GOOD_S + 0.001, 1e6)] == [True, True, False, False]


@pytest.mark.parametrize("text", ["", "w", "w00", "W0", "w1"])
def test_another_word_is_not_good(text: str) -> None:
    assert not words(0).good(text, after(0))


def test_an_order_on_its_way_may_carry_the_word_before() -> None:
    made = words(0, RENEW_S)
    assert [made.good(text, after(GOOD_S)) for text in ("w0", "w1")] == [True, True]
    assert [made.good(text, after(GOOD_S + 0.001)) for text in ("w0", "w1")] == [False, True]


def test_a_word_read_just_before_its_renewal_still_serves_as_long_as_it_takes_to_renew() -> None:
    made = words(0, RENEW_S)
    assert made.good("w0", after(RENEW_S + (GOOD_S - RENEW_S)))


@pytest.mark.parametrize("jump_s", [-1e9, -60.0, 60.0, 1e9])
def test_the_wall_clock_has_no_say(jump_s: float) -> None:
    made, late = words(0), replace(after(GOOD_S, jump_s), utc_is_set=False)
    assert made.good("w0", late)
    assert not made.good("w0", after(GOOD_S + 0.001, jump_s))
    assert made.due_s(late) == RENEW_S - GOOD_S
    made.acknowledged(1)
    assert not made.silent(late)


def test_a_new_word_is_due_every_renew_s_while_there_is_a_connection() -> None:
    assert Words().due_s(after(0)) == float("inf")
    assert words(0).due_s(after(1)) == RENEW_S - 1
    assert words(0, RENEW_S).due_s(after(RENEW_S)) == RENEW_S
    assert words(0).due_s(after(RENEW_S + 1)) == -1


def test_only_a_connection_that_has_a_word_is_trusted() -> None:
    made = Words()
    assert not made.trusted
    made.add("w0", 1, after(0))
    assert made.trusted
    made.lose()
    assert not made.trusted


def test_with_the_connection_every_word_is_lost() -> None:
    made = words(0, RENEW_S)
    made.lose()
    assert not any(made.good(text, after(RENEW_S)) for text in ("w0", "w1"))
    assert not made.silent(after(100))
    assert made.due_s(after(100)) == float("inf")
    made.add("w2", 3, after(100))
    assert [made.good(text, after(100)) for text in ("w0", "w1", "w2")] == [False, False, True]


def test_a_broker_that_answers_in_time_is_not_silent() -> None:
    made = words(0)
    assert not made.silent(after(ANSWER_S))
    made.acknowledged(1)
    assert not made.silent(after(ANSWER_S + 100))


def test_a_broker_that_takes_longer_is_silent_from_the_first_word_on_that_it_owes_an_answer() -> None:
    made = words(0, 2)
    assert not made.silent(after(ANSWER_S))
    assert made.silent(after(ANSWER_S + 0.001))
    made.acknowledged(1)
    assert not made.silent(after(2 + ANSWER_S))
    assert made.silent(after(2 + ANSWER_S + 0.001))


def test_an_answer_to_a_later_word_answers_those_before_it() -> None:
    made = words(0, 1, 2)
    made.acknowledged(2)
    assert not made.silent(after(2 + ANSWER_S))
    assert made.silent(after(2 + ANSWER_S + 0.001))
    made.acknowledged(3)
    assert not made.silent(after(100))


def test_an_answer_to_something_else_is_none() -> None:
    made = words(0)
    for mid in (0, 2, 77):
        made.acknowledged(mid)
    assert made.silent(after(ANSWER_S + 0.001))
    Words().acknowledged(1)


def test_a_word_that_was_not_handed_on_is_never_answered() -> None:
    made = Words()
    made.add("w0", None, after(0))
    made.acknowledged(1)
    assert made.silent(after(ANSWER_S + 0.001))


def test_an_answer_to_a_word_of_a_lost_connection_says_nothing_of_the_new_one() -> None:
    made = words(0)
    made.lose()
    made.add("w1", 2, after(1))
    made.acknowledged(1)
    assert made.silent(after(1 + ANSWER_S + 0.001))


@given(st.lists(st.integers(1, int(RENEW_S) * 2), max_size=20), st.integers(0, 20))
def test_a_word_is_good_exactly_for_good_s_whenever_others_are_made_but_not_too_often(
    gaps: list[int], later: int
) -> None:
    """At the usual pace; a word that others push out early is lost early, which opens nothing."""
    made_at = [float(sum(gaps[:i])) for i in range(len(gaps))]
    made, end = words(*made_at), sum(gaps) + float(later)
    kept = len(made_at) - int(GOOD_S / RENEW_S) - 1
    for i, at in enumerate(made_at):
        assert made.good(f"w{i}", after(end)) == (end - at <= GOOD_S and i >= kept)


def test_what_is_remembered_does_not_grow_while_the_broker_answers() -> None:
    made = Words()
    for i in range(1000):
        made.add(f"w{i}", i, after(i * RENEW_S))
        made.acknowledged(i)
    assert len(made._words) <= GOOD_S / RENEW_S + 1
    assert not made._unanswered
