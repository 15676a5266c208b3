"""Every kind of attack yields a camera's pictures with the face in them, and the same ones for the same seed."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks import faces, planes
from benchmarks.attacks import KINDS, Attack, attacks
from benchmarks.bona_fide import live
from benchmarks.clips import Clip, ClipError, Image
from benchmarks.planes import FOCAL_PX, Pose
from benchmarks.recapture import Lens
from benchmarks.screens import moire


@pytest.fixture(scope="module")
def clip(photos: dict[str, Path]) -> Clip:
    """Three pictures of a man who grows lighter."""
    photo = cv2.imread(str(photos["obama3.jpg"]), cv2.IMREAD_COLOR)
    assert photo is not None
    small = cv2.resize(photo, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    lighter = [np.clip(small.astype(np.int16) + 40 * number, 0, 255).astype(np.uint8) for number in range(3)]
    return Clip("obama", "Barack", pictures=tuple(np.asarray(image, np.uint8) for image in lighter))


def pictures(attack: Attack, count: int = 4, step: int = 1) -> list[Image]:
    return [image for _, image in islice(attack.frames(), 0, count * step, step)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_camera_sees_the_face_of_the_clip(kind: str, clip: Clip) -> None:
    (attack,) = attacks(kind, clip, 1, seed=2)
    assert (attack.kind, attack.person) == (kind, "Barack")
    shown = pictures(attack, 5, 5)
    assert {(image.shape, image.dtype.name) for image in shown} == {((360, 640, 3), "uint8")}
    found = [face for image in shown if (face := faces.largest(image)) is not None]
    assert len(found) >= 3
    assert all(50 < face.width < 300 for face in found)


@pytest.mark.parametrize("kind", ["print_bent", "print_eye_holes", "phone_replay"])
def test_the_same_seed_makes_the_same_pictures_and_another_seed_others(kind: str, clip: Clip) -> None:
    first, again, other = (pictures(next(attacks(kind, clip, 1, seed)), 2) for seed in (5, 5, 6))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_attacks_of_a_kind_differ_in_light_and_distance(clip: Clip) -> None:
    settings = [attack.setting for attack in attacks("tablet_replay", clip, 3, seed=1)]
    assert len({setting.light for setting in settings}) == 3
    assert len({round(setting.face_px) for setting in settings}) == 3


def test_a_clip_without_a_face_is_an_error() -> None:
    blank = Clip("blank", "nobody", pictures=(np.full((200, 200, 3), 90, np.uint8),))
    with pytest.raises(ClipError, match="no face"):
        next(next(attacks("print_still", blank, 1, 1)).frames())
    with pytest.raises(ClipError, match="no face"):
        next(next(live(blank, 1, 1)).frames())


def test_the_living_are_shown_as_large_as_asked_for(clip: Clip) -> None:
    for one in live(clip, 3, seed=4):
        _, image = next(one.frames())
        assert image.shape[0] <= 360
        assert image.shape[1] <= 640
        face = faces.largest(image)
        assert face is not None
        assert face.width == pytest.approx(one.face_px, rel=0.25)


def test_a_plane_is_seen_where_its_homography_says() -> None:
    pose = Pose(0.02, -0.01, 0.5, yaw=0.4, pitch=-0.2, roll=0.1)
    u, v = planes.seen(pose)
    for column, row in ((200, 120), (320, 180), (420, 230)):
        back = planes.flat(pose) @ (u[row, column], v[row, column], 1)
        assert back[:2] / back[2] == pytest.approx((column, row), abs=0.05)


@pytest.mark.parametrize("across", [False, True])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_paper_that_is_bent_keeps_its_length_and_bends_the_right_way(sign: float, across: bool) -> None:
    """At 0.1 m along the paper, on a cylinder of 0.2 m, x is 0.2 sin(0.5) and z has changed by 0.2 (1 - cos(0.5))."""
    u, v = planes.seen(Pose(0, 0, 0.6, bend_per_m=sign / 0.2, across=across))
    x, z = 0.2 * np.sin(0.5), 0.6 + sign * 0.2 * (1 - np.cos(0.5))
    away = round(FOCAL_PX * x / z)
    along = v[180 + away, 320] if across else u[180, 320 + away]
    assert float(along) == pytest.approx(0.1, abs=0.001)


def test_a_screens_pixels_beat_with_the_sensors_only_where_they_are_about_as_large() -> None:
    lens = Lens(0.5, 1.0, 0.0, (1.0, 1.0, 1.0), 0.0, 0.6)
    even = np.ones((360, 640, 3), np.float32)
    near, far = (moire(even, *planes.seen(Pose(0, 0, z_m)), 3_616.0, lens).std() for z_m in (0.37, 1.2))
    assert near > 0.02
    assert far < 0.005
