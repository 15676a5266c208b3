"""How an attacker holds and moves what they hold: poses over time."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi, radians, sin
from typing import Literal

import numpy as np

from benchmarks.planes import FOCAL_PX, Pose, Tremor

Motion = Literal["fixed", "held", "moved", "tilted", "bent"]
"""On a stand; in a hand that wants to be still; carried about and towards the camera; turned about both axes; and
bent this way and that."""

MOST_TILT_DEG, MOST_NOD_DEG = 35.0, 22.0
SMALLEST_RADIUS_M = 0.13  # of bent paper


@dataclass(frozen=True)
class _Swing:
    """A slow movement to and fro, of any phase, between -1 and 1."""

    period_s: float
    phase: float

    @classmethod
    def any(cls, random: np.random.Generator) -> _Swing:
        return cls(float(random.uniform(1.8, 4.5)), float(random.uniform(0, 2 * pi)))

    def at(self, t_s: float) -> float:
        return sin(2 * pi * t_s / self.period_s + self.phase)


class Holder:
    """Holds a thing so that it fills its part of the view at `z_m`, its middle at (x_m, y_m)."""

    def __init__(self, motion: Motion, at: tuple[float, float, float], random: np.random.Generator) -> None:
        self._motion, self._at = motion, at
        self._swings = [_Swing.any(random) for _ in range(4)]
        self._tremors = [Tremor(random) for _ in range(6)]
        tremble_px = random.uniform(0.3, 1.6) if motion != "fixed" else 0.0
        self._tremble = tremble_px / FOCAL_PX * at[2]
        self._turned = np.radians(random.uniform(-6, 6, 3)) * ((1, 1, 0.6) if motion != "fixed" else (1, 0.5, 0.1))
        self._reach = random.uniform(0.6, 1.0)
        self._axis = bool(random.uniform() < 0.35)

    def at(self, t_s: float) -> Pose:
        swing = [one.at(t_s) * self._reach for one in self._swings]
        shake = [one.at(t_s) for one in self._tremors]
        x, y, z = self._place(swing, shake)
        yaw, pitch, roll = self._turned + np.radians(0.8) * np.array(shake[3:]) * (self._motion != "fixed")
        if self._motion == "tilted":
            yaw, pitch = yaw + radians(MOST_TILT_DEG - 5) * swing[0], pitch + radians(MOST_NOD_DEG - 4) * swing[1]
        bend = (0.25 + swing[2]) / SMALLEST_RADIUS_M / 1.25 if self._motion == "bent" else 0.0
        return Pose(x, y, z, float(yaw), float(pitch), float(roll), bend, self._axis)

    def _place(self, swing: list[float], shake: list[float]) -> tuple[float, float, float]:
        x, y, z = (place + self._tremble * part for place, part in zip(self._at, shake[:3], strict=True))
        if self._motion != "moved":
            return x, y, z
        reach_m = 0.13 * self._at[2]
        return x + reach_m * swing[0], y + 0.5 * reach_m * swing[1], z * (1 + 0.16 * swing[2])
