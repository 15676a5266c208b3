"""Cropping, turning and fitting, on pictures whose every pixel is known."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.camera import picture
from agents.camera.config import CameraSettings
from agents.camera.picture import Image, PictureError

RED, GREEN, BLUE, WHITE = (0, 0, 255), (0, 255, 0), (255, 0, 0), (255, 255, 255)


def settings(**values: Any) -> CameraSettings:
    return CameraSettings.model_validate({"source": 0, "width_px": 640, "height_px": 360, **values})


def quarters(width: int = 64, height: int = 32) -> Image:
    """Red and green above, blue and white below."""
    image = np.zeros((height, width, 3), np.uint8)
    image[: height // 2, : width // 2], image[: height // 2, width // 2 :] = RED, GREEN
    image[height // 2 :, : width // 2], image[height // 2 :, width // 2 :] = BLUE, WHITE
    return image


def corners(image: Image) -> list[tuple[int, ...]]:
    """Upper left, upper right, lower left, lower right."""
    return [tuple(int(x) for x in image[y, x]) for y in (0, -1) for x in (0, -1)]


@pytest.mark.parametrize(
    ("turned", "expected"),
    [
        ({}, [RED, GREEN, BLUE, WHITE]),
        ({"rotate_deg": 90}, [BLUE, RED, WHITE, GREEN]),
        ({"rotate_deg": 180}, [WHITE, BLUE, GREEN, RED]),
        ({"rotate_deg": 270}, [GREEN, WHITE, RED, BLUE]),
        ({"flip": "horizontal"}, [GREEN, RED, WHITE, BLUE]),
        ({"flip": "vertical"}, [BLUE, WHITE, RED, GREEN]),
        ({"rotate_deg": 90, "flip": "horizontal"}, [RED, BLUE, GREEN, WHITE]),
    ],
)
def test_a_picture_is_turned_clockwise_and_then_mirrored(
    turned: dict[str, Any], expected: list[tuple[int, ...]]
) -> None:
    assert corners(picture.prepare(quarters(), settings(**turned))) == expected


def test_what_is_cropped_is_cropped_before_the_picture_is_turned() -> None:
    kept = picture.prepare(quarters(), settings(crop={"left": 0.5}, rotate_deg=90))
    assert kept.shape == (32, 32, 3)
    assert corners(kept) == [WHITE, GREEN, WHITE, GREEN]


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [
        (1280, 720, (360, 640)),
        (640, 480, (360, 480)),
        (4000, 100, (16, 640)),
        (320, 240, (240, 320)),
        (640, 360, (360, 640)),
        (90_000, 1, (1, 640)),
    ],
    ids=["half", "fits inside", "wide", "never enlarged", "as it is", "a line"],
)
def test_a_picture_fits_inside_with_its_proportions_kept(width: int, height: int, expected: tuple[int, int]) -> None:
    image = np.zeros((height, width, 3), np.uint8)
    assert picture.prepare(image, settings()).shape[:2] == expected


@given(
    size=st.tuples(st.integers(1, 50), st.integers(1, 50)),
    share=st.tuples(*[st.floats(0, 0.499)] * 4),
)
def test_any_crop_of_any_picture_leaves_a_picture(size: tuple[int, int], share: tuple[float, ...]) -> None:
    crop = dict(zip(("left", "top", "right", "bottom"), share, strict=True))
    assert picture.prepare(np.zeros((*size, 3), np.uint8), settings(crop=crop)).size > 0


def test_one_different_bit_is_a_different_picture() -> None:
    one, other = quarters(), quarters()
    assert picture.equal(one, other)
    other[17, 23, 1] ^= 1
    assert not picture.equal(one, other)
    assert not picture.equal(one, one[1:])
    assert not picture.equal(one, None)


def test_a_frame_is_a_jpeg_of_the_picture_and_smaller_at_lower_quality() -> None:
    image = np.random.default_rng(1).integers(0, 256, (36, 64, 3), np.uint8)
    good, poor = picture.encode(image, 95), picture.encode(image, 30)
    decoded = cv2.imdecode(np.frombuffer(good, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    assert decoded.shape == image.shape
    assert len(poor) < len(good)


def test_colours_are_still_right_in_the_frame() -> None:
    decoded = cv2.imdecode(np.frombuffer(picture.encode(quarters(), 95), np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    assert np.abs(decoded[4, 4].astype(int) - RED).max() < 20


def test_a_frame_too_large_for_its_readers_is_refused_with_a_remedy() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (1500, 1500, 3), np.uint8)
    with pytest.raises(PictureError, match="lower quality"):
        picture.encode(noise, 100)
