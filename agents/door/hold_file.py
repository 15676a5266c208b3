"""The file that remembers for how long people want an unlock to last."""

from __future__ import annotations

import os
from pathlib import Path

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
    """Replace the file as a whole: after a power cut it is the old one or the new one. Raises HoldFileError."""
    draft = path.with_suffix(".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("wb") as file:
            file.write(what.encode())
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        raise HoldFileError(f"{path}: can't be written: {error}") from None
