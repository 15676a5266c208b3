"""A folder of stills, shown one after the other, over and over."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Callable
from pathlib import Path

import cv2

from agents.camera.picture import Image
from agents.camera.source import SourceError

SUFFIXES = (".jpg", ".jpeg", ".png")
KEPT_BYTES = 32_000_000  # of decoded stills: a few, shown over and over, are decoded once

Mark = tuple[int, ...]
"""What tells a file from one that took its name or its place."""


class FolderSource:
    """Stills in the order of their names.

    The folder is listed anew for each picture, so what is added, removed or swapped counts at once.
    A still that can't be read is skipped, and `warn` told of it once.
    """

    live = False

    def __init__(self, folder: Path, name: str, warn: Callable[[str], None]) -> None:
        self._folder, self._name, self._warn = folder, name, warn
        self._last = ""
        self._bad: set[str] = set()
        self._kept: dict[str, tuple[Mark, Image]] = {}

    def grab(self) -> None:
        pass  # there always is a next one

    def retrieve(self) -> Image:
        names = self._names()
        start = bisect_right(names, self._last)
        for name in names[start:] + names[:start]:
            self._last = name
            image = self._load(name)
            if image is not None:
                return image
        raise SourceError(f"{self._name}: no picture in this folder can be read ({', '.join(SUFFIXES)})")

    def close(self) -> None:
        pass

    def _names(self) -> list[str]:
        try:
            return sorted(name for name in os.listdir(self._folder) if name.lower().endswith(SUFFIXES))  # noqa: PTH208 - a third of the time
        except OSError as error:
            raise SourceError(f"{self._name}: {error.strerror}") from None

    def _load(self, name: str) -> Image | None:
        path = self._folder / name
        mark, kept = _mark(path), self._kept.get(name)
        if kept is not None and kept[0] == mark:
            return kept[1]
        image = self._decode(path)
        if mark is not None and image is not None:
            self._keep(name, mark, image)
        return image

    def _keep(self, name: str, mark: Mark, image: Image) -> None:
        if sum(kept.nbytes for _, kept in self._kept.values()) + image.nbytes > KEPT_BYTES:
            self._kept.clear()
        self._kept[name] = mark, image

    def _decode(self, path: Path) -> Image | None:
        try:
            image = cv2.imread(str(path), cv2.IMREAD_COLOR)
        except cv2.error:  # larger than OpenCV decodes
            image = None
        if image is not None:
            self._bad.discard(path.name)
        elif path.name not in self._bad and path.exists():
            self._bad.add(path.name)
            self._warn(f"{self._name}: {path.name} is skipped: it can't be read as a picture")
        return image  # type: ignore[return-value]  # IMREAD_COLOR gives uint8


def _mark(path: Path) -> Mark | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_dev, stat.st_ino, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size
