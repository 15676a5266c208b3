"""Follows the gallery while the recognizer runs: what the command line changes counts at once."""

from __future__ import annotations

from pathlib import Path

from agents.recognizer.errors import GalleryError
from agents.recognizer.matcher import NOBODY_ENROLLED, Enrolled
from agents.recognizer.people.gallery import Gallery
from agents.runtime.clock import Now

TIMEOUT_S = 1.0
RETRY_S = 1.0


class Watch:
    """Follows the gallery for a running program. `problem` says why nobody can be known, or is None."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._gallery: Gallery | None = None
        self._seen: object = None
        self._retry_at = float("-inf")
        self.problem: str | None = None

    def poll(self, now: Now, encoder: str) -> Enrolled | None:
        """Who is enrolled, when that may have changed since the last call; else None.

        `encoder` must have made the encodings. Takes some 20 µs, so that it can be asked before
        every frame. Nobody is enrolled while the gallery can't be used; it is tried again every second.
        """
        if now.mono < self._retry_at or (self._gallery is not None and self._state(self._gallery) == self._seen):
            return None
        self.close()
        try:
            return self._open(encoder)
        except GalleryError as error:
            self.close()
            self.problem, self._retry_at = str(error), now.mono + RETRY_S
            return NOBODY_ENROLLED

    def close(self) -> None:
        if self._gallery is not None:
            self._gallery.close()
        self._gallery = None

    def _open(self, encoder: str) -> Enrolled:
        """The file's state is noted before it is read: what changes meanwhile is read next time."""
        file = _file_state(self._path)
        self._gallery = Gallery(self._path, TIMEOUT_S)
        self._seen = (file, self._gallery.version())
        enrolled = self._gallery.load(encoder)
        self.problem, self._retry_at = None, float("-inf")
        return enrolled

    def _state(self, gallery: Gallery) -> object:
        """SQLite says whether the file was changed, the file system whether it is still that file."""
        try:
            return _file_state(self._path), gallery.version()
        except GalleryError:
            return None


def _file_state(path: Path) -> tuple[int, ...] | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_dev, stat.st_ino, stat.st_mtime_ns, stat.st_size
