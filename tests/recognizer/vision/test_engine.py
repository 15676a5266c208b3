"""The models on photographs: what is found, what is told apart, and that both detectors serve the encoder."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import cv2
import dlib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.recognizer.config import RecognizerSettings
from agents.recognizer.errors import ModelError
from agents.recognizer.picture import decode_frame
from agents.recognizer.vision.dlib_faces import Chips, Hog
from agents.recognizer.vision.engine import Engine, sharpness
from agents.recognizer.vision.found import Pixels
from agents.recognizer.vision.manifest import shipped
from agents.recognizer.vision.models import Models
from agents.wire.identity import Box
from demo.photos import photos
from tests.recognizer.conftest import Scene

MAX_PIXELS = 12_000_000
FACES = ("obama.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg", "astronaut.png")


def read(path: Path) -> Pixels:
    image = cv2.imread(str(path))
    assert image is not None
    return np.ascontiguousarray(image[..., ::-1], dtype=np.uint8)


@cache
def chips() -> Chips:
    return Chips(Models(shipped(), Path()).path("dlib-5-point"))


@cache
def landmarks() -> Any:
    return dlib.shape_predictor(str(Models(shipped(), Path()).path("dlib-5-point")))


@cache
def face_on_noise(turned_deg: int) -> Pixels:
    noise = np.random.default_rng(1).integers(0, 256, (600, 600, 3), np.uint8)
    face = read(photos()["obama.jpg"])
    noise[150:450, 150:450] = cv2.resize(face[:600, 250:850], (300, 300))
    turn = cv2.getRotationMatrix2D((300, 300), turned_deg, 1.0)
    return np.asarray(cv2.warpAffine(noise, turn, (600, 600)), np.uint8)


@pytest.fixture(scope="module")
def with_hog() -> Engine:
    return Engine(RecognizerSettings(detector="hog"), Path())


@pytest.mark.parametrize("name", FACES)
def test_both_detectors_put_the_box_where_dlibs_is_and_lead_to_the_same_person(
    name: str, photos: dict[str, Path], engine: Engine, with_hog: Engine
) -> None:
    image = read(photos[name])
    (ours,), (theirs,) = engine.find(image), with_hog.find(image)
    assert theirs.points is None
    assert ours.points is not None
    for side in ("left", "top", "width", "height"):
        assert abs(getattr(ours.box, side) - getattr(theirs.box, side)) < 0.2 * theirs.box.width
    one, other = (engine.encode([engine.chip(image, face)])[0] for face in (ours, theirs))
    assert np.linalg.norm(one - other) < 0.15


def test_a_face_is_found_by_yunet_where_dlib_finds_none(photos: dict[str, Path], engine: Engine) -> None:
    photo = read(photos["obama.jpg"])
    small = np.asarray(cv2.resize(photo, None, fx=0.2, fy=0.2, interpolation=cv2.INTER_AREA), np.uint8)
    assert Hog().find(small, 0) == []
    assert len(engine.find(small)) == 1


def test_a_face_is_found_in_a_part_of_a_picture_where_it_is_in_the_whole(engine: Engine, scene: Scene) -> None:
    image = decode_frame(scene("obama3.jpg"), MAX_PIXELS)
    (whole,) = engine.look(image)
    around = Box(left=whole.box.left - 90, top=0, width=whole.box.width + 180, height=whole.box.height + 200)
    (part,) = engine.look(image, [around])
    assert abs(part.box.left - whole.box.left) < 0.15 * whole.box.width
    assert abs(part.box.top - whole.box.top) < 0.15 * whole.box.width
    assert np.linalg.norm(part.encoding - whole.encoding) < 0.1
    assert engine.look(image, [Box(left=0, top=0, width=100, height=100)]) == []
    assert engine.look(image, []) == []


@given(st.integers(-150, 150), st.integers(-150, 150), st.integers(60, 300), st.integers(-45, 45))
@settings(max_examples=60, deadline=None)
def test_a_chip_of_a_part_of_the_picture_is_that_of_the_whole(
    right: int, down: int, width: int, turned_deg: int
) -> None:
    """Whatever the box, also half beside the picture, and however the face in it is turned."""
    image = face_on_noise(turned_deg)
    box = Box(left=210 + right, top=210 + down, width=width, height=width)
    shape = landmarks()(image, dlib.rectangle(box.left, box.top, box.left + width - 1, box.top + width - 1))
    whole = dlib.get_face_chip(image, shape, 150, 0.25)
    np.testing.assert_array_equal(chips().chip(image, box), whole)


def test_a_box_beside_the_picture_gives_some_chip() -> None:
    assert chips().chip(face_on_noise(0), Box(left=5000, top=0, width=80, height=80)).shape == (150, 150, 3)


def test_every_face_of_a_frame_is_found_the_largest_first(engine: Engine, scene: Scene) -> None:
    image = decode_frame(scene("obama3.jpg", "astronaut.png"), MAX_PIXELS)
    seen = engine.look(image)
    assert len(seen) == 2
    assert seen[0].box.width >= seen[1].box.width
    choosy = Engine(RecognizerSettings(min_face_px=300), Path())
    assert choosy.look(image) == []


@pytest.mark.parametrize("shape", [(360, 640), (1, 1), (1, 300), (300, 1), (79, 79)])
def test_there_is_nobody_in_a_grey_picture_of_any_size(shape: tuple[int, int], engine: Engine) -> None:
    assert engine.find(np.full((*shape, 3), 128, np.uint8), upsample=1) == []


def test_two_photos_of_one_man_are_near_and_another_man_is_far(engine: Engine, photos: dict[str, Path]) -> None:
    names = ("obama.jpg", "obama3.jpg", "biden.jpg")
    images = [read(photos[name]) for name in names]
    one, same, other = engine.encode([engine.chip(image, engine.find(image)[0]) for image in images])
    assert np.linalg.norm(one - same) < 0.42 < 0.7 < np.linalg.norm(one - other)


def test_a_blurred_face_is_less_sharp_the_more_it_is_blurred(engine: Engine, photos: dict[str, Path]) -> None:
    image = read(photos["obama.jpg"])
    (face,) = engine.find(image)
    blurred = [engine.chip(np.asarray(cv2.GaussianBlur(image, (0, 0), s), np.uint8), face) for s in (1, 2, 4, 8)]
    values = [sharpness(chip) for chip in blurred]
    assert values == sorted(values, reverse=True)
    assert sharpness(np.full((150, 150, 3), 128, np.uint8)) == 0


@pytest.mark.parametrize("setting", [{"encoder": "facenet"}, {"detector": "mtcnn"}, {"encoder": "yunet"}])
def test_a_model_that_is_none_ends_the_start_by_its_name(setting: dict[str, str]) -> None:
    with pytest.raises(ModelError, match=next(iter(setting.values()))):
        Engine(RecognizerSettings.model_validate(setting), Path())
