"""Whether a face is a live one or a picture of one: what was measured, and the action that is asked for."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from agents.wire.messages import Payload
from agents.wire.values import CorrelationId, Name, PersonName, Seq, Text, UtcSeconds

Score = Annotated[float, Field(ge=0, le=1)]


class Verdict(StrEnum):
    """Only LIVE lets anybody in; UNSURE is missing evidence."""

    LIVE = "live"
    SPOOF = "spoof"
    UNSURE = "unsure"


class Doubt(StrEnum):
    """Why a face is not taken for a live one."""

    # a spoof
    TEXTURE = "texture"
    FLAT = "flat"
    CARRIED = "carried"

    # unsure
    FEW_FRAMES = "few_frames"
    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"
    TOO_SMALL = "too_small"
    TOO_BLURRED = "too_blurred"
    AT_THE_EDGE = "at_the_edge"
    DOUBTFUL = "doubtful"
    NO_EVIDENCE = "no_evidence"
    NOT_MEASURED = "not_measured"


class HeadAction(StrEnum):
    """What a person can be asked to do. Left and right are the person's own."""

    TURN_LEFT = "turn_left"
    TURN_RIGHT = "turn_right"
    NOD = "nod"
    BLINK_TWICE = "blink_twice"


class ChallengeState(StrEnum):
    PENDING = "pending"
    PASSED = "passed"
    FAILED = "failed"


class ChallengeResult(Payload):
    """How far the challenge `id` is. `seen` is what the face did: the action asked for, or another one."""

    id: CorrelationId
    state: ChallengeState
    seen: HeadAction | None = None


class Liveness(Payload):
    """What the last `frames` frames of one track say.

    `texture` is the network's median score, `depth` how far the motion is that of a solid head (0: a
    plane moved), `context` how far what is around the face does not move along with it; 1 is live in all
    three, null is not measured. `blinks` were counted in this track.
    """

    verdict: Verdict
    doubt: Doubt | None = None
    frames: Seq
    texture: Score | None = None
    depth: Score | None = None
    context: Score | None = None
    blinks: Seq = 0
    challenge: ChallengeResult | None = None

    @model_validator(mode="after")
    def _live_is_beyond_doubt(self) -> Self:
        if (self.verdict is Verdict.LIVE) is not (self.doubt is None):
            raise ValueError("a live face has no doubt, and any other has one")
        return self


class Challenge(Payload):
    """The scheduler asks for an action of the face `track` before a camera; `text` says it to the person."""

    id: CorrelationId
    door: Name
    camera: Name
    track: Seq
    person: PersonName
    action: HeadAction
    text: Text
    asked_at: UtcSeconds
    expires_at: UtcSeconds
