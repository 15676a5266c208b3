"""The one face of a clip's picture, as the recognizer's detector finds it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from agents.recognizer.vision.manifest import merged
from agents.recognizer.vision.models import Models
from agents.recognizer.vision.yunet import YuNet

Image = npt.NDArray[np.uint8]

SMALLEST_PX = 30


@dataclass(frozen=True)
class Face:
    """In pixels of its picture: YuNet's box, and its five points, (5, 2)."""

    left: float
    top: float
    width: float
    height: float
    points: npt.NDArray[np.float64]

    @property
    def middle(self) -> tuple[float, float]:
        return self.left + self.width / 2, self.top + self.height / 2


def largest(image: Image) -> Face | None:
    """The largest face of a BGR picture. Raises ModelError where YuNet is not installed."""
    rgb = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)
    found = max(_yunet().find(rgb, 0), key=lambda face: face.outline.width, default=None)
    if found is None or found.points is None:
        return None
    box = found.outline
    return Face(box.left, box.top, box.width, box.height, found.points)


def sharpest(images: Sequence[Image]) -> tuple[Image, Face] | None:
    """The picture whose face has the most detail, of at most a dozen; None when none has a face."""
    chosen = images[:: max(1, len(images) // 12)]
    seen = [(image, face) for image in chosen if (face := largest(image)) is not None]
    return max(seen, key=lambda pair: _detail(*pair), default=None)


def _detail(image: Image, face: Face) -> float:
    left, top = max(0, int(face.left)), max(0, int(face.top))
    part = image[top : int(face.top + face.height), left : int(face.left + face.width)]
    return float(cv2.Laplacian(cv2.cvtColor(part, cv2.COLOR_BGR2GRAY), cv2.CV_32F).var())


@cache
def _yunet() -> YuNet:
    return YuNet(Models(merged({}), Path()).path("yunet"), SMALLEST_PX)
