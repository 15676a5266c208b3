"""`facelatch stats`: what the journal's visits add up to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.cli.stats_figures import Figures, Spread, figures
from agents.cli.stats_table import tables
from agents.runtime.clock import Clock
from agents.scheduler.chain import Kind
from agents.scheduler.journal import Journal
from agents.scheduler.journal_reader import Record
from agents.wire.why import Why
from tests.cli.conftest import Facelatch
from tests.cli.rules_house import HOUSE, NOW, ZONE, at_noon, utc

NUMBERS = count(1)


def decision(at: float, why: Why = Why.CONFIRMED, door: str = "front", decision_id: str = "a") -> Record:
    body = {
        "id": decision_id,
        "door": door,
        "camera": "front",
        "outcome": "granted" if why is Why.CONFIRMED else "denied",
        "reason": why.value,
        "person": None if why is Why.UNKNOWN_PERSON else "Ana Kovač",
        "distance": 0.25,
        "evidence": {"agreeing": 2, "needed": 2, "frames": 3, "faces": 1},
        "began_at": at - 0.5,
        "captured_at": at - 0.25,
        "decided_at": at,
        "rule": "",
        "detail": "",
    }
    return record(Kind.DECISION, at, door, body)


def event(at: float, door: str = "front", **changed: Any) -> Record:
    body = {"door": door, "event_type": "unlocked", "at": at, "cause": "grant", "id": "a", **changed}
    return record(Kind.EVENT, at, door, body)


def record(kind: str, at: float, door: str | None, body: dict[str, Any] | None) -> Record:
    return Record(next(NUMBERS), at, kind, door, body, body is None, b"")


def test_visits_are_counted_by_outcome_reason_and_the_day_and_hour_of_the_houses_clock() -> None:
    found = figures(
        [
            decision(utc("2026-12-20 23:59")),
            decision(utc("2026-12-21 00:00"), Why.OUTSIDE_WINDOW),
            decision(utc("2026-12-21 00:30"), Why.UNKNOWN_PERSON),
            decision(utc("2026-12-21 07:00"), Why.UNKNOWN_PERSON),
            record(Kind.SWITCH, utc("2026-12-21 08:00"), None, {"what": "away", "state": "ON"}),
        ],
        ZONE,
    ).facts()
    assert (found["visits"], found["granted"], found["denied"]) == (4, 1, 3)
    assert found["reasons"] == {"unknown_person": 2, "outside_window": 1}
    assert found["days"] == [
        {"date": "2026-12-20", "visits": 1, "granted": 1, "denied": 0},
        {"date": "2026-12-21", "visits": 3, "granted": 0, "denied": 3},
    ]
    busy = {hour["hour"]: (hour["granted"], hour["denied"]) for hour in found["hours"] if hour["visits"]}
    assert busy == {0: (0, 2), 7: (0, 1), 23: (1, 0)}
    assert len(found["hours"]) == 24


def test_the_hour_that_comes_twice_is_one_line_with_both() -> None:
    both = [decision(utc("2026-10-25 02:30", fold=fold)) for fold in (0, 1)]
    assert figures(both, ZONE).hours[2].granted == 2


def test_the_time_to_open_is_from_both_frames_to_the_relay() -> None:
    found = figures([decision(NOW), event(NOW + 0.25)], ZONE)
    assert (found.from_first_s, found.from_deciding_s) == ([0.75], [0.5])


NO_OPENINGS = {
    "another visit's": [event(NOW + 1, id="b")],
    "another door's": [event(NOW + 1, door="lab")],
    "by hand": [event(NOW + 1, cause="command")],
    "refused": [event(NOW + 1, event_type="rejected", reason="expired")],
    "kept open for longer": [event(NOW + 1, event_type="extended")],
    "without an id": [event(NOW + 1, id=None)],
}


@pytest.mark.parametrize("events", NO_OPENINGS.values(), ids=NO_OPENINGS)
def test_what_did_not_open_the_door_for_the_visit_is_no_time_to_open(events: list[Record]) -> None:
    found = figures([decision(NOW), *events], ZONE)
    assert found.from_first_s == []
    assert found.before == 0
    assert figures([decision(NOW), *events, event(NOW + 2)], ZONE).from_first_s == [2.5]


def test_an_opening_is_counted_once_however_often_it_is_told() -> None:
    assert len(figures([decision(NOW), event(NOW + 1), event(NOW + 2)], ZONE).from_first_s) == 1


def test_a_denied_visit_has_no_time_to_open() -> None:
    assert figures([decision(NOW, Why.AWAY), event(NOW + 1)], ZONE).from_first_s == []


def test_where_clocks_disagree_it_is_said_and_not_counted() -> None:
    found = figures([decision(NOW), event(NOW - 5)], ZONE)
    assert (found.before, found.from_first_s) == (1, [])
    assert "  1 more was open before it was seen: the clocks of camera and door disagree" in list(tables(found))


def test_erased_and_damaged_records_are_said_and_spoil_nothing() -> None:
    body = decision(NOW).body
    assert body is not None
    damaged = [{**body, "outcome": "opened"}, {**body, "decided_at": "noon"}, {}, None]
    found = figures(
        [
            *(record(Kind.DECISION, NOW, "front", one) for one in damaged),
            decision(NOW),
            record(Kind.EVENT, NOW, "front", None),
            record(Kind.EVENT, NOW, None, {"at": []}),
            event(NOW + 1),
        ],
        ZONE,
    )
    assert (found.unread, found.total.visits, len(found.from_first_s)) == (4, 1, 1)
    assert "4 decisions more can't be read, or were erased" in list(tables(found))


@given(st.lists(st.floats(0, 60), min_size=2))
def test_half_of_the_times_are_at_most_p50_and_few_are_above_p95(seconds: list[float]) -> None:
    spread = Spread.of(seconds)
    assert spread is not None
    assert sum(one <= spread.p50 + 0.001 for one in seconds) >= len(seconds) / 2
    assert sum(one > spread.p95 + 0.001 for one in seconds) <= 0.05 * len(seconds) + 1
    assert min(seconds) - 0.001 <= spread.p50 <= spread.p95 <= max(seconds) + 0.001


def test_of_one_time_both_are_that_one_and_of_none_there_are_none() -> None:
    assert Spread.of([0.1234]) == Spread(0.123, 0.123, 1)
    assert Spread.of([]) is None


TABLES = """\
3 visits: 1 granted █, 2 denied ░

       1  outside_window  outside the hours of this person
       1  away            the house is away

  until the door was open                  p50       p95      of
  from the first frame with a face      0.75 s    0.75 s       1
  from the deciding frame               0.50 s    0.50 s       1

                  visits  granted  denied
  Fri 2026-12-18       1        0       1  ░
  Sat 2026-12-19       0        0       0
  Sun 2026-12-20       2        1       1  █░

         visits  granted  denied
  07:00       2        1       1  █░
  08:00       0        0       0
  09:00       1        0       1  ░"""


def test_the_tables_have_every_day_and_hour_between_the_first_and_the_last_visit() -> None:
    at = utc("2026-12-20 07:10")
    records = [
        decision(utc("2026-12-18 07:10"), Why.OUTSIDE_WINDOW),
        decision(at),
        event(at + 0.25),
        decision(utc("2026-12-20 09:59"), Why.AWAY),
    ]
    assert list(tables(figures(records, ZONE))) == TABLES.splitlines()


def test_of_many_visits_the_bars_fit_and_of_many_days_the_newest_are_shown() -> None:
    found = figures([decision(NOW - 86_400 * (i % 100), list(Why)[i % 2]) for i in range(5000)], ZONE)
    lines = list(tables(found))
    assert max(map(len, lines)) <= 80
    shown = [line for line in lines if "2026-" in line]
    assert (len(shown), shown[-1].split()[1]) == (31, "2026-12-21")
    assert "  earlier days: --json, or --png FILE" in lines


def test_a_single_denial_shows_among_a_thousand_visits() -> None:
    visits = [decision(NOW) for _ in range(1000)]
    (line,) = (line for line in tables(figures([*visits, decision(NOW, Why.AWAY)], ZONE)) if "2026-12-21" in line)
    assert line.endswith("█░")


@pytest.fixture
def stats(facelatch: Facelatch, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Facelatch]:
    """`facelatch stats …` on Monday, 21 December 2026, of a journal with three visits."""
    (folder / "facelatch.yaml").write_text(HOUSE, encoding="utf-8")
    monkeypatch.setattr(Clock, "now", at_noon)
    journal = Journal(folder / "data" / "journal.sqlite")
    old, yesterday = utc("2026-11-20 07:00"), utc("2026-12-20 07:00")
    for one in (decision(old), decision(yesterday), event(yesterday + 0.25), decision(NOW, Why.AWAY, "lab")):
        assert one.body is not None
        journal.append(Kind(one.kind), one.at, one.body)
    yield lambda *arguments: facelatch("stats", *arguments)
    journal.close()


def facts(stats: Facelatch, *arguments: str) -> dict[str, Any]:
    (line,) = stats("--json", *arguments).out
    found = json.loads(line)
    assert isinstance(found, dict)
    return found


def test_without_more_it_is_about_the_last_thirty_days_while_the_scheduler_runs(stats: Facelatch) -> None:
    found = facts(stats)
    assert (found["since"], found["until"], found["timezone"]) == (NOW - 30 * 86_400, NOW, "Europe/Zagreb")
    assert (found["visits"], found["granted"], found["denied"]) == (2, 1, 1)
    assert found["time_to_open_s"]["from_first_frame"] == {"p50": 0.75, "p95": 0.75, "n": 1}
    assert found["time_to_open_s"]["from_deciding_frame"] == {"p50": 0.5, "p95": 0.5, "n": 1}


def test_door_and_time_can_be_chosen(stats: Facelatch) -> None:
    assert facts(stats, "--since", "2026-11-01")["visits"] == 3
    assert facts(stats, "--since", "2026-11-01", "--until", "2026-11-30")["visits"] == 1
    assert facts(stats, "--since", "2026-12-21", "--until", "today")["reasons"] == {"away": 1}
    assert facts(stats, "--door", "front")["denied"] == 0
    assert stats("--door", "lab").out[:2] == [
        "door lab, Sat 2026-11-21 12:30 to Mon 2026-12-21 12:30, Europe/Zagreb",
        "1 visit: 0 granted █, 1 denied ░",
    ]


def test_a_mistake_is_told_in_one_line(stats: Facelatch) -> None:
    assert stats("--door", "frnt").err == ["facelatch: there is no door 'frnt'; did you mean front?"]
    for option in ("--since", "--until"):
        done = stats(option, "once")
        assert (done.status, len(done.err)) == (1, 1)
        assert done.err[0].startswith(f"facelatch: {option} 'once' is no time")


def test_before_there_is_a_journal_that_is_said(facelatch: Facelatch, folder: Path) -> None:
    done = facelatch("stats")
    assert done.status == 1
    assert done.err[0].startswith(f"facelatch: {folder / 'data' / 'journal.sqlite'}: there is no journal yet")


def test_the_same_figures_are_the_same_svg_file_and_a_png_is_one(stats: Facelatch, folder: Path) -> None:
    for name in ("one.svg", "two.svg"):
        assert stats("--svg", folder / name, "--png", folder / "stats.png").status == 0
    assert (folder / "one.svg").read_bytes() == (folder / "two.svg").read_bytes()
    assert (folder / "stats.png").read_bytes().startswith(b"\x89PNG\r\n")


def test_of_no_visits_at_all_there_is_a_picture_too(stats: Facelatch, folder: Path) -> None:
    done = stats("--since", "2026-12-01", "--until", "2026-12-02", "--svg", folder / "none.svg")
    assert (done.status, done.out[1:]) == (0, ["0 visits: 0 granted █, 0 denied ░"])
    assert (folder / "none.svg").exists()


def test_figures_begin_with_nothing() -> None:
    assert Figures(ZONE).facts()["time_to_open_s"] == {"from_first_frame": None, "from_deciding_frame": None}
