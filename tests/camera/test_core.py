"""The camera's decisions, with hand-made pictures and time."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.camera.config import CameraSettings
from agents.camera.core import CLOCK_STEP_S, EARLY, OPENING_S, Camera
from agents.runtime.clock import Now
from agents.wire.messages import Availability
from agents.wire.stamp import Stamp

UTC = 1_750_000_000.0


def at(mono: float, clock_error_s: float = 0.0) -> Now:
    return Now(utc=UTC + mono + clock_error_s, mono=mono)


def camera(**settings: float) -> Camera:
    return Camera(CameraSettings.model_validate({"source": 0, **settings}), "USB camera 0")


def opened(now: float = 0.0, **settings: float) -> Camera:
    made = camera(**settings)
    made.opening(at(now))
    made.opened(at(now))
    return made


def online(core: Camera) -> bool:
    return core.availability is Availability.ONLINE


def show(core: Camera, digest: bytes, now: Now) -> Stamp | None:
    """What the agent does with one picture while the broker is there."""
    stamp = core.stamp(digest, now) if core.wants(now) else None
    if stamp is not None:
        core.published()
    return stamp


@given(
    rate_fps=st.floats(0.5, 60),
    gaps=st.lists(st.floats(0, 0.3), min_size=1, max_size=200),
)
def test_no_source_however_restless_is_published_above_the_rate(rate_fps: float, gaps: list[float]) -> None:
    core, now, taken = opened(rate_fps=rate_fps), 0.0, []
    for gap in gaps:
        now += gap
        if core.wants(at(now)):
            taken.append(now)
    earliest = [t - i / rate_fps for i, t in enumerate(taken)]  # grows by every period that was waited too long
    for i, start in enumerate(earliest):
        assert all(later >= start - EARLY / rate_fps - 1e-9 for later in earliest[i:])
    assert core.counters.dropped == len(gaps) - len(taken)


@given(rate_fps=st.floats(1, 30), jitter=st.lists(st.floats(0, 0.008), min_size=300, max_size=300))
def test_a_faster_source_is_published_at_the_rate_without_drift(rate_fps: float, jitter: list[float]) -> None:
    core = opened(rate_fps=rate_fps)
    times = [i / 60 + late for i, late in enumerate(jitter)]
    taken = sum(core.wants(at(t)) for t in times)
    assert taken == pytest.approx(times[-1] * rate_fps, abs=2)


@given(late=st.lists(st.floats(-0.02, 0.02), min_size=50, max_size=50))
def test_a_source_as_fast_as_the_rate_loses_nothing_to_its_unpunctuality(late: list[float]) -> None:
    core = opened(rate_fps=10)
    assert all(core.wants(at(1 + i / 10 + error)) for i, error in enumerate(late))


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


def test_two_pictures_of_the_same_microsecond_are_not_both_published() -> None:
    core = opened()
    assert core.stamp(b"a", Now(UTC, 1.0)) is not None
    assert core.stamp(b"b", Now(UTC + 4e-7, 1.1)) is None
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
    core.stamp(b"a", at(1))
    assert core.stamp(b"b", at(2)) == Stamp(UTC + 2, seq=0)


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
    core.stamp(b"a", at(1))
    core.unfit("too large")
    core.stamp(b"b", at(2))
    assert core.problem == "too large", "fresh pictures do not hide it"
    assert not online(core)
    core.published()
    assert core.problem is None
    assert online(core)
