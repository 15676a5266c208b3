"""What the scheduler's benchmark makes of its measurements, and that it measures at all; not how fast."""

from __future__ import annotations

from typing import Any

import pytest

from agents.house import House
from agents.wire.messages import Outcome
from benchmarks.clients import BenchmarkFailed
from benchmarks.scheduler import (
    DOORS,
    FRAMES_A_VISIT,
    RATE,
    Heard,
    figures,
    identity,
    measure,
    missed_targets,
    settings,
    table,
    visits,
)


def found(way_s: float = 0.005, decisions: int = 120) -> dict[str, Any]:
    return figures(Heard([way_s] * decisions, [Outcome.GRANTED] * decisions), used_s=0.4, seconds=1.0)


def test_the_house_is_as_big_as_it_says_and_right() -> None:
    house = House.model_validate(settings(1883))
    assert list(house.conflicts()) == []
    assert (len(house.doors), sum(len(group) for group in house.scheduler.groups.values())) == (100, 10_000)


def test_each_camera_sees_another_person_every_second_and_half_a_second_nobody() -> None:
    frames = [identity(turn, 1.8e9 + turn / RATE) for turn in range(3 * RATE) if turn % DOORS == 7]
    seen = [frame.faces[0].person if frame.faces else None for frame in frames]
    assert 3 <= len(set(seen) - {None}) <= 4
    assert [seen[i : i + 10].count(None) for i in (0, 10, 20)] == [10 - FRAMES_A_VISIT] * 3
    assert len({frame.seq for frame in frames}) == len(frames)
    assert {frame.camera for frame in frames} == {"d07"}


def test_targets_that_are_met_are_not_named_and_others_are() -> None:
    assert missed_targets(found()) == []
    assert missed_targets(found(way_s=0.021)) == ["decision_ms.p99 is 21.0, the target is 20"]
    assert missed_targets(found(decisions=119)) == ["119 decisions for 120 visits"]


def test_the_table_says_what_was_decided_how_fast_and_at_what_cost() -> None:
    lines = table(found()).splitlines()
    assert lines[-3:] == [
        "decisions              120 of 120 visits, 120 of them grants",
        "identity -> decision   p50 5.0 ms   p99 5.0 ms   longest 5.0 ms",
        "scheduler              40% of one core",
    ]


def test_where_nothing_was_decided_there_is_no_figure() -> None:
    with pytest.raises(BenchmarkFailed, match="nothing was decided"):
        figures(Heard(), used_s=0.1, seconds=1.0)


def test_a_second_of_rush_hour_has_a_decision_for_every_visit() -> None:
    heard, used_s = measure(1.0)
    assert len(heard.ways) == visits(1.0)
    assert used_s > 0
