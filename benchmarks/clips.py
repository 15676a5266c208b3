"""Clips of people's faces for the benchmarks: videos, folders of stills and single pictures, read alike.

They are those of demo.clips (two men at a webcam, fetched once), any folder of clips, and a folder laid out
for liveness:

    FOLDER/live/*              clips of people
    FOLDER/attack/KIND/*       clips of attacks of one kind, such as print or replay
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from demo import clips as shipped_clips

Image = npt.NDArray[np.uint8]
"""BGR, uint8, (height, width, 3)."""
Timed = tuple[float, Image]
"""Seconds since the clip's start, and the picture."""

RATE_FPS = 10.0
WIDTH_PX, HEIGHT_PX = 640, 360  # what the camera agent publishes by default
VIDEOS = {".mp4", ".webm", ".gif", ".avi", ".mkv", ".mov", ".m4v", ".mjpeg"}
STILLS = {".jpg", ".jpeg", ".png", ".bmp", ".webp"}
STILL_S = 5.0  # how long a single picture is shown


class ClipError(Exception):
    """A clip or a folder of clips can't be used; its text names it and says why, for people."""


@dataclass(frozen=True)
class Clip:
    """Pictures of one person over time: those in a file or folder at `path`, or `pictures` at `fps`.

    `person` is the same for clips of the same person. A folder's stills are `fps` a second, in the order of
    their names; a single picture is shown for STILL_S; a video has its own rate.
    """

    name: str
    person: str
    path: Path | None = None
    fps: float = RATE_FPS
    pictures: tuple[Image, ...] = field(default=(), repr=False)

    def frames(
        self, rate_fps: float = RATE_FPS, start_s: float = 0.0, length_s: float = float("inf"), fit: bool = True
    ) -> Iterator[Timed]:
        """At most `rate_fps` pictures a second, from `start_s` on; never repeated, never enlarged.

        With `fit` each is as large as fits 640 × 360, as the camera agent makes it. Raises ClipError.
        """
        due_s = start_s
        for at_s, image in self._all(start_s):
            if at_s >= start_s + length_s - 1e-6:
                return
            if at_s >= due_s - 1e-6:
                due_s = max(due_s + 1 / rate_fps, at_s + 0.5 / rate_fps)
                yield at_s - start_s, fitted(image) if fit else image

    def length_s(self) -> float:
        """About how long the clip is, as its file says. Raises ClipError."""
        if self.path is not None and self.path.suffix.lower() in VIDEOS:
            video = _opened(self.path)
            return float(video.get(cv2.CAP_PROP_FRAME_COUNT)) / _fps(video)
        if self.path is not None and self.path.is_dir():
            return len(_stills(self.path)) / self.fps
        return len(self.pictures) / self.fps if self.path is None else STILL_S

    def part(self, share: float, length_s: float) -> tuple[Image, ...]:
        """The pictures of `length_s` of the clip, RATE_FPS a second, unscaled; `share` 0 are the first, 1 the last.

        Fewer where the clip is shorter. Raises ClipError.
        """
        start_s = max(0.0, self.length_s() - length_s) * share
        return tuple(image for _, image in self.frames(RATE_FPS, start_s, length_s, fit=False))

    def _all(self, start_s: float) -> Iterator[Timed]:
        if self.path is None:
            return ((number / self.fps, image) for number, image in enumerate(self.pictures))
        if self.path.is_dir():
            return ((number / self.fps, _still(path)) for number, path in enumerate(_stills(self.path)))
        if self.path.suffix.lower() in STILLS:
            image = _still(self.path)
            return ((number / RATE_FPS, image) for number in range(round(STILL_S * RATE_FPS)))
        return _video(self.path, start_s)


def fitted(image: Image) -> Image:
    """As large as fits 640 × 360 with its proportions kept; never enlarged. As agents/camera/picture.py does."""
    height, width = image.shape[:2]
    scale = min(WIDTH_PX / width, HEIGHT_PX / height)
    if scale >= 1:
        return image
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def shipped() -> list[Clip]:
    """The clips that everybody can have. Raises demo.clips.ClipsError."""
    found = shipped_clips.clips()
    return [Clip(path.stem, shipped_clips.PEOPLE[name], path) for name, path in found.items()]


def of_folder(folder: Path) -> list[Clip]:
    """Every clip in a folder, sorted by name: videos, pictures, and folders of stills; each its own person.

    Raises ClipError when there is none, or something that is none of these.
    """
    if not folder.is_dir():
        raise ClipError(f"{folder}: there is no such folder")
    paths = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    if not paths:
        raise ClipError(f"{folder}: no clips in it")
    return [_clip(path) for path in paths]


def of_user(folder: Path) -> tuple[list[Clip], dict[str, list[Clip]]]:
    """The clips of people in FOLDER/live and those of attacks by kind in FOLDER/attack/KIND; either may be missing.

    Raises ClipError when both are, or when one of the folders holds what is no clip.
    """
    live, attack = folder / "live", folder / "attack"
    if not live.is_dir() and not attack.is_dir():
        raise ClipError(f"{folder}: has neither live/ nor attack/KIND/ in it")
    kinds = sorted(path for path in attack.iterdir() if not path.name.startswith(".")) if attack.is_dir() else []
    for path in kinds:
        if not path.is_dir():
            raise ClipError(f"{path}: clips of attacks belong into a folder of their kind, {attack}/KIND/")
    return (of_folder(live) if live.is_dir() else []), {path.name: of_folder(path) for path in kinds}


def _clip(path: Path) -> Clip:
    """Raises ClipError for what is none."""
    if path.is_dir():
        _stills(path)
    elif path.suffix.lower() not in VIDEOS | STILLS:
        raise ClipError(f"{path}: is no video ({' '.join(sorted(VIDEOS))}) and no picture ({' '.join(sorted(STILLS))})")
    return Clip(path.name, path.stem, path)


def _stills(folder: Path) -> list[Path]:
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in STILLS)
    if not found:
        raise ClipError(f"{folder}: no pictures in it")
    return found


def _still(path: Path) -> Image:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise ClipError(f"{path}: can't be read as a picture")
    return np.asarray(image, np.uint8)


def _opened(path: Path) -> cv2.VideoCapture:
    video = cv2.VideoCapture(str(path))
    if not video.isOpened():
        raise ClipError(f"{path}: can't be read as a video")
    return video


def _fps(video: cv2.VideoCapture) -> float:
    fps = float(video.get(cv2.CAP_PROP_FPS))
    return fps if np.isfinite(fps) and fps > 0 else RATE_FPS


def _video(path: Path, start_s: float) -> Iterator[Timed]:
    video = _opened(path)
    fps = _fps(video)
    number, first = 0, int(start_s * fps)
    # by reading, not by seeking: where a seek lands depends on the file and on the build of OpenCV
    while number < first and video.grab():
        number += 1
    while True:
        more, image = video.read()
        if not more:
            break
        yield number / fps, np.asarray(image, np.uint8)
        number += 1
    if number == 0:
        raise ClipError(f"{path}: has no pictures in it")
