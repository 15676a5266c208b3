"""YuNet's box, as dlib's landmarks want it."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from agents.recognizer.vision.boxes import hog_box
from agents.wire.identity import Box

# a frontal face as YuNet finds it in a photo of 250 by 250 px, where HOG's box is (72, 72, 104, 104)
FOUND = Box(left=78, top=66, width=93, height=123)
POINTS = np.array([[101.0, 112.0], [145.0, 112.0], [123.0, 138.0], [106.0, 157.0], [140.0, 157.0]])


def test_a_frontal_face_gets_hogs_box() -> None:
    box = hog_box(FOUND, POINTS)
    hog = Box(left=72, top=84, width=104, height=104)
    assert all(abs(a - b) <= 3 for a, b in zip(sides(box), sides(hog), strict=True))


def test_the_nose_moves_with_the_heads_turn_and_the_box_does_not() -> None:
    turned = POINTS.copy()
    turned[2, 0] += 20
    assert hog_box(FOUND, turned) == hog_box(FOUND, POINTS)


@given(
    x=st.integers(-2000, 2000),
    y=st.integers(-2000, 2000),
    width=st.integers(1, 2000),
    height=st.integers(1, 2000),
    dx=st.integers(-100, 100),
)
def test_the_box_is_square_is_never_empty_and_moves_with_the_face(
    x: int, y: int, width: int, height: int, dx: int
) -> None:
    points = POINTS + np.array([x, y])
    box = hog_box(Box(left=x, top=y, width=width, height=height), points)
    moved = hog_box(Box(left=x + dx, top=y, width=width, height=height), points + np.array([dx, 0]))
    assert box.width == box.height >= 1
    assert abs(moved.left - box.left - dx) <= 1  # halves round to the even number
    assert (moved.top, moved.width) == (box.top, box.width)


def sides(box: Box) -> tuple[int, int, int, int]:
    return box.left, box.top, box.width, box.height
