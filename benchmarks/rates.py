"""Error rates of presentation attack detection, in the terms of ISO/IEC 30107-3."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any

Z = 1.96  # of a 95 % interval


@dataclass(frozen=True)
class Rate:
    """`wrong` of `presentations` were classified wrongly.

    APCER: attacks of one species (presentation attack instrument) that were let in. BPCER: bona fide
    presentations that were not.
    """

    wrong: int
    presentations: int

    @property
    def share(self) -> float | None:
        """None where nothing was presented."""
        return self.wrong / self.presentations if self.presentations else None

    @property
    def interval(self) -> tuple[float, float]:
        """In which the true rate is with 95 %, if presentations were independent: E. B. Wilson, 1927."""
        n = self.presentations
        if n == 0:
            return 0.0, 1.0
        p, z2 = self.wrong / n, Z * Z
        centre, half = p + z2 / (2 * n), Z * sqrt(p * (1 - p) / n + z2 / (4 * n * n))
        return max(0.0, (centre - half) / (1 + z2 / n)), min(1.0, (centre + half) / (1 + z2 / n))

    def figures(self) -> dict[str, Any]:
        low, high = self.interval
        return {"wrong": self.wrong, "presentations": self.presentations, "low": round(low, 4), "high": round(high, 4)}

    def __str__(self) -> str:
        if self.share is None:
            return "none presented"
        low, high = self.interval
        return f"{self.share:.1%} ({self.wrong}/{self.presentations}; {low:.1%}–{high:.1%})"
