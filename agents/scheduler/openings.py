"""The openings of one door, as they fall on days. Pure."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from agents.scheduler.calendar_values import MINUTES_A_DAY, minute, weekdays
from agents.scheduler.config import DoorPolicy, Evidence, Holidays, Loc, Opening, SchedulerSettings, SpecialDay, Window
from agents.scheduler.liveness_config import Liveness
from agents.wire.why import Why

HolidayName = Callable[[date], str | None]
"""What holiday a day is, or None."""

LONGEST_TEXT = 200
LONGEST_BECAUSE = 100


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What keeps somebody out: the rule for people, and its place in the file."""

    why: Why
    rule: str
    loc: Loc


@dataclass(frozen=True, slots=True, eq=False)
class Occurrence:
    """An opening as it falls on one day, `start` to `end` on the wall clock (naive, end excluded).

    `day` is the one it belongs to, also past midnight. `shut` is what closes it there. `order` is its
    place among the openings of its door, `evidence` and `liveness` what is needed there.
    """

    start: datetime
    end: datetime
    day: date
    order: int
    opening: Opening
    evidence: Evidence
    liveness: Liveness
    loc: Loc
    heading: str = ""
    shut: Obstacle | None = None

    def contains(self, wall: datetime) -> bool:
        return self.start <= wall < self.end

    def rule(self, group: str) -> str:
        """For people, as it is for one of its groups."""
        days = f"{self.opening.days} " if isinstance(self.opening, Window) else ""
        return fit(f"{self.heading}{group}, {days}{self.opening.from_} to {self.opening.to}")


class Openings:
    """What opens one door: exceptions' openings, and then its windows."""

    def __init__(self, door: str, settings: SchedulerSettings, holiday: HolidayName) -> None:
        self.policy: DoorPolicy = settings.doors[door]
        self._holiday, self._holidays = holiday, settings.holidays
        self._specials: list[tuple[Loc, SpecialDay]] = [
            (("exceptions", i), special)
            for i, special in enumerate(settings.exceptions)
            if special.doors is None or door in special.doors
        ]
        self._windows: list[tuple[Loc, Window, frozenset[int]]] = [
            (("doors", door, "windows", i), window, weekdays(window.days))
            for i, window in enumerate(self.policy.windows)
        ]
        self.groups = frozenset(group for opening in self._all() for group in opening.who)

    def on(self, day: date) -> Iterator[Occurrence]:
        """What opens on this day, or would but for an exception or a holiday; in the order of the file."""
        closed = None
        order = 0
        for loc, special in self._specials:
            if special.date <= day <= (special.until or special.date):
                closed = closed or _closed(loc, special, day)
                for k, opening in enumerate(special.open):
                    yield self._occurrence(day, order + k, opening, (*loc, "open", k), _heading(special, day))
            order += len(special.open)
        holiday = self._holiday(day)
        for i, (loc, window, days) in enumerate(self._windows):
            if day.weekday() in days and not (window.holidays == "only" and holiday is None):
                shut = closed or (self._off(holiday, day) if window.holidays == "closed" else None)
                yield self._occurrence(day, order + i, window, loc, shut=shut)

    def _all(self) -> Iterator[Opening]:
        for _, special in self._specials:
            yield from special.open
        yield from self.policy.windows

    def _occurrence(
        self, day: date, order: int, opening: Opening, loc: Loc, heading: str = "", shut: Obstacle | None = None
    ) -> Occurrence:
        start, end = minute(opening.from_), minute(opening.to)
        end += 0 if end > start else MINUTES_A_DAY
        midnight = datetime.combine(day, time())
        first, last = (midnight + timedelta(minutes=minutes) for minutes in (start, end))
        evidence = self.policy.evidence.changed_by(opening.evidence)
        liveness = self.policy.liveness.changed_by(opening.liveness)
        return Occurrence(first, last, day, order, opening, evidence, liveness, loc, heading, shut)

    def _off(self, holiday: str | None, day: date) -> Obstacle | None:
        if holiday is None:
            return None
        return Obstacle(Why.HOLIDAY, fit(f"holiday: {holiday}"), _place(self._holidays, day))


def fit(text: str, longest: int = LONGEST_TEXT) -> str:
    """The text, cut where it is too long for a message."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _closed(loc: Loc, special: SpecialDay, day: date) -> Obstacle | None:
    if not special.close:
        return None
    return Obstacle(Why.CLOSED_DAY, f"closed on {day}{_because(special)}", loc)


def _heading(special: SpecialDay, day: date) -> str:
    return f"exception {day}{_because(special)}: "


def _because(special: SpecialDay) -> str:
    return f" ({fit(special.because, LONGEST_BECAUSE)})" if special.because else ""


def _place(holidays: Holidays, day: date) -> Loc:
    """Where the file says that the day is a holiday."""
    own = own_date(holidays.also, day)
    if own is not None:
        return ("holidays", "also", own)
    return ("holidays", "country") if holidays.country is not None else ("holidays",)


def own_date(texts: Container[str], day: date) -> str | None:
    """Which of the texts is the day: `2026-12-24`, or else `12-24` of every year."""
    once = day.isoformat()
    yearly = once[5:]
    return once if once in texts else yearly if yearly in texts else None
