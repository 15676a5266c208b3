"""The door's events: on disk first, then to the broker, and in the log."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path

from agents.runtime.clock import Clock
from agents.runtime.outbox import Outbox
from agents.wire.messages import BadMessage, DoorEvent, EventType

REVIEWED = 1000  # how far back the events are read for how the last run ended
OPENING = (EventType.UNLOCKED, EventType.EXTENDED)
MOVES = (*OPENING, EventType.LOCKED, EventType.JAMMED)


class Journal:
    """Events get their number and their time here. `publish` hands a payload to MQTT, as in Outbox."""

    def __init__(self, path: Path, publish: Callable[[bytes], int | None], clock: Clock, log: logging.Logger) -> None:
        self.outbox = Outbox(path, publish)
        self._clock, self._log = clock, log
        self._flushed = True
        self.counters = {"unlocked": 0, "rejected": 0}

    def tell(self, event: DoorEvent) -> DoorEvent:
        """Keep an event. Returns it as it will be published."""
        timed = event.model_copy(update={"at": self._clock.now().utc})
        seq = self.outbox.write(partial(_numbered, timed))
        self._note(timed)
        return timed.model_copy(update={"seq": seq})

    def retell(self, told: DoorEvent, event: DoorEvent) -> DoorEvent:
        """What was told last, and was not published yet, went otherwise."""
        if told.event_type in self.counters:
            self.counters[told.event_type] -= 1
        seq = self.outbox.rewrite(told.seq, partial(_numbered, event))
        self._note(event)
        return event.model_copy(update={"seq": seq})

    def left_open(self) -> bool:
        """Whether the last run told of the relay going on, or failing, and not of its going off."""
        for payload in self.outbox.recent(REVIEWED):
            with contextlib.suppress(BadMessage):
                kind = DoorEvent.decode(payload).event_type
                if kind in MOVES:
                    return kind is not EventType.LOCKED
        return False

    def flush(self) -> None:
        """Make what was told safe from a power cut. It may take its time."""
        if not self._flushed:
            self._flushed = self.outbox.flush()

    def _note(self, event: DoorEvent) -> None:
        self._flushed = False
        if event.event_type in self.counters:
            self.counters[event.event_type] += 1
        what = " ".join(str(part) for part in (event.event_type, event.reason, event.person, event.detail) if part)
        self._log.info("%s (%s%s)", what, event.cause, f" {event.id}" if event.id else "")


def _numbered(event: DoorEvent, seq: int | None) -> bytes:
    return event.model_copy(update={"seq": seq}).encode()
