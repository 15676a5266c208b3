"""A folder of stills, shown one after the other, over and over."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from pathlib import Path

import cv2

from agents.camera.picture import Image
from agents.camera.source import SourceError

SUFFIXES = (".jpg", ".jpeg", ".png")


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

    def read(self) -> Image:
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
            return sorted(path.name for path in self._folder.iterdir() if path.suffix.lower() in SUFFIXES)
        except OSError as error:
            raise SourceError(f"{self._name}: {error.strerror}") from None

    def _load(self, name: str) -> Image | None:
        path = self._folder / name
        try:
            image = cv2.imread(str(path), cv2.IMREAD_COLOR)
        except cv2.error:  # larger than OpenCV decodes
            image = None
        if image is not None:
            self._bad.discard(name)
        elif name not in self._bad and path.exists():
            self._bad.add(name)
            self._warn(f"{self._name}: {name} is skipped: it can't be read as a picture")
        return image  # type: ignore[return-value]  # IMREAD_COLOR gives uint8
