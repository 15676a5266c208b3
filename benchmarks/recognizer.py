"""What recognizing a face costs, step by step, beside `face_recognition` on the same frames in the same run.

Frames are 640×360 JPEGs of the demo's visit, one face in each. The whole frame is timed from JPEG to
identity, in a row as a camera sends them, and each as if it were the first. `face_recognition` is given
the decoded picture: its own two calls, with their defaults. All figures are medians, and what is compared
takes turns, frame by frame.

Then a whole house: what an empty hallway costs (see benchmarks/idle.py), and how old the frame behind
each identity is while the recognizer is far too slow for its camera.

Targets (--check):

    whole_frame_times >= 12            as fast as face_recognition's two calls
    encoding_times >= 15               as fast as dlib's encoding of one chip
    idle.cpu_percent <= 5              of one core: broker and four agents, nobody there
    idle.pss_mb <= 500                 the same
    ms.compare with 10,000 people <= 5
    behind.over_ms <= 0                the oldest frame, beyond one processing time and one frame interval;
                                       a frame's processing is its way (JPEG, broker) and the recognizer's turn

    .venv/bin/python benchmarks/recognizer.py [--rounds 40] [--alone] [--json] [--check]
"""

from __future__ import annotations

import bisect
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from agents.cli.listen import listening
from agents.recognizer.config import RecognizerSettings
from agents.recognizer.matcher import NOBODY_ENROLLED, Enrolled, Matcher
from agents.recognizer.rule import Rule
from agents.recognizer.sight import Sight
from agents.recognizer.vision.converted import cache_folder
from agents.recognizer.vision.dlib_faces import Reference
from agents.recognizer.vision.engine import Engine
from agents.recognizer.vision.found import Pixels
from agents.recognizer.vision.manifest import shipped
from agents.recognizer.vision.models import Models
from agents.runtime.clock import Clock
from agents.runtime.events import Message, Subscription
from agents.wire.identity import Identity
from agents.wire.stamp import Stamp
from agents.wire.topics import FRAME, IDENTITY
from benchmarks import idle, report
from demo import scenes
from demo.house import Tuning, temporary_house
from demo.photos import photos

TARGETS_AT_LEAST = {"whole_frame_times": 12.0, "encoding_times": 15.0}
TARGETS_AT_MOST = {
    "ms.compare with 10,000 people": 5.0,
    "idle.cpu_percent": 5.0,
    "idle.pss_mb": 500.0,
    "behind.over_ms": 0.0,
}
FRAME_S = 1 / 15
SLOW = "\nrecognizer: { detector: hog, upsample: 2 }\n"  # dlib on a picture of 16 times the size
BEHIND_S, BEHIND_FPS = 20.0, 30.0

Times = dict[str, list[float]]


def frames(folder: Path) -> list[bytes]:
    """JPEGs of one man before the camera, standing there."""
    scenes.visit(folder, [photos(_progress)["obama3.jpg"]], count=16)
    return [path.read_bytes() for path in sorted(folder.iterdir())][scenes.arriving(16) :]


class Steps:
    """Everything that is timed, on one frame after the other."""

    def __init__(self) -> None:
        self.engine = Engine(RecognizerSettings(), Path())
        self.engine.warm_up()
        self.sight = self._sight()
        self._dlib = Reference(Models(shipped(), Path()).path("dlib-resnet"))
        self._opencv, self._crowd = _in_opencv(), _crowd(10_000)
        self._clock, self._seq = Clock(trusted=True), 0
        self.times: Times = {}

    def one_frame(self, jpeg: bytes) -> None:
        import face_recognition  # here, because it loads its models when imported

        image = _rgb(jpeg)
        self._time("face_recognition's two calls", lambda: _their_encodings(face_recognition, image))
        self._time("whole frame, following", lambda: self._see(self.sight, jpeg))
        self._time("whole frame, the first", lambda: self._see(self._sight(), jpeg))
        self._time("  decode", lambda: _rgb(jpeg))
        self._time("  find, everywhere", lambda: self.engine.find(image))
        face = self.engine.find(image)[0]
        self._time("  landmarks and chip", lambda: self.engine.chip(image, face))
        chip = self.engine.chip(image, face)
        self._time("  encode, with its mirror image", lambda: self.engine.encode([chip]))
        self._encodings(chip[None])

    def _encodings(self, chip: Pixels) -> None:
        network = self.engine.network
        self._time("one chip, dlib", lambda: self._dlib.run(chip))
        self._time("one chip, onnxruntime", lambda: network.run(chip))
        self._time("one chip, cv2.dnn", lambda: self._opencv(chip))
        encoding = self.engine.encode(list(chip))[0]
        self._time("compare with 10,000 people", lambda: self._crowd.match(encoding))

    def _sight(self) -> Sight:
        return Sight(self.engine, Matcher(NOBODY_ENROLLED, Rule()), 12_000_000)

    def _see(self, sight: Sight, jpeg: bytes) -> None:
        """Told to come one after the other, as a camera's do."""
        self._seq += 1
        now = self._clock.now()
        found = sight.see("front", jpeg, Stamp(now.utc, self._seq), now).identity
        if len(found.faces) != 1:
            raise SystemExit(f"{len(found.faces)} faces were found where there is one")

    def _time(self, name: str, run: Callable[[], object]) -> None:
        began = time.perf_counter()
        run()
        self.times.setdefault(name, []).append((time.perf_counter() - began) * 1000)


def _rgb(jpeg: bytes) -> Pixels:
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR_RGB)
    assert picture is not None
    return np.asarray(picture, np.uint8)


def _their_encodings(face_recognition: Any, image: Pixels) -> None:
    face_recognition.face_encodings(image, face_recognition.face_locations(image))


def _crowd(people: int) -> Matcher:
    """People of whom nobody took a photo, five of each."""
    encodings = np.random.default_rng(0).standard_normal((5 * people, 128))
    return Matcher(Enrolled(tuple(f"{i // 5}" for i in range(5 * people)), encodings), Rule())


def _in_opencv() -> Callable[[Pixels], object]:
    """The same network, run by OpenCV."""
    net = cv2.dnn.readNetFromONNX(str(next(cache_folder().glob("*.onnx"))))

    def run(chip: Pixels) -> object:
        net.setInput(chip)
        return net.forward()

    return run


@dataclass
class Told:
    """What a house told: (captured, heard) of its frames and of its identities, in UTC seconds."""

    frames: list[tuple[float, float]] = field(default_factory=list)
    identities: list[tuple[float, float]] = field(default_factory=list)

    def note(self, message: Message) -> None:
        if message.topic is FRAME:
            stamp = Stamp.of(message.properties)
            assert stamp is not None
            self.frames.append((stamp.captured_at, message.received_at))
        elif (identity := Identity.decode(message.payload)).faces:
            self.identities.append((identity.captured_at, message.received_at))


def behind() -> dict[str, float]:
    """A house whose recognizer is far too slow for its camera: how old is what it tells?"""
    told, until = Told(), None
    with temporary_house(photos(_progress), _progress, Tuning(rate_fps=BEHIND_FPS)) as house:
        house.config.write_text(house.config.read_text() + SLOW)
        house.show("known")
        topics = [Subscription(IDENTITY, ("front",)), Subscription(FRAME, ("front",))]
        with house.running(), listening(house.settings, house.folder, "watch", topics, 30.0) as (_, inbox):
            while until is None or time.monotonic() < until:
                event = inbox.get(1.0)
                if isinstance(event, Message):
                    told.note(event)
                if until is None and told.identities:
                    until = time.monotonic() + BEHIND_S
    return ages(told)


def ages(told: Told) -> dict[str, float]:
    """How old the frame behind each identity was when that was heard, and by how much the oldest was over.

    When the recognizer turned to a frame the next one was not there yet. So a frame's age is at most
    its way to the recognizer, the interval to the next frame, and the turn, which is not longer than
    the time since the identity before.
    """
    captured = sorted(at for at, _ in told.frames)
    way_s = statistics.median(heard - at for at, heard in told.frames)
    turns, ages_s, overs = [], [], []
    for (_, before), (at, heard) in pairwise(told.identities):
        following = bisect.bisect_right(captured, at)
        if following < len(captured):
            turns.append(heard - before)
            ages_s.append(heard - at)
            overs.append(heard - at - turns[-1] - way_s - (captured[following] - at))
    if len(overs) < 5:
        raise SystemExit(f"only {len(overs)} identities came in {BEHIND_S:g} s")
    return {
        "identities_a_second": round(1 / statistics.median(turns), 2),
        "way_ms_median": round(1000 * way_s, 1),
        "turn_ms_median": round(1000 * statistics.median(turns), 1),
        "age_ms_median": round(1000 * statistics.median(ages_s), 1),
        "age_ms_longest": round(1000 * max(ages_s), 1),
        "over_ms": round(1000 * max(overs), 1),
    }


def measure(rounds: int, alone: bool) -> dict[str, Any]:
    """`alone`: without a house around it."""
    with tempfile.TemporaryDirectory(prefix="facelatch-") as folder:
        steps, pictures = Steps(), frames(Path(folder))
        for i in range(rounds + 1):
            _progress(f"frame {i} of {rounds}" if i else "warming up")
            steps.one_frame(pictures[i % len(pictures)])
    found = summary({name: times[1:] for name, times in steps.times.items()})
    if not alone:
        quiet = idle.measure(30, 20)
        found["idle"] = {name: quiet[name] for name in ("cpu_percent", "pss_mb")}
        _progress("a recognizer that is far too slow")
        found["behind"] = behind()
    return found


def summary(times: Times) -> dict[str, Any]:
    ms = {name: round(statistics.median(values), 2) for name, values in times.items()}
    return {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "rounds": len(next(iter(times.values()))),
        "ms": ms,
        "whole_frame_times": round(ms["face_recognition's two calls"] / ms["whole frame, following"], 1),
        "first_frame_times": round(ms["face_recognition's two calls"] / ms["whole frame, the first"], 1),
        "encoding_times": round(ms["one chip, dlib"] / ms["one chip, onnxruntime"], 1),
    }


def table(found: dict[str, Any]) -> str:
    lines = [f"medians of {found['rounds']} frames, on {found['machine']}", "", f"{'milliseconds':<40}"]
    lines += [f"{name:<40}{value:>9.2f}" for name, value in found["ms"].items()]
    lines += ["", f"{'times as fast':<40}"]
    for name in ("whole_frame_times", "first_frame_times", "encoding_times"):
        lines.append(f"{name.removesuffix('_times').replace('_', ' '):<40}{found[name]:>9.1f}")
    for part in ("idle", "behind"):
        lines += [""] + [f"{part}: {name:<34}{value:>9}" for name, value in found.get(part, {}).items()]
    return "\n".join(lines)


def missed_targets(found: dict[str, Any]) -> list[str]:
    """One line for each figure on the wrong side of its target; what was not measured is none."""
    missed = []
    for name, limit in {**TARGETS_AT_LEAST, **TARGETS_AT_MOST}.items():
        part, _, key = name.rpartition(".")
        value = (found.get(part, {}) if part else found).get(key)
        if value is not None and (value < limit if name in TARGETS_AT_LEAST else value > limit):
            missed.append(f"{name} is {value}, the target is {limit:g}")
    return missed


def _progress(what: str) -> None:
    print(f"recognizer: {what} ...", file=sys.stderr, flush=True)


def main() -> int:
    parser = report.parser(__doc__)
    parser.add_argument("--rounds", type=int, default=40, help="frames to time (default: 40)")
    parser.add_argument("--alone", action="store_true", help="only the steps, without a house")
    args = parser.parse_args()
    found = measure(args.rounds, args.alone)
    return report.finish(args, found, table(found), missed_targets(found))


if __name__ == "__main__":
    sys.exit(main())
