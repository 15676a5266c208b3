"""What a visit knows of whether somebody lives: the recognizer's verdict, and the challenge. Pure.

The verdict of the newest frame counts, and a challenge that was passed counts for the face (track) that was
asked, as long as it is followed. What is missing is against them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from agents.scheduler.liveness_config import Liveness as Policy
from agents.scheduler.objection import Objection
from agents.wire.identity import Face
from agents.wire.liveness import Challenge, ChallengeResult, ChallengeState, Doubt, Liveness, Verdict
from agents.wire.why import Why

ASK_AFTER_S = 1.0  # of a visit: what is known of a face grows by itself
ON_ITS_WAY_S = 1.0  # a result may come so much later than the time is over
REST_S = 1.5  # after a challenge: the head turns back, and the next action is measured from how it rests
MOST_SPOOFS = 3  # faces of a visit that were spoofs: then nobody is believed any more
HELPED = (Doubt.DOUBTFUL, Doubt.NO_EVIDENCE)
"""Doubts that an action helps. With the others it could not be seen either, or they pass by themselves."""

NOT_MEASURED = Objection(Why.NOT_LIVE, detail=Doubt.NOT_MEASURED)


@dataclass
class Proof:
    """Of one visit. Durations are monotonic. `attempts` is how many challenges it had, `open` the one that runs."""

    spoofs: set[int | None] = field(default_factory=set)  # tracks that were told to be pictures
    attempts: int = 0
    open: Challenge | None = None
    failed: Objection | None = None
    _until: float = 0.0
    _rests_until: float = float("-inf")
    _passed: int | None = None  # the track
    _suspects: set[int | None] = field(default_factory=set)  # tracks that were pictures while they were asked

    def asked(self, challenge: Challenge, mono: float) -> None:
        self.open, self.attempts = challenge, self.attempts + 1
        self._until = mono + challenge.expires_at - challenge.asked_at

    def heed(self, faces: Sequence[Face], mono: float) -> None:
        """What a frame says of the challenge that is open. A head that is turned away need not be known."""
        self.tick(mono)
        for face in faces:
            if self.open is not None and face.track == self.open.track:
                self._hear_of(self.open, face, mono)

    def follow(self, face: Face, mono: float) -> None:
        """The person's face in the newest frame: another one than was asked makes the challenge void."""
        if self.open is not None and face.track != self.open.track:
            self._fail("the face was lost on the way", mono)
        if face.is_spoof and self.waits(mono):
            self._suspects.add(face.track)

    def tick(self, mono: float) -> None:
        """Time goes by, and the face may not be known any more."""
        if self.open is not None and mono > self._until + ON_ITS_WAY_S:
            self._fail("not done in time", mono)

    def waits(self, mono: float) -> bool:
        """Whether an action was asked for a moment ago: a head that turns may look like a picture."""
        return self.open is not None or mono < self._rests_until

    def is_picture(self, policy: Policy, face: Face) -> bool:
        """Whether it is known to be one, and that matters."""
        return policy.check != "off" and (face.is_spoof or face.track in self.spoofs)

    def is_enough(self, face: Face) -> bool:
        """A picture was told, and here is one: whether anybody is still believed in this visit."""
        self.spoofs.add(face.track)
        return len(self.spoofs) >= MOST_SPOOFS

    def objection(self, policy: Policy, face: Face) -> Objection | None:
        """What is against it. `wants_challenge` says whether one would help."""
        if policy.check == "off":
            return None
        liveness = face.liveness
        if self.is_picture(policy, face):
            return Objection(Why.SPOOF, detail="" if liveness is None else in_words(liveness))
        if liveness is None:
            return NOT_MEASURED
        if self._passed is not None and self._passed == face.track:
            return None
        if self.failed is not None and self.attempts >= policy.attempts:
            return self.failed
        believed = liveness.verdict is Verdict.LIVE and face.track not in self._suspects
        return None if believed and policy.challenge != "always" else Objection(Why.NOT_LIVE, detail=in_words(liveness))

    def wants_challenge(self, policy: Policy, face: Face, visit_s: float) -> bool:
        """Whether to ask now for an action of a face that is not let in otherwise, and is no picture."""
        if policy.challenge == "never" or face.liveness is None or face.track is None:
            return False
        if face.liveness.verdict is not Verdict.LIVE and face.liveness.doubt not in HELPED:
            return False
        return self.attempts < policy.attempts and (policy.challenge == "always" or visit_s >= ASK_AFTER_S)

    def _hear_of(self, challenge: Challenge, face: Face, mono: float) -> None:
        """A result of another challenge counts nothing."""
        if face.person not in (None, challenge.person):
            self._fail(f"the face was {face.person}'s on the way", mono)
            return
        result = None if face.liveness is None else face.liveness.challenge
        if result is None or result.id != challenge.id or result.state is ChallengeState.PENDING:
            return
        if result.state is ChallengeState.FAILED:
            self._fail(_instead(result), mono)
        else:
            self._passed, self.open, self.failed, self._rests_until = challenge.track, None, None, mono + REST_S

    def _fail(self, how: str, mono: float) -> None:
        assert self.open is not None
        self.failed = Objection(Why.CHALLENGE_FAILED, detail=f"asked to {self.open.action}: {how}")
        self.open, self._rests_until = None, mono + REST_S


def _instead(result: ChallengeResult) -> str:
    return f"it was {result.seen}" if result.seen is not None else "not done in time"


def in_words(liveness: Liveness) -> str:
    """The doubt, and what was measured: `texture (texture 0.03, context 0.10)`."""
    scores = {key: getattr(liveness, key) for key in ("texture", "depth", "context")}
    measured = ", ".join(f"{key} {score:.2f}" for key, score in scores.items() if score is not None)
    word = str(liveness.doubt or liveness.verdict)
    return f"{word} ({measured})" if measured else word
