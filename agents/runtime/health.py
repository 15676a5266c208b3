"""What an agent says of itself on its health topic."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import quantiles

from agents import __version__
from agents.runtime.board import Thermometer
from agents.runtime.clock import Now
from agents.wire.messages import Health, Latency

PERIOD_S = 30.0
WINDOW = 200


class Latencies:
    """The last few hundred times, in milliseconds."""

    def __init__(self) -> None:
        self._ms: deque[float] = deque(maxlen=WINDOW)

    def add(self, seconds: float) -> None:
        self._ms.append(seconds * 1000)

    def summary(self) -> Latency | None:
        if not self._ms:
            return None
        values = list(self._ms) * 2 if len(self._ms) == 1 else list(self._ms)
        cut = quantiles(values, n=20, method="inclusive")
        return Latency(p50=round(cut[9], 1), p95=round(cut[18], 1), n=len(self._ms))


@dataclass(frozen=True)
class Report:
    """An agent's own part of its health. `problem` is what a person has to mend, or None."""

    problem: str | None = None
    counters: Mapping[str, int] = field(default_factory=dict)
    latencies: Latencies | None = None


class Reporter:
    """Decides when health is due: regularly, and at once when the problem changes."""

    def __init__(self, started: Now, thermometer: Thermometer) -> None:
        self._started, self._thermometer = started, thermometer
        self._due_at = started.mono
        self._problem: str | None = None

    def force(self) -> None:
        self._due_at = float("-inf")

    def health(self, report: Report, now: Now) -> Health | None:
        """The message to publish, or None when none is due."""
        if now.mono < self._due_at and report.problem == self._problem:
            return None
        self._due_at, self._problem = now.mono + PERIOD_S, report.problem
        return Health(
            version=__version__,
            started_at=self._started.utc,
            uptime_s=round(now.mono - self._started.mono, 1),
            problem=report.problem[:200] if report.problem else None,
            counters=dict(report.counters),
            latency_ms=report.latencies.summary() if report.latencies else None,
            cpu_c=self._thermometer.read_c(),
        )
