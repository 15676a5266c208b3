"""Erasing what the house remembers of a person's visits."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from agents.scheduler.journal_file import FILE
from agents.scheduler.journal_reader import JournalReader
from agents.scheduler.pictures import FOLDER, Pictures


@dataclass(frozen=True)
class Forgotten:
    """How many records and pictures were erased, and how many records of others still have the name
    in their text: as who asked for something, say.
    """

    records: int
    pictures: int
    mentions: int


def forget(data: Path, name: str, now_utc: float) -> Forgotten:
    """Erase a person's records in the journal below `data`, and the pictures that belong to them.

    The pictures go first: were it killed in between, the journal would still know which they are.
    Raises JournalError, PicturesError.
    """
    with JournalReader(data / FILE) as journal:
        pictures = Pictures(data / FOLDER).remove(journal.ids_of(name))
        return Forgotten(journal.forget(name, now_utc), pictures, journal.mentions(name))
