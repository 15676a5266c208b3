"""What a detector finds, whichever it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from agents.wire.identity import Box

Pixels = npt.NDArray[np.uint8]
"""A picture: RGB, shape (height, width, 3)."""

Points = npt.NDArray[np.float64]
"""x and y in pixels, (n, 2). A detector's five: right eye, left eye, nose, right and left corner of the mouth (the
person's right)."""


@dataclass(frozen=True)
class Found:
    """A face's place in a picture. `box` is what dlib's detector gives or would give, from eyebrows to chin;
    `outline` is what YuNet gives or would give, with the forehead; `points` are None where the detector has none.
    """

    box: Box
    outline: Box
    points: Points | None = None

    def moved(self, right_px: int, down_px: int) -> Found:
        """The same face where the picture is a part of a larger one, which begins so far left and up."""
        points = None if self.points is None else self.points + np.array([right_px, down_px])
        return Found(_moved(self.box, right_px, down_px), _moved(self.outline, right_px, down_px), points)


class Detector(Protocol):
    def find(self, image: Pixels, upsample: int) -> list[Found]:
        """The faces of an RGB picture. Each `upsample` finds faces half as large and takes four times as long."""


def _moved(box: Box, right_px: int, down_px: int) -> Box:
    return box.model_copy(update={"left": box.left + right_px, "top": box.top + down_px})
