"""What people say on `hold_s/set`: obeyed or refused, answered, told in the log, and remembered."""

from __future__ import annotations

import logging
from pathlib import Path

from agents.door import hold_file
from agents.door.hold import Hold
from agents.door.hold_file import HoldFileError, Remembered
from agents.door.retained import Retained
from agents.runtime.clock import Now
from agents.runtime.events import Message
from agents.runtime.flood import BURST
from agents.wire.messages import BadMessage
from agents.wire.orders import plain_number
from agents.wire.topics import HOLD


class HoldOrders:
    """Every order is answered with what holds, a flood once. `configured_s` is what the house's file
    says: when that is changed, it counts, and what was set before is forgotten.
    """

    def __init__(self, hold: Hold, configured_s: float, path: Path, retained: Retained, log: logging.Logger) -> None:
        self._hold, self._configured_s, self._path = hold, configured_s, path
        self._retained, self._log = retained, log
        self._saved = True
        self.refused = 0
        self.problem: str | None = None

    def start(self) -> None:
        """As it was set before the restart. Whatever is wrong with the file, there is a hold time."""
        try:
            before = hold_file.load(self._path)
            if before is not None:
                self._recall(before)
        except (HoldFileError, BadMessage) as error:
            configured = plain_number(self._hold.s)
            self._log.error("what was set before is forgotten: %s; hold_s is %s, as configured", error, configured)
            self._saved = False

    def obey(self, message: Message, now: Now) -> None:
        """Nothing is written yet: that could keep a pulse from ending in time."""
        before_s = self._hold.s
        try:
            order = self._hold.obey(message.payload, message.retain, now)
        except BadMessage as error:
            self._refuse(1, str(error))
            return
        if order is not None:
            self._saved = False
            self._retained.forget(HOLD)
            by = order.source or "a command over MQTT"
            self._log.info("hold_s is %s, was %s, by %s", plain_number(self._hold.s), plain_number(before_s), by)

    def tick(self, now: Now) -> None:
        count = self._hold.unanswered(now)
        if count:
            self._refuse(count, f"more than {BURST} at once")

    def save(self) -> None:
        """What was set since the last time. It may take its time; what fails is tried again at the next call."""
        if self._saved:
            return
        try:
            hold_file.save(self._path, Remembered(hold_s=self._hold.s, configured_s=self._configured_s))
        except HoldFileError as error:
            if str(error) != self.problem:
                self._log.error("%s", error)
            self.problem = str(error)
        else:
            self._saved, self.problem = True, None

    def _recall(self, before: Remembered) -> None:
        """Raises BadMessage when it is out of bounds by now."""
        if before.configured_s == self._configured_s:
            self._hold.set(before.hold_s)
            return
        self._saved = False  # or the old value would be back together with the old file
        was, now_is = plain_number(before.hold_s), plain_number(self._configured_s)
        self._log.info("hold_s is %s, as configured anew; %s, which was set before, is forgotten", now_is, was)

    def _refuse(self, count: int, why: str) -> None:
        self.refused += count
        self._retained.forget(HOLD)
        self._log.warning("refused %s for hold_s: %s", "an order" if count == 1 else f"{count} orders", why)
