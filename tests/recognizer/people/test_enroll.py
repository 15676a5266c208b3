"""Real photos, good ones and bad ones: what the gallery keeps of them, or what is said."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from agents.recognizer.errors import PhotoRefused
from agents.recognizer.people.enroll import encode_crop, encode_photo, portray, take_sample
from agents.recognizer.people.gates import Flaw
from agents.recognizer.people.photo import LONGEST_SIDE_PX, Photo, read_photo
from agents.recognizer.vision.engine import Engine
from tests.recognizer.conftest import Scene
from tests.recognizer.jpegs import jpeg, turned


def resized(photo: Path, scale: float, suffix: str = ".jpg") -> bytes:
    image = cv2.imread(str(photo))
    assert image is not None
    return cv2.imencode(suffix, cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))[1].tobytes()


@pytest.mark.parametrize("name", ["obama.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg", "astronaut.png"])
def test_a_good_photo_gives_an_encoding(name: str, photos: dict[str, Path], engine: Engine) -> None:
    photo = read_photo(photos[name])
    assert encode_photo(photo, engine).shape == (128,)
    assert photo.sha256 == hashlib.sha256(photos[name].read_bytes()).hexdigest()


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_a_phones_large_photo_is_made_smaller_and_its_face_found_where_it_was(
    suffix: str, photos: dict[str, Path], engine: Engine, file: Callable[[bytes], Path]
) -> None:
    photo = read_photo(file(resized(photos["obama.jpg"], 4.0, suffix)))
    assert photo.image.shape[0] == LONGEST_SIDE_PX
    box = engine.find(photo.image)[0].box
    original = engine.find(read_photo(photos["obama.jpg"]).image)[0].box
    assert photo.in_file(box).left == pytest.approx(4 * original.left, abs=60)
    assert photo.in_file(box).width == pytest.approx(4 * original.width, abs=100)


@pytest.mark.parametrize("scale", [1.0, 3.0], ids=["decoded as it is", "decoded smaller"])
def test_a_photo_taken_with_the_phone_held_sideways_is_turned_upright(
    scale: float, photos: dict[str, Path], engine: Engine, file: Callable[[bytes], Path]
) -> None:
    upright = cv2.imdecode(np.frombuffer(resized(photos["obama.jpg"], scale), np.uint8), cv2.IMREAD_COLOR)
    assert upright is not None
    lying = cv2.imencode(".jpg", cv2.rotate(upright, cv2.ROTATE_90_COUNTERCLOCKWISE))[1].tobytes()
    with pytest.raises(PhotoRefused, match="no face"):
        encode_photo(read_photo(file(lying)), engine)
    photo = read_photo(file(turned(lying, 6)))
    assert photo.image.shape[0] > photo.image.shape[1]
    assert encode_photo(photo, engine).shape == (128,)


def test_a_photo_without_a_face_is_refused(engine: Engine, scene: Scene, file: Callable[[bytes], Path]) -> None:
    with pytest.raises(PhotoRefused, match="no face found"):
        encode_photo(read_photo(file(scene())), engine)


def test_a_photo_of_two_people_is_refused(engine: Engine, scene: Scene, file: Callable[[bytes], Path]) -> None:
    two = scene("obama3.jpg", "astronaut.png")
    with pytest.raises(PhotoRefused, match="2 faces found"):
        encode_photo(read_photo(file(two)), engine)


def test_a_photo_of_a_tiny_face_is_refused_as_such(
    engine: Engine, photos: dict[str, Path], file: Callable[[bytes], Path]
) -> None:
    with pytest.raises(PhotoRefused, match=r"too small: (4|5|6)\d px wide, at least 80"):
        encode_photo(read_photo(file(resized(photos["obama.jpg"], 0.2))), engine)


@pytest.mark.parametrize("name", ["obama.jpg", "obama2.jpg", "biden.jpg", "astronaut.png"])
def test_a_blurred_photo_is_refused(
    name: str, engine: Engine, photos: dict[str, Path], file: Callable[[bytes], Path]
) -> None:
    sharp = cv2.imread(str(photos[name]))
    assert sharp is not None
    face_px = engine.find(np.ascontiguousarray(sharp[..., ::-1], np.uint8))[0].box.width
    blurred = cv2.GaussianBlur(sharp, (0, 0), 0.03 * face_px)
    with pytest.raises(PhotoRefused, match="the face is blurred: sharpness"):
        encode_photo(read_photo(file(cv2.imencode(".jpg", blurred)[1].tobytes())), engine)


@pytest.mark.parametrize("name", ["obama.jpg", "biden.jpg", "astronaut.png"])
def test_from_a_kept_crop_the_same_face_can_be_encoded_again(
    name: str, photos: dict[str, Path], engine: Engine
) -> None:
    sample = take_sample(read_photo(photos[name]), engine, keep_crop=True)
    assert sample.crop is not None
    assert np.linalg.norm(encode_crop(sample.crop, engine) - sample.encoding) < 0.2
    assert take_sample(read_photo(photos[name]), engine, keep_crop=False).crop is None


def test_a_crop_without_a_face_or_that_is_no_picture_is_refused(engine: Engine) -> None:
    with pytest.raises(PhotoRefused, match="no face found"):
        encode_crop(jpeg(400, 400), engine)
    with pytest.raises(PhotoRefused, match="is not a JPEG"):
        encode_crop(b"nothing", engine)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda image: image * 0.2, "too dark: brightness"),
        (lambda image: image * 4.0, "too bright: .*% of it is burnt out"),
        (lambda image: 180 + (image - 128) * 0.1, "too pale: contrast"),
        (
            lambda image: image * np.where(np.arange(image.shape[1]) < image.shape[1] / 2, 1.0, 0.15)[:, None],
            "times as bright as the other",
        ),
    ],
    ids=["dark", "burnt out", "pale", "lit from one side"],
)
def test_a_photo_in_bad_light_is_refused_with_its_measure(
    spoil: Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]],
    said: str,
    photos: dict[str, Path],
    engine: Engine,
) -> None:
    photo = read_photo(photos["obama.jpg"])
    box = engine.find(photo.image)[0].box
    left, top, size = box.left - box.width // 2, box.top - box.height // 2, 2 * box.width
    face = photo.image[max(0, top) : top + size, max(0, left) : left + size].astype(np.float64)
    image = np.ascontiguousarray(spoil(face).clip(0, 255), np.uint8)
    with pytest.raises(PhotoRefused, match=said):
        take_sample(Photo(image, 1.0, "0" * 64), engine, keep_crop=False)


LFW = Path(__file__).parents[4] / "shared/faces/lfw/known"


@pytest.mark.skipif(not LFW.exists(), reason="needs the photos of ../shared/faces/lfw")
def test_news_photos_of_one_face_are_nearly_all_good(engine: Engine) -> None:
    found = [portray(read_photo(path).image, engine) for path in sorted(LFW.glob("*/*.jpg"))[::10]]
    reasons = [flaw.reason for flaw in found if isinstance(flaw, Flaw)]
    bad = [reason for reason in reasons if "faces found" not in reason]
    assert len(found) > 100
    assert len(bad) <= 0.05 * len(found), bad
