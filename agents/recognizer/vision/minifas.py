"""MiniFASNet: tells a face from a picture of one by its texture and by what is around it.

minivision, "Silent-Face-Anti-Spoofing", 2020 (github.com/minivision-ai/Silent-Face-Anti-Spoofing), whose two
networks look at a smaller and a larger part of the picture around the face. Theirs are the crop, and the input
as it is: 0 to 255, blue first. Divided by 255 it makes every picture of a face a live one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from agents.recognizer.vision.found import Pixels
from agents.wire.identity import Box

INPUT_PX = 80
LIVE = 1  # of the three classes


class Runs(Protocol):
    def run(self, batch: npt.NDArray[np.generic]) -> npt.NDArray[np.float32]:
        """Logits (1, 3), from float32 (1, 3, 80, 80)."""


@dataclass(frozen=True)
class MiniFas:
    """`networks` each with the crop it was trained on: how much larger than the face."""

    networks: Sequence[tuple[Runs, float]]

    def score(self, image: Pixels, outline: Box) -> float:
        """How live the face in `outline` of an RGB picture is, 0 to 1: the networks' mean. Raises ModelError."""
        scores = [_live(network.run(_input(image, outline, scale))[0]) for network, scale in self.networks]
        return float(np.mean(scores))


def _live(logits: npt.NDArray[np.float32]) -> float:
    """Softmax of the live class; 0 where the logits are no numbers."""
    if not np.isfinite(logits).all():
        return 0.0
    powers = np.exp(logits.astype(np.float64) - logits.max())
    return float(powers[LIVE] / powers.sum())


def _input(image: Pixels, outline: Box, scale: float) -> npt.NDArray[np.float32]:
    height, width = image.shape[:2]
    left, top, right, bottom = _around(outline, scale, width, height)
    part = cv2.resize(image[top : bottom + 1, left : right + 1, ::-1], (INPUT_PX, INPUT_PX))
    return np.ascontiguousarray(part.transpose(2, 0, 1)[None], np.float32)


def _around(box: Box, scale: float, width_px: int, height_px: int) -> tuple[int, int, int, int]:
    """The face with what is around it: left, top, and the last column and row. As large as fits, moved inside."""
    scale = min(scale, (width_px - 1) / box.width, (height_px - 1) / box.height)
    left, right = _inside(box.left + box.width / 2, box.width * scale, width_px)
    top, bottom = _inside(box.top + box.height / 2, box.height * scale, height_px)
    return left, top, right, bottom


def _inside(centre: float, length: float, most: int) -> tuple[int, int]:
    first = min(max(centre - length / 2, 0.0), most - 1 - length)
    return int(first), int(first + length)
