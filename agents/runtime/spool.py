"""Events kept on disk until somebody has acknowledged them, and as a local journal afterwards.

A write goes to SQLite's write-ahead log and does not wait for the disk: from then on the kernel has
it, so it survives the end of the process at any moment. `flush` waits for the disk; what was
flushed survives a power cut too.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

APPLICATION_ID = int.from_bytes(b"FLev", "big")  # in the file's head: whose SQLite file it is
SCHEMA_VERSION = 1
SCHEMA = (
    """CREATE TABLE events (
         seq INTEGER PRIMARY KEY AUTOINCREMENT,
         payload BLOB NOT NULL DEFAULT x'',
         acknowledged INTEGER NOT NULL DEFAULT FALSE
       )""",
    "CREATE TABLE opened (boot TEXT NOT NULL)",  # in which run of the computer; empty once closed
    f"PRAGMA application_id = {APPLICATION_ID}",
    f"PRAGMA user_version = {SCHEMA_VERSION}",
)
# A log this long (16 MB) is flushed by the write that made it so: nobody came to flush, and the disk is finite.
LOG_PAGES = 4_000
# A power cut loses the numbers of what was not flushed, and somebody may have read them already.
# A write takes at least one page of the log, so this is more than there can be.
SKIPPED_SEQS = 10_000
KEPT_ASIDE = 9  # damaged files; a dying disk must not be filled with them
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class SpoolError(Exception):
    """The spool can't be used; its text says which file and why, for people."""


class DamagedSpool(SpoolError):
    """The file is not what was written to it."""


class Spool:
    """The newest `limit` events, each with a number of its own that is never used twice.

    Every method raises SpoolError. `lost` counts the events that had to make room, since opening,
    before anybody acknowledged them. `notice` is what was found and mended at opening, for people,
    or None.
    """

    def __init__(self, path: Path, limit: int = 10_000) -> None:
        """Open the file; file and folder are made if need be, for their owner only.

        A damaged file is kept under another name, and a new one begun.
        """
        self.path, self._limit = path, limit
        self.lost = self._rows = self._flushed = 0
        self.notice: str | None = None
        self._db = self._connect()
        try:
            self._prepare_or_begin_anew()
        except BaseException:
            self._db.close()
            raise

    def write(self, make: Callable[[int], bytes]) -> int:
        """Keep the payload that `make` returns when it is given the event's number. Returns the number."""
        with self._transaction() as db:
            seq = db.execute("INSERT INTO events DEFAULT VALUES").lastrowid or 0
            db.execute("UPDATE events SET payload = ? WHERE seq = ?", (make(seq), seq))
            surplus = self._rows + 1 - self._limit
            gone = _delete_oldest(db, surplus) if surplus > 0 else []  # it takes longer than all the rest
        self._rows += 1 - len(gone)
        self.lost += sum(not acknowledged for (acknowledged,) in gone)
        return seq

    def rewrite(self, seq: int, payload: bytes) -> None:
        """Replace an event's payload."""
        with self._transaction() as db:
            db.execute("UPDATE events SET payload = ? WHERE seq = ?", (payload, seq))

    def acknowledge(self, seq: int) -> None:
        """From now on the event is only a line of the journal."""
        with self._transaction() as db:
            db.execute("UPDATE events SET acknowledged = TRUE WHERE seq = ?", (seq,))

    def waiting(self, after_seq: int, n: int) -> list[tuple[int, bytes]]:
        """The first `n` events after `after_seq` that nobody has acknowledged: number and payload."""
        with self._explained():
            return self._db.execute(
                "SELECT seq, payload FROM events WHERE seq > ? AND NOT acknowledged ORDER BY seq LIMIT ?",
                (after_seq, n),
            ).fetchall()

    def recent(self, n: int) -> list[bytes]:
        """The payloads of the last `n` events, acknowledged or not, the newest first."""
        with self._explained():
            rows = self._db.execute("SELECT payload FROM events ORDER BY seq DESC LIMIT ?", (n,)).fetchall()
        return [payload for (payload,) in rows]

    def flush(self) -> None:
        """Wait until all that was written is on the disk for good. Costs nothing where it is already."""
        with self._explained():
            changes = self._db.total_changes
            if changes == self._flushed:
                return
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            # the first write to an empty log waits for the disk: let it be this one
            self._db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            self._flushed = changes

    def close(self) -> None:
        """Flush, and let others have the file."""
        try:
            with self._transaction() as db:
                db.execute("DELETE FROM opened")
        finally:
            self._db.close()

    def _connect(self) -> sqlite3.Connection:
        with self._explained():
            _make_file(self.path)
            uri = f"{self.path.absolute().as_uri()}?mode=rw"
            return sqlite3.connect(uri, uri=True, timeout=0, isolation_level=None)

    def _prepare_or_begin_anew(self) -> None:
        try:
            self._prepare()
        except DamagedSpool as error:
            with self._explained():
                aside = _put_aside(self.path)  # before it is closed: SQLite would remove the log with the last events
            self.notice = f"{error}; it is kept as {aside}, and a new one was begun"
            self._db.close()
            self._db = self._connect()
            self._prepare()

    def _prepare(self) -> None:
        with self._explained():
            self._db.execute("PRAGMA locking_mode = EXCLUSIVE").fetchall()  # until closed, or the process ends
            self._check()
            for pragma in ("journal_mode = WAL", "synchronous = NORMAL", f"wal_autocheckpoint = {LOG_PAGES}"):
                self._db.execute(f"PRAGMA {pragma}").fetchall()
        with self._transaction() as db:
            if not db.execute("PRAGMA user_version").fetchone()[0]:
                for statement in SCHEMA:
                    db.execute(statement)
                db.execute("INSERT INTO sqlite_sequence VALUES ('events', ?)", (_used_seqs(self.path),))
            self._sign(db)
            self._rows = db.execute("SELECT count(*) FROM events").fetchone()[0]
        self.flush()

    def _sign(self, db: sqlite3.Connection) -> None:
        """Say who has the file open, and notice whom the end of the computer kept from closing it."""
        boot = _boot_id()
        if any(left != boot for (left,) in db.execute("SELECT boot FROM opened").fetchall()):
            db.execute("UPDATE sqlite_sequence SET seq = seq + ?", (SKIPPED_SEQS,))
            self.notice = f"{self.path}: was in use when the computer went off; the last events may be missing"
        db.execute("DELETE FROM opened")
        db.execute("INSERT INTO opened VALUES (?)", (boot,))

    def _check(self) -> None:
        """Changes nothing: the file may be somebody else's."""
        found = self._db.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise DamagedSpool(f"{self.path}: is damaged: {found}")
        tables = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if tables and self._db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
            raise SpoolError(f"{self.path}: is no spool of events")
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA_VERSION:
            raise SpoolError(f"{self.path}: was made by a newer Facelatch (version {version} of the file)")

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._explained(), self._db:
            self._db.execute("BEGIN IMMEDIATE")
            yield self._db

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            kind, text = _explain(error)
            raise kind(f"{self.path}: {text}") from error
        except OSError as error:
            raise SpoolError(f"{self.path}: {error.strerror}") from error


def _delete_oldest(db: sqlite3.Connection, n: int) -> list[tuple[int]]:
    """Returns for each whether it was acknowledged."""
    return db.execute(
        "DELETE FROM events WHERE seq IN (SELECT seq FROM events ORDER BY seq LIMIT ?) RETURNING acknowledged", (n,)
    ).fetchall()


def _explain(error: sqlite3.Error) -> tuple[type[SpoolError], str]:
    match getattr(error, "sqlite_errorcode", 0) & 0xFF:
        case sqlite3.SQLITE_NOTADB:
            return DamagedSpool, "is no SQLite file"
        case sqlite3.SQLITE_CORRUPT:
            return DamagedSpool, f"is damaged: {error}"
        case sqlite3.SQLITE_BUSY:
            return SpoolError, "another process holds it"
        case sqlite3.SQLITE_FULL:
            return SpoolError, "the disk is full"
        case _:
            return SpoolError, str(error)


def _make_file(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))


def _put_aside(path: Path) -> Path:
    """Rename the file, and its log with it; returns the new name. Raises OSError."""
    aside = next((name for name in _asides(path) if not os.path.lexists(name)), None)
    if aside is None:
        raise FileExistsError(errno.EEXIST, f"is damaged, and so were {KEPT_ASIDE} before it, which are still there")
    for part in ("-wal", "-shm", "-journal", ""):
        with contextlib.suppress(FileNotFoundError):
            Path(f"{path}{part}").rename(f"{aside}{part}")
    return aside


def _used_seqs(path: Path) -> int:
    """Numbers that files put aside may have used: nobody counts as fast as the microseconds go by."""
    files = (Path(f"{aside}{part}") for aside in _asides(path) for part in ("", "-wal"))
    return max((file.stat().st_mtime_ns // 1000 for file in files if file.exists()), default=0)


def _asides(path: Path) -> list[Path]:
    return [path.with_name(f"{path.name}.damaged-{n}") for n in range(1, KEPT_ASIDE + 1)]


def _boot_id() -> str:
    """One for each run of the computer; where the system has none, one for each call."""
    try:
        return BOOT_ID.read_text(encoding="ascii")
    except OSError:
        return secrets.token_hex(8)
