"""Why a visit ended as it did: the documented list, for machines."""

from __future__ import annotations

from enum import StrEnum


class Why(StrEnum):
    """The reason of a decision. Only CONFIRMED grants."""

    CONFIRMED = "confirmed"

    # who it was
    UNKNOWN_PERSON = "unknown_person"
    NOT_CONFIRMED = "not_confirmed"
    NOT_ALONE = "not_alone"
    STRANGER_IN_VIEW = "stranger_in_view"

    # whether it was a person at all
    SPOOF = "spoof"
    NOT_LIVE = "not_live"
    CHALLENGE_FAILED = "challenge_failed"

    # the rules in the house's file
    NO_WINDOW = "no_window"
    OUTSIDE_WINDOW = "outside_window"
    HOLIDAY = "holiday"
    CLOSED_DAY = "closed_day"
    NOT_YET_VALID = "not_yet_valid"
    NO_LONGER_VALID = "no_longer_valid"

    # switches and limits
    SWITCHED_OFF = "switched_off"
    AWAY = "away"
    COOL_DOWN = "cool_down"
    LOCKED_OUT = "locked_out"
    TOO_MANY = "too_many"

    # the second factor
    DECLINED = "declined"
    UNANSWERED = "unanswered"
    LEFT = "left"

    # what can't be relied on
    CLOCK_NOT_SET = "clock_not_set"
    CAMERA_CLOCK = "camera_clock"
    STALE = "stale"
    DOOR_AWAY = "door_away"
    NO_JOURNAL = "no_journal"
