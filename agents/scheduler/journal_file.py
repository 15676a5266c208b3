"""The journal's SQLite file: made, opened, appended to, its errors in plain words.

The only file of the scheduler that touches SQLite. The scheduler has it open all the time, commands
now and then; so nothing is remembered here between two transactions.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from agents.scheduler.chain import GENESIS, Kind, Row, digest_of, hash_of

Database = sqlite3.Connection

FILE = "journal.sqlite"
APPLICATION_ID = int.from_bytes(b"FLjo", "big")  # in the file's head: whose SQLite file it is
SCHEMA_VERSION = 1
SCHEMA = (
    """CREATE TABLE records (
         n INTEGER PRIMARY KEY AUTOINCREMENT,
         at REAL NOT NULL,
         kind TEXT NOT NULL,
         door TEXT,
         seq INTEGER,
         salt BLOB,
         body TEXT,
         digest BLOB NOT NULL,
         hash BLOB NOT NULL,
         person TEXT AS (CASE WHEN json_valid(body) THEN json_extract(body, '$.person') END),
         outcome TEXT AS (CASE WHEN json_valid(body) THEN json_extract(body, '$.outcome') END),
         id TEXT AS (CASE WHEN json_valid(body) THEN json_extract(body, '$.id') END)
       )""",
    "CREATE INDEX times ON records (at)",
    "CREATE INDEX people ON records (person) WHERE person IS NOT NULL",
    "CREATE INDEX events ON records (door, seq) WHERE seq IS NOT NULL",
    "CREATE INDEX answers ON records (id) WHERE kind = 'event' AND id IS NOT NULL",
    "CREATE INDEX agents ON records (n) WHERE kind = 'agent'",
)
ROW = "SELECT n, at, kind, door, seq, salt, body, digest, hash FROM records"
PARTS = ("", "-wal", "-shm")
SALT_BYTES = 16
PAGES = 4_000  # of the write-ahead log, which is 16 MB: nobody came to flush, and the disk is finite


class JournalError(Exception):
    """The journal can't be used; its text says which file and why, for people."""


class NoJournal(JournalError):
    """There is no such file."""


class DamagedJournal(JournalError):
    """The file is not what was written to it."""


class JournalFile:
    """The open file. Every method raises JournalError."""

    def __init__(self, path: Path, timeout_s: float) -> None:
        """For so long another program's transaction is waited for. Raises NoJournal, DamagedJournal."""
        self.path = path
        with self._explained():
            if not path.exists():
                raise NoJournal(f"{path}: there is no journal yet; the scheduler begins one when it starts")
            self._db = _connect(path, timeout_s)
        try:
            with self._transaction("DEFERRED") as db:
                self._check(db)
        except BaseException:
            self._db.close()
            raise

    def close(self) -> None:
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def flush(self) -> None:
        """Wait until all that was written, by whatever program, is on the disk for good."""
        with self._explained(), contextlib.suppress(FileNotFoundError), Path(f"{self.path}-wal").open("rb") as log:
            os.fsync(log.fileno())

    def checkpoint(self) -> None:
        """Move the log into the file, so that no append has to. What somebody still reads stays where it is."""
        with self._explained():
            self._db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
            # the first write to a log that is begun anew waits for the disk: let it be this one
            self._db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def _append(self, db: Database, kind: Kind, at: float, door: str | None, seq: int | None, body: str) -> int:
        """Chain a record to the newest one. In a transaction, of which there is one at a time."""
        n, salt = last_number(db) + 1, secrets.token_bytes(SALT_BYTES)
        (previous,) = db.execute("SELECT hash FROM records ORDER BY n DESC LIMIT 1").fetchone() or (GENESIS,)
        digest = digest_of(salt, body)
        row = Row(n, at, kind, door, seq, salt, body, digest, b"")
        row = row._replace(hash=hash_of(previous, *row[:5], digest))
        db.execute(
            "INSERT INTO records (n, at, kind, door, seq, salt, body, digest, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            row,
        )
        return n

    def _check(self, db: Database) -> None:
        """Whose file it is."""
        found = dict(db.execute("SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'").fetchall())
        if not found and not self.path.stat().st_size:
            raise self._damaged("is empty")
        if db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
            raise JournalError(f"{self.path}: is no journal")
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version != SCHEMA_VERSION:
            raise JournalError(f"{self.path}: was made by another Facelatch (version {version} of the file)")
        if set(found.values()) != set(SCHEMA):
            raise self._damaged("has other tables than it was made with")

    def _damaged(self, what: str) -> DamagedJournal:
        return DamagedJournal(
            f"{self.path}: {what}; it is evidence, so no other is begun in its place:"
            f" move it away, with the files {self.path.name}-* beside it"
        )

    @contextlib.contextmanager
    def _transaction(self, kind: str = "IMMEDIATE") -> Iterator[Database]:
        with self._explained(), self._db:
            self._db.execute(f"BEGIN {kind}")
            yield self._db

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._explain(error) from error
        except OSError as error:
            whose = ": it is its owner's alone" if error.errno == errno.EACCES else ""
            raise JournalError(f"{self.path}: {error.strerror}{whose}") from error

    def _explain(self, error: sqlite3.Error) -> JournalError:
        match getattr(error, "sqlite_errorcode", 0) & 0xFF:
            case sqlite3.SQLITE_NOTADB:
                return self._damaged("is no SQLite file")
            case sqlite3.SQLITE_CORRUPT:
                return self._damaged(f"is damaged: {error}")
            case sqlite3.SQLITE_BUSY:
                return JournalError(f"{self.path}: another program holds it")
            case sqlite3.SQLITE_FULL:
                return JournalError(f"{self.path}: the disk is full")
            case _:
                return JournalError(_forbidden(self.path) or f"{self.path}: {error}")


def last_number(db: Database) -> int:
    """The newest number that was ever given to a record, also where the record is gone."""
    (last_n,) = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'records'").fetchone() or (0,)
    return int(last_n)


def make(path: Path) -> None:
    """Make the file where there is none, and its folder, for their owner only. Raises OSError, sqlite3.Error.

    It is there with its tables or not at all: an empty one is never a new one.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists():
        return
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        _lay_out(draft)
        with contextlib.suppress(FileExistsError):  # another program was faster
            path.hardlink_to(draft)
    finally:
        for part in PARTS:
            Path(f"{draft}{part}").unlink(missing_ok=True)


def _lay_out(path: Path) -> None:
    with contextlib.closing(_connect(path, 0)) as db:
        db.execute("PRAGMA journal_mode = WAL").fetchall()
        db.execute("BEGIN")
        for statement in (
            *SCHEMA,
            f"PRAGMA application_id = {APPLICATION_ID}",
            f"PRAGMA user_version = {SCHEMA_VERSION}",
        ):
            db.execute(statement)
        db.execute("COMMIT")


def _connect(path: Path, timeout_s: float) -> Database:
    """mode=rw never makes a file. What is erased is overwritten."""
    uri = f"{path.absolute().as_uri()}?mode=rw"
    db = sqlite3.connect(uri, uri=True, timeout=timeout_s, isolation_level=None)
    db.text_factory = lambda text: text.decode(errors="replace")
    for pragma in (
        "secure_delete = ON",
        f"wal_autocheckpoint = {PAGES}",
        "synchronous = NORMAL",
    ):
        db.execute(f"PRAGMA {pragma}").fetchall()
    return db


def _forbidden(path: Path) -> str | None:
    """Which of its files this user may not use. Opening them to find out would end SQLite's locks on them."""
    for file in (Path(f"{path}{part}") for part in PARTS):
        if file.exists() and not os.access(file, os.R_OK | os.W_OK):
            return f"{file}: belongs to the user {_owner(file)}, who alone may use it"
    return None


def _owner(file: Path) -> str:
    try:
        return file.owner()
    except KeyError:  # has no name
        return str(file.stat().st_uid)
