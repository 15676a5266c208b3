"""What may stand in the scheduler's section, and what it says when it says nothing."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from agents.scheduler.config import (
    DoorPolicy,
    Evidence,
    Holidays,
    JournalSettings,
    Loc,
    LockOut,
    Member,
    Opening,
    SchedulerSettings,
    SpecialDay,
    Window,
)

WINDOW = {"days": "mon-fri", "who": "staff", "from": "07:00", "to": "19:00"}
OPENING = {key: value for key, value in WINDOW.items() if key != "days"}


def section(**more: Any) -> dict[str, Any]:
    """A section with a door of this policy, and more."""
    door = {"cameras": ["front"], **more.pop("door", {})}
    return {"timezone": "Europe/Zagreb", "groups": {"staff": ["Ana"]}, "doors": {"front": door}, **more}


def settings_of(**more: Any) -> SchedulerSettings:
    return SchedulerSettings.model_validate(section(**more))


def conflicts(**more: Any) -> list[tuple[Loc, str]]:
    return list(settings_of(**more).conflicts())


def test_a_door_of_which_nothing_is_said_lets_nobody_in() -> None:
    policy = settings_of().doors["front"]
    assert policy == DoorPolicy(cameras=["front"], windows=[], evidence=Evidence(), lock_out=LockOut())
    assert (policy.evidence.frames, policy.evidence.of, policy.evidence.within_s) == (2, 3, 5.0)
    assert (policy.cool_down_s, policy.max_age_s, policy.patience_s) == (10.0, 2.0, 3.0)
    assert not settings_of().journal.snapshots


def test_everything_that_can_be_said_is_understood() -> None:
    settings = settings_of(
        groups={"staff": ["Ana", {"name": "Ivan"}, {"name": "Petra", "from": "2026-11-23", "until": "2026-11-27"}]},
        holidays={"country": "HR", "subdivision": "x", "also": {"12-24": "Badnjak"}, "not": ["2026-01-06"]},
        exceptions=[
            {"date": "2026-12-24", "until": "2026-12-31", "close": True, "because": "holidays", "doors": ["front"]},
            {"date": "2026-12-19", "open": [OPENING]},
        ],
        door={
            "windows": [
                {**WINDOW, "who": ["staff", "everybody"], "holidays": "open", "evidence": {"of": 5}, "confirm": "phone"}
            ],
            "lock_out": None,
        },
        journal={"snapshots": True, "max_age_days": 7.0, "max_mb": 50.0},
    )
    assert list(settings.conflicts()) == []
    assert settings.groups["staff"] == [
        Member(name="Ana"),
        Member(name="Ivan"),
        Member.model_validate({"name": "Petra", "from": "2026-11-23", "until": "2026-11-27"}),
    ]
    assert (settings.groups["staff"][2].from_, settings.groups["staff"][2].until) == (
        date(2026, 11, 23),
        date(2026, 11, 27),
    )
    assert settings.holidays.not_ == ["2026-01-06"]
    assert [special.date.day for special in settings.exceptions] == [24, 19]
    window = settings.doors["front"].windows[0]
    assert (window.who, window.from_, window.to) == (["staff", "everybody"], "07:00", "19:00")
    assert settings.doors["front"].lock_out is None


def test_one_group_need_not_be_a_list() -> None:
    assert Window.model_validate(WINDOW).who == ["staff"]


def test_the_same_name_is_the_same_however_it_was_typed() -> None:
    """`ć` as one character, or as a c and an accent."""
    typed = [Member.model_validate(name) for name in ("Ivanić", "Ivanic\u0301", {"name": "Ivanic\u0301"})]
    assert {member.name for member in typed} == {"Ivani\u0107"}


@pytest.mark.parametrize(
    ("model", "value", "complaint"),
    [
        (Member, " Ana", "no space at its ends"),
        (Member, "unknown", "nobody is known"),
        (Member, {"name": "Ana", "since": "2026-01-01"}, "Extra inputs"),
        (Member, {"name": "Ana", "from": "1.1.2026"}, "is no date"),
        (Member, {"name": "Ana", "from_": "2026-01-01"}, "Extra inputs"),
        (Member, {"name": "Ana", "from": "2026-01-02", "until": "2026-01-01"}, r"until \(2026-01-01\) is before"),
        (Evidence, {"frames": 0}, "frames"),
        (Evidence, {"of": 31}, "of"),
        (Evidence, {"within_s": 0.0}, "within_s"),
        (Evidence, {"within_s": 31.0}, "within_s"),
        (Evidence, {"within_s": float("nan")}, "within_s"),
        (Evidence, {"faces": "any"}, "any_known"),
        (Opening, {**OPENING, "who": []}, "who"),
        (Opening, {**OPENING, "who": ["The Staff"]}, "who"),
        (Opening, {**OPENING, "from": "7"}, "'7' is no time of day"),
        (Opening, {**OPENING, "to": "07:00"}, "from and to are the same"),
        (Opening, {**OPENING, "to": "7:00"}, "from and to are the same"),
        (Opening, {**OPENING, "from": "24:00", "to": "24:00"}, "from and to are the same"),
        (Opening, {**OPENING, "from": "24:00", "to": "07:00"}, "nothing begins at 24:00"),
        (Opening, {**OPENING, "confirm": True}, "phone"),
        (Opening, WINDOW, "Extra inputs"),
        (Window, OPENING, "days"),
        (Window, {**WINDOW, "days": "mon-fry"}, "'mon-fry' is no weekday"),
        (Window, {**WINDOW, "holidays": "yes"}, "closed"),
        (SpecialDay, {"date": "2026-12-24"}, "neither close: true nor what to open"),
        (SpecialDay, {"date": "2026-12-24", "close": False, "open": []}, "neither close: true nor what to open"),
        (SpecialDay, {"date": "12-24", "close": True}, "is no date"),
        (SpecialDay, {"date": "2026-12-24", "until": "2026-12-23", "close": True}, "is before the first day"),
        (SpecialDay, {"date": "2026-12-24", "close": True, "doors": []}, "doors"),
        (SpecialDay, {"date": "2026-12-24", "open": [WINDOW]}, "Extra inputs"),
        (Holidays, {"subdivision": "BY"}, "subdivision needs a country"),
        (Holidays, {"country": "Croatia"}, "country"),
        (Holidays, {"also": ["12-24"]}, "also"),
        (Holidays, {"also": {"24.12.": "Badnjak"}}, "is no date"),
        (Holidays, {"not": ["02-30"]}, "is no date"),
        (LockOut, {"after": 0}, "after"),
        (DoorPolicy, {"cameras": []}, "cameras"),
        (DoorPolicy, {"cameras": ["Front Door"]}, "cameras"),
        (DoorPolicy, {"cameras": ["front"], "hours": []}, "Extra inputs"),
        (DoorPolicy, {"cameras": ["front"], "windows": WINDOW}, "valid list"),
        (DoorPolicy, {"cameras": ["front"], "cool_down_s": -1.0}, "cool_down_s"),
        (DoorPolicy, {"cameras": ["front"], "grants_per_minute": 0}, "grants_per_minute"),
        (DoorPolicy, {"cameras": ["front"], "confirm_within_s": 4.0}, "confirm_within_s"),
        (DoorPolicy, {"cameras": ["front"], "max_age_s": 0.0}, "max_age_s"),
        (DoorPolicy, {"cameras": ["front"], "max_age_s": float("inf")}, "max_age_s"),
        (DoorPolicy, {"cameras": ["front"], "visit_gap_s": "2"}, "visit_gap_s"),
        (DoorPolicy, {"cameras": ["front"], "patience_s": 61.0}, "patience_s"),
        (JournalSettings, {"max_mb": 0.0}, "max_mb"),
        (JournalSettings, {"max_age_days": 0.0}, "max_age_days"),
    ],
)
def test_what_can_not_be_meant_is_refused(model: Any, value: Any, complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        model.model_validate(value)


@pytest.mark.parametrize("zone", ["Europe/Zagrebb", "Europe", "", "../../etc/passwd", "/etc/localtime", "\0"])
def test_a_time_zone_that_is_none_is_refused(zone: str) -> None:
    with pytest.raises(ValidationError, match="timezone"):
        settings_of(timezone=zone)


@pytest.mark.parametrize("missing", ["timezone", "doors"])
def test_the_time_zone_and_the_doors_have_to_be_said(missing: str) -> None:
    without = {key: value for key, value in section().items() if key != missing}
    with pytest.raises(ValidationError, match=missing):
        SchedulerSettings.model_validate(without)


def test_an_opening_changes_only_what_it_says_of_the_evidence() -> None:
    door = Evidence(frames=3, of=6, within_s=4.0, faces="single")
    assert door.changed_by(None) == door
    assert door.changed_by(Evidence()) == door
    said = Evidence.model_validate({"frames": 2, "faces": "any_known"})  # two that are the defaults
    assert door.changed_by(said) == Evidence(frames=2, of=6, within_s=4.0, faces="any_known")
    assert (door.frames, door.faces) == (3, "single")


IMPOSSIBLE = "more frames are to agree than are looked at (frames, of)"
NO_SUCH_GROUP = "there is no group 'staf' under groups: staff, everybody"


def test_what_fits_together_has_no_conflicts() -> None:
    fits = {"windows": [{**WINDOW, "evidence": {"frames": 5}}], "evidence": {"frames": 3, "of": 5}}
    assert conflicts(door=fits, exceptions=[{"date": "2026-12-19", "open": [OPENING], "doors": ["front"]}]) == []


def test_a_group_of_everybody_is_there_already() -> None:
    assert conflicts(groups={"staff": [], "everybody": ["Ana"]}) == [
        (("groups", "everybody"), "is the group of all who are enrolled; call this one otherwise")
    ]


def test_evidence_that_can_never_be_is_a_conflict_where_it_arises() -> None:
    few = {"evidence": {"of": 2}}
    strict = {**WINDOW, "evidence": {"frames": 3}}
    assert conflicts(door={"evidence": {"frames": 4}}) == [(("doors", "front", "evidence"), IMPOSSIBLE)]
    assert conflicts(door={**few, "windows": [WINDOW, strict]}) == [
        (("doors", "front", "windows", 1, "evidence"), IMPOSSIBLE)
    ]
    assert conflicts(door={"windows": [strict]}) == []


def test_an_exceptions_evidence_must_be_possible_at_each_of_its_doors() -> None:
    doors = {"front": {"cameras": ["front"]}, "back": {"cameras": ["back"], "evidence": {"of": 2}}}
    special = {"date": "2026-12-19", "open": [OPENING, {**OPENING, "evidence": {"frames": 3}}]}
    place = ("exceptions", 0, "open", 1, "evidence")
    assert conflicts(doors=doors, exceptions=[special]) == [(place, IMPOSSIBLE)]
    assert conflicts(doors=doors, exceptions=[{**special, "doors": ["front", "back"]}]) == [(place, IMPOSSIBLE)]
    assert conflicts(doors=doors, exceptions=[{**special, "doors": ["front"]}]) == []


def test_a_group_that_is_none_is_a_conflict_in_windows_and_exceptions() -> None:
    typo = {"who": ["staff", "staf"]}
    assert conflicts(door={"windows": [WINDOW, {**WINDOW, **typo}]}) == [
        (("doors", "front", "windows", 1, "who"), NO_SUCH_GROUP)
    ]
    assert conflicts(exceptions=[{"date": "2026-12-19", "open": [{**OPENING, **typo}]}]) == [
        (("exceptions", 0, "open", 0, "who"), NO_SUCH_GROUP)
    ]


def test_a_door_that_is_none_is_a_conflict_in_exceptions() -> None:
    special = {"date": "2026-12-24", "close": True, "doors": ["front", "bakc"]}
    assert conflicts(exceptions=[special]) == [(("exceptions", 0, "doors", 1), "there is no door 'bakc' under doors")]
