"""Who may open which door, and when: the rules of the house's file, and which of them decided. Pure.

A window is open whenever a clock on the wall shows a time in it. One of 02:15 to 02:45 never opens
in the night in which the clock jumps from 02:00 to 03:00, and opens twice in the night in which that
hour comes twice. The day on which a window opens decides for all of it, also past midnight: its
weekday, whether it is a holiday or an exception, and people's first and last days.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from agents.scheduler.config import Evidence, Loc, SchedulerSettings
from agents.scheduler.liveness_config import Liveness
from agents.scheduler.membership import Membership, People
from agents.scheduler.openings import HolidayName, Obstacle, Occurrence, Openings
from agents.wire.why import Why

__all__ = ["HolidayName", "Loc", "Rules", "Ruling", "Span"]

DAY = timedelta(days=1)
REMEMBERED = 4096


@dataclass(frozen=True)
class Ruling:
    """What the rules say of one person at one door at one moment.

    `objection` is None where they let the person in. `rule` says for people which of them decided,
    `loc` is its place below the scheduler's section (`("doors", "front", "windows", 1)`). `evidence`
    and `liveness` are what is needed, and with `confirm` somebody has to agree.
    """

    objection: Why | None
    rule: str
    loc: Loc
    evidence: Evidence
    liveness: Liveness
    confirm: bool = False


@dataclass(frozen=True)
class Span:
    """An opening as it falls on the wall clock, `start` to `end` (naive local times, end excluded)."""

    start: datetime
    end: datetime
    rule: str
    loc: Loc
    confirm: bool


class Rules:
    """The rules of all doors. `holiday` names the holidays; what it raises comes through.

    All methods raise KeyError for a door that is not in the settings.
    """

    def __init__(self, settings: SchedulerSettings, holiday: HolidayName) -> None:
        self._zone = ZoneInfo(settings.timezone)
        self._people = People(settings.groups)
        self._doors = {door: Openings(door, settings, holiday) for door in settings.doors}
        self._around = lru_cache(REMEMBERED)(self._find_around)
        self._ruling = lru_cache(REMEMBERED)(self._find_ruling)  # it is the same for many frames
        self._has_any = lru_cache(REMEMBERED)(self._people.has_any)

    def judge(self, door: str, person: str, utc: float) -> Ruling:
        """What the rules say at `utc` (seconds since 1970). Of several openings the first in the file counts."""
        wall = self._wall(utc)
        return self._ruling(door, person, wall.date(), self._now(door, wall))

    def is_open(self, door: str, utc: float) -> bool:
        """Whether anybody may come in now."""
        return any(
            found.shut is None and any(self._has_any(group, found.day) for group in found.opening.who)
            for found in self._now(door, self._wall(utc))
        )

    def spans(self, door: str, group: str, first: date, days: int) -> Sequence[Span]:
        """The openings for a group that begin on these days, in order of their start.

        Those that name the group: what is open to `everybody` stands under that name.
        """
        found = [found for i in range(days) for found in self._doors[door].on(first + i * DAY)]
        named = [f for f in found if f.shut is None and group in f.opening.who]
        return [_span(f, group) for f in sorted(named, key=lambda f: (f.start, f.order))]

    def _wall(self, utc: float) -> datetime:
        """What a clock on the wall shows."""
        return datetime.fromtimestamp(int(utc), self._zone).replace(tzinfo=None)

    def _now(self, door: str, wall: datetime) -> tuple[Occurrence, ...]:
        """What is open at a door, or would be but for an exception or a holiday; in the order of the file."""
        return tuple([found for found in self._around(door, wall.date()) if found.contains(wall)])

    def _find_around(self, door: str, day: date) -> tuple[Occurrence, ...]:
        """What opens at a door on this day or reaches into it, in the order of the file."""
        openings, midnight = self._doors[door], datetime.combine(day, time())
        late = [found for found in openings.on(day - DAY) if found.end > midnight]
        return tuple(sorted([*late, *openings.on(day)], key=lambda found: found.order))

    def _find_ruling(self, door: str, person: str, today: date, now: Sequence[Occurrence]) -> Ruling:
        memberships = self._people.of(person)
        for found in now:
            group = _group(memberships, found)
            if group is not None and found.shut is None:
                confirm = found.opening.confirm is not None
                return Ruling(None, found.rule(group), found.loc, found.evidence, found.liveness, confirm)
        obstacle = self._obstacle(door, person, today, now)
        policy = self._doors[door].policy
        return Ruling(obstacle.why, obstacle.rule, obstacle.loc, policy.evidence, policy.liveness)

    def _obstacle(self, door: str, person: str, today: date, now: Sequence[Occurrence]) -> Obstacle:
        """Why nothing lets the person in: the first reason that applies."""
        windows: Loc = ("doors", door, "windows")
        mine = [m for m in self._people.of(person) if m.group in self._doors[door].groups]
        if not mine:
            return Obstacle(Why.NO_WINDOW, f"no window of door {door} names a group of {person}", windows)
        outside = Obstacle(Why.OUTSIDE_WINDOW, f"no window of door {door} is open to {person} now", windows)
        return _shut(mine, now) or _dates(person, mine, today, now) or outside


def _group(memberships: Iterable[Membership], found: Occurrence) -> str | None:
    """By which group the opening is one for the person."""
    return next((m.group for m in memberships if m.group in found.opening.who and m.covers(found.day)), None)


def _shut(mine: list[Membership], now: Sequence[Occurrence]) -> Obstacle | None:
    """What closes the day of a window that would let the person in."""
    shut = [found.shut for found in now if found.shut is not None and _group(mine, found) is not None]
    closed = (obstacle for obstacle in shut if obstacle.why is Why.CLOSED_DAY)
    return next(closed, shut[0]) if shut else None


def _dates(person: str, mine: list[Membership], today: date, now: Sequence[Occurrence]) -> Obstacle | None:
    """The person's dates, where an opening now would let the person in but for them, or where all are
    of another time. Between two times it is not yet the second.
    """
    missed = [(m, f.day) for f in now if f.shut is None for m in mine if m.group in f.opening.who]
    if not missed and not any(m.covers(today) for m in mine):
        missed = [(m, today) for m in mine]
    if not missed:
        return None
    ahead = [m for m, day in missed if not m.is_over(day)]
    if ahead:
        nearest = min(ahead, key=lambda m: m.first or date.min)
        return Obstacle(Why.NOT_YET_VALID, f"{person} is {nearest}", nearest.loc)
    latest = max((m for m, _ in missed), key=lambda m: m.last or date.max)
    return Obstacle(Why.NO_LONGER_VALID, f"{person} was {latest}", latest.loc)


def _span(found: Occurrence, group: str) -> Span:
    return Span(found.start, found.end, found.rule(group), found.loc, found.opening.confirm is not None)
