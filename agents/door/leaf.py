"""What a contact on the door's leaf says about it: opened, forced, held open, closed. Pure."""

from __future__ import annotations

from agents.door.config import ContactSettings
from agents.runtime.clock import Now
from agents.wire.messages import EventType

GRACE_S = 1.0  # somebody who pulled in the pulse's last moment has not forced the door; beside the debouncing


class Leaf:
    """The part of a door that swings. `is_open` is where the contact says it is."""

    def __init__(self, settings: ContactSettings, is_open: bool, now: Now) -> None:
        self._settings = settings
        self.is_open = is_open
        self._opened_at, self._held_told = now.mono, False

    def moved(self, is_open: bool, released_for_s: float | None, now: Now) -> EventType:
        """It was opened or closed. `released_for_s`: how long ago the strike was last released, 0 while
        it is, None if never.
        """
        self.is_open, self._opened_at, self._held_told = is_open, now.mono, False
        if not is_open:
            return EventType.CLOSED
        allowed = released_for_s is not None and released_for_s <= GRACE_S + self._settings.debounce_s
        return EventType.OPENED if allowed or not self._settings.report_forced else EventType.FORCED

    def held(self, now: Now) -> bool:
        """Whether it has now stood open for too long; true once for each opening."""
        if not self.is_open or self._held_told or self.due_s(now) > 0:
            return False
        self._held_told = True
        return True

    def due_s(self, now: Now) -> float:
        """Seconds until `held` may become true."""
        if not self.is_open or self._held_told:
            return float("inf")
        return self._opened_at + self._settings.held_open_after_s - now.mono
