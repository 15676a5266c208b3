"""Several cameras at one door, and frames that do not count: old, repeated, or by a wrong clock."""

from __future__ import annotations

import pytest

from agents.wire.scheduling import Votes
from agents.wire.why import Why
from tests.scheduler.gates import STRANGER, Scene, face

# Several cameras


def test_frames_of_two_cameras_are_not_added_up() -> None:
    scene = Scene(evidence={"frames": 2, "of": 2})
    scene.see("Ana", camera="front")
    scene.see("Ana", camera="back")
    assert scene.let_in == []
    scene.see("Ana", camera="front")
    assert scene.let_in == ["Ana"]


def test_cameras_may_use_the_same_numbers_and_times() -> None:
    scene = Scene()
    for _ in range(2):
        scene.wait(0.1)
        frame = scene.frame("Ana")
        scene.deliver(frame.model_copy(update={"camera": "back", "faces": (face(STRANGER),)}))
        scene.deliver(frame)
    assert scene.let_in == ["Ana"]
    assert scene.gate.frames.repeated == 0


def test_whom_two_cameras_see_is_decided_once() -> None:
    scene = Scene(cool_down_s=0.0)
    for _ in range(50):
        scene.see("Ana", camera="front")
        scene.see("Ana", camera="back")
    scene.leave()
    assert scene.told == [("Ana", Why.CONFIRMED)]


def test_whom_the_other_camera_saw_too_little_of_is_not_denied_there_when_they_leave() -> None:
    scene = Scene()
    for track in (1, 2):
        scene.see(face("Ana", track=track), camera="back")
    scene.watch("Ana", camera="front")
    scene.leave()
    assert scene.told == [("Ana", Why.CONFIRMED)]


def test_whom_both_cameras_denied_is_let_in_once_when_the_window_opens() -> None:
    scene = Scene(cool_down_s=1.0)
    scene.rules.closed = True
    for _ in range(2):
        scene.see("Ana", camera="front")
        scene.see("Ana", camera="back")
    scene.rules.closed = False
    for _ in range(50):
        scene.see("Ana", camera="front")
        scene.see("Ana", camera="back")
    assert scene.told == [("Ana", Why.OUTSIDE_WINDOW)] * 2 + [("Ana", Why.CONFIRMED)]


def test_who_comes_into_view_of_a_second_camera_after_the_grant_is_not_decided_there() -> None:
    scene = Scene(cool_down_s=0.0)
    scene.watch("Ana", camera="front")
    for _ in range(30):
        scene.see("Ana", camera="back")
        scene.see("Ana", camera="front")
    scene.watch("Ana", camera="back", frames=40)  # she left the first one's view
    scene.leave()
    assert scene.told == [("Ana", Why.CONFIRMED)]


def test_a_grant_at_one_camera_ends_the_question_that_the_other_asked() -> None:
    scene = Scene(asking=True)
    scene.watch("Ana", camera="back")
    scene.admit("Ana")
    scene.watch("Ana", camera="front")
    assert scene.let_in == ["Ana"]
    scene.leave(31.0)
    assert len(scene.questions) == len(scene.decisions) == 1


# Frames that do not count


def test_the_same_frame_again_never_counts_however_often_it_comes() -> None:
    scene = Scene()
    first = scene.frame("Ana")
    for _ in range(10):
        scene.deliver(first)
        scene.wait(0.1)
    assert scene.let_in == []
    assert scene.gate.frames.repeated == 9


@pytest.mark.parametrize(
    "change",
    [{"captured_at": 0.0, "seq": 1}, {"captured_at": 0.1, "seq": 0}, {"captured_at": -0.1, "seq": 1}],
    ids=["the same time with a new number", "the same number with a new time", "older than the one before"],
)
def test_a_frame_must_have_a_new_number_and_a_later_time(change: dict[str, float]) -> None:
    scene = Scene()
    first = scene.frame("Ana", age_s=0.5)
    scene.deliver(first)
    second = {"captured_at": first.captured_at + change["captured_at"], "seq": first.seq + int(change["seq"])}
    scene.deliver(first.model_copy(update={**second, "id": "front:x"}))
    assert scene.let_in == []
    assert scene.gate.frames.repeated == 1


@pytest.mark.parametrize(("age_s", "counts"), [(2.0, True), (2.001, False), (-1.0, True), (-1.001, False), (60, False)])
def test_stale_frames_and_frames_from_the_future_never_count(age_s: float, counts: bool) -> None:
    scene = Scene()
    for _ in range(4):
        scene.wait(1.0)
        scene.deliver(scene.frame("Ana", age_s=age_s))
    assert scene.let_in == (["Ana"] if counts else [])
    assert scene.gate.frames.stale == (0 if counts else 4)


@pytest.mark.parametrize(
    ("age_s", "why", "detail"),
    [
        (5.0, Why.STALE, "the frames of camera front were 5.0 s old"),
        (-5.0, Why.CAMERA_CLOCK, "the clock of camera front is 5 s ahead of this machine's"),
        (3600.0, Why.CAMERA_CLOCK, "the clock of camera front is 3600 s behind this machine's"),
    ],
)
def test_a_visit_of_frames_that_do_not_count_is_told_with_what_is_wrong(age_s: float, why: Why, detail: str) -> None:
    scene = Scene()
    for _ in range(30):
        scene.see("Ana", age_s=age_s)
        scene.tick()
    assert scene.effects == []
    scene.leave()
    assert scene.told == [(None, why)]
    assert scene.decisions[0].detail == detail
    assert scene.decisions[0].evidence == Votes(agreeing=0, needed=2, frames=30, faces=1)
    assert scene.tick() == []


def test_where_the_clock_is_not_set_that_is_what_is_wrong_not_the_frames() -> None:
    scene = Scene()
    scene.utc_is_set, scene.utc = False, 100_000.0
    for age_s in (5.0, -5.0, 0.0):
        for _ in range(3):
            scene.see("Ana", age_s=age_s)
        scene.leave(6.0)
    assert [why for _, why in scene.told] == [Why.CLOCK_NOT_SET] * 3
    assert scene.gate.frames.disagreements == []


def test_one_old_frame_is_no_visit() -> None:
    scene = Scene()
    scene.see("Ana", age_s=5.0)
    scene.leave()
    assert scene.effects == []


def test_a_fresh_frame_makes_up_for_old_ones() -> None:
    scene = Scene()
    for _ in range(5):
        scene.see("Ana", age_s=5.0)
    scene.watch("Ana")
    scene.leave()
    assert scene.told == [("Ana", Why.CONFIRMED)]


def test_frames_that_come_again_when_they_are_old_are_not_somebody_else() -> None:
    scene = Scene()
    frames = []
    for _ in range(3):
        scene.wait(0.1)
        frames.append(scene.frame("Ana"))
        scene.deliver(frames[-1])
    scene.wait(5.0)
    for frame in frames:
        scene.deliver(frame)
    scene.leave()
    assert scene.told == [("Ana", Why.CONFIRMED)]


def test_the_same_old_frame_twice_is_no_visit() -> None:
    scene = Scene()
    for age_s in (5.0, -5.0):
        frame = scene.frame("Ana", age_s=age_s)
        scene.deliver(frame)
        scene.deliver(frame)
        scene.leave()
    assert scene.effects == []


def test_a_vote_that_was_fresh_when_it_came_does_not_count_for_ever() -> None:
    scene = Scene(visit_gap_s=60.0, evidence={"within_s": 5.0})
    scene.see("Ana", age_s=0.5)
    scene.wait(4.5)
    scene.see("Ana", age_s=0.5)
    assert scene.let_in == []
    scene.see("Ana")
    assert scene.let_in == ["Ana"]


def test_a_machine_that_looks_at_a_frame_in_one_and_a_half_seconds_confirms_too() -> None:
    scene = Scene()
    for _ in range(2):
        scene.wait(1.5)
        scene.see("Ana", age_s=1.5)
    assert scene.let_in == ["Ana"]


# Clocks that jump


@pytest.mark.parametrize("jump_s", [-3600.0, -1.5, -0.5, 3600.0])
def test_after_a_jump_of_the_wall_clock_evidence_from_before_it_does_not_count(jump_s: float) -> None:
    scene = Scene(evidence={"frames": 2, "of": 30}, visit_gap_s=60.0)
    scene.see("Ana")
    scene.utc += jump_s
    scene.wait(1.9)
    if abs(jump_s) > 3:
        scene.see("Ana")
        assert scene.let_in == []
    for _ in range(30):
        scene.see("Ana")
    assert scene.let_in == ["Ana"], "the gate never recovered"


def test_one_frame_delivered_before_and_after_a_jump_back_is_one_vote() -> None:
    scene = Scene()
    first = scene.frame("Ana")
    scene.deliver(first)
    scene.wait(1.8)
    scene.see(STRANGER)
    scene.utc -= 1.5
    scene.deliver(first)
    assert scene.let_in == []


def test_a_camera_whose_clock_ran_ahead_and_was_put_right_is_believed_again() -> None:
    scene = Scene(max_age_s=10.0)
    scene.see("Ana", age_s=-0.9)
    scene.wait(1.0)
    scene.watch("Ana", frames=3)
    assert scene.let_in == ["Ana"]
