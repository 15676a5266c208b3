"""The journal: decisions, the doors' events, switches, which agents were there. Appended, never edited.

Each record is chained to the one before (see agents.scheduler.chain), so that one removed or changed
shows. A write goes to SQLite's write-ahead log and does not wait for the disk: from then on the kernel
has it, so it survives the end of the process at any moment. `flush` waits for the disk. A power cut
loses at most what was appended since, and what is left is whole.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping
from pathlib import Path

from agents.scheduler.chain import Kind, Row, Walk, compact, parsed
from agents.scheduler.journal_file import (
    FILE,
    PARTS,
    ROW,
    DamagedJournal,
    Database,
    JournalError,
    JournalFile,
    NoJournal,
    last_number,
    make,
)

__all__ = ["FILE", "MAX_BODY_BYTES", "DamagedJournal", "Journal", "JournalError", "Kind", "NoJournal"]

MAX_BODY_BYTES = 16_384
TIMEOUT_S = 1.0  # a command that erases holds the file for less
REVIEWED = 100


class Journal(JournalFile):
    """The scheduler's end of the journal. Every method raises JournalError."""

    def __init__(self, path: Path) -> None:
        """Open the file; file and folder are made if need be, for their owner only.

        Raises DamagedJournal where the file is damaged, or was tampered with at its end. No other is
        begun in its place: it is evidence.
        """
        self.path = path
        with self._explained():
            if not path.exists() and Path(f"{path}-wal").exists():
                raise self._damaged("is gone, and its log is still there")
            make(path)
            _shut(path)
        super().__init__(path, TIMEOUT_S)
        try:
            self._review()
        except BaseException:
            super().close()
            raise
        self._inode = _inode(path)
        self._last_seqs: dict[str, int | None] = {}
        self._flushed = self._changes()

    def append(self, kind: Kind, at: float, body: Mapping[str, object]) -> int | None:
        """Write a record about something that was at `at` (UTC seconds). Returns its number.

        None for an event that is there already: a door tells again what it does not know to have
        arrived. `seq` says which of its events it is; a door whose file was lost counts from one
        again, and what it tells then is new.
        """
        text = self._text(at, body)
        if _inode(self.path) != self._inode:
            raise DamagedJournal(
                f"{self.path}: was moved away while it was open; restart the scheduler to begin another"
            )
        door, seq = body.get("door"), body.get("seq") if kind is Kind.EVENT else None
        door, seq = door if isinstance(door, str) else None, seq if isinstance(seq, int) else None
        with self._transaction() as db:
            if door is not None and seq is not None and _is_known(db, door, seq, body.get("at")):
                return None
            n = self._append(db, kind, at + 0.0, door, seq, text)  # SQLite has no minus zero
        if door is not None and seq is not None:
            self._last_seqs[door] = seq
        return n

    def last_seq(self, door: str) -> int | None:
        """The number of the newest event of a door, None where there is none."""
        if door not in self._last_seqs:
            with self._transaction("DEFERRED") as db:
                (n,) = db.execute("SELECT max(n) FROM records WHERE door = ? AND seq IS NOT NULL", (door,)).fetchone()
                (seq,) = db.execute("SELECT seq FROM records WHERE n = ?", (n,)).fetchone() or (None,)
            self._last_seqs[door] = seq
        return self._last_seqs[door]

    def last_states(self) -> dict[tuple[str, str], str]:
        """By agent and its id: "online" or "offline", as last recorded."""
        with self._transaction("DEFERRED") as db:
            rows = db.execute(
                "SELECT json_extract(body, '$.agent'), json_extract(body, '$.id'), json_extract(body, '$.state')"
                " FROM records WHERE kind = 'agent' AND json_valid(body) ORDER BY n"
            )
            return {(agent, name): state for agent, name, state in rows}

    def flush(self) -> None:
        """Wait for the disk, so that all survives a power cut. Costs nothing where it is there already."""
        changes = self._changes()
        if changes == self._flushed:
            return
        super().flush()
        self._flushed = changes

    def close(self) -> None:
        """Flush, and let go of the file."""
        try:
            self.flush()
        finally:
            super().close()

    def _review(self) -> None:
        """Whether its end is whole. The whole file would take longer the longer it is."""
        with self._transaction("DEFERRED") as db:
            rows = [Row(*row) for row in db.execute(f"{ROW} ORDER BY n DESC LIMIT {REVIEWED}")]
            last_n = last_number(db)
        walk = Walk(after=rows[-1].n - 1 if rows else 0)
        for row in reversed(rows):
            walk.step(row)
        report = walk.end(last_n)
        if not report.whole:
            raise self._damaged(f"{report.problems[0]} (facelatch log verify tells more)")

    def _changes(self) -> int:
        with self._explained():
            return self._db.total_changes

    def _text(self, at: float, body: Mapping[str, object]) -> str:
        """The record's body as it is kept. Raises JournalError for what can't be."""
        try:
            text = compact(body)
            size = len(text.encode())
        except (RecursionError, TypeError, ValueError) as error:
            raise JournalError(f"{self.path}: can't be written: {error}") from None
        if size > MAX_BODY_BYTES or not math.isfinite(at):
            raise JournalError(
                f"{self.path}: a record of {size} bytes at {at} is not written; {MAX_BODY_BYTES} is the most"
            )
        return text


def _is_known(db: Database, door: str, seq: int, at: object) -> bool:
    """Of an event that was erased only the number is left."""
    rows = db.execute("SELECT body FROM records WHERE door = ? AND seq = ?", (door, seq)).fetchall()
    return any(body is None or (parsed(body) or {}).get("at") == at for (body,) in rows)


def _inode(path: Path) -> tuple[int, int] | None:
    """Which file it is. What is written into one that has no name any more is lost."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _shut(path: Path) -> None:
    """To everybody but its owner, where this is the owner."""
    for file in (Path(f"{path}{part}") for part in PARTS):
        with contextlib.suppress(OSError):
            file.chmod(0o600)
