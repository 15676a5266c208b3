"""A street in which anything may happen, and what must be true of a door there whatever does.

All that is checked here comes from what was delivered and said, not from the gate's own book-keeping.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from agents.scheduler.core import Effect
from agents.wire.identity import Identity
from agents.wire.messages import BadMessage, Grant, Outcome
from agents.wire.scheduling import Decision, Question
from agents.wire.why import Why
from tests.scheduler.gates import Scene

STRANGE = (Why.UNKNOWN_PERSON, Why.NOT_CONFIRMED)
CLOSING = (Why.CONFIRMED, Why.DECLINED, Why.UNANSWERED)  # nothing is decided after these while they stay
Stay = tuple[str, str | None, int]


@dataclass
class LockOutModel:
    """One camera's: 3 s after 2 strangers within 20 s, then 6 s, at most 8 s; 8 s after the last, 3 s again."""

    strangers: list[float] = field(default_factory=list)
    until: float = 0.0
    rounds: int = 0

    def stranger(self, at: float) -> None:
        if at >= self.until:
            self.strangers = [*(before for before in self.strangers if at - before <= 20.0), at]
        if len(self.strangers) == 2:
            self.rounds = 0 if at - self.until > 8.0 else self.rounds
            self.until, self.strangers = at + min(8.0, 3.0 * 2.0**self.rounds), []
            self.rounds += 1


class Street(Scene):
    LOCK_OUT = {"after": 2, "within_s": 20.0, "for_s": 3.0, "at_most_s": 8.0}

    def __init__(self, **policy: Any) -> None:
        super().__init__(**{"lock_out": self.LOCK_OUT, **policy})
        self.delivered: dict[str, Identity] = {}
        self.counted: dict[str, list[tuple[Identity, float]]] = defaultdict(list)  # with faces, fresh and new; when
        self.newest: dict[str, tuple[float, int]] = {}
        self.held: list[Identity] = []
        self.granted: list[tuple[Grant, str, float]] = []  # camera, when
        self.stays: dict[tuple[str, str | None], tuple[int, float]] = {}  # their number, and when last seen
        self.stay_of: dict[tuple[str, str | None], int] = {}  # frame and person: which stay it was
        self.decided: Counter[tuple[Stay, Outcome]] = Counter()
        self.asked: Counter[Stay] = Counter()
        self.closed: set[Stay] = set()
        self.approved: dict[str, float] = {}
        self.utc_jumps = False
        self.locks: dict[str, LockOutModel] = defaultdict(LockOutModel)

    # what happens

    def deliver(self, identity: Identity) -> Sequence[Effect]:
        self.delivered[identity.id] = identity
        self._count(identity)
        return super().deliver(identity)

    def deliver_again(self, back: int) -> None:
        self.wait(0.1)
        if len(self.delivered) >= back:
            self.deliver(list(self.delivered.values())[-back])

    def hold_back(self, person: str) -> None:
        self.held.append(self.frame(person))

    def release(self) -> None:
        if self.held:
            self.deliver(self.held.pop())

    def say(self, answer: str, bare: bool = False, back: int = 1) -> None:
        """Somebody answers the last question or one before it, whether it is open or not."""
        if len(self.questions) < back:
            return
        last = self.questions[-back]
        try:
            self.answer(answer, None if bare else last.id)
        except BadMessage:
            return
        assert back == 1
        assert self.utc_jumps or self.utc <= last.expires_at + 0.01
        self.approved.pop(last.id, None)
        if answer == "YES":
            self.approved[last.id] = self.mono

    def jump(self, s: float) -> None:
        self.utc += s
        self.utc_jumps = True

    def stop(self) -> None:
        self.note(self.gate.stop(self.now))

    # what must be true

    def note(self, effects: list[Effect]) -> Sequence[Effect]:
        for effect, before in zip(effects, [None, *effects], strict=False):
            if isinstance(effect, Grant):
                assert isinstance(before, Decision)
                self._check_grant(effect, before)
            elif isinstance(effect, Question):
                assert self.delivered[effect.id].camera == effect.camera
                stay = self._stay(effect.id, effect.camera, effect.person)
                assert stay not in self.closed
                self.asked[stay] += 1
            elif isinstance(effect, Decision):
                self._check_decision(effect)
        return super().note(effects)

    def _count(self, identity: Identity) -> None:
        frame, newest = (identity.captured_at, identity.seq), self.newest.get(identity.camera, (0.0, -1))
        clock_went_back = newest[0] > self.utc + 1.0
        if frame == newest or not (clock_went_back or (frame[0] > newest[0] and frame[1] != newest[1])):
            return
        self.newest[identity.camera] = frame
        if identity.faces and -1.0 <= self.utc - identity.captured_at <= self.policy.max_age_s:
            self.counted[identity.camera].append((identity, self.mono))
            for person in {face.person for face in identity.faces}:
                self._note_stay(identity, person)

    def _note_stay(self, identity: Identity, person: str | None) -> None:
        number, seen = self.stays.get((identity.camera, person), (0, self.mono))
        number += self.mono - seen > self.policy.visit_gap_s
        self.stays[identity.camera, person] = number, self.mono
        self.stay_of[identity.id, person] = number

    def _stay(self, id_: str, camera: str, person: str | None) -> Stay:
        return camera, person, self.stay_of[id_, person]

    def _check_decision(self, decision: Decision) -> None:
        assert self.delivered[decision.id].camera == decision.camera
        if (decision.id, decision.person) in self.stay_of:  # else of frames that do not count
            stay = self._stay(decision.id, decision.camera, decision.person)
            assert stay not in self.closed
            self.decided[stay, decision.outcome] += 1
            if decision.reason in CLOSING and decision.detail != "another question was open":
                self.closed.add(stay)
        if decision.reason in STRANGE and decision.id not in {question.id for question in self.questions}:
            self.locks[decision.camera].stranger(self.mono)

    def _check_grant(self, grant: Grant, decision: Decision) -> None:
        assert (grant.id, grant.person, Outcome.GRANTED) == (decision.id, decision.person, decision.outcome)
        assert (grant.session, grant.expires_at) == (self.gate.session, self.utc + 5.0)
        admitted = self.standing.admits("front", grant.person, self.utc) is not None
        assert self.utc_is_set
        assert self.standing.is_enabled("front")
        assert admitted or not (self.standing.away or self.rules.closed or grant.person in self.rules.against)
        deciding = self.counted[decision.camera][-1][0]
        assert decision.captured_at == deciding.captured_at
        assert admitted or grant.id == deciding.id or grant.id in self.approved
        assert admitted or not self.rules.asking or grant.id in self.approved
        self._check_evidence(grant.person, decision.camera)
        self._check_limits(grant.person, decision.camera)
        self.granted.append((grant, decision.camera, self.mono))

    def _check_evidence(self, person: str, camera: str) -> None:
        evidence = self.policy.evidence
        last = [identity for identity, _ in self.counted[camera]][-evidence.of :]
        nearest = [
            min((f for f in i.faces if f.person == person), key=lambda f: f.distance or 0, default=None) for i in last
        ]
        track = nearest[-1].track if nearest[-1] else -1
        agreeing = {
            identity.captured_at
            for identity, face in zip(last, nearest, strict=True)
            if face is not None
            and face.track == track
            and -1.0 <= self.utc - identity.captured_at <= evidence.within_s
            and (evidence.faces != "single" or len(identity.faces) == 1)
            and (evidence.faces != "all_known" or all(other.person for other in identity.faces))
        }
        assert len(agreeing) >= evidence.frames

    def _check_limits(self, person: str, camera: str) -> None:
        assert self.mono >= self.locks.pop(camera, LockOutModel()).until
        earlier = [(which, at) for grant, which, at in self.granted if grant.person == person]
        assert all(self.mono - at >= self.policy.cool_down_s for _, at in earlier)
        assert sum(self.mono - at < 60.0 for _, _, at in self.granted) < self.policy.grants_per_minute
        if earlier:
            self._check_absence(person, *earlier[-1])

    def _check_absence(self, person: str, camera: str, granted_at: float) -> None:
        """The camera that let them in has not seen them for longer than visit_gap_s since."""
        seen = [at for identity, at in self.counted[camera] if person in {face.person for face in identity.faces}]
        seen = [at for at in seen if at >= granted_at] + [self.mono]
        assert max(later - at for at, later in pairwise(seen)) > self.policy.visit_gap_s

    def check_stays(self) -> None:
        """In each stay of a known person one grant and one denial at most, but for what was asked."""
        for (stay, outcome), times in self.decided.items():
            if stay[1] is not None:
                assert times <= 1 + (outcome is Outcome.DENIED) * self.asked[stay], (stay, outcome)
