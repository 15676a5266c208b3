"""Which files are photos, told before a decoder or a face detector sees them."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from agents.recognizer.errors import PhotoRefused
from agents.recognizer.people.photo import MAX_PHOTO_BYTES, read_photo
from tests.recognizer.jpegs import claiming, jpeg

PNG = cv2.imencode(".png", np.zeros((30, 40, 3), np.uint8))[1].tobytes()


def png_claiming(width: int, height: int) -> bytes:
    return PNG[:16] + struct.pack(">II", width, height) + PNG[24:]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"a letter, not a picture", "is neither a JPEG nor a PNG picture"),
        (b"GIF89a" + bytes(50), "is neither a JPEG nor a PNG picture"),
        (claiming(30_000, 30_000), "picture of 30000×30000 pixels"),
        (png_claiming(30_000, 30_000), "picture of 30000×30000 pixels"),
        (png_claiming(0, 10), "claims 0×10 pixels"),
        (PNG[:20], "claims"),
        (PNG[:-12], "PNG is cut off"),
        (png_claiming(41, 30), "can't be decoded"),
        (jpeg()[:-2], "JPEG is cut off"),
    ],
    ids=[
        *("empty", "text", "GIF", "JPEG bomb", "PNG bomb", "PNG without width", "PNG header cut off", "PNG cut off"),
        *("PNG with a wrong checksum", "JPEG cut off"),
    ],
)
def test_what_is_no_good_picture_is_refused_before_a_face_is_looked_for(
    content: bytes, said: str, file: Callable[[bytes], Path]
) -> None:
    with pytest.raises(PhotoRefused, match=said):
        read_photo(file(content))


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PhotoRefused, match="can't be read: No such file"):
        read_photo(tmp_path / "nothing.jpg")
    with pytest.raises(PhotoRefused, match="is not a file"):
        read_photo(tmp_path)


def test_a_huge_file_is_not_read_into_memory(tmp_path: Path) -> None:
    with (tmp_path / "huge.jpg").open("wb") as file:
        file.truncate(MAX_PHOTO_BYTES + 1)
    with pytest.raises(PhotoRefused, match="is larger than 50 MB"):
        read_photo(tmp_path / "huge.jpg")
