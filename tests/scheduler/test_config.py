"""When a window is open, and what is no window at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from agents.scheduler.config import DAYS, Confirm, DoorPolicy, Hours, SchedulerSettings, minute, weekdays


def hours(days: str = "mon-fri", start: str = "07:00", end: str = "19:00") -> Hours:
    return Hours.model_validate({"days": days, "from": start, "to": end})


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


def changes(zone: str, day: str, *windows: Hours) -> list[str]:
    """The UTC times of this UTC day at which the windows together open (+) and close (-)."""
    start = datetime.fromisoformat(day).replace(tzinfo=UTC)

    def is_open(utc: datetime) -> bool:
        return any(window.contains(utc.astimezone(ZoneInfo(zone))) for window in windows)

    found, before = [], is_open(start - timedelta(microseconds=1))
    for minutes in range(24 * 60):
        at = start + timedelta(minutes=minutes)
        assert is_open(at) == is_open(at + timedelta(seconds=59, microseconds=999_999))
        if is_open(at) != before:
            before = not before
            found.append(("+" if before else "-") + at.strftime("%H:%M"))
    return found


@pytest.mark.parametrize(
    ("zone", "day", "expected"),
    [
        ("UTC", "2027-01-15", ["+07:00", "-19:00"]),
        ("UTC", "2027-01-16", []),  # a Saturday
        ("Europe/Zagreb", "2027-03-26", ["+06:00", "-18:00"]),  # the Friday before summer time
        ("Europe/Zagreb", "2027-03-29", ["+05:00", "-17:00"]),  # the Monday after
        ("Europe/Zagreb", "2027-10-29", ["+05:00", "-17:00"]),
        ("Europe/Zagreb", "2027-11-01", ["+06:00", "-18:00"]),
        ("America/New_York", "2027-03-12", ["-00:00", "+12:00"]),  # Thursday's end comes on Friday in UTC
        ("America/New_York", "2027-03-15", ["+11:00", "-23:00"]),
        ("America/New_York", "2027-11-05", ["+11:00", "-23:00"]),
        ("America/New_York", "2027-11-08", ["+12:00"]),
        ("Asia/Kolkata", "2027-03-29", ["+01:30", "-13:30"]),
    ],
)
def test_the_default_window_opens_and_closes_to_the_minute_by_the_wall_clock(
    zone: str, day: str, expected: list[str]
) -> None:
    assert changes(zone, day, Hours()) == expected


@pytest.mark.parametrize(
    ("window", "zone", "day", "expected"),
    [
        # Summer time begins at 01:00 UTC: 02:00 to 03:00 is not on the clock that night.
        (("sun", "02:00", "03:00"), "Europe/Zagreb", "2027-03-28", []),
        (("sun", "01:30", "03:30"), "Europe/Zagreb", "2027-03-28", ["+00:30", "-01:30"]),
        # It ends at 01:00 UTC: 02:15 to 02:45 is there twice.
        (("sun", "02:15", "02:45"), "Europe/Zagreb", "2027-10-31", ["+00:15", "-00:45", "+01:15", "-01:45"]),
        (("sat", "22:00", "03:30"), "Europe/Zagreb", "2027-10-31", ["-02:30"]),
        (("sun", "01:30", "03:30"), "America/New_York", "2027-03-14", ["+06:30", "-07:30"]),
        # A local Monday begins on Sunday in UTC.
        (("mon", "00:00", "24:00"), "Asia/Kolkata", "2027-03-28", ["+18:30"]),
        (("mon", "00:00", "24:00"), "Asia/Kolkata", "2027-03-29", ["-18:30"]),
    ],
)
def test_windows_follow_the_wall_clock_through_the_nights_it_changes(
    window: tuple[str, str, str], zone: str, day: str, expected: list[str]
) -> None:
    assert changes(zone, day, hours(*window)) == expected


@pytest.mark.parametrize(
    ("window", "day", "expected"),
    [
        (("fri", "22:00", "06:00"), "2027-01-15", ["+22:00"]),
        (("fri", "22:00", "06:00"), "2027-01-16", ["-06:00"]),
        (("fri", "22:00", "06:00"), "2027-01-17", []),
        (("fri-sat", "22:00", "06:00"), "2027-01-16", ["-06:00", "+22:00"]),
        (("sun", "22:00", "06:00"), "2027-01-18", ["-06:00"]),  # into Monday
        (("fri", "22:00", "00:00"), "2027-01-15", ["+22:00"]),
        (("fri", "22:00", "00:00"), "2027-01-16", ["-00:00"]),
        (("fri", "22:00", "24:00"), "2027-01-16", ["-00:00"]),
        (("fri", "00:00", "24:00"), "2027-01-15", ["+00:00"]),
        (("fri", "00:00", "24:00"), "2027-01-16", ["-00:00"]),
    ],
)
def test_a_window_that_ends_before_it_begins_ends_on_the_next_day(
    window: tuple[str, str, str], day: str, expected: list[str]
) -> None:
    assert changes("UTC", day, hours(*window)) == expected


TIMES = st.integers(0, 1440).map(lambda m: f"{m // 60:02}:{m % 60:02}")


@settings(deadline=None)
@given(day=st.sampled_from(DAYS), start=TIMES, end=TIMES, at=st.integers(0, 7 * 1440 - 1))
def test_a_window_of_one_day_is_one_stretch_that_begins_on_that_day(day: str, start: str, end: str, at: int) -> None:
    if start == end:
        with pytest.raises(ValidationError, match="are the same"):
            hours(day, start, end)
        return
    monday = datetime(2027, 1, 18, tzinfo=UTC)
    begins = DAYS.index(day) * 1440 + minute(start)
    length = minute(end) - minute(start) + (0 if minute(start) < minute(end) else 1440)
    assert hours(day, start, end).contains(monday + timedelta(minutes=at)) == ((at - begins) % (7 * 1440) < length)


def settings_of(**policy: object) -> SchedulerSettings:
    door = {"cameras": ["front"], **policy}
    return SchedulerSettings.model_validate({"timezone": "Europe/Zagreb", "doors": {"front": door}})


@pytest.mark.parametrize(
    ("policy", "complaint"),
    [
        ({"cameras": []}, "cameras"),
        ({"cameras": ["Front Door"]}, "cameras"),
        ({"hours": [{"days": "mon-fry"}]}, "'mon-fry' is no weekday"),
        ({"hours": [{"from": "19:00", "to": "19:00"}]}, "from and to are the same"),
        ({"hours": [{"from": "7"}]}, "'7' is no time of day"),
        ({"hours": [{"from_": "07:00"}]}, "Extra inputs"),
        ({"hours": "mon-fri"}, "valid list"),
        ({"confirm": {"frames": 3, "of": 2}}, "3 of 2 frames can never be"),
        ({"confirm": {"frames": 0}}, "greater than or equal to 1"),
        ({"cool_down_s": -1.0}, "cool_down_s"),
        ({"max_age_s": 0.0}, "max_age_s"),
        ({"max_age_s": float("inf")}, "max_age_s"),
        ({"visit_gap_s": "2"}, "visit_gap_s"),
        ({"max_age": 2.0}, "Extra inputs"),
    ],
)
def test_a_policy_that_can_not_be_meant_is_refused(policy: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        settings_of(**policy)


@pytest.mark.parametrize("zone", ["Europe/Zagrebb", "Europe", "", "../../etc/passwd", "/etc/localtime", "\0"])
def test_a_time_zone_that_is_none_is_refused(zone: str) -> None:
    with pytest.raises(ValidationError, match="timezone"):
        SchedulerSettings.model_validate({"timezone": zone, "doors": {}})


def test_what_a_policy_says_when_it_says_nothing() -> None:
    policy = settings_of().doors["front"]
    assert policy == DoorPolicy(cameras=["front"], hours=[hours()], confirm=Confirm(frames=2, of=3))
    assert (policy.cool_down_s, policy.max_age_s) == (10.0, 2.0)
