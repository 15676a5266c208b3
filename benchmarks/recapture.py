"""The door's camera: what becomes of light on its way into a JPEG, and the hallway it looks into.

Light is linear, (height, width, 3) float32, BGR; 1 is a white wall in bright light. A picture's grey levels are the
square root of it, near enough to sRGB.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks.planes import HEIGHT_PX, WIDTH_PX

Light = npt.NDArray[np.float32]
Image = npt.NDArray[np.uint8]

QUALITY = 85  # as the camera agent does by default
LIGHTS = {"bright": 1.0, "office": 0.45, "dim": 0.1}
"""How much light falls on things."""
MEAN, MOST_GAIN, LEAST_GAIN = 0.19, 4.0, 0.35  # what automatic exposure aims at, and how far it goes
FOLLOW = 0.35  # of the way to the exposure wanted, each frame


def linear(image: Image) -> Light:
    """Light of a picture's grey levels."""
    return np.asarray((image.astype(np.float32) * np.float32(1 / 255)) ** 2, np.float32)


def jpeg(image: Image) -> Image:
    """As it is after the way through MQTT."""
    packed = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1]
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)


@dataclass(frozen=True)
class Lens:
    """A camera as it left the factory. `blur_px` is the standard deviation of its point spread function, `noise`
    that of the noise in grey levels at a gain of 1, `sharpening` what it adds to edges, `tint` its white balance,
    `fill` the share of a pixel's width that gathers light.
    """

    blur_px: float
    noise: float
    sharpening: float
    tint: tuple[float, float, float]
    vignette: float
    fill: float

    @classmethod
    def any(cls, random: np.random.Generator) -> Lens:
        blue, red = random.uniform(0.9, 1.1, 2)
        return cls(
            blur_px=random.uniform(0.45, 0.95),
            noise=random.uniform(0.9, 2.0),
            sharpening=random.uniform(0.0, 0.4),
            tint=(float(blue), 1.0, float(red)),
            vignette=random.uniform(0.05, 0.3),
            fill=random.uniform(0.5, 1.0),
        )


class Camera:
    """Turns light into pictures, one after the other: exposure follows the light."""

    def __init__(self, lens: Lens, random: np.random.Generator) -> None:
        self._lens, self._random = lens, random
        self._gain: float | None = None
        y, x = np.mgrid[-1 : 1 : HEIGHT_PX * 1j, -1 : 1 : WIDTH_PX * 1j].astype(np.float32)
        falloff = 1 - lens.vignette * (x * x + y * y) / 2
        self._falloff = (falloff[..., None] * np.array(lens.tint, np.float32)).astype(np.float32)
        self._grain = random.standard_normal((HEIGHT_PX + 64, WIDTH_PX + 64, 3), np.float32)

    def take(self, light: Light) -> Image:
        """The picture of 640 × 360 light, JPEG and back."""
        seen = cv2.GaussianBlur(light, (0, 0), self._lens.blur_px) * self._falloff
        gain = self._exposure(np.asarray(seen, np.float32))
        levels = np.sqrt(np.maximum(seen * np.float32(gain), 0)) * 255
        if self._lens.sharpening > 0.05:
            levels += self._lens.sharpening * (levels - cv2.GaussianBlur(levels, (0, 0), 1.2))
        return jpeg(self._noisy(np.asarray(levels, np.float32), gain))

    def again(self, image: Image, darker: float) -> Image:
        """A picture of any size that another camera took, with this one's noise and JPEG, `darker` of its light."""
        levels = image.astype(np.float32) * np.float32(darker**0.5)
        return jpeg(self._noisy(levels, 1 / darker if darker < 1 else 1.0))

    def _exposure(self, seen: Light) -> float:
        """Follows the mean, the middle of the picture weighing double."""
        middle = seen[HEIGHT_PX // 4 : -HEIGHT_PX // 4 : 4, WIDTH_PX // 4 : -WIDTH_PX // 4 : 4]
        mean = (float(seen[::4, ::4].mean()) + float(middle.mean())) / 2
        wanted = float(np.clip(MEAN / max(mean, 1e-4), LEAST_GAIN, MOST_GAIN))
        self._gain = wanted if self._gain is None else self._gain + FOLLOW * (wanted - self._gain)
        return self._gain

    def _noisy(self, levels: Light, gain: float) -> Image:
        """Shot noise is even in the square root of light (F. J. Anscombe, 1948), and grows with the gain."""
        down, right = self._random.integers(0, 64, 2)
        height, width = levels.shape[:2]
        grain = self._grain[down : down + height, right : right + width]
        size = np.float32(self._lens.noise * max(gain, 0.5) ** 0.5)
        return np.asarray(np.clip(levels + size * grain, 0, 255), np.uint8)


def hallway(random: np.random.Generator) -> Light:
    """What reflects light in a hallway no two of which are alike: walls, floor, ceiling, doors, pictures, a lamp."""
    wide, high = WIDTH_PX * 2, HEIGHT_PX * 2
    image = np.zeros((high, wide, 3), np.uint8)
    eye = np.array([wide * random.uniform(0.3, 0.7), high * random.uniform(0.4, 0.55)])
    corners = np.array([[0, 0], [wide, 0], [wide, high], [0, high]], np.float64)
    far = eye + (corners - eye) * random.uniform(0.2, 0.45)
    wall = _colour(random, 150, 225)
    for side, shade in enumerate((1.12, 0.85, 0.55, 0.95)):
        quad = np.array([corners[side], corners[(side + 1) % 4], far[(side + 1) % 4], far[side]])
        cv2.fillPoly(image, [quad.round().astype(np.int32)], _shaded(wall, shade), cv2.LINE_AA)
    cv2.fillPoly(image, [far.round().astype(np.int32)], _shaded(wall, 0.78), cv2.LINE_AA)
    for side in (1, 3):
        _door(image, corners, far, side, random)
    _frames(image, far, random)
    return _lit(image, random)


def _door(image: Image, corners: npt.NDArray[np.float64], far: npt.NDArray[np.float64], side: int,
          random: np.random.Generator) -> None:  # fmt: skip
    """In a side wall, between two depths: 0 is near, 1 at the far wall."""
    top, bottom = (corners[1], corners[2]) if side == 1 else (corners[0], corners[3])
    far_top, far_bottom = (far[1], far[2]) if side == 1 else (far[0], far[3])
    near, deep = np.sort(random.uniform(0.15, 0.95, 2))
    posts = []
    for depth in (near, deep):
        head, foot = top + (far_top - top) * depth, bottom + (far_bottom - bottom) * depth
        posts += [foot + (head - foot) * 0.8, foot]
    quad = np.array([posts[0], posts[2], posts[3], posts[1]]).round().astype(np.int32)
    cv2.fillPoly(image, [quad], _colour(random, 60, 170), cv2.LINE_AA)
    cv2.polylines(image, [quad], True, _colour(random, 30, 90), 5, cv2.LINE_AA)


def _frames(image: Image, far: npt.NDArray[np.float64], random: np.random.Generator) -> None:
    """Pictures and furniture on the far wall."""
    (left, top), (right, bottom) = far[0], far[2]
    for _ in range(random.integers(1, 5)):
        x, y = random.uniform(left, right), random.uniform(top, bottom)
        size = random.uniform(0.05, 0.3, 2) * (right - left, bottom - top)
        box = [(round(x), round(y)), (round(x + size[0]), round(y + size[1]))]
        cv2.rectangle(image, box[0], box[1], _colour(random, 40, 220), -1)
        cv2.rectangle(image, box[0], box[1], _colour(random, 20, 120), 4)


def _lit(image: Image, random: np.random.Generator) -> Light:
    """With a lamp's light on the walls, and a little out of focus."""
    small = cv2.resize(image, (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), random.uniform(0.8, 2.0))
    y, x = np.mgrid[0:HEIGHT_PX, 0:WIDTH_PX].astype(np.float32)
    lamp = random.uniform(0, WIDTH_PX), random.uniform(-0.2, 0.4) * HEIGHT_PX
    away = np.hypot(x - lamp[0], y - lamp[1]) / WIDTH_PX
    patches = cv2.resize(random.uniform(0.9, 1.1, (6, 10)).astype(np.float32), (WIDTH_PX, HEIGHT_PX))
    lit = (0.55 + 0.7 * np.exp(-4 * away * away)) * patches
    return np.asarray(linear(np.asarray(small, np.uint8)) * lit[..., None], np.float32)


def _colour(random: np.random.Generator, dark: float, light: float) -> tuple[int, int, int]:
    grey = random.uniform(dark, light)
    blue, green, red = np.clip(grey * random.uniform(0.85, 1.1, 3), 0, 255)
    return int(blue), int(green), int(red)


def _shaded(colour: tuple[int, int, int], shade: float) -> tuple[int, int, int]:
    blue, green, red = (min(255, int(part * shade)) for part in colour)
    return blue, green, red
