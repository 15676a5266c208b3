"""Whether a face in a picture is good enough to enroll somebody from. Pure: measurements in, a flaw or none out.

How the limits were chosen: on the 1,672 news photos of Labeled Faces in the Wild (LFW), one face
each, found by YuNet, and on copies of them made darker, brighter, paler and blurred. Together they
refuse 2.3 % of the photos as they are.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

MIN_FACE_PX = 80

MIN_BRIGHTNESS = 40.0
"""Refuses none of LFW, whose darkest face has 54; of copies at 35, 25 and 15 % of their light 33, 93
and all. At 35 % an encoding moves by a median 0.10, at 25 % by 0.13 (their length taken as 1)."""

MAX_BURNT = 0.15
"""Share of the face at 250 of 255 and more. Refuses none of LFW; of copies made twice and three times
as bright 75 and 98 %. At twice the light an encoding moves by a median 0.19."""

MIN_CONTRAST = 10.0
"""Standard deviation of the brightness. Refuses none of LFW, whose palest face has 14; of copies with
a quarter of their contrast, as in fog, 69 %."""

MAX_SIDE_RATIO = 2.5
"""How many times as bright as the other one side of the face may be. Refuses none of LFW (99 % are
below 1.8); of copies whose one side got 30 and 15 % of its light 80 and 99 %. At 30 % an encoding
moves by a median 0.19."""

MIN_SHARPNESS = 10.0
"""Refuses 0.7 % of LFW. Of LFW blurred with sigma 1.5, 2 and 3 px, which is 1.4, 1.9 and 2.9 % of the
faces' median width, it refuses 61, 92 and 99.6 % (of the 1,665 faces that dlib's detector finds)."""

MAX_YAW_DEG, MAX_PITCH_DEG = 35.0, 15.0
"""Refuses 1.6 % of LFW. How far a head leans to the side is not limited: faces are turned upright
before they are encoded, and 30 degrees move an encoding by a median 0.04."""

NOSE_DEPTH, NOSE_LEVEL = 0.5, 0.56
"""Of the distance from eyes to mouth: how far the tip of the nose stands out, and how far down it is.
The first makes the eyes of LFW's turned faces come together with the cosine of the angle, the second
is LFW's median."""

_GREY = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601


@dataclass(frozen=True)
class Flaw:
    """`reason` says what is wrong with a picture, `hint` what a person at the camera can do."""

    reason: str
    hint: str


@dataclass(frozen=True)
class Pose:
    """Degrees. `yaw_deg` grows to the person's own left, `pitch_deg` as the chin goes down.

    An estimate from five points, good to about ten degrees; an open mouth looks like a lifted chin.
    """

    yaw_deg: float
    pitch_deg: float


@dataclass(frozen=True)
class Light:
    """Of the face, in shades from 0 to 255: their mean, their standard deviation, the share that is
    burnt out, and the brighter half's mean over the darker one's.
    """

    brightness: float
    contrast: float
    burnt: float
    side_ratio: float


@dataclass(frozen=True)
class Measures:
    """`pose` is None where the detector does not tell."""

    width_px: int
    light: Light
    sharpness: float
    pose: Pose | None


def pose_of(points: npt.NDArray[np.float64]) -> Pose:
    """Of `Found.points`, (5, 2): plain geometry of how far the nose is off the line from eyes to mouth, and down it."""
    eyes, nose, mouth = points[:2].mean(axis=0), points[2], points[3:].mean(axis=0)
    down = mouth - eyes
    length = max(float(np.hypot(*down)), 1e-9)
    right, along = (nose - eyes) @ np.array([[down[1], down[0]], [-down[0], down[1]]]) / length**2
    yaw = math.asin(min(1.0, max(-1.0, float(right) / NOSE_DEPTH)))
    return Pose(math.degrees(yaw), math.degrees(math.atan((float(along) - NOSE_LEVEL) / NOSE_DEPTH)))


def light_of(chip: npt.NDArray[np.uint8]) -> Light:
    """Of the middle half of an RGB chip, each way: what is around it is not the face."""
    margin = chip.shape[0] // 4
    face = chip[margin:-margin, margin:-margin] @ _GREY
    halves = (float(half.mean()) + 1.0 for half in np.array_split(face, 2, axis=1))  # + 1: black is no divisor
    darker, brighter = sorted(halves)
    return Light(float(face.mean()), float(face.std()), float((face >= 250).mean()), brighter / darker)


def number_flaw(faces: int) -> Flaw | None:
    if faces == 0:
        return Flaw("no face found", "no face in view")
    if faces > 1:
        return Flaw(
            f"{faces} faces found; a photo to enroll shows one person", f"{faces} faces in view: only one may be"
        )
    return None


def flaw(face: Measures) -> Flaw | None:
    """The first thing that is wrong with a face, or None. Light comes before sharpness: what is dark is not sharp."""
    return next(_flaws(face), None)


def _flaws(face: Measures) -> Iterator[Flaw]:
    if face.width_px < MIN_FACE_PX:
        text = f"the face is too small: {face.width_px} px wide, at least {MIN_FACE_PX} are needed"
        yield Flaw(text, "come closer")
    yield from _light_flaws(face.light)
    if face.pose is not None:
        yield from _pose_flaws(face.pose)
    if face.sharpness < MIN_SHARPNESS:
        text = f"the face is blurred: sharpness {face.sharpness:.1f}, at least {MIN_SHARPNESS:.0f} is needed"
        yield Flaw(text, "blurred: hold still")


def _light_flaws(light: Light) -> Iterator[Flaw]:
    if light.brightness < MIN_BRIGHTNESS:
        text = (
            f"the face is too dark: brightness {light.brightness:.0f} of 255, at least {MIN_BRIGHTNESS:.0f} is needed"
        )
        yield Flaw(text, "too dark: more light on the face")
    if light.burnt > MAX_BURNT:
        text = f"the face is too bright: {light.burnt:.0%} of it is burnt out, at most {MAX_BURNT:.0%} may be"
        yield Flaw(text, "too bright: less light on the face")
    if light.contrast < MIN_CONTRAST:
        text = f"the face is too pale: contrast {light.contrast:.0f}, at least {MIN_CONTRAST:.0f} is needed"
        yield Flaw(text, "too pale: is the lens clean?")
    if light.side_ratio > MAX_SIDE_RATIO:
        text = f"one side of the face is {light.side_ratio:.1f} times as bright as the other, at most {MAX_SIDE_RATIO}"
        yield Flaw(text, "the light comes from one side: turn towards it")


def _pose_flaws(pose: Pose) -> Iterator[Flaw]:
    for angle, limit, ways in (
        (pose.yaw_deg, MAX_YAW_DEG, ("turned", "to its left", "to its right")),
        (pose.pitch_deg, MAX_PITCH_DEG, ("tilted", "down", "up")),
    ):
        if abs(angle) > limit:
            how, where = ways[0], ways[1 if angle > 0 else 2]
            text = (
                f"the face is {how} too far {where}: about {abs(angle):.0f}°, at most {limit:.0f}°; look at the camera"
            )
            yield Flaw(text, "not so far: look at the camera")
