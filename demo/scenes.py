"""What a door camera would see: stills of an empty hallway, and of people who come to the door.

The hallway is drawn, the people are cut out of photographs (see demo.photos) and stand before it.
The same call always makes the same pictures; no two of them are alike to the bit, as with a camera.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.float32]
"""(height, width, channels), BGR in 0 to 255; a cut-out has its opacity, 0 to 1, as fourth channel."""
Mask = NDArray[np.bool_]
Paint = tuple[Mask, tuple[int, int, int]]

WIDTH_PX, HEIGHT_PX, QUALITY = 640, 360, 90
NOISE = 2.5  # standard deviation of the sensor's noise, in grey levels
HORIZON_PX = 158  # the camera looks straight ahead, at the height of people's eyes


@dataclass(frozen=True)
class _Portrait:
    """Where somebody is in a photograph.

    `face` is the centre of the face as shares of the photograph's width and height, and the face's
    width as a share of the width, as dlib's detector measured them. `outline` goes round head and
    shoulders in face widths from that centre.
    """

    face: tuple[float, float, float]
    outline: tuple[tuple[float, float], ...]


# fmt: off
_PORTRAITS = {
    "obama.jpg": _Portrait((0.5445, 0.2335, 0.2846), (
        (-1.50, 3.34), (-1.70, 2.84), (-1.66, 2.50), (-1.33, 1.39), (-1.18, 1.02), (-0.70, 0.79), (-0.40, 0.66),
        (-0.38, 0.46), (-0.47, 0.12), (-0.55, 0.08), (-0.60, -0.18), (-0.54, -0.26), (-0.49, -0.28), (-0.48, -0.58),
        (-0.30, -0.82), (0.00, -0.90), (0.28, -0.82), (0.46, -0.60), (0.50, -0.26), (0.57, -0.24), (0.51, 0.08),
        (0.43, 0.17), (0.33, 0.42), (0.44, 0.55), (1.07, 0.86), (1.31, 1.08), (1.32, 2.17), (1.22, 2.55),
        (1.10, 2.88), (1.00, 3.34),
    )),
    "obama3.jpg": _Portrait((0.5534, 0.1977, 0.1919), (
        (-1.90, 3.45), (-2.00, 2.75), (-1.80, 1.95), (-1.73, 1.35), (-1.62, 1.17), (-0.97, 1.00), (-0.62, 0.86),
        (-0.57, 0.66), (-0.51, 0.50), (-0.51, 0.33), (-0.62, 0.20), (-0.74, 0.00), (-0.73, -0.15), (-0.64, -0.20),
        (-0.64, -0.32), (-0.57, -0.55), (-0.39, -0.74), (-0.10, -0.85), (0.11, -0.81), (0.27, -0.69), (0.38, -0.45),
        (0.42, -0.18), (0.46, -0.02), (0.37, 0.32), (0.28, 0.47), (0.20, 0.60), (0.22, 0.84), (0.35, 0.95),
        (0.68, 1.09), (1.18, 1.20), (1.28, 1.35), (1.27, 1.67), (1.45, 2.45), (1.54, 2.59), (1.40, 3.00),
        (1.10, 3.45),
    )),
    "biden.jpg": _Portrait((0.6110, 0.1750, 0.3197), (
        (-1.60, 3.50), (-1.54, 2.70), (-1.72, 2.30), (-1.78, 1.70), (-1.76, 1.15), (-1.69, 0.89), (-1.50, 0.78),
        (-0.80, 0.66), (-0.60, 0.52), (-0.55, 0.16), (-0.63, -0.02), (-0.62, -0.33), (-0.57, -0.66), (-0.40, -0.83),
        (-0.19, -0.89), (0.10, -0.88), (0.34, -0.76), (0.45, -0.50), (0.49, -0.24), (0.46, -0.06), (0.40, 0.04),
        (0.34, 0.20), (0.24, 0.44), (0.17, 0.54), (0.13, 0.70), (0.52, 0.92), (0.82, 1.05), (0.98, 1.17),
        (1.10, 1.46), (1.17, 1.93), (1.16, 2.58), (0.88, 2.72), (0.83, 3.10), (0.96, 3.50),
    )),
    "astronaut.png": _Portrait((0.4355, 0.2480, 0.1719), (
        (-2.16, 3.55), (-2.02, 2.60), (-2.16, 2.28), (-1.99, 1.76), (-1.75, 1.35), (-1.50, 1.18), (-1.20, 0.96),
        (-1.20, 0.77), (-1.07, 0.52), (-0.86, 0.32), (-0.50, 0.26), (-0.44, 0.22), (-0.50, 0.06), (-0.50, -0.10),
        (-0.66, -0.20), (-0.77, -0.42), (-0.75, -0.74), (-0.63, -0.91), (-0.38, -1.04), (-0.20, -1.18), (0.05, -1.23),
        (0.32, -1.18), (0.58, -1.03), (0.76, -0.85), (0.87, -0.53), (0.82, -0.27), (0.73, -0.06), (0.56, 0.08),
        (0.49, 0.10), (0.37, 0.50), (0.61, 0.74), (0.82, 1.01), (0.93, 1.28), (1.10, 1.33), (1.32, 1.50),
        (1.50, 1.85), (1.64, 2.47), (1.60, 3.34), (1.42, 3.55),
    )),
}
# fmt: on

FACE_PX = {1: 138, 2: 116}  # width of a face when so many stand before the camera
PLACES = {1: (0.52,), 2: (0.28, 0.73)}  # where the faces are then, as shares of the width


def arriving(count: int) -> int:
    """How many of a visit's `count` pictures show people still walking up, before they stand there."""
    return count // 4


def hallway(folder: Path, count: int = 8) -> None:
    """Write `count` stills of the empty hallway into `folder`: 000.jpg, 001.jpg, …"""
    random = np.random.default_rng(0)
    _write(folder, [_seen(_corridor(), random) for _ in range(count)])


def empty() -> Picture:
    """The empty hallway, without a sensor's noise."""
    return _corridor().copy()


def visit(folder: Path, people: Sequence[Path], count: int = 12) -> None:
    """Write `count` stills of one or two people's visit into `folder`: 000.jpg, 001.jpg, …

    `people` are photographs of `demo.photos`, from left to right. They walk up in the first
    `arriving(count)` pictures and then stand before the camera, never quite still. Raises ValueError
    for a photograph whose person was not cut out here, or for another number of people.
    """
    if len(people) not in PLACES:
        raise ValueError(f"one or two people can visit, not {len(people)}")
    cutouts = [_cutout(photo, FACE_PX[len(people)]) for photo in people]
    random = np.random.default_rng(zlib.crc32(" ".join(photo.name for photo in people).encode()))
    walk = arriving(count)
    nearness = [index / walk for index in range(walk)] + [1.0] * (count - walk)
    _write(folder, [_seen(_standing(cutouts, near, random), random) for near in nearness])


def _write(folder: Path, pictures: Sequence[Picture]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for index, picture in enumerate(pictures):
        _, jpeg = cv2.imencode(".jpg", picture.astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        (folder / f"{index:03}.jpg").write_bytes(jpeg.tobytes())


def _seen(scene: Picture, random: np.random.Generator) -> Picture:
    """The scene as a sensor delivers it: a little lighter or darker each time, and noisy."""
    noise = NOISE * random.standard_normal(scene.shape, np.float32)
    return np.clip(scene * random.uniform(0.97, 1.03) + noise, 0, 255).astype(np.float32)


def _standing(cutouts: Sequence[Picture], near: float, random: np.random.Generator) -> Picture:
    """People before the hallway; `near` goes from 0, when they come into view, to 1, at the door."""
    scene = _corridor().copy()
    for cutout, place in zip(cutouts, PLACES[len(cutouts)], strict=True):
        scale = (0.58 + 0.42 * near) * random.uniform(0.98, 1.02)
        across = 0.5 + (place - 0.5) * scale + 0.06 * (1 - near)
        centre = (across * WIDTH_PX + random.uniform(-5, 5), HORIZON_PX + random.uniform(-3, 3))
        _paste(scene, cutout, scale, centre)
    return scene


# --- people ---


def _cutout(photo: Path, face_px: int) -> Picture:
    """The person in a photograph, multiplied by its opacity, the face in the middle and `face_px` wide.

    Raises ValueError.
    """
    if photo.name not in _PORTRAITS:
        raise ValueError(f"nobody was cut out of {photo.name}; there are {', '.join(_PORTRAITS)}")
    portrait, size = _PORTRAITS[photo.name], 8 * face_px
    person = _centred(photo, portrait.face, face_px, size)
    outline = (np.array(portrait.outline) * face_px + size / 2).round().astype(np.int32)
    mask = cv2.fillPoly(np.zeros((size, size), np.float32), [outline], (1.0,))
    opacity = cv2.GaussianBlur(mask, (0, 0), 0.018 * face_px)[..., None]
    return np.concatenate([person * opacity, opacity], axis=2).astype(np.float32)


def _centred(photo: Path, face: tuple[float, float, float], face_px: int, size: int) -> Picture:
    """A square of `size` pixels out of a photograph, the face in its middle and `face_px` wide."""
    picture = cv2.imread(str(photo))
    if picture is None:
        raise ValueError(f"{photo} is not a picture")
    height, width = picture.shape[:2]
    scale = face_px / (face[2] * width)
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    scaled = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=way)
    move = _moved(1.0, size / 2 - face[0] * width * scale, size / 2 - face[1] * height * scale)
    return cv2.warpAffine(scaled, move, (size, size)).astype(np.float32)


def _moved(scale: float, right_px: float, down_px: float) -> NDArray[np.float32]:
    return np.array([[scale, 0, right_px], [0, scale, down_px]], np.float32)


def _paste(scene: Picture, cutout: Picture, scale: float, centre: tuple[float, float]) -> None:
    """Put a person into the scene, the face at `centre`, with a soft shadow behind."""
    half = cutout.shape[0] / 2 * scale
    move = _moved(scale, centre[0] - half, centre[1] - half)
    placed = cv2.warpAffine(cutout, move, (WIDTH_PX, HEIGHT_PX))
    opacity = placed[..., 3:]
    shadow = cv2.GaussianBlur(opacity, (0, 0), 16 * scale)[..., None]
    scene *= (1 - 0.35 * shadow) * (1 - opacity)
    scene += placed[..., :3]


# --- the hallway: right, down and ahead of the camera, in metres ---

_LENS_PX = 430.0  # focal length
_WALL_M, _FLOOR_M, _CEILING_M, _END_M = 1.05, 1.55, -1.05, 6.5
_LAMPS_M = tuple((0.0, _CEILING_M + 0.12, ahead) for ahead in (1.0, 3.2, 5.4))


@cache
def _corridor() -> Picture:
    """The empty hallway: every ray from the camera ends on a wall, which has a colour and gets light."""
    points, axis = _cast(_rays())
    picture = _colours(points, axis) * _light(points, axis)[..., None]
    picture = np.clip(picture, 0, 255).astype(np.float32)
    picture = cv2.resize(picture, (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_AREA)
    blurred: Picture = cv2.GaussianBlur(picture, (0, 0), 0.7)  # in focus is who stands at the door
    return blurred


def _rays() -> Picture:
    """A direction for each quarter of a pixel."""
    down, right = np.mgrid[: 2 * HEIGHT_PX, : 2 * WIDTH_PX].astype(np.float32) / 2 + 0.25
    return np.dstack([(right - WIDTH_PX / 2) / _LENS_PX, (down - HORIZON_PX) / _LENS_PX, np.ones_like(down)])


def _cast(rays: Picture) -> tuple[Picture, NDArray[np.intp]]:
    """Where each ray ends, and the axis across which that wall stands (0: sides, 1: floor and ceiling, 2: end)."""
    right, down = rays[..., 0], rays[..., 1]
    reach = np.stack([_WALL_M / np.abs(right), np.where(down > 0, _FLOOR_M, _CEILING_M) / down, rays[..., 2] * _END_M])
    return rays * reach.min(axis=0)[..., None], reach.argmin(axis=0)


def _light(points: Picture, axis: NDArray[np.intp]) -> Picture:
    """Lambert's law for each lamp, and some light from everywhere."""
    light = np.full(axis.shape, 0.46, np.float32)
    for lamp in _LAMPS_M:
        way = np.array(lamp, np.float32) - points
        facing = np.abs(np.take_along_axis(way, axis[..., None], axis=2))[..., 0]
        light += 0.62 * facing / np.linalg.norm(way, axis=2) ** 3
    return np.minimum(light, 1.15)


def _colours(points: Picture, axis: NDArray[np.intp]) -> Picture:
    """The paint at each point, BGR; of several that fit the first counts."""
    right, down, ahead = points[..., 0], points[..., 1], points[..., 2]
    side, level, end = axis == 0, axis == 1, axis == 2
    left, right_side = side & (right < 0), side & (right > 0)
    paints = [
        *_door(end, right, down),
        *_door(left, ahead - 3.5, down),
        *_painting(right_side, ahead - 3.2, down + 0.15),
        *_ceiling(level & (down < 0), right, ahead),
        *_floor(level & (down > 0), right),
        *_wall(side | end, down),
    ]
    return np.select([mask[..., None] for mask, _ in paints], [np.array(bgr, np.float32) for _, bgr in paints])


def _within(value: Picture, limit: float, around: float = 0.0) -> Mask:
    mask: Mask = np.abs(value - around) < limit
    return mask


def _door(wall: Mask, across: Picture, down: Picture) -> list[Paint]:
    """`across` is measured along the wall from the middle of the door."""
    knob = np.hypot(across - 0.37, down - 0.5) < 0.035
    panels = _within(np.abs(across), 0.13, around=0.21) & _within(np.abs(down - 0.5), 0.36, around=0.5)
    leaf = _within(across, 0.43) & (down > -0.5)
    frame = _within(across, 0.52) & (down > -0.59)
    return [
        (wall & knob, (120, 190, 215)),
        (wall & leaf & panels, (44, 72, 104)),
        (wall & leaf, (56, 90, 128)),
        (wall & frame, (214, 220, 224)),
    ]


def _painting(wall: Mask, across: Picture, down: Picture) -> list[Paint]:
    canvas, frame = _within(across, 0.44) & _within(down, 0.25), _within(across, 0.5) & _within(down, 0.3)
    return [(wall & canvas, (150, 130, 96)), (wall & frame, (40, 52, 66))]


def _ceiling(ceiling: Mask, right: Picture, ahead: Picture) -> list[Paint]:
    lamps = [(ceiling & (np.hypot(right, ahead - lamp[2]) < 0.18), (900, 900, 900)) for lamp in _LAMPS_M]
    return [*lamps, (ceiling, (222, 226, 228))]


def _floor(floor: Mask, right: Picture) -> list[Paint]:
    """Planks, and a carpet with a border on each side."""
    border, carpet = _within(np.abs(right), 0.025, around=0.44), _within(right, 0.52)
    joint = _within(right / 0.15 % 1, 0.05)
    return [
        (floor & border, (96, 142, 170)),
        (floor & carpet, (58, 46, 104)),
        (floor & joint, (58, 80, 104)),
        (floor, (84, 116, 148)),
    ]


def _wall(wall: Mask, down: Picture) -> list[Paint]:
    """Green below, cream above, with a rail between and a skirting board."""
    boards = _within(down, 0.03, around=0.42) | (down > _FLOOR_M - 0.12)
    return [(wall & boards, (206, 212, 216)), (wall & (down > 0.42), (138, 156, 150)), (wall, (186, 202, 212))]
