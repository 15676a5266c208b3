"""`facelatch identify`: who is in a picture."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from agents.cli.common import add_command
from agents.cli.gallery import Actions, explained, open_gallery, place_of
from agents.recognizer.errors import PhotoRefused

if TYPE_CHECKING:  # these need OpenCV and dlib, which not every machine of a house has
    from agents.recognizer.matcher import Match, Matcher
    from agents.recognizer.vision.engine import Engine


def register(commands: Actions) -> None:
    example = "facelatch identify visitor.jpg\nfacelatch identify --json snapshots/*.jpg"
    identify = add_command(commands, "identify", _identify, "say who is in a picture", example)
    identify.add_argument("images", metavar="IMAGE", type=Path, nargs="+", help="JPEG or PNG")
    identify.add_argument("--json", action="store_true", help="one JSON object a face, each on its line")


def _identify(args: argparse.Namespace) -> int:
    place = place_of(args)
    with explained():
        from agents.recognizer.matcher import Matcher

        with open_gallery(place.gallery) as gallery:
            engine = place.engine()
            enrolled = gallery.load(engine.encoder)
        matcher = Matcher(enrolled, place.settings.rule)
        done = [_identify_image(image, engine, matcher, args.json) for image in args.images]
    return 0 if all(done) else 1


def _identify_image(path: Path, engine: Engine, matcher: Matcher, as_json: bool) -> bool:
    from agents.recognizer.people.photo import read_photo

    try:
        photo = read_photo(path)
    except PhotoRefused as error:
        print(f"{path}: {error}", file=sys.stderr)
        return False
    faces = engine.look(photo.image)
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
