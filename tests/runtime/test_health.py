"""Health is told regularly, and at once when there is something to tell."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents import __version__
from agents.runtime.board import Thermometer
from agents.runtime.clock import Now
from agents.runtime.health import PERIOD_S, WINDOW, Latencies, Report, Reporter
from agents.wire.messages import Health, Latency

T0 = 1_800_000_000.0
NONE = Thermometer(Path("nowhere"))


def at(s: float) -> Now:
    """`s` seconds after the start, on a wall clock that was set forward by a year meanwhile."""
    return Now(utc=T0 + s + (31_536_000 if s else 0), mono=1000 + s)


def told(reporter: Reporter, s: float, problem: str | None = None) -> Health | None:
    return reporter.health(Report(problem), at(s))


def test_the_first_report_is_due_at_once() -> None:
    assert told(Reporter(at(0), NONE), 0) is not None


def test_reports_are_a_period_apart_on_the_monotonic_clock() -> None:
    reporter = Reporter(at(0), NONE)
    when = [s for s in range(int(3 * PERIOD_S) + 1) if told(reporter, s) is not None]
    assert when == [0, PERIOD_S, 2 * PERIOD_S, 3 * PERIOD_S]


def test_a_problem_is_told_when_it_comes_changes_and_goes() -> None:
    reporter = Reporter(at(0), NONE)
    told(reporter, 0)
    problems = [None, "no camera", "no camera", "frozen", None, None]
    found = [told(reporter, 1 + i, problem) for i, problem in enumerate(problems)]
    assert [health and health.problem for health in found] == [None, "no camera", None, "frozen", None, None]
    assert [health is not None for health in found] == [False, True, False, True, True, False]


def test_after_a_problem_was_told_the_period_begins_anew() -> None:
    reporter = Reporter(at(0), NONE)
    told(reporter, 0)
    told(reporter, 20, "frozen")
    assert told(reporter, PERIOD_S, "frozen") is None
    assert told(reporter, 20 + PERIOD_S, "frozen") is not None


def test_forced_means_now_and_only_once() -> None:
    reporter = Reporter(at(0), NONE)
    told(reporter, 0)
    reporter.force()
    assert told(reporter, 1) is not None
    assert told(reporter, 2) is None


def test_a_report_says_who_since_when_and_how() -> None:
    reporter = Reporter(at(0), NONE)
    latencies = Latencies()
    latencies.add(0.002)
    health = reporter.health(Report("frozen", {"frames": 7}, latencies), at(12.34))
    assert health == Health(
        version=__version__,
        started_at=T0,
        uptime_s=12.3,
        problem="frozen",
        counters={"frames": 7},
        latency_ms=Latency(p50=2.0, p95=2.0, n=1),
    )


@given(st.text(st.characters(), min_size=1) | st.text(min_size=201, max_size=250))
def test_whatever_the_problem_it_can_be_told(problem: str) -> None:
    health = told(Reporter(at(0), NONE), 0, problem)
    assert health is not None
    assert Health.decode(health.encode()) == health


def test_without_a_time_there_is_no_latency() -> None:
    assert Latencies().summary() is None


def test_one_time_is_its_own_percentiles() -> None:
    latencies = Latencies()
    latencies.add(0.0123)
    assert latencies.summary() == Latency(p50=12.3, p95=12.3, n=1)


def test_percentiles_in_milliseconds() -> None:
    latencies = Latencies()
    for ms in reversed(range(101)):
        latencies.add(ms / 1000)
    assert latencies.summary() == Latency(p50=50.0, p95=95.0, n=101)


def test_only_the_last_times_count() -> None:
    latencies = Latencies()
    for _ in range(WINDOW):
        latencies.add(9.0)
    for _ in range(WINDOW):
        latencies.add(0.001)
    assert latencies.summary() == Latency(p50=1.0, p95=1.0, n=WINDOW)


@pytest.mark.parametrize("seconds", [-3600.0, 0.0, 31_536_000.0])
def test_a_clock_that_was_set_meanwhile_breaks_nothing(seconds: float) -> None:
    latencies = Latencies()
    latencies.add(seconds)
    latencies.add(0.01)
    summary = latencies.summary()
    assert summary is not None
    assert summary.n == 2


def zone(folder: Path, number: int, kind: str, milli_c: str) -> None:
    place = folder / f"thermal_zone{number}"
    place.mkdir()
    (place / "type").write_text(f"{kind}\n")
    (place / "temp").write_text(f"{milli_c}\n")


def test_a_raspberry_pis_temperature_is_told(tmp_path: Path) -> None:
    zone(tmp_path, 0, "iwlwifi_1", "90000")
    zone(tmp_path, 1, "cpu-thermal", "48312")
    health = Reporter(at(0), Thermometer(tmp_path)).health(Report(), at(0))
    assert health is not None
    assert health.cpu_c == 48.3


@pytest.mark.parametrize(("kind", "text"), [("x86_pkg_temp", "50000"), ("cpu-thermal", ""), ("cpu-thermal", "warm")])
def test_what_can_not_be_read_or_is_not_known_to_be_the_cpu_is_not_told(tmp_path: Path, kind: str, text: str) -> None:
    zone(tmp_path, 0, kind, text)
    thermometer = Thermometer(tmp_path)
    assert thermometer.present is (kind == "cpu-thermal")
    assert thermometer.read_c() is None
