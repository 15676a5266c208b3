"""What the benchmark makes of its measurements; the measuring itself is not a test."""

from __future__ import annotations

from typing import Any

import pytest

from agents.wire.messages import Cause, DoorEvent, EventType, Outcome
from agents.wire.scheduling import Decision, Votes
from agents.wire.why import Why
from benchmarks.latency import Visit, Visits, missed_targets, summary, table

STAGES = {"confirm": 100.0, "recognize": 50.0, "decide": 1.0, "relay": 2.0, "first_frame_to_relay": 153.0}


def figures(missed: int = 0, single: float = 40.0, **stages: float) -> dict[str, Any]:
    fast = STAGES | {"first_frame_to_relay": 110.0} | stages
    ones = Visits([STAGES | {"first_frame_to_relay": single}] * 2, 0)
    return summary(Visits([fast] * 3, missed), ones, [200.0, 210.0])


def test_the_stages_of_a_visit_add_up_to_the_whole() -> None:
    decision = Decision(
        id="front-1",
        door="front",
        camera="front",
        outcome=Outcome.GRANTED,
        reason=Why.CONFIRMED,
        person="Ana",
        distance=0.3,
        evidence=Votes(agreeing=2, needed=2, frames=2, faces=1),
        began_at=10.0,
        captured_at=10.1,
        decided_at=10.151,
    )
    opened = DoorEvent(event_type=EventType.UNLOCKED, at=10.153, cause=Cause.GRANT, id="front-1")
    stages = Visit(first_at=10.0, heard={"front-1": 10.15}, decision=decision, opened=opened).stages_ms()
    assert stages == pytest.approx(STAGES)
    assert sum(list(STAGES.values())[:4]) == STAGES["first_frame_to_relay"]


def test_a_visit_at_which_the_door_stayed_shut_is_missed() -> None:
    assert Visit(first_at=10.0).stages_ms() is None


def test_a_target_that_is_met_is_not_named_and_one_that_is_missed_is() -> None:
    assert missed_targets(figures()) == []
    assert missed_targets(figures(first_frame_to_relay=200.1)) == [
        "first_frame_to_relay_ms.p50 is 200.1, the target is 120",
        "first_frame_to_relay_ms.p95 is 200.1, the target is 200",
    ]
    assert missed_targets(figures(single=45.1)) == ["single_first_frame_to_relay_ms.p50 is 45.1, the target is 45"]
    assert missed_targets(figures(missed=1)) == ["missed_visits is 1, the target is 0"]


def test_the_table_has_a_line_for_every_stage() -> None:
    text = table(figures())
    for name in (*STAGES, "face_recognition_per_frame"):
        assert name.replace("_", " ") in text


def test_no_visit_at_all_is_no_result() -> None:
    with pytest.raises(SystemExit, match="none of 3 visits"):
        summary(Visits([], 3), Visits([], 0), [200.0])
