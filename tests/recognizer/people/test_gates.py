"""What is wrong with a face, from its measures alone."""

from __future__ import annotations

from dataclasses import astuple, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.recognizer.people.gates import (
    MAX_PITCH_DEG,
    MAX_YAW_DEG,
    NOSE_DEPTH,
    NOSE_LEVEL,
    Light,
    Measures,
    Pose,
    flaw,
    light_of,
    number_flaw,
    pose_of,
)
from agents.recognizer.vision.found import Points

LIGHT = Light(brightness=120, contrast=30, burnt=0.0, side_ratio=1.2)
GOOD = Measures(width_px=100, light=LIGHT, sharpness=20.0, pose=Pose(5.0, -3.0))


def points(yaw_deg: float, pitch_deg: float, size: float = 40.0, turn_deg: float = 0.0) -> Points:
    """The five points of a flat face whose nose stands out, seen from far away."""
    yaw, pitch, turn = np.radians([yaw_deg, pitch_deg, turn_deg])
    narrow = np.cos(yaw)
    nose = [NOSE_DEPTH * np.sin(yaw), NOSE_LEVEL + NOSE_DEPTH * np.tan(pitch)]
    flat = np.array([[-0.5 * narrow, 0], [0.5 * narrow, 0], nose, [-0.4 * narrow, 1], [0.4 * narrow, 1]])
    turned = flat @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return np.asarray(turned * size + np.array([200.0, 100.0]))


def test_a_good_face_has_no_flaw_nor_has_one_whose_pose_nobody_told() -> None:
    assert flaw(GOOD) is None
    assert flaw(replace(GOOD, pose=None)) is None


@pytest.mark.parametrize(
    ("face", "reason"),
    [
        (replace(GOOD, width_px=79), "the face is too small: 79 px wide, at least 80 are needed"),
        (
            replace(GOOD, light=replace(LIGHT, brightness=31)),
            "the face is too dark: brightness 31 of 255, at least 40 is needed",
        ),
        (
            replace(GOOD, light=replace(LIGHT, burnt=0.4)),
            "the face is too bright: 40% of it is burnt out, at most 15% may be",
        ),
        (replace(GOOD, light=replace(LIGHT, contrast=8)), "the face is too pale: contrast 8, at least 10 is needed"),
        (
            replace(GOOD, light=replace(LIGHT, side_ratio=3.14)),
            "one side of the face is 3.1 times as bright as the other, at most 2.5",
        ),
        (
            replace(GOOD, pose=Pose(41.0, 0.0)),
            "the face is turned too far to its left: about 41°, at most 35°; look at the camera",
        ),
        (
            replace(GOOD, pose=Pose(-41.0, 0.0)),
            "the face is turned too far to its right: about 41°, at most 35°; look at the camera",
        ),
        (
            replace(GOOD, pose=Pose(0.0, 20.0)),
            "the face is tilted too far down: about 20°, at most 15°; look at the camera",
        ),
        (
            replace(GOOD, pose=Pose(0.0, -20.0)),
            "the face is tilted too far up: about 20°, at most 15°; look at the camera",
        ),
        (replace(GOOD, sharpness=7.25), "the face is blurred: sharpness 7.2, at least 10 is needed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_flaw_is_said_with_its_measure_and_its_limit(face: Measures, reason: str) -> None:
    found = flaw(face)
    assert found is not None
    assert found.reason == reason
    assert found.hint


def test_of_a_dark_face_the_light_is_blamed_and_not_the_lens() -> None:
    found = flaw(replace(GOOD, light=replace(LIGHT, brightness=10, contrast=3), sharpness=1.0))
    assert found is not None
    assert "too dark" in found.reason


def test_a_photo_shows_one_person() -> None:
    assert number_flaw(1) is None
    none, two = number_flaw(0), number_flaw(2)
    assert none is not None
    assert two is not None
    assert (none.reason, two.reason) == ("no face found", "2 faces found; a photo to enroll shows one person")


@given(
    yaw=st.floats(-60, 60),
    pitch=st.floats(-40, 40),
    size=st.floats(10, 400),
    turn=st.floats(-45, 45),
)
def test_a_pose_is_what_it_was_however_large_the_face_and_however_the_head_leans(
    yaw: float, pitch: float, size: float, turn: float
) -> None:
    pose = pose_of(points(yaw, pitch, size, turn))
    assert pose.yaw_deg == pytest.approx(yaw, abs=0.01)
    assert pose.pitch_deg == pytest.approx(pitch, abs=0.01)


def test_yaw_grows_to_the_persons_own_left_and_pitch_as_the_chin_goes_down() -> None:
    ahead = points(0, 0)
    left_in_picture, lower = ahead.copy(), ahead.copy()
    left_in_picture[2, 0] -= 10  # towards the person's right eye, which comes first
    lower[2, 1] += 10
    assert pose_of(left_in_picture).yaw_deg < -5
    assert pose_of(lower).pitch_deg > 5


@given(st.lists(st.floats(-1e4, 1e4), min_size=10, max_size=10))
def test_any_points_have_a_pose(numbers: list[float]) -> None:
    pose = pose_of(np.array(numbers).reshape(5, 2))
    assert np.isfinite([pose.yaw_deg, pose.pitch_deg]).all()


def test_turned_and_tilted_up_to_the_limits_is_good() -> None:
    for yaw, pitch in ((MAX_YAW_DEG, 0.0), (-MAX_YAW_DEG, 0.0), (0.0, MAX_PITCH_DEG), (0.0, -MAX_PITCH_DEG)):
        assert flaw(replace(GOOD, pose=Pose(yaw, pitch))) is None


def chip(left: int, right: int, around: int = 0) -> np.typing.NDArray[np.uint8]:
    """150×150 px: the middle half in two shades, with something else around it."""
    made = np.full((150, 150, 3), around, np.uint8)
    made[37:113, 37:75], made[37:113, 75:113] = left, right
    return made


def test_light_is_measured_on_the_face_and_not_on_what_is_around_it() -> None:
    light = light_of(chip(100, 100, around=255))
    assert astuple(light) == pytest.approx((100.0, 0.0, 0.0, 1.0), abs=1e-6)


def test_light_from_one_side_is_the_same_from_the_other() -> None:
    assert light_of(chip(199, 49)).side_ratio == pytest.approx(4.0)
    assert light_of(chip(49, 199)).side_ratio == pytest.approx(4.0)


@pytest.mark.parametrize(("shades", "said"), [((0, 0), "too dark"), ((255, 255), "too bright"), ((90, 95), "too pale")])
def test_black_white_and_grey_are_refused(shades: tuple[int, int], said: str) -> None:
    found = flaw(replace(GOOD, light=light_of(chip(*shades))))
    assert found is not None
    assert said in found.reason
