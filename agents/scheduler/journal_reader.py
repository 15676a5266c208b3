"""The journal as commands use it: filtered, followed, verified, and a person's records erased."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from agents.scheduler.chain import Anchor, Kind, Report, Row, Walk, compact, parsed
from agents.scheduler.journal_file import ROW, JournalError, JournalFile, last_number

TIMEOUT_S = 5.0
CHUNK = 500  # records read at a time: who reads slowly keeps nobody from writing
ERASED_AT_ONCE = 2_000  # while the scheduler waits
TRIES, TRY_AGAIN_S = 20, 0.1
LEAST, MOST = -(2**63), 2**63 - 1  # a number that somebody put there may be any
AGAIN = "forget the same name again"
FILTERS = {
    "person": "person = :person",
    "door": "+door = :door",  # with the plus no index is used: they are read in the order of their numbers
    "since": "+at >= :since AND n >= (SELECT min(n) FROM records INDEXED BY times WHERE at >= :since)",
    "until": "+at < :until",
    "kinds": "+kind IN (SELECT value FROM json_each(:kinds))",
    "outcome": "outcome = :outcome",
}


@dataclass(frozen=True)
class Record:
    """`at` is UTC seconds. `body` is None where it was erased, or can't be read."""

    n: int
    at: float
    kind: str
    door: str | None
    body: dict[str, Any] | None
    erased: bool
    hash: bytes


@dataclass(frozen=True)
class Wanted:
    """Which records: all that is given must hold. From `since` until just before `until`, in UTC
    seconds; `outcome` is a decision's; the `newest` so many of them.
    """

    person: str | None = None
    door: str | None = None
    since: float | None = None
    until: float | None = None
    kinds: tuple[Kind, ...] | None = None
    outcome: str | None = None
    newest: int | None = None


class JournalReader(JournalFile):
    """Every method raises JournalError."""

    def __init__(self, path: Path) -> None:
        """Raises NoJournal, DamagedJournal."""
        super().__init__(path, TIMEOUT_S)

    def last_n(self) -> int:
        """The newest number that was ever given to a record, 0 where there was none."""
        with self._transaction("DEFERRED") as db:
            return last_number(db)

    def records(self, wanted: Wanted, after: int = LEAST, up_to: int = MOST) -> Iterator[Record]:
        """The oldest first, of those with a number beyond `after` and not beyond `up_to`."""
        where = " AND ".join(
            ["n > :after AND n <= :up_to", *(FILTERS[key] for key in FILTERS if getattr(wanted, key) is not None)]
        )
        values = {**asdict(wanted), "kinds": json.dumps(wanted.kinds), "after": after, "up_to": up_to}
        if wanted.newest is not None:
            values["after"] = self._before_newest(where, values, up_to)
        while chunk := self._chunk(where, values):
            yield from (_record(row) for row in chunk)
            values["after"] = chunk[-1].n

    def answer(self, door: str, decision_id: str) -> dict[str, Any] | None:
        """The first thing that a door told about a decision."""
        with self._transaction("DEFERRED") as db:
            row = db.execute(
                "SELECT body FROM records WHERE kind = 'event' AND id = ? AND door = ? ORDER BY n LIMIT 1",
                (decision_id, door),
            ).fetchone()
        return parsed(row[0]) if row else None

    def verify(self, anchor: Anchor | None = None) -> Report:
        """Go along the whole chain, and have SQLite look at its file.

        What was found is on the disk for good then: no power cut takes a record away that was noted.
        """
        walk = Walk(anchor)
        with self._transaction("DEFERRED") as db:
            for row in db.execute(f"{ROW} ORDER BY n"):
                walk.step(Row(*row))
            report = walk.end(last_number(db))
            said = db.execute("PRAGMA integrity_check(1)").fetchone()[0]
        self.flush()
        if said == "ok":
            return report
        return replace(report, problems=(*report.problems, f"SQLite: {said}"), found=report.found + 1)

    def ids_of(self, name: str) -> set[str]:
        """Of all that has to do with this person."""
        with self._transaction("DEFERRED") as db:
            rows = db.execute("SELECT id FROM records WHERE person = ? AND id IS NOT NULL", (name,))
            return {decision_id for (decision_id,) in rows}

    def mentions(self, name: str) -> int:
        """How many records have the name anywhere in their text."""
        with self._transaction("DEFERRED") as db:
            (found,) = db.execute("SELECT count(*) FROM records WHERE instr(body, ?)", (name,)).fetchone()
            return int(found)

    def forget(self, name: str, now_utc: float) -> int:
        """Erase every record of this person, so that nothing of it is left in the file; returns how many.

        What stays is that there was something then, of what kind, and at which door. The file is
        written anew, for which it is held: the scheduler lets nobody in while that takes longer than
        it waits.
        """
        erased = 0
        while part := self._forget_some(name, now_utc):
            erased += part
        self._wipe()
        return erased

    def _forget_some(self, name: str, now_utc: float) -> int:
        with self._transaction() as db:
            erased = db.execute(
                "UPDATE records SET body = NULL, salt = NULL"
                " WHERE n IN (SELECT n FROM records WHERE person = ? LIMIT ?)",
                (name, ERASED_AT_ONCE),
            ).rowcount
            if erased:
                self._append(db, Kind.ERASED, now_utc, None, None, compact({"records": erased}))
        return erased

    def _wipe(self) -> None:
        """Pages may hold older copies of what was overwritten, and the write-ahead log has the old text."""
        try:
            with self._explained():
                self._db.execute("VACUUM")
                emptied = any(self._empty_log() for _ in range(TRIES))
        except JournalError as error:
            raise JournalError(f"{error}; the records are erased, but not all traces of them: {AGAIN}") from error
        if not emptied:
            raise JournalError(f"{self.path}: another program is reading what was erased: {AGAIN}")

    def _empty_log(self) -> bool:
        """Where the scheduler is about to move the log into the file, SQLite does not wait for it."""
        busy, _, _ = self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            time.sleep(TRY_AGAIN_S)
        return not busy

    def _before_newest(self, where: str, values: dict[str, Any], up_to: int) -> int:
        """The number before that of the first of the newest records."""
        newest = " ".join(["SELECT n FROM records WHERE", where, "ORDER BY n DESC LIMIT :newest"])
        with self._transaction("DEFERRED") as db:
            numbers = db.execute(newest, values).fetchall()
        return numbers[-1][0] - 1 if numbers else up_to

    def _chunk(self, where: str, values: dict[str, Any]) -> list[Row]:
        with self._transaction("DEFERRED") as db:
            return [
                Row(*row) for row in db.execute(" ".join([ROW, "WHERE", where, f"ORDER BY n LIMIT {CHUNK}"]), values)
            ]


def _record(row: Row) -> Record:
    return Record(row.n, row.at, row.kind, row.door, parsed(row.body), row.body is None, row.hash)
