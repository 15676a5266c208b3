"""What a door makes of a clip: what the recognizer sees in it, and what the scheduler decides on that.

Finding, following, measuring and deciding are the agents' own code. Only who it is, is not asked: every face is
taken for the one person who may come in, so that liveness alone decides.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from agents.recognizer.config import RecognizerSettings
from agents.recognizer.core import Seen, choose
from agents.recognizer.liveness.look import Look
from agents.recognizer.tracks import Tracks
from agents.recognizer.vision.engine import Engine, sharpness
from agents.recognizer.vision.found import Pixels
from agents.runtime.clock import Now
from agents.scheduler.challenges import Asks
from agents.scheduler.config import SchedulerSettings
from agents.scheduler.core import Effect, Gate
from agents.scheduler.liveness_config import ChallengeTexts
from agents.scheduler.rules import Rules
from agents.wire.identity import Face, Identity
from agents.wire.liveness import Challenge, HeadAction
from agents.wire.messages import Grant
from agents.wire.scheduling import Decision

SOMEBODY = "somebody"
T0, MONO = 1_800_000_000.0, 1000.0
MIN_FACE_PX = 60
ANYBODY = np.ones(4)  # in place of an encoding


@dataclass(frozen=True)
class Glance:
    """A frame's largest face, if it has one. `at_s` counts from the clip's start."""

    at_s: float
    seen: Seen | None = None
    look: Look | None = None


class Eye:
    """The recognizer's eyes. `cost_ms` is what liveness took of each frame with a face."""

    def __init__(self, data: Path) -> None:
        self._engine = Engine(RecognizerSettings(), Path(), data)
        self._engine.warm_up()
        self.tells_liveness = self._engine.tells_liveness
        self.cost_ms: list[float] = []

    def watch(self, frames: Iterable[tuple[float, Any]]) -> list[Glance]:
        """From BGR pictures and their times."""
        found: list[Glance] = []
        before: Pixels | None = None
        for at_s, picture in frames:
            image = np.ascontiguousarray(picture[..., ::-1])
            found.append(self._glance(image, before, at_s))
            before = image
        return found

    def _glance(self, image: Pixels, before: Pixels | None, at_s: float) -> Glance:
        faces = choose(self._engine.find(image), MIN_FACE_PX)
        if not faces:
            return Glance(at_s)
        face = faces[0]
        seen = Seen(face.box, face.outline, ANYBODY, sharpness(self._engine.chip(image, face)))
        started = time.perf_counter()
        look = self._engine.examine(image, before, seen, at_s)
        self.cost_ms.append((time.perf_counter() - started) * 1000)
        return Glance(at_s, seen, look)


@dataclass
class Drawn:
    """Chance that draws as the scheduler's does, but the same each time; or always `wanted`."""

    seed: int
    wanted: HeadAction | None = None
    _random: random.Random = field(init=False)
    _count: int = 0

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311 - a benchmark is to be repeatable

    def action(self, actions: Sequence[HeadAction]) -> HeadAction:
        return self.wanted or self._random.choice(list(actions))

    def word(self) -> str:
        self._count += 1
        return f"challenge-{self._count}"


def decide(glances: Sequence[Glance], liveness: dict[str, Any], chance: Drawn) -> str:
    """`granted`, or why not, of a door with this policy of liveness."""
    gate, tracks = _gate(liveness, chance), Tracks(other_face=1.0)
    effects: list[Effect] = []
    now = _now(0.0)
    for seq, glance in enumerate(glances):
        now = _now(glance.at_s)
        identity = Identity(
            id=f"f{seq}", camera="front", captured_at=now.utc, seq=seq, faces=_faces(glance, tracks, now)
        )
        new = [*gate.seen(identity, now), *gate.tick(now)]
        if any(isinstance(effect, Grant) for effect in new):
            return "granted"
        _ask(new, tracks, now)
        effects += new
    effects += gate.stop(now)
    reasons = [effect.reason.value for effect in effects if isinstance(effect, Decision)]
    return reasons[-1] if reasons else "nobody"


def _now(at_s: float) -> Now:
    return Now(T0 + at_s, MONO + at_s, True)


def _ask(effects: Sequence[Effect], tracks: Tracks, now: Now) -> None:
    for challenge in effects:
        if isinstance(challenge, Challenge) and (track := tracks.find(challenge.track, now.mono)) is not None:
            track.lifesigns.ask(challenge, now.mono)


def _faces(glance: Glance, tracks: Tracks, now: Now) -> tuple[Face, ...]:
    if glance.seen is None or glance.look is None:
        tracks.follow([], now.mono)
        return ()
    (track,) = tracks.follow([glance.seen], now.mono)
    look = Look(now.mono, glance.look.texture, glance.look.shape, glance.look.motion, glance.look.doubt)
    return (
        Face(
            person=SOMEBODY,
            distance=0.1,
            margin=None,
            box=glance.seen.box,
            sharpness=glance.seen.sharpness,
            liveness=track.lifesigns.add(look),
            track=track.number,
        ),
    )


def _gate(liveness: dict[str, Any], chance: Drawn) -> Gate:
    always = [{"who": "everybody", "days": "mon-sun", "from": "00:00", "to": "24:00"}]
    door = {"cameras": ["front"], "windows": always, "liveness": liveness, "lock_out": None}
    settings = SchedulerSettings.model_validate({"timezone": "UTC", "doors": {"front": door}})
    gate = Gate("front", settings.doors["front"], Rules(settings, lambda _: None), Asks(chance, ChallengeTexts()))
    gate.session = "session"
    return gate
