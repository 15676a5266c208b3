"""What the gallery keeps of a person, in Python's terms and checked: as it goes into a backup and comes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from agents.recognizer.matcher import Encoding
from agents.wire.values import PersonName, UtcSeconds

NUMBER = np.dtype("<f8")
SIZES = range(128 * NUMBER.itemsize, 2048 * NUMBER.itemsize + 1, NUMBER.itemsize)  # bytes
MAX_CROP_BYTES = 1_000_000


def to_blob(encoding: Encoding) -> bytes:
    """Little-endian float64."""
    return encoding.astype(NUMBER).tobytes()


def matrix(rows: Sequence[tuple[str, Any]]) -> Encoding:
    """float64 (n, d), from names and blobs. Raises ValueError that says whose encoding is damaged.

    All at once: one by one, fifty thousand take five times as long.
    """
    size = len(rows[0][1]) if isinstance(rows[0][1], bytes) else 0
    for name, blob in rows:
        if not isinstance(blob, bytes) or len(blob) != size or size not in SIZES:
            raise ValueError(f"an encoding of {name} has the wrong size")
    made = np.frombuffer(b"".join(blob for _, blob in rows), NUMBER).astype(np.float64).reshape(len(rows), -1)
    bad = ~np.isfinite(made).all(axis=1)
    if bad.any():
        raise ValueError(f"an encoding of {rows[int(bad.argmax())][0]} has numbers that are none")
    return made


def _whole(blob: bytes) -> bytes:
    matrix([("them", blob)])
    return blob


EncoderName = Annotated[str, StringConstraints(min_length=1, max_length=80)]


class _Record(BaseModel):
    """In JSON bytes are base64 with the URL-safe alphabet (RFC 4648, section 5)."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        allow_inf_nan=False,
        ser_json_bytes="base64",
        val_json_bytes="base64",
    )


class PhotoRecord(_Record):
    """One photo: the encoding as `to_blob` makes it, and a JPEG of the face where crops are kept."""

    encoding: Annotated[bytes, AfterValidator(_whole)]
    photo_sha256: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    enrolled_at: UtcSeconds
    crop: Annotated[bytes, Field(max_length=MAX_CROP_BYTES)] | None = None


class PersonRecord(_Record):
    """`ignored` marks an entry of the ignore list: a face that is never somebody."""

    name: PersonName
    enrolled_at: UtcSeconds
    disabled: bool
    ignored: bool
    photos: tuple[PhotoRecord, ...]


@dataclass(frozen=True, eq=False)
class Sample:
    """A face to be enrolled. `encoder` made the encoding, float64 (d,); `crop` is a JPEG, kept if it is given."""

    encoding: Encoding
    encoder: str
    photo_sha256: str
    crop: bytes | None = None


@dataclass(frozen=True)
class Person:
    """`enrolled_at` is UTC seconds. An entry of the ignore list is `ignored`; its name is but a label."""

    name: str
    photos: int
    enrolled_at: float
    disabled: bool = False
    ignored: bool = False


@dataclass(frozen=True)
class StoredPhoto:
    """`enrolled_at` is UTC seconds; `crop` a JPEG, or None where none was kept."""

    photo_sha256: str
    encoder: str
    enrolled_at: float
    crop: bytes | None
