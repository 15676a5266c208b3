"""Motion in depth: a flat picture moves as a plane, a head does not. Pure.

The corners of eyes and mouth lie as good as in one plane, so one affine map explains how they move, in a
picture of a face as in a face. It does not explain the tip of the nose of a head that turns: that moves
against them (parallax). How far it should, the face tells itself: what turns by an angle is foreshortened by
its cosine.

Measured with dlib's landmarks, over 3 s: where people turn their heads by some 15 degrees, the tip of the nose
moves by 0.12 to 0.5 distances of the eyes' outer corners; where a photograph of them swings by 35 degrees either
way, by 0.04 to 0.08, which is perspective, and the landmarks' own idea of a face. Of people who hold still it is
0.05, and their foreshortening (expressions, noise) is below 1.13 in 99 of 100 frames, never above 1.18; that of the
photograph is 1.17 to 1.25.

A video on a screen shows a head that turns, so this says nothing against one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agents.recognizer.liveness.look import Marks, Shape, homogeneous

LEAST_LOOKS = 8
STILL = 0.06  # parallax of a face that does not turn
SOLID = 0.12  # parallax that no plane shows
TILTED = 1.2  # foreshortening that tells that something turned
PLANE = 0.14  # of the sine of the angle: about as much parallax as a plane shows


def depth(shapes: Sequence[Shape]) -> float | None:
    """1 for the motion of a solid head, 0 for that of a plane; None where too little moved to tell."""
    if len(shapes) < LEAST_LOOKS:
        return None
    moved, stretch = parallax(shapes), foreshortening(shapes)
    if stretch < TILTED:
        return None if moved <= STILL else min(1.0, (moved - STILL) / (SOLID - STILL))
    plane = PLANE * float(np.sqrt(1 - 1 / stretch**2))
    return min(1.0, max(0.0, (moved - plane) / max(SOLID - plane, STILL)))


def parallax(shapes: Sequence[Shape]) -> float:
    """How far the tip of the nose went, across or up and down; the farthest frame at either end does not count."""
    return max(_spread([shape.nose_x for shape in shapes]), _spread([shape.nose_y for shape in shapes]))


def foreshortening(shapes: Sequence[Shape]) -> float:
    """How much more the face was squeezed one way than the other, against its first look: 1 is not at all.

    The second largest of all looks.
    """
    return sorted(_squeezed(shapes[0].rigid, shape.rigid) for shape in shapes)[-2]


def _spread(values: list[float]) -> float:
    ordered = sorted(values)
    return ordered[-2] - ordered[1]


def _squeezed(before: Marks, after: Marks) -> float:
    """The ratio of the two singular values of the affine map's linear part."""
    affine = np.linalg.lstsq(homogeneous(before), after, rcond=None)[0]
    large, small = np.linalg.svd(affine[:2], compute_uv=False)
    return float(large / max(small, 1e-9))
