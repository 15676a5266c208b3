"""A backup of the gallery: one file of text, that says what it is and whether it is whole.

Every line is a JSON object in UTF-8, ended by a line feed:

1. `{"format": "facelatch-people", "version": 1, "encoder": …}`
2. one line a person, by name: `name`, `enrolled_at` (UTC seconds), `disabled`, `ignored` and `photos`,
   each with `encoding` (little-endian float64), `photo_sha256`, `enrolled_at` and `crop` (a JPEG, or
   null); bytes are base64 with the URL-safe alphabet
3. `{"sha256": …, "people": N}`: of all the bytes before this line, and how many lines of people
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from agents.recognizer.errors import BackupError, GalleryError
from agents.recognizer.people.gallery import Gallery
from agents.recognizer.people.records import EncoderName, PersonRecord
from agents.wire.messages import first_error

MAX_LINE_BYTES = 200_000_000  # a thousand photos of one person, with crops
LAST = b'{"sha256":'


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _First(_Line):
    format: Literal["facelatch-people"] = "facelatch-people"
    version: Literal[1] = 1
    encoder: EncoderName


class _Last(_Line):
    sha256: str
    people: int


LineT = TypeVar("LineT", _First, _Last, PersonRecord)


def write(gallery: Gallery, file: BinaryIO) -> int:
    """Write everybody; returns how many. Raises GalleryError where nobody is enrolled, or what is kept is damaged."""
    encoder = gallery.encoder()
    if encoder is None:
        raise GalleryError(f"{gallery.path}: nobody is enrolled")
    gallery.load(encoder)  # refuses what is damaged, or of several encoders
    digest, people = hashlib.sha256(_put(file, _First(encoder=encoder))), 0
    for person in gallery.records():
        digest.update(_put(file, person))
        people += 1
    _put(file, _Last(sha256=digest.hexdigest(), people=people))
    return people


def read(path: Path, encoder: str) -> Iterator[PersonRecord]:
    """The people in a backup that `encoder` encoded. Raises BackupError.

    Whether it is whole is known only in the end: do nothing before that which can't be undone.
    """
    try:
        with path.open("rb") as file:
            yield from _people(path, file, encoder)
    except OSError as error:
        raise BackupError(f"{path}: can't be read: {error.strerror}") from None


def check(path: Path, encoder: str) -> int:
    """How many people are in a whole backup that `encoder` encoded. Raises BackupError."""
    return sum(1 for _ in read(path, encoder))


def _people(path: Path, file: BinaryIO, encoder: str) -> Iterator[PersonRecord]:
    number, line = 1, _line(path, file)
    digest = hashlib.sha256(line)
    _check_first(path, line, encoder)
    while not (line := _line(path, file)).startswith(LAST):
        number += 1
        digest.update(line)
        yield _parsed(path, line, PersonRecord, number)
    if _parsed(path, line, _Last, number + 1) != _Last(sha256=digest.hexdigest(), people=number - 1) or file.read(1):
        raise BackupError(f"{path}: is damaged: it is not what was exported")


def _line(path: Path, file: BinaryIO) -> bytes:
    line = file.readline(MAX_LINE_BYTES)
    if not line.endswith(b"\n"):
        raise BackupError(f"{path}: is no backup of people, or is cut off")
    return line


def _check_first(path: Path, line: bytes, encoder: str) -> None:
    first = _parsed(path, line, _First, 1)
    if first.encoder != encoder:
        raise BackupError(
            f"{path}: was encoded by {first.encoder!r}, not by {encoder}: where crops were kept, import it in a house"
            " with that encoder, run facelatch people reencode there and export anew; else enroll the people anew"
        )


def _parsed(path: Path, line: bytes, model: type[LineT], number: int) -> LineT:
    try:
        return model.model_validate_json(line)
    except ValidationError as error:
        raise BackupError(f"{path}: is no backup of people, or damaged: line {number}: {first_error(error)}") from None


def _put(file: BinaryIO, line: BaseModel) -> bytes:
    data = line.model_dump_json().encode() + b"\n"
    file.write(data)
    return data
