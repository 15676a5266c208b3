"""Arbitrary bytes as a row of choices, so that a fuzzer that turns one byte changes one thing."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Reader:
    """Reads choices until the bytes are used up, and then only first choices and nothing."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    @property
    def more(self) -> bool:
        return self._at < len(self._data)

    def take(self, size: int) -> bytes:
        """The next `size` bytes, or fewer at the end."""
        self._at += size
        return self._data[self._at - size : self._at]

    def rest(self) -> bytes:
        return self.take(len(self._data))

    def number(self) -> int:
        """0 to 255."""
        return int.from_bytes(self.take(1))

    def flag(self) -> bool:
        return self.number() % 2 == 1

    def pick(self, choices: Sequence[T]) -> T:
        return choices[self.number() % len(choices)]

    def blob(self) -> bytes:
        """Bytes whose number stands before them in two."""
        return self.take(int.from_bytes(self.take(2)))


def blob(content: bytes) -> bytes:
    """The reverse of `Reader.blob`."""
    return len(content).to_bytes(2) + content


class _Reading(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        line = record.getMessage()
        assert line.isprintable(), line


def read_log() -> logging.Logger:
    """A log of which every line is read: nobody may forge one."""
    log = logging.Logger("fuzz")
    log.addHandler(_Reading())
    return log
