"""Whether the computer knows what time it is. A Raspberry Pi has no battery-backed clock."""

from __future__ import annotations

import ctypes
from pathlib import Path

TIME_ERROR = 5  # what adjtimex returns while the clock is not synchronised
TIMEX_BYTES = 1024  # struct timex has 208 at most; with modes 0 nothing is set
SINCE_START = Path("/run/systemd/timesync/synchronized")  # systemd-timesyncd: was set since the computer started


def synchronised() -> bool:
    """What the kernel says, by adjtimex(2). True on systems that have no such call, False where it is forbidden."""
    adjtimex = getattr(ctypes.CDLL(None), "adjtimex", None)
    if adjtimex is None:
        return True
    state = adjtimex(ctypes.create_string_buffer(TIMEX_BYTES))  # -1 where a sandbox forbids to ask
    return 0 <= state < TIME_ERROR or SINCE_START.exists()
