"""One attack as the camera would see it: the thing with the face on its canvas, held in the hallway's light."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks import faces, instruments
from benchmarks.clips import ClipError, Image
from benchmarks.instruments import Canvas, Crop
from benchmarks.motions import Holder, Motion
from benchmarks.planes import FOCAL_PX, HEIGHT_PX, WIDTH_PX, Field, Pose, centre_px, seen
from benchmarks.recapture import Lens, hallway, linear
from benchmarks.screens import Flicker, moire
from benchmarks.species import Species

Light = npt.NDArray[np.float32]

TEXELS_PER_PX = 1.2  # a canvas is a little finer than the camera
BEZEL_M = {"print": 0.0, "phone": 0.003, "tablet": 0.011, "monitor": 0.009}
ROUND_M = {"print": 0.0, "phone": 0.011, "tablet": 0.009, "monitor": 0.003}
EXPOSURE_S = 0.02
WALL = 0.25  # light of the hallway that a screen mirrors, when it falls on things with 1


@dataclass(frozen=True)
class Setting:
    """`light` falls on things (see recapture.LIGHTS), a face is seen `face_px` wide."""

    seed: int
    light: float
    face_px: float
    motion: Motion
    lens: Lens = field(repr=False)


class Presentation:
    """Paints everything that stays the same once, and what changes for each frame. Raises ClipError."""

    def __init__(
        self, species: Species, setting: Setting, source: Sequence[Image], random: np.random.Generator
    ) -> None:
        found = faces.sharpest(source)
        if found is None:
            raise ClipError("no face is found in this part of the clip")
        self._still, self._face = found
        self._species, self._setting, self._source, self._random = species, setting, source, random
        self._size_m = species.sizes_m[int(random.integers(len(species.sizes_m)))]
        within = self._still if species.surface == "monitor" else None
        self._crop = Crop.around(self._face, random.uniform(*species.share), self._size_m[0] / self._size_m[1], within)
        face_m = self._face.width / self._crop.width * self._size_m[0]
        z_m = self._distance(face_m)
        self._holder = Holder(setting.motion, self._place(z_m), random)
        self._per_m = FOCAL_PX / z_m * TEXELS_PER_PX
        self._hall = hallway(random) * np.float32(setting.light)
        self._screen = None if species.surface == "print" else instruments.Screen.any(random, setting.light)
        self._flicker = Flicker(random, HEIGHT_PX)
        self._glare = _Glare(random, species.surface, setting.light)
        self._paint(random)

    def light(self, t_s: float, number: int) -> Light:
        """What comes in through the lens at a time; `number` counts the frames."""
        pose = self._holder.at(t_s)
        u, v = seen(pose)
        canvas = self._canvas(number)
        layer = _sampled(canvas, u, v, self._blank)
        layer = _smeared(layer, pose, self._holder.at(t_s - EXPOSURE_S))
        colour, opacity = layer[..., :3], layer[..., 3:]
        if self._screen is not None:
            colour = self._shining(np.asarray(colour, np.float32), u, v, t_s)
        colour = colour + opacity * self._glare.at(pose)
        return np.asarray(self._hall * (1 - opacity) + colour, np.float32)

    def _distance(self, face_m: float) -> float:
        if self._species.fills_view:
            # so near that the screen reaches beyond every edge of the view
            return float(0.9 * min(self._size_m[0] / WIDTH_PX, self._size_m[1] / HEIGHT_PX) * FOCAL_PX)
        return face_m * FOCAL_PX / self._setting.face_px

    def _place(self, z_m: float) -> tuple[float, float, float]:
        """Not quite in the middle of the view, unless it fills it."""
        off = (0.0, 0.0) if self._species.fills_view else (0.14, 0.06)
        x, y = (self._random.uniform(-part, part) * side for part, side in zip(off, (WIDTH_PX, HEIGHT_PX), strict=True))
        return x / FOCAL_PX * z_m, y / FOCAL_PX * z_m, z_m

    def _paint(self, random: np.random.Generator) -> None:
        """Arm and hand, what is held, what is on it, thumb; `_base` without and `_over` with only the thumb."""
        (width, height), surface = self._size_m, self._species.surface
        bezel = BEZEL_M[surface]
        self._blank = Canvas(width + 2 * bezel, height + 2 * bezel, self._per_m)
        over = Canvas(width + 2 * bezel, height + 2 * bezel, self._per_m)
        self._corner, self._texels = self._blank.texels(-width / 2, -height / 2), self._content_size()
        if self._species.cut == "outline":
            self._behind(random)
        elif surface == "monitor":
            self._blank.limb((0, height / 2), (0, height / 2 + 0.25), 0.05, (40, 40, 40))
        elif self._setting.motion != "fixed":
            instruments.thumb(over, instruments.arm(self._blank, width, height, random))
        if self._species.cut != "outline":
            colour = (222, 228, 228) if surface == "print" else (22, 20, 20)
            self._blank.rectangle(width + 2 * bezel, height + 2 * bezel, colour, ROUND_M[surface])
        base, self._over = self._blank.lit(self._setting.light), over.lit(self._setting.light)
        self._base, self._painted = self._over + base * (1 - self._over[..., 3:]), False
        rows = np.flatnonzero(over.opacity.any(axis=1))
        self._thumb = slice(max(int(rows[0]), self._corner[1]), int(rows[-1]) + 1) if rows.size else None
        self._print = None if surface != "print" else self._printed(random)

    def _content_size(self) -> tuple[int, int]:
        width, height = (max(8, round(side * self._per_m)) for side in self._size_m)
        return width, height

    def _behind(self, random: np.random.Generator) -> None:
        """The attacker whose face is behind the mask: neck and shoulders."""
        _, height = self._size_m
        shirt = [int(part) for part in random.uniform(25, 150, 3)]
        self._blank.ellipse(0, 0.72 * height, 0.235, 0.20, 0, (shirt[0], shirt[1], shirt[2]))
        self._blank.limb((0, 0.15 * height), (0, 0.42 * height), 0.105, tuple(int(0.8 * p) for p in instruments.SKIN))  # type: ignore[arg-type]

    def _printed(self, random: np.random.Generator) -> Light:
        """The still's print in its light."""
        image = self._crop.of(self._still, self._texels, 255)
        print_ = instruments.printed(image, random)
        if self._species.cut != "outline":
            margin = max(1, round(0.004 * self._per_m))  # printers leave a white edge
            print_[:margin] = print_[-margin:] = instruments.PAPER
            print_[:, :margin] = print_[:, -margin:] = instruments.PAPER
        return np.asarray(print_ * np.float32(self._setting.light), np.float32)

    def _canvas(self, number: int) -> Light:
        """Everything in the thing's plane, for this frame."""
        moves = self._species.plays or self._species.cut == "eyes"
        if moves or not self._painted:
            self._show(self._content(number))
            self._painted = True
        return self._base

    def _show(self, content: Light) -> None:
        """Put it where the face is, beneath the thumb."""
        (left, top), (height, width) = self._corner, content.shape[:2]
        where = np.s_[top : top + height, left : left + width]
        part = self._base[where]
        if self._species.cut == "outline":
            kept = instruments.head(self._face, self._crop, self._texels)[..., None]
            part[..., :3] = content * kept + part[..., :3] * (1 - kept)
            part[..., 3:] = kept + part[..., 3:] * (1 - kept)
        else:
            part[..., :3], part[..., 3] = content, 1
        if self._thumb is not None:
            rows = np.s_[self._thumb.start - top : height]
            over = self._over[where][rows]
            part[rows] = over + part[rows] * (1 - over[..., 3:])

    def _content(self, number: int) -> Light:
        image = self._source[number % len(self._source)] if self._species.plays else self._still
        if self._screen is not None:
            return self._screen.shown(self._crop.of(image, self._texels, 0))
        assert self._print is not None
        return self._with_eyes(number) if self._species.cut == "eyes" else self._print

    def _with_eyes(self, number: int) -> Light:
        """The eyes behind the holes are the living ones, in the paper's shade."""
        assert self._print is not None
        image = self._source[number % len(self._source)]
        face = faces.largest(image) or self._face
        onto = self._crop.at(self._face.points[:2], self._texels)
        eyes = linear(instruments.aligned(image, face.points[:2], onto, self._texels))
        open_ = instruments.holes(self._face, self._crop, self._texels)[..., None]
        return np.asarray(self._print * (1 - open_) + eyes * np.float32(0.75 * self._setting.light) * open_, np.float32)

    def _shining(self, colour: Light, u: Field, v: Field, t_s: float) -> Light:
        pitch = instruments.PITCH_PER_M[self._species.surface]
        beaten = moire(colour, u, v, pitch, self._setting.lens)
        return np.asarray(beaten * self._flicker.at(t_s), np.float32)


def _sampled(canvas: Light, u: Field, v: Field, plan: Canvas) -> Light:
    columns = (u - np.float32(plan.left_m)) * np.float32(plan.per_m)
    rows = (v - np.float32(plan.top_m)) * np.float32(plan.per_m)
    return np.asarray(cv2.remap(canvas, columns, rows, cv2.INTER_LINEAR, borderValue=(0, 0, 0, 0)), np.float32)


def _smeared(layer: Light, pose: Pose, before: Pose) -> Light:
    """As it moves while the shutter is open."""
    (x, y), (old_x, old_y) = centre_px(pose), centre_px(before)
    length = round(float(np.hypot(x - old_x, y - old_y)))
    if length < 2:
        return layer
    kernel = np.zeros((2 * length + 1, 2 * length + 1), np.float32)
    end = np.array([x - old_x, y - old_y]) / 2
    middle = np.array([length, length])
    ends = [tuple(int(part) for part in np.round(middle + side * end)) for side in (-1, 1)]
    cv2.line(kernel, ends[0], ends[1], (1.0,), 1)
    return np.asarray(cv2.filter2D(layer, -1, kernel / kernel.sum()), np.float32)


class _Glare:
    """The lamp in glossy paper or glass, which wanders as the thing is turned, and the hallway that glass mirrors."""

    def __init__(self, random: np.random.Generator, surface: str, light: float) -> None:
        glossy = surface != "print" or random.uniform() < 0.4
        self._size = light * (random.uniform(0.1, 0.8) if glossy and random.uniform() < 0.7 else 0.0)
        self._wide = random.uniform(12, 45) if surface != "print" else random.uniform(30, 90)
        self._at = random.uniform(-160, 160), random.uniform(-110, 60)
        self._even = light * WALL * (random.uniform(0.02, 0.05) if surface != "print" else 0.0)
        self._rows, self._columns = (
            grid.astype(np.float32) * 4 for grid in np.mgrid[0 : HEIGHT_PX // 4, 0 : WIDTH_PX // 4]
        )

    def at(self, pose: Pose) -> Light:
        """(height, width, 1): a mirror's picture moves by twice its angle."""
        x, y = centre_px(pose)
        x, y = x + self._at[0] + 2 * FOCAL_PX * pose.yaw, y + self._at[1] - 2 * FOCAL_PX * pose.pitch
        away = ((self._columns - x) / 1.4) ** 2 + (self._rows - y) ** 2
        spot = self._size * np.exp(-away / (2 * self._wide**2)) + self._even
        grown = cv2.resize(spot.astype(np.float32), (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_LINEAR)
        return np.asarray(grown[..., None], np.float32)
