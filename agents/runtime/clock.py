"""The one place where agents read the time, so that tests can replace it."""

from __future__ import annotations

import time
from dataclasses import dataclass

from agents.runtime.timesync import synchronised

ASK_EVERY_S = 1.0
# where there is one that goes on while the computer sleeps: what waited so long is old
_MONOTONIC = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


@dataclass(frozen=True)
class Now:
    """One instant on both clocks.

    `utc` counts seconds since 1970 and may jump; it goes into messages and onto calendars.
    `mono` never goes back; it is what every duration is measured on. `utc_is_set` is False while
    the computer does not know the time: then nobody's age can be told from `utc`.
    """

    utc: float
    mono: float
    utc_is_set: bool = True


class Clock:
    """The computer's own clocks. A clock that was synchronised once is taken to run on well."""

    def __init__(self, trusted: bool = False) -> None:
        self._is_set = trusted
        self._ask_at = float("-inf")

    def now(self) -> Now:
        mono = time.clock_gettime(_MONOTONIC)
        if not self._is_set and mono >= self._ask_at:
            self._is_set, self._ask_at = synchronised(), mono + ASK_EVERY_S
        return Now(time.time(), mono, self._is_set)
