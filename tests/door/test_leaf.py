"""What is said of a door's leaf."""

from __future__ import annotations

from typing import Any

import pytest

from agents.door.config import ContactSettings
from agents.door.leaf import Leaf
from agents.wire.messages import EventType
from tests.fakes import after


def leaf(is_open: bool = False, **keys: Any) -> Leaf:
    return Leaf(
        ContactSettings(**{"pin": 22, "held_open_after_s": 60.0, "debounce_s": 0.05, **keys}), is_open, after(0)
    )


@pytest.mark.parametrize(
    ("released_for_s", "kind"),
    [
        (0.0, EventType.OPENED),
        (1.0, EventType.OPENED),
        (1.25, EventType.OPENED),
        (1.251, EventType.FORCED),
        (3600.0, EventType.FORCED),
        (None, EventType.FORCED),
    ],
)
def test_opened_while_released_or_a_second_after_is_opened_and_else_forced(
    released_for_s: float | None, kind: EventType
) -> None:
    """The second is from the pull, not from when the contact has settled a quarter of a second later."""
    assert leaf(debounce_s=0.25).moved(True, released_for_s, after(1)) is kind


def test_the_time_a_contact_takes_to_settle_makes_a_burglar_of_nobody() -> None:
    for debounce_s, kind in ((1.0, EventType.OPENED), (0.05, EventType.FORCED)):
        assert leaf(debounce_s=debounce_s).moved(True, 1.9, after(1)) is kind


@pytest.mark.parametrize("released_for_s", [None, 0.0, 3600.0])
def test_with_a_handle_inside_nobody_can_tell_a_break_in(released_for_s: float | None) -> None:
    assert leaf(report_forced=False).moved(True, released_for_s, after(1)) is EventType.OPENED


@pytest.mark.parametrize("released_for_s", [None, 0.0, 3600.0])
def test_closed_is_closed_however_it_came_to_be_open(released_for_s: float | None) -> None:
    assert leaf(is_open=True).moved(False, released_for_s, after(1)) is EventType.CLOSED


def test_it_is_where_it_was_last_said_to_be() -> None:
    moving = leaf()
    for is_open in (True, False, True):
        moving.moved(is_open, 0.0, after(1))
        assert moving.is_open is is_open


def test_held_open_is_true_once_when_it_has_stood_open_so_long() -> None:
    standing = leaf()
    standing.moved(True, 0.0, after(10))
    assert standing.due_s(after(10)) == 60
    assert standing.due_s(after(69)) == 1
    assert not standing.held(after(69.9))
    assert standing.held(after(70))
    assert not standing.held(after(1000))
    assert standing.due_s(after(1000)) == float("inf")


def test_each_opening_is_held_open_anew() -> None:
    standing = leaf()
    for s in (10, 200):
        standing.moved(True, 0.0, after(s))
        assert standing.held(after(s + 60))
        standing.moved(False, None, after(s + 61))


def test_a_closed_leaf_is_not_held_open_and_nothing_is_due() -> None:
    assert leaf().due_s(after(1000)) == float("inf")
    assert not leaf().held(after(1000))
    shut = leaf()
    shut.moved(True, 0.0, after(10))
    shut.moved(False, 0.0, after(69))
    assert shut.due_s(after(1000)) == float("inf")
    assert not shut.held(after(1000))


def test_a_leaf_found_open_at_the_start_is_held_open_from_then() -> None:
    found = leaf(is_open=True)
    assert found.is_open
    assert found.due_s(after(1)) == 59
    assert not found.held(after(59.9))
    assert found.held(after(60))
