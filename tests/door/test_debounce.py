"""Debouncing against what a contact's level does, known at every instant. One unit of time is a second."""

from __future__ import annotations

from itertools import pairwise
from math import inf

from hypothesis import given
from hypothesis import strategies as st

from agents.door.debounce import Debounced

SETTLE_S = 5.0

lengths = st.lists(st.integers(1, 12), min_size=1, max_size=30)
"""How long the level lasts each time, in turn inactive and active (or the other way round)."""
spikes = st.lists(st.integers(1, int(SETTLE_S) - 1), min_size=1, max_size=30)


def edges_of(stays: list[int], first: bool) -> dict[float, bool]:
    """When the level becomes what. It starts as `not first`, long ago; the last stay lasts for ever."""
    at, level, found = 0.0, first, {}
    for stay in stays:
        found[at] = level
        at, level = at + stay, not level
    return found


def level_at(edges: dict[float, bool], at: float, before: bool) -> bool:
    return next((level for when, level in reversed(edges.items()) if when <= at), before)


def settled_changes(edges: dict[float, bool], before: bool) -> list[tuple[float, bool]]:
    """What a change is, said in another way than by the code under test: a stay that is long enough."""
    changes, value = [], before
    for (start, level), (end, _) in pairwise([*edges.items(), (inf, True)]):
        if end - start > SETTLE_S and level is not value:
            changes.append((start + SETTLE_S, level))
            value = level
    return changes


@given(lengths, st.booleans(), st.booleans())
def test_a_change_counts_when_the_level_has_lasted_and_no_other_does(
    stays: list[int], active: bool, sampled: bool
) -> None:
    edges = edges_of(stays, not active)
    debounced, changes = Debounced(SETTLE_S, active), []
    for second in range(sum(stays) + 20):
        at = float(second)
        if at in edges:
            debounced.edge(edges[at], at)
        if sampled:
            debounced.sample(level_at(edges, at, active), at)
        change = debounced.tick(at)
        if change is not None:
            changes.append((at, change))
            assert debounced.active is change
    assert changes == settled_changes(edges, active)


@given(lengths, st.booleans())
def test_an_agent_that_wakes_only_for_edges_and_when_due_hears_of_every_change_in_time(
    stays: list[int], active: bool
) -> None:
    edges = edges_of(stays, not active)
    debounced, changes = Debounced(SETTLE_S, active), []
    for at, following in pairwise([*edges, inf]):
        debounced.edge(edges[at], at)
        wakes = at + debounced.due_s(at)
        if wakes < following:
            changes.append((wakes, debounced.tick(wakes)))
    assert changes == settled_changes(edges, active)


@given(spikes, st.booleans(), st.data())
def test_no_train_of_spikes_changes_anything_however_many_edges_are_heard_as_the_same_level(
    stays: list[int], active: bool, data: st.DataObject
) -> None:
    """A full queue leaves one edge of several. Each says at least that the level did not last."""
    debounced = Debounced(SETTLE_S, active)
    at = 0.0
    for stay in stays:
        debounced.edge(data.draw(st.booleans()), at)
        for second in range(stay):
            assert debounced.tick(at + second) is None
        at += stay
    assert debounced.active is active


@given(st.booleans(), st.integers(0, 1_000_000).map(float))
def test_a_change_is_told_once_and_nothing_is_due_after_it(active: bool, at: float) -> None:
    debounced = Debounced(SETTLE_S, active)
    assert debounced.due_s(at) == inf
    debounced.edge(not active, at)
    assert debounced.due_s(at) <= SETTLE_S
    assert debounced.tick(at + SETTLE_S) is (not active)
    assert debounced.tick(at + 2 * SETTLE_S) is None
    assert debounced.due_s(at) == inf


def test_a_spike_whose_end_was_not_heard_is_ended_by_the_next_sample() -> None:
    debounced = Debounced(SETTLE_S, active=False)
    debounced.edge(True, 0.0)
    debounced.sample(False, 100.0)
    assert debounced.tick(100.0) is None
    assert debounced.due_s(100.0) == inf


def test_a_change_of_which_no_edge_was_heard_counts_from_the_first_sample_of_it() -> None:
    debounced = Debounced(SETTLE_S, active=False)
    debounced.sample(True, 100.0)
    assert debounced.tick(100.0) is None
    debounced.sample(True, 105.0)
    assert debounced.tick(105.0) is True


def test_a_press_that_was_over_before_anybody_looked_does_not_count() -> None:
    """The agent hung; what it finds in its inbox then is old."""
    debounced = Debounced(SETTLE_S, active=False)
    debounced.edge(True, 100.0)
    debounced.edge(False, 100.0)
    assert debounced.tick(200.0) is None


def test_a_button_held_from_the_start_is_no_press() -> None:
    debounced = Debounced(SETTLE_S, active=True)
    debounced.sample(True, 0.0)
    assert debounced.tick(100.0) is None
