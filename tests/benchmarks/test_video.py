"""What the benchmark makes of a clip's frames; the looking itself is the recognizer's."""

from __future__ import annotations

import numpy as np

from agents.recognizer.matcher import Encoding, Enrolled
from benchmarks.video import Frame, figures, table


def at(first: float, second: float = 0.0) -> Encoding:
    """A direction of length 1 near the first axis."""
    made = np.zeros(16)
    made[:3] = (1.0, first, second)
    return np.asarray(made / np.linalg.norm(made))


OTHERS = Enrolled(("Ana", "Ivan"), np.array([np.eye(16)[5], np.eye(16)[6]]))


def test_a_person_is_recognized_in_the_frames_after_those_enrolled_and_is_a_stranger_without() -> None:
    found = figures([Frame(at(0.01 * i), at(0.01 * i)) for i in range(40)], OTHERS)
    assert found["frames"] == 40
    assert found["alone"] == found["together"]
    assert found["alone"]["recognized_percent"] == 100
    assert found["alone"]["let_in_percent"] == 0
    assert found["alone"]["nearest"] > 1


def test_frames_alone_and_together_are_told_apart() -> None:
    """Every other frame alone looks like Ana; together none does."""
    frames = [Frame(np.eye(16)[5] if i % 2 else at(0.0), at(0.0)) for i in range(40)]
    found = figures(frames, OTHERS)
    assert found["alone"]["let_in_percent"] == 50
    assert found["together"]["let_in_percent"] == 0
    assert found["alone"]["nearest"] < 0.31 < found["together"]["nearest"]


def test_the_table_has_a_line_for_each_clip() -> None:
    row = figures([Frame(at(0.0), at(0.0))] * 20, OTHERS)
    text = table({"people": 2, "machine": "here", "clips": {"one.mp4": row, "two.gif": row}})
    assert "one.mp4" in text
    assert "two.gif" in text
