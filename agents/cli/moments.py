"""What a clock on the house's wall shows, and the moments at which it does. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from agents.scheduler.calendar_values import DAYS, day

STEP_S = 6 * 3600  # nowhere is the clock changed twice in so short a time
YEARS = range(1971, 2100)  # farther off nobody knows how the clocks will go
A_TIME = re.compile(r"[0-9]{1,2}:[0-9]{2}")


@dataclass(frozen=True)
class Asked:
    """A time that somebody asks about: as the clock shows it, and when that is, in UTC seconds, earliest first.

    There is no such moment where the clock is put forward over it, and there are two where it is put back.
    """

    wall: datetime
    moments: tuple[float, ...]


@dataclass(frozen=True)
class Change:
    """The clock is put from one time to another, at `utc` (seconds since 1970)."""

    utc: float
    before: datetime
    after: datetime

    def __str__(self) -> str:
        way = "forward" if self.after > self.before else "back"
        return f"clocks go {way}, {self.before:%H:%M} to {self.after:%H:%M}"


def on_wall(utc: float, zone: ZoneInfo) -> datetime:
    """What the clock shows then: a naive local time."""
    return datetime.fromtimestamp(utc, zone).replace(tzinfo=None, fold=0)


def moments(wall: datetime, zone: ZoneInfo) -> tuple[float, ...]:
    """When the clock shows `wall`, in UTC seconds, earliest first: once, twice or never."""
    found = {wall.replace(tzinfo=zone, fold=fold).timestamp() for fold in (0, 1)}
    return tuple(sorted(utc for utc in found if on_wall(utc, zone) == wall))


def changes(zone: ZoneInfo, first: float, last: float) -> Iterator[Change]:
    """Each time that the clock is changed, from `first` to `last` (UTC seconds)."""
    at = int(first)
    while at < last:
        until = at + STEP_S
        if _offset(zone, at) != _offset(zone, until):
            utc = _between(zone, at, until)
            if utc <= last:
                yield Change(utc, on_wall(utc - 1, zone) + timedelta(seconds=1), on_wall(utc, zone))
        at = until


def changes_on(zone: ZoneInfo, on: date) -> list[Change]:
    """How the clock is changed on a day."""
    noon = datetime(on.year, on.month, on.day, 12, tzinfo=UTC).timestamp()
    return [change for change in changes(zone, noon - 2 * 86_400, noon + 2 * 86_400) if change.before.date() == on]


def read_day(text: str) -> date:
    """`2026-11-23`. Raises ValueError."""
    found = day(text)
    if found.year not in YEARS:
        raise ValueError(f"{text}: only the years {YEARS.start} to {YEARS.stop - 1} are told about")
    return found


def read_moment(text: str, zone: ZoneInfo, today: date) -> Asked:
    """`2026-03-29 02:30`, or 02:30 for today; with an offset (+01:00, Z) it is that very moment. Raises ValueError."""
    try:
        found = _read(text.strip(), today)
    except ValueError:
        raise ValueError(
            f'{text!r:.60} is no time: use "2026-03-29 02:30", as the clock in {zone.key} shows it,'
            " or with an offset: 2026-03-29T02:30+01:00"
        ) from None
    if found.year not in YEARS:
        raise ValueError(f"{text:.60}: only the years {YEARS.start} to {YEARS.stop - 1} are told about")
    if found.tzinfo is not None:
        utc = found.timestamp()
        return Asked(on_wall(utc, zone), (utc,))
    return Asked(found, moments(found, zone))


def named(wall: datetime) -> str:
    """`Mon 2026-11-23 07:00`."""
    seconds = f"{wall:%S}" if wall.second else ""
    return f"{day_name(wall.date())} {wall:%H:%M}" + (f":{seconds}" if seconds else "")


def day_name(of: date) -> str:
    """`Mon 2026-11-23`, in English wherever this machine is."""
    return f"{DAYS[of.weekday()].capitalize()} {of.isoformat()}"


def _read(text: str, today: date) -> datetime:
    if A_TIME.fullmatch(text):
        text = f"{today.isoformat()} {text.rjust(5, '0')}"
    if ":" not in text:
        raise ValueError(text)
    return datetime.fromisoformat(text)


def _offset(zone: ZoneInfo, utc: int) -> timedelta | None:
    return datetime.fromtimestamp(utc, zone).utcoffset()


def _between(zone: ZoneInfo, before: int, after: int) -> int:
    """The first second with the new offset."""
    old = _offset(zone, before)
    while after - before > 1:
        middle = (before + after) // 2
        before, after = (middle, after) if _offset(zone, middle) == old else (before, middle)
    return after
