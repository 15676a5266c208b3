"""The file that remembers for how long people want an unlock to last."""

from __future__ import annotations

from pathlib import Path

from agents.runtime import atomic
from agents.wire.messages import BadMessage, Payload


class HoldFileError(Exception):
    """The file can't be read or written; its text names it."""


class Remembered(Payload):
    """`configured_s` is what the house's file said when `hold_s` was set; both in seconds."""

    hold_s: float
    configured_s: float


def load(path: Path) -> Remembered | None:
    """None where there is no file yet. Raises HoldFileError."""
    try:
        return Remembered.decode(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, BadMessage) as error:
        raise HoldFileError(f"{path}: can't be read: {error}") from None


def save(path: Path, what: Remembered) -> None:
    """Raises HoldFileError."""
    try:
        atomic.write(path, what.encode())
    except OSError as error:
        raise HoldFileError(f"{path}: can't be written: {error}") from None
