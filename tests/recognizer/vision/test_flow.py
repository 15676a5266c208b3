"""How far a face and what is around it moved: drawn pictures, of which that is known."""

from __future__ import annotations

import numpy as np
import pytest

from agents.recognizer.vision.flow import motion
from agents.recognizer.vision.found import Pixels
from agents.wire.identity import Box

HEIGHT_PX, WIDTH_PX = 360, 640
FACE = Box(left=260, top=120, width=100, height=120)


def texture(height: int, width: int, seed: int) -> Pixels:
    """Blots that corners can be found in, several pixels wide."""
    small = np.random.default_rng(seed).integers(30, 226, (height // 6 + 1, width // 6 + 1, 1))
    return np.repeat(np.repeat(np.repeat(small, 6, 0), 6, 1), 3, 2)[:height, :width].astype(np.uint8)


WALL, HEAD = texture(HEIGHT_PX + 40, WIDTH_PX + 40, 1), texture(160, 140, 2)


def shown(face: tuple[int, int] = (0, 0), wall: tuple[int, int] = (0, 0)) -> Pixels:
    """A head before a wall, each moved so far to the right and down."""
    picture = WALL[20 - wall[1] : 380 - wall[1], 20 - wall[0] : 660 - wall[0]].copy()
    top, left = 100 + face[1], 240 + face[0]
    picture[top : top + 160, left : left + 140] = HEAD
    return picture


def test_a_head_that_moves_before_a_wall() -> None:
    found = motion(shown(), shown(face=(4, -2)), FACE)
    assert found is not None
    assert found.face == pytest.approx((0.04, -0.02), abs=0.004)
    assert found.around == pytest.approx((0, 0), abs=0.004)


def test_a_picture_that_moves_with_all_that_is_in_it_while_the_sides_stand() -> None:
    before, after = shown(), shown()
    held = shown(face=(4, -2), wall=(4, -2))
    after[20:340, 120:520] = held[20:340, 120:520]
    found = motion(before, after, FACE)
    assert found is not None
    assert found.around == pytest.approx(found.face, abs=0.006)
    assert found.face == pytest.approx((0.04, -0.02), abs=0.006)


def test_a_camera_that_shakes_is_taken_off() -> None:
    found = motion(shown(), shown(face=(4, 3), wall=(4, 3)), FACE)
    assert found is not None
    assert found.face == pytest.approx((0, 0), abs=0.012)
    assert found.around == pytest.approx((0, 0), abs=0.012)


def test_before_a_bare_wall_it_can_not_be_told() -> None:
    bare = [np.full((HEIGHT_PX, WIDTH_PX, 3), 128, np.uint8) for _ in range(2)]
    for picture, left in zip(bare, (240, 244), strict=True):
        picture[100:260, left : left + 140] = HEAD
    assert motion(bare[0], bare[1], FACE) is None


@pytest.mark.parametrize(
    "face",
    [
        Box(left=-90, top=-100, width=100, height=120),
        Box(left=630, top=350, width=100, height=120),
        Box(left=-300, top=-300, width=100, height=120),
        Box(left=900, top=900, width=10, height=10),
        Box(left=0, top=0, width=640, height=360),
        Box(left=300, top=100, width=1, height=1),
    ],
)
def test_a_face_at_or_beyond_the_edge_does_no_harm(face: Box) -> None:
    motion(shown(), shown(face=(3, 0)), face)


def test_pictures_of_two_sizes_are_not_compared() -> None:
    assert motion(shown()[:180], shown(), FACE) is None
