"""A contact sheet: faces in rows, with what is known of each below it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from agents.recognizer import picture
from agents.recognizer.picture import FONT, Pixels
from agents.wire.messages import BadMessage

CELL_PX, GAP_PX, LINE_PX = 200, 12, 20
TEXT_SCALE, SMALLEST_SCALE = 0.5, 0.3
MAX_COLUMNS = 10
MAX_FACES = 500  # a sheet of 10 by 50, 30 megapixels
MAX_CROP_PIXELS = 1_000_000
PAPER, INK, FAINT = (255, 255, 255), (30, 30, 30), (120, 120, 120)  # BGR


@dataclass(frozen=True)
class Cell:
    """A JPEG of a face, and two lines about it."""

    jpeg: bytes
    name: str
    note: str


def contact_sheet(cells: Sequence[Cell]) -> bytes:
    """A PNG of the faces, at most MAX_FACES of them, row by row. A crop that can't be decoded is left empty."""
    shown = cells[:MAX_FACES]
    columns = min(MAX_COLUMNS, max(1, math.ceil(math.sqrt(len(shown)))))
    rows = max(1, math.ceil(len(shown) / columns))
    width, height = CELL_PX + GAP_PX, CELL_PX + 2 * LINE_PX + GAP_PX
    sheet = np.full((rows * height + GAP_PX, columns * width + GAP_PX, 3), PAPER, np.uint8)
    for number, about in enumerate(shown):
        row, column = divmod(number, columns)
        left, top = GAP_PX + column * width, GAP_PX + row * height
        _draw(sheet[top : top + height, left : left + CELL_PX], about)
    done, data = cv2.imencode(".png", sheet)
    assert done
    return data.tobytes()


def _draw(cell: Pixels, about: Cell) -> None:
    face = _face(about.jpeg)
    height, width = face.shape[:2]
    top, left = (CELL_PX - height) // 2, (CELL_PX - width) // 2
    cell[top : top + height, left : left + width] = face
    _write(cell, about.name, 1, INK)
    _write(cell, about.note, 2, FAINT)


def _face(jpeg: bytes) -> Pixels:
    """BGR, with one side of CELL_PX."""
    try:
        image = picture.decode_frame(jpeg, MAX_CROP_PIXELS)[..., ::-1]
    except BadMessage:
        return np.full((CELL_PX, CELL_PX, 3), 230, np.uint8)
    scale = CELL_PX / max(image.shape[:2])
    size = [max(1, round(side * scale)) for side in image.shape[1::-1]]
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, size, interpolation=how), np.uint8)


def _write(cell: Pixels, text: str, line: int, colour: tuple[int, int, int]) -> None:
    """Smaller if it has to be, and cut short if that is not enough."""
    words, scale = picture.plain(text), TEXT_SCALE
    while (width := cv2.getTextSize(words, FONT, scale, 1)[0][0]) > CELL_PX:
        if scale > SMALLEST_SCALE:
            scale = max(SMALLEST_SCALE, scale * CELL_PX / width)
        else:
            words = words[:-4].rstrip() + "..."
    bottom = CELL_PX + line * LINE_PX - 5
    cv2.putText(cell, words, (0, bottom), FONT, scale, colour, 1, cv2.LINE_AA)
