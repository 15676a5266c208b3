"""A SQLite file of faces: its owner's alone, its schema brought up to date, its errors in plain words.

The only file of the recognizer that touches SQLite.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar, Self

from agents.recognizer.errors import StoreError
from agents.recognizer.people.private import make_folder, shut

Database = sqlite3.Connection

BUSY_TIMEOUT_S = 5.0


class Store:
    """An open file. Every method raises the class's own `error`.

    `schema` has for each version the statements that lead there from the one before; a file of an
    older version is brought to the newest when it is opened, all at once or not at all. What is
    deleted is overwritten. `exposed` says why others can read the file nevertheless, or is None.
    """

    kind: ClassVar[str]
    error: ClassVar[type[StoreError]]
    missing: ClassVar[type[StoreError]]
    missing_text: ClassVar[str]
    schema: ClassVar[Sequence[Sequence[str]]]

    def __init__(self, path: Path, timeout_s: float = BUSY_TIMEOUT_S, create: bool = False) -> None:
        """Open the file. Without `create`, raises the class's `missing` where there is none.

        With it, file and folder are made if need be, for their owner only.
        """
        self.path = path
        if create:
            self._make_file()
        elif not os.path.lexists(path):
            raise self.missing(f"{path}: {self.missing_text}")
        self.exposed = shut(path)
        with self._explained():
            self._db = _connect(path, timeout_s)
        try:
            self._prepare(create)
        except BaseException:
            self._db.close()
            raise

    def version(self) -> int:
        """A number that changes when another connection has changed the file."""
        with self._explained():
            return int(self._db.execute("PRAGMA data_version").fetchone()[0])

    def close(self) -> None:
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _make_file(self) -> None:
        try:
            make_folder(self.path.parent)
            os.close(os.open(self.path, os.O_CREAT | os.O_WRONLY, 0o600))
        except OSError as error:
            raise self.error(f"{self.path}: can't be made: {error.strerror}") from None

    def _prepare(self, create: bool) -> None:
        with self._transaction() as db:
            version = self._file_version(db, create)
        if version != len(self.schema):
            with self._transaction("IMMEDIATE") as db:  # another program may have been faster
                for step in self.schema[self._file_version(db, create) :]:
                    for statement in step:
                        db.execute(statement)
                db.execute(f"PRAGMA user_version = {len(self.schema)}")

    def _file_version(self, db: Database, create: bool) -> int:
        """0 for a new file."""
        version = int(db.execute("PRAGMA user_version").fetchone()[0])
        if version == 0 and not (create and _is_empty(db)):
            raise self.error(f"{self.path}: is no {self.kind}")
        if not 0 <= version <= len(self.schema):
            newest = len(self.schema)
            raise self.error(f"{self.path}: has schema version {version}; this Facelatch reads {newest} and older")
        return version

    def _check(self, db: Database, *tables: str) -> None:
        for table in tables:
            found = db.execute(f"PRAGMA quick_check({table})").fetchone()[0]
            if found != "ok":
                raise self.error(f"{self.path}: is damaged: {found}")

    def _wipe(self) -> None:
        """Deleted rows are overwritten, but pages may hold older copies of them."""
        with self._explained():
            self._db.execute("VACUUM")

    @contextlib.contextmanager
    def _transaction(self, kind: str = "") -> Iterator[Database]:
        with self._explained(), self._db:
            self._db.execute(f"BEGIN {kind}")
            yield self._db

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self.error(f"{self.path}: {_explain(error)}") from error
        except UnicodeDecodeError:  # SQLite's own words, which quote the damaged file
            raise self.error(f"{self.path}: is damaged: it holds text that is none") from None


def _is_empty(db: Database) -> bool:
    return not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]


def _connect(path: Path, timeout_s: float) -> Database:
    """mode=rw never makes a file, and rolls back what a killed program left half done.

    Without spilling, readers are kept out for no longer than it takes to write what has changed.
    """
    db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=timeout_s, isolation_level=None)
    for pragma in ("foreign_keys = ON", "secure_delete = ON", "temp_store = MEMORY", "cache_spill = OFF"):
        db.execute(f"PRAGMA {pragma}")
    return db


def _explain(error: sqlite3.Error) -> str:
    match getattr(error, "sqlite_errorcode", 0) & 0xFF:
        case sqlite3.SQLITE_NOTADB:
            return "is no SQLite file"
        case sqlite3.SQLITE_CORRUPT:
            return f"is damaged: {error}"
        case sqlite3.SQLITE_BUSY:
            return "is held by another program"
        case _:
            return str(error)
