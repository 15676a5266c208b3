"""From the chatter of a contact to what it settled on. Pure; times are the monotonic clock's seconds."""

from __future__ import annotations

from math import inf


class Debounced:
    """An input that changes only when its level has been the same for `settle_s`.

    gpiozero's own debouncing obeys the first edge and ignores the next: a spike on a long wire
    would open the door. Here doubt means no change: `mono` is when the agent hears of an edge, so one
    that waited in the inbox can only make a change come later.
    """

    def __init__(self, settle_s: float, active: bool) -> None:
        self.active = active
        """The settled value."""
        self._settle_s = settle_s
        self._level = active
        self._settled_at = inf  # when the level will have lasted; never, when it is the settled value's

    def edge(self, active: bool, mono: float) -> None:
        """The level has just become `active`. Also when that is nothing new: then it was otherwise
        in between, and an edge got lost.
        """
        self._level = active
        self._settled_at = inf if active is self.active else mono + self._settle_s

    def sample(self, active: bool, mono: float) -> None:
        """The level was read, with no edge heard of. Take one before each `tick`."""
        if active is not self._level:
            self.edge(active, mono)

    def tick(self, mono: float) -> bool | None:
        """The new settled value, once, when it changed."""
        if mono < self._settled_at:
            return None
        self.active, self._settled_at = self._level, inf
        return self.active

    def due_s(self, mono: float) -> float:
        """Seconds until `tick` may have something to say."""
        return self._settled_at - mono
