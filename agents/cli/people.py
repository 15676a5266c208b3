"""`facelatch people`: who is enrolled, and what becomes of them."""

from __future__ import annotations

import argparse
import json
import shlex
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from agents.cli import backup, unknown
from agents.cli.common import CommandError, add_action, add_command
from agents.cli.enroll import enroll_photos
from agents.cli.gallery import (
    Actions,
    at,
    composed,
    counted,
    explained,
    nearest_names,
    new_name,
    open_gallery,
    place_of,
    save,
)
from agents.cli.log import told
from agents.recognizer.errors import NoGallery
from agents.runtime.clock import Clock
from agents.scheduler.forget import forget
from agents.scheduler.journal import JournalError
from agents.scheduler.pictures import PicturesError

if TYPE_CHECKING:  # these need numpy, which not every machine of a house has
    from agents.recognizer.people.gallery import Gallery
    from agents.recognizer.people.records import Person, StoredPhoto


def register(commands: Actions) -> None:
    example = 'facelatch people\nfacelatch people rename Ana "Ana Kovač"\nfacelatch people remove Ivan'
    summary = "list, show, rename, disable or remove the enrolled people; back them up"
    people = add_command(commands, "people", _list, summary, example)
    people.add_argument("--json", action="store_true", help="one JSON object a person, each on its line")
    actions = people.add_subparsers(metavar="ACTION")
    listing = add_action(actions, "list", _list, "list everybody; the default", "facelatch people list --json")
    listing.add_argument(
        "--json", action="store_true", default=argparse.SUPPRESS, help="as above, one JSON object each"
    )
    _register_show(actions)
    _register_changes(actions)
    backup.register(actions)
    unknown.register(actions)


def _register_show(actions: Actions) -> None:
    example = 'facelatch people show "Ana Kovač"\nfacelatch people show "Ana Kovač" --sheet ana.png'
    show = add_action(actions, "show", _show, "show what is kept of a person's photos", example)
    show.add_argument("name", metavar="NAME")
    show.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="one JSON object")
    show.add_argument("--sheet", metavar="FILE.png", type=Path, help="draw the faces; needs recognizer.keep_crops")
    show.add_argument("--force", action="store_true", help="write over FILE.png")


def _register_changes(actions: Actions) -> None:
    rename = add_action(actions, "rename", _rename, "rename a person", 'facelatch people rename Ana "Ana Kovač"')
    rename.add_argument("old", metavar="OLD")
    rename.add_argument("new", metavar="NEW")
    changes: list[tuple[str, Callable[[argparse.Namespace], int], str]] = [
        ("disable", _disable, "let nobody in as this person, for now"),
        ("enable", _enable, "let a disabled person in again"),
    ]
    for name, run, summary in changes:
        action = add_action(actions, name, run, summary, f"facelatch people {name} Ivan")
        action.add_argument("name", metavar="NAME")
    _register_remove(actions)
    example = 'facelatch people ignore "poster in the hall" snapshot.jpg'
    ignore = add_action(
        actions, "ignore", _ignore, "a face that is mistaken for somebody is nobody from now on", example
    )
    ignore.add_argument("label", metavar="LABEL", help="a name for it, which is nobody's")
    ignore.add_argument("photos", metavar="PHOTO", type=Path, nargs="+", help="JPEG or PNG that shows one face")


def _register_remove(actions: Actions) -> None:
    example = "facelatch people remove Ivan --history\nfacelatch people remove Ana --photo 3"
    remove = add_action(actions, "remove", _remove, "remove a person, encodings and all, or one photo", example)
    remove.add_argument("name", metavar="NAME")
    what = remove.add_mutually_exclusive_group()
    what.add_argument("--photo", metavar="NUMBER", type=int, help="only this one; facelatch people show numbers them")
    what.add_argument("--history", action="store_true", help="and what the journal tells of this person's visits")


def _list(args: argparse.Namespace) -> int:
    with explained():
        try:
            with open_gallery(place_of(args).gallery) as gallery:
                people = gallery.people()
        except NoGallery:
            people = []
    for person in people:
        print(json.dumps(asdict(person), ensure_ascii=False) if args.json else _in_words(person))
    if not people and not args.json:
        print("nobody is enrolled yet: facelatch enroll NAME PHOTO…")
    return 0


def _in_words(person: Person) -> str:
    state = "on the ignore list, " if person.ignored else "disabled, " if person.disabled else ""
    return f"{person.name}: {state}{counted(person.photos, 'photo')}, since {at(person.enrolled_at)}"


def _show(args: argparse.Namespace) -> int:
    name = composed(args.name)
    with explained(), open_gallery(place_of(args).gallery) as gallery, nearest_names(gallery, name):
        photos = gallery.photos(name)
        person = next(person for person in gallery.people() if person.name == name)
        if args.sheet is not None:
            return _sheet(args, name, photos)
    if args.json:
        print(json.dumps({**asdict(person), "photos": [_facts(photo) for photo in photos]}, ensure_ascii=False))
        return 0
    print(_in_words(person))
    for number, photo in enumerate(photos, 1):
        crop = "crop kept" if photo.crop else "no crop"
        print(f"  {number}: {at(photo.enrolled_at)}  {photo.encoder}  {crop}  SHA-256 {photo.photo_sha256[:16]}")
    return 0


def _facts(photo: StoredPhoto) -> dict[str, object]:
    return {**asdict(photo), "crop": photo.crop is not None}


def _sheet(args: argparse.Namespace, name: str, photos: list[StoredPhoto]) -> int:
    from agents.recognizer.people.sheet import Cell, contact_sheet

    faces = [Cell(photo.crop, name, at(photo.enrolled_at)) for photo in photos if photo.crop is not None]
    if not faces:
        raise CommandError(
            f"no pictures of {name} are kept: set keep_crops: true under recognizer in the house's file,"
            " and enroll the photos again"
        )
    save(args.sheet, contact_sheet(faces), args.force)
    print(f"{args.sheet}: {counted(len(faces), 'face')} of {counted(len(photos), 'photo')}")
    return 0


def _rename(args: argparse.Namespace) -> int:
    new = new_name(args.new)
    return _change(args, args.old, f"is now {new}", lambda gallery, old: gallery.rename(old, new))


def _disable(args: argparse.Namespace) -> int:
    return _change(args, args.name, "is disabled", lambda gallery, name: gallery.disable(name))


def _enable(args: argparse.Namespace) -> int:
    return _change(args, args.name, "is enabled", lambda gallery, name: gallery.disable(name, False))


def _remove(args: argparse.Namespace) -> int:
    if args.photo is None:
        _change(args, args.name, "is removed", lambda gallery, name: gallery.remove(name))
        return _forget(args) if args.history else 0
    done = f"has photo {args.photo} no more; the others are numbered anew"
    return _change(args, args.name, done, lambda gallery, name: _remove_photo(gallery, name, args.photo))


def _forget(args: argparse.Namespace) -> int:
    name = composed(args.name)
    try:
        print(told(name, forget(place_of(args).data, name, Clock().now().utc)))
    except (JournalError, PicturesError) as error:
        raise CommandError(f"{error}\nWhere the scheduler runs: facelatch log forget {shlex.quote(name)}") from None
    return 0


def _remove_photo(gallery: Gallery, name: str, number: int) -> None:
    photos = gallery.photos(name)
    if not 1 <= number <= len(photos):
        raise CommandError(f"{name} has no photo {number}: facelatch people show NAME numbers them, 1 to {len(photos)}")
    gallery.remove_photo(name, photos[number - 1].photo_sha256)


def _change(args: argparse.Namespace, name: str, done: str, change: Callable[[Gallery, str], None]) -> int:
    name = composed(name)
    with explained(), open_gallery(place_of(args).gallery) as gallery, nearest_names(gallery, name):
        change(gallery, name)
    print(f"{name} {done}")
    return 0


def _ignore(args: argparse.Namespace) -> int:
    return enroll_photos(place_of(args), new_name(args.label), args.photos, ignored=True)
