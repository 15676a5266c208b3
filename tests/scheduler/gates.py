"""A gate with cameras and time in the test's hands, and rules that say what the test says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from agents.runtime.clock import Now
from agents.scheduler.challenges import Asks
from agents.scheduler.config import DoorPolicy, Evidence, SchedulerSettings
from agents.scheduler.core import Effect, Gate
from agents.scheduler.liveness_config import ChallengeTexts
from agents.scheduler.liveness_config import Liveness as LivenessPolicy
from agents.scheduler.rules import Rules, Ruling
from agents.scheduler.standing import Standing
from agents.wire.identity import Box, Face, Identity
from agents.wire.liveness import Challenge, HeadAction, Liveness, Verdict
from agents.wire.messages import BadMessage, Grant, Refusal
from agents.wire.scheduling import Answer, Decision, LetInOrder, Question, YesNo
from agents.wire.why import Why

ZAGREB = ZoneInfo("Europe/Zagreb")
FRIDAY_NOON = datetime(2027, 1, 15, 12, 0, tzinfo=ZAGREB)
SESSION = "session-now"
STRANGER = None
PEOPLE = "everybody, mon-fri 07:00 to 19:00"
Told = tuple[str | None, Why]


ALIVE = Liveness(verdict=Verdict.LIVE, frames=9, texture=0.98)


def face(
    person: str | None, distance: float = 0.3, track: int | None = None, liveness: Liveness | None = ALIVE
) -> Face:
    box = Box(left=0, top=0, width=100, height=100)
    return Face(person=person, distance=distance, margin=0.1, box=box, sharpness=50.0, track=track, liveness=liveness)


class Loaded:
    """Chance, in the test's hands."""

    def __init__(self) -> None:
        self.next, self.count = HeadAction.TURN_LEFT, 0

    def action(self, actions: Sequence[HeadAction]) -> HeadAction:
        assert self.next in actions
        return self.next

    def word(self) -> str:
        self.count += 1
        return f"challenge-{self.count}"


def rules_of(policy: dict[str, Any], **more: Any) -> Rules:
    """Real rules, of a house with the door `front`."""
    doors = {"front": {"cameras": ["front", "back"], **policy}}
    return Rules(
        SchedulerSettings.model_validate({"timezone": "Europe/Zagreb", "doors": doors, **more}), lambda _: None
    )


class SaidRules(Rules):
    """Let everybody in on the door's evidence, unless the test says otherwise of a person."""

    def __init__(self, evidence: Evidence, liveness: LivenessPolicy) -> None:
        self.evidence, self.liveness = evidence, liveness
        self.against: dict[str, Why] = {}
        self.asking = False
        self.closed = False

    def judge(self, door: str, person: str, utc: float) -> Ruling:
        why = Why.OUTSIDE_WINDOW if self.closed else self.against.get(person)
        place = ("doors", door, "windows", 0)
        return Ruling(why, PEOPLE, place, self.evidence, self.liveness, self.asking and why is None)

    def is_open(self, door: str, utc: float) -> bool:
        return not self.closed


class Scene:
    """A gate, cameras that number their frames, and time. What the gate did piles up in `effects`."""

    def __init__(
        self, begins: datetime = FRIDAY_NOON, rules: Rules | None = None, asking: bool = False, **policy: Any
    ) -> None:
        self.policy = DoorPolicy.model_validate({"cameras": ["front", "back"], **policy})
        self.rules = SaidRules(self.policy.evidence, self.policy.liveness)
        self.rules.asking = asking
        self.chance = Loaded()
        asks = Asks(self.chance, ChallengeTexts())
        self.gate = Gate("front", self.policy, rules or self.rules, asks)
        self.gate.session = SESSION
        self.utc, self.mono, self.seq, self.utc_is_set = begins.timestamp(), 5000.0, 0, True
        self.effects: list[Effect] = []

    @property
    def now(self) -> Now:
        return Now(self.utc, self.mono, self.utc_is_set)

    def wait(self, s: float) -> None:
        self.utc += s
        self.mono += s

    def frame(self, *people: str | Face | None, camera: str = "front", age_s: float = 0.0) -> Identity:
        """The next frame of a camera, captured `age_s` ago."""
        self.seq += 1
        faces = tuple(p if isinstance(p, Face) else face(p) for p in people)
        captured_at = self.utc - age_s
        return Identity(id=f"{camera}:{self.seq}", camera=camera, captured_at=captured_at, seq=self.seq, faces=faces)

    def deliver(self, identity: Identity) -> Sequence[Effect]:
        return self.note(self.gate.seen(identity, self.now))

    def see(self, *people: str | Face | None, camera: str = "front", age_s: float = 0.0) -> Sequence[Effect]:
        """A frame arrives, a tenth of a second after the one before."""
        self.wait(0.1)
        return self.deliver(self.frame(*people, camera=camera, age_s=age_s))

    def watch(self, *people: str | Face | None, frames: int = 2, camera: str = "front") -> None:
        for _ in range(frames):
            self.see(*people, camera=camera)

    def stay(self, s: float, *people: str | Face | None) -> None:
        """They stand there for so long."""
        for _ in range(round(s * 10)):
            self.see(*people)
            self.tick()

    def tick(self) -> Sequence[Effect]:
        return self.note(self.gate.tick(self.now))

    def leave(self, s: float = 2.1) -> Sequence[Effect]:
        self.wait(s)
        return self.tick()

    def note(self, effects: list[Effect]) -> Sequence[Effect]:
        self.effects += effects
        return effects

    def answer(
        self, answer: str, id_: str | None = None, source: str | None = None, ts: float | None = None
    ) -> Sequence[Effect]:
        """Raises BadMessage."""
        return self.note(self.gate.answer(Answer(answer=YesNo(answer), id=id_, source=source, ts=ts), self.now))

    def refused(self, answer: str, id_: str | None = None, ts: float | None = None) -> str:
        """What is said of an answer that comes too late, too soon or to no question."""
        with pytest.raises(BadMessage) as error:
            self.answer(answer, id_, ts=ts)
        assert error.value.refusal is Refusal.STALE
        return str(error.value)

    def switch(self, on: bool) -> None:
        self.gate.standing = self.gate.standing.switch("front", on)

    def away(self, on: bool = True) -> None:
        self.gate.standing = self.gate.standing.switch_away(on)

    def admit(self, person: str, for_s: float = 3600.0, source: str | None = None) -> None:
        order = LetInOrder(person=person, until=self.utc + for_s, source=source)
        self.gate.standing = self.standing.admit("front", order, Now(self.utc, self.mono), ZAGREB)

    @property
    def standing(self) -> Standing:
        return self.gate.standing

    @property
    def decisions(self) -> list[Decision]:
        return [e for e in self.effects if isinstance(e, Decision)]

    @property
    def questions(self) -> list[Question]:
        return [e for e in self.effects if isinstance(e, Question)]

    @property
    def challenges(self) -> list[Challenge]:
        return [e for e in self.effects if isinstance(e, Challenge)]

    @property
    def grants(self) -> list[Grant]:
        return [e for e in self.effects if isinstance(e, Grant)]

    @property
    def told(self) -> list[Told]:
        return [(decision.person, decision.reason) for decision in self.decisions]

    @property
    def let_in(self) -> list[str]:
        return [grant.person for grant in self.grants]


def asked(**policy: Any) -> Scene:
    """Ana stands before a door where somebody has to agree, and was just asked about."""
    scene = Scene(asking=True, **policy)
    scene.watch("Ana")
    return scene
