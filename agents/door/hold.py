"""How long one unlock keeps the strike released: as configured, or as people set it since. Pure."""

from __future__ import annotations

from agents.door.config import DoorSettings
from agents.runtime.clock import Now
from agents.runtime.flood import Flood
from agents.wire.messages import BadMessage, Refusal
from agents.wire.orders import HoldOrder, plain_number


class Hold:
    """The next pulse lasts `s` seconds. One that is running has its deadline, and keeps it."""

    def __init__(self, settings: DoorSettings) -> None:
        self.s = settings.hold_s
        self._bounds_s = settings.hold_bounds_s
        self._flood = Flood()

    def obey(self, payload: bytes, retain: bool, now: Now) -> HoldOrder | None:
        """Somebody's order from its topic. Returns it, or None for one too many to look at. Raises BadMessage."""
        if not self._flood.admits(now):
            return None
        if retain:
            raise BadMessage(Refusal.RETAINED, "a retained order would be obeyed again at every start")
        order = HoldOrder.read(payload)
        self.set(order.hold_s)
        return order

    def set(self, hold_s: float) -> None:
        """Raises BadMessage when that is out of bounds."""
        least_s, most_s = self._bounds_s
        if not least_s <= hold_s <= most_s:
            between = f"at least {plain_number(least_s)} s and at most {plain_number(most_s)} s"
            raise BadMessage(Refusal.MALFORMED, f"{hold_s:g} s: an unlock lasts {between}")
        self.s = hold_s

    def unanswered(self, now: Now) -> int:
        """How many orders were too many, as `Flood` tells it."""
        return self._flood.unanswered(now)
