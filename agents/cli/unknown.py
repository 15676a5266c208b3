"""`facelatch people unknown`: the strangers' faces that the house keeps, if it does."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from agents.cli.common import CommandError, add_action
from agents.cli.gallery import Actions, Place, at, counted, explained, place_of, save
from agents.recognizer.errors import StoreError
from agents.runtime.clock import Clock

if TYPE_CHECKING:  # these need OpenCV, which not every machine of a house has
    from agents.recognizer.people.unknowns import UnknownFace


def register(actions: Actions) -> None:
    example = "facelatch people unknown\nfacelatch people unknown --sheet strangers.png\nfacelatch people unknown clear"
    unknown = add_action(
        actions, "unknown", _list, "list the strangers' faces that were kept, the newest first", example
    )
    unknown.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="one JSON object a face")
    unknown.add_argument("--sheet", metavar="FILE.png", type=Path, help="draw them")
    unknown.add_argument("--force", action="store_true", help="write over FILE.png")
    further = unknown.add_subparsers(metavar="ACTION")
    add_action(further, "clear", _clear, "erase them", "facelatch people unknown clear")


def _list(args: argparse.Namespace) -> int:
    place = place_of(args)
    with explained():
        faces = _faces(place)
        if args.sheet is not None:
            return _sheet(args, faces)
    for face in faces:
        facts = {"camera": face.camera, "seen_at": face.seen_at, "encoder": face.encoder}
        print(json.dumps(facts) if args.json else f"{face.camera}: {at(face.seen_at)}")
    if not args.json:
        print(_in_all(place, len(faces)))
    return 0


def _faces(place: Place) -> list[UnknownFace]:
    from agents.recognizer.people.unknowns import FILE, UnknownFile

    if not (place.data / FILE).exists():
        return []
    with UnknownFile(place.data / FILE) as file:
        if place.settings.keep_unknown is not None:
            file.limit(place.settings.keep_unknown, Clock(place.clock_trusted).now())
        return file.faces()


def _in_all(place: Place, faces: int) -> str:
    limits = place.settings.keep_unknown
    if limits is not None:
        return f"{counted(faces, 'face')}; kept for {limits.max_age_days:g} days, at most {limits.max_count}"
    erased = f"; the {counted(faces, 'face')} kept before will be erased when the recognizer starts" if faces else ""
    return f"strangers are forgotten, as there is no keep_unknown under recognizer in the house's file{erased}"


def _sheet(args: argparse.Namespace, faces: list[UnknownFace]) -> int:
    from agents.recognizer.people.sheet import MAX_FACES, Cell, contact_sheet

    if not faces:
        raise CommandError("no strangers' faces are kept")
    save(args.sheet, contact_sheet([Cell(face.crop, face.camera, at(face.seen_at)) for face in faces]), args.force)
    drawn = f"{counted(len(faces), 'face')}" if len(faces) <= MAX_FACES else f"the newest {MAX_FACES} of {len(faces)}"
    print(f"{args.sheet}: {drawn}")
    return 0


def _clear(args: argparse.Namespace) -> int:
    with explained():
        from agents.recognizer.people.unknowns import FILE, UnknownFile, erase

        path = place_of(args).data / FILE
        try:
            with UnknownFile(path) as file:  # a running recognizer may have it open
                print(f"{counted(file.clear(), 'face')} erased")
        except StoreError:  # is damaged, or not there
            print("erased" if erase(path) else "there was nothing to erase")
    return 0
