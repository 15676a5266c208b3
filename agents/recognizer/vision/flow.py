"""How far a face and what is around it moved between two frames: sparse optical flow.

B. Lucas and T. Kanade, "An iterative image registration technique", 1981, as OpenCV has it, on corners after
J. Shi and C. Tomasi, "Good features to track", 1994, there and back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from agents.recognizer.liveness.context import Motion, Vector
from agents.recognizer.vision.found import Pixels
from agents.wire.identity import Box

Grey = npt.NDArray[np.uint8]
Moved = npt.NDArray[np.float32]

FACE_PX = 48  # the face's width in the picture that is measured
FAR_PX = 160  # width of the whole picture in which the camera's own motion is measured
CORNERS, LEAST_CORNERS = 24, 5
QUALITY, APART_PX = 0.02, 3
BACK_PX = 0.5  # a corner that is not found again within this was lost
WINDOW = {"winSize": (11, 11), "maxLevel": 2, "criteria": (3, 10, 0.03)}
STANDS_PX, STANDING = 0.1, 0.2  # where so large a share of the far corners moves less, the camera stands
EDGE = 0.12  # of the picture's width, at either side: far from most faces


@dataclass(frozen=True)
class _Region:
    """Around a face: to its sides and above, not below its chin. In pixels of the whole picture."""

    left: int
    top: int
    right: int
    bottom: int

    @classmethod
    def of(cls, box: Box, width_px: int, height_px: int) -> _Region:
        left, right = box.left - 0.85 * box.width, box.left + 1.85 * box.width
        top, bottom = box.top - 0.6 * box.height, box.top + 0.75 * box.height
        return cls(max(0, int(left)), max(0, int(top)), min(width_px, int(right)), min(height_px, int(bottom)))


def motion(before: Pixels, image: Pixels, face: Box) -> Motion | None:
    """Between two RGB pictures of one size; `face` is its outline in the second. None where it can't be told."""
    height_px, width_px = image.shape[:2]
    region = _Region.of(face, width_px, height_px)
    if before.shape != image.shape or region.right - region.left < face.width or region.bottom <= region.top:
        return None
    scale = min(1.0, FACE_PX / face.width)
    old, new = (_part(picture, region, scale) for picture in (before, image))
    moved, around = (_median(part) for part in _corners_moved(old, new, _masks(new.shape, region, face, scale)))
    if moved is None or around is None:
        return None
    stands = np.hypot(*around) < STANDS_PX  # and so does the camera
    own = (0.0, 0.0) if stands else _camera(before, image)
    unit = face.width * scale
    return Motion(_less(moved, own, unit, face.width), _less(around, own, unit, face.width))


def _less(moved: Vector, own: Vector, unit_px: float, width_px: int) -> Vector:
    """In widths of the face, less the camera's own."""
    return moved[0] / unit_px - own[0] / width_px, moved[1] / unit_px - own[1] / width_px


def _part(picture: Pixels, region: _Region, scale: float) -> Grey:
    part = picture[region.top : region.bottom, region.left : region.right]
    size = (max(16, round(part.shape[1] * scale)), max(16, round(part.shape[0] * scale)))
    small = cv2.resize(np.ascontiguousarray(part), size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)


def _masks(shape: tuple[int, ...], region: _Region, box: Box, scale: float) -> tuple[Grey, Grey]:
    """Where the face's corners are looked for, and those around it."""

    def cut(across: tuple[float, float], down: tuple[float, float]) -> tuple[slice, slice]:
        left, right = (max(0, round((box.left + share * box.width - region.left) * scale)) for share in across)
        top, bottom = (max(0, round((box.top + share * box.height - region.top) * scale)) for share in down)
        return slice(top, bottom), slice(left, right)

    inner, ring = np.zeros(shape, np.uint8), np.full(shape, 255, np.uint8)
    inner[cut((0.15, 0.85), (0.2, 0.75))] = 255
    ring[cut((-0.25, 1.25), (-0.25, 9.0))] = 0
    return inner, ring


def _median(moved: Moved) -> Vector | None:
    if len(moved) < LEAST_CORNERS:
        return None
    across, down = np.median(moved, axis=0)
    return float(across), float(down)


def _corners_moved(old: Grey, new: Grey, masks: Sequence[Grey]) -> list[Moved]:
    """For each mask (n, 2) in pixels: how far the corners in it went, of those that were found again."""
    found = [cv2.goodFeaturesToTrack(old, CORNERS, QUALITY, APART_PX, mask=mask) for mask in masks]
    corners = [np.asarray(np.empty((0, 1, 2)) if some is None else some, np.float32) for some in found]
    there = np.concatenate(corners)
    if not len(there):
        return [there[:, 0]] * len(masks)
    after, seen, _ = cv2.calcOpticalFlowPyrLK(old, new, there, None, **WINDOW)  # type: ignore[call-overload]  # of a dict
    back, again, _ = cv2.calcOpticalFlowPyrLK(new, old, after, None, **WINDOW)  # type: ignore[call-overload]  # of a dict
    good = (seen[:, 0] == 1) & (again[:, 0] == 1) & (np.linalg.norm((back - there)[:, 0], axis=1) <= BACK_PX)
    ends = np.cumsum([len(some) for some in corners])[:-1]
    pairs = zip(np.split((after - there)[:, 0], ends), np.split(good, ends), strict=True)
    return [moved[kept] for moved, kept in pairs]


def _camera(before: Pixels, image: Pixels) -> Vector:
    """The camera's own motion in pixels: none, where enough at the sides of the picture stands still."""
    height_px, width_px = image.shape[:2]
    scale = min(1.0, FAR_PX / width_px)
    old, new = (_part(picture, _Region(0, 0, width_px, height_px), scale) for picture in (before, image))
    sides, edge = np.full(new.shape, 255, np.uint8), round(EDGE * new.shape[1])
    sides[:, edge:-edge] = 0
    (moved,) = _corners_moved(old, new, [sides])
    if len(moved) < LEAST_CORNERS or np.mean(np.linalg.norm(moved, axis=1) < STANDS_PX) >= STANDING:
        return 0.0, 0.0
    across, down = np.median(moved, axis=0) / scale
    return float(across), float(down)
