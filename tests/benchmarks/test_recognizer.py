"""What the benchmark makes of its times; the timing itself is not a test."""

from __future__ import annotations

from typing import Any

from benchmarks.recognizer import missed_targets, summary, table

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
