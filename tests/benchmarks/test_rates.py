"""Rates and their intervals."""

from __future__ import annotations

import pytest

from benchmarks.rates import Rate


@pytest.mark.parametrize(
    ("wrong", "of", "low", "high"),
    [(0, 100, 0.0, 0.037), (1, 10, 0.0179, 0.4042), (5, 100, 0.0215, 0.1118), (100, 100, 0.963, 1.0)],
)
def test_the_interval_is_wilsons(wrong: int, of: int, low: float, high: float) -> None:
    """Values as R's prop.test(correct=FALSE) and textbooks have them."""
    assert Rate(wrong, of).interval == pytest.approx((low, high), abs=2e-4)


def test_of_nothing_nothing_is_known() -> None:
    assert Rate(0, 0).share is None
    assert Rate(0, 0).interval == (0, 1)
    assert str(Rate(0, 0)) == "none presented"
    assert str(Rate(1, 10)) == "10.0% (1/10; 1.8%–40.4%)"
