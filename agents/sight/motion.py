"""Whether anything moves before a camera, for a third of a millisecond a picture. Pure."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

CELL_PX = 8  # a cell's width and height: enough pixels for a sensor's noise to average out
ROWS = 45
LINES = CELL_PX * ROWS  # larger pictures are thinned out first
ADAPT_S = 5.0  # time constant in which what stays becomes part of the scene
LIGHT = (0.7, 1.4)  # the whole picture darker or lighter by this is only light
GREY_LEVELS, SHARE = 5.0, 0.03  # a cell changed by more than this, and this share of its brightness, has changed
CELLS = 4  # so many changed cells are something that moves

Image = npt.NDArray[np.uint8]
"""BGR, (height, width, 3)."""

Cells = npt.NDArray[np.float32]
"""Grey, about 45 rows."""


def cells(image: Image) -> Cells:
    """The picture's brightness, in cells of 8 × 8 pixels of a picture of about `LINES` lines."""
    step = max(1, image.shape[0] // LINES)
    if step > 1:  # to average over every pixel of a large picture would take longer than all the rest
        size = image.shape[1] // step, image.shape[0] // step
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_NEAREST), np.uint8)
    across, down = max(1, image.shape[1] // CELL_PX), max(1, image.shape[0] // CELL_PX)
    grey = cv2.cvtColor(image[: down * CELL_PX, : across * CELL_PX], cv2.COLOR_BGR2GRAY)
    return np.asarray(cv2.resize(grey, (across, down), interpolation=cv2.INTER_AREA), np.float32)


class Scene:
    """The scene as it usually is, and how pictures differ from it.

    Compared is not with the picture before but with a mean of the last seconds' (each picture weighs
    1/e of one that comes `ADAPT_S` later), brought to the same brightness first. So what moves slowly
    adds up, and somebody who stands and breathes keeps moving.

    Chosen on an empty hallway, 640 × 360, lit 3 % lighter or darker each time: with noise of up to 10
    grey levels no cell changed in 200 pictures, with 15 one at most; dusk that halves the light in a
    minute, or a cloud that takes 30 % in two seconds, changed none. Somebody whose face is 20 pixels
    wide, and half of it out of view, changed 36 cells or more, with 60 pixels 178 or more; in an eighth
    of the light 10 and 82. A man who sat as still as he could, for a minute, moved in 42 % of the
    pictures and never stopped for longer than 2.2 s.
    """

    def __init__(self) -> None:
        self._usual: Cells | None = None
        self._seen_at = 0.0

    def moved(self, cells: Cells, mono: float) -> bool:
        """Whether a picture, taken at this monotonic time, shows something new; the first one does."""
        if self._usual is None or self._usual.shape != cells.shape:
            self._usual, self._seen_at = cells, mono
            return True
        moved = _changed(cells, self._usual) >= CELLS
        weight = -np.expm1((self._seen_at - mono) / ADAPT_S)
        cv2.accumulateWeighted(cells, self._usual, float(weight))
        self._seen_at = mono
        return moved


def _changed(cells: Cells, usual: Cells) -> int:
    """How many cells differ by more than light and noise explain."""
    light = float(np.vdot(cells, usual)) / max(float(np.vdot(usual, usual)), 1.0)  # least squares
    expected = usual * np.clip(light, *LIGHT)
    return int(np.count_nonzero(np.abs(cells - expected) > GREY_LEVELS + SHARE * usual))
