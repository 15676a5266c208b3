"""What is motion, and what is only noise and light: on the demo's hallway, and on figures drawn into it."""

from __future__ import annotations

from itertools import cycle, islice, pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.sight.motion import ADAPT_S, Image, Scene, cells
from demo.scenes import hallway, visit

FPS = 15


def stills(folder: Path) -> list[Image]:
    found = [cv2.imread(str(path)) for path in sorted(folder.iterdir())]
    return [np.asarray(picture, np.uint8) for picture in found]


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """One picture of the hallway, its noise smoothed away, for tests that bring their own."""
    folder = tmp_path_factory.mktemp("hallway")
    hallway(folder, 8)
    return np.asarray(np.mean(stills(folder), axis=0), np.uint8)


def seen(picture: Image, random: np.random.Generator, noise: float = 2.5, light: float = 1.0) -> Image:
    """As a sensor delivers it: a little lighter or darker each time, noisy, and as a JPEG."""
    made = picture * (light * random.uniform(0.97, 1.03)) + noise * random.standard_normal(picture.shape)
    jpeg = cv2.imencode(".jpg", np.clip(made, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 85])[1]
    return np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), np.uint8)


def figure(picture: Image, face_px: int, x: int, y: int, contrast: float = 1.0) -> Image:
    """Somebody whose face is so wide, at (x, y): hair, skin and a dark coat."""
    made, half = picture.copy(), face_px // 2
    cv2.ellipse(made, (x, y + 3 * half), (3 * half, 2 * half), 0, 180, 360, (60, 50, 45), -1)
    cv2.ellipse(made, (x, y), (half, int(1.35 * half)), 0, 0, 360, (130, 155, 205), -1)
    cv2.ellipse(made, (x, y - half // 2), (half, half), 0, 180, 360, (25, 30, 40), -1)
    return np.asarray(cv2.addWeighted(made, contrast, picture, 1 - contrast, 0), np.uint8)


def moves(scene: Scene, pictures: list[Image], start_s: float = 0.0) -> list[bool]:
    return [scene.moved(cells(picture), start_s + i / FPS) for i, picture in enumerate(pictures)]


def test_the_first_picture_is_news_and_an_empty_hallway_is_not(tmp_path: Path) -> None:
    hallway(tmp_path)
    found = moves(Scene(), list(islice(cycle(stills(tmp_path)), 90)))
    assert found == [True] + [False] * 89


@pytest.mark.parametrize("noise", [0.0, 6.0, 12.0])
def test_a_sensors_noise_is_no_motion(empty: Image, noise: float) -> None:
    random = np.random.default_rng(1)
    assert not any(moves(Scene(), [seen(empty, random, noise) for _ in range(20)])[1:])


@pytest.mark.parametrize(("light", "then"), [(1.0, 0.7), (0.7, 1.0)])
def test_a_cloud_is_no_motion(empty: Image, light: float, then: float) -> None:
    random = np.random.default_rng(2)
    pictures = [seen(empty, random, light=light + (then - light) * min(1, i / (2 * FPS))) for i in range(40)]
    assert not any(moves(Scene(), pictures)[1:])


@pytest.mark.parametrize("name", ["obama3.jpg", "biden.jpg"])
def test_whoever_comes_is_seen_in_the_very_first_picture(photos: dict[str, Path], tmp_path: Path, name: str) -> None:
    hallway(tmp_path / "empty")
    visit(tmp_path / "visit", [photos[name]])
    scene = Scene()
    moves(scene, list(islice(cycle(stills(tmp_path / "empty")), 30)))
    assert all(moves(scene, stills(tmp_path / "visit"), 30 / FPS))


@pytest.mark.parametrize("face_px", [20, 60, 200])
@pytest.mark.parametrize("x", [0, 160, 320, 480, 639])
@pytest.mark.parametrize("light", [1.0, 0.25])
def test_somebody_far_or_near_is_seen_anywhere_in_day_and_dusk(
    empty: Image, face_px: int, x: int, light: float
) -> None:
    random = np.random.default_rng(3)
    scene = Scene()
    moves(scene, [seen(empty, random, light=light)] * 2)
    assert scene.moved(cells(seen(figure(empty, face_px, x, 158), random, light=light)), 1.0)


def test_what_comes_too_slowly_to_differ_from_one_picture_to_the_next_adds_up(empty: Image) -> None:
    random = np.random.default_rng(4)
    pictures = [seen(figure(empty, 60, 200 + i, 158, contrast=0.3), random) for i in range(12)]
    for before, after in pairwise(pictures):
        assert moves(Scene(), [before, after]) == [True, False]
    scene = Scene()
    assert all([scene.moved(cells(picture), i / 2) for i, picture in enumerate(pictures)][-3:])


def test_what_stays_becomes_part_of_the_scene_and_is_missed_when_it_goes(empty: Image) -> None:
    random = np.random.default_rng(5)
    scene = Scene()
    moves(scene, [seen(empty, random)] * 5)
    parcel = [figure(empty, 60, 320, 158)] * 2
    assert moves(scene, [seen(picture, random) for picture in parcel], 1.0) == [True, True]
    settle = [scene.moved(cells(seen(parcel[0], random)), 2.0 + i) for i in range(int(6 * ADAPT_S))]
    assert settle[0]
    assert not any(settle[-5:])
    assert scene.moved(cells(seen(empty, random)), 3.0 + 6 * ADAPT_S)


@given(size=st.tuples(st.integers(1, 60), st.integers(1, 60)), then=st.tuples(st.integers(1, 60), st.integers(1, 60)))
def test_pictures_of_any_size_can_be_compared(size: tuple[int, int], then: tuple[int, int]) -> None:
    scene = Scene()
    assert scene.moved(cells(np.full((*size, 3), 90, np.uint8)), 0.0)
    assert not scene.moved(cells(np.full((*size, 3), 90, np.uint8)), 0.1)
    scene.moved(cells(np.full((*then, 3), 90, np.uint8)), 0.2)


@pytest.mark.parametrize("factor", [2, 3])
def test_larger_pictures_are_judged_alike(empty: Image, factor: int) -> None:
    def large(picture: Image) -> Image:
        made = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
        return np.asarray(made, np.uint8)

    random = np.random.default_rng(6)
    scene = Scene()
    found = moves(scene, [seen(large(empty), random) for _ in range(8)])
    assert found == [True] + [False] * 7
    assert scene.moved(cells(seen(large(figure(empty, 30, 100, 158)), random)), 1.0)
