"""What the frames of one face say together, beside what each says alone: on any clips that show one person.

Each clip is looked at as the recognizer looks at a camera, faces found, followed and encoded. Then

    recognized    the person is enrolled from 5 frames of the clip's first quarter, among the people of
                  FOLDER (known/NAME/*.jpg, 5 photos each); of the other frames, those in which they are
                  known by name
    let in        the person is not enrolled; of all frames, those in which they are taken for somebody
    nearest       the lowest score as a stranger; the rule lets in at 0.31

`alone`: every frame by itself. `together`: with those of the last second, as shipped (see
agents/recognizer/evidence.py). Frames of a clip are alike, so expect little: what is gained is that one
odd frame can neither let a stranger in nor keep somebody out.

    .venv/bin/python benchmarks/video.py FOLDER CLIP… [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from agents.recognizer.config import RecognizerSettings
from agents.recognizer.matcher import Encoding, Enrolled, Match, Matcher, unit
from agents.recognizer.rule import Rule
from agents.recognizer.tracks import Tracks
from agents.recognizer.vision.engine import Engine
from agents.recognizer.vision.found import Pixels
from benchmarks.encoded import encoder

RATE_FPS = 10.0
PHOTOS, SHARE = 5, 0.25
NAME = "the person in the clip"


@dataclass(frozen=True)
class Frame:
    """One face of a frame: its own encoding, at length 1, and the mean of its track's last second."""

    alone: Encoding
    together: Encoding


def pictures(clip: Path) -> Iterator[tuple[float, Pixels]]:
    """Time in seconds and RGB picture, at most RATE_FPS of them a second."""
    video = cv2.VideoCapture(str(clip))
    fps = video.get(cv2.CAP_PROP_FPS) or RATE_FPS
    step, number = max(1, round(fps / RATE_FPS)), 0
    while True:
        more, image = video.read()
        if not more:
            return
        if number % step == 0:
            yield number / fps, np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)
        number += 1


def frames(clip: Path, engine: Engine) -> list[Frame]:
    """Of every frame with exactly one face."""
    tracks, found = Tracks(Rule().threshold), []
    for at_s, image in pictures(clip):
        seen = engine.look(image)
        followed = tracks.follow(seen, at_s)
        if len(seen) == 1:
            found.append(Frame(unit(seen[0].encoding[None])[0], followed[0].mean))
    return found


def people(folder: Path) -> Enrolled:
    """The first photos of everybody in `known`."""
    encode = encoder()
    folders = sorted((folder / "known").iterdir())
    photos = [photo for person in folders for photo in sorted(person.glob("*.jpg"))[:PHOTOS]]
    found = [(photo.parent.name, encode(photo)) for photo in photos]
    good = [(name, photo.mirrored) for name, photo in found if photo.found]
    return Enrolled(tuple(name for name, _ in good), np.array([encoding for _, encoding in good]))


def figures(found: Sequence[Frame], others: Enrolled) -> dict[str, Any]:
    """What a clip's frames are as somebody enrolled, and as a stranger."""
    early = max(PHOTOS, round(SHARE * len(found)))
    chosen = [found[i].alone for i in np.linspace(0, early - 1, PHOTOS).round().astype(int)]
    enrolled = Enrolled((*others.names, *[NAME] * PHOTOS), np.concatenate([others.encodings, chosen]))
    known, stranger = Matcher(enrolled, Rule()), Matcher(others, Rule())
    result: dict[str, Any] = {"frames": len(found)}
    for how in ("alone", "together"):
        later = [known.match_mean(getattr(frame, how)) for frame in found[early:]]
        strange = [stranger.match_mean(getattr(frame, how)) for frame in found]
        result[how] = {
            "recognized_percent": _percent([match.person == NAME for match in later]),
            "let_in_percent": _percent([match.person is not None for match in strange]),
            "nearest": round(min(_score(match) for match in strange), 3),
        }
    return result


def _percent(hits: Sequence[bool]) -> float:
    return round(100 * sum(hits) / max(1, len(hits)), 1)


def _score(match: Match) -> float:
    return float("inf") if match.distance is None else Rule().score(match.distance, match.margin)


def table(found: dict[str, Any]) -> str:
    heads = ("recognized_percent", "let_in_percent", "nearest")
    lines = [f"{found['people']} other people enrolled; on {found['machine']}", "", f"{'':<44}{'recognized':>22}"]
    lines[-1] += f"{'let in as a stranger':>22}{'nearest':>18}"
    lines.append(f"{'':<36}{'frames':>8}" + f"{'alone':>11}{'together':>11}" * 2 + f"{'alone':>9}{'together':>9}")
    for clip, row in found["clips"].items():
        percents = [f"{row[how][head]:>9.1f} %" for head in heads[:2] for how in ("alone", "together")]
        nearest = [f"{row[how]['nearest']:>9.3f}" for how in ("alone", "together")]
        lines.append(f"{clip[-36:]:<36}{row['frames']:>8}" + "".join(percents + nearest))
    return "\n".join(lines)


def measure(folder: Path, clips: Sequence[Path]) -> dict[str, Any]:
    engine = Engine(RecognizerSettings(min_face_px=40), Path())
    others = people(folder)
    return {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "people": len(set(others.names)),
        "clips": {clip.name: figures(frames(clip, engine), others) for clip in clips},
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", metavar="FOLDER", type=Path)
    parser.add_argument("clips", metavar="CLIP", type=Path, nargs="+")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    args = parser.parse_args()
    found = measure(args.folder, args.clips)
    print(json.dumps(found) if args.json else table(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
