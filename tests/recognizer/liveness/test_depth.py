"""Motion in depth: heads and photographs of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.recognizer.liveness.depth import LEAST_LOOKS, depth
from agents.recognizer.liveness.look import Marks, Shape
from tests.recognizer.liveness.heads import head, looks, photograph, swing


def told(marks: list[Marks], **noise: float) -> float | None:
    return depth([look.shape for look in looks(marks, **noise) if look.shape is not None])  # type: ignore[arg-type]


@pytest.mark.parametrize(("left", "down"), [(15, 0), (25, 0), (35, 0), (0, 15), (0, 25), (15, 10)])
def test_a_head_that_turns_is_solid(left: float, down: float) -> None:
    assert told(swing(head, left, down)) == 1


@pytest.mark.parametrize(("left", "down"), [(5, 0), (15, 0), (25, 0), (35, 0), (45, 0), (0, 25), (0, 40), (25, 25)])
def test_a_photograph_is_never_solid_however_it_is_tilted(left: float, down: float) -> None:
    found = told(swing(photograph, left, down))
    assert found is None or found < 0.8


@pytest.mark.parametrize(("left", "down"), [(38, 0), (45, 0), (0, 40)])
def test_a_photograph_that_is_tilted_far_is_flat(left: float, down: float) -> None:
    assert told(swing(photograph, left, down)) == 0


@pytest.mark.parametrize("view", [head, photograph])
def test_what_holds_still_tells_nothing(view: object) -> None:
    assert told([view()] * 30) is None  # type: ignore[operator]


def test_what_comes_nearer_tells_nothing() -> None:
    assert told([head(size_px=60 + i) for i in range(30)]) is None


def test_a_few_frames_tell_nothing() -> None:
    assert told(swing(head, 30, frames=LEAST_LOOKS - 1)) is None


def test_one_bad_frame_at_either_end_makes_no_head_of_a_photograph() -> None:
    marks = [photograph()] * 28 + [head((40, 0)), head((-40, 0))]
    assert told(marks) != 1


numbers = st.floats(-1, 1)


@given(numbers, numbers, numbers, numbers, st.floats(-200, 200))
def test_a_shape_is_the_same_in_every_picture_of_it(a: float, b: float, c: float, d: float, shift: float) -> None:
    """Whatever affine map shows it: that is what a picture that is moved, turned or tilted goes through."""
    linear = np.array([[1 + a / 3, b / 3], [c / 3, 1 + d / 3]])
    one, other = Shape.of(head((20, 5))), Shape.of(head((20, 5)) @ linear + shift)
    assert one is not None
    assert other is not None
    assert (other.nose_x, other.nose_y) == pytest.approx((one.nose_x, one.nose_y), abs=1e-6)


@pytest.mark.parametrize("marks", [np.zeros((68, 2)), np.column_stack([np.arange(68.0), 2 * np.arange(68.0)])])
def test_marks_in_a_point_or_a_line_are_no_face(marks: Marks) -> None:
    assert Shape.of(marks) is None
