"""From a source's picture to the frame that is published."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from agents.camera.config import CameraSettings, Crop
from agents.wire.messages import MAX_FRAME_BYTES

Image = npt.NDArray[np.uint8]
"""BGR, uint8, (height, width, 3)."""

_ROTATE = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}
_FLIP = {"horizontal": 1, "vertical": 0}


class PictureError(Exception):
    """The picture can't be a frame; its text says what to do, for people."""


def use_one_thread() -> None:
    """OpenCV's own threads wait for more in a busy loop: for pictures this small that costs more than it gains."""
    cv2.setNumThreads(1)


def crop(image: Image, share: Crop) -> Image:
    """What is left of the picture, not copied: at least one pixel of any."""
    height, width = image.shape[:2]
    left, top = int(share.left * width), int(share.top * height)
    right, bottom = width - int(share.right * width), height - int(share.bottom * height)
    return image[top : max(bottom, top + 1), left : max(right, left + 1)]


def prepare(image: Image, settings: CameraSettings) -> Image:
    """Crop, rotate, flip and fit, in this order."""
    image = crop(image, settings.crop)
    if settings.rotate_deg:
        image = _array(cv2.rotate(image, _ROTATE[settings.rotate_deg]))
    if settings.flip != "none":
        image = _array(cv2.flip(image, _FLIP[settings.flip]))
    return _fit(image, settings.width_px, settings.height_px)


def equal(image: Image, other: Image | None) -> bool:
    """Whether two pictures are the same to the last bit."""
    return other is not None and image.shape == other.shape and cv2.norm(image, other, cv2.NORM_INF) == 0


def encode(image: Image, quality: int) -> bytes:
    """The picture as a JPEG. Raises PictureError when it is larger than any agent reads."""
    jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
    if len(jpeg) > MAX_FRAME_BYTES:
        raise PictureError(
            f"a frame of {len(jpeg)} bytes, at most {MAX_FRAME_BYTES} are read: "
            "lower quality, or width_px and height_px"
        )
    return jpeg


def _fit(image: Image, width_px: int, height_px: int) -> Image:
    """As large as fits inside width × height with its proportions kept.

    Never enlarged: that would add bytes and time, but nothing a face could be told by. Never padded
    or distorted: faces have to keep their shape.
    """
    height, width = image.shape[:2]
    scale = min(width_px / width, height_px / height)
    if scale >= 1:
        return image
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return _array(cv2.resize(image, size, interpolation=cv2.INTER_AREA))


def _array(image: object) -> Image:
    return np.asarray(image, np.uint8)
