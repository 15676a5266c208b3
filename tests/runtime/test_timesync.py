"""Whether the computer knows the time: the kernel is asked, and what can't be known is not assumed."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from agents.runtime import clock, timesync
from agents.runtime.clock import ASK_EVERY_S, Clock
from agents.runtime.timesync import synchronised

TIMEX_64_BIT = 208  # bytes of the kernel's struct timex


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Puts an answer into the kernel's mouth. systemd has nothing to add."""
    monkeypatch.setattr(timesync, "SINCE_START", tmp_path / "synchronized")

    def says(state: int) -> None:
        monkeypatch.setattr(ctypes, "CDLL", lambda _: SimpleNamespace(adjtimex=lambda _buffer: state))

    return says


@pytest.mark.parametrize("state", [0, 1, 2, 3, 4], ids=["ok", "insert", "delete", "leap second", "after it"])
def test_a_clock_that_the_kernel_calls_good_is_good(kernel: Callable[[int], None], state: int) -> None:
    kernel(state)
    assert synchronised()


@pytest.mark.parametrize("state", [5, -1], ids=["not synchronised", "not allowed to ask"])
def test_in_doubt_the_clock_is_not_set(kernel: Callable[[int], None], state: int) -> None:
    kernel(state)
    assert not synchronised()


@pytest.mark.parametrize("state", [5, -1])
def test_a_clock_that_systemd_has_set_since_the_start_is_good(
    kernel: Callable[[int], None], state: int, tmp_path: Path
) -> None:
    kernel(state)
    (tmp_path / "synchronized").touch()
    assert synchronised()


def test_a_system_without_the_call_is_believed(kernel: Callable[[int], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: SimpleNamespace())
    assert synchronised()


def test_asking_the_kernel_sets_nothing(kernel: Callable[[int], None], monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bytes] = []

    def adjtimex(buffer: ctypes.Array[ctypes.c_char]) -> int:
        asked.append(buffer.raw)
        return 0

    monkeypatch.setattr(ctypes, "CDLL", lambda _: SimpleNamespace(adjtimex=adjtimex))
    synchronised()
    assert not any(asked[0])  # its first word is `modes`: what is to be set
    assert len(asked[0]) >= TIMEX_64_BIT


def test_this_computers_kernel_can_be_asked() -> None:
    assert synchronised() in (True, False)


class Times:
    """What `Clock` sees of the world."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.mono, self.is_set, self.asked = 100.0, False, 0
        counts_sleep = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # what waited while it slept is old
        monkeypatch.setattr(time, "clock_gettime", lambda which: {counts_sleep: self.mono}[which])
        monkeypatch.setattr(time, "time", lambda: 1.8e9 + self.mono)
        monkeypatch.setattr(clock, "synchronised", self._ask)

    def _ask(self) -> bool:
        self.asked += 1
        return self.is_set


@pytest.fixture
def times(monkeypatch: pytest.MonkeyPatch) -> Times:
    return Times(monkeypatch)


def test_an_instant_has_both_clocks(times: Times) -> None:
    now = Clock().now()
    assert (now.utc, now.mono) == (1.8e9 + 100, 100)


def test_a_clock_is_not_set_until_the_system_says_so(times: Times) -> None:
    made = Clock()
    assert not made.now().utc_is_set
    times.mono, times.is_set = times.mono + ASK_EVERY_S, True
    assert made.now().utc_is_set


def test_the_system_is_asked_now_and_then_not_at_every_look(times: Times) -> None:
    made = Clock()
    for _ in range(10):
        made.now()
    assert times.asked == 1
    times.mono += ASK_EVERY_S
    made.now()
    assert times.asked == 2


def test_a_clock_that_was_set_once_runs_on_well_and_nobody_is_asked_again(times: Times) -> None:
    times.is_set = True
    made = Clock()
    assert made.now().utc_is_set
    times.mono, times.is_set = times.mono + 1e6, False
    assert made.now().utc_is_set
    assert times.asked == 1


def test_a_trusted_clock_is_never_doubted(times: Times) -> None:
    assert Clock(trusted=True).now().utc_is_set
    assert times.asked == 0
