"""Presentation attacks made from a clip of a person: what a door's camera sees of a print or a screen held up.

An attack is a thing of real size (A4 or A5 paper, a phone of 6.1 inches, a tablet of 10, a monitor of 24) with the
person's face on it, held by a hand, carried by an arm or on a stand, in a drawn hallway, under one of three lights,
before a camera of 640 × 360 that sees 65°. See planes.py (geometry), motions.py (hands), instruments.py (paper, ink,
screens), screens.py (moiré, flicker) and recapture.py (camera, light, hallway). It is computed in linear light:
prints reflect, screens shine, both glare. What is not modelled: the attacker's own face and its warmth behind the
thing, wrinkles, shadows on walls, focus that hunts, a screen's viewing angle, tearing of replayed frames.

The same clip, kind, count and seed always make the same pictures, on the same versions of OpenCV and NumPy.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from benchmarks.clips import RATE_FPS, Clip, Image, Timed
from benchmarks.presentation import Presentation, Setting
from benchmarks.recapture import LIGHTS, Camera, Lens
from benchmarks.species import SPECIES

LENGTH_S = 5.0
KINDS: tuple[str, ...] = tuple(SPECIES)


@dataclass(frozen=True)
class Attack:
    """One presentation of an attack; `name` says of whom and how."""

    kind: str
    name: str
    person: str
    source: tuple[Image, ...] = field(repr=False)
    setting: Setting = field(repr=False)

    def frames(self) -> Iterator[Timed]:
        """Seconds and 640 × 360 BGR picture, RATE_FPS of them a second, the same each time. Raises ClipError."""
        random = np.random.default_rng(self.setting.seed)
        shown = Presentation(SPECIES[self.kind], self.setting, self.source, random)
        camera = Camera(self.setting.lens, random)
        for number in range(round(LENGTH_S * RATE_FPS)):
            t_s = number / RATE_FPS
            yield t_s, camera.take(shown.light(t_s, number))


def attacks(kind: str, source: Clip, count: int, seed: int) -> Iterator[Attack]:
    """`count` attacks of one kind with the face of a clip: other parts of it, distances, lights, hands, hallways.

    Raises ClipError where a part has no face in it, and KeyError for a kind that is none of KINDS.
    """
    species = SPECIES[kind]
    random = np.random.default_rng([seed, zlib.crc32(f"{kind} {source.name}".encode())])
    first = int(random.integers(len(LIGHTS)))
    for number in range(count):
        share = (number + random.uniform(0.2, 0.8)) / count
        name, light = list(LIGHTS.items())[(number + first) % len(LIGHTS)]
        nearness = float((number * 0.618 + random.uniform(0, 0.3)) % 1)  # spread over the range, whatever the count
        face_px = species.face_px[0] * (species.face_px[1] / species.face_px[0]) ** nearness
        motion = species.motions[number % len(species.motions)]
        setting = Setting(int(random.integers(1 << 32)), light, face_px, motion, Lens.any(random))
        pictures = source.part(share, LENGTH_S)
        yield Attack(kind, f"{source.name} {number} {name} {face_px:.0f} px {motion}", source.person, pictures, setting)
