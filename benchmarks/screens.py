"""What only screens do before a camera: their pixels beat with the sensor's, they flicker, and they mirror."""

from __future__ import annotations

from math import exp, pi, sin

import numpy as np
import numpy.typing as npt

from benchmarks.planes import Field
from benchmarks.recapture import Lens

Light = npt.NDArray[np.float32]

BINNED = 3  # pixels of the sensor (1080p) that become one of the picture, along each side
OPTICS_PX = 0.35  # standard deviation of the optics' own blur, in pixels of the sensor
WEAKEST = 0.004


def moire(light: Light, u: Field, v: Field, pitch_per_m: float, lens: Lens) -> Light:
    """The beat of a screen's pixels with the sensor's, which is what is left of their grid after sampling.

    Red, green and blue are stripes a third of a pixel wide, rows are 0.85 of a pixel high. Of each a Fourier
    series' first term is taken: blurred by the optics and by the part of a pixel that gathers light, sampled by
    the sensor, and averaged over BINNED of its pixels. A cosine that is sampled is one of the frequency that is
    left modulo 1, so computing it at the picture's pixels is exact.
    """
    result = light.copy()
    columns, rows = u * np.float32(pitch_per_m), v * np.float32(pitch_per_m)
    stripes = 2 * _sinc(1 / 3) * _passes(columns, lens)
    if stripes > WEAKEST:
        for part in range(3):
            result[..., part] *= 1 + np.float32(stripes) * np.cos(2 * np.pi * (columns - np.float32(part / 3)))
    gaps = 2 * _sinc(0.85) * _passes(rows, lens)
    if gaps > WEAKEST:
        result *= (1 + np.float32(gaps) * np.cos(2 * np.pi * rows))[..., None]
    return np.asarray(np.maximum(result, 0), np.float32)


def _passes(phase: Field, lens: Lens) -> float:
    """How much of a grating comes through, in the middle of the view; `phase` counts its periods."""
    y, x = phase.shape[0] // 2, phase.shape[1] // 2
    along = np.array([phase[y, x + 1] - phase[y, x], phase[y + 1, x] - phase[y, x]], np.float64) / BINNED
    optics = exp(-2 * (pi * OPTICS_PX) ** 2 * float(along @ along))
    parts = [_sinc(lens.fill * share) * _mean(share - round(share)) for share in along]
    return optics * abs(parts[0] * parts[1])


def _mean(frequency: float) -> float:
    """Of BINNED samples of a cosine, about its middle one (Dirichlet's kernel)."""
    below = sin(pi * frequency)
    return 1.0 if abs(below) < 1e-6 else sin(BINNED * pi * frequency) / (BINNED * below)


def _sinc(x: float) -> float:
    return 1.0 if abs(x) < 1e-9 else sin(pi * x) / (pi * x)


class Flicker:
    """A backlight that is switched some hundred times a second, seen line by line: bands that wander."""

    def __init__(self, random: np.random.Generator, height_px: int) -> None:
        dimmed = random.uniform() < 0.5  # many screens do not switch
        self._size = random.uniform(0.01, 0.07) if dimmed else 0.0
        self._rows = np.arange(height_px, dtype=np.float32) / np.float32(random.uniform(80, 400))
        self._wander_hz = random.uniform(-2, 2)

    def at(self, t_s: float) -> Light:
        """By what each row is multiplied, (height, 1, 1)."""
        bands = 1 + self._size * np.sin(2 * np.pi * (self._rows + self._wander_hz * t_s))
        return np.asarray(bands[:, None, None], np.float32)
