"""The only file that touches dlib: its detector, its landmarks, and its own way through its network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import dlib
import numpy as np
import numpy.typing as npt

from agents.recognizer.vision.boxes import outline_of
from agents.recognizer.vision.found import Found, Pixels, Points
from agents.wire.identity import Box

CHIP_PX = 150
CHIP_PADDING = 0.25


class Hog:
    """dlib's frontal face detector. It finds faces of 80 px and more, half of that with each `upsample`."""

    def __init__(self) -> None:
        self._detect = dlib.get_frontal_face_detector()

    def find(self, image: Pixels, upsample: int) -> list[Found]:
        gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)  # 640 by 360 in 20 ms, where RGB takes 29
        boxes = [_box(rectangle) for rectangle in self._detect(gray, upsample)]
        return [Found(box, outline_of(box)) for box in boxes]


class Chips:
    """Turns a face upright: 5-point landmarks, then a chip of 150 px with a quarter of padding."""

    def __init__(self, model: Path) -> None:
        self._landmarks = dlib.shape_predictor(str(model))

    def chip(self, image: Pixels, box: Box) -> Pixels:
        """RGB (150, 150, 3), from RGB (height, width, 3)."""
        part, box = _around(image, box)
        shape = self._landmarks(part, _rectangle(box))
        chip: Pixels = dlib.get_face_chip(part, shape, CHIP_PX, CHIP_PADDING)
        return chip


class Landmarks:
    """dlib's 68 landmarks: V. Kazemi and J. Sullivan, "One Millisecond Face Alignment", 2014."""

    def __init__(self, model: Path) -> None:
        self._landmarks = dlib.shape_predictor(str(model))

    def marks(self, image: Pixels, box: Box) -> Points:
        """(68, 2) in pixels, from RGB (height, width, 3)."""
        part, inside = _around(image, box)
        shape = self._landmarks(part, _rectangle(inside))
        marks = np.array([(point.x, point.y) for point in shape.parts()], np.float64)
        return np.asarray(marks + np.array([box.left - inside.left, box.top - inside.top]))


class Reference:
    """dlib's own way through its network: what the converted one is held against, and the fallback."""

    def __init__(self, model: Path) -> None:
        self._network = dlib.face_recognition_model_v1(str(model))

    def run(self, chips: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """(n, 128), from RGB chips (n, 150, 150, 3)."""
        return np.array([self._network.compute_face_descriptor(chip) for chip in _contiguous(chips)], np.float32)


def _around(image: Pixels, box: Box) -> tuple[Pixels, Box]:
    """The face with its own size around it, more than any chip reaches: dlib copies all it is given, twice."""
    left, top = max(0, box.left - box.width), max(0, box.top - box.height)
    right, bottom = max(left + 1, box.left + 2 * box.width), max(top + 1, box.top + 2 * box.height)
    part = np.ascontiguousarray(image[top:bottom, left:right])
    if not part.size:  # a box beside the picture
        return image, box
    return part, box.model_copy(update={"left": box.left - left, "top": box.top - top})


def _contiguous(chips: npt.NDArray[np.uint8]) -> Sequence[Pixels]:
    return [np.ascontiguousarray(chip) for chip in chips]


def _box(rectangle: Any) -> Box:
    return Box(left=rectangle.left(), top=rectangle.top(), width=rectangle.width(), height=rectangle.height())


def _rectangle(box: Box) -> Any:
    """dlib's rectangles include their last row and column."""
    return dlib.rectangle(box.left, box.top, box.left + box.width - 1, box.top + box.height - 1)
