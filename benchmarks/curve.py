"""The error curve as a picture, drawn with OpenCV: that is there already, and it is but a few lines."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

WIDTH, HEIGHT = 900, 600
LEFT, RIGHT, TOP, BOTTOM = 90, 30, 50, 70
LEAST, MOST_REJECTED = 1e-5, 0.2  # of false accepts, where the axis begins; of false rejects, where it ends
COLOURS = [(160, 90, 20), (30, 30, 200), (40, 140, 40)]  # BGR
GREY, BLACK = (215, 215, 215), (30, 30, 30)
FONT = cv2.FONT_HERSHEY_SIMPLEX

Array = npt.NDArray[np.float64]
Canvas = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Line:
    """False accepts and false rejects, as shares, and where the default threshold stands."""

    accepts: Array
    rejects: Array
    default: tuple[float, float]


def line(strangers: Array, others: Array, default: float) -> Line:
    """From scores: whoever's is at most a threshold is let in."""
    strangers, others = np.sort(strangers), np.sort(others)
    thresholds = np.unique(np.concatenate([strangers, others, [default]]))
    thresholds = thresholds[np.isfinite(thresholds)]

    def shares(of: Array) -> tuple[Array, Array]:
        return (
            np.searchsorted(strangers, of, "right") / len(strangers),
            1 - np.searchsorted(others, of, "right") / len(others),
        )

    accepts, rejects = shares(thresholds)
    at = shares(np.array([default]))
    return Line(accepts, rejects, (float(at[0][0]), float(at[1][0])))


def draw(lines: dict[str, Line], path: Path) -> None:
    """Raises SystemExit when the file can't be written."""
    canvas: Canvas = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    _axes(canvas)
    for number, (name, drawn) in enumerate(lines.items()):
        colour = COLOURS[number % len(COLOURS)]
        _curve(canvas, drawn, colour)
        y = TOP + 24 + 26 * number
        cv2.line(canvas, (WIDTH - 300, y), (WIDTH - 260, y), colour, 2, cv2.LINE_AA)
        _text(canvas, f"{name} (dot: default)", (WIDTH - 250, y + 5))
    try:
        written = cv2.imwrite(str(path), canvas)
    except cv2.error as error:
        raise SystemExit(f"{path}: can't be written: {error.err}") from None
    if not written:
        raise SystemExit(f"{path}: can't be written")


def _curve(canvas: Canvas, drawn: Line, colour: tuple[int, int, int]) -> None:
    shown = drawn.rejects <= MOST_REJECTED
    points = [_point(a, r) for a, r in zip(drawn.accepts[shown], drawn.rejects[shown], strict=True)]
    cv2.polylines(canvas, [np.array(points, np.int32)], False, colour, 2, cv2.LINE_AA)
    cv2.circle(canvas, _point(*drawn.default), 7, colour, cv2.FILLED, cv2.LINE_AA)


def _point(accepts: float, rejects: float) -> tuple[int, int]:
    """A share of 0 stands at the left edge."""
    x = np.log10(max(accepts, LEAST) / LEAST) / -np.log10(LEAST)
    y = 1 - min(rejects, MOST_REJECTED) / MOST_REJECTED
    return round(LEFT + x * (WIDTH - LEFT - RIGHT)), round(TOP + y * (HEIGHT - TOP - BOTTOM))


def _axes(canvas: Canvas) -> None:
    for power in range(round(np.log10(LEAST)), 1):
        x, _ = _point(10.0**power, 0)
        cv2.line(canvas, (x, TOP), (x, HEIGHT - BOTTOM), GREY, 1)
        _text(canvas, f"{100 * 10.0**power:g} %", (x - 28, HEIGHT - BOTTOM + 22))
    for percent in range(0, round(100 * MOST_REJECTED) + 1, 5):
        _, y = _point(1, percent / 100)
        cv2.line(canvas, (LEFT, y), (WIDTH - RIGHT, y), GREY, 1)
        _text(canvas, f"{percent} %", (LEFT - 48, y + 5))
    _text(canvas, "strangers let in", (WIDTH // 2 - 60, HEIGHT - 18))
    _text(canvas, "enrolled people not let in under their own name", (20, 28))


def _text(canvas: Canvas, text: str, at: tuple[int, int]) -> None:
    cv2.putText(canvas, text, at, FONT, 0.48, BLACK, 1, cv2.LINE_AA)
