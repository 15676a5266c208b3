"""What the benchmark makes of its times; the timing itself is not a test."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.recognizer import Told, ages, missed_targets, summary, table

TIMES = {
    "face_recognition's two calls": [260.0, 240.0, 250.0],
    "whole frame, following": [20.0, 20.0, 19.0],
    "whole frame, the first": [25.0, 25.0, 25.0],
    "one chip, dlib": [90.0, 100.0, 110.0],
    "one chip, onnxruntime": [5.0, 5.0, 5.0],
    "compare with 10,000 people": [1.0, 1.0, 1.0],
}
HOUSE = {"idle": {"cpu_percent": 4.0, "pss_mb": 300.0}, "behind": {"over_ms": -1.0}}


def figures(**others: Any) -> dict[str, Any]:
    return {**summary(TIMES), **HOUSE, **others}


def test_what_is_compared_are_medians() -> None:
    found = figures()
    assert (found["whole_frame_times"], found["first_frame_times"], found["encoding_times"]) == (12.5, 10.0, 20.0)
    assert missed_targets(found) == []


def test_each_figure_on_the_wrong_side_of_its_target_is_named() -> None:
    assert missed_targets(figures(whole_frame_times=11.9)) == ["whole_frame_times is 11.9, the target is 12"]
    assert missed_targets(figures(idle={"cpu_percent": 5.1, "pss_mb": 501})) == [
        "idle.cpu_percent is 5.1, the target is 5",
        "idle.pss_mb is 501, the target is 500",
    ]
    assert missed_targets(figures(behind={"over_ms": 0.1})) == ["behind.over_ms is 0.1, the target is 0"]
    slow = {**summary(TIMES)["ms"], "compare with 10,000 people": 5.1}
    assert missed_targets(figures(ms=slow)) == ["ms.compare with 10,000 people is 5.1, the target is 5"]


def test_what_was_not_measured_is_not_missed() -> None:
    assert missed_targets(summary(TIMES)) == []


def test_the_table_has_every_figure() -> None:
    text = table(figures())
    for name in (*TIMES, "cpu_percent", "over_ms", "encoding"):
        assert name in text


def told(looked_at: list[float], turn_s: float = 0.5) -> Told:
    """A camera of ten frames a second, each heard after 10 ms, and a recognizer that takes its time for these."""
    frames = [(i / 10, i / 10 + 0.01) for i in range(100)]
    return Told(frames, [(at, 0.7 + turn_s * i) for i, at in enumerate(looked_at)])


def test_whoever_takes_the_newest_frame_is_never_over() -> None:
    found = ages(told([0.1, 0.6, 1.1, 1.6, 2.1, 2.6, 3.1]))
    assert found["turn_ms_median"] == pytest.approx(500)
    assert found["age_ms_longest"] == pytest.approx(600)
    assert found["over_ms"] <= 0


def test_whoever_takes_one_frame_after_the_other_is_further_and_further_behind() -> None:
    found = ages(told([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]))
    assert found["over_ms"] > 2000


def test_too_few_identities_are_no_result() -> None:
    with pytest.raises(SystemExit, match="only 1 identities"):
        ages(told([0.1, 0.6]))
