"""What a long run found: promises that were broken, figures, and what else a reader should know."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

Figure = float | int | str | None


@dataclass
class Report:
    """A sentence for each time a promise was broken; in `late` where it was one about seconds, which a machine
    that has more to do than it can may break by itself. `load` is the machine's load average.
    """

    title: str
    figures: dict[str, Figure] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    load: list[float] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def kept(self) -> bool:
        return not self.broken and not self.late

    @property
    def json(self) -> dict[str, Any]:
        return {**asdict(self), "kept": self.kept}

    def __str__(self) -> str:
        load = " -> ".join(f"{value:.1f}" for value in self.load)
        lines = [f"== {self.title}: {self.seconds:.0f} s, load average {load}"]
        lines += [f"  {name:<58} {_shown(value)}" for name, value in self.figures.items()]
        lines += [f"  note: {note}" for note in self.notes]
        lines += [f"  BROKEN: {text}" for text in self.broken + self.late] or ["  every promise was kept"]
        return "\n".join(lines)

    def __enter__(self) -> Report:
        self._began = time.monotonic()
        self.load.append(round(os.getloadavg()[0], 1))
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = round(time.monotonic() - self._began, 1)
        self.load.append(round(os.getloadavg()[0], 1))

    def spread(self, name: str, values: Sequence[float]) -> None:
        """A figure for how values are spread."""
        text = f"n {len(values)}"
        if values:
            text = f"median {median(values):.3g}, longest {max(values):.3g}, {text}"
        self.figures[name] = text


def progress(what: str) -> None:
    print(f"soak: {what}", file=sys.stderr, flush=True)


def _shown(value: Figure) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
