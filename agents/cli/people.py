"""The people a house knows: `facelatch enroll`, `facelatch people`, `facelatch identify`."""

from __future__ import annotations

import argparse
import contextlib
import difflib
import json
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from agents.cli.common import CommandError, add_action, add_command, load_house
from agents.recognizer.config import RecognizerSettings
from agents.recognizer.errors import NoGallery, PhotoRefused, RecognizerError, UnknownPerson
from agents.runtime.clock import Clock
from agents.wire.messages import first_error
from agents.wire.values import PersonName

if TYPE_CHECKING:  # these need OpenCV and dlib, which not every machine of a house has
    from agents.recognizer.faces import FaceEngine
    from agents.recognizer.gallery import Gallery
    from agents.recognizer.matcher import Match, Matcher

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

GOOD_PHOTOS = 5
_NAME: TypeAdapter[str] = TypeAdapter(PersonName)


def register(commands: Commands) -> None:
    example = 'facelatch enroll "Ana Kovač" ana1.jpg ana2.jpg\nfacelatch enroll Ivan photos/ivan/*'
    enroll = add_command(commands, "enroll", _enroll, "store a person's face from photos", example)
    enroll.add_argument("name", metavar="NAME", help="as it is to be shown; a known person's photos are added to")
    enroll.add_argument("photos", metavar="PHOTO", type=Path, nargs="+", help="JPEG or PNG that shows one person")
    _register_people(commands)
    example = "facelatch identify visitor.jpg\nfacelatch identify --json snapshots/*.jpg"
    identify = add_command(commands, "identify", _identify, "say who is in a picture", example)
    identify.add_argument("images", metavar="IMAGE", type=Path, nargs="+", help="JPEG or PNG")
    identify.add_argument("--json", action="store_true", help="one JSON object a face, each on its line")


def _register_people(commands: Commands) -> None:
    example = 'facelatch people\nfacelatch people rename Ana "Ana Kovač"\nfacelatch people remove Ivan'
    people = add_command(commands, "people", _list, "list, rename or remove the enrolled people", example)
    people.add_argument("--json", action="store_true", help="one JSON object a person, each on its line")
    actions = people.add_subparsers(metavar="ACTION")
    listing = add_action(actions, "list", _list, "list everybody; the default", "facelatch people list --json")
    listing.add_argument(
        "--json", action="store_true", default=argparse.SUPPRESS, help="as above, one JSON object each"
    )
    rename = add_action(actions, "rename", _rename, "rename a person", 'facelatch people rename Ana "Ana Kovač"')
    rename.add_argument("old", metavar="OLD")
    rename.add_argument("new", metavar="NEW")
    remove = add_action(
        actions, "remove", _remove, "remove a person, encodings and all", "facelatch people remove Ivan"
    )
    remove.add_argument("name", metavar="NAME")


def _enroll(args: argparse.Namespace) -> int:
    name, (path, settings) = _name(args.name), _settings(args)
    with _explained():
        from agents.recognizer.faces import FaceEngine

        engine = FaceEngine(settings.upsample)
        done = [_enroll_photo(path, name, photo, engine) for photo in args.photos]
        if any(done):
            print(f"{name}: {_photos_of(path, name)}")
    return 0 if all(done) else 1


def _enroll_photo(path: Path, name: str, photo: Path, engine: FaceEngine) -> bool:
    from agents.recognizer.enroll import encode_photo, read_photo
    from agents.recognizer.gallery import Gallery

    try:
        picture = read_photo(photo)
        encoding = encode_photo(picture, engine)
    except PhotoRefused as error:
        print(f"{photo}: {error}", file=sys.stderr)
        return False
    with Gallery(path, create=True) as gallery:
        added = gallery.add(name, encoding, picture.sha256, Clock().now())
    print(f"{photo}: " + ("enrolled" if added else "skipped, enrolled already"))
    return True


def _photos_of(path: Path, name: str) -> str:
    from agents.recognizer.gallery import Gallery

    with Gallery(path) as gallery:
        photos = next(person.photos for person in gallery.people() if person.name == name)
    more = f"; with {GOOD_PHOTOS} a person is recognized more often" if photos < GOOD_PHOTOS else ""
    return f"{_counted(photos)} in all{more}"


def _list(args: argparse.Namespace) -> int:
    with _explained():
        try:
            with _gallery(args) as gallery:
                people = gallery.people()
        except NoGallery:
            people = []
    for person in people:
        if args.json:
            print(json.dumps(asdict(person), ensure_ascii=False))
        else:
            since = datetime.fromtimestamp(person.enrolled_at).astimezone()
            print(f"{person.name}: {_counted(person.photos)}, since {since:%Y-%m-%d %H:%M}")
    if not people and not args.json:
        print("nobody is enrolled yet: facelatch enroll NAME PHOTO…")
    return 0


def _rename(args: argparse.Namespace) -> int:
    old, new = unicodedata.normalize("NFC", args.old), _name(args.new)
    with _explained(), _gallery(args) as gallery, _nearest_names(gallery, old):
        gallery.rename(old, new)
    print(f"{old} is now {new}")
    return 0


def _remove(args: argparse.Namespace) -> int:
    name = unicodedata.normalize("NFC", args.name)
    with _explained(), _gallery(args) as gallery, _nearest_names(gallery, name):
        gallery.remove(name)
    print(f"{name} is removed")
    return 0


def _identify(args: argparse.Namespace) -> int:
    path, settings = _settings(args)
    with _explained():
        from agents.recognizer.faces import FaceEngine
        from agents.recognizer.gallery import Gallery
        from agents.recognizer.matcher import Matcher

        with Gallery(path) as gallery:
            matcher = Matcher(gallery.load(), settings.threshold, settings.min_margin)
        engine = FaceEngine(settings.upsample)
        done = [_identify_image(image, engine, matcher, settings, args.json) for image in args.images]
    return 0 if all(done) else 1


def _identify_image(
    path: Path, engine: FaceEngine, matcher: Matcher, settings: RecognizerSettings, as_json: bool
) -> bool:
    from agents.recognizer.enroll import read_photo

    try:
        photo = read_photo(path)
    except PhotoRefused as error:
        print(f"{path}: {error}", file=sys.stderr)
        return False
    faces = engine.look(photo.image, settings.min_face_px)
    for face in faces:
        match = matcher.match(face.encoding)
        if as_json:
            box = photo.in_file(face.box).model_dump()
            print(json.dumps({"file": str(path), "box": box, **asdict(match)}, ensure_ascii=False))
        else:
            print(f"{path}: {_in_words(match)}")
    if not faces and not as_json:
        print(f"{path}: no face found")
    return True


def _in_words(match: Match) -> str:
    if match.distance is None:
        return "unknown; nobody is enrolled"
    where = f"at distance {match.distance:.2f}"
    farther = f"; the second person is {match.margin:.2f} farther" if match.margin is not None else ""
    return f"{match.person} {where}{farther}" if match.person else f"unknown; the nearest person is {where}{farther}"


def _counted(photos: int) -> str:
    return f"{photos} photo" if photos == 1 else f"{photos} photos"


def _name(text: str) -> str:
    """A person's name, its accents composed so that the same name is the same text."""
    try:
        return _NAME.validate_python(unicodedata.normalize("NFC", text))
    except ValidationError as error:
        reason = first_error(error).removeprefix("Value error, ")
        raise CommandError(f"{text!r:.80} can't be a person's name: {reason}") from None


def _settings(args: argparse.Namespace) -> tuple[Path, RecognizerSettings]:
    """The gallery's path, and the recognizer's section of the house's file."""
    house, folder = load_house(args)
    return folder / house.recognizer.gallery, house.recognizer


def _gallery(args: argparse.Namespace) -> Gallery:
    from agents.recognizer.gallery import Gallery

    return Gallery(_settings(args)[0])


@contextlib.contextmanager
def _nearest_names(gallery: Gallery, name: str) -> Iterator[None]:
    """When nobody is called that, say who is called nearly so."""
    try:
        yield
    except UnknownPerson as error:
        names = {person.name.casefold(): person.name for person in gallery.people()}
        near = [names[key] for key in difflib.get_close_matches(name.casefold(), names, 3, 0.5)]
        raise CommandError(f"{error}; did you mean {' or '.join(near)}?" if near else str(error)) from None


@contextlib.contextmanager
def _explained() -> Iterator[None]:
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
