"""What the rules say days and times with, as they stand in the house's file."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTES_A_DAY = 24 * 60
A_LEAP_YEAR = 2024


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


def day(text: object) -> date:
    """`2026-12-24`. Raises ValueError."""
    try:
        found = date.fromisoformat(text) if isinstance(text, str) else None
        if found is not None and found.isoformat() == text:  # not 20261224, not 2026-W52-4
            return found
    except ValueError:
        pass
    raise ValueError(f"{text!r} is no date: use 2026-12-24")


def yearly(text: str) -> str:
    """`2026-12-24`, or `12-24` for every year: the text itself. Raises ValueError."""
    try:
        day(f"{A_LEAP_YEAR}-{text}" if len(text) == 5 else text)
    except ValueError:
        raise ValueError(f"{text!r} is no date: use 2026-12-24, or 12-24 for every year") from None
    return text


def _checked_days(text: str) -> str:
    weekdays(text)
    return text


def _checked_time(text: str) -> str:
    minute(text)
    return text


Days = Annotated[str, AfterValidator(_checked_days)]
TimeOfDay = Annotated[str, AfterValidator(_checked_time)]
Day = Annotated[date, BeforeValidator(day)]
YearlyDay = Annotated[str, AfterValidator(yearly)]
