"""What the benchmarks are told of processes, on processes whose doings are known."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import processes
from benchmarks.processes import NoFigures, command, tree, usage
from tests.live.tools import wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /proc")

BUSY_ALLOCATION = 50_000_000
WORK = f"""
import subprocess, sys, time
kept = bytearray(b"x" * {BUSY_ALLOCATION})
while time.process_time() < 0.5:
    pass
child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
print("done", flush=True)
input()
child.communicate()
"""


@pytest.fixture
def worker() -> Iterator[subprocess.Popen[bytes]]:
    """It has computed for half a second, holds 50 MB, and has a child."""
    process = subprocess.Popen([sys.executable, "-c", WORK], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"done\n"
    yield process
    process.communicate()


def test_a_process_is_charged_with_what_it_computed_and_holds(worker: subprocess.Popen[bytes]) -> None:
    used = usage(worker.pid)
    assert used.cpu_s >= 0.45
    assert used.pss_bytes >= BUSY_ALLOCATION


def test_a_tree_has_a_process_and_all_below_it(worker: subprocess.Popen[bytes]) -> None:
    wait_until("the child runs", lambda: len(tree(worker.pid)) == 2)
    assert tree(worker.pid)[0] == worker.pid
    assert command(worker.pid)[1:] == ["-c", WORK]


def test_of_a_process_that_is_gone_nothing_is_told() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    with pytest.raises(NoFigures, match=f"process {gone.pid}"):
        usage(gone.pid)
    with pytest.raises(NoFigures, match=f"process {gone.pid}"):
        command(gone.pid)


def test_a_system_without_proc_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(processes, "PROC", tmp_path)
    with pytest.raises(NoFigures, match="that is Linux"):
        tree(1)
