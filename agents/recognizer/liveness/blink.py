"""Blinks: weak evidence, against still pictures only, for a replayed video blinks too. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

CLOSED = 0.75  # of how far the eyes are open otherwise
LEAST_LOOKS = 5


def blinks(eyes: Sequence[float]) -> int:
    """How often they were closed and opened again, from how far they were open in frames one after the other."""
    if len(eyes) < LEAST_LOOKS:
        return 0
    open_ = median(eyes)
    closed = [value < CLOSED * open_ for value in eyes]
    return sum(before and not after for before, after in pairwise(closed))
