"""What the rules answer, case by case, as the documentation tells it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from agents.scheduler.config import SchedulerSettings
from agents.scheduler.rules import Rules, Span
from agents.wire.why import Why

ZAGREB = ZoneInfo("Europe/Zagreb")
HOLIDAYS = {date(2026, 12, 25): "Božić", date(2026, 11, 18): "Dan sjećanja"}
WORK = {"days": "mon-fri", "who": "staff", "from": "07:00", "to": "19:00"}
NIGHT = {"days": "fri", "who": "staff", "from": "22:00", "to": "02:00"}


def rules(
    *windows: dict[str, Any], exceptions: tuple[dict[str, Any], ...] = (), zone: str = "Europe/Zagreb", **more: Any
) -> Rules:
    """One door with these windows. Ana is of the staff; Petra was a guest for a week in November."""
    section = {
        "timezone": zone,
        "groups": {
            "staff": ["Ana"],
            "guests": [{"name": "Petra", "from": "2026-11-23", "until": "2026-11-27"}],
            **more.pop("groups", {}),
        },
        "doors": {"front": {"cameras": ["front"], "windows": list(windows), **more.pop("door", {})}},
        "exceptions": list(exceptions),
        **more,
    }
    settings = SchedulerSettings.model_validate(section)
    assert list(settings.conflicts()) == []
    return Rules(settings, HOLIDAYS.get)


def at(text: str, fold: int = 0) -> float:
    """UTC seconds of a local time in Zagreb; `fold` 1 is the second of two."""
    return datetime.fromisoformat(text).replace(tzinfo=ZAGREB, fold=fold).timestamp()


def changes(found: Rules, first: str, hours: int = 24, person: str = "Ana") -> list[str]:
    """The UTC times at which the person may come in (+) and no more (-), from a UTC time on."""
    start = datetime.fromisoformat(first).replace(tzinfo=UTC)
    told, before = [], found.judge("front", person, start.timestamp() - 60).objection is None
    for minute in range(hours * 60):
        now = start + timedelta(minutes=minute)
        admitted = found.judge("front", person, now.timestamp()).objection is None
        assert admitted == (found.judge("front", person, now.timestamp() + 59.999).objection is None)
        if admitted != before:
            before = admitted
            told.append(("+" if admitted else "-") + now.strftime("%H:%M"))
    return told


def objection(found: Rules, person: str, when: str) -> tuple[Why | None, str, tuple[int | str, ...]]:
    ruling = found.judge("front", person, at(when))
    return ruling.objection, ruling.rule, ruling.loc


def test_whom_no_window_lets_in_stays_out() -> None:
    never = rules()
    assert not never.is_open("front", at("2026-11-25 12:00"))
    assert objection(never, "Ana", "2026-11-25 12:00")[0] is Why.NO_WINDOW
    assert never.spans("front", "staff", date(2026, 1, 1), 365) == []


def test_a_door_that_is_none_is_not_answered_for() -> None:
    with pytest.raises(KeyError, match="back"):
        rules(WORK).judge("back", "Ana", 0.0)


@pytest.mark.parametrize(
    ("zone", "day", "expected"),
    [
        ("UTC", "2027-01-15", ["+07:00", "-19:00"]),
        ("UTC", "2027-01-16", []),  # a Saturday
        ("Europe/Zagreb", "2027-03-26", ["+06:00", "-18:00"]),  # the Friday before summer time
        ("Europe/Zagreb", "2027-03-29", ["+05:00", "-17:00"]),  # the Monday after
        ("America/New_York", "2027-03-12", ["-00:00", "+12:00"]),  # Thursday's end comes on Friday in UTC
        ("America/New_York", "2027-03-15", ["+11:00", "-23:00"]),
        ("Asia/Kolkata", "2027-03-29", ["+01:30", "-13:30"]),
    ],
)
def test_a_window_holds_from_its_first_minute_until_before_its_last_in_the_houses_time_zone(
    zone: str, day: str, expected: list[str]
) -> None:
    assert changes(rules(WORK, zone=zone), day) == expected


@pytest.mark.parametrize(
    ("window", "first", "expected"),
    [
        # At 01:00 UTC the clock jumps from 02:00 to 03:00: no clock shows these times.
        (("sun", "02:15", "02:45"), "2026-03-28 12:00", []),
        (("sun", "01:30", "03:30"), "2026-03-28 12:00", ["+00:30", "-01:30"]),
        (("sun", "01:30", "02:30"), "2026-03-28 12:00", ["+00:30", "-01:00"]),
        (("sat", "22:00", "06:00"), "2026-03-28 12:00", ["+21:00", "-04:00"]),  # seven hours
        (("sat", "23:00", "02:30"), "2026-03-28 12:00", ["+22:00", "-01:00"]),
        # At 01:00 UTC the clock goes back from 03:00 to 02:00: it shows these times twice.
        (("sun", "02:15", "02:45"), "2026-10-24 12:00", ["+00:15", "-00:45", "+01:15", "-01:45"]),
        (("sat", "22:00", "06:00"), "2026-10-24 12:00", ["+20:00", "-05:00"]),  # nine hours
        (("sat", "23:00", "02:30"), "2026-10-24 12:00", ["+21:00", "-00:30", "+01:00", "-01:30"]),
        (("sun", "00:00", "24:00"), "2026-10-24 12:00", ["+22:00"]),
    ],
)
def test_windows_follow_the_clock_on_the_wall_through_the_nights_in_which_it_changes(
    window: tuple[str, str, str], first: str, expected: list[str]
) -> None:
    days, start, end = window
    assert changes(rules({"days": days, "who": "staff", "from": start, "to": end}), first) == expected


@pytest.mark.parametrize(
    ("window", "first", "expected"),
    [
        (("fri", "22:00", "02:00"), "2027-01-15", ["+22:00", "-02:00"]),
        (("fri-sat", "22:00", "06:00"), "2027-01-15", ["+22:00", "-06:00", "+22:00"]),
        (("sun", "22:00", "06:00"), "2027-01-17", ["+22:00", "-06:00"]),  # into Monday
        (("fri", "22:00", "00:00"), "2027-01-15", ["+22:00", "-00:00"]),
        (("fri", "22:00", "24:00"), "2027-01-15", ["+22:00", "-00:00"]),
        (("fri", "00:00", "24:00"), "2027-01-15", ["+00:00", "-00:00"]),
        (("fri", "12:00", "11:59"), "2027-01-15", ["+12:00", "-11:59"]),
    ],
)
def test_a_window_that_ends_before_it_begins_ends_on_the_next_day(
    window: tuple[str, str, str], first: str, expected: list[str]
) -> None:
    days, start, end = window
    night = rules({"days": days, "who": "staff", "from": start, "to": end}, zone="UTC")
    assert changes(night, first, hours=48) == expected


def test_peoples_dates_hold_for_the_day_on_which_a_window_opens() -> None:
    """A guest valid until Friday may come in on Saturday at 01:00, in the window that opened on Friday."""
    night = rules({**NIGHT, "days": "mon-sun", "who": "guests"})
    told = [
        objection(night, "Petra", f"2026-11-{when}")[0] for when in ("23 01:00", "23 22:00", "28 01:59", "28 22:00")
    ]
    assert told == [Why.NOT_YET_VALID, None, None, Why.NO_LONGER_VALID]
    assert night.is_open("front", at("2026-11-28 01:59"))


def test_a_guest_is_let_in_on_the_first_and_on_the_last_day() -> None:
    all_day = rules({"days": "mon-sun", "who": "guests", "from": "00:00", "to": "24:00"})
    assert changes(all_day, "2026-11-22 12:00", hours=7 * 24, person="Petra") == ["+23:00", "-23:00"]


def test_a_name_may_stand_in_a_group_more_than_once_with_different_dates() -> None:
    weeks = [
        {"name": "Ivan", "until": "2026-11-06"},
        {"name": "Ivan", "from": "2026-12-07", "until": "2026-12-11"},
        {"name": "Ivan", "from": "2026-11-16", "until": "2026-11-20"},
    ]
    found = rules({**WORK, "who": "interns"}, groups={"interns": weeks})
    told = {day: objection(found, "Ivan", f"2026-{day} 12:00") for day in ("11-06", "11-09", "11-16", "11-23", "12-14")}
    december, november = (("groups", "interns", 1), ("groups", "interns", 2))
    assert [why for why, *_ in told.values()] == [None, Why.NOT_YET_VALID, None, Why.NOT_YET_VALID, Why.NO_LONGER_VALID]
    assert told["11-09"][1:] == ("Ivan is in interns from 2026-11-16 until 2026-11-20", november)
    assert told["11-23"][1:] == ("Ivan is in interns from 2026-12-07 until 2026-12-11", december)
    assert told["12-14"][1:] == ("Ivan was in interns from 2026-12-07 until 2026-12-11", december)


def test_a_holiday_closes_the_windows_that_open_on_it_also_past_midnight() -> None:
    """Christmas is a Friday: the window that opens on it is shut until Saturday at 02:00, Thursday's is not."""
    found = rules({**NIGHT, "days": "thu"}, NIGHT, {**WORK, "days": "fri", "from": "10:00"})
    assert objection(found, "Ana", "2026-12-25 01:59")[0] is None
    holiday = (Why.HOLIDAY, "holiday: Božić", ("holidays",))
    assert [objection(found, "Ana", f"2026-12-{when}") for when in ("25 12:00", "25 22:00", "26 01:59")] == [
        holiday
    ] * 3
    assert objection(found, "Ana", "2026-12-26 02:00")[0] is Why.OUTSIDE_WINDOW


def test_holidays_close_open_or_make_a_window() -> None:
    """The 18th is a holiday, a Wednesday; the 19th is none."""
    for holidays, answers in {
        "closed": [Why.HOLIDAY, None],
        "open": [None, None],
        "only": [None, Why.OUTSIDE_WINDOW],
    }.items():
        found = rules({**WORK, "holidays": holidays})
        assert [objection(found, "Ana", f"2026-11-{day} 12:00")[0] for day in (18, 19)] == answers


def test_a_holiday_is_told_with_its_place_in_the_file() -> None:
    places = {
        ("holidays", "also", "2026-11-18"): {"also": {"2026-11-18": "this year", "11-18": "each year"}},
        ("holidays", "also", "11-18"): {"country": "HR", "also": {"2027-11-18": "next year", "11-18": "each year"}},
        ("holidays", "country"): {"country": "HR", "also": {"12-24": "another one"}},
    }
    for place, holidays in places.items():
        assert objection(rules(WORK, holidays=holidays), "Ana", "2026-11-18 12:00")[2] == place


CHRISTMAS_EVE = {"date": "2026-12-24", "close": True, "because": "Christmas Eve"}  # a Thursday
STOCK_TAKING = {
    "date": "2026-12-19",  # a Saturday
    "because": "stock-taking",
    "open": [{"who": "staff", "from": "08:00", "to": "14:00", "confirm": "phone", "evidence": {"frames": 3}}],
}


def test_an_exception_closes_the_windows_that_open_on_its_day_also_past_midnight() -> None:
    found = rules({**NIGHT, "days": "wed-thu"}, exceptions=(STOCK_TAKING, CHRISTMAS_EVE))
    assert objection(found, "Ana", "2026-12-24 01:59")[0] is None  # Wednesday's
    closed = (Why.CLOSED_DAY, "closed on 2026-12-24 (Christmas Eve)", ("exceptions", 1))
    assert [objection(found, "Ana", f"2026-12-{when}") for when in ("24 22:00", "25 01:59")] == [closed] * 2


def test_an_exception_opens_a_day_with_its_own_evidence() -> None:
    found = rules(WORK, exceptions=(STOCK_TAKING,))
    ruling = found.judge("front", "Ana", at("2026-12-19 08:00"))
    assert ruling.objection is None
    assert ruling.rule == "exception 2026-12-19 (stock-taking): staff, 08:00 to 14:00"
    assert ruling.loc == ("exceptions", 0, "open", 0)
    assert (ruling.confirm, ruling.evidence.frames, ruling.evidence.of) == (True, 3, 3)
    assert objection(found, "Ana", "2026-12-19 14:00")[0] is Why.OUTSIDE_WINDOW


def test_a_day_that_is_closed_or_a_holiday_may_still_have_openings_of_its_own() -> None:
    own = {"date": "2026-12-25", "close": True, "open": [{"who": "staff", "from": "10:00", "to": "12:00"}]}
    found = rules(WORK, exceptions=(own,))
    assert [objection(found, "Ana", f"2026-12-25 {clock}")[0] for clock in ("09:59", "10:00", "12:00")] == [
        Why.CLOSED_DAY,
        None,
        Why.CLOSED_DAY,
    ]


def test_exceptions_hold_until_their_last_day_and_at_their_doors() -> None:
    section = {
        "timezone": "Europe/Zagreb",
        "groups": {"staff": ["Ana"]},
        "doors": {door: {"cameras": [door], "windows": [WORK]} for door in ("front", "back")},
        "exceptions": [{"date": "2026-11-23", "until": "2026-11-24", "close": True, "doors": ["back"]}],
    }
    found = Rules(SchedulerSettings.model_validate(section), HOLIDAYS.get)
    days = [at(f"2026-11-{day} 12:00") for day in (20, 23, 24, 25)]
    assert [found.judge("back", "Ana", day).objection for day in days] == [None, *[Why.CLOSED_DAY] * 2, None]
    assert [found.judge("front", "Ana", day).objection for day in days] == [None] * 4
    assert [found.is_open("back", day) for day in days] == [True, False, False, True]


def test_of_several_openings_the_first_in_the_file_counts() -> None:
    looser = {**WORK, "days": "sat", "to": "10:00", "evidence": {"frames": 1}}
    strict = {**WORK, "days": "sat", "evidence": {"frames": 3, "within_s": 2.0}, "confirm": "phone"}
    for windows, frames, confirm in (([looser, strict], 1, False), ([strict, looser], 3, True)):
        found = rules(*windows, door={"evidence": {"of": 5, "faces": "single"}})
        ruling = found.judge("front", "Ana", at("2026-12-19 09:00"))
        assert (ruling.evidence.frames, ruling.confirm) == (frames, confirm)
        assert (ruling.evidence.of, ruling.evidence.faces) == (5, "single")  # what the window does not say
        assert ruling.loc == ("doors", "front", "windows", 0)
    first = rules(looser, exceptions=(STOCK_TAKING,)).judge("front", "Ana", at("2026-12-19 09:00"))
    assert first.loc == ("exceptions", 0, "open", 0)


def test_yesterdays_window_counts_by_its_place_in_the_file_too() -> None:
    morning = {"days": "sat", "who": "staff", "from": "00:00", "to": "06:00"}
    for windows in ([NIGHT, morning], [morning, NIGHT]):
        ruling = rules(*windows).judge("front", "Ana", at("2026-12-19 01:00"))
        assert ruling.loc == ("doors", "front", "windows", 0)


def test_an_exceptions_opening_goes_before_a_window_of_the_night_before() -> None:
    early = {"date": "2026-12-19", "open": [{"who": "staff", "from": "00:00", "to": "06:00"}]}
    ruling = rules(NIGHT, exceptions=(early,)).judge("front", "Ana", at("2026-12-19 01:00"))
    assert ruling.loc == ("exceptions", 0, "open", 0)


def test_any_group_of_a_person_helps_and_is_told() -> None:
    window = {**WORK, "who": ["guests", "staff", "everybody"]}
    found = rules(window, groups={"cleaners": ["Ana"]})
    assert objection(found, "Ana", "2026-11-25 12:00")[1] == "staff, mon-fri 07:00 to 19:00"
    assert objection(found, "Petra", "2026-11-25 12:00")[1] == "guests, mon-fri 07:00 to 19:00"
    assert objection(found, "Petra", "2026-11-30 12:00")[1] == "everybody, mon-fri 07:00 to 19:00"
    assert objection(found, "Ivan", "2026-11-25 12:00")[1] == "everybody, mon-fri 07:00 to 19:00"


def test_who_is_in_no_group_of_the_door_hears_that_first() -> None:
    front = ("doors", "front", "windows")
    expected = (Why.NO_WINDOW, "no window of door front names a group of Petra", front)
    assert objection(rules(WORK, exceptions=(CHRISTMAS_EVE,)), "Petra", "2026-12-24 12:00") == expected
    elsewhere = {"date": "2027-01-01", "open": [{"who": "guests", "from": "08:00", "to": "09:00"}]}
    assert objection(rules(WORK, exceptions=(elsewhere,)), "Petra", "2026-11-25 12:00")[0] is Why.OUTSIDE_WINDOW


def test_outside_of_all_windows_is_told_with_the_doors_own_evidence() -> None:
    found = rules({**WORK, "evidence": {"frames": 3}}, door={"evidence": {"frames": 1}})
    ruling = found.judge("front", "Ana", at("2026-11-25 06:59"))
    assert (ruling.objection, ruling.evidence.frames, ruling.confirm) == (Why.OUTSIDE_WINDOW, 1, False)
    assert ruling.rule == "no window of door front is open to Ana now"
    assert ruling.loc == ("doors", "front", "windows")


def test_who_is_not_valid_hears_that_also_while_no_window_is_open() -> None:
    found = rules({**WORK, "who": "guests"})
    for when in ("2026-11-20 12:00", "2026-11-22 03:00"):
        why = (Why.NOT_YET_VALID, "Petra is in guests from 2026-11-23 until 2026-11-27", ("groups", "guests", 0))
        assert objection(found, "Petra", when) == why
    for when in ("2026-11-30 12:00", "2026-11-28 03:00"):
        why = (Why.NO_LONGER_VALID, "Petra was in guests from 2026-11-23 until 2026-11-27", ("groups", "guests", 0))
        assert objection(found, "Petra", when) == why
    assert objection(found, "Petra", "2026-11-25 19:00")[0] is Why.OUTSIDE_WINDOW


def test_dates_stand_in_the_way_only_of_a_window_that_is_open_or_where_they_all_do() -> None:
    """Petra is also a cleaner, always; the guests' window is another one."""
    found = rules({**WORK, "who": "guests"}, {**NIGHT, "who": "cleaners"}, groups={"cleaners": ["Petra"]})
    assert objection(found, "Petra", "2026-11-30 12:00")[0] is Why.NO_LONGER_VALID
    assert objection(found, "Petra", "2026-11-30 19:00")[0] is Why.OUTSIDE_WINDOW


def test_a_closed_day_is_told_before_a_holiday_and_both_only_to_whom_the_window_is_for() -> None:
    christmas = {"date": "2026-12-25", "close": True}
    found = rules({**WORK, "who": ["staff", "guests"]}, exceptions=(christmas,))
    assert objection(found, "Ana", "2026-12-25 12:00") == (Why.CLOSED_DAY, "closed on 2026-12-25", ("exceptions", 0))
    assert objection(found, "Ana", "2026-12-25 19:00")[0] is Why.OUTSIDE_WINDOW
    assert objection(found, "Petra", "2026-12-25 12:00")[0] is Why.NO_LONGER_VALID


def test_a_holiday_is_told_before_a_persons_dates() -> None:
    """Two windows are for her now: one is shut, for the other she is no guest any more."""
    found = rules(WORK, {**WORK, "who": "guests", "holidays": "open"}, groups={"staff": ["Petra"]})
    assert objection(found, "Petra", "2026-12-25 12:00")[0] is Why.HOLIDAY


def test_dates_are_those_of_the_windows_that_are_open_now() -> None:
    """Petra will be a cleaner, but it is the guests' window, and she is no guest any more."""
    cleaners = [{"name": "Petra", "from": "2026-12-14"}]
    found = rules({**WORK, "who": "guests"}, {**NIGHT, "who": "cleaners"}, groups={"cleaners": cleaners})
    assert objection(found, "Petra", "2026-12-04 12:00")[0] is Why.NO_LONGER_VALID
    assert objection(found, "Petra", "2026-12-04 19:00")[0] is Why.NOT_YET_VALID


def test_a_closed_day_comes_before_a_holiday_of_the_night_before() -> None:
    """Friday is Christmas, Saturday is closed; both have windows at 01:00."""
    found = rules(NIGHT, {**WORK, "days": "sat", "from": "00:00"}, exceptions=({"date": "2026-12-26", "close": True},))
    assert objection(found, "Ana", "2026-12-26 01:00")[0] is Why.CLOSED_DAY


def test_rules_fit_in_a_message() -> None:
    long, because = "g" * 32, "b" * 200
    opening = {"who": [long], "from": "08:00", "to": "14:00"}
    special = {"date": "2026-12-19", "close": True, "because": because, "open": [opening]}
    member = {"name": "N" * 64, "until": "2026-12-31"}
    found = rules({**opening, "days": "sat, " * 80 + "sun"}, exceptions=(special,), groups={long: [member]})
    told = [
        found.judge("front", person, at(f"2026-12-{when}")).rule
        for person in ("N" * 64, "M" * 64)
        for when in ("19 08:00", "19 14:00", "26 08:00", "27 19:00")
    ]
    later = found.judge("front", "N" * 64, at("2027-01-02 08:00")).rule
    assert max(map(len, [*told, later])) == 200
    assert told[0].endswith(f"…): {long}, 08:00 to 14:00")


def test_a_door_is_open_while_a_window_is_that_lets_anybody_in() -> None:
    found = rules(
        {**WORK, "who": "guests"},
        {**WORK, "days": "sat", "who": "everybody"},
        {**NIGHT, "who": "nobody"},
        groups={"nobody": []},
    )
    answers = {
        "2026-11-20 12:00": False,  # no guest is valid yet
        "2026-11-20 23:00": False,  # a window of an empty group
        "2026-11-21 12:00": True,
        "2026-11-23 06:59": False,
        "2026-11-23 07:00": True,
        "2026-11-27 18:59": True,
        "2026-11-27 19:00": False,
        "2026-11-30 12:00": False,
    }
    assert {when: found.is_open("front", at(when)) for when in answers} == answers


def test_spans_are_the_openings_of_a_group_on_the_wall_in_their_order() -> None:
    found = rules(
        {**NIGHT, "confirm": "phone"},
        {**WORK, "days": "thu-sat"},
        {**WORK, "who": "everybody"},
        exceptions=(STOCK_TAKING, CHRISTMAS_EVE),
    )
    night = Span(
        datetime.fromisoformat("2026-12-18 22:00"),
        datetime.fromisoformat("2026-12-19 02:00"),
        "staff, fri 22:00 to 02:00",
        ("doors", "front", "windows", 0),
        confirm=True,
    )
    spans = found.spans("front", "staff", date(2026, 12, 18), 7)  # Christmas Eve is closed
    assert [(span.loc, span.start.day) for span in spans] == [
        (("doors", "front", "windows", 1), 18),
        (("doors", "front", "windows", 0), 18),
        (("doors", "front", "windows", 1), 19),
        (("exceptions", 0, "open", 0), 19),
    ]
    assert spans[1] == night
    assert [span.rule for span in found.spans("front", "everybody", date(2026, 12, 21), 1)] == [
        "everybody, mon-fri 07:00 to 19:00"
    ]


def test_spans_are_as_long_as_the_clock_on_the_wall_says() -> None:
    """Also in the nights in which it changes; and a window that no clock shows has one."""
    found = rules({**NIGHT, "days": "sat"}, {"days": "sun", "who": "staff", "from": "02:15", "to": "02:45"})
    for day in ("2026-03-28", "2026-10-24"):
        lengths = [span.end - span.start for span in found.spans("front", "staff", date.fromisoformat(day), 2)]
        assert lengths == [timedelta(hours=4), timedelta(minutes=30)]
