"""`facelatch schedule`: the week, and why somebody is let in or not."""

from __future__ import annotations

import json
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.cli.moments import Asked, changes, moments, on_wall, read_moment
from agents.cli.schedule_explain import AHEAD_DAYS, explain
from agents.cli.schedule_picture import PHONE, Piece, _apart, panel
from agents.cli.schedule_week import Planner
from agents.runtime.clock import Clock
from tests.cli.conftest import Facelatch
from tests.cli.rules_house import HOUSE, NOW, ZONE, at_noon, line_of, policy, utc

WEEK = """\
Mon 2026-12-21 to Sun 2026-12-27, Europe/Zagreb

door front
                  staff              guests       night-shift    everybody
  Mon 2026-12-21  07:00-19:00        09:00-12:00  22:00-02:30+1  -
                  20:00-22:00 phone  13:00-17:00
  Tue 2026-12-22  07:00-19:00        09:00-12:00  22:00-02:30+1  -
                  20:00-22:00 phone  13:00-17:00
  Wed 2026-12-23  07:00-19:00        09:00-12:00  22:00-02:30+1  -
                  20:00-22:00 phone  13:00-17:00
  Thu 2026-12-24  08:00-14:00        -            -              -            closed: stock-taking
  Fri 2026-12-25  -                  -            22:00-02:30+1  -            holiday: Božić
  Sat 2026-12-26  -                  -            22:00-02:30+1  -
  Sun 2026-12-27  -                  -            02:15-02:45    10:00-13:00  exception: open day
                                                  22:00-02:30+1

door lab
                  staff
  Mon 2026-12-21  00:00-24:00
  Tue 2026-12-22  00:00-24:00
  Wed 2026-12-23  00:00-24:00
  Thu 2026-12-24  08:00-14:00  closed: stock-taking
  Fri 2026-12-25  -            holiday: Božić
  Sat 2026-12-26  00:00-24:00
  Sun 2026-12-27  00:00-24:00

door back
  no window lets anybody in

Petra is in guests from Tue 2026-12-22 until Wed 2026-12-23

+1: on the day after
phone: somebody has to agree each time
"""


@pytest.fixture
def ask(facelatch: Facelatch, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Facelatch:
    """`facelatch schedule …` on a Monday at half past twelve."""
    (folder / "facelatch.yaml").write_text(HOUSE, encoding="utf-8")
    monkeypatch.setattr(Clock, "now", at_noon)
    return lambda *arguments: facelatch("schedule", *arguments)


def test_the_week_shows_each_groups_openings_and_why_a_day_is_special(ask: Facelatch) -> None:
    assert ask().out == WEEK.splitlines()


def test_doors_groups_and_days_can_be_chosen(ask: Facelatch) -> None:
    assert ask("--door", "front", "--group", "guests", "--from", "2027-01-29", "--days", "3").out == [
        "Fri 2027-01-29 to Sun 2027-01-31, Europe/Zagreb",
        "",
        "door front",
        "                  guests",
        "  Fri 2027-01-29  09:00-12:00",
        "                  13:00-17:00",
        "  Sat 2027-01-30  -",
        "  Sun 2027-01-31  -",
        "",
        "Đuro is in guests until Sun 2027-01-31",
    ]


def test_a_night_in_which_the_clock_is_changed_is_told(ask: Facelatch) -> None:
    days = ask("--door", "lab", "--from", "2027-03-27", "--days", "2").out[-2:]
    assert days == [
        "  Sat 2027-03-27  00:00-24:00",
        "  Sun 2027-03-28  00:00-24:00  clocks go forward, 02:00 to 03:00",
    ]


def test_many_groups_stand_in_blocks_of_at_most_a_hundred_columns(ask: Facelatch, folder: Path) -> None:
    groups = [f"a-group-with-a-long-name-{i:02}" for i in range(9)]
    text = HOUSE.replace("    staff: [", "".join(f"    {group}: [Eva]\n" for group in groups) + "    staff: [")
    text = text.replace("back: { cameras: [front] }", f"back: {{ cameras: [front], windows: [{window(groups)}] }}")
    (folder / "facelatch.yaml").write_text(text, encoding="utf-8")
    out = ask("--door", "back").out
    assert max(map(len, out)) <= 100
    assert [word for line in out for word in line.split() if word.startswith("a-group")] == groups
    assert sum("10:00-11:00" in line for line in out) == 2 * 5  # Monday and Tuesday, in each block


def window(groups: list[str]) -> str:
    return f"{{ who: [{', '.join(groups)}], days: 'mon,tue', from: 10:00, to: 11:00 }}"


def test_the_week_for_programs_has_the_line_of_each_rule(ask: Facelatch) -> None:
    (line,) = ask("--json", "--door", "front").out
    found = json.loads(line)
    thursday = found["doors"]["front"][3]
    assert (thursday["date"], thursday["notes"], thursday["shut"]) == ("2026-12-24", ["closed: stock-taking"], True)
    assert thursday["openings"]["staff"] == [
        {
            "from": "2026-12-24T08:00",
            "to": "2026-12-24T14:00",
            "rule": "exception 2026-12-24 (stock-taking): staff, 08:00 to 14:00",
            "confirm": False,
            "file": "facelatch.yaml",
            "line": line_of("who: staff, from: 08:00"),
        }
    ]
    assert found["doors"]["front"][0]["openings"]["night-shift"][0]["to"] == "2026-12-22T02:30"
    assert found["members"] == [{"group": "guests", "name": "Petra", "from": "2026-12-22", "until": "2026-12-23"}]


MISTAKES = {
    ("--door", "frnt"): "there is no door 'frnt'; did you mean front?",
    ("--door", "xyz"): "there is no door 'xyz': back, front, lab",
    ("--group", "Staff"): "there is no group 'Staff'; did you mean staff?",
    ("--from", "tomorrow"): "--from 'tomorrow' is no date: use 2026-12-24",
    ("--from", "9999-12-30"): "--from 9999-12-30: only the years 1971 to 2099 are told about",
    ("--days", "0"): "--days 0: 1 to 366 can be shown",
    ("--png", "nowhere/week.png"): "nowhere/week.png can't be written: No such file or directory",
    ("--days", "366", "--png", "w.png"): "that is too much for one picture: name a door, or fewer days",
    ("explain", " ", "--door", "lab"): "'' can't be a person's name: ",
    ("explain", "Ana Kovač"): "at which door? --door front or --door lab or --door back",
    ("explain", "Ana Kovač", "--door", "lob"): "there is no door 'lob'; did you mean lab?",
    ("explain", "Ana Kovač", "--door", "lab", "--at", "2026-03-29 02:30 CET"): "--at '2026-03-29 02:30 CET' is no time",
    ("explain", "Ana Kovač", "--door", "lab", "--at", "2026-02-30 02:30"): "--at '2026-02-30 02:30' is no time",
}


@pytest.mark.parametrize("arguments", MISTAKES, ids=" ".join)
def test_a_mistake_is_told_in_one_line(arguments: tuple[str, ...], ask: Facelatch) -> None:
    done = ask(*arguments)
    assert done.status == 1
    assert len(done.err) == 1
    assert done.err[0].startswith(f"facelatch: {MISTAKES[arguments]}")


def test_without_matplotlib_the_table_is_there_and_the_picture_says_what_is_missing(
    ask: Facelatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    done = ask("--png", "week.png")
    assert done.status == 1
    assert done.out == ask().out
    assert "pip install 'facelatch[pictures]'" in done.err[0]


def test_the_same_week_is_the_same_svg_file_and_a_png_is_one(ask: Facelatch, folder: Path) -> None:
    pictures = [folder / name for name in ("one.svg", "two.svg")]
    for path in pictures:
        assert ask("--svg", path, "--png", folder / "week.png").status == 0
    assert pictures[0].read_bytes() == pictures[1].read_bytes()
    assert b"<svg" in pictures[0].read_bytes()
    assert b"2026-12" not in pictures[0].read_bytes().split(b"<defs>")[0]  # says not when it was made
    assert (folder / "week.png").read_bytes().startswith(b"\x89PNG\r\n")


def test_what_a_font_lacks_and_what_looks_like_a_formula_can_be_drawn(ask: Facelatch, folder: Path) -> None:
    (folder / "facelatch.yaml").write_text(HOUSE.replace("stock-taking", "元日 costs $\\frac$"), encoding="utf-8")
    assert ask("--svg", folder / "week.svg").status == 0


def test_in_the_picture_a_night_is_cut_at_midnight_and_both_parts_say_so() -> None:
    windows = [
        {"who": ["staff"], "days": "sun,mon", "from": "22:00", "to": "06:00"},
        {"who": ["staff"], "days": "mon", "from": "20:00", "to": "22:00", "confirm": "phone"},
        {"who": ["staff"], "days": "tue", "from": "20:00", "to": "24:00"},
    ]
    found = policy({"groups": {"staff": ["Ana"]}, "doors": {"front": {"cameras": ["front"], "windows": windows}}})
    week = Planner(found).week(on_wall(found.now, ZONE).date(), 2, ["front"])
    monday, tuesday = panel(week.doors[0]).rows
    assert dict(monday.lanes)["staff"] == [
        Piece(0.0, 6.0, "–06:00", False),
        Piece(20.0, 22.0, f"20:00–22:00 {PHONE}", True),
        Piece(22.0, 24.0, "22:00–", False),
    ]
    assert dict(tuesday.lanes)["staff"] == [Piece(0.0, 6.0, "–06:00", False), Piece(20.0, 24.0, "20:00–24:00", False)]


def test_openings_of_a_group_that_overlap_are_drawn_in_lanes_of_their_own() -> None:
    early, late, evening = (Piece(a, b, "", False) for a, b in ((7.0, 12.0), (10.0, 14.0), (12.0, 13.0)))
    assert _apart([early, late, evening]) == [[early, evening], [late]]


def test_a_yes_says_by_which_line_and_what_is_asked_for(ask: Facelatch) -> None:
    done = ask("explain", "Ana Kovač", "--door", "front", "--at", "2026-12-21 20:00")
    assert done.status == 0
    assert done.out == [
        "yes: Ana Kovač at door front, Mon 2026-12-21 20:00 (Europe/Zagreb)",
        f"  rule      facelatch.yaml:{line_of('confirm: phone')}: staff, mon-fri 20:00 to 22:00",
        "  evidence  3 of 3 frames within 5 s, whoever else is in view",
        "  liveness  required, an action is asked for in doubt; 2 times at most, 8 s each",
        "  confirm   somebody has to agree, on the phone",
        "Switches, limits and what the cameras see are not considered.",
    ]


def explained(ask: Facelatch, *arguments: str, door: str = "front") -> dict[str, Any]:
    done = ask("explain", *arguments, "--door", door, "--json")
    (line,) = done.out
    assert done.status == 0
    found = json.loads(line)
    assert isinstance(found, dict)
    return found


DENIALS = {
    "at lunch": ("Đuro", "2026-12-21 12:30", "outside_window", "who: guests, days: mon-fri, from: 13", "13:00"),
    "in no group": ("Eva", "2026-12-21 12:30", "outside_window", "", "2026-12-27 10:00"),
    "on a closed day": ("Ana Kovač", "2026-12-24 18:00", "closed_day", "date: 2026-12-24", "2026-12-27 10:00"),
    "on a holiday": ("Ana Kovač", "2026-12-25 10:00", "holiday", "Božić", "2026-12-27 10:00"),
    "before the first day": ("Petra", "2026-12-21 10:00", "not_yet_valid", "name: Petra", "2026-12-22 09:00"),
    "after the last day": ("Petra", "2026-12-28 10:00", "no_longer_valid", "name: Petra", None),
}


@pytest.mark.parametrize(("person", "at", "reason", "line", "following"), DENIALS.values(), ids=DENIALS)
def test_a_no_says_why_by_which_line_and_when_the_next_yes_is(
    person: str, at: str, reason: str, line: str, following: str | None, ask: Facelatch
) -> None:
    found = explained(ask, person, "--at", at)
    assert (found["allowed"], found["reason"], found["at"]) == (False, reason, utc(at))
    if reason != "outside_window":
        assert found["line"] == line_of(line)
    wanted = f"2026-12-21 {following}" if following and len(following) == 5 else following
    assert found["next"] == (utc(wanted) if wanted else None)


def test_without_a_time_it_is_about_now_and_check_makes_a_no_an_exit_status(ask: Facelatch) -> None:
    yes, no = ("explain", "Ana Kovač", "--door", "front"), ("explain", "Petra", "--door", "front")
    assert ask(*yes).out[0] == "yes: Ana Kovač at door front, Mon 2026-12-21 12:30 (Europe/Zagreb)"
    assert [ask(*command).status for command in (yes, no)] == [0, 0]
    assert [ask(*command, "--check").status for command in (yes, no)] == [0, 1]


def test_a_time_of_day_is_todays_and_an_offset_names_a_very_moment(ask: Facelatch) -> None:
    assert explained(ask, "Ana Kovač", "--at", "7:05")["local"] == "2026-12-21T07:05:00"
    assert explained(ask, "Ana Kovač", "--at", "2026-12-21T06:05Z")["at"] == utc("2026-12-21 07:05")


def test_a_time_that_no_clock_shows_is_in_no_window_and_that_is_said(ask: Facelatch) -> None:
    found = explained(ask, "Željko", "--at", "2026-03-29 02:20")
    assert (found["allowed"], found["reason"], found["at"]) == (False, "outside_window", None)
    assert found["rule"] == "no clock shows 02:20 on 2026-03-29"
    assert found["note"] == "the clock is put forward that night and never shows 02:20"
    assert found["next"] == utc("2026-03-29 22:00")


def test_after_a_time_that_no_clock_shows_the_next_one_may_be_the_hour_to_which_the_clock_jumps() -> None:
    window = {"who": ["staff"], "days": "sun", "from": "02:00", "to": "04:00"}
    found = policy({"groups": {"staff": ["Ana"]}, "doors": {"front": {"cameras": ["front"], "windows": [window]}}})
    explanation = explain(found, "Ana", "front", read_moment("2026-03-29 02:30", ZONE, on_wall(NOW, ZONE).date()))
    assert (explanation.allowed, explanation.next_at) == (False, utc("2026-03-29 03:00"))


def test_of_a_time_that_comes_twice_it_is_said_that_it_does(ask: Facelatch) -> None:
    found = explained(ask, "Željko", "--at", "2026-10-25 02:20")
    assert (found["allowed"], found["at"]) == (True, utc("2026-10-25 02:20", fold=0))
    assert found["note"] == "the clock is put back that night and shows 02:20 twice; the answer is for both"
    assert explained(ask, "Željko", "--at", "2026-10-25T02:20+01:00")["note"] is None


def test_between_the_two_hours_of_that_night_the_next_opening_is_the_second_one(ask: Facelatch) -> None:
    found = explained(ask, "Željko", "--at", "2026-10-25T02:50+02:00")
    assert (found["allowed"], found["next"]) == (False, utc("2026-10-25 02:00", fold=1))


def test_a_name_in_no_group_is_told_with_the_one_that_is_nearly_so(ask: Facelatch) -> None:
    assert explained(ask, "ana kovac")["note"] == "ana kovac is in no group; did you mean Ana Kovač?"
    assert explained(ask, "Kova\u010d")["note"] == "Kovač is in no group; did you mean Ana Kovač?"
    assert explained(ask, "Ana Kovac\u030c")["note"] is None  # the same name, typed otherwise


def test_who_is_in_no_group_comes_in_with_everybody_who_is_enrolled(ask: Facelatch) -> None:
    found = explained(ask, "Eva", "--at", "2026-12-27 10:00")
    assert found["allowed"]
    assert found["note"] == "Eva is in no group; everybody is whoever is enrolled: facelatch people tells who"
    assert explained(ask, "Eva", "--at", "2026-12-27 10:00", door="lab")["reason"] == "no_window"


def test_the_door_need_not_be_named_where_there_is_one_only(facelatch: Facelatch) -> None:
    done = facelatch("schedule", "explain", "Ana")
    assert done.status == 0
    assert done.out[0].startswith("no, no_window: Ana at door front, ")


def test_a_holiday_that_is_not_known_is_told(ask: Facelatch, folder: Path) -> None:
    (folder / "facelatch.yaml").write_text(HOUSE.replace("holidays: {", "holidays: { country: XX,"), encoding="utf-8")
    assert ask().err[0].startswith("facelatch: ")
    assert "'XX'" in ask().err[0]


MINUTES = st.integers(0, 24 * 60 - 1).map(lambda total: f"{total // 60:02}:{total % 60:02}")
WINDOWS = st.builds(
    lambda days, first, last: {"who": ["staff"], "days": days, "from": first, "to": last},
    st.sampled_from(["mon-sun", "sat", "sun", "sat,mon"]),
    MINUTES,
    MINUTES,
).filter(lambda window: window["from"] != window["to"])
NIGHTS = ["2026-03-28 20:00", "2026-10-24 20:00", "2026-12-31 20:00"]


@settings(max_examples=60, deadline=None)
@given(st.lists(WINDOWS, max_size=2), st.sampled_from(NIGHTS), st.integers(0, 12 * 60))
def test_the_next_yes_is_the_first_one_that_a_look_at_every_minute_finds(
    windows: list[dict[str, str]], night: str, minutes: int
) -> None:
    found = policy({"groups": {"staff": ["Ana"]}, "doors": {"front": {"cameras": ["front"], "windows": windows}}})
    at = utc(night) + 60 * minutes
    explanation = explain(found, "Ana", "front", Asked(on_wall(at, ZONE), (at,)))
    looked_at = (at + 60 * k for k in range(8 * 24 * 60))  # a week, and the day of the change
    first = next((look for look in looked_at if found.rules.judge("front", "Ana", look).objection is None), None)
    assert (at if explanation.allowed else explanation.next_at) == first


ZONES = ["Europe/Zagreb", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca"]
YEARS = datetime.fromisoformat("2024-01-01"), datetime.fromisoformat("2030-01-01")


@settings(deadline=None)
@given(st.sampled_from(ZONES).map(ZoneInfo), st.datetimes(*YEARS))
def test_the_moments_of_a_local_time_are_all_those_at_which_the_clock_shows_it(zone: ZoneInfo, wall: datetime) -> None:
    wall = wall.replace(second=0, microsecond=0)
    about = wall.replace(tzinfo=ZoneInfo("UTC")).timestamp()
    seen = [about + 60 * k for k in range(-15 * 60, 15 * 60) if on_wall(about + 60 * k, zone) == wall]
    assert list(moments(wall, zone)) == seen


def test_every_change_of_the_clock_is_found_to_the_second() -> None:
    year = utc("2026-01-01 00:00"), utc("2027-01-01 00:00")
    spring, autumn = changes(ZONE, *year)
    assert (spring.utc, autumn.utc) == (utc("2026-03-29 03:00"), utc("2026-10-25 02:00", fold=1))
    assert [str(change) for change in (spring, autumn)] == [
        "clocks go forward, 02:00 to 03:00",
        "clocks go back, 03:00 to 02:00",
    ]
    assert list(changes(ZONE, spring.utc + 1, autumn.utc - 1)) == []
    assert len(list(changes(ZoneInfo("Africa/Casablanca"), *year))) == 2  # for Ramadan
    assert autumn.before - autumn.after == timedelta(hours=1)
    assert AHEAD_DAYS == 60
