"""Reading photos: one whole JPEG or PNG of at most 50 megapixels, made smaller to 1280 px on its longest side."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import cv2

from agents.recognizer import picture
from agents.recognizer.errors import PhotoRefused
from agents.recognizer.jpeg import check_jpeg, check_pixels
from agents.recognizer.vision.found import Pixels
from agents.wire.identity import Box
from agents.wire.messages import BadMessage, Refusal

MAX_PHOTO_BYTES = 50_000_000
MAX_PHOTO_PIXELS = 50_000_000  # more than a frame may have: phones take 12 to 50 megapixels
LONGEST_SIDE_PX = 1280

PNG_SIGNATURE, PNG_END = b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"
REDUCED = {2: cv2.IMREAD_REDUCED_COLOR_2, 4: cv2.IMREAD_REDUCED_COLOR_4, 8: cv2.IMREAD_REDUCED_COLOR_8}


@dataclass(frozen=True)
class Photo:
    """`image` is upright RGB (height, width, 3), `scale` its size over the file's; `sha256` the file's."""

    image: Pixels
    scale: float
    sha256: str

    def in_file(self, box: Box) -> Box:
        """Where a box of `image` is in the photo as it was."""
        left, top, width, height = (round(v / self.scale) for v in (box.left, box.top, box.width, box.height))
        return Box(left=left, top=top, width=width, height=height)


def read_photo(path: Path) -> Photo:
    """Decode a photo, at most LONGEST_SIDE_PX on its longest side. Raises PhotoRefused."""
    try:
        data = _read(path)
        longest = max(_check(data))
        factor = max((f for f in REDUCED if longest // f >= LONGEST_SIDE_PX), default=1)
        image = picture.decode(data, REDUCED.get(factor, cv2.IMREAD_COLOR))
    except OSError as error:
        raise PhotoRefused(f"can't be read: {error.strerror}") from None
    except BadMessage as error:
        raise PhotoRefused(str(error)) from None
    image = picture.fit(image, LONGEST_SIDE_PX)
    return Photo(image, max(image.shape[:2]) / longest, hashlib.sha256(data).hexdigest())


def _read(path: Path) -> bytes:
    if path.exists() and not path.is_file():
        raise PhotoRefused("is not a file")
    if path.stat().st_size > MAX_PHOTO_BYTES:
        raise PhotoRefused(f"is larger than {MAX_PHOTO_BYTES // 1_000_000} MB")
    return path.read_bytes()


def _check(data: bytes) -> tuple[int, int]:
    """Width and height from the header, before anything is decoded. Raises BadMessage."""
    if data.startswith(b"\xff\xd8"):
        return check_jpeg(data, MAX_PHOTO_PIXELS)
    if not data.startswith(PNG_SIGNATURE):
        raise BadMessage(Refusal.MALFORMED, "is neither a JPEG nor a PNG picture" if data else "is empty")
    width, height = int.from_bytes(data[16:20]), int.from_bytes(data[20:24])  # IHDR always comes first
    check_pixels(width, height, MAX_PHOTO_PIXELS)
    if PNG_END not in data:
        raise BadMessage(Refusal.MALFORMED, "PNG is cut off: its end is missing")
    return width, height
