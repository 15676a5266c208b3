"""Weekdays, times of day and dates, as they stand in the house's file."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.scheduler.calendar_values import day, minute, weekdays, yearly


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("mon", [0]),
        ("mon-fri", [0, 1, 2, 3, 4]),
        ("fri-mon", [4, 5, 6, 0]),
        ("sun-sat", [6, 0, 1, 2, 3, 4, 5]),
        ("sat,sun", [5, 6]),
        ("mon, wed, fri-sun", [0, 2, 4, 5, 6]),
        ("Mon-FRI", [0, 1, 2, 3, 4]),
        ("tue-tue", [1]),
        ("mon-fri,wed", [0, 1, 2, 3, 4]),
    ],
)
def test_weekdays(text: str, days: list[int]) -> None:
    assert weekdays(text) == frozenset(days)


@pytest.mark.parametrize("text", ["", "monday", "mon-", "-fri", "mon--fri", "mon-wed-fri", "mon,", "1-5", "mon;tue"])
def test_what_is_no_weekday_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match="is no weekday or range of them"):
        weekdays(text)


@pytest.mark.parametrize(
    ("text", "minutes"), [("00:00", 0), ("07:00", 420), ("7:05", 425), ("23:59", 1439), ("24:00", 1440)]
)
def test_a_time_of_day_is_minutes_since_midnight(text: str, minutes: int) -> None:
    assert minute(text) == minutes


@pytest.mark.parametrize(
    "text", ["", "7", "7:0", "07:60", "24:01", "25:00", "-1:00", "07:00:00", "7 am", "700", "²:00"]
)
def test_what_is_no_time_of_day_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no time of day"):
        minute(text)


@given(st.dates())
def test_a_day_is_read_as_it_is_written(written: date) -> None:
    assert day(written.isoformat()) == written
    assert yearly(written.isoformat()) == written.isoformat()


@given(st.dates(date(2024, 1, 1), date(2024, 12, 31)))
def test_a_day_of_every_year_has_none(written: date) -> None:
    assert yearly(written.isoformat()[5:]) == written.isoformat()[5:]


NO_DAYS = ["", "2026-02-29", "2026-13-01", "24.12.2026", "20261224", "2026-W52-4", "2026-12-24 ", "12-24-2026"]


@pytest.mark.parametrize("text", [*NO_DAYS, "12-24", 20261224, None, date(2026, 12, 24)])
def test_what_is_no_day_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match=r"is no date: use 2026-12-24$"):
        day(text)


@pytest.mark.parametrize("text", [*NO_DAYS, "02-30", "1224", "13-01", "W52-4", "24-12"])
def test_what_is_no_day_of_a_year_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no date: use 2026-12-24, or 12-24 for every year"):
        yearly(text)
