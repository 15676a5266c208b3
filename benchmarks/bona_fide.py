"""Bona fide presentations: the clip itself, through the same noise and JPEG as the attacks made of it, so that
these two do not differ by processing only.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import cv2
import numpy as np

from benchmarks import faces
from benchmarks.clips import HEIGHT_PX, RATE_FPS, WIDTH_PX, Clip, ClipError, Image, Timed
from benchmarks.recapture import Camera, Lens

LENGTH_S = 5.0
FACE_PX = (70.0, 200.0)
MOST_ENLARGED = 1.3  # beyond that it would be a blurred face, not a near one
LIGHTS = (1.0, 0.7, 0.4)  # parts of the clip's own light


@dataclass(frozen=True)
class Live:
    """One bona fide presentation: part of a clip, the face scaled to about `face_px`, in `light` of its light."""

    name: str
    person: str
    source: tuple[Image, ...] = field(repr=False)
    face_px: float
    light: float
    lens: Lens = field(repr=False)
    seed: int

    def frames(self) -> Iterator[Timed]:
        """Seconds and BGR picture of at most 640 × 360, the same each time. Raises ClipError."""
        found = faces.sharpest(self.source)
        if found is None:
            raise ClipError(f"{self.name}: no face is found in it")
        camera = Camera(self.lens, np.random.default_rng(self.seed))
        for number, image in enumerate(self.source):
            yield number / RATE_FPS, camera.again(_scaled(image, found[1], self.face_px), self.light)


def live(source: Clip, count: int, seed: int) -> Iterator[Live]:
    """`count` parts of a clip at other sizes and lights, by the same cameras as the attacks'. Raises ClipError."""
    random = np.random.default_rng([seed, zlib.crc32(f"live {source.name}".encode())])
    for number in range(count):
        nearness = (number * 0.618 + random.uniform(0, 0.3)) % 1
        face_px = FACE_PX[0] * (FACE_PX[1] / FACE_PX[0]) ** nearness
        light, lens, own_seed = LIGHTS[number % len(LIGHTS)], Lens.any(random), int(random.integers(1 << 32))
        pictures = source.part((number + random.uniform(0.2, 0.8)) / count, LENGTH_S)
        name = f"{source.name} {number} light {light} {face_px:.0f} px"
        yield Live(name, source.person, pictures, float(face_px), light, lens, own_seed)


def _scaled(image: Image, face: faces.Face, face_px: float) -> Image:
    """Scaled, and cropped to 640 × 360 about the face where it is larger then."""
    scale = min(face_px / face.width, MOST_ENLARGED)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    grown = np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=how), np.uint8)
    height, width = grown.shape[:2]
    x, y = (place * scale for place in face.middle)
    left = int(np.clip(x - WIDTH_PX / 2, 0, max(0, width - WIDTH_PX)))
    top = int(np.clip(y - HEIGHT_PX / 2, 0, max(0, height - HEIGHT_PX)))
    return np.ascontiguousarray(grown[top : top + HEIGHT_PX, left : left + WIDTH_PX])
