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
"""Right eye, left eye, nose, right and left corner of the mouth (the person's right): (5, 2), x and y in pixels."""


@dataclass(frozen=True)
class Found:
    """A face's place in a picture. `box` is what dlib's detector gives or would give; `points` are None
    where the detector has none.
    """

    box: Box
    points: Points | None = None

    def moved(self, right_px: int, down_px: int) -> Found:
        """The same face where the picture is a part of a larger one, which begins so far left and up."""
        box = self.box.model_copy(update={"left": self.box.left + right_px, "top": self.box.top + down_px})
        return Found(box, None if self.points is None else self.points + np.array([right_px, down_px]))


class Detector(Protocol):
    def find(self, image: Pixels, upsample: int) -> list[Found]:
        """The faces of an RGB picture. Each `upsample` finds faces half as large and takes four times as long."""
