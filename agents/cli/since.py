"""From when and until when, as people say it. Pure."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from agents.cli.moments import Asked, moments, on_wall, read_day, read_moment

UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}
AGO = re.compile(r"([0-9]{1,6})([smhdw])")
A_TIME = '2h, 3d, today, 2026-11-20, "2026-11-20 07:00"'
A_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def edge(text: str, now_utc: float, zone: ZoneInfo, end: bool = False) -> float:
    """The moment, in UTC seconds: 2h or 3d ago, today, yesterday, 2026-11-20, "2026-11-20 07:00", 07:00.

    Of a day it is the beginning, or the `end`; and where the clock shows a time twice, the first of
    them, or with `end` the second. Raises ValueError.
    """
    ago = AGO.fullmatch(text)
    if ago:
        return now_utc - int(ago[1]) * UNITS_S[ago[2]]
    try:
        asked = _asked(text, on_wall(now_utc, zone).date(), zone, end)
    except ValueError:
        raise ValueError(f"{text!r:.60} is no time: use {A_TIME}") from None
    found = asked.moments or (asked.wall.replace(tzinfo=zone).timestamp(),)  # the clock is put forward over it
    return found[-1 if end else 0]


def _asked(text: str, today: date, zone: ZoneInfo, end: bool) -> Asked:
    """Raises ValueError."""
    day = {"today": today, "yesterday": today - timedelta(days=1)}.get(text)
    if day is None and A_DAY.fullmatch(text):
        day = read_day(text)
    if day is None:
        return read_moment(text, zone, today)
    midnight = datetime.combine(day + timedelta(days=end), datetime.min.time())
    return Asked(midnight, moments(midnight, zone))
