"""What the commands about people share: the house's gallery, its models, names, errors."""

from __future__ import annotations

import argparse
import contextlib
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from pydantic import TypeAdapter, ValidationError

from agents.cli.common import CommandError, load_house, near
from agents.recognizer.config import RecognizerSettings
from agents.recognizer.errors import RecognizerError, UnknownPerson
from agents.wire.messages import first_error
from agents.wire.values import PersonName

if TYPE_CHECKING:  # these need OpenCV and dlib, which not every machine of a house has
    from agents.recognizer.people.gallery import Gallery
    from agents.recognizer.vision.engine import Engine

Actions: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

_NAME: TypeAdapter[str] = TypeAdapter(PersonName)


@dataclass(frozen=True)
class Place:
    """Where a house keeps its people, and how. `clock_trusted` as in its file."""

    settings: RecognizerSettings
    folder: Path
    data: Path
    clock_trusted: bool

    @property
    def gallery(self) -> Path:
        return self.folder / self.settings.gallery

    def engine(self) -> Engine:
        """The house's models, loaded. Raises ModelError."""
        from agents.recognizer.vision.engine import Engine

        return Engine(self.settings, self.folder, self.data)


def place_of(args: argparse.Namespace) -> Place:
    """Raises ConfigError."""
    house, folder = load_house(args)
    return Place(house.recognizer, folder, folder / house.data, house.clock == "trust")


def open_gallery(path: Path, create: bool = False) -> Gallery:
    """Raises GalleryError. Says so when others can read the file."""
    from agents.recognizer.people.gallery import Gallery

    gallery = Gallery(path, create=create)
    if gallery.exposed is not None:
        print(f"facelatch: warning: {gallery.exposed}", file=sys.stderr)
    return gallery


def new_name(text: str) -> str:
    """A person's name, its accents composed so that the same name is the same text."""
    try:
        return _NAME.validate_python(composed(text))
    except ValidationError as error:
        reason = first_error(error).removeprefix("Value error, ")
        raise CommandError(f"{text!r:.80} can't be a person's name: {reason}") from None


def composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def at(utc: float) -> str:
    """A time, UTC seconds, as people here read it."""
    return f"{datetime.fromtimestamp(utc).astimezone():%Y-%m-%d %H:%M}"


def save(path: Path, data: bytes, force: bool) -> None:
    """Write a file with faces, for its owner only. Raises StoreError."""
    from agents.recognizer.people.private import new_file

    with new_file(path, force) as file:
        file.write(data)


@contextlib.contextmanager
def nearest_names(gallery: Gallery, name: str) -> Iterator[None]:
    """When nobody is called that, say who is called nearly so."""
    try:
        yield
    except UnknownPerson as error:
        raise CommandError(f"{error}{near(name, [person.name for person in gallery.people()])}") from None


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """What the recognizer's parts raise, as text for people."""
    try:
        yield
    except RecognizerError as error:
        raise CommandError(str(error)) from None
    except ImportError as error:
        raise CommandError(
            f"something is not installed: {error}\n"
            "The Python packages are in requirements/recognizer.txt; OpenCV also wants the system's libgl1"
        ) from None
