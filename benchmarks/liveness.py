"""Presentation attack detection: pictures of faces, and faces, shown to a door, in the terms of ISO/IEC 30107-3.

    APCER   of the attacks of one species (presentation attack instrument), those that were let in
    BPCER   of the bona fide presentations, those that were not
    each with how many there were, and the 95 % interval after Wilson, as if they were independent

A presentation is some seconds before the camera, ten frames each, and it counts as let in if the door opens at
any moment of it, with two chances where an action is asked for. Measured three times: `passive` (nobody is asked
for anything), `challenge` (everybody is), and `no networks` (the default of a house that has not installed them:
who is not a spoof already is asked).

People: the clips of demo.clips, five seconds at a time at several sizes and lights; for the challenge those
moments in which they turn or nod (found by looking at the clips), also mirrored, each asked for just that, as
somebody who does what he is asked for. Attacks are made from the same clips (benchmarks/attacks.py), each asked
for an action drawn by chance.

FOLDER holds clips of your own, in live/ and attack/KIND/; they are measured beside, each kind as its own.

    .venv/bin/python benchmarks/liveness.py [FOLDER…] [--data DIR] [--count N] [--json] [--check]
"""

from __future__ import annotations

import os
import platform
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from agents.recognizer.errors import ModelError
from agents.wire.liveness import HeadAction
from benchmarks import report
from benchmarks.attacks import KINDS, attacks
from benchmarks.bona_fide import live
from benchmarks.clips import Clip, ClipError, of_user, shipped
from benchmarks.rates import Rate
from benchmarks.verdicts import Drawn, Eye, Glance, decide
from demo.clips import ClipsError

LEFT, RIGHT, NOD = HeadAction.TURN_LEFT, HeadAction.TURN_RIGHT, HeadAction.NOD
OPPOSITE = {LEFT: RIGHT, RIGHT: LEFT, NOD: NOD}
ACTS = (  # by eye: a clip's moment from rest to the end of what somebody does
    ("cap12_edit", 18.0, 21.0, RIGHT), ("cap12_edit", 36.6, 39.2, RIGHT), ("cap13_edit2", 18.6, 21.2, LEFT),
    ("franck", 43.2, 46.2, LEFT), ("franck", 56.0, 58.4, LEFT), ("franck", 71.0, 73.6, RIGHT),
    ("franck", 99.0, 102.0, NOD), ("franck", 157.4, 160.2, NOD), ("franck", 165.6, 168.4, NOD),
)  # fmt: skip
SIZES = (1.0, 0.8)
NO_NETWORKS = "no networks"
POLICIES: dict[str, dict[str, Any]] = {
    "passive": {"challenge": "never"},
    "challenge": {"challenge": "always"},
    NO_NETWORKS: {},
}
TARGETS = {"passive": (0.05, 0.05), "challenge": (0.01, 0.05)}  # APCER of each kind, BPCER
TARGET_MS = 8.0
LIVE = "live"


@dataclass(frozen=True)
class Presentation:
    """`wanted` is what a person does who was asked for it; None: whatever comes."""

    kind: str
    name: str
    glances: list[Glance]
    wanted: HeadAction | None = None


def people(eye: Eye, clips: Sequence[Clip], count: int) -> Iterator[Presentation]:
    """`count` bona fide presentations of each clip, for the passive check."""
    for seed, clip in enumerate(clips):
        for one in live(clip, count, seed):
            yield Presentation(LIVE, one.name, eye.watch(one.frames()))


def obedient(eye: Eye, clips: Sequence[Clip]) -> Iterator[Presentation]:
    """People who do what they are asked for."""
    by_name = {clip.name: clip for clip in clips}
    for name, start_s, end_s, action in ACTS:
        frames = list(by_name[name].frames(start_s=start_s, length_s=end_s - start_s))
        for size in SIZES:
            for mirrored in (False, True):
                shown = [(at_s, _smaller(p[:, ::-1] if mirrored else p, size)) for at_s, p in frames]
                wanted = OPPOSITE[action] if mirrored else action
                yield Presentation(LIVE, f"{name} {start_s} s", eye.watch(shown), wanted)


def attacked(eye: Eye, clips: Sequence[Clip], count: int) -> Iterator[Presentation]:
    """`count` attacks of each kind from each clip."""
    for kind in KINDS:
        for seed, clip in enumerate(clips):
            for attack in attacks(kind, clip, count, seed):
                yield Presentation(kind, attack.name, eye.watch(attack.frames()))


def given(eye: Eye, folder: Path) -> Iterator[Presentation]:
    """The user's own. Raises ClipError."""
    alive, attack = of_user(folder)
    for kind, clips in {LIVE: alive, **attack}.items():
        for clip in clips:
            yield Presentation(f"{folder.name}: {kind}", clip.name, eye.watch(islice(clip.frames(), 300)))


def _smaller(picture: Any, size: float) -> Any:
    """Farther away: the same picture smaller, in its own colours at the edge."""
    if size == 1.0:
        return np.ascontiguousarray(picture)
    small = cv2.resize(np.ascontiguousarray(picture), None, fx=size, fy=size, interpolation=cv2.INTER_AREA)
    height, width = ((n - m) // 2 for n, m in zip(picture.shape[:2], small.shape[:2], strict=True))
    return cv2.copyMakeBorder(small, height, height, width, width, cv2.BORDER_REPLICATE)


Found = dict[str, list[tuple[Presentation, str]]]
"""By kind: what was presented, and what the door decided."""


def outcomes(shown: Sequence[Presentation], policy: str) -> Found:
    found: Found = defaultdict(list)
    for seed, one in enumerate(shown):
        glances = [_blind(glance) for glance in one.glances] if policy == NO_NETWORKS else one.glances
        found[one.kind].append((one, decide(glances, POLICIES[policy], Drawn(seed, one.wanted))))
    return found


def _blind(glance: Glance) -> Glance:
    """As seen without networks."""
    return glance if glance.look is None else replace(glance, look=replace(glance.look, texture=None))


def measure(eye: Eye, folders: Sequence[Path], count: int) -> dict[str, Any]:
    """All figures. Raises ClipError, ClipsError."""
    clips = shipped()
    here, does = list(people(eye, clips, 4 * count)), list(obedient(eye, clips))
    spoofs = list(attacked(eye, clips, count))
    own = [one for folder in folders for one in given(eye, folder)]
    policies = list(POLICIES) if eye.tells_liveness else [NO_NETWORKS]
    rates = {}
    for policy in policies:
        shown = [*(here if policy == "passive" else does), *spoofs, *own]
        rates[policy] = {kind: _rate(kind, found) for kind, found in outcomes(shown, policy).items()}
    cost = sorted(eye.cost_ms)
    return {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "rates": rates,
        "cost_ms": {"p50": round(median(cost), 2), "p95": round(cost[int(0.95 * len(cost))], 2), "n": len(cost)},
    }


def _rate(kind: str, found: Sequence[tuple[Presentation, str]]) -> dict[str, Any]:
    bona_fide = kind == LIVE or kind.endswith(f": {LIVE}")
    wrong = [f"{one.name}: {reason}" for one, reason in found if (reason == "granted") is not bona_fide]
    error = "BPCER" if bona_fide else "APCER"
    return {"error": error, **Rate(len(wrong), len(found)).figures(), "wrong_ones": wrong[:20]}


def table(figures: dict[str, Any]) -> str:
    """A row a kind, a column a policy."""
    rates = figures["rates"]
    lines = ["".join([f"{'':24}", *(f"{policy:>34}" for policy in rates)])]
    for kind in dict.fromkeys(kind for policy in rates.values() for kind in policy):
        cells = (_cell(policy.get(kind)) for policy in rates.values())
        lines.append("".join([f"{kind:24}", *(f"{cell:>34}" for cell in cells)]))
    cost = figures["cost_ms"]
    lines.append(f"liveness took {cost['p50']} ms a frame with a face (p50), {cost['p95']} (p95), of {cost['n']}")
    return "\n".join(lines)


def _cell(rate: dict[str, Any] | None) -> str:
    return "" if rate is None else str(Rate(rate["wrong"], rate["presentations"]))


def missed(figures: dict[str, Any]) -> list[str]:
    found = []
    for policy, (apcer, bpcer) in TARGETS.items():
        for kind, one in figures["rates"].get(policy, {}).items():
            most, share = (bpcer if one["error"] == "BPCER" else apcer), one["wrong"] / one["presentations"]
            if share > most:
                found.append(f"{policy}: {one['error']} of {kind} is {share:.1%}, at most {most:.0%}")
    if figures["cost_ms"]["p50"] > TARGET_MS:
        found.append(f"liveness takes {figures['cost_ms']['p50']} ms a frame, at most {TARGET_MS:g}")
    return found


def main() -> int:
    parser = report.parser(__doc__)
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER", help="with live/ and attack/KIND/ in it")
    parser.add_argument(
        "--data", type=Path, default=Path("data"), help="of a house that has the networks (default: data)"
    )
    parser.add_argument("--count", type=int, default=4, help="attacks of each kind from each clip (default: 4)")
    args = parser.parse_args()
    try:
        figures = measure(Eye(args.data), args.folders, args.count)
    except (ClipError, ClipsError, ModelError) as error:
        print(f"liveness: {error}", file=sys.stderr)
        return 2
    return report.finish(args, figures, table(figures), missed(figures))


if __name__ == "__main__":
    sys.exit(main())
