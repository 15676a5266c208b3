"""What is held before the camera: a print, a mask cut out of one, a screen; with the hand and arm that hold it.

Each is painted on a canvas in its own plane, in linear light (see recapture.py) with its opacity as fourth channel,
already multiplied by it.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks.faces import Face
from benchmarks.recapture import linear

Image = npt.NDArray[np.uint8]
Light = npt.NDArray[np.float32]
Mask = npt.NDArray[np.float32]

MARGIN_M, ARM_M = 0.05, 0.40  # of canvas around the thing, and below it where an arm holds it
PAPER, INK = 0.82, 0.035  # what white paper and black ink reflect, as office printers give it
GAMUT = 0.82  # of a colour's distance from grey that a print keeps
SKIN = (70, 100, 150)
PITCH_PER_M = {"phone": 18_000.0, "tablet": 10_000.0, "monitor": 3_616.0}  # pixels of a screen


@dataclass(frozen=True)
class Crop:
    """The part of a clip's picture that is shown: what lies outside of the picture is paper or black."""

    left: float
    top: float
    width: float
    height: float

    @classmethod
    def around(cls, face: Face, share: float, aspect: float, within: Image | None = None) -> Crop:
        """A face `share` of its width wide, a little above its middle; `within` a picture, as far as it reaches."""
        width = face.width / share
        if within is not None:
            width = min(width, within.shape[1], within.shape[0] * aspect)
        height = width / aspect
        x, y = face.middle
        left, top = x - width / 2, y - 0.47 * height
        if within is not None:
            left = float(np.clip(left, 0, within.shape[1] - width))
            top = float(np.clip(top, 0, within.shape[0] - height))
        return cls(left, top, width, height)

    def of(self, image: Image, size: tuple[int, int], outside: int) -> Image:
        """The part, at `size` (width, height): averaged where it shrinks."""
        scale = np.array([size[0] / self.width, size[1] / self.height])
        least = float(scale.min())
        if least < 0.7:
            image = np.asarray(cv2.resize(image, None, fx=least, fy=least, interpolation=cv2.INTER_AREA), np.uint8)
            scale = scale / least
        along = np.array([self.left, self.top]) * (min(least, 1.0) if least < 0.7 else 1.0)
        matrix = np.column_stack([np.diag(scale), (0.5 - along) * scale - 0.5])
        cut = cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR, borderValue=(outside,) * 3)
        return np.asarray(cut, np.uint8)

    def at(self, points: npt.NDArray[np.float64], size: tuple[int, int]) -> npt.NDArray[np.float64]:
        """Where points of the picture are in the part."""
        scale = np.array([size[0] / self.width, size[1] / self.height])
        return np.asarray((points - (self.left, self.top)) * scale, np.float64)


class Canvas:
    """Light and opacity in the plane of a thing of `width_m` by `height_m`, `per_m` texels a metre."""

    def __init__(self, width_m: float, height_m: float, per_m: float) -> None:
        self.per_m = per_m
        self.left_m, self.top_m = -width_m / 2 - MARGIN_M, -height_m / 2 - MARGIN_M
        size = round((width_m + 2 * MARGIN_M) * per_m), round((height_m + MARGIN_M + ARM_M) * per_m)
        self.colour = np.zeros((size[1], size[0], 3), np.uint8)
        self.opacity = np.zeros((size[1], size[0]), np.uint8)

    def texels(self, u_m: float, v_m: float) -> tuple[int, int]:
        return round((u_m - self.left_m) * self.per_m), round((v_m - self.top_m) * self.per_m)

    def rectangle(self, width_m: float, height_m: float, colour: tuple[int, int, int], round_m: float = 0.0) -> None:
        """About the middle, with corners as round as that."""
        x, y = width_m / 2, height_m / 2
        corners = [(sx * (x - round_m), sy * (y - round_m)) for sx in (-1, 1) for sy in (-1, 1)]
        if round_m * self.per_m < 1:
            self._fill(self._box(x, y), colour)
            return
        for across, down in ((x, y - round_m), (x - round_m, y)):
            self._fill(self._box(across, down), colour)
        for u, v in corners:
            self.ellipse(u, v, round_m, round_m, 0, colour)

    def ellipse(self, u_m: float, v_m: float, across_m: float, down_m: float, turn_deg: float,
                colour: tuple[int, int, int]) -> None:  # fmt: skip
        axes = max(1, round(across_m * self.per_m)), max(1, round(down_m * self.per_m))
        for image, value in ((self.colour, colour), (self.opacity, (255,))):
            cv2.ellipse(image, self.texels(u_m, v_m), axes, turn_deg, 0, 360, value, -1, cv2.LINE_AA)

    def limb(self, start: tuple[float, float], end: tuple[float, float], thick_m: float,
             colour: tuple[int, int, int]) -> None:  # fmt: skip
        """An arm or a finger: round ends, darker towards its sides."""
        for share, shade in ((1.0, 0.6), (0.85, 0.8), (0.6, 1.0), (0.3, 1.08)):
            thick = max(1, round(thick_m * share * self.per_m))
            tone = tuple(min(255.0, part * shade) for part in colour)
            cv2.line(self.colour, self.texels(*start), self.texels(*end), tone, thick, cv2.LINE_AA)
            cv2.line(self.opacity, self.texels(*start), self.texels(*end), (255,), thick, cv2.LINE_AA)

    def lit(self, light: float) -> Light:
        """All of it in that light, opacity as fourth channel."""
        alpha = self.opacity.astype(np.float32)[..., None] / 255
        return np.concatenate([linear(self.colour) * np.float32(light) * alpha, alpha], axis=2)

    def _box(self, x_m: float, y_m: float) -> npt.NDArray[np.int32]:
        return np.array([self.texels(u, v) for u, v in ((-x_m, -y_m), (x_m, -y_m), (x_m, y_m), (-x_m, y_m))], np.int32)

    def _fill(self, corners: npt.NDArray[np.int32], colour: tuple[int, int, int]) -> None:
        cv2.fillConvexPoly(self.colour, corners, colour, cv2.LINE_AA)
        cv2.fillConvexPoly(self.opacity, corners, (255,), cv2.LINE_AA)


def arm(canvas: Canvas, width_m: float, height_m: float, random: np.random.Generator) -> tuple[float, float]:
    """A sleeve and the back of a hand behind the thing, which is painted over them; returns where the thumb goes."""
    side = float(random.choice([-1.0, 1.0]))
    sleeve = tuple(int(part) for part in random.uniform(20, 90, 3))
    grip = side * random.uniform(0.25, 0.45) * width_m, height_m / 2 - 0.01
    wrist = grip[0] + side * random.uniform(0.0, 0.03), height_m / 2 + 0.06
    canvas.limb((wrist[0] + side * 0.05, wrist[1] + 0.5), (wrist[0], wrist[1] + 0.05), 0.095, (*sleeve,))  # type: ignore[arg-type]
    canvas.limb(wrist, grip, 0.062, SKIN)
    return grip


def thumb(canvas: Canvas, grip: tuple[float, float]) -> None:
    """In front of the thing, a little way in."""
    canvas.limb((grip[0], grip[1] + 0.03), (grip[0] * 0.93, grip[1] - 0.022), 0.019, SKIN)


def printed(image: Image, random: np.random.Generator) -> Light:
    """What a print of it reflects: contrast between ink and paper, less colour, a cast, bands of the printer's head."""
    light = linear(image)
    grey = light.mean(axis=2, keepdims=True)
    ink = INK + (PAPER - INK) * (grey + GAMUT * (light - grey)) ** random.uniform(0.9, 1.15)
    rows = np.arange(image.shape[0], dtype=np.float32)
    bands = 1 + random.uniform(0, 0.015) * np.sin(2 * np.pi * rows / random.uniform(3, 9))
    cast = random.uniform(0.94, 1.04, 3).astype(np.float32)
    return np.asarray(ink * bands[:, None, None] * cast, np.float32)


@dataclass(frozen=True)
class Screen:
    """Its white and black in the light of the hallway, and its tone curve."""

    white: float
    black: float
    gamma: float
    tint: tuple[float, float, float]

    @classmethod
    def any(cls, random: np.random.Generator, light: float) -> Screen:
        """People turn a screen's brightness up in bright light."""
        white = random.uniform(0.5, 1.1) * (0.35 + 0.65 * light)
        blue, red = random.uniform(0.88, 1.12, 2)
        return cls(white, white * random.uniform(0.002, 0.012), random.uniform(0.95, 1.2), (blue, 1.0, red))

    def shown(self, image: Image) -> Light:
        levels = np.arange(256, dtype=np.float32) / 255
        curve = self.black + (self.white - self.black) * levels ** np.float32(2 * self.gamma)
        table = (curve[:, None] * np.array(self.tint, np.float32)).astype(np.float32)
        return np.asarray(cv2.LUT(image, table[:, None]), np.float32)


def head(face: Face, crop: Crop, size: tuple[int, int]) -> Mask:
    """Opacity of a face cut out along its outline, hair and all: a curve through shares of YuNet's box."""
    outline = np.array([
        (0.5, -0.28), (0.78, -0.22), (0.98, -0.02), (1.04, 0.25), (1.08, 0.42), (1.02, 0.62), (0.93, 0.8), (0.72, 0.98),
        (0.5, 1.03), (0.28, 0.98), (0.07, 0.8), (-0.02, 0.62), (-0.08, 0.42), (-0.04, 0.25), (0.02, -0.02),
        (0.22, -0.22),
    ])  # fmt: skip
    points = crop.at(outline * (face.width, face.height) + (face.left, face.top), size)
    mask = np.zeros((size[1], size[0]), np.uint8)
    cv2.fillPoly(mask, [points.round().astype(np.int32)], (255,), cv2.LINE_AA)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), 1.0).astype(np.float32) / 255, np.float32)


def holes(face: Face, crop: Crop, size: tuple[int, int]) -> Mask:
    """1 where eyes were cut out: almonds a third of the eyes' distance wide."""
    eyes = crop.at(face.points[:2], size)
    apart = float(np.hypot(*(eyes[1] - eyes[0])))
    mask = np.zeros((size[1], size[0]), np.uint8)
    for x, y in eyes:
        axes = max(1, round(0.27 * apart)), max(1, round(0.16 * apart))
        cv2.ellipse(mask, (round(x), round(y)), axes, 0, 0, 360, (255,), -1, cv2.LINE_AA)
    return np.asarray(mask.astype(np.float32) / 255, np.float32)


def aligned(image: Image, eyes: npt.NDArray[np.float64], onto: npt.NDArray[np.float64], size: tuple[int, int]) -> Image:
    """The picture, turned and scaled so that its two `eyes` are at `onto`."""
    across, wanted = eyes[1] - eyes[0], onto[1] - onto[0]
    ratio = complex(*wanted) / complex(*across)
    turn = np.array([[ratio.real, -ratio.imag], [ratio.imag, ratio.real]])
    matrix = np.column_stack([turn, onto.mean(axis=0) - turn @ eyes.mean(axis=0)])
    return np.asarray(cv2.warpAffine(image, matrix, size, borderMode=cv2.BORDER_REPLICATE), np.uint8)
