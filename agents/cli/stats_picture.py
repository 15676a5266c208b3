"""Figures as a picture: visits by day, by hour, and why not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from agents.cli.gallery import counted
from agents.cli.pictures import COLOURS, FAINT, INK, picture
from agents.cli.stats_figures import Count, Figures, Spread
from agents.cli.words import WORDS

if TYPE_CHECKING:
    from agents.cli.pictures import Axes

WIDTH_IN, HEIGHT_IN = 11.0, 6.8
GRANTED, DENIED = COLOURS[0][0], COLOURS[1][0]
MOST_TICKS, MOST_REASONS = 12, 8


def draw(found: Figures, title: str, path: Path, kind: str) -> None:
    """Write the picture as `png` or `svg`."""
    with picture(path, kind, WIDTH_IN, HEIGHT_IN) as figure:
        figure.text(0.06, 0.945, title, fontsize=13, weight="bold")
        figure.text(0.06, 0.905, ";  ".join(_sentences(found)), fontsize=9)
        for x, colour, word in ((0.06, GRANTED, "granted"), (0.14, DENIED, "denied")):
            figure.text(x, 0.865, "■", fontsize=12, color=colour)
            figure.text(x + 0.018, 0.866, word, fontsize=9)
        days = _days(found)
        _bars(figure.add_axes((0.06, 0.53, 0.91, 0.27)), "by day", [name for name, _ in days], [c for _, c in days])
        _bars(figure.add_axes((0.06, 0.08, 0.42, 0.32)), "by hour", [f"{h:02}" for h in range(24)], found.hours)
        _reasons(figure.add_axes((0.75, 0.08, 0.22, 0.32)), found)


def _sentences(found: Figures) -> Iterator[str]:
    yield counted(found.total.visits, "visit")
    spread = Spread.of(found.from_first_s)
    if spread is not None:
        yield f"open {spread.p50:.2f} s after the first frame with a face (95 of 100 times within {spread.p95:.2f} s)"


def _days(found: Figures) -> list[tuple[str, Count]]:
    if not found.days:
        return []
    first, last = min(found.days), max(found.days)
    dates = (first + timedelta(days=i) for i in range((last - first).days + 1))
    return [(f"{on:%m-%d}", found.days.get(on, Count())) for on in dates]


def _bars(axes: Axes, title: str, names: Sequence[str], counts: Sequence[Count]) -> None:
    places = range(len(counts))
    granted, denied = [c.granted for c in counts], [c.denied for c in counts]
    axes.bar(places, granted, color=GRANTED, width=0.8)
    axes.bar(places, denied, bottom=granted, color=DENIED, width=0.8)
    every = max(1, -(-len(counts) // MOST_TICKS))
    axes.set_xticks(places[::every], names[::every], fontsize=8, color=INK)
    axes.set_xlim(-0.6, max(6, len(counts)) - 0.4)
    axes.set_ylim(0, max([1, *(c.visits for c in counts)]) * 1.05)
    axes.locator_params(axis="y", integer=True, nbins=6)
    axes.grid(axis="y", color=FAINT, linewidth=0.6)
    _plain(axes, title)


def _reasons(axes: Axes, found: Figures) -> None:
    reasons = found.reasons.most_common(MOST_REASONS)[::-1]
    axes.barh(range(len(reasons)), [n for _, n in reasons], color=DENIED, height=0.7)
    axes.set_yticks(range(len(reasons)), [WORDS[why] for why, _ in reasons], fontsize=8, color=INK)
    for i, (_, n) in enumerate(reasons):
        axes.text(n, i, f" {n}", fontsize=8, va="center")
    axes.set_xticks([])
    axes.set_xlim(0, max([1, *(n for _, n in reasons)]) * 1.15)
    axes.set_ylim(-0.6, max(4, len(reasons)) - 0.4)
    _plain(axes, "why not")


def _plain(axes: Axes, title: str) -> None:
    axes.set_title(title, loc="left", fontsize=10, weight="bold")
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelcolor=INK, labelsize=8)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
