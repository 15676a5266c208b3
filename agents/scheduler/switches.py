"""The file that remembers the face-unlock switches, so that a restart never switches one on."""

from __future__ import annotations

import json
import os
from pathlib import Path

NAME = "switches.json"


class SwitchesError(Exception):
    """The file can't be read or written; its text names it."""


def load(folder: Path) -> dict[str, bool]:
    """Door → on. Empty where there is no file yet. Raises SwitchesError."""
    path = folder / NAME
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise SwitchesError(f"{path}: can't be read: {error}") from None
    if not (isinstance(found, dict) and all(isinstance(on, bool) for on in found.values())):
        raise SwitchesError(f"{path}: is not a table of doors and true or false")
    return found


def save(folder: Path, switches: dict[str, bool]) -> None:
    """Replace the file as a whole: after a power cut it is the old one or the new one."""
    path = folder / NAME
    draft = path.with_suffix(".new")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with draft.open("w", encoding="utf-8") as file:
            json.dump(switches, file, indent=1, sort_keys=True)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        raise SwitchesError(f"{path}: can't be written: {error}") from None
