"""The one place where agents read the time, so that tests can replace it."""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Now:
    """One instant on both clocks.

    `utc` counts seconds since 1970 and may jump; it goes into messages and onto calendars.
    `mono` never goes back; it is what every duration is measured on.
    """

    utc: float
    mono: float


class Clock:
    """The computer's own clocks."""

    def now(self) -> Now:
        return Now(utc=time.time(), mono=time.monotonic())
