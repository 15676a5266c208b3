"""The camera's decisions, with hand-made pictures and time."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.camera.config import CameraSettings
from agents.camera.core import CLOCK_STEP_S, OPENING_S, Camera
from agents.runtime.clock import Now
from agents.wire.messages import Availability
from agents.wire.stamp import Stamp

UTC = 1_750_000_000.0


def at(mono: float, clock_error_s: float = 0.0) -> Now:
    return Now(utc=UTC + mono + clock_error_s, mono=mono)


class Shown(Camera):
    """A camera that is shown pictures, and remembers the last one it looked at."""

    last: bytes | None = None


def camera(**settings: float) -> Shown:
    return Shown(CameraSettings.model_validate({"source": 0, **settings}), "USB camera 0")


def opened(now: float = 0.0, **settings: float) -> Shown:
    made = camera(**settings)
    made.opening(at(now))
    made.opened(at(now))
    return made


def online(core: Camera) -> bool:
    return core.availability is Availability.ONLINE


def show(core: Shown, picture: bytes, now: Now, moved: bool = True) -> Stamp | None:
    """What the agent does with one picture while the broker is there."""
    if not core.wants(moved, now):
        return None
    stamp = core.stamp(picture == core.last, now)
    core.last = picture
    if stamp is not None:
        core.published()
    return stamp


@given(
    pictures=st.lists(st.sampled_from([b"a", b"b", b"c"]), min_size=1, max_size=50),
    errors=st.lists(st.floats(-CLOCK_STEP_S / 2, CLOCK_STEP_S / 2), min_size=50, max_size=50),
)
def test_stamps_rise_strictly_and_no_picture_follows_itself(pictures: list[bytes], errors: list[float]) -> None:
    core = opened(rate_fps=10)
    shown = [(show(core, p, at(i / 10, e)), p) for i, (p, e) in enumerate(zip(pictures, errors, strict=False))]
    stamps = [stamp for stamp, _ in shown if stamp is not None]
    written = [float(dict(stamp.properties())["captured_at"]) for stamp in stamps]
    assert all(a < b for a, b in pairwise(written))
    assert [stamp.seq for stamp in stamps] == list(range(len(stamps)))
    assert all(after is None for (_, p), (after, q) in pairwise(shown) if p == q)


def distinct(i: int) -> bytes:
    return i.to_bytes(4, "big")


@given(
    motion=st.lists(st.booleans(), min_size=1, max_size=300),
    active_s=st.floats(0.1, 10),
    idle_fps=st.floats(0.5, 5),
)
def test_while_something_moves_and_for_a_while_after_every_picture_is_published_and_then_a_few(
    motion: list[bool], active_s: float, idle_fps: float
) -> None:
    core, fps = opened(rate_fps=10, idle_fps=idle_fps, active_s=active_s), 10
    moved_at, published_at = float("-inf"), float("-inf")
    for i, moved in enumerate(motion):
        now = i / fps
        moved_at = now if moved else moved_at
        stamp = show(core, distinct(i), at(now), moved)
        if now - moved_at < active_s - 1e-6:
            assert stamp is not None, "the very picture in which something moves, and those after it"
        if stamp is None:
            assert now - published_at < 1 / idle_fps
        else:
            published_at = now
    assert core.counters.published + core.counters.still == len(motion)


@given(jitter=st.lists(st.floats(-0.02, 0.02), min_size=300, max_size=300), idle_fps=st.sampled_from([0.5, 1.0, 2.0]))
def test_of_a_still_scene_idle_fps_frames_a_second_are_published(jitter: list[float], idle_fps: float) -> None:
    core = opened(rate_fps=15, idle_fps=idle_fps)
    for i, late in enumerate(jitter):
        show(core, distinct(i), at(1 + i / 15 + late), moved=False)
    assert core.counters.published == pytest.approx(20 * idle_fps, abs=2)


@pytest.mark.parametrize("idle_fps", [10, 60])
def test_an_idle_rate_as_high_as_the_rate_saves_nothing(idle_fps: float) -> None:
    core = opened(rate_fps=10, idle_fps=idle_fps)
    assert not core.saves
    assert all(show(core, distinct(i), at(i / 10), moved=False) for i in range(50))


def test_a_picture_that_is_no_evidence_does_not_count_as_the_seconds_frame() -> None:
    core = opened(rate_fps=10, active_s=0.1)
    assert show(core, b"a", at(1), moved=False)
    assert show(core, b"b", at(1.5), moved=False) is None, "nothing moves"
    assert show(core, b"a", at(2), moved=False) is None, "repeated"
    assert show(core, b"b", at(2.1), moved=False) == Stamp(UTC + 2.1, seq=1)
    assert core.counters.repeated == 1


def test_a_scene_that_looks_the_same_every_second_is_not_frozen() -> None:
    core = opened(rate_fps=10, frozen_after_s=0.5, active_s=0.1)
    for i in range(100):
        show(core, distinct(i % 5), at(1 + i / 10), moved=False)
        assert online(core)
    assert core.counters.repeated > 0


def test_a_camera_that_freezes_while_nothing_moves_is_found_out() -> None:
    core = opened(rate_fps=10, frozen_after_s=30)
    for i in range(200):
        show(core, distinct(i), at(i / 10), moved=False)
    times = [20 + i / 10 for i in range(330)]
    assert len([t for t in times if show(core, distinct(199), at(t), moved=False)]) == 1
    assert not online(core)
    assert core.problem is not None
    assert core.problem.startswith("frozen")


def test_a_reopened_source_is_heard_of_at_once_though_nothing_moved() -> None:
    core = opened()
    show(core, b"a", at(1), moved=False)
    core.failed("USB camera 0: gone", at(1.1))
    core.opening(at(1.2))
    core.opened(at(1.3))
    assert show(core, b"b", at(1.4), moved=False) is not None
    assert online(core)


def test_two_pictures_of_the_same_microsecond_are_not_both_published() -> None:
    core = opened()
    assert core.stamp(False, Now(UTC, 1.0)) is not None
    assert core.stamp(False, Now(UTC + 4e-7, 1.1)) is None
    assert core.counters.dropped == 1


def test_a_clock_set_back_by_an_hour_does_not_stop_the_camera_for_an_hour() -> None:
    core = opened()
    assert show(core, b"a", at(1)) is not None
    assert show(core, b"b", at(2, -3600)) == Stamp(UTC + 2 - 3600, seq=1)


def test_a_repeated_picture_is_counted_and_never_published() -> None:
    core = opened()
    assert show(core, b"a", at(1)) == Stamp(UTC + 1, seq=0)
    assert [show(core, b"a", at(1 + i)) for i in range(1, 5)] == [None] * 4
    assert core.counters.repeated == 4
    assert core.counters.published == 1


def test_a_picture_that_failed_to_leave_takes_no_number() -> None:
    core = opened()
    core.stamp(False, at(1))
    assert core.stamp(False, at(2)) == Stamp(UTC + 2, seq=0)


def test_a_picture_that_stays_the_same_is_frozen_until_it_changes() -> None:
    core = opened(frozen_after_s=30)
    for second in range(1, 31):
        show(core, b"a", at(second))
    assert online(core)
    show(core, b"a", at(31))
    assert core.problem == "frozen: the picture of USB camera 0 has not changed for more than 30 s"
    assert not online(core)
    show(core, b"b", at(32))
    assert core.problem is None
    assert online(core)


def test_reopening_a_frozen_source_does_not_thaw_it() -> None:
    core = opened(frozen_after_s=30)
    show(core, b"a", at(1))
    core.failed("USB camera 0: gone", at(2))
    core.opening(at(40))
    core.opened(at(40))
    assert show(core, b"a", at(41)) is None
    assert not online(core)


def test_a_camera_is_offline_until_its_first_picture() -> None:
    core = camera()
    assert not online(core)
    core.opening(at(0))
    core.opened(at(0))
    assert not online(core)
    assert core.problem is None
    show(core, b"a", at(1))
    assert online(core)


def test_a_silent_source_is_given_up_and_said_to_be_stalled() -> None:
    core = opened(stalled_after_s=5)
    show(core, b"a", at(1))
    assert core.due_s(at(2)) == 4
    assert not core.stalls(at(5.9))
    assert core.stalls(at(6))
    assert core.problem == "stalled: no picture from USB camera 0 for 5 s"
    assert not online(core)
    assert not core.stalls(at(60)), "it is given up once"


def test_a_source_that_never_opens_is_given_up_too() -> None:
    core = camera(stalled_after_s=5)
    core.opening(at(0))
    assert not core.stalls(at(OPENING_S - 0.1))
    assert core.stalls(at(OPENING_S))


def test_a_camera_asked_for_a_picture_a_minute_is_not_stalled() -> None:
    core = opened(rate_fps=1 / 60, stalled_after_s=5)
    show(core, b"a", at(0))
    assert not core.stalls(at(61))


def test_a_lost_source_is_opened_anew_ever_more_rarely_until_it_gives_pictures() -> None:
    core, now, waits = camera(), 0.0, []
    assert core.should_open(at(now))
    for _ in range(7):
        core.opening(at(now))
        assert not core.should_open(at(now))
        core.failed("USB camera 0: can't be opened", at(now))
        waits.append(core.due_s(at(now)))
        assert not core.should_open(at(now + waits[-1] - 0.01))
        now += waits[-1]
        assert core.should_open(at(now))
    assert waits == [1, 2, 4, 8, 16, 30, 30]
    assert core.problem == "USB camera 0: can't be opened"
    core.opening(at(now))
    core.opened(at(now))
    show(core, b"a", at(now))
    assert core.problem is None
    core.failed("USB camera 0: gives no picture any more", at(now))
    assert core.due_s(at(now)) == 1
    assert core.counters.source_failures == 8


def test_a_reopened_source_is_counted_but_not_the_first_opening() -> None:
    core = opened()
    assert core.counters.reopened == 0
    core.failed("USB camera 0: gone", at(1))
    core.opening(at(2))
    core.opened(at(2))
    assert core.counters.reopened == 1


def test_pictures_unfit_for_the_broker_make_the_camera_offline_until_one_fits() -> None:
    core = opened()
    core.stamp(False, at(1))
    core.unfit("too large")
    core.stamp(False, at(2))
    assert core.problem == "too large", "fresh pictures do not hide it"
    assert not online(core)
    core.published()
    assert core.problem is None
    assert online(core)
