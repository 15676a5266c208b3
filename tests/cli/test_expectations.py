"""`facelatch schedule test`: an owner's expectations, held against the rules."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.cli import expectations, policy
from agents.cli.policy import Policy
from agents.runtime.clock import Clock
from agents.wire.messages import Outcome
from agents.wire.why import Why
from tests.cli import rules_house
from tests.cli.conftest import Done, Facelatch
from tests.cli.rules_house import HOUSE, at_noon, line_of, utc


@pytest.fixture
def rules(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Policy]:
    """The house's, on Monday, 21 December 2026."""
    (folder / "facelatch.yaml").write_text(HOUSE, encoding="utf-8")
    monkeypatch.setattr(Clock, "now", at_noon)
    with policy.policy_of(argparse.Namespace(config=folder / "facelatch.yaml")) as found:
        yield found


@pytest.fixture
def tried(facelatch: Facelatch, rules: Policy, folder: Path) -> Facelatch:
    """`facelatch schedule test FILE` of these lines."""

    def run(*lines: str | Path) -> Done:
        (folder / "rules.txt").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return facelatch("schedule", "test", "rules.txt")

    return run


HOLDS = [
    "Ana Kovač front 2026-12-21 06:59 denied outside-window",
    "Ana Kovač front 2026-12-21 07:00 granted",
    "Ana Kovač front 2026-12-21 18:59 granted",
    "Ana Kovač front 2026-12-21 19:00 denied outside_window",
    "Ana Kovač front 2026-12-21 20:30 granted  # somebody has to agree, which is not asked here",
    "Ana Kovač front 2026-12-24 15:00 denied CLOSED-DAY",
    "Ana Kovač front 2026-12-25 10:00 denied holiday",
    "Željko front 2026-12-25 23:00 granted",
    "Željko front 2026-12-26 02:29 granted",
    "Petra front 2026-12-21 10:00 denied not-yet-valid",
    "Petra front 2026-12-24 10:00 denied",
    "Petra front 2026-12-28 10:00 denied no-longer-valid",
    "Eva lab 2026-12-21 10:00 denied no-window",
    "Eva front 2026-12-27 10:00 granted",
]


def test_what_the_rules_keep_is_counted_and_nothing_else_is_said(tried: Facelatch) -> None:
    done = tried("# of the doors", "", *HOLDS, "   ", "\t# the end")
    assert (done.status, done.out, done.err) == (0, ["14 expectations hold"], [])


@pytest.mark.parametrize("line", HOLDS)
def test_the_opposite_of_what_holds_does_not(line: str, tried: Facelatch) -> None:
    words = line.partition("#")[0].split()
    turned = " ".join(["denied" if word == "granted" else word for word in words])
    if "denied" in words:
        turned = " ".join([*words[: words.index("denied")], "granted"])
    assert tried(turned).out[-1] == "0 expectations hold, 1 does not"


def test_each_failure_says_what_was_expected_and_which_line_of_the_rules_decided(tried: Facelatch) -> None:
    done = tried(
        "Ana Kovač front Mon 07:00 denied outside-window",
        "Ana Kovač front Mon 06:59 granted",
        "Ana Kovač front 2026-12-24 15:00 denied holiday",
        "Ana Kovač front Mon 12:00 granted",
    )
    assert done.status == 1
    where = "facelatch.yaml"
    decided = f"{where}:{line_of('  windows:')}: no window of door front is open to Ana Kovač"
    assert [re.sub("(to Ana Kovač) .*", r"\1", line) for line in done.out] == [
        "rules.txt:1: Ana Kovač at front, Mon 2026-12-21 07:00: expected denied outside_window,"
        f" got granted by {where}:{line_of('to: 19:00')}: staff, mon-fri 07:00 to 19:00",
        "rules.txt:2: Ana Kovač at front, Mon 2026-12-21 06:59: expected granted, got denied outside_window"
        f" by {decided}",
        "rules.txt:3: Ana Kovač at front, Thu 2026-12-24 15:00: expected denied holiday, got denied closed_day by"
        f" {where}:{line_of('date: 2026-12-24')}: closed on 2026-12-24 (stock-taking)",
        "1 expectation holds, 3 do not",
    ]


UNREADABLE = {
    "Ana Kovač front Mon 07:00": "'Ana Kovač front Mon 07:00' can't be read: it has to be NAME DOOR DAY TIME",
    "Ana Kovač front Mon 07:00 opened": "'Ana Kovač front Mon 07:00 opened' can't be read: it has to be NAME DOOR",
    "front Mon 07:00 granted": "'front Mon 07:00 granted' can't be read: it has to be NAME DOOR DAY TIME",
    "Ana Kovač Mon 07:00 granted": "there is no door 'Kovač': back, front, lab",
    "Ana Kovač fornt Mon 07:00 granted": "there is no door 'fornt'; did you mean front?",
    "Ana Kovač front Moon 07:00 granted": "'Moon' is no date: use 2026-12-24, or a weekday: mon, tue",
    "Ana Kovač front 2026-02-30 07:00 granted": "'2026-02-30' is no date: use 2026-12-24, or a weekday",
    "Ana Kovač front 9999-12-31 07:00 granted": "9999-12-31: only the years 1971 to 2099 are told about",
    "Ana Kovač front Mon 7am granted": "'7am' is no time of day: use 07:00",
    "Ana Kovač front Mon 24:00 granted": "24:00 is 00:00 of the day after",
    "Ana Kovač front Mon 07:00 granted confirmed": "granted has no reason (got 'confirmed')",
    "Ana Kovač front Mon 07:00 denied cool-down": "'cool-down' is no reason of the rules: no_window, outside_window",
}


def test_every_line_that_can_not_be_read_is_told_and_the_others_are_tested(tried: Facelatch) -> None:
    done = tried(*UNREADABLE, HOLDS[0])
    assert done.status == 1
    *told, summary = done.out
    assert summary == "1 expectation holds, 12 lines can't be read"
    for number, (line, said) in enumerate(zip(told, UNREADABLE.values(), strict=True), 1):
        assert line.startswith(f"rules.txt:{number}: {said}")


@given(st.text(max_size=60))
def test_no_text_at_all_ends_the_test(text: str) -> None:
    rules = rules_house.policy({"doors": {"front": {"cameras": ["front"]}}})
    for line in expectations.review(text.split("\n"), rules):
        assert line.held is None or line.told is None


def test_a_weekday_is_the_next_one_that_is_like_the_others(rules: Policy) -> None:
    days = {
        "Mon": "2026-12-21 10:00",  # today
        "tuesday": "2026-12-22 10:00",
        "thu": "2026-12-31 10:00",  # the 24th is an exception
        "FRI": "2027-01-01 10:00",  # the 25th is a holiday
        "Sat": "2027-01-02 10:00",  # the windows of the holiday before may last until the 26th
        "Sunday": "2027-01-03 10:00",
    }
    for day, wanted in days.items():
        found = expectations.read(f"Ana Kovač front {day} 10:00 granted", rules)
        assert found.asked.moments == (utc(wanted),)
    at_another_door = expectations.read("Ana Kovač lab Sunday 10:00 granted", rules)
    assert at_another_door.asked.moments == (utc("2026-12-27 10:00"),)
    at_a_third = expectations.read("Ana Kovač back Thu 10:00 granted", rules)
    assert at_a_third.asked.moments == (utc("2026-12-24 10:00"),)


def test_a_weekday_is_never_one_on_which_the_clock_is_changed() -> None:
    rules = rules_house.policy({"doors": {"front": {"cameras": ["front"]}}}, now=utc("2026-03-28 12:00"))
    found = expectations.read("Ana front Sun 02:30 granted", rules)
    assert found.asked.moments == (utc("2026-04-05 02:30"),)


def test_where_no_such_day_is_like_the_others_it_is_told() -> None:
    always = {"date": "2020-01-01", "until": "2090-01-01", "close": True}
    rules = rules_house.policy({"doors": {"front": {"cameras": ["front"]}}, "exceptions": [always]})
    with pytest.raises(ValueError, match="in a whole year no Mon is like the others; name a date"):
        expectations.read("Ana front Mon 02:30 granted", rules)


def test_a_time_that_no_clock_shows_is_denied_and_one_that_comes_twice_is_as_both_are(tried: Facelatch) -> None:
    lines = [
        "Željko front 2027-03-28 02:20 denied outside-window",
        "Željko front 2027-10-31 02:20 granted",
        "Željko front 2027-10-31 02:50 denied outside-window",
    ]
    assert tried(*lines).out == ["3 expectations hold"]


def test_a_mistyped_name_is_told_even_where_the_expectation_holds(tried: Facelatch) -> None:
    done = tried("Ana Kovac front Mon 06:59 denied", "Ana Kovac front Mon 07:00 granted")
    holds, fails, summary = done.out
    assert holds == "rules.txt:1: holds, but Ana Kovac is in no group; did you mean Ana Kovač?"
    assert fails.endswith("; did you mean Ana Kovač?")
    assert summary == "1 expectation holds, 1 does not"
    assert tried("Ana Kovac lab Mon 06:59 denied no-window").out == ["1 expectation holds"]


def test_a_name_is_the_same_however_its_accents_and_spaces_were_typed(rules: Policy) -> None:
    found = expectations.read("Ana \t Kovac\u030c   front Mon 07:00 denied", rules)
    assert (found.person, found.outcome, found.reason) == ("Ana Kovač", Outcome.DENIED, None)
    assert expectations.read("Ana front Mon 07:00 denied No-Window", rules).reason is Why.NO_WINDOW


def test_several_files_are_one_test_and_one_without_an_expectation_is_none(
    tried: Facelatch, facelatch: Facelatch, folder: Path
) -> None:
    tried(HOLDS[0])
    (folder / "empty.txt").write_text("# nothing yet\n")
    assert facelatch("schedule", "test", "rules.txt", "rules.txt").out == ["2 expectations hold"]
    done = facelatch("schedule", "test", "empty.txt")
    assert (done.status, done.err) == (1, ["facelatch: there is nothing to test in empty.txt"])


def test_a_file_that_can_not_be_read_is_told_by_name(facelatch: Facelatch, folder: Path) -> None:
    (folder / "latin.txt").write_bytes(b"\xe8\n")
    assert facelatch("schedule", "test", "no.txt").err == ["facelatch: no.txt can't be read: No such file or directory"]
    assert facelatch("schedule", "test", "latin.txt").err[0].startswith("facelatch: latin.txt can't be read: ")
