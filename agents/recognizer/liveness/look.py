"""What one frame tells of one face's liveness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from agents.recognizer.liveness.context import Motion
from agents.wire.liveness import Doubt

Marks = npt.NDArray[np.float64]
"""The 68 landmarks of a face in pixels, (68, 2), in the order of the iBUG 300-W annotation: C. Sagonas
et al., "300 Faces in-the-Wild Challenge", 2013."""

EYES_AND_MOUTH = [36, 39, 42, 45, 48, 54]
"""The corners of eyes and mouth: as good as in one plane, and not moved much by what a face says."""

UPRIGHT: Marks = np.array([[-0.5, 0.0], [-0.18, 0.01], [0.18, 0.01], [0.5, 0.0], [-0.28, 0.75], [0.28, 0.75]])
"""Where they are in a face seen from the front, the outer corners of the eyes 1 apart."""

NOSE = 30
RIGID = [36, 39, 42, 45, 27, 33]
"""The corners of the eyes, and the nose's root and base: what no expression moves."""

RIGHT_EYE, LEFT_EYE = range(36, 42), range(42, 48)


@dataclass(frozen=True)
class Shape:
    """A face's shape, freed from place, size and tilt.

    `nose_x` and `nose_y` are where the tip of the nose is once the corners of eyes and mouth were
    brought to UPRIGHT by an affine map, in distances of the outer corners of the eyes: x grows towards
    the right of the picture, y downwards. However a picture of a face is shifted, turned or tilted, they
    stay what they were, as all of it is one affine map (nearly so at close range); when a head turns,
    the tip of the nose, which is nearer to the camera, moves against the rest (parallax).
    `rigid` are the marks that no expression moves, (6, 2), in pixels. `eyes` is how far the eyes are open: the mean of
    both eyes' aspect ratio after T. Soukupová and J. Čech, "Real-Time Eye Blink Detection using Facial
    Landmarks", 2016.
    """

    nose_x: float
    nose_y: float
    eyes: float
    rigid: Marks

    @classmethod
    def of(cls, marks: Marks) -> Shape | None:
        """None for marks that can't be a face's: in one line, or in one point."""
        corners = marks[EYES_AND_MOUTH]
        upright, _, rank, _ = np.linalg.lstsq(homogeneous(corners), UPRIGHT, rcond=1e-9)
        if rank < 3:
            return None
        x, y = homogeneous(marks[NOSE : NOSE + 1])[0] @ upright
        eyes = (_aspect_ratio(marks[RIGHT_EYE]) + _aspect_ratio(marks[LEFT_EYE])) / 2
        return cls(float(x), float(y), eyes, marks[RIGID])


@dataclass(frozen=True)
class Look:
    """One face in one frame. `at_s` is monotonic. `texture` is the networks' score, 0 to 1, None where there are
    none; `shape` is None where the landmarks make no face, `motion` where there is no frame before, or
    nothing in it that can be followed. With a `doubt` the frame is too bad to tell.
    """

    at_s: float
    texture: float | None = None
    shape: Shape | None = None
    motion: Motion | None = None
    doubt: Doubt | None = None


def within(looks: Sequence[Look], seconds: float) -> list[Look]:
    """Those of the last `seconds`, the newest included."""
    return [look for look in looks if looks[-1].at_s - look.at_s <= seconds]


def homogeneous(points: Marks) -> Marks:
    """(n, 3), from (n, 2)."""
    return np.column_stack([points, np.ones(len(points))])


def _aspect_ratio(eye: Marks) -> float:
    """Height over width of the six marks around an eye."""
    height = np.linalg.norm(eye[1] - eye[5]) + np.linalg.norm(eye[2] - eye[4])
    return float(height / 2 / max(float(np.linalg.norm(eye[0] - eye[3])), 1e-9))
