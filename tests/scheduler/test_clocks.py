"""Which frames are fresh and new, and whose clock is said to be wrong."""

from __future__ import annotations

import pytest

from agents.runtime.clock import Now
from agents.scheduler.clocks import BEHIND_S, Frames
from agents.wire.identity import Identity
from agents.wire.why import Why

T = 1_800_000_000.0


def now(s: float = 0.0, utc_is_set: bool = True) -> Now:
    return Now(T + s, 5000.0 + s, utc_is_set)


def identity(at_s: float, camera: str = "front", seq: int = 0) -> Identity:
    return Identity(id="i", camera=camera, captured_at=T + at_s, seq=seq, faces=())


@pytest.mark.parametrize(
    ("age_s", "why"),
    [
        (0.0, None),
        (2.0, None),
        (2.01, Why.STALE),
        (BEHIND_S, Why.STALE),
        (BEHIND_S + 0.01, Why.CAMERA_CLOCK),
        (-1.0, None),
        (-1.01, Why.CAMERA_CLOCK),
    ],
)
def test_what_is_older_than_any_frame_can_be_was_stamped_by_another_clock(age_s: float, why: Why | None) -> None:
    frames = Frames(max_age_s=2.0)
    doubt = frames.doubt(identity(-age_s), now())
    assert (doubt and doubt.why) is why
    assert bool(frames.disagreements) is (why is Why.CAMERA_CLOCK)


def test_a_clock_that_disagrees_is_told_until_that_camera_is_right_again() -> None:
    frames = Frames(max_age_s=2.0)
    frames.doubt(identity(5.0, "yard"), now())
    frames.doubt(identity(-3600.0, "hall"), now())
    frames.doubt(identity(0.0, "front"), now())
    assert frames.disagreements == [
        "the clock of camera hall is 3600 s behind this machine's",
        "the clock of camera yard is 5 s ahead of this machine's",
    ]
    frames.doubt(identity(0.0, "yard"), now())
    frames.doubt(identity(-3.0, "hall"), now())  # old, but not by another clock
    assert frames.disagreements == []


def test_a_machine_that_does_not_know_the_time_blames_no_camera() -> None:
    frames = Frames(max_age_s=2.0)
    frames.doubt(identity(5.0), now())
    doubt = frames.doubt(identity(5.0), now(utc_is_set=False))
    assert doubt is not None
    assert doubt.why is Why.CLOCK_NOT_SET
    assert frames.disagreements == []
    assert frames.stale == 2


def test_each_camera_has_its_own_newest_frame() -> None:
    frames = Frames(max_age_s=2.0)
    assert frames.is_new(identity(0.0, "front", 7), now())
    assert frames.is_new(identity(-1.0, "back", 7), now())
    assert not frames.is_new(identity(0.0, "front", 8), now())
    assert not frames.is_new(identity(1.0, "back", 7), now())
    assert frames.repeated == 2


def test_when_the_clock_went_back_a_camera_is_not_deaf_until_it_has_caught_up() -> None:
    frames = Frames(max_age_s=2.0)
    frames.is_new(identity(3600.0, seq=1), now(3600.0))
    assert not frames.is_new(identity(3600.0, seq=1), now(0.0)), "the same one is never new"
    assert frames.is_new(identity(0.0, seq=2), now(0.0))
    assert not frames.is_new(identity(0.0, seq=2), now(0.1))
    assert frames.is_new(identity(0.1, seq=3), now(0.1))


def test_a_camera_that_counts_from_the_start_again_is_believed() -> None:
    frames = Frames(max_age_s=2.0)
    assert [frames.is_new(identity(seq / 10, seq=seq % 3), now(seq / 10)) for seq in range(6)] == [True] * 6
