"""Decoding, and the annotated snapshot."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.recognizer.picture import Pixels, decode_frame, face_crop, fit, label, snapshot
from agents.wire.identity import Box, Face, Identity
from agents.wire.liveness import Doubt, Liveness, Verdict
from agents.wire.messages import BadMessage
from tests.recognizer.jpegs import claiming

GREY = np.full((360, 640, 3), 128, np.uint8)


def face(person: str | None, box: tuple[int, int, int, int] = (200, 100, 120, 120), distance: float = 0.35) -> Face:
    left, top, width, height = box
    place = Box(left=left, top=top, width=width, height=height)
    return Face(person=person, distance=distance, margin=None, box=place, sharpness=50.0)


def drawn(image: Pixels, *faces: Face) -> Pixels:
    jpeg = snapshot(image, Identity(id="front-1-1", camera="front", captured_at=1.0, seq=1, faces=faces))
    return decode_frame(jpeg, 12_000_000)


def test_a_frame_is_decoded_to_red_green_blue() -> None:
    red = np.zeros((40, 60, 3), np.uint8)
    red[..., 2] = 250  # OpenCV's order is blue, green, red
    image = decode_frame(cv2.imencode(".jpg", red)[1].tobytes(), 12_000_000)
    assert image.shape == (40, 60, 3)
    assert image.dtype == np.uint8
    assert image[20, 30, 0] > 240
    assert image[20, 30, 2] < 10


def test_a_picture_that_opencv_can_not_decode_is_a_bad_message() -> None:
    with pytest.raises(BadMessage, match="can't be decoded"):
        decode_frame(claiming(64, 48), 12_000_000)


def test_known_faces_have_a_green_box_and_strangers_a_red_one() -> None:
    known, stranger = (40, 150, 120, 120), (400, 150, 120, 120)
    image = drawn(GREY, face("Ana", known), face(None, stranger)).astype(int)
    red, green, _ = np.moveaxis(image, 2, 0)
    on_left_edges = [(slice(180, 260), slice(left - 1, left + 2)) for left in (40, 400)]
    assert (green - red)[on_left_edges[0]].mean() > 50
    assert (red - green)[on_left_edges[1]].mean() > 50
    assert abs(image[210, 250] - 128).max() < 5, "what lies between the boxes is untouched"


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Ana Kovač", "Ana Kovac 0.35"),
        ("Đuro Šimić", "Duro Simic 0.35"),
        ("Łukasz Sørensen-Groß", "Lukasz Sorensen-Gross 0.35"),
        ("李", "? 0.35"),
        (None, "unknown 0.35"),
    ],
)
def test_names_are_written_in_letters_that_can_be_drawn(name: str | None, written: str) -> None:
    assert label(face(name)) == written


@given(
    name=st.none() | st.text("abč李 ", min_size=1, max_size=64).filter(lambda n: n == n.strip()),
    box=st.tuples(*[st.integers(-700, 1400)] * 2, *[st.integers(1, 3000)] * 2),
    size=st.tuples(st.integers(1, 400), st.integers(1, 400)),
)
@settings(max_examples=50)
def test_a_face_can_be_anywhere_in_any_picture(
    name: str | None, box: tuple[int, int, int, int], size: tuple[int, int]
) -> None:
    assert drawn(np.zeros((*size, 3), np.uint8), face(name, box)).shape == (*size, 3)


def test_a_large_picture_is_published_smaller_with_the_box_in_its_place() -> None:
    image = drawn(np.full((2000, 4000, 3), 128, np.uint8), face("Ana", (1000, 800, 800, 800))).astype(int)
    assert image.shape == (640, 1280, 3)
    assert (image[300:480, 319:323, 1] - image[300:480, 319:323, 0]).mean() > 30


def test_a_picture_of_one_row_can_be_made_smaller() -> None:
    assert fit(np.zeros((1, 9000, 3), np.uint8), 1280).shape == (1, 1280, 3)


def test_a_small_picture_is_not_made_larger() -> None:
    assert fit(GREY, 1280) is GREY


def test_a_face_is_cropped_with_half_its_size_around_it() -> None:
    image = np.zeros((360, 640, 3), np.uint8)
    image[100:200, 300:400] = (250, 0, 0)
    crop = decode_frame(face_crop(image, Box(left=300, top=100, width=100, height=100)), 12_000_000).astype(int)
    assert crop.shape == (200, 200, 3)
    red = crop[..., 0] > 125
    assert red[55:145, 55:145].all()
    red[45:155, 45:155] = False
    assert not red.any()


@given(
    box=st.tuples(*[st.integers(-700, 1400)] * 2, *[st.integers(1, 3000)] * 2),
    size=st.tuples(st.integers(1, 900), st.integers(1, 900)),
)
@settings(max_examples=50, deadline=None)
def test_a_crop_is_a_small_picture_wherever_the_face_is(box: tuple[int, int, int, int], size: tuple[int, int]) -> None:
    left, top, width, height = box
    image = np.zeros((*size, 3), np.uint8)
    crop = decode_frame(face_crop(image, Box(left=left, top=top, width=width, height=height)), 160_000)
    assert max(crop.shape) <= 400


def test_a_picture_that_was_held_up_is_labelled_as_one() -> None:
    spoof = Liveness(verdict=Verdict.SPOOF, doubt=Doubt.TEXTURE, frames=5, texture=0.02)
    assert label(face("Ana").model_copy(update={"liveness": spoof})) == "Ana (picture) 0.35"
