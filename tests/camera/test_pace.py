"""How many of a source's pictures are taken, with hand-made time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.camera.pace import EARLY, Pace


@given(
    rate_fps=st.floats(0.5, 60),
    gaps=st.lists(st.floats(0, 0.3), min_size=1, max_size=200),
)
def test_no_source_however_restless_is_taken_above_the_rate(rate_fps: float, gaps: list[float]) -> None:
    pace, now, taken = Pace(rate_fps), 0.0, []
    for gap in gaps:
        now += gap
        if pace.takes(now):
            taken.append(now)
    earliest = [t - i / rate_fps for i, t in enumerate(taken)]  # grows by every period that was waited too long
    for i, start in enumerate(earliest):
        assert all(later >= start - EARLY / rate_fps - 1e-9 for later in earliest[i:])
    assert pace.surplus == len(gaps) - len(taken)


@given(rate_fps=st.floats(1, 30), jitter=st.lists(st.floats(0, 0.008), min_size=300, max_size=300))
def test_a_faster_source_is_taken_at_the_rate_without_drift(rate_fps: float, jitter: list[float]) -> None:
    pace = Pace(rate_fps)
    times = [i / 60 + late for i, late in enumerate(jitter)]
    taken = sum(pace.takes(t) for t in times)
    assert taken == pytest.approx(times[-1] * rate_fps, abs=2)


@given(late=st.lists(st.floats(-0.02, 0.02), min_size=50, max_size=50))
def test_a_source_as_fast_as_the_rate_loses_nothing_to_its_unpunctuality(late: list[float]) -> None:
    pace = Pace(10)
    assert all(pace.takes(1 + i / 10 + error) for i, error in enumerate(late))
