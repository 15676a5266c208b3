"""What comes between an approval and the door, and two people who have to be asked about at once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from agents.wire.scheduling import Votes
from agents.wire.why import Why
from tests.scheduler.gates import STRANGER, Scene, asked, rules_of

WHOLE_DAY = {"who": "everybody", "days": "mon-sun", "from": "00:00", "to": "24:00"}

# Approved, but something else came in between


def close_the_window(scene: Scene) -> None:
    scene.rules.closed = True


def open_the_window(scene: Scene) -> None:
    scene.rules.closed = False


def leave_home(scene: Scene) -> None:
    scene.away()


def switch_off(scene: Scene) -> None:
    scene.switch(False)


@pytest.mark.parametrize(
    ("change", "why"), [(close_the_window, Why.OUTSIDE_WINDOW), (leave_home, Why.AWAY), (switch_off, Why.SWITCHED_OFF)]
)
def test_an_approval_opens_nothing_that_is_closed_meanwhile(change: Callable[[Scene], None], why: Why) -> None:
    scene = asked()
    change(scene)
    scene.answer("YES", "front:2")
    scene.see("Ana")
    assert scene.told == [("Ana", why)]
    assert scene.decisions[0].id == "front:2"
    scene.stay(40.0, "Ana")
    scene.leave()
    assert scene.told == [("Ana", why)], "one decision a visit"


def test_an_approval_is_not_kept_for_when_the_window_opens_again() -> None:
    scene = asked()
    close_the_window(scene)
    scene.answer("YES", "front:2")
    scene.see("Ana")
    open_the_window(scene)
    scene.stay(3.0, "Ana")
    assert scene.grants == []
    assert [question.id for question in scene.questions] == ["front:2", "front:4"]
    scene.refused("YES", "front:2")


# Two people at once


def test_one_question_at_a_time_and_the_other_person_is_asked_about_when_it_is_answered() -> None:
    scene = Scene(asking=True, patience_s=60.0)
    scene.watch("Ana", "Bob", frames=20)
    assert [question.person for question in scene.questions] == ["Ana"]
    scene.answer("YES")
    scene.stay(0.2, "Ana", "Bob")
    assert scene.let_in == ["Ana"]
    assert [question.person for question in scene.questions] == ["Ana", "Bob"]


@pytest.mark.parametrize("patience_s", [0.0, 3.0])
def test_who_waits_too_long_for_the_other_question_is_told_so_once_and_asked_about_later(patience_s: float) -> None:
    scene = Scene(asking=True, patience_s=patience_s)
    scene.stay(25.0, "Ana", "Bob")
    assert scene.told == [("Bob", Why.UNANSWERED)]
    assert scene.decisions[0].detail == "another question was open"
    scene.answer("NO")
    scene.stay(0.2, "Ana", "Bob")
    assert [question.person for question in scene.questions] == ["Ana", "Bob"]
    scene.wait(1.0)
    scene.answer("YES")
    scene.see("Bob")
    assert scene.let_in == ["Bob"]


def test_the_other_person_needs_no_question_where_the_rules_ask_none() -> None:
    windows = [{**WHOLE_DAY, "who": "staff"}, {**WHOLE_DAY, "confirm": "phone"}]
    rules = rules_of({"windows": windows}, groups={"staff": ["Bob"]})
    scene = Scene(rules=rules)
    scene.watch("Ana", "Bob")
    assert (scene.let_in, [question.person for question in scene.questions]) == (["Bob"], ["Ana"])
    scene.answer("YES", scene.questions[0].id)
    scene.see("Ana")
    assert scene.let_in == ["Bob", "Ana"]


def test_two_cameras_ask_one_question() -> None:
    scene = Scene(asking=True, patience_s=60.0)
    for _ in range(10):
        scene.see("Ana", camera="front")
        scene.see("Ana", camera="back")
    assert len(scene.questions) == 1
    scene.answer("YES")
    for _ in range(10):
        scene.see("Ana", camera="front")
        scene.see("Ana", camera="back")
    scene.leave()
    assert scene.told == [("Ana", Why.CONFIRMED)]


def test_the_decision_says_the_evidence_of_the_frame_that_opened() -> None:
    scene = asked()
    scene.stay(1.0, "Ana")
    scene.answer("YES")
    scene.see("Ana", STRANGER)
    assert scene.decisions[0].evidence == Votes(agreeing=3, needed=2, frames=13, faces=2)


@pytest.mark.parametrize("age_s", [10.1, 3600.0, -2.1])
def test_an_answer_that_waited_somewhere_is_none(age_s: float) -> None:
    scene = asked()
    scene.stay(2.0, "Ana")
    assert "too long ago" in scene.refused("YES", ts=scene.now.utc - age_s)
    scene.see("Ana")
    assert scene.grants == []


@pytest.mark.parametrize("age_s", [0.0, 9.9, -1.9])
def test_an_answer_that_was_just_given_counts(age_s: float) -> None:
    scene = asked()
    scene.stay(2.0, "Ana")
    scene.answer("YES", ts=scene.now.utc - age_s)
    scene.see("Ana")
    assert len(scene.grants) == 1
