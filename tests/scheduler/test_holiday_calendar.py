"""Which days are holidays."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from typing import Any

import pytest

from agents.scheduler.config import Holidays
from agents.scheduler.holiday_calendar import CalendarError, HolidayCalendar


def calendar(**section: Any) -> HolidayCalendar:
    return HolidayCalendar(Holidays.model_validate(section))


def name(found: HolidayCalendar, day: str) -> str | None:
    return found(date.fromisoformat(day))


def test_without_a_country_no_day_is_a_holiday() -> None:
    assert name(calendar(), "2026-12-25") is None


def test_public_holidays_have_their_names_in_the_countrys_own_language() -> None:
    croatia = calendar(country="HR")
    assert name(croatia, "2026-12-25") == "Božić"
    assert name(croatia, "2026-12-24") is None
    assert name(croatia, "2027-06-22") == "Dan antifašističke borbe"
    assert name(calendar(country="GB"), "2026-12-25") == "Christmas Day"


@pytest.mark.parametrize("subdivision", ["BY", "Bayern"])
def test_a_part_of_a_country_has_holidays_of_its_own(subdivision: str) -> None:
    assert name(calendar(country="DE", subdivision=subdivision), "2026-01-06") == "Heilige Drei Könige"
    assert name(calendar(country="DE"), "2026-01-06") is None


def test_a_holiday_that_is_observed_in_the_year_before_is_known_in_that_year() -> None:
    """New Year's Day of 2028 is a Saturday; days are asked in either order."""
    for days in (["2027-12-31", "2028-01-01"], ["2028-01-01", "2027-12-31"]):
        america = calendar(country="US")
        assert all(name(america, day) is not None for day in days)


def test_own_dates_are_holidays_every_year_or_once() -> None:
    own = calendar(also={"12-24": "Badnjak", "2026-11-02": "Bridge", "02-29": "Leap day", "2028-12-24": "Long one"})
    days = ["2026-12-24", "2027-12-24", "2028-12-24", "2026-11-02", "2027-11-02", "2028-02-29", "2027-03-01"]
    assert [name(own, day) for day in days] == [
        "Badnjak",
        "Badnjak",
        "Long one",  # that of one year goes before that of every year
        "Bridge",
        None,
        "Leap day",
        None,
    ]


def test_own_dates_come_before_public_ones() -> None:
    assert name(calendar(country="HR", also={"12-25": "Ours"}), "2026-12-25") == "Ours"


def test_a_date_without_a_name_is_told_by_its_date() -> None:
    assert name(calendar(also={"12-24": ""}), "2026-12-24") == "12-24"


def test_dates_that_are_none_here_are_none_whatever_else_says_so() -> None:
    found = calendar(country="HR", also={"12-24": "Badnjak"}, **{"not": ["2026-12-24", "01-06"]})
    days = ["2026-12-24", "2027-12-24", "2026-01-06", "2027-01-06", "2026-12-25"]
    assert [name(found, day) for day in days] == [None, "Badnjak", None, None, "Božić"]


@pytest.mark.parametrize(
    ("section", "complaint"),
    [
        ({"country": "XX"}, "knows no country 'XX'; codes look like HR"),
        ({"country": "hr"}, "knows no country 'hr'"),
        ({"country": "api"}, "knows no country 'api'"),
        ({"country": "DE", "subdivision": "XX"}, "DE has no subdivision 'XX': BB, BE"),
        ({"country": "HR", "subdivision": "ZG"}, "HR has no subdivision 'ZG': it has none"),
    ],
)
def test_a_country_or_part_that_is_not_known_is_told_at_once(section: dict[str, str], complaint: str) -> None:
    with pytest.raises(CalendarError, match=complaint):
        calendar(**section)


def test_without_the_library_only_a_country_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "holidays", None)
    assert name(calendar(also={"12-24": "Badnjak"}), "2026-12-24") == "Badnjak"
    with pytest.raises(CalendarError, match=r"holidays of HR need .* pip install 'facelatch\[scheduler\]'"):
        calendar(country="HR")


def test_importing_it_does_not_load_the_library() -> None:
    code = "import agents.scheduler.holiday_calendar, sys; sys.exit('holidays' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
