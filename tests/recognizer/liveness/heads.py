"""A head, and a photograph of it, before a camera: 68 landmarks of a plain solid face, seen from where one likes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from agents.recognizer.liveness.look import Look, Marks, Shape

Pose = tuple[float, float]  # degrees to the person's left, and down
View = Callable[[Pose], Marks]

SOLID = np.zeros((68, 3))  # x to the right of the picture, y down, z towards the camera; eyes' outer corners 1 apart
SOLID[[36, 39, 42, 45]] = [(-0.5, 0, 0), (-0.18, 0.01, 0.03), (0.18, 0.01, 0.03), (0.5, 0, 0)]
SOLID[[48, 54]] = [(-0.28, 0.75, 0.06), (0.28, 0.75, 0.06)]
SOLID[[27, 30, 33]] = [(0, -0.02, 0.14), (0, 0.38, 0.5), (0, 0.5, 0.3)]
FOCAL = 6.0  # the camera is so many eye distances away
OPEN, SHUT = 0.3, 0.12
NOISE_PX = 0.4


def head(pose: Pose = (0, 0), eyes: float = OPEN, size_px: float = 60.0) -> Marks:
    """A solid head that turned."""
    return _seen(_turned(_with_eyes(SOLID, eyes), pose), size_px)


def photograph(pose: Pose = (0, 0), eyes: float = OPEN, size_px: float = 60.0) -> Marks:
    """A photograph of it from the front, that was tilted."""
    points = _with_eyes(SOLID, eyes)
    flat = np.column_stack([points[:, :2] / (1 - points[:, 2:] / FOCAL), np.zeros(len(points))])
    return _seen(_turned(flat, pose), size_px)


def looks(
    marks: Sequence[Marks], texture: float | None = None, noise_px: float = NOISE_PX, seed: int = 0
) -> list[Look]:
    """Ten a second, with the landmarks' noise."""
    random = np.random.default_rng(seed)
    noisy = [one + noise_px * random.standard_normal(one.shape) for one in marks]
    return [Look(i / 10, texture, Shape.of(one)) for i, one in enumerate(noisy)]


def swing(view: Callable[..., Marks], left: float = 0, down: float = 0, frames: int = 30) -> list[Marks]:
    """To that angle (degrees), back through the middle and as far to the other side."""
    turns = [math.sin(2 * math.pi * i / frames) for i in range(frames)]
    return [view((left * turn, down * turn)) for turn in turns]


def _with_eyes(points: Marks, height: float) -> Marks:
    """Lids as far from each other as the aspect ratio wants."""
    done = points.copy()
    for first, last, lids in ((36, 39, ((37, 41), (38, 40))), (42, 45, ((43, 47), (44, 46)))):
        width = np.linalg.norm(points[last] - points[first])
        for share, (upper, lower) in zip((1 / 3, 2 / 3), lids, strict=True):
            middle = points[first] + share * (points[last] - points[first])
            half = np.array([0, height * width / 2, 0])
            done[upper], done[lower] = middle - half, middle + half
    return done


def _turned(points: Marks, pose: Pose) -> Marks:
    left, down = (math.radians(angle) for angle in pose)
    about_y = np.array([[math.cos(left), 0, math.sin(left)], [0, 1, 0], [-math.sin(left), 0, math.cos(left)]])
    about_x = np.array([[1, 0, 0], [0, math.cos(down), math.sin(down)], [0, -math.sin(down), math.cos(down)]])
    return np.asarray(points @ (about_x @ about_y).T)


def _seen(points: Marks, size_px: float) -> Marks:
    return np.asarray(320 + size_px * points[:, :2] / (1 - points[:, 2:] / FOCAL))
