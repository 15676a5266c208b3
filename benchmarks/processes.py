"""What running processes cost, as Linux tells it under /proc (see proc(5))."""

from __future__ import annotations

import contextlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


class NoFigures(Exception):
    """What was asked can't be told here; the text says why."""


@dataclass(frozen=True)
class Usage:
    """`cpu_s`: seconds of one core since the process started, all its threads, in itself and in the
    kernel, and those of its children that ended. `pss_bytes`: its memory, what it shares with others
    counted in proportion, so that those of several processes can be added up.
    """

    cpu_s: float
    pss_bytes: int


def usage(pid: int) -> Usage:
    """Raises NoFigures when the process is gone, or somebody else's."""
    try:
        fields = _fields(pid)
        rollup = (PROC / str(pid) / "smaps_rollup").read_text(encoding="ascii")
        ticks = sum(int(field) for field in fields[11:15])  # utime, stime, cutime, cstime
        kilobytes = re.search(r"^Pss:\s+(\d+) kB$", rollup, re.MULTILINE)
    except OSError as error:
        raise NoFigures(f"process {pid}: {error.strerror}") from None
    if kilobytes is None:
        raise NoFigures(f"process {pid}: the kernel does not tell its memory")
    return Usage(ticks / os.sysconf("SC_CLK_TCK"), 1024 * int(kilobytes[1]))


def tree(pid: int) -> list[int]:
    """The process, its children, theirs and so on, oldest first. Raises NoFigures where there is no /proc."""
    if not (PROC / "self/smaps_rollup").exists():
        raise NoFigures("this system has no /proc/PID/smaps_rollup; that is Linux, 4.14 or newer")
    parents: dict[int, int] = {}
    for folder in PROC.glob("[0-9]*"):
        with contextlib.suppress(OSError):  # ended meanwhile
            parents[int(folder.name)] = int(_fields(int(folder.name))[1])
    found = [pid]
    for one in found:  # grows on the way
        found += sorted(child for child, parent in parents.items() if parent == one)
    return found


def command(pid: int) -> list[str]:
    """The words of its command line. Raises NoFigures when the process is gone."""
    try:
        return (PROC / str(pid) / "cmdline").read_bytes().decode(errors="replace").rstrip("\0").split("\0")
    except OSError as error:
        raise NoFigures(f"process {pid}: {error.strerror}") from None


def _fields(pid: int) -> list[str]:
    """Of /proc/PID/stat, from the third on, the process's state: the second, its name, may hold anything."""
    return (PROC / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()
