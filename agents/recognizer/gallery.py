"""The gallery: a SQLite file of people and their encodings, used by several programs at once.

An encoding is 128 little-endian float64. The photos are not kept, only their SHA-256.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from pydantic import TypeAdapter, ValidationError

from agents.recognizer.errors import GalleryError, NoGallery, UnknownPerson
from agents.recognizer.matcher import ENCODER, ENCODING_SIZE, Encoding, Enrolled
from agents.runtime.clock import Now
from agents.wire.values import PersonName

SCHEMA_VERSION = 1
BUSY_TIMEOUT_S = 5.0
BLOB = np.dtype("<f8")
SCHEMA = (
    """CREATE TABLE people (
         id INTEGER PRIMARY KEY,
         name TEXT NOT NULL UNIQUE,
         created_at REAL NOT NULL
       )""",
    """CREATE TABLE encodings (
         id INTEGER PRIMARY KEY,
         person_id INTEGER NOT NULL REFERENCES people (id) ON DELETE CASCADE,
         encoding BLOB NOT NULL,
         encoder TEXT NOT NULL,
         photo_sha256 TEXT NOT NULL,
         created_at REAL NOT NULL,
         UNIQUE (person_id, photo_sha256)
       )""",
)
_NAME: TypeAdapter[str] = TypeAdapter(PersonName)


@dataclass(frozen=True)
class Person:
    """`enrolled_at` is UTC seconds."""

    name: str
    photos: int
    enrolled_at: float


class Gallery:
    """An open gallery. Every method raises GalleryError."""

    def __init__(self, path: Path, timeout_s: float = BUSY_TIMEOUT_S, create: bool = False) -> None:
        """Open the file. Without `create`, raises NoGallery where there is none.

        With it, file and folder are made if need be, for their owner only.
        """
        self.path = path
        if create:
            _make_file(path)
        elif not os.path.lexists(path):
            raise NoGallery(f"{path}: there is no gallery; nobody is enrolled yet")
        with self._explained():
            self._db = _connect(path, timeout_s)
        try:
            self._prepare(create)
        except BaseException:
            self._db.close()
            raise

    def add(self, name: str, encoding: Encoding, photo_sha256: str, now: Now) -> bool:
        """Store one photo's encoding, float64 (128,). False if this person has this photo already."""
        with self._transaction("IMMEDIATE") as db:
            db.execute("INSERT INTO people (name, created_at) VALUES (?, ?) ON CONFLICT DO NOTHING", (name, now.utc))
            added = db.execute(
                "INSERT INTO encodings (person_id, encoding, encoder, photo_sha256, created_at)"
                " SELECT id, ?, ?, ?, ? FROM people WHERE name = ? ON CONFLICT DO NOTHING",
                (encoding.astype(BLOB).tobytes(), ENCODER, photo_sha256, now.utc, name),
            )
            return added.rowcount == 1

    def people(self) -> list[Person]:
        """Everybody, by name."""
        with self._transaction() as db:
            rows = db.execute(
                "SELECT name, count(encodings.id), people.created_at"
                " FROM people LEFT JOIN encodings ON person_id = people.id GROUP BY people.id ORDER BY name"
            )
            return [Person(*row) for row in rows]

    def rename(self, old: str, new: str) -> None:
        """Raises UnknownPerson, and GalleryError when `new` is taken."""
        try:
            with self._transaction("IMMEDIATE") as db:
                changed = db.execute("UPDATE people SET name = ? WHERE name = ?", (new, old)).rowcount
        except GalleryError as error:
            if isinstance(error.__cause__, sqlite3.IntegrityError):
                raise GalleryError(f"{self.path}: {new!r} is enrolled already") from None
            raise
        if not changed:
            raise UnknownPerson(f"{self.path}: nobody called {old!r} is enrolled")

    def remove(self, name: str) -> None:
        """Take a person out so that nothing of the encodings is left in the file. Raises UnknownPerson."""
        with self._transaction("IMMEDIATE") as db:
            removed = db.execute("DELETE FROM people WHERE name = ?", (name,)).rowcount
        if not removed:
            raise UnknownPerson(f"{self.path}: nobody called {name!r} is enrolled")
        with self._explained():
            self._db.execute("VACUUM")  # secure_delete overwrites the rows; pages may hold older copies

    def load(self) -> Enrolled:
        """All names and encodings, each checked."""
        with self._transaction() as db:
            found = db.execute("PRAGMA quick_check(1)").fetchone()[0]
            if found != "ok":
                raise GalleryError(f"{self.path}: is damaged: {found}")
            rows = db.execute(
                "SELECT name, encoding, encoder FROM encodings JOIN people ON people.id = person_id ORDER BY name"
            ).fetchall()
        encodings = [self._encoding(*row) for row in rows]
        return Enrolled(tuple(row[0] for row in rows), np.array(encodings).reshape(-1, ENCODING_SIZE))

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

    def _prepare(self, create: bool) -> None:
        with self._transaction("IMMEDIATE" if create else "") as db:
            version = db.execute("PRAGMA user_version").fetchone()[0]
            tables = db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
            if create and version == 0 and tables == 0:
                for statement in (*SCHEMA, f"PRAGMA user_version = {SCHEMA_VERSION}"):
                    db.execute(statement)
            elif version == 0:
                raise GalleryError(f"{self.path}: is no gallery")
            elif version != SCHEMA_VERSION:
                raise GalleryError(f"{self.path}: has schema version {version}; this Facelatch reads {SCHEMA_VERSION}")

    def _encoding(self, name: Any, blob: Any, encoder: Any) -> Encoding:
        try:
            _NAME.validate_python(name, strict=True)
        except ValidationError:
            raise GalleryError(f"{self.path}: is damaged: {name!r:.80} is no name") from None
        if encoder != ENCODER:
            raise GalleryError(
                f"{self.path}: {name} was encoded by {encoder!r:.80}, not by {ENCODER}: remove and enroll them anew"
            )
        if not isinstance(blob, bytes) or len(blob) != ENCODING_SIZE * BLOB.itemsize:
            raise GalleryError(f"{self.path}: is damaged: an encoding of {name} has the wrong size")
        encoding = np.frombuffer(blob, BLOB).astype(np.float64)
        if not np.isfinite(encoding).all():
            raise GalleryError(f"{self.path}: is damaged: an encoding of {name} has numbers that are none")
        return encoding

    @contextlib.contextmanager
    def _transaction(self, kind: str = "") -> Iterator[sqlite3.Connection]:
        with self._explained(), self._db:
            self._db.execute(f"BEGIN {kind}")
            yield self._db

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise GalleryError(f"{self.path}: {_explain(error)}") from error
        except UnicodeDecodeError:  # SQLite's own words, which quote the damaged file
            raise GalleryError(f"{self.path}: is damaged: it holds text that is none") from None


def _make_file(path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    except OSError as error:
        raise GalleryError(f"{path}: can't be made: {error.strerror}") from None


def _connect(path: Path, timeout_s: float) -> sqlite3.Connection:
    """mode=rw never makes a file, and rolls back what a killed program left half done."""
    db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=timeout_s, isolation_level=None)
    for pragma in ("foreign_keys = ON", "secure_delete = ON", "temp_store = MEMORY"):
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
