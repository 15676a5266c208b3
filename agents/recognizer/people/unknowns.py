"""The faces of people who are not enrolled, where a house keeps them: few, for a short time, and its owner's alone."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np

from agents.recognizer.config import KeepUnknown
from agents.recognizer.errors import StoreError
from agents.recognizer.matcher import Encoding
from agents.recognizer.people.records import to_blob
from agents.recognizer.people.store import Store
from agents.recognizer.picture import Pixels, face_crop
from agents.runtime.clock import Now
from agents.wire.identity import Box

FILE = "unknown.sqlite"
DAY_S = 86_400.0
CLOCK_ERROR_S = 3600.0  # what was seen later than this from now was seen on a wrong clock
EVERY_S = 1.0
SAME_WITHIN = 0.35
SAME_FOR_S = 600.0
LIMIT_EVERY_S = 3600.0
TIMEOUT_S = 0.2  # a camera's next frame waits for so long
FACES = """CREATE TABLE faces (
  id INTEGER PRIMARY KEY,
  camera TEXT NOT NULL,
  seen_at REAL NOT NULL,
  encoder TEXT NOT NULL,
  encoding BLOB NOT NULL,
  crop BLOB NOT NULL
)"""


@dataclass(frozen=True)
class UnknownFace:
    """`seen_at` is UTC seconds, `encoding` little-endian float64, `crop` a JPEG."""

    camera: str
    seen_at: float
    encoder: str
    encoding: bytes
    crop: bytes


class UnknownFile(Store):
    """The file with the faces. Every method raises StoreError."""

    kind, error, missing, missing_text = "file of unknown faces", StoreError, StoreError, "is not there"
    schema = ((FACES,),)

    def add(self, face: UnknownFace) -> None:
        with self._transaction("IMMEDIATE") as db:
            db.execute(
                "INSERT INTO faces (camera, seen_at, encoder, encoding, crop) VALUES (?, ?, ?, ?, ?)", astuple(face)
            )

    def faces(self) -> list[UnknownFace]:
        """The newest first."""
        with self._transaction() as db:
            rows = db.execute("SELECT camera, seen_at, encoder, encoding, crop FROM faces ORDER BY seen_at DESC")
            return [UnknownFace(*row) for row in rows]

    def limit(self, limits: KeepUnknown, now: Now) -> None:
        """Erase what is too old, and the oldest where there are too many."""
        oldest = now.utc - limits.max_age_days * DAY_S
        with self._transaction("IMMEDIATE") as db:
            if now.utc_is_set:
                db.execute("DELETE FROM faces WHERE seen_at NOT BETWEEN ? AND ?", (oldest, now.utc + CLOCK_ERROR_S))
            db.execute(
                "DELETE FROM faces WHERE id NOT IN (SELECT id FROM faces ORDER BY seen_at DESC, id DESC LIMIT ?)",
                (limits.max_count,),
            )

    def clear(self) -> int:
        """Erase them all; returns how many there were."""
        with self._transaction("IMMEDIATE") as db:
            cleared = db.execute("DELETE FROM faces").rowcount
        self._wipe()
        return cleared


class Unknowns:
    """Keeps strangers' faces for a running recognizer; with None for `limits`, erases those that were kept.

    At most one a second from a camera, and not the same face again within ten minutes; none while
    the computer does not know the time, as their age could not be told. Nothing here raises: who
    can't keep strangers can still recognize people. `problem` says what is wrong, or is None.
    """

    def __init__(self, path: Path, limits: KeepUnknown | None, encoder: str, now: Now) -> None:
        """`encoder` makes the encodings that are added. Nothing is opened where nothing is kept."""
        self._limits, self._encoder = limits or KeepUnknown(), encoder
        self._file: UnknownFile | None = None
        self._kept_at: dict[str, float] = {}
        self._recent: deque[tuple[float, Encoding]] = deque()
        self._limited_at = now.mono
        self.problem: str | None = None
        with self._noted():
            if limits is None:
                erase(path)
            else:
                self._file = UnknownFile(path, TIMEOUT_S, create=True)
                self._file.limit(limits, now)

    def add(self, camera: str, image: Pixels, box: Box, encoding: Encoding, now: Now) -> bool:
        """Keep the face in `box` of an RGB picture. Returns whether it was."""
        if self._file is None or not now.utc_is_set or not self._is_news(camera, encoding, now.mono):
            return False
        self._kept_at[camera] = now.mono
        self._recent.append((now.mono, encoding))
        with self._noted():
            self._file.add(UnknownFace(camera, now.utc, self._encoder, to_blob(encoding), face_crop(image, box)))
            self._file.limit(self._limits, now)
        return self.problem is None

    def tick(self, now: Now) -> None:
        """To be called now and then: faces grow old in a quiet house too."""
        if self._file is not None and now.mono - self._limited_at >= LIMIT_EVERY_S:
            self._limited_at = now.mono
            with self._noted():
                self._file.limit(self._limits, now)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file = None

    def _is_news(self, camera: str, encoding: Encoding, mono: float) -> bool:
        while self._recent and mono - self._recent[0][0] > SAME_FOR_S:
            self._recent.popleft()
        if mono - self._kept_at.get(camera, float("-inf")) < EVERY_S:
            return False
        return all(np.linalg.norm(encoding - kept) > SAME_WITHIN for _, kept in self._recent)

    @contextlib.contextmanager
    def _noted(self) -> Iterator[None]:
        try:
            yield
            self.problem = None
        except StoreError as error:
            self.problem = str(error)


def erase(path: Path) -> bool:
    """Erase the file, whatever is in it. Returns whether there was one. Raises StoreError."""
    there = path.exists()
    try:
        for file in (path, path.with_name(f"{path.name}-journal")):
            file.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(f"{path}: can't be erased: {error.strerror}") from None
    return there
