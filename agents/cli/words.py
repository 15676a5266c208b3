"""What the words of the contract mean, for people."""

from __future__ import annotations

from agents.wire.liveness import Doubt
from agents.wire.messages import EventType
from agents.wire.why import Why

WORDS = {
    Why.CONFIRMED: "seen in enough fresh frames",
    Why.UNKNOWN_PERSON: "nobody here knows this face",
    Why.NOT_CONFIRMED: "too few frames agreed on who it was",
    Why.NOT_ALONE: "was not alone in view",
    Why.STRANGER_IN_VIEW: "a stranger was in view",
    Why.SPOOF: "looks like a picture of a face",
    Why.NOT_LIVE: "could not be seen to live",
    Why.CHALLENGE_FAILED: "did not do what was asked",
    Why.NO_WINDOW: "no window of this door is for this person",
    Why.OUTSIDE_WINDOW: "outside the hours of this person",
    Why.HOLIDAY: "closed for a holiday",
    Why.CLOSED_DAY: "closed on this day",
    Why.NOT_YET_VALID: "this person's first day is still to come",
    Why.NO_LONGER_VALID: "this person's last day is past",
    Why.SWITCHED_OFF: "face unlock is switched off",
    Why.AWAY: "the house is away",
    Why.COOL_DOWN: "was let in a moment ago",
    Why.LOCKED_OUT: "the camera saw too many strangers",
    Why.TOO_MANY: "too many were let in within a minute",
    Why.DECLINED: "somebody said no",
    Why.UNANSWERED: "nobody answered in time",
    Why.LEFT: "left before anybody answered",
    Why.CLOCK_NOT_SET: "the scheduler's machine does not know the time",
    Why.CAMERA_CLOCK: "the camera's clock is wrong",
    Why.STALE: "the frames came too late",
    Why.DOOR_AWAY: "the door does not answer",
    Why.NO_JOURNAL: "it could not be written down",
}
DOUBTS = {
    Doubt.TEXTURE: "a photograph or a screen",
    Doubt.FLAT: "it moves like something flat",
    Doubt.CARRIED: "what is around it moves along",
    Doubt.FEW_FRAMES: "seen for too short a time",
    Doubt.TOO_DARK: "too dark to tell",
    Doubt.TOO_BRIGHT: "too bright to tell",
    Doubt.TOO_SMALL: "too far away to tell",
    Doubt.TOO_BLURRED: "too blurred to tell",
    Doubt.AT_THE_EDGE: "at the edge of the picture",
    Doubt.DOUBTFUL: "it may be a picture",
    Doubt.NO_EVIDENCE: "nothing tells it from a picture",
    Doubt.NOT_MEASURED: "it was not measured",
}
LEAF = {
    EventType.OPENED: "was opened",
    EventType.CLOSED: "was closed",
    EventType.FORCED: "was FORCED: opened without an unlock",
    EventType.HELD_OPEN: "stands open for too long",
}


def explained(reason: str, detail: str) -> str:
    """A decision's detail, with the doubt in it in words: `texture (texture 0.03)` is what programs read."""
    word, _, scores = detail.partition(" ")
    if reason not in (Why.SPOOF, Why.NOT_LIVE) or word not in set(Doubt):
        return detail
    return f"{DOUBTS[Doubt(word)]}; {scores.strip('()')}" if scores else DOUBTS[Doubt(word)]
