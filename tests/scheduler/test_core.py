"""Who may open a door, tried by somebody who may not: the evidence, and what stands against it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from agents.scheduler.config import Evidence
from agents.wire.messages import Grant, Outcome
from agents.wire.scheduling import Decision, Votes
from agents.wire.why import Why
from tests.scheduler.gates import ALIVE, FRIDAY_NOON, PEOPLE, SESSION, STRANGER, Scene, face, rules_of

WORKDAYS = {"who": "everybody", "days": "mon-fri", "from": "07:00", "to": "19:00"}

# Enough evidence


def test_one_frame_never_suffices() -> None:
    scene = Scene()
    scene.see("Ana")
    scene.leave()
    assert scene.effects == []


def test_the_second_agreeing_frame_grants_in_the_session_of_the_door() -> None:
    scene = Scene()
    scene.see("Ana")
    began_at = scene.utc
    decision, grant = scene.see(face("Ana", 0.25), STRANGER)
    assert decision == Decision(
        id="front:2",
        door="front",
        camera="front",
        outcome=Outcome.GRANTED,
        reason=Why.CONFIRMED,
        person="Ana",
        distance=0.25,
        evidence=Votes(agreeing=2, needed=2, frames=2, faces=2),
        began_at=began_at,
        captured_at=scene.utc,
        decided_at=scene.utc,
        rule=PEOPLE,
        liveness=ALIVE,
    )
    assert grant == Grant(id="front:2", session=SESSION, person="Ana", expires_at=scene.utc + 5)


@pytest.mark.parametrize(
    ("people", "let_in"),
    [
        (["Ana", STRANGER, "Ana"], ["Ana"]),
        (["Ana", "Bob", "Ana"], ["Ana"]),
        (["Ana", STRANGER, STRANGER, "Ana"], []),
        (["Ana", "Bob", "Cem", "Ana", "Bob", "Cem"], []),
        ([STRANGER, "Ana", STRANGER, STRANGER, "Ana", STRANGER], []),
    ],
)
def test_two_of_the_last_three_frames_with_a_face_must_agree(people: list[str | None], let_in: list[str]) -> None:
    scene = Scene()
    for person in people:
        scene.see(person)
    assert scene.let_in == let_in


def test_frames_without_a_face_do_not_count_against_anybody() -> None:
    scene = Scene()
    for people in (["Ana"], [], [], [], ["Ana"]):
        scene.see(*people)
    assert scene.let_in == ["Ana"]


@pytest.mark.parametrize(("frames", "of"), [(1, 1), (3, 3), (5, 8)])
def test_as_many_frames_as_the_policy_asks_for(frames: int, of: int) -> None:
    scene = Scene(evidence={"frames": frames, "of": of})
    scene.watch("Ana", frames=frames - 1)
    assert scene.effects == []
    scene.see("Ana")
    assert scene.let_in == ["Ana"]


@pytest.mark.parametrize(("doors", "windows"), [(2, 4), (4, 2), (2, 1)])
def test_a_window_may_ask_for_more_or_less_evidence_than_its_door(doors: int, windows: int) -> None:
    policy: dict[str, Any] = {
        "evidence": {"frames": doors, "of": 6},
        "windows": [{**WORKDAYS, "to": "12:00"}, {**WORKDAYS, "evidence": {"frames": windows}}],
    }
    scene = Scene(rules=rules_of(policy), **policy)
    scene.watch("Ana", frames=windows - 1)
    assert scene.effects == []
    scene.see("Ana")
    assert scene.decisions[0].evidence == Votes(agreeing=windows, needed=windows, frames=windows, faces=1)
    assert scene.let_in == ["Ana"]


def test_a_denial_says_how_much_evidence_its_window_asks_for() -> None:
    scene = Scene()
    scene.rules.evidence = Evidence(frames=5, of=8)
    scene.watch("Ana", frames=4)
    scene.leave()
    assert scene.told == [("Ana", Why.NOT_CONFIRMED)]
    assert scene.decisions[0].evidence == Votes(agreeing=4, needed=5, frames=4, faces=1)


def test_two_faces_with_one_name_in_one_frame_are_one_vote_for_the_nearer() -> None:
    scene = Scene()
    assert scene.see(face("Ana", 0.4), face("Ana", 0.2), face("Ana", 0.3)) == []
    scene.see(face("Ana", 0.4), face("Ana", 0.2))
    assert scene.decisions[0].distance == 0.2


# One face or several

ALONE, WITH_BOB, WITH_A_STRANGER = ["Ana"], ["Ana", "Bob"], ["Ana", STRANGER]


@pytest.mark.parametrize(
    ("faces", "people", "why"),
    [
        ("any_known", WITH_A_STRANGER, Why.CONFIRMED),
        ("any_known", WITH_BOB, Why.CONFIRMED),
        ("all_known", WITH_A_STRANGER, Why.STRANGER_IN_VIEW),
        ("all_known", WITH_BOB, Why.CONFIRMED),
        ("all_known", ALONE, Why.CONFIRMED),
        ("single", WITH_A_STRANGER, Why.NOT_ALONE),
        ("single", WITH_BOB, Why.NOT_ALONE),
        ("single", ALONE, Why.CONFIRMED),
    ],
)
def test_who_else_may_be_in_view(faces: str, people: list[str | None], why: Why) -> None:
    scene = Scene(evidence={"faces": faces}, patience_s=0.0)
    scene.watch(*people)
    assert ("Ana", why) in scene.told
    assert ("Ana" in scene.let_in) is (why is Why.CONFIRMED)


@pytest.mark.parametrize("faces", ["all_known", "single"])
def test_a_frame_with_somebody_else_does_not_count_and_those_before_and_after_do(faces: str) -> None:
    scene = Scene(evidence={"faces": faces})
    scene.see("Ana")
    assert scene.see("Ana", STRANGER) == []
    scene.see("Ana")
    assert scene.let_in == ["Ana"]


@pytest.mark.parametrize("faces", ["all_known", "single"])
def test_two_faces_with_the_same_name_are_still_two_faces(faces: str) -> None:
    scene = Scene(evidence={"faces": faces})
    scene.watch("Ana", "Ana")
    assert scene.let_in == (["Ana"] if faces == "all_known" else [])


# What stands against it: the first reason is told


def make_everything_wrong(scene: Scene) -> None:
    scene.gate.session = None
    scene.utc_is_set = False
    scene.switch(False)
    scene.away()
    scene.rules.against["Ana"] = Why.HOLIDAY


def mend(scene: Scene, why: Why) -> None:
    if why is Why.SWITCHED_OFF:
        scene.switch(True)
    elif why is Why.CLOCK_NOT_SET:
        scene.utc_is_set = True
    elif why is Why.AWAY:
        scene.away(False)
    elif why is Why.HOLIDAY:
        scene.rules.against.clear()
    elif why is Why.DOOR_AWAY:
        scene.gate.session = SESSION


def test_the_switch_the_clock_away_mode_the_rules_and_the_door_are_told_in_this_order() -> None:
    order = [Why.SWITCHED_OFF, Why.CLOCK_NOT_SET, Why.AWAY, Why.HOLIDAY, Why.DOOR_AWAY]
    scene = Scene(patience_s=0.0)
    make_everything_wrong(scene)
    for why in order:
        scene.watch("Ana", frames=3)
        scene.leave()
        mend(scene, why)
    scene.watch("Ana")
    assert [reason for _, reason in scene.told] == [*order, Why.CONFIRMED]
    assert scene.let_in == ["Ana"]


BY_THE_RULES = [
    Why.NO_WINDOW, Why.OUTSIDE_WINDOW, Why.HOLIDAY, Why.CLOSED_DAY, Why.NOT_YET_VALID, Why.NO_LONGER_VALID,
]  # fmt: skip


@pytest.mark.parametrize("why", BY_THE_RULES)
def test_what_the_rules_say_is_told_at_once_with_their_words(why: Why) -> None:
    scene = Scene()
    scene.rules.against["Ana"] = why
    scene.watch("Ana", "Bob")
    assert scene.told == [("Ana", why), ("Bob", Why.CONFIRMED)]
    assert scene.decisions[0].rule == PEOPLE
    assert scene.decisions[0].outcome is Outcome.DENIED


@pytest.mark.parametrize(
    ("decided", "let_in"),
    [
        (FRIDAY_NOON.replace(hour=6, minute=59, second=59, microsecond=999_000), False),
        (FRIDAY_NOON.replace(hour=7), True),
        (FRIDAY_NOON.replace(hour=18, minute=59, second=59, microsecond=999_000), True),
        (FRIDAY_NOON.replace(hour=19), False),
        (FRIDAY_NOON + timedelta(days=1), False),
    ],
)
def test_the_moment_of_the_decision_counts_for_the_window(decided: datetime, let_in: bool) -> None:
    scene = Scene(begins=decided - timedelta(seconds=1), rules=rules_of({"windows": [WORKDAYS]}))
    scene.deliver(scene.frame("Ana"))
    scene.wait(1.0)
    scene.utc = decided.timestamp()
    assert scene.gate.open_now(scene.now) is let_in
    scene.deliver(scene.frame("Ana"))
    assert bool(scene.let_in) is let_in


def test_without_windows_nobody_ever_gets_in() -> None:
    scene = Scene(rules=rules_of({"windows": []}))
    scene.watch("Ana", frames=5)
    assert scene.told == [("Ana", Why.NO_WINDOW)]


def test_who_does_not_know_the_time_has_no_window_open() -> None:
    scene = Scene()
    assert scene.gate.open_now(scene.now)
    scene.utc_is_set = False
    assert not scene.gate.open_now(scene.now)
