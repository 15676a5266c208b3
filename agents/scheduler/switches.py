"""The file that remembers what people have switched, so that a restart never switches a door on."""

from __future__ import annotations

from pathlib import Path

from agents.runtime import atomic
from agents.scheduler.standing import Standing
from agents.wire.messages import BadMessage

NAME = "switches.json"
MAX_BYTES = 10_000_000  # hundreds of doors, each with all the people that can be let in


class SwitchesError(Exception):
    """The file can't be read or written; its text names it."""


def load(folder: Path) -> Standing:
    """A new house's where there is no file yet. Raises SwitchesError."""
    path = folder / NAME
    try:
        return Standing.decode(path.read_bytes(), MAX_BYTES)
    except FileNotFoundError:
        return Standing()
    except (OSError, BadMessage, RecursionError) as error:
        raise SwitchesError(f"{path}: can't be read: {error}") from None


def save(folder: Path, standing: Standing) -> None:
    """Raises SwitchesError."""
    path = folder / NAME
    try:
        atomic.write(path, standing.encode())
    except OSError as error:
        raise SwitchesError(f"{path}: can't be written: {error}") from None
