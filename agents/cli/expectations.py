"""What an owner expects of the rules, a line each, and whether they keep it. Pure.

Ana Kovač front Mon 06:59 denied outside-window   # name, door, day, time, answer, reason if it matters
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from agents.cli.common import hint, near
from agents.cli.gallery import composed
from agents.cli.moments import Asked, changes_on, moments, named, on_wall, read_day
from agents.cli.policy import Policy
from agents.cli.schedule_explain import judge
from agents.cli.schedule_week import applies
from agents.scheduler.calendar_values import DAYS, MINUTES_A_DAY, minute
from agents.scheduler.rules import Ruling
from agents.wire.messages import Outcome
from agents.wire.why import Why

COMMENT = re.compile(r"(^|\s)#.*")
LINE = re.compile(
    r"(?P<name>\S.*?)\s+(?P<door>\S+)\s+(?P<day>\S+)\s+(?P<time>\S+)\s+(?P<outcome>granted|denied)(\s+(?P<reason>\S+))?"
)
FORM = "NAME DOOR DAY TIME granted|denied [REASON]"
LONG_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
REASONS = (
    Why.NO_WINDOW,
    Why.OUTSIDE_WINDOW,
    Why.HOLIDAY,
    Why.CLOSED_DAY,
    Why.NOT_YET_VALID,
    Why.NO_LONGER_VALID,
)
WEEKS = 53


@dataclass(frozen=True)
class Expectation:
    """`reason` is None where any will do."""

    person: str
    door: str
    asked: Asked
    outcome: Outcome
    reason: Why | None


@dataclass(frozen=True)
class Line:
    """What is to be said of line `number`. `held` is None where it could not be read."""

    number: int
    held: bool | None
    told: str | None


def review(text: Iterable[str], policy: Policy) -> Iterator[Line]:
    """Each line with an expectation in it."""
    for number, raw in enumerate(text, 1):
        line = COMMENT.sub("", raw).strip()
        if line:
            yield _reviewed(number, line, policy)


def read(line: str, policy: Policy) -> Expectation:
    """One line, without its comment. Raises ValueError."""
    found = LINE.fullmatch(line)
    if found is None:
        raise ValueError(f"{line!r:.80} can't be read: it has to be {FORM}")
    door = found["door"]
    if door not in policy.settings.doors:
        raise ValueError(f"there is no door {door!r:.40}{hint(door, policy.settings.doors)}")
    minutes, on = _minutes(found["time"]), _day(found["day"], door, policy)
    wall = datetime.combine(on, time()) + timedelta(minutes=minutes)
    outcome = Outcome(found["outcome"])
    person = composed(" ".join(found["name"].split()))
    return Expectation(
        person, door, Asked(wall, moments(wall, policy.zone)), outcome, _reason(found["reason"], outcome)
    )


def _reviewed(number: int, line: str, policy: Policy) -> Line:
    try:
        expected = read(line, policy)
    except ValueError as error:
        return Line(number, None, str(error))
    ruling = judge(policy, expected.person, expected.door, expected.asked)
    if _holds(expected, ruling):
        return Line(number, True, _doubt(expected, policy))
    answer = f"denied {ruling.objection} by" if ruling.objection else "granted by"
    wanted = f"{expected.outcome} {expected.reason or ''}".strip()
    difference = f"expected {wanted}, got {answer} {policy.told(ruling.rule, ruling.loc)}"
    return Line(number, False, f"{_subject(expected)}: {difference}{_meant(expected, policy)}")


def _holds(expected: Expectation, ruling: Ruling) -> bool:
    if expected.outcome is Outcome.GRANTED:
        return ruling.objection is None
    return ruling.objection is not None and expected.reason in (None, ruling.objection)


def _doubt(expected: Expectation, policy: Policy) -> str | None:
    """Whoever mistypes a name finds that nobody of that name is let in."""
    meant = _meant(expected, policy)
    if expected.reason is Why.NO_WINDOW or not meant:
        return None
    return f"holds, but {expected.person} is in no group{meant}"


def _meant(expected: Expectation, policy: Policy) -> str:
    return near(expected.person, policy.people) if expected.person not in policy.people else ""


def _subject(expected: Expectation) -> str:
    return f"{expected.person} at {expected.door}, {named(expected.asked.wall)}"


def _minutes(text: str) -> int:
    found = minute(text)
    if found == MINUTES_A_DAY:
        raise ValueError("24:00 is 00:00 of the day after")
    return found


def _reason(text: str | None, outcome: Outcome) -> Why | None:
    if text is None:
        return None
    if outcome is Outcome.GRANTED:
        raise ValueError(f"granted has no reason (got {text!r:.40})")
    known = {why.value: why for why in REASONS}
    if text.lower().replace("-", "_") not in known:
        raise ValueError(f"{text!r:.40} is no reason of the rules: {', '.join(known)}")
    return known[text.lower().replace("-", "_")]


def _day(text: str, door: str, policy: Policy) -> date:
    word = text.lower()
    if word not in (*DAYS, *LONG_DAYS):
        return _date(text)
    weekday, today = DAYS.index(word[:3]), on_wall(policy.now, policy.zone).date()
    coming = (today + timedelta(days=(weekday - today.weekday()) % 7 + 7 * week) for week in range(WEEKS))
    found = next((on for on in coming if _is_ordinary(on, door, policy)), None)
    if found is None:
        raise ValueError(f"in a whole year no {text} is like the others; name a date")
    return found


def _date(text: str) -> date:
    try:
        return read_day(text)
    except ValueError as error:
        raise ValueError(f"{error}, or a weekday: {', '.join(DAYS)}") from None


def _is_ordinary(on: date, door: str, policy: Policy) -> bool:
    """Neither the day nor the one before, whose windows may last until the morning, is special."""
    days = (on - timedelta(days=1), on)
    special = any(applies(exception, door, day) for exception in policy.settings.exceptions for day in days)
    return not special and not any(policy.holiday(day) for day in days) and not changes_on(policy.zone, on)
