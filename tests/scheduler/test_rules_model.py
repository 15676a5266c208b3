"""The rules against a slow model that reads the file's text as a person would, minute by minute.

One policy that has a bit of everything is asked about one person in every minute of a year, in five
time zones (`is_open`: in each 61st minute, and whenever something opens or closes). Many small
policies are asked in every minute of the nights in which clocks change, in the minutes before and at
which something opens or closes, on each day of the year, and in each 97th minute; there about one of
four people, another one each day. Spans are compared by every minute of the year that they hold.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from agents.scheduler.config import SchedulerSettings
from agents.scheduler.rules import Rules

Policy = dict[str, Any]  # the scheduler's section, as it stands in the file; `holidays.also` are all holidays
Found = tuple[tuple[Any, ...], dict[str, Any], int, str | None]
Wall = tuple[int, int]  # what a clock shows: the day (ordinal) and the minute of the day

# In Lord Howe the clock changes by half an hour, in Beirut at midnight; in Apia there was no 30 December.
YEARS = [
    ("Europe/Zagreb", 2026),
    ("America/New_York", 2024),
    ("Australia/Lord_Howe", 2025),
    ("Asia/Beirut", 2025),
    ("Pacific/Apia", 2011),
]
DOOR = "front"
PEOPLE = ["Ana", "Ivan", "Petra", "Nobody's"]
DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
AS_FOUND = [Phase.explicit, Phase.reuse, Phase.generate]  # making a failure smaller takes minutes
ONE_DAY = timedelta(days=1)


@cache
def clock_of(zone: str, year: int) -> tuple[float, array[int], array[int]]:
    """What the clock on the wall shows in each minute of a UTC year: when the first one is, days, minutes."""
    first, after = (datetime(y, 1, 1, tzinfo=UTC).timestamp() for y in (year, year + 1))
    days, minutes = array("l"), array("l")
    wall = ZoneInfo(zone)
    for utc in range(int(first), int(after), 60):
        shown = datetime.fromtimestamp(utc, wall)
        days.append(shown.toordinal())
        minutes.append(shown.hour * 60 + shown.minute)
    return first, days, minutes


def test_the_years_have_all_that_clocks_do() -> None:
    """The other tests would prove less if the time zones' data were not there."""
    jumps = {zone: sorted(jump for _, jump in changes(zone, year)) for zone, year in YEARS}
    assert jumps == {
        "Europe/Zagreb": [-60, 60],
        "America/New_York": [-60, 60],
        "Australia/Lord_Howe": [-30, 30],
        "Asia/Beirut": [-60, 60],
        "Pacific/Apia": [-60, 60, 24 * 60],
    }


@cache
def changes(zone: str, year: int) -> list[tuple[int, int]]:
    """In which minutes of the year the clock jumps, and by how many minutes."""
    _, days, minutes = clock_of(zone, year)
    shown = [day * 1440 + minute for day, minute in zip(days, minutes, strict=True)]
    return [(i, shown[i] - shown[i - 1] - 1) for i in range(1, len(shown)) if shown[i] - shown[i - 1] != 1]


class Model:
    """The rules, as the documentation tells them, without a thought for speed.

    What opens on a day is written down once, as the minutes of that day and of the next one.
    """

    def __init__(self, policy: Policy, year: int) -> None:
        self.policy = policy
        self.members = {**policy["groups"], "everybody": [{"name": person} for person in PEOPLE]}
        first, last = date(year, 1, 1) - 3 * ONE_DAY, date(year, 12, 31) + 3 * ONE_DAY
        self.named = {group for _, opening, _ in self.openings() for group in opening["who"]}
        self.asked: tuple[str, int, list[Found]] = "", 0, []
        self.answer: tuple[Any, ...] = ()
        self.newest: tuple[int, list[list[Found]]] = 0, []
        self.diary = {
            day.toordinal(): list(self.opens_on(day))
            for day in (first + i * ONE_DAY for i in range((last - first).days + 1))
        }

    def openings(self) -> Iterator[tuple[tuple[Any, ...], dict[str, Any], dict[str, Any] | None]]:
        """All of the door's, in the order of the file, with their places; and the exception they belong to."""
        for i, special in enumerate(self.policy["exceptions"]):
            if DOOR in special.get("doors", [DOOR]):
                for k, opening in enumerate(special.get("open", [])):
                    yield ("exceptions", i, "open", k), opening, special
        for i, window in enumerate(self.policy["doors"][DOOR]["windows"]):
            yield ("doors", DOOR, "windows", i), window, None

    def opens_on(self, day: date) -> Iterator[tuple[Any, ...]]:
        """Place, opening, its minutes of this day and of the next, and why it is shut, if it is."""
        for loc, opening, special in self.openings():
            happens = covers(special, day) if special is not None else self.is_day_of(opening, day)
            if happens:
                shut = self.why_shut(opening, day) if special is None else None
                start, end = minute_of(opening["from"]), minute_of(opening["to"])
                if start < end:
                    yield loc, opening, range(start, end), range(0), shut
                else:
                    yield loc, opening, range(start, 1440), range(end), shut

    def is_day_of(self, window: dict[str, Any], day: date) -> bool:
        if window.get("holidays") == "only" and not self.is_holiday(day):
            return False
        return DAYS[day.weekday()] in days_of(window["days"])

    def why_shut(self, window: dict[str, Any], day: date) -> str | None:
        if self.is_closed(day):
            return "closed_day"
        return "holiday" if self.is_holiday(day) and window.get("holidays", "closed") == "closed" else None

    def is_holiday(self, day: date) -> bool:
        return day.isoformat() in self.policy["holidays"] or day.isoformat()[5:] in self.policy["holidays"]

    def is_closed(self, day: date) -> bool:
        return any(
            special.get("close", False) and covers(special, day) and DOOR in special.get("doors", [DOOR])
            for special in self.policy["exceptions"]
        )

    def at(self, wall: Wall) -> list[Found]:
        """What is open or shut at this time, in the order of the file: place, opening, day, why it is shut."""
        return self.page(wall[0])[wall[1]]

    def page(self, today: int) -> list[list[Found]]:
        """The same for each minute of a day."""
        if self.newest[0] != today:
            found = [(loc, opening, today - 1, later, shut) for loc, opening, _, later, shut in self.diary[today - 1]]
            found += [(loc, opening, today, minutes, shut) for loc, opening, minutes, _, shut in self.diary[today]]
            page: list[list[Found]] = [[] for _ in range(1440)]
            for loc, opening, day, minutes, shut in sorted(
                found, key=lambda each: (each[0][0] != "exceptions", each[0])
            ):
                for minute in minutes:
                    page[minute].append((loc, opening, day, shut))
            self.newest = today, page
        return self.newest[1]

    def standing(self, person: str, group: str, day: int) -> set[str]:
        """How the person stands in the group on a day, by each entry."""
        return {standing(member, day) for member in self.members[group] if member["name"] == person}

    def is_member(self, person: str, groups: list[str], day: int) -> bool:
        return any("valid" in self.standing(person, group, day) for group in groups)

    def judge(self, person: str, wall: Wall) -> tuple[Any, ...]:
        """Why not; and where the person is let in: by what, with how many frames, and whether asked."""
        asked = person, wall[0], self.at(wall)
        if asked != self.asked:  # the same openings on the same day have the same answer
            self.asked, self.answer = asked, self.find_answer(*asked)
        return self.answer

    def find_answer(self, person: str, today: int, now: list[Found]) -> tuple[Any, ...]:
        for loc, opening, day, shut in now:
            if shut is None and self.is_member(person, opening["who"], day):
                frames = opening.get("evidence", self.policy["doors"][DOOR]["evidence"])["frames"]
                return None, loc, frames, "confirm" in opening
        return (self.why_not(person, today, now),)

    def why_not(self, person: str, today: int, now: list[Found]) -> str:
        standings = [self.standing(person, group, today) for group in self.named]
        if not any(standings):
            return "no_window"
        for why in ("closed_day", "holiday"):
            if any(shut == why and self.is_member(person, opening["who"], day) for _, opening, day, shut in now):
                return why
        open_now = [(opening["who"], day) for _, opening, day, shut in now if shut is None]
        dates = {each for groups, day in open_now for group in groups for each in self.standing(person, group, day)}
        if not dates:
            dates = {each for found in standings for each in found}
        if "valid" in dates:
            return "outside_window"
        return "not_yet_valid" if "not yet" in dates else "no_longer_valid"

    def is_open(self, wall: Wall) -> bool:
        return any(
            shut is None and any(self.is_member(person, opening["who"], day) for person in PEOPLE)
            for _, opening, day, shut in self.at(wall)
        )

    def minutes_of(self, group: str, first: date, last: date) -> dict[tuple[Any, ...], set[int]]:
        """All minutes, counted by the clock on the wall, of each opening that names the group."""
        found: dict[tuple[Any, ...], set[int]] = defaultdict(set)
        for day in range(first.toordinal(), last.toordinal() + 1):
            for loc, opening, minutes, later, shut in self.diary[day]:
                if shut is None and group in opening["who"]:
                    found[loc].update(day * 1440 + minute for minute in minutes)
                    found[loc].update((day + 1) * 1440 + minute for minute in later)
        return {loc: minutes for loc, minutes in found.items() if minutes}


def covers(special: dict[str, Any], day: date) -> bool:
    return bool(special["date"] <= day.isoformat() <= special.get("until", special["date"]))


def days_of(text: str) -> list[str]:
    return {"mon-fri": DAYS[:5], "sat,sun": DAYS[5:], "fri-mon": ["fri", "sat", "sun", "mon"], "mon-sun": DAYS}[text]


def minute_of(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])


def standing(member: dict[str, Any], day: int) -> str:
    today = iso(day)
    if today < member.get("from", today):
        return "not yet"
    return "no longer" if today > member.get("until", today) else "valid"


@cache
def iso(day: int) -> str:
    return date.fromordinal(day).isoformat()


def rules_of(policy: Policy, zone: str) -> Rules:
    section = {**policy, "timezone": zone, "holidays": {}}
    holidays = policy["holidays"]

    def holiday(day: date) -> str | None:
        return "Feast" if day.isoformat() in holidays or day.isoformat()[5:] in holidays else None

    made = SchedulerSettings.model_validate(section)
    assert list(made.conflicts()) == []
    return Rules(made, holiday)


def judged(rules: Rules, person: str, utc: float) -> tuple[Any, ...]:
    """A ruling as the model tells it."""
    found = rules.judge(DOOR, person, utc)
    if found.objection is not None:
        return (found.objection.value,)
    return None, found.loc, found.evidence.frames, found.confirm


RICH: Policy = {
    "groups": {
        "staff": [{"name": "Ivan", "until": "YEAR-08-31"}],
        "guests": [
            {"name": "Ana", "from": "YEAR-02-10", "until": "YEAR-06-30"},
            {"name": "Ana", "from": "YEAR-09-20"},
        ],
    },
    "holidays": ["01-01", "03-29", "05-01", "10-25", "12-25", "12-31"],
    "exceptions": [
        {
            "date": "YEAR-03-12",
            "until": "YEAR-03-13",
            "close": True,
            "open": [{"who": ["guests"], "from": "10:00", "to": "11:30", "confirm": "phone"}],
        },
        {"date": "YEAR-10-23", "until": "YEAR-11-05", "doors": ["back"], "close": True},
        {"date": "YEAR-12-24", "until": "YEAR-12-25", "close": True, "doors": [DOOR]},
        {"date": "YEAR-05-01", "open": [{"who": ["guests"], "from": "23:00", "to": "01:00"}]},
    ],
    "doors": {
        DOOR: {
            "cameras": ["front"],
            "evidence": {"frames": 2},
            "windows": [
                {"days": "mon-fri", "who": ["staff", "guests"], "from": "07:00", "to": "19:00"},
                {"days": "mon-sun", "who": ["guests"], "from": "02:15", "to": "02:45", "evidence": {"frames": 3}},
                {"days": "fri-mon", "who": ["guests"], "from": "22:00", "to": "01:30", "holidays": "open"},
                {"days": "sat,sun", "who": ["guests"], "from": "23:30", "to": "06:00", "confirm": "phone"},
                {"days": "mon-sun", "who": ["everybody"], "from": "12:00", "to": "24:00", "holidays": "only"},
            ],
        },
        "back": {"cameras": ["back"]},
    },
}


ADMISSIONS = [
    (None, ("exceptions", 0, "open", 0), 2, True),
    (None, ("exceptions", 3, "open", 0), 2, False),
    (None, ("doors", DOOR, "windows", 0), 2, False),
    (None, ("doors", DOOR, "windows", 1), 3, False),
    (None, ("doors", DOOR, "windows", 2), 2, False),
    (None, ("doors", DOOR, "windows", 3), 2, True),
    (None, ("doors", DOOR, "windows", 4), 2, False),
]


def of_year(value: Any, year: int) -> Any:
    """The policy with this year's dates."""
    if isinstance(value, dict):
        return {key: of_year(each, year) for key, each in value.items()}
    if isinstance(value, list):
        return [of_year(each, year) for each in value]
    return value.replace("YEAR", str(year)) if isinstance(value, str) else value


@pytest.mark.parametrize(("zone", "year"), YEARS)
def test_every_minute_of_a_year_is_judged_as_by_the_clock_on_the_wall(zone: str, year: int) -> None:
    policy = of_year(RICH, year)
    model, rules = Model(policy, year), rules_of(policy, zone)
    first, days, minutes = clock_of(zone, year)
    answers, before = set(), None
    for i, wall in enumerate(zip(days, minutes, strict=True)):
        utc, expected, now = first + i * 60, model.judge("Ana", wall), model.at(wall)
        assert judged(rules, "Ana", utc) == expected, wall
        answers.add(expected)
        if now != before or i % 61 == 0:
            assert rules.is_open(DOOR, utc) == model.is_open(wall), wall
        before = now
    reasons = ["closed_day", "holiday", "not_yet_valid", "outside_window"]
    assert answers == {*((reason,) for reason in reasons), *ADMISSIONS}


TIMES = ["00:00", "00:30", "01:30", "02:00", "02:15", "02:45", "03:00", "12:00", "19:00", "23:30"]


def policies(zone: str, year: int) -> st.SearchStrategy[Policy]:
    """A few openings, with dates that are near to each other and to the days on which the clocks change."""
    _, shown, _ = clock_of(zone, year)
    changing = sorted({shown[i] + k for i, _ in changes(zone, year) for k in (-1, 0, 1)})
    days = st.sampled_from([*changing, date(year, 2, 28).toordinal(), date(year, 12, 31).toordinal()]).map(iso)
    times = st.sampled_from(TIMES) | st.integers(0, 1439).map(lambda m: f"{m // 60:02}:{m % 60:02}")
    opening = {
        "who": st.lists(st.sampled_from(["staff", "guests", "everybody"]), min_size=1, max_size=2, unique=True),
        "from": times,
        "to": times | st.just("24:00"),
    }
    maybe = {"evidence": st.just({"frames": 3}), "confirm": st.just("phone")}
    openings: st.SearchStrategy[Policy] = st.fixed_dictionaries(opening, optional=maybe).filter(
        lambda o: o["from"] != o["to"]
    )
    windows: st.SearchStrategy[Policy] = st.fixed_dictionaries(
        {**opening, "days": st.sampled_from(["mon-fri", "sat,sun", "fri-mon", "mon-sun"])},
        optional={**maybe, "holidays": st.sampled_from(["closed", "open", "only"])},
    ).filter(lambda o: o["from"] != o["to"])
    special: st.SearchStrategy[Policy] = st.fixed_dictionaries(
        {"date": days, "close": st.booleans(), "open": st.lists(openings, max_size=2)},
        optional={"until": days, "doors": st.sampled_from([[DOOR], ["back"], [DOOR, "back"]])},
    )
    specials = special.filter(lambda s: bool((s["close"] or s["open"]) and s["date"] <= s.get("until", s["date"])))
    members: st.SearchStrategy[Policy] = st.fixed_dictionaries(
        {"name": st.sampled_from(PEOPLE[:3])}, optional={"from": days, "until": days}
    ).filter(lambda m: m.get("from", "") <= m.get("until", "9"))
    return st.fixed_dictionaries(
        {
            "groups": st.fixed_dictionaries({"staff": st.lists(members), "guests": st.lists(members)}),
            "holidays": st.lists(days | days.map(lambda day: day[5:]), min_size=1, max_size=3),
            "exceptions": st.lists(specials, min_size=1, max_size=3),
            "doors": st.lists(windows, min_size=1, max_size=4).map(
                lambda windows: {
                    DOOR: {"cameras": ["front"], "evidence": {"frames": 2}, "windows": windows},
                    "back": {"cameras": ["back"]},
                }
            ),
        }
    )


def moments(policy: Policy, zone: str, year: int) -> list[int]:
    """Which minutes of the year to look at."""
    minutes = clock_of(zone, year)[2]
    openings = [opening for _, opening, _ in Model(policy, year).openings()]
    edges = {(minute_of(o[key]) + k) % 1440 for o in openings for key in ("from", "to") for k in (-1, 0)}
    nights = {i + k for i, _ in changes(zone, year) for k in range(-180, 240)}
    return [i for i, minute in enumerate(minutes) if i % 97 == 0 or minute in edges or i in nights]


@pytest.mark.parametrize(("zone", "year"), YEARS)
@settings(deadline=None, max_examples=2, suppress_health_check=list(HealthCheck), phases=AS_FOUND)
@given(data=st.data())
def test_any_policy_is_judged_as_by_the_clock_on_the_wall(zone: str, year: int, data: st.DataObject) -> None:
    policy = data.draw(policies(zone, year))
    model, rules = Model(policy, year), rules_of(policy, zone)
    first, days, minutes = clock_of(zone, year)
    for i in moments(policy, zone, year):
        wall, person = (days[i], minutes[i]), PEOPLE[(days[i] + minutes[i]) % 4]
        utc = first + i * 60 + i % 60
        assert judged(rules, person, utc) == model.judge(person, wall), (person, wall)
        assert rules.is_open(DOOR, utc) == model.is_open(wall), wall


@settings(deadline=None, max_examples=10, suppress_health_check=list(HealthCheck), phases=AS_FOUND)
@given(data=st.data())
def test_spans_hold_the_minutes_of_the_openings_that_name_a_group(data: st.DataObject) -> None:
    zone, year = data.draw(st.sampled_from(YEARS))
    check_spans(data.draw(policies(zone, year)), zone, year)


def test_spans_leave_out_what_is_shut_and_take_in_what_exceptions_open() -> None:
    for zone, year in YEARS:
        check_spans(of_year(RICH, year), zone, year)


def check_spans(policy: Policy, zone: str, year: int) -> None:
    rules, model = rules_of(policy, zone), Model(policy, year)
    for group in ("staff", "guests", "everybody"):
        first, days = date(year, 1, 1), 365
        spans = rules.spans(DOOR, group, first, days)
        held: dict[tuple[Any, ...], set[int]] = defaultdict(set)
        for span in spans:
            minutes = range(wall_minute(span.start), wall_minute(span.end))
            assert not held[span.loc].intersection(minutes)
            held[span.loc].update(minutes)
        assert held == model.minutes_of(group, first, first + (days - 1) * ONE_DAY)
        assert [span.start for span in spans] == sorted(span.start for span in spans)


def wall_minute(shown: datetime) -> int:
    return shown.toordinal() * 1440 + shown.hour * 60 + shown.minute
