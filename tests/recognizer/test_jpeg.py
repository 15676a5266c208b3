"""What the bytes of a JPEG say before anything is decoded."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.recognizer.jpeg import MAX_FRAME_BYTES, MAX_SCANS, check_frame, check_jpeg
from agents.recognizer.picture import decode_frame
from agents.wire.messages import BadMessage, Refusal
from tests.recognizer.jpegs import EOI, SOI, claiming, jpeg, segment, size_segment, turned, with_segment

MAX_PIXELS = 1_000_000
SMALL = jpeg()
PROGRESSIVE = jpeg(40, 30, cv2.IMWRITE_JPEG_PROGRESSIVE, 1)


def refusal(data: bytes, max_pixels: int = MAX_PIXELS) -> Refusal:
    with pytest.raises(BadMessage) as caught:
        check_frame(data, max_pixels)
    return caught.value.refusal


def test_photos_have_the_size_that_opencv_sees(photos: dict[str, Path]) -> None:
    for path in (path for name, path in photos.items() if name.endswith(".jpg")):
        image = cv2.imread(str(path))
        assert image is not None
        assert check_jpeg(path.read_bytes(), 12_000_000) == (image.shape[1], image.shape[0])


def test_a_decompression_bomb_is_refused_by_its_header() -> None:
    bomb = claiming(30_000, 30_000)
    assert len(bomb) < 50
    assert refusal(bomb, 12_000_000) is Refusal.TOO_LARGE


def test_the_largest_allowed_picture_is_allowed_and_one_more_row_is_not() -> None:
    assert check_jpeg(claiming(1000, 1000), MAX_PIXELS) == (1000, 1000)
    assert refusal(claiming(1000, 1001)) is Refusal.TOO_LARGE


def test_a_jpeg_cut_off_anywhere_is_refused() -> None:
    assert {refusal(SMALL[:length]) for length in range(len(SMALL))} == {Refusal.MALFORMED}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"\x89PNG\r\n\x1a\n" + bytes(100),
        SOI + EOI,
        SOI + bytes(100) + EOI,
        SOI + b"\xff" * 100,
        SOI + segment(0xDA) + size_segment(10, 10) + EOI,
        SOI + b"\xff\xe0\x00\x00" + size_segment(10, 10) + EOI,
        SOI + b"\xff\xe0\xff\xff" + size_segment(10, 10) + EOI,
        SOI + segment(0xC4, bytes(10)) + EOI,
        claiming(0, 100),
        claiming(100, 0),
    ],
    ids=[
        *("empty", "text", "PNG", "nothing between start and end", "zeros", "only fill bytes", "data before the size"),
        *("segment without length", "segment longer than the file", "no size", "no width", "no height"),
    ],
)
def test_what_is_no_jpeg_is_refused(data: bytes) -> None:
    assert refusal(data) is Refusal.MALFORMED


def test_more_bytes_than_a_frame_may_have_are_not_looked_at() -> None:
    assert refusal(SMALL + bytes(MAX_FRAME_BYTES)) is Refusal.TOO_LARGE


def test_what_a_camera_appends_after_the_end_does_not_matter() -> None:
    assert check_frame(SMALL + bytes(4096), MAX_PIXELS) == (64, 48)


GREY = np.random.default_rng(1).integers(0, 256, (48, 64), np.uint8)


def without(picture: bytes, marker: int) -> bytes:
    """The picture without the segments of this marker."""
    kept, at = picture[:2], 2
    while picture[at + 1] != 0xDA:
        end = at + 2 + int.from_bytes(picture[at + 2 : at + 4])
        kept, at = kept + (b"" if picture[at + 1] == marker else picture[at:end]), end
    return kept + picture[at:]


@pytest.mark.parametrize(
    "picture",
    [
        cv2.imencode(".jpg", GREY)[1].tobytes(),
        jpeg(64, 48, cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
        jpeg(64, 48, cv2.IMWRITE_JPEG_RST_INTERVAL, 2),
        jpeg(64, 48, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422),
        turned(SMALL, 3),
        without(SMALL, 0xE0),
        without(SMALL, 0xC4),
        b"\xff\xd8\xff" + SMALL[2:],
        SMALL + bytes(3),
        SMALL + bytes(512),
        SMALL + SMALL[-100:],
    ],
    ids=[
        *("grey", "progressive", "with restart markers", "4:2:2", "turned upside down", "without a JFIF header"),
        *("without Huffman tables, as in MJPEG", "a fill byte more", "padded to words", "padded to a block"),
        "with the rest of a longer picture behind",
    ],
)
def test_pictures_as_real_cameras_send_them_are_read(picture: bytes) -> None:
    assert check_frame(picture, MAX_PIXELS) == (64, 48)
    assert decode_frame(picture, MAX_PIXELS).shape == (48, 64, 3)


def test_a_preview_inside_the_header_is_not_taken_for_the_picture() -> None:
    both = with_segment(SMALL, 0xE1, b"Exif\x00\x00" + jpeg(16, 16))
    assert check_frame(both, MAX_PIXELS) == (64, 48)
    assert refusal(both[:-2]) is Refusal.MALFORMED


def test_a_progressive_picture_is_read_but_not_one_of_endless_scans() -> None:
    assert check_frame(PROGRESSIVE, MAX_PIXELS) == (40, 30)
    endless = PROGRESSIVE[:-2] + segment(0xDA, b"\x01\x01\x00\x00\x3f\x00") * (MAX_SCANS + 1) + EOI
    assert refusal(endless) is Refusal.TOO_LARGE


@given(st.binary(max_size=500), st.sampled_from([b"", SOI, SMALL[:200], PROGRESSIVE[:200]]))
def test_whatever_the_bytes_they_are_a_bounded_picture_or_a_bad_message(tail: bytes, head: bytes) -> None:
    try:
        width, height = check_frame(head + tail, MAX_PIXELS)
    except BadMessage:
        return
    assert 0 < width * height <= MAX_PIXELS


@given(
    original=st.sampled_from([SMALL, PROGRESSIVE]),
    changes=st.lists(st.tuples(st.integers(0, len(SMALL) - 1), st.binary(max_size=4), st.integers(0, 4)), max_size=6),
)
def test_a_damaged_picture_is_decoded_at_the_size_it_claims_or_refused(
    original: bytes, changes: list[tuple[int, bytes, int]]
) -> None:
    data = original
    for at, new, cut in changes:
        data = data[:at] + new + data[at + cut :]
    try:
        size = check_frame(data, MAX_PIXELS)
        image = decode_frame(data, MAX_PIXELS)
    except BadMessage:
        return
    assert sorted(image.shape[:2]) == sorted(size)
    assert image.shape[2] == 3
