"""`facelatch enroll`: a person's face from photos, from folders of them, or from a camera."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from agents.cli.common import CommandError, add_command
from agents.cli.gallery import Actions, Place, composed, counted, explained, new_name, open_gallery, place_of
from agents.cli.listen import add_user

if TYPE_CHECKING:  # it needs OpenCV and dlib, which not every machine of a house has
    from agents.cli.desk import Outcome

GOOD_PHOTOS = 5
SUFFIXES = (".jpg", ".jpeg", ".png")
EXAMPLE = """\
facelatch enroll "Ana Kovač" ana1.jpg ana2.jpg
facelatch enroll Ivan photos/ivan/
facelatch enroll Ana --camera front
facelatch enroll --from-folder photos/"""
CAMERA_HELP = (
    "live, from this camera: asks for a few head positions and keeps the best frame of each. "
    "Watch who stands there: a photograph held up is not told from a person"
)


def register(commands: Actions) -> None:
    def run(args: argparse.Namespace) -> int:
        return _enroll(args, enroll)

    enroll = add_command(commands, "enroll", run, "store a person's face from photos, or live from a camera", EXAMPLE)
    enroll.add_argument(
        "name", metavar="NAME", nargs="?", help="as it is to be shown; a known person's photos are added to"
    )
    enroll.add_argument(
        "photos", metavar="PHOTO", type=Path, nargs="*", help="JPEG or PNG that shows one person, or a folder of them"
    )
    enroll.add_argument("--camera", metavar="CAMERA", help=CAMERA_HELP)
    enroll.add_argument(
        "--from-folder", metavar="DIR", type=Path, help="many people: a folder with a folder of photos for each, NAME/…"
    )
    enroll.add_argument(
        "--although-like",
        metavar="OTHER",
        action="append",
        default=[],
        help="whom the person may look like, say an identical twin; else who is taken for somebody else is refused",
    )
    enroll.add_argument(
        "--timeout", type=float, default=10.0, metavar="S", help="seconds to wait for broker and camera (default: 10)"
    )
    enroll.add_argument(
        "--patience", type=float, default=15.0, metavar="S", help="seconds for each head position (default: 15)"
    )
    add_user(enroll, "enroll")


def _enroll(args: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    sources = (bool(args.photos), args.camera is not None, args.from_folder is not None)
    if sum(sources) != 1:
        parser.error("give one of: PHOTO…, --camera CAMERA, --from-folder DIR")
    if (args.name is None) != (args.from_folder is not None):
        parser.error("give NAME" if args.name is None else "with --from-folder the folders give the names")
    like = [composed(name) for name in args.although_like]
    if args.from_folder is not None:
        return _enroll_folder(place_of(args), args.from_folder, like)
    name = new_name(args.name)
    if args.camera is None:
        return enroll_photos(place_of(args), name, args.photos, although_like=like)
    with explained():
        from agents.cli.enroll_camera import enroll_live

        return enroll_live(args, name, like)


def enroll_photos(
    place: Place, name: str, photos: Sequence[Path], ignored: bool = False, although_like: Sequence[str] = ()
) -> int:
    """Store the good ones and say what is wrong with the others. Returns the exit status."""
    with explained():
        from agents.cli.desk import Desk

        outcome = Desk(place, although_like).take(name, pictures(photos), ignored)
        for photo, reason in outcome.refused:
            print(f"{photo}: {reason}", file=sys.stderr)
        for photo, what in outcome.good:
            print(f"{photo}: {what}")
        if outcome.good:
            print(f"{name}: {in_all(place, name)}")
        if not outcome.good and not outcome.refused:
            print("there is no picture", file=sys.stderr)
    return 1 if outcome.refused or not outcome.good else 0


def pictures(paths: Sequence[Path]) -> Iterator[Path]:
    """The files, and in the place of a folder the pictures in it; what else is there is said and skipped."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        for file in _visible(path):
            if file.suffix.lower() in SUFFIXES and file.is_file():
                yield file
            else:
                print(f"{file}: skipped, not named like a picture ({', '.join(SUFFIXES)})", file=sys.stderr)


def _enroll_folder(place: Place, folder: Path, although_like: Sequence[str]) -> int:
    people = _people_in(folder)
    with explained():
        from agents.cli.desk import Desk

        desk, photos, enrolled, refused = Desk(place, although_like), 0, 0, []
        for name, folders in people.items():
            outcome = desk.take(name, pictures(folders))
            photos += outcome.enrolled
            enrolled += outcome.enrolled > 0
            refused += outcome.refused or ([] if outcome.good else [(folders[0], "no picture in this folder")])
            print(f"{name}: " + _in_short(outcome), flush=True)
    people_got = "1 person" if enrolled == 1 else f"{enrolled} people"
    print(f"{people_got} got {counted(photos, 'new photo')}; {len(refused)} refused")
    for path, reason in refused:
        print(f"{path}: {reason}", file=sys.stderr)
    return 1 if refused else 0


def _in_short(outcome: Outcome) -> str:
    skipped = len(outcome.good) - outcome.enrolled
    parts = [f"{outcome.enrolled} enrolled"]
    parts += [f"{skipped} skipped, enrolled already"] if skipped else []
    parts += [f"{len(outcome.refused)} refused"] if outcome.refused else []
    return ", ".join(parts)


def _people_in(folder: Path) -> dict[str, list[Path]]:
    """Names, and the folders called so: several where accents were typed in different ways. Raises CommandError."""
    if not folder.is_dir():
        raise CommandError(f"{folder} is not a folder")
    people: dict[str, list[Path]] = {}
    wrong = []
    for path in _visible(folder):
        if not path.is_dir():
            print(f"{path}: skipped, not a person's folder", file=sys.stderr)
            continue
        try:
            people.setdefault(new_name(path.name), []).append(path)
        except CommandError as error:
            wrong.append(str(error))
    if wrong:
        raise CommandError("\n".join(["nothing was done; rename these folders:", *wrong]))
    if not people:
        raise CommandError(f"{folder} has no folders in it: for one person, facelatch enroll NAME {folder}")
    return people


def _visible(folder: Path) -> list[Path]:
    """What is in a folder, by name. Hidden files are said and skipped. Raises CommandError."""
    try:
        found = sorted(folder.iterdir())
    except OSError as error:
        raise CommandError(f"{folder}: {error.strerror}") from None
    for path in found:
        if path.name.startswith("."):
            print(f"{path}: skipped, hidden", file=sys.stderr)
    return [path for path in found if not path.name.startswith(".")]


def in_all(place: Place, name: str) -> str:
    """How many photos of a person there are now, and what else is worth knowing."""
    with open_gallery(place.gallery) as gallery:
        person = next(person for person in gallery.people() if person.name == name)
    photos = f"{counted(person.photos, 'photo')} in all"
    if person.ignored:
        return f"{photos}; on the ignore list"
    if person.disabled:
        return f"{photos}; disabled: facelatch people enable lets them in again"
    return photos + ("" if person.photos >= GOOD_PHOTOS else f"; with {GOOD_PHOTOS} a person is recognized more often")
