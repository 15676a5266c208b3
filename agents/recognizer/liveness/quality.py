"""Whether a face can be judged at all: what is too dark, too small or too blurred tells nothing. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from agents.wire.identity import Box
from agents.wire.liveness import Doubt

MIN_WIDTH_PX = 45
DARK, BRIGHT = 35.0, 230.0  # mean grey level of the face
BLURRED = 8.0  # variance of the Laplacian of the face at 150 px
OUTSIDE = 0.15  # of the face's width or height beyond the picture


@dataclass(frozen=True)
class Quality:
    """`outline` is the whole face's box, `grey` its mean level (0 to 255), `sharpness` as in `Seen`."""

    outline: Box
    grey: float
    sharpness: float

    def doubt(self, width_px: int, height_px: int) -> Doubt | None:
        """What keeps it from being judged in a picture of this size."""
        box = self.outline
        if box.width < MIN_WIDTH_PX:
            return Doubt.TOO_SMALL
        across = max(-box.left, box.left + box.width - width_px) / box.width
        down = max(-box.top, box.top + box.height - height_px) / box.height
        if max(across, down) > OUTSIDE:
            return Doubt.AT_THE_EDGE
        if not DARK <= self.grey <= BRIGHT:
            return Doubt.TOO_DARK if self.grey < DARK else Doubt.TOO_BRIGHT
        return Doubt.TOO_BLURRED if self.sharpness < BLURRED else None
