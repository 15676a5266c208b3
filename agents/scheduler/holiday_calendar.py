"""What holiday a day is: the public ones by the `holidays` library, and the house's own.

The only file that imports that library, and only where a country is set.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING

from agents.scheduler.config import Holidays
from agents.scheduler.openings import own_date

if TYPE_CHECKING:
    from holidays import HolidayBase

YEARS_REMEMBERED = 32
Year = Mapping[date, str]


class CalendarError(Exception):
    """The holidays that the house's file asks for are not to be had."""


class HolidayCalendar:
    """Called with a day, it tells the holiday's name, or None; in the country's own language.

    A date under `not` is no holiday, whatever else says so. Raises CalendarError when it is made
    for a country or subdivision that the library does not know, or where it is not installed.
    """

    def __init__(self, settings: Holidays) -> None:
        self._settings = settings
        self._public = _public_holidays(settings.country, settings.subdivision)

    def __call__(self, day: date) -> str | None:
        if own_date(self._settings.not_, day) is not None:
            return None
        own = own_date(self._settings.also, day)
        if own is not None:
            return self._settings.also[own] or own
        return self._public(day.year).get(day)


def _public_holidays(country: str | None, subdivision: str | None) -> Callable[[int], Year]:
    """The public holidays by year. Raises CalendarError."""
    if country is None:
        return lambda _year: {}
    calendar = _calendar(country)
    language = calendar.default_language
    known = (*calendar.subdivisions, *calendar.subdivisions_aliases)
    if subdivision is not None and subdivision not in known:
        raise CalendarError(f"{country} has no subdivision {subdivision!r}: {', '.join(known) or 'it has none'}")

    @lru_cache(YEARS_REMEMBERED)
    def of_year(year: int) -> Year:
        return dict(type(calendar)(years=year, subdiv=subdivision, language=language))

    return of_year


def _calendar(country: str) -> HolidayBase:
    """Raises CalendarError."""
    try:
        from holidays import country_holidays
    except ImportError:
        raise CalendarError(
            f"the holidays of {country} need the holidays library: pip install 'facelatch[scheduler]'"
        ) from None
    try:
        return country_holidays(country)
    except NotImplementedError:
        complaint = f"the holidays library knows no country {country!r}; codes look like HR, DE or US"
        raise CalendarError(complaint) from None
