"""Pictures of decisions: files for their owner only, for some days, and not too many of them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from agents.scheduler.config import JournalSettings

FOLDER = "snapshots"
DAY_S = 86_400.0
STAMP = "%Y%m%dT%H%M%S.%fZ"  # sorted by name they are sorted by time
BETWEEN = "~"  # is in no stamp, no door's name and no id
ID_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:-")


class PicturesError(Exception):
    """A picture can't be kept, found or erased; its text names the file or folder, for people."""


@dataclass(frozen=True)
class _Picture:
    """`at` is UTC seconds."""

    path: Path
    at: float
    id: str


class Pictures:
    """The folder of them. Every method raises PicturesError. Other files in it are left alone."""

    def __init__(self, folder: Path, max_age_days: float = 30.0, max_mb: float = 200.0) -> None:
        self._folder, self._max_age_days, self._max_mb = folder, max_age_days, max_mb

    def save(self, decision_id: str, door: str, at: float, jpeg: bytes) -> None:
        """Keep the picture of a decision of `at` (UTC seconds). It is there whole, or not at all."""
        with self._explained():
            path = self._folder / _name(decision_id, door, at)
            draft = path.with_suffix(".new")
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(jpeg)
            draft.replace(path)

    def prune(self, now_utc: float) -> None:
        """Erase what is too old, and the oldest where there is too much. Not for a clock that was never set."""
        oldest, room = now_utc - self._max_age_days * DAY_S, self._max_mb * 1e6
        with self._explained():
            for picture in reversed(self._pictures()):
                room -= picture.path.stat().st_size
                if picture.at < oldest or room < 0:
                    picture.path.unlink(missing_ok=True)
            for draft in self._folder.glob(f"*{BETWEEN}*.new"):  # whoever wrote it was killed
                draft.unlink(missing_ok=True)

    def remove(self, ids: Iterable[str]) -> int:
        """Erase the pictures of these decisions; returns how many there were."""
        wanted = frozenset(ids)
        with self._explained():
            found = [picture for picture in self._pictures() if picture.id in wanted]
            for picture in found:
                picture.path.unlink(missing_ok=True)
        return len(found)

    def path_of(self, decision_id: str) -> Path | None:
        """The newest picture of a decision."""
        with self._explained():
            return next((p.path for p in reversed(self._pictures()) if p.id == decision_id), None)

    def _pictures(self) -> list[_Picture]:
        """The oldest first."""
        if not self._folder.exists():
            return []
        return sorted(filter(None, map(_picture, self._folder.iterdir())), key=lambda picture: picture.path.name)

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise PicturesError(f"{error.filename or self._folder}: {error.strerror}") from None
        except (OverflowError, ValueError) as error:
            raise PicturesError(f"{self._folder}: {error}") from None


def _name(decision_id: str, door: str, at: float) -> str:
    """Raises OverflowError and ValueError for what does not belong into a file's name."""
    if not (decision_id and door) or not ID_CHARACTERS.issuperset(decision_id + door):
        raise ValueError(f"no picture is kept of {decision_id!r:.80} at {door!r:.80}")
    return BETWEEN.join([datetime.fromtimestamp(at, UTC).strftime(STAMP), door, f"{decision_id}.jpg"])


def _picture(path: Path) -> _Picture | None:
    """None for a file that is something else."""
    stamp, _, rest = path.name.partition(BETWEEN)
    _, _, decision_id = rest.partition(BETWEEN)
    try:
        at = datetime.strptime(stamp, STAMP).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
    return _Picture(path, at, decision_id.removesuffix(".jpg")) if decision_id.endswith(".jpg") else None


def pictures_of(kept: JournalSettings, data: Path) -> Pictures | None:
    """None where no pictures are to be kept."""
    return Pictures(data / FOLDER, kept.max_age_days, kept.max_mb) if kept.snapshots else None
