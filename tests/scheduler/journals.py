"""What journals are filled with in tests."""

from __future__ import annotations

import contextlib
import os
import resource
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from agents.scheduler.journal import Journal, Kind
from agents.scheduler.journal_reader import JournalReader, Record, Wanted

T0 = 1_800_000_000.0
NOBODY = 65_534


def decision(person: str | None = "Ana", id_: str = "front-1.000-1", at: float = T0, **others: Any) -> dict[str, Any]:
    """A grant, as the scheduler writes it."""
    return {
        "id": id_,
        "door": "front",
        "camera": "porch",
        "outcome": "granted",
        "reason": "confirmed",
        "person": person,
        "distance": 0.2812,
        "evidence": {"agreeing": 2, "needed": 2, "frames": 3, "faces": 1},
        "began_at": at - 1,
        "captured_at": at - 0.1,
        "decided_at": at,
        "rule": "",
        "detail": "",
        **others,
    }


def denial(person: str | None = None, reason: str = "unknown_person", at: float = T0, **others: Any) -> dict[str, Any]:
    return decision(person, at=at, outcome="denied", reason=reason, **others)


def event(seq: int | None, event_type: str = "unlocked", at: float = T0, **others: Any) -> dict[str, Any]:
    return {
        "door": "front",
        "seq": seq,
        "event_type": event_type,
        "at": at,
        "cause": "grant",
        "id": None,
        "action": None,
        "person": None,
        "source": None,
        "reason": None,
        "detail": "",
        **others,
    }


def write(journal: Journal, n: int, person: str | None = "Ana") -> list[int | None]:
    """So many decisions, each told by its number in this call."""
    return [journal.append(Kind.DECISION, T0 + i, decision(person, f"front-{i}", T0 + i)) for i in range(n)]


def records(path: Path, **wanted: Any) -> list[Record]:
    with JournalReader(path) as reader:
        return list(reader.records(Wanted(**wanted)))


def numbers(path: Path, **wanted: Any) -> list[int]:
    return [record.n for record in records(path, **wanted)]


def is_whole(path: Path) -> bool:
    with JournalReader(path) as reader:
        return reader.verify().whole


def left_of(text: str, folder: Path) -> list[str]:
    """The files in which it stands somewhere."""
    return sorted(file.name for file in folder.rglob("*") if file.is_file() and text.encode() in file.read_bytes())


@contextlib.contextmanager
def files_no_longer_than(size: int) -> Iterator[None]:
    """The kernel refuses every write beyond it, as a disk does that is full or dying."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextlib.contextmanager
def another_users(*files: Path) -> Iterator[None]:
    """The files are of somebody else than who runs this."""
    if os.geteuid() != 0:
        for file in files:
            file.chmod(0)
        yield
        return
    os.setresgid(NOBODY, NOBODY, 0)
    os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)
        os.setresgid(0, 0, 0)


@contextlib.contextmanager
def open_folder() -> Iterator[Path]:
    """One into which everybody may look; those of pytest are its user's alone."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)
        yield folder
