"""Pictures for people, drawn with matplotlib, which is loaded only when one is asked for.

The same picture is the same file: an SVG can be committed.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from agents.cli.common import CommandError

if TYPE_CHECKING:
    from matplotlib.axes import Axes as _Axes
    from matplotlib.figure import Figure as _Figure

    Axes: TypeAlias = _Axes
    Figure: TypeAlias = _Figure

# Okabe and Ito's colours, which those who see few of them can tell apart, and the ink that shows on each
COLOURS = (
    ("#0072B2", "white"),
    ("#E69F00", "black"),
    ("#009E73", "white"),
    ("#CC79A7", "black"),
    ("#56B4E9", "black"),
    ("#D55E00", "white"),
    ("#F0E442", "black"),
)
INK, FAINT, ALARM = "#222222", "#d9d9d9", "#B00020"
FONTS = ("DejaVu Sans", "Noto Sans CJK JP", "Noto Sans CJK SC", "Noto Sans Arabic", "Noto Sans Hebrew")
DPI = 150
MOST_INCHES = 200.0
STYLE: dict[Any, Any] = {
    "svg.hashsalt": "facelatch",
    "svg.fonttype": "path",  # looks the same wherever it is seen
    "text.parse_math": False,  # a dollar is a dollar
    "text.color": INK,
    "axes.edgecolor": FAINT,
    "hatch.linewidth": 0.6,
}


@contextlib.contextmanager
def picture(path: Path, kind: str, width_in: float, height_in: float) -> Iterator[Figure]:
    """An empty picture of this size in inches, to be drawn on; written as `png` or `svg` at the end."""
    if height_in > MOST_INCHES:
        raise CommandError("that is too much for one picture: name a door, or fewer days")
    try:
        from matplotlib import font_manager, rc_context
        from matplotlib.figure import Figure
    except ImportError as error:
        raise CommandError(
            f"pictures are drawn with matplotlib, which can't be used ({error}): pip install 'facelatch[pictures]'"
        ) from None
    installed = {font.name for font in font_manager.fontManager.ttflist}
    style = {**STYLE, "font.family": [font for font in FONTS if font in installed]}
    with rc_context(style), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # a box stands for what no font here has
        figure = Figure(figsize=(width_in, height_in), facecolor="white")
        yield figure
        _save(figure, path, kind)


def _save(figure: Figure, path: Path, kind: str) -> None:
    metadata = {"Date": None, "Creator": "facelatch"} if kind == "svg" else {"Software": "facelatch"}
    try:
        figure.savefig(path, format=kind, dpi=DPI, metadata=metadata)
    except OSError as error:
        raise CommandError(f"{path} can't be written: {error.strerror or error}") from None
