"""What a visit knows of whether somebody lives: the recognizer's verdict, and the challenge. Pure.

The verdict of the newest frame counts, and a challenge that was passed counts for the face (track) that was
asked, as long as it is followed. What is missing is against them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from agents.scheduler.liveness_config import Liveness as Policy
from agents.scheduler.objection import Objection
from agents.wire.identity import Face
from agents.wire.liveness import Challenge, ChallengeState, Doubt, Liveness, Verdict
from agents.wire.why import Why

ASK_AFTER_S = 1.0  # of a visit: what is known of a face grows by itself
ON_ITS_WAY_S = 1.0  # a result may come so much later than the time is over
MOST_SPOOFS = 3  # faces of a visit that were spoofs: then nobody is believed any more
NO_USE = (Doubt.FEW_FRAMES, Doubt.TOO_DARK, Doubt.TOO_BRIGHT, Doubt.TOO_SMALL, Doubt.TOO_BLURRED, Doubt.AT_THE_EDGE)
"""Doubts that no action helps: it could not be seen, or they pass by themselves."""

NOT_MEASURED = Objection(Why.NOT_LIVE, detail=Doubt.NOT_MEASURED)


@dataclass
class Proof:
    """Of one visit. Durations are monotonic."""

    spoofs: set[int | None] = field(default_factory=set)  # tracks that were told to be pictures
    attempts: int = 0
    open: Challenge | None = None
    until: float = 0.0
    failed: Objection | None = None
    _passed: int | None = None  # the track

    def asked(self, challenge: Challenge, mono: float) -> None:
        self.open, self.attempts = challenge, self.attempts + 1
        self.until = mono + challenge.expires_at - challenge.asked_at

    def follow(self, face: Face, mono: float) -> None:
        """What the newest frame says of the challenge that is open."""
        if self.open is None:
            return None
        if face.track != self.open.track:
            return self._fail("the face was lost on the way")
        result = None if face.liveness is None else face.liveness.challenge
        if mono > self.until + ON_ITS_WAY_S:
            return self._fail("not done in time")
        if result is not None and result.id == self.open.id and result.state is not ChallengeState.PENDING:
            if result.state is ChallengeState.FAILED:
                seen = f"it was {result.seen}" if result.seen is not None else "not done in time"
                return self._fail(seen)
            self._passed, self.open, self.failed = self.open.track, None, None
        return None

    def is_enough(self, face: Face) -> bool:
        """A picture was told, and here is one: whether anybody is still believed in this visit."""
        self.spoofs.add(face.track)
        return len(self.spoofs) >= MOST_SPOOFS

    def tick(self, mono: float) -> None:
        """Time goes by, and the face is not known any more."""
        if self.open is not None and mono > self.until + ON_ITS_WAY_S:
            self._fail("not done in time")

    def objection(self, policy: Policy, face: Face) -> Objection | None:
        """What is against it. `wants_challenge` says whether one would help."""
        if policy.check == "off":
            return None
        liveness = face.liveness
        if face.is_spoof or face.track in self.spoofs:
            return Objection(Why.SPOOF, detail="" if liveness is None else in_words(liveness))
        if liveness is None:
            return NOT_MEASURED
        if self._passed is not None and self._passed == face.track:
            return None
        if self.failed is not None and self.attempts >= policy.attempts:
            return self.failed
        if policy.challenge == "always" or liveness.verdict is not Verdict.LIVE:
            return Objection(Why.NOT_LIVE, detail=in_words(liveness))
        return None

    def wants_challenge(self, policy: Policy, face: Face, visit_s: float) -> bool:
        """Whether to ask now for an action of a face that is not let in otherwise."""
        if self.open is not None or policy.challenge == "never" or face.liveness is None or face.track is None:
            return False
        if face.is_spoof or face.track in self.spoofs or face.liveness.doubt in NO_USE:
            return False
        return self.attempts < policy.attempts and (policy.challenge == "always" or visit_s >= ASK_AFTER_S)

    def _fail(self, how: str) -> None:
        assert self.open is not None
        self.failed = Objection(Why.CHALLENGE_FAILED, detail=f"asked to {self.open.action}: {how}")
        self.open = None


def in_words(liveness: Liveness) -> str:
    """The doubt, and what was measured: `texture (texture 0.03, context 0.10)`."""
    scores = {key: getattr(liveness, key) for key in ("texture", "depth", "context")}
    measured = ", ".join(f"{key} {score:.2f}" for key, score in scores.items() if score is not None)
    word = str(liveness.doubt or liveness.verdict)
    return f"{word} ({measured})" if measured else word
