"""Where a thing held before a camera is seen: a pinhole camera, and flat or bent surfaces that move.

Metres and radians; the camera looks along z, x goes right and y down. A surface has coordinates of its own,
u to the right and v down, in metres from its middle.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi, radians, sin, tan

import cv2
import numpy as np
import numpy.typing as npt

Field = npt.NDArray[np.float32]
"""(height, width): a number for each pixel of the camera."""
Matrix = npt.NDArray[np.float64]

WIDTH_PX, HEIGHT_PX = 640, 360
VIEW_DEG = 65.0  # horizontally
FOCAL_PX = WIDTH_PX / 2 / tan(radians(VIEW_DEG / 2))
OUTSIDE_M = 1e3  # where a ray misses the surface
STEP_PX = 2  # a bent surface is computed at every so manyth pixel, and in between interpolated


@dataclass(frozen=True)
class Pose:
    """The middle of a surface, how it is turned (yaw right, pitch down, roll clockwise), and how much it is bent.

    `bend_per_m` is the curvature of a cylinder, one over its radius: with it above 0 the edges go away from the
    camera. Its axis is the surface's v, or with `across` its u.
    """

    x_m: float
    y_m: float
    z_m: float
    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    bend_per_m: float = 0.0
    across: bool = False


def rotation(pose: Pose) -> Matrix:
    """Columns are the surface's u, v and its normal, which points away from the camera."""
    turn = np.array([[cos(pose.yaw), 0, sin(pose.yaw)], [0, 1, 0], [-sin(pose.yaw), 0, cos(pose.yaw)]])
    nod = np.array([[1, 0, 0], [0, cos(pose.pitch), -sin(pose.pitch)], [0, sin(pose.pitch), cos(pose.pitch)]])
    tip = np.array([[cos(pose.roll), -sin(pose.roll), 0], [sin(pose.roll), cos(pose.roll), 0], [0, 0, 1]])
    return np.asarray(turn @ nod @ tip, np.float64)


def flat(pose: Pose) -> Matrix:
    """The homography from a surface's (u, v, 1) to the camera's pixels."""
    turned = rotation(pose)
    onto = np.column_stack([turned[:, 0], turned[:, 1], (pose.x_m, pose.y_m, pose.z_m)])
    lens = np.array([[FOCAL_PX, 0, WIDTH_PX / 2], [0, FOCAL_PX, HEIGHT_PX / 2], [0, 0, 1]])
    return np.asarray(lens @ onto, np.float64)


def centre_px(pose: Pose) -> tuple[float, float]:
    """Where the surface's middle is seen."""
    return WIDTH_PX / 2 + FOCAL_PX * pose.x_m / pose.z_m, HEIGHT_PX / 2 + FOCAL_PX * pose.y_m / pose.z_m


_COLUMNS, _ROWS = (grid.astype(np.float32) for grid in np.meshgrid(np.arange(WIDTH_PX), np.arange(HEIGHT_PX)))


def seen(pose: Pose) -> tuple[Field, Field]:
    """u and v of what each pixel sees; OUTSIDE_M where it sees nothing of a bent surface."""
    return _bent(pose) if abs(pose.bend_per_m) > 0.05 else _flat(pose)


def _flat(pose: Pose) -> tuple[Field, Field]:
    back = np.linalg.inv(flat(pose)).astype(np.float32)
    # along a row each of the three is a constant and a slope: much cheaper than a product for each pixel
    across, down = _COLUMNS[:1], _ROWS[:, :1]
    u, v, w = (row[0] * across + (row[1] * down + row[2]) for row in back)
    w = 1 / np.where(np.abs(w) < 1e-9, np.float32(1e-9), w)
    return np.asarray(u * w, np.float32), np.asarray(v * w, np.float32)


def _bent(pose: Pose) -> tuple[Field, Field]:
    """Rays meet a cylinder: (x, z) lies on a circle of radius 1 / bend about (0, 1 / bend), in the surface's axes."""
    across, down = (grid[::STEP_PX, ::STEP_PX] for grid in (_COLUMNS, _ROWS))
    rays = np.stack([(across - WIDTH_PX / 2) / FOCAL_PX, (down - HEIGHT_PX / 2) / FOCAL_PX, np.ones_like(across)], 2)
    turned = rotation(pose)
    ray, start = rays @ turned, -turned.T @ np.array([pose.x_m, pose.y_m, pose.z_m])
    first, other = (1, 0) if pose.across else (0, 1)
    radius = 1 / pose.bend_per_m
    a = ray[..., first] ** 2 + ray[..., 2] ** 2
    b = ray[..., first] * start[first] + ray[..., 2] * (start[2] - radius)
    c = start[first] ** 2 + (start[2] - radius) ** 2 - radius**2
    inside = b * b - a * c
    near = (-b - np.copysign(np.sqrt(np.maximum(inside, 0)), radius)) / a
    sine = (start[first] + near * ray[..., first]) / radius
    bent = radius * np.arcsin(np.clip(sine, -1, 1))
    straight = start[other] + near * ray[..., other]
    bent = np.where((inside > 0) & (np.abs(sine) < 1), bent, np.copysign(OUTSIDE_M, bent))
    grown = [_grown(bent), _grown(straight)]
    return (grown[1], grown[0]) if pose.across else (grown[0], grown[1])


def _grown(coarse: Matrix) -> Field:
    """Back to full size: pixel (0, 0) stays where it is."""
    step = STEP_PX
    scale = np.array([[step, 0, 0], [0, step, 0]], np.float64)
    size = WIDTH_PX, HEIGHT_PX
    grown = cv2.warpAffine(coarse.astype(np.float32), scale, size, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(grown, np.float32)


class Tremor:
    """What a hand does that wants to be still: a slow drift, breath, and the muscles' 8 Hz; about 1 in size.

    Physiological tremor is 6 to 12 Hz and small beside drift (R. J. Elble, "Central mechanisms of tremor", 1996).
    """

    def __init__(self, random: np.random.Generator) -> None:
        self._hz = np.array([0.15, 0.4, 1.1, 2.7, 8.0]) * random.uniform(0.8, 1.25, 5)
        self._size = np.array([1.0, 0.7, 0.4, 0.25, 0.15]) * random.uniform(0.6, 1.4, 5)
        self._phase = random.uniform(0, 2 * pi, 5)

    def at(self, t_s: float) -> float:
        return float(np.sum(self._size * np.sin(2 * pi * self._hz * t_s + self._phase)))
