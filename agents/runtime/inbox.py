"""The one queue that everything an agent hears about goes through.

MQTT callbacks, GPIO callbacks and signal handlers only put events here; the agent's main thread
takes them out, one at a time. So nothing else needs a lock, and an error surfaces in the thread
whose end is the end of the process.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Hashable
from dataclasses import dataclass


class Vital:
    """An event that always fits in the inbox: there are few of them, and each counts."""


@dataclass(frozen=True)
class Stop(Vital):
    """End the agent in good order."""

    reason: str


@dataclass(frozen=True)
class Fault(Vital):
    """A helper thread failed; the main thread raises its error."""

    error: BaseException


class Inbox:
    """A queue with, beside it, depth-one slots for things of which only the newest counts.

    `limit` bounds the events that can wait. What does not fit is dropped and counted: for a lock,
    an order not carried out is better than memory running out. What is `Vital` always fits.
    """

    def __init__(self, limit: int = 1000) -> None:
        self._limit = limit
        # SimpleQueue.put may be called by a signal handler that interrupts put itself
        self._queue: queue.SimpleQueue[object] = queue.SimpleQueue()
        self._slots: dict[Hashable, object] = {}
        self._lock = threading.Lock()
        self.dropped = 0
        self.passed_over = 0

    @property
    def full(self) -> bool:
        """Whether `put` would drop an event that is not vital; `put_latest` never does."""
        return self._queue.qsize() >= self._limit

    @property
    def waiting(self) -> int:
        """How many events wait now."""
        return self._queue.qsize()

    def put(self, event: object) -> None:
        if self.full and not isinstance(event, Vital):
            self.dropped += 1
            return
        self._queue.put(event)

    def put_latest(self, key: Hashable, event: object) -> None:
        """Put `event` in the slot `key`; an event still waiting there is passed over."""
        with self._lock:
            waiting = key in self._slots
            self._slots[key] = event
            self.passed_over += waiting
        if not waiting:
            self._queue.put(_Slot(key))

    def get(self, timeout_s: float) -> object | None:
        """The next event, or None when none came in time."""
        try:
            event = self._queue.get(timeout=max(0.0, timeout_s))
        except queue.Empty:
            return None
        if isinstance(event, _Slot):
            with self._lock:
                return self._slots.pop(event.key)
        return event


@dataclass(frozen=True)
class _Slot:
    key: Hashable
