"""A person is guided through head positions; every promise on a clock that the test holds."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.recognizer.people.gates import Flaw, Pose
from agents.recognizer.people.poses import (
    BLIND_SETTLE_S,
    ENOUGH,
    HOLD_S,
    PATIENCE_S,
    POSITIONS,
    SETTLE_S,
    Guide,
    Kept,
    Missed,
    Shot,
)
from tests.fakes import after

BY_NAME = {
    "straight": Pose(0.0, 0.0),
    "left": Pose(20.0, 0.0),
    "right": Pose(-20.0, 0.0),
    "up": Pose(0.0, -10.0),
    "down": Pose(0.0, 10.0),
}
TOO_DARK = Flaw("the face is too dark", "too dark")
Ended = Kept[str] | Missed


class Person:
    """Stands before a camera of ten frames a second and does as told, or not."""

    def __init__(self, mirrored: bool = False, patience_s: float = PATIENCE_S) -> None:
        self.guide: Guide[str] = Guide(mirrored=mirrored, patience_s=patience_s)
        self.s = 0.0
        self.guide.start(after(0))

    def show(self, seen: Pose | Flaw | None, sharpness: float = 20.0, item: str = "") -> Ended | None:
        """One frame; None is a face of which nobody knows where it looks."""
        self.s += 0.1
        shot = seen if isinstance(seen, Flaw) else Shot(seen, sharpness, item)
        return self.guide.see(shot, after(self.s))

    def hold(self, seen: Pose | Flaw | None, for_s: float = 60.0) -> Ended | None:
        """Until that ends the position, or so long."""
        until = self.s + for_s
        while self.s < until:
            ended = self.show(seen)
            if ended is not None:
                return ended
        return None

    def obey(self, except_for: Iterable[str] = ()) -> None:
        while (asked := self.guide.asked) is not None:
            self.hold(BY_NAME["straight"] if asked.name in except_for else BY_NAME[asked.name])

    @property
    def kept(self) -> list[str]:
        return [kept.position.name for kept in self.guide.kept]


def test_who_does_as_asked_is_done_after_five_positions() -> None:
    person = Person()
    person.obey()
    assert person.kept == ["straight", "left", "right", "up", "down"]
    assert person.guide.enough
    assert person.s < len(POSITIONS) * (SETTLE_S + HOLD_S)


def test_of_several_frames_the_sharpest_is_kept() -> None:
    person = Person()
    person.hold(BY_NAME["left"], 1.0)  # not yet what is asked for
    frames = [12.0, 30.0, 15.0, 14.0, 11.0]
    ended = [person.show(BY_NAME["straight"], sharpness, f"frame {sharpness:.0f}") for sharpness in frames]
    assert ended[:-1] == [None] * (ENOUGH - 1)
    assert isinstance(ended[-1], Kept)
    assert (ended[-1].shot.item, ended[-1].frames) == ("frame 30", 5)


def test_a_head_still_on_its_way_is_not_taken() -> None:
    person = Person()
    for _ in range(4):
        person.show(BY_NAME["straight"], 99.0, "on the way")
    kept = person.hold(BY_NAME["straight"])
    assert isinstance(kept, Kept)
    assert kept.shot.item == ""


def test_with_few_frames_a_position_is_kept_after_a_while_but_never_from_one() -> None:
    person = Person()
    person.s = 1.0
    person.show(BY_NAME["straight"])
    assert person.hold(TOO_DARK, HOLD_S + 1) is None
    assert isinstance(person.show(BY_NAME["straight"]), Kept)


def test_a_position_that_can_not_be_had_is_left_out_with_the_reason_and_the_others_go_on() -> None:
    person = Person()
    person.hold(BY_NAME["straight"])
    missed = person.hold(BY_NAME["right"])
    assert missed == Missed(POSITIONS[1], "the other way")
    person.obey(except_for=["down"])
    assert person.kept == ["straight", "right", "up"]
    assert person.guide.enough


def test_two_positions_are_not_enough() -> None:
    person = Person()
    person.obey(except_for=["right", "up", "down"])
    assert person.kept == ["straight", "left"]
    assert not person.guide.enough


def test_before_an_empty_camera_it_ends_with_nothing() -> None:
    person = Person(patience_s=4.0)
    ended = []
    while person.guide.asked is not None:
        person.s += 1
        ended.append(person.guide.tick(after(person.s)))
    assert [missed for missed in ended if missed] == [Missed(position, "no face in view") for position in POSITIONS]
    assert person.s == pytest.approx(len(POSITIONS) * 4.0)


@pytest.mark.parametrize(
    ("asked", "pose", "hint"),
    [
        ("straight", Pose(15, 0), "look straight at the camera"),
        ("straight", Pose(0, -14), "look straight at the camera"),
        ("left", Pose(5, 0), "turn a little more"),
        ("left", Pose(-15, 0), "the other way"),
        ("left", Pose(33, 0), "not so far"),
        ("left", Pose(20, 12), "keep your chin level"),
        ("right", Pose(15, 0), "the other way"),
        ("up", Pose(0, 0), "move a little more"),
        ("up", Pose(0, 8), "the other way"),
        ("up", Pose(12, -8), "do not turn to the side"),
        ("down", Pose(0, -8), "the other way"),
    ],
)
def test_out_of_the_position_it_is_said_what_to_do(asked: str, pose: Pose, hint: str) -> None:
    person = Person()
    while person.guide.asked is not None and person.guide.asked.name != asked:
        person.hold(BY_NAME[person.guide.asked.name])
    person.hold(pose, 2.0)
    assert person.guide.hint == hint


def test_what_is_wrong_with_a_frame_is_said_and_the_frame_does_not_count() -> None:
    person = Person()
    assert person.hold(TOO_DARK, 3.0) is None
    assert person.guide.hint == "too dark"
    person.show(BY_NAME["straight"])
    assert person.guide.hint == f"hold still (1/{ENOUGH})"


def test_who_holds_the_head_low_by_nature_turns_and_nods_from_there() -> None:
    person, own = Person(), Pose(6.0, 8.0)
    while (asked := person.guide.asked) is not None:
        move = BY_NAME[asked.name]
        person.hold(Pose(own.yaw_deg + move.yaw_deg, own.pitch_deg + move.pitch_deg))
    assert len(person.kept) == 5


def test_before_a_camera_whose_picture_is_mirrored_left_is_still_the_persons_left() -> None:
    person = Person(mirrored=True)
    person.hold(BY_NAME["straight"])
    person.hold(BY_NAME["left"], 2.0)
    assert person.guide.hint == "the other way"
    assert isinstance(person.hold(BY_NAME["right"]), Kept)
    assert person.kept == ["straight", "left"]


def test_without_a_pose_every_position_gets_time_and_is_believed() -> None:
    person = Person()
    kept = person.hold(None)
    assert isinstance(kept, Kept)
    assert person.s >= BLIND_SETTLE_S
    while person.guide.asked is not None:
        person.hold(None)
    assert len(person.kept) == 5


@given(
    st.lists(
        st.tuples(
            st.just(TOO_DARK) | st.none() | st.builds(Pose, st.floats(-40, 40), st.floats(-20, 20)),
            st.floats(0, 20),
        ),
        max_size=60,
    )
)
def test_whatever_is_seen_each_position_ends_once_and_in_time(frames: list[tuple[Pose | Flaw | None, float]]) -> None:
    person, ended = Person(), []
    for seen, pause_s in frames:
        person.s += pause_s
        ended.append(person.show(seen))
    for _ in range(len(POSITIONS)):
        person.s += PATIENCE_S + 0.1
        ended.append(person.guide.tick(after(person.s)))
    names = [one.position.name for one in ended if one is not None]
    assert names == [position.name for position in POSITIONS]
    assert person.guide.asked is None
    assert person.kept == [one.position.name for one in ended if isinstance(one, Kept)]
