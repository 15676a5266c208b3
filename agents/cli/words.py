"""What the words of the contract mean, for people."""

from __future__ import annotations

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
LEAF = {
    EventType.OPENED: "was opened",
    EventType.CLOSED: "was closed",
    EventType.FORCED: "was FORCED: opened without an unlock",
    EventType.HELD_OPEN: "stands open for too long",
}
