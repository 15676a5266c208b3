"""What moves with a face: behind somebody who moves the wall stands still, behind a face in a picture that
is held up it moves along. Pure.

After A. Anjos, M. Chakka and S. Marcel, "Motion-based counter-measures to photo attacks in face
recognition", IET Biometrics, 2014, who correlate the motion of the face with that of what is around it.
A picture that does not move, or shows nothing but the face, can't be told by this.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

LEAST_MOTIONS = 6
LEAST_MOTION = 0.002  # of the face's width a frame, root mean square: below it is the measurement's noise

Vector = tuple[float, float]


@dataclass(frozen=True)
class Motion:
    """How far the face, and what is around it, moved since the frame before: to the right and down, in widths of
    the face. The camera's own motion is taken off.
    """

    face: Vector
    around: Vector


def context(motions: Sequence[Motion]) -> float | None:
    """1 where what is around a face does not move as it does, 0 where it moves along; None where nothing moved."""
    if len(motions) < LEAST_MOTIONS:
        return None
    face = sum(_dot(m.face, m.face) for m in motions)
    around = sum(_dot(m.around, m.around) for m in motions)
    if face < LEAST_MOTION**2 * len(motions):
        return None
    along = 2 * sum(_dot(m.face, m.around) for m in motions) / (face + around)
    return min(1.0, 1 - max(0.0, along))


def _dot(a: Vector, b: Vector) -> float:
    return a[0] * b[0] + a[1] * b[1]
