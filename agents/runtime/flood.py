"""A bound on how many orders are answered one by one. Pure.

What becomes of an order is written to disk, published and read by people; a sender that sends thousands
of them a second must not fill all three.
"""

from __future__ import annotations

from agents.runtime.clock import Now

BURST = 20
PER_S = 5.0
TELL_EVERY_S = 1.0


class Flood:
    """A token bucket: `BURST` orders at once, `PER_S` orders a second in the long run."""

    def __init__(self) -> None:
        self._tokens, self._at = float(BURST), 0.0
        self._unanswered = 0
        self._told_at = float("-inf")

    def admits(self, now: Now) -> bool:
        """Whether one more order is to be looked at; if not, it is counted."""
        self._tokens = min(BURST, self._tokens + (now.mono - self._at) * PER_S)
        self._at = now.mono
        if self._tokens < 1:
            self._unanswered += 1
            return False
        self._tokens -= 1
        return True

    def unanswered(self, now: Now) -> int:
        """How many were not looked at since this was last told; 0 while there is nothing to tell yet."""
        if not self._unanswered or now.mono - self._told_at < TELL_EVERY_S:
            return 0
        count, self._unanswered, self._told_at = self._unanswered, 0, now.mono
        return count
