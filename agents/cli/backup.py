"""`facelatch people export`, `import` and `reencode`."""

from __future__ import annotations

import argparse
from pathlib import Path

from agents.cli.common import CommandError, add_action
from agents.cli.gallery import Actions, counted, explained, open_gallery, place_of


def register(actions: Actions) -> None:
    example = "facelatch people export people.backup"
    export = add_action(actions, "export", _export, "write everybody into one file, as a backup", example)
    export.add_argument("file", metavar="FILE", type=Path, help="to be kept like a key: it has what the gallery has")
    export.add_argument("--force", action="store_true", help="write over FILE")
    example = "facelatch people import people.backup\nfacelatch people import people.backup --merge"
    restore = add_action(actions, "import", _import, "take the people of a backup in, all or nobody", example)
    restore.add_argument("file", metavar="FILE", type=Path)
    restore.add_argument("--merge", action="store_true", help="add what is missing to people who are there already")
    summary = "encode the kept crops anew, after recognizer.encoder was changed"
    add_action(actions, "reencode", _reencode, summary, "facelatch people reencode")


def _export(args: argparse.Namespace) -> int:
    with explained():
        from agents.recognizer.people import backup
        from agents.recognizer.people.private import new_file

        with open_gallery(place_of(args).gallery) as gallery, new_file(args.file, args.force) as file:
            people = backup.write(gallery, file)
    print(f"{args.file}: {_people(people)}")
    return 0


def _import(args: argparse.Namespace) -> int:
    place = place_of(args)
    with explained():
        from agents.recognizer.errors import PeopleThere
        from agents.recognizer.people import backup

        encoder = place.engine().encoder
        backup.check(args.file, encoder)  # before a gallery is made for it
        with open_gallery(place.gallery, create=True) as gallery:
            try:
                people, photos = gallery.restore(backup.read(args.file, encoder), encoder, args.merge)
            except PeopleThere as error:
                raise CommandError(f"{error}; --merge adds only what is missing") from None
    print(f"{_people(people)} and {counted(photos, 'photo')} added")
    return 0


def _reencode(args: argparse.Namespace) -> int:
    place = place_of(args)
    with explained():
        from agents.recognizer.people.enroll import encode_crop

        with open_gallery(place.gallery) as gallery:
            engine = place.engine()
            photos = gallery.reencode(lambda jpeg: encode_crop(jpeg, engine), engine.encoder)
    print(f"{counted(photos, 'photo')} encoded anew; all are by {engine.encoder}")
    return 0


def _people(number: int) -> str:
    return "1 person" if number == 1 else f"{number} people"
