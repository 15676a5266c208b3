"""dlib on photographs, held against face_recognition on the same ones."""

from __future__ import annotations

from pathlib import Path

import cv2
import face_recognition
import numpy as np
import pytest

from agents.recognizer.errors import ModelError
from agents.recognizer.faces import FaceEngine, Pixels, check_model, sharpness
from agents.recognizer.picture import decode_frame
from tests.recognizer.conftest import Scene

MAX_PIXELS = 12_000_000


def read(path: Path) -> Pixels:
    image = cv2.imread(str(path))
    assert image is not None
    return np.ascontiguousarray(image[..., ::-1], dtype=np.uint8)


@pytest.mark.parametrize("name", ["obama.jpg", "obama2.jpg", "biden.jpg", "astronaut.png"])
def test_an_encoding_is_the_one_that_face_recognition_makes_of_the_same_box(
    name: str, photos: dict[str, Path], engine: FaceEngine
) -> None:
    image = read(photos[name])
    (box,) = engine.find(image)
    right, bottom = box.left + box.width - 1, box.top + box.height - 1
    (theirs,) = face_recognition.face_encodings(image, [(box.top, right, bottom, box.left)], model="small")
    ours = engine.encode(image, box)
    assert ours.shape == (128,)
    assert ours.dtype == np.float64
    np.testing.assert_array_equal(ours, theirs)


def test_every_face_of_a_frame_is_found_the_largest_first(engine: FaceEngine, scene: Scene) -> None:
    image = decode_frame(scene("obama3.jpg", "astronaut.png"), MAX_PIXELS)
    seen = engine.look(image, min_face_px=60)
    assert len(seen) == 2
    assert seen[0].box.width >= seen[1].box.width
    assert engine.look(image, min_face_px=300) == []


@pytest.mark.parametrize("shape", [(360, 640), (1, 1), (1, 300), (300, 1), (79, 79)])
def test_there_is_nobody_in_a_grey_picture_of_any_size(shape: tuple[int, int], engine: FaceEngine) -> None:
    assert engine.find(np.full((*shape, 3), 128, np.uint8), upsample=1) == []


def test_two_photos_of_one_man_are_near_and_another_man_is_far(engine: FaceEngine, photos: dict[str, Path]) -> None:
    names = ("obama.jpg", "obama3.jpg", "biden.jpg")
    one, same, other = (engine.encode(image, engine.find(image)[0]) for image in (read(photos[n]) for n in names))
    assert np.linalg.norm(one - same) < 0.42 < 0.7 < np.linalg.norm(one - other)


def test_a_blurred_face_is_less_sharp_the_more_it_is_blurred(engine: FaceEngine, photos: dict[str, Path]) -> None:
    image = read(photos["obama.jpg"])
    (box,) = engine.find(image)
    blurred = [engine.chip(np.asarray(cv2.GaussianBlur(image, (0, 0), s), np.uint8), box) for s in (1, 2, 4, 8)]
    values = [sharpness(chip) for chip in blurred]
    assert values == sorted(values, reverse=True)
    assert sharpness(np.full((150, 150, 3), 128, np.uint8)) == 0


def test_a_model_file_that_is_not_the_measured_one_is_refused_by_name(tmp_path: Path) -> None:
    model = tmp_path / "shape.dat"
    with pytest.raises(ModelError, match=r"shape\.dat: No such file"):
        check_model(model, "0" * 64)
    model.write_bytes(b"other weights")
    with pytest.raises(ModelError, match=r"shape\.dat: is another file than expected"):
        check_model(model, "0" * 64)
