"""How the journal's records hang together, so that one removed or changed shows. Pure.

The digest of a record is the SHA-256 of its salt and its body. Its hash is the SHA-256 of the hash
before (32 zero bytes before the first), of its head as JSON, and of its digest. So a body can be
erased, and the chain stays whole; without the salt nobody finds out by trying what it was.

A chain needs no secret, and who can write the file can make it anew from any record on. That shows
where a later record was noted elsewhere (`Anchor`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any, NamedTuple

GENESIS = bytes(32)
compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode
MOST_PROBLEMS = 100  # kept in words; the others are counted


class Kind(StrEnum):
    """What a record tells.

    A decision, an event of a door (with `door`), a switch (`what`, and what became of it), an agent
    that came or went, events of a door that never came (`first` to `last`), and how many `records`
    were erased.
    """

    DECISION = "decision"
    EVENT = "event"
    SWITCH = "switch"
    AGENT = "agent"
    GAP = "gap"
    ERASED = "erased"


class Row(NamedTuple):
    """A record as it stands in the file, where anything may have been put instead. `at` is UTC seconds."""

    n: int
    at: float
    kind: str
    door: str | None
    seq: int | None
    salt: bytes | None
    body: str | None
    digest: bytes
    hash: bytes


class Anchor(NamedTuple):
    """A record's number and hash: who noted them elsewhere can tell that it, and all before it, is unchanged."""

    n: int
    hash: bytes

    def __str__(self) -> str:
        return f"{self.n}:{self.hash.hex()}"

    @classmethod
    def read(cls, text: str) -> Anchor:
        """Raises ValueError."""
        n, _, digits = text.strip().partition(":")
        found = cls(int(n), bytes.fromhex(digits))
        if found.n < 1 or len(found.hash) != len(GENESIS):
            raise ValueError(text)
        return found


@dataclass(frozen=True)
class Report:
    """What a walk along the chain found. `problems` are in words, those of the first records first;
    `found` is how many there were.
    """

    records: int
    erased: int
    newest: Anchor | None
    problems: tuple[str, ...]
    found: int

    @property
    def whole(self) -> bool:
        return not self.found


def digest_of(salt: bytes, body: str) -> bytes:
    return sha256(salt + body.encode()).digest()


def hash_of(previous: bytes, n: int, at: float, kind: str, door: str | None, seq: int | None, digest: bytes) -> bytes:
    """`at` is written as C's %a does, which loses nothing."""
    head = compact([n, at.hex(), kind, door, seq])
    return sha256(previous + head.encode() + digest).digest()


class Walk:
    """Goes along the chain, a record at a time, in the order of their numbers. After number `after` it begins."""

    def __init__(self, anchor: Anchor | None = None, after: int = 0) -> None:
        self._anchor, self._n, self._after = anchor, after, after
        self._hash = None if after else GENESIS  # of the record before; None where that is not known
        self._records = self._erased = self._said_erased = self._found = 0
        self._newest: Anchor | None = None
        self.problems: list[str] = []

    def step(self, row: Row) -> None:
        """Each record must follow the one before, and be what was hashed."""
        if row.n > self._n + 1:
            self._complain(f"{_records(self._n + 1, row.n - 1)} missing")
            self._hash = None
        if row.n <= self._n or not _fits(self._hash, row):
            self._complain(f"record {row.n} was changed, or put there")
        else:
            self._read(row)
        self._n, self._hash = row.n, row.hash
        self._records += 1

    def end(self, last_n: int) -> Report:
        """`last_n` is the newest number that was ever given to a record."""
        if self._n < last_n:
            self._complain(f"{_records(self._n + 1, last_n)} missing, at the end")
        elif self._n > last_n:
            self._complain(f"the count of records says {last_n}, and the newest is {self._n}")
        if self._anchor is not None and self._anchor.n > self._n:
            self._complain(f"record {self._anchor.n}, which was noted, is not there")
        if self._erased != self._said_erased and not self._after:
            self._complain(f"{self._erased} records have lost their text, and {self._said_erased} were erased")
        return Report(self._records, self._erased, self._newest, tuple(self.problems), self._found)

    def _read(self, row: Row) -> None:
        self._newest = Anchor(row.n, row.hash)
        if self._anchor is not None and row.n == self._anchor.n and row.hash != self._anchor.hash:
            self._complain(f"record {row.n} is not the one that was noted")
        if row.body is None and row.salt is None:
            self._erased += 1
        elif not isinstance(row.body, str) or not isinstance(row.salt, bytes):
            self._complain(f"the text of record {row.n} was taken out")
        elif digest_of(row.salt, row.body) != row.digest:
            self._complain(f"the text of record {row.n} was changed")
        elif row.kind == Kind.ERASED:
            self._said_erased += _number_erased(row.body)

    def _complain(self, problem: str) -> None:
        self._found += 1
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(problem)


def _fits(previous: bytes | None, row: Row) -> bool:
    """Whether the hash is that of the record. Nothing can be said where the one before is not known."""
    try:
        return previous is None or row.hash == hash_of(previous, *row[:5], row.digest)
    except (AttributeError, TypeError, ValueError):  # another type was put there
        return False


def _records(first: int, last: int) -> str:
    return f"record {first} is" if first == last else f"records {first} to {last} are"


def parsed(body: str | None) -> dict[str, Any] | None:
    """A record's body; None where it was erased, or where somebody put something there that is none."""
    try:
        found = json.loads(body or "null")
    except (RecursionError, TypeError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _number_erased(body: str) -> int:
    number = (parsed(body) or {}).get("records")
    return number if isinstance(number, int) else 0
