"""Settings of the scheduler: which cameras open which door, and when."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from agents.runtime.settings import Seconds, Section
from agents.wire.values import Name

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTES_A_DAY = 24 * 60


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError("no such time zone; names look like Europe/Zagreb") from None
    return name


def weekdays(text: str) -> frozenset[int]:
    """`mon-fri`, `sat`, `mon,wed,fri-sun`: Monday is 0. Raises ValueError."""
    found: set[int] = set()
    for part in text.replace(" ", "").lower().split(","):
        first, dash, last = part.partition("-")
        try:
            a, b = DAYS.index(first), DAYS.index(last if dash else first)
        except ValueError:
            raise ValueError(f"{part!r} is no weekday or range of them: use {', '.join(DAYS)}, mon-fri") from None
        found.update((a + i) % 7 for i in range((b - a) % 7 + 1))
    return frozenset(found)


def minute(text: str) -> int:
    """`07:00` as minutes since midnight; 24:00 is the end of the day. Raises ValueError."""
    hours, colon, minutes = text.partition(":")
    if not (colon and hours.isdecimal() and minutes.isdecimal() and len(minutes) == 2 and len(hours) <= 2):
        raise ValueError(f"{text!r} is no time of day: use 07:00")
    total = int(hours) * 60 + int(minutes)
    if int(minutes) > 59 or total > MINUTES_A_DAY:
        raise ValueError(f"{text!r} is no time of day: use 00:00 to 24:00")
    return total


def _checked_days(text: str) -> str:
    weekdays(text)
    return text


def _checked_time(text: str) -> str:
    minute(text)
    return text


Days = Annotated[str, AfterValidator(_checked_days)]
TimeOfDay = Annotated[str, AfterValidator(_checked_time)]


class Hours(Section):
    """A window that opens on each of `days` at `from` and closes at `to`; where `to` is not after
    `from`, on the next day.
    """

    days: Days = "mon-fri"
    from_: Annotated[TimeOfDay, Field(alias="from")] = "07:00"
    to: TimeOfDay = "19:00"

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if minute(self.from_) == minute(self.to):
            raise ValueError("from and to are the same: for a whole day use from: 00:00 to: 24:00")
        return self

    def contains(self, local: datetime) -> bool:
        """Whether the window is open at this wall-clock time."""
        days, start, end = weekdays(self.days), minute(self.from_), minute(self.to)
        now = local.hour * 60 + local.minute
        if start < end:
            return local.weekday() in days and start <= now < end
        yesterday = (local - timedelta(days=1)).weekday()
        return (local.weekday() in days and now >= start) or (yesterday in days and now < end)


class Confirm(Section):
    """A person counts as seen when in `frames` of the last `of` frames with a face.

    Each of them was fresh when it arrived; together they may span `within_s`, so that a slow
    machine, which looks at a frame a second, can confirm anybody.
    """

    frames: Annotated[int, Field(ge=1, le=30)] = 2
    of: Annotated[int, Field(ge=1, le=30)] = 3
    within_s: Annotated[float, Field(gt=0, le=30)] = 5.0

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.frames > self.of:
            raise ValueError(f"{self.frames} of {self.of} frames can never be")
        return self


class DoorPolicy(Section):
    """`hours: []` never opens."""

    cameras: Annotated[list[Name], Field(min_length=1)]
    hours: list[Hours] = [Hours()]
    confirm: Confirm = Confirm()
    cool_down_s: Annotated[float, Field(ge=0, le=3600)] = 10.0
    max_age_s: Seconds = 2.0
    visit_gap_s: Seconds = 2.0


class SchedulerSettings(Section):
    id: Name = "main"
    timezone: Annotated[str, StringConstraints(min_length=1), AfterValidator(_zone)]
    doors: dict[Name, DoorPolicy]
