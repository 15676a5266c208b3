"""Where somebody has to agree first: one question at a time, and an answer is for that one only."""

from __future__ import annotations

import pytest

from agents.scheduler.config import Evidence
from agents.wire.messages import Grant
from agents.wire.scheduling import Decision, Question
from agents.wire.why import Why
from tests.scheduler.gates import PEOPLE, SESSION, STRANGER, Scene, asked, face, rules_of

WHOLE_DAY = {"who": "everybody", "days": "mon-sun", "from": "00:00", "to": "24:00"}

# The question


def test_a_window_may_ask_people_instead_of_opening() -> None:
    scene = Scene(rules=rules_of({"windows": [{**WHOLE_DAY, "confirm": "phone"}]}))
    scene.watch("Ana")
    assert scene.effects == [
        Question(
            id="front:2",
            door="front",
            camera="front",
            person="Ana",
            asked_at=scene.utc,
            expires_at=scene.utc + 30.0,
        )
    ]


def test_they_are_asked_once_however_long_it_takes() -> None:
    scene = asked()
    scene.stay(29.0, "Ana")
    assert len(scene.effects) == 1


def test_nobody_is_asked_about_whom_the_rules_keep_out() -> None:
    scene = Scene(asking=True)
    scene.rules.against["Ana"] = Why.HOLIDAY
    scene.watch("Ana", frames=5)
    assert scene.told == [("Ana", Why.HOLIDAY)]
    assert scene.questions == []


def test_people_are_asked_on_the_evidence_of_the_window_and_not_before() -> None:
    scene = Scene(asking=True)
    scene.rules.evidence = Evidence(frames=4, of=5, faces="all_known")
    scene.watch("Ana", frames=3)
    scene.see("Ana", STRANGER)
    assert scene.questions == []
    scene.see("Ana")
    assert len(scene.questions) == 1


# The answer


@pytest.mark.parametrize("source", ["Petra", None])
def test_after_a_yes_the_next_frame_that_confirms_opens_under_the_id_of_the_question(source: str | None) -> None:
    scene = asked()
    began_at = scene.utc - 0.1
    scene.stay(5.0, "Ana")
    assert scene.answer("YES", "front:2", source) == []
    decision, grant = scene.see("Ana")
    assert isinstance(decision, Decision)
    assert (decision.id, decision.reason, decision.rule) == ("front:2", Why.CONFIRMED, PEOPLE)
    assert decision.detail == f"confirmed by {source or 'somebody'}"
    assert decision.captured_at == scene.utc
    assert decision.began_at == pytest.approx(began_at)
    assert grant == Grant(id="front:2", session=SESSION, person="Ana", expires_at=scene.utc + 5)


def test_after_the_grant_the_question_is_closed() -> None:
    scene = asked()
    scene.answer("YES", "front:2")
    scene.see("Ana")
    scene.refused("YES", "front:2")
    scene.stay(40.0, "Ana")
    scene.leave()
    assert scene.told == [("Ana", Why.CONFIRMED)]


def test_a_no_denies_at_once_and_for_as_long_as_they_stay() -> None:
    scene = asked(cool_down_s=0.0)
    scene.answer("NO", "front:2", "Petra")
    assert scene.told == [("Ana", Why.DECLINED)]
    assert (scene.decisions[0].id, scene.decisions[0].detail) == ("front:2", "by Petra")
    scene.refused("YES", "front:2")
    scene.stay(60.0, "Ana")
    scene.leave()
    assert scene.told == [("Ana", Why.DECLINED)]
    assert len(scene.questions) == 1


def test_a_no_after_a_yes_counts_while_nothing_has_opened() -> None:
    scene = asked()
    scene.answer("YES", "front:2")
    scene.answer("NO", "front:2")
    scene.watch("Ana")
    assert scene.told == [("Ana", Why.DECLINED)]


@pytest.mark.parametrize("answer", ["YES", "NO"])
def test_a_bare_word_within_the_first_second_was_for_another_question(answer: str) -> None:
    scene = asked()
    scene.wait(0.99)
    assert "too soon" in scene.refused(answer)
    scene.wait(0.01)
    scene.answer(answer)
    scene.see("Ana")
    assert scene.told == [("Ana", Why.CONFIRMED if answer == "YES" else Why.DECLINED)]


def test_an_answer_with_the_id_of_the_question_is_never_too_soon() -> None:
    scene = asked()
    scene.answer("YES", "front:2")
    scene.see("Ana")
    assert scene.let_in == ["Ana"]


@pytest.mark.parametrize("id_", ["front:1", "front:3", None])
def test_an_answer_to_no_open_question_is_refused(id_: str | None) -> None:
    scene = Scene()
    assert "no such question" in scene.refused("YES", id_)
    scene = asked()
    if id_ is not None:
        assert "no such question" in scene.refused("YES", id_)
        assert "no such question" in scene.refused("NO", id_)
        scene.watch("Ana", frames=5)
        assert scene.decisions == []


# No answer


def test_a_question_that_nobody_answers_denies_for_as_long_as_they_stay() -> None:
    scene = asked(confirm_within_s=20.0)
    scene.stay(19.9, "Ana")
    assert scene.decisions == []
    scene.stay(0.2, "Ana")
    assert scene.told == [("Ana", Why.UNANSWERED)]
    assert scene.decisions[0].id == "front:2"
    scene.stay(60.0, "Ana")
    scene.leave()
    assert (len(scene.told), len(scene.questions)) == (1, 1)


@pytest.mark.parametrize("answer", ["YES", "NO"])
def test_a_late_answer_is_refused_also_before_the_question_was_given_up(answer: str) -> None:
    scene = asked()
    scene.wait(30.01)
    assert "too late" in scene.refused(answer, "front:2")
    scene.tick()
    assert "no such question" in scene.refused(answer, "front:2")


def test_an_approval_of_whom_no_frame_confirms_any_more_is_not_confirmed() -> None:
    scene = asked()
    scene.answer("YES", "front:2")
    for track in range(400):
        scene.see(face("Ana", track=track))  # never twice the same face
        scene.tick()
    assert scene.told == [("Ana", Why.NOT_CONFIRMED)]
    assert scene.decisions[0].id == "front:2"


def test_after_a_yes_in_the_last_moment_there_is_time_for_one_more_frame() -> None:
    scene = asked(visit_gap_s=60.0)
    scene.wait(29.9)
    scene.answer("YES", "front:2")
    scene.wait(1.4)  # a slow machine's next frame
    scene.tick()
    assert scene.told == []
    scene.watch("Ana")
    assert scene.told == [("Ana", Why.CONFIRMED)]


# They leave


@pytest.mark.parametrize("approved", [False, True])
def test_who_leaves_before_the_door_opens_has_left(approved: bool) -> None:
    scene = asked()
    if approved:
        scene.answer("YES", "front:2")
    scene.leave()
    assert scene.told == [("Ana", Why.LEFT)]
    assert scene.decisions[0].id == "front:2"
    scene.refused("YES", "front:2")
    scene.leave(60.0)
    assert len(scene.told) == 1


def test_a_yes_for_whoever_left_does_not_open_when_they_come_back() -> None:
    scene = asked()
    scene.wait(2.1)
    scene.answer("YES", "front:2")  # nobody has noticed yet that she left
    scene.watch("Ana")
    assert scene.told == [("Ana", Why.LEFT)]
    assert [question.id for question in scene.questions] == ["front:2", "front:4"]


def test_who_is_removed_from_the_gallery_while_the_question_is_open_is_not_let_in() -> None:
    scene = Scene(asking=True)
    scene.watch(face("Ana", track=1))
    scene.answer("YES", "front:2")
    for _ in range(400):
        scene.see(face(STRANGER, track=1))
        scene.tick()
    scene.leave()
    assert scene.grants == []
    assert scene.told == [("Ana", Why.NOT_CONFIRMED)]


def test_a_scheduler_that_stops_closes_its_question() -> None:
    scene = asked()
    scene.note(scene.gate.stop(scene.now))
    assert scene.told == [("Ana", Why.LEFT)]
