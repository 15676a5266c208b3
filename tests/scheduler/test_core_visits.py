"""Each visit ends in one decision: when it begins, what ends it, and what comes after it."""

from __future__ import annotations

import pytest

from agents.wire.messages import Outcome
from agents.wire.scheduling import Votes
from agents.wire.why import Why
from tests.scheduler.gates import FRIDAY_NOON, SESSION, STRANGER, Scene, face, rules_of

WORKDAYS = {"who": "everybody", "days": "mon-fri", "from": "07:00", "to": "19:00"}

# One decision a visit, not one a frame


def test_the_door_opens_once_for_a_person_in_a_visit_however_long_it_is() -> None:
    scene = Scene(cool_down_s=0.0)
    for _ in range(300):
        scene.see("Ana")
        scene.tick()
    scene.leave()
    assert scene.told == [("Ana", Why.CONFIRMED)]
    assert scene.let_in == ["Ana"]


def test_a_firm_objection_is_told_at_once_and_once_a_visit() -> None:
    scene = Scene()
    scene.rules.closed = True
    for _ in range(2):
        scene.watch("Ana", "Bob")
        assert len(scene.told) % 2 == 0
        scene.watch("Ana", "Bob", frames=30)
        scene.leave()
    assert scene.told == [("Ana", Why.OUTSIDE_WINDOW), ("Bob", Why.OUTSIDE_WINDOW)] * 2


def test_two_known_people_are_both_let_in_by_one_frame() -> None:
    scene = Scene()
    scene.watch("Ana", "Bob", frames=5)
    assert scene.let_in == ["Ana", "Bob"]
    assert [grant.id for grant in scene.grants] == ["front:2", "front:2"]


def test_people_who_left_in_between_are_confirmed_anew() -> None:
    scene = Scene(max_age_s=60.0)
    scene.see("Ana")
    scene.wait(2.1)  # longer than visit_gap_s, and nobody ticked
    scene.see("Ana")
    assert scene.let_in == []
    scene.see("Ana")
    assert scene.let_in == ["Ana"]


def test_where_a_poster_hangs_a_person_who_comes_back_is_let_in_again() -> None:
    scene = Scene(cool_down_s=0)
    for _ in range(3):
        scene.watch("Ana", STRANGER, frames=30)
        scene.watch(STRANGER, frames=30)  # longer than visit_gap_s, but somebody's face is always in view
    assert scene.let_in == ["Ana"] * 3
    begins = [decision.began_at for decision in scene.decisions if decision.person == "Ana"]
    assert [b - begins[0] for b in begins] == pytest.approx([0, 6, 12], abs=0.01)


# Strangers, and whatever may pass by itself


def test_a_stranger_is_denied_once_a_visit_when_nobody_was_known_for_a_while() -> None:
    scene = Scene()
    for _ in range(2):
        scene.watch(face(STRANGER, 0.9), face(STRANGER, 0.7), frames=30)
        assert scene.told == []  # the first came 2.9 s ago
        scene.watch(face(STRANGER, 0.9), face(STRANGER, 0.7), frames=30)
        scene.leave()
        assert scene.told == [(None, Why.UNKNOWN_PERSON)]
        assert (scene.decisions[0].distance, scene.decisions[0].evidence.faces) == (0.7, 2)
        scene.effects.clear()


def test_a_stranger_who_leaves_early_is_denied_then() -> None:
    scene = Scene()
    scene.watch(STRANGER)
    began_at = scene.utc - 0.1
    assert scene.leave(1.9) == []
    scene.leave(0.2)
    (decision,) = scene.decisions
    assert (decision.person, decision.reason, decision.outcome) == (None, Why.UNKNOWN_PERSON, Outcome.DENIED)
    assert decision.evidence == Votes(agreeing=0, needed=2, frames=2, faces=1)
    assert decision.id == "front:2"
    assert decision.began_at == pytest.approx(began_at)
    assert scene.tick() == []


def test_all_strangers_in_view_at_one_time_are_one_visit() -> None:
    scene = Scene()
    for track in range(60):
        scene.see(face(STRANGER, track=track), face(STRANGER, track=track + 1))
    scene.leave()
    assert scene.told == [(None, Why.UNKNOWN_PERSON)]


def test_of_two_people_the_known_one_is_let_in_and_the_stranger_is_told_apart() -> None:
    scene = Scene()
    scene.watch(STRANGER, "Ana", frames=5)
    scene.leave()
    assert scene.told == [("Ana", Why.CONFIRMED), (None, Why.UNKNOWN_PERSON)]
    assert scene.let_in == ["Ana"]


def leave_the_door(scene: Scene) -> None:
    scene.gate.session = None


def open_the_door(scene: Scene) -> None:
    scene.gate.session = SESSION


def test_a_door_that_was_away_for_a_moment_is_no_denial() -> None:
    scene = Scene()
    leave_the_door(scene)
    scene.watch("Ana", frames=20)
    assert scene.effects == []
    scene.gate.session = "session-new"
    scene.see("Ana")
    assert scene.told == [("Ana", Why.CONFIRMED)]
    assert scene.grants[0].session == "session-new"


def test_a_door_that_stays_away_is_told_after_a_while_and_lets_in_when_it_is_back() -> None:
    scene = Scene(patience_s=3.0)
    leave_the_door(scene)
    scene.watch("Ana", frames=30)
    assert scene.told == []
    scene.watch("Ana", frames=20)
    assert scene.told == [("Ana", Why.DOOR_AWAY)]
    open_the_door(scene)
    scene.see("Ana")
    assert scene.told == [("Ana", Why.DOOR_AWAY), ("Ana", Why.CONFIRMED)]


@pytest.mark.parametrize(("faces", "why"), [("single", Why.NOT_ALONE), ("all_known", Why.STRANGER_IN_VIEW)])
def test_who_leaves_before_the_others_did_is_told_what_stood_against_it(faces: str, why: Why) -> None:
    scene = Scene(evidence={"faces": faces})
    scene.watch("Ana", STRANGER, frames=5)
    assert scene.effects == []
    scene.leave()
    assert sorted(scene.told, key=str) == [("Ana", why), (None, Why.UNKNOWN_PERSON)]


def test_a_single_frame_is_a_visit_where_it_is_enough_to_be_let_in() -> None:
    scene = Scene(evidence={"frames": 1, "of": 1})
    leave_the_door(scene)
    scene.see("Ana")
    assert scene.effects == []
    scene.leave()
    assert scene.told == [("Ana", Why.DOOR_AWAY)]


# The end of a visit


def test_a_visit_nobody_could_be_made_out_in_is_told_when_it_is_over() -> None:
    scene = Scene()
    for track in (1, 2):
        scene.see(face("Ana", track=track))
    assert scene.leave(1.9) == []
    scene.leave(0.2)
    assert scene.told == [("Ana", Why.NOT_CONFIRMED)]
    assert scene.decisions[0].evidence == Votes(agreeing=1, needed=2, frames=2, faces=1)
    assert scene.tick() == []


def test_frames_without_a_face_do_not_prolong_a_visit() -> None:
    scene = Scene()
    scene.watch(STRANGER)
    scene.watch(frames=19)
    assert scene.tick() == []
    scene.leave(0.2)
    assert scene.told == [(None, Why.UNKNOWN_PERSON)]


def test_the_end_of_the_old_visit_is_told_before_the_new_one_even_without_a_tick() -> None:
    scene = Scene()
    scene.watch(STRANGER)
    scene.wait(10)
    scene.watch("Ana")
    assert scene.told == [(None, Why.UNKNOWN_PERSON), ("Ana", Why.CONFIRMED)]


def test_a_scheduler_that_stops_tells_how_every_visit_ended() -> None:
    scene = Scene()
    scene.watch("Ana", STRANGER)
    scene.watch(STRANGER, camera="back")
    scene.effects.clear()
    scene.note(scene.gate.stop(scene.now))
    assert scene.told == [(None, Why.UNKNOWN_PERSON)] * 2
    assert not scene.gate.busy
    assert scene.gate.stop(scene.now) == []


def test_the_gate_is_busy_while_somebody_stands_there() -> None:
    scene = Scene()
    assert not scene.gate.busy
    scene.see("Ana", camera="back")
    assert scene.gate.busy
    scene.leave()
    assert not scene.gate.busy


# After a denial


def test_who_waits_at_the_door_gets_in_when_the_window_opens() -> None:
    scene = Scene(begins=FRIDAY_NOON.replace(hour=6, minute=59, second=59), rules=rules_of({"windows": [WORKDAYS]}))
    scene.watch("Ana", frames=20)
    assert scene.told == [("Ana", Why.OUTSIDE_WINDOW), ("Ana", Why.CONFIRMED)]
    seven = FRIDAY_NOON.replace(hour=7).timestamp()
    assert scene.decisions[1].began_at == pytest.approx(seven, abs=0.11)


def test_while_they_stay_there_is_no_second_denial_whatever_changes() -> None:
    scene = Scene(patience_s=0.0)
    for why in (Why.HOLIDAY, Why.CLOSED_DAY):
        scene.rules.against["Ana"] = why
        scene.watch("Ana", frames=5)
    scene.switch(False)
    leave_the_door(scene)
    scene.watch("Ana", frames=5)
    scene.leave()
    assert scene.told == [("Ana", Why.HOLIDAY)]


def test_a_denial_does_not_begin_a_cool_down() -> None:
    scene = Scene()
    scene.switch(False)
    scene.watch("Ana")
    scene.switch(True)
    scene.see("Ana")
    assert scene.told == [("Ana", Why.SWITCHED_OFF), ("Ana", Why.CONFIRMED)]
