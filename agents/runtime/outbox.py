"""What an agent has to tell, until the broker has it: at least once, in order, across restarts.

Readers drop repeats by the number (`seq`) that a payload carries. The spool keeps what was not
acknowledged; while the disk fails, memory does, without numbers.
"""

from __future__ import annotations

import contextlib
import logging
from collections import deque
from collections.abc import Callable, Iterator
from itertools import takewhile
from pathlib import Path
from typing import TypeVar

from agents.runtime.spool import Spool, SpoolError

T = TypeVar("T")
WINDOW = 20  # as many as MQTT clients and brokers are ready to have under way by default
Make = Callable[[int | None], bytes]
"""Makes a payload, given its number, or None where the disk could not give it one. May be called again."""

Publish = Callable[[bytes], int | None]
"""Hands a payload to the MQTT client, which sends it, after a loss of the broker again, until it is
acknowledged. Returns the message's id, or None when it was not handed on."""


class Outbox:
    """The newest `limit` events in the file `path`; `memory` more while the disk fails; at most
    `window` of them on their way to the broker.

    All methods are called by the agent's main thread, and none raises because the disk fails. The file
    is opened by the first that needs it.
    """

    def __init__(
        self, path: Path, publish: Publish, window: int = WINDOW, limit: int = 10_000, memory: int = 1_000
    ) -> None:
        self._path, self._publish, self._limit, self._window = path, publish, limit, window
        self._log = logging.getLogger(path.stem)
        self._spool: Spool | None = None
        self._troubles: dict[str, str] = {}
        self._unsaved: deque[Make] = deque(maxlen=memory)
        self._forgotten = 0  # had to leave memory before anybody got them
        self._answered: deque[int] = deque()  # numbers whose acknowledgement is not on disk yet
        self._under_way: dict[int, int | None] = {}  # message id → number, in order of publishing
        self._handed_on = 0  # the newest number
        self._connected = self._resending = False

    @property
    def problem(self) -> str | None:
        """What the disk fails at, for people; None when all is well."""
        return next(iter(self._troubles.values()), None)

    @property
    def lost(self) -> int:
        """Events that had to make room before the broker had them."""
        return self._forgotten + (self._spool.lost if self._spool is not None else 0)

    @property
    def under_way(self) -> int:
        """Messages that the broker has not acknowledged yet."""
        return len(self._under_way)

    def write(self, make: Make) -> int | None:
        """Keep an event; `pump` publishes it. Returns its number, or None while the disk fails."""
        self._forgotten += len(self._unsaved) == self._unsaved.maxlen
        self._unsaved.append(make)
        return self._save()

    def rewrite(self, seq: int | None, make: Make) -> int | None:
        """Tell the event written last, which `pump` has not seen yet, in another way. Returns its number.

        Where the disk fails, the new wording follows the old one.
        """
        if seq is None and self._unsaved:
            self._unsaved.pop()
        elif seq is not None:
            with self._trouble("write"):
                self._disk.rewrite(seq, make(seq))
                return seq
        return self.write(make)

    def recent(self, n: int) -> list[bytes]:
        """The last `n` events on disk, the newest first; none where it can't be read."""
        return self._read(lambda disk: disk.recent(n))

    def pump(self) -> None:
        """Publish what waits, oldest first, as far as the window and the connection allow."""
        self._save()
        if not self._connected or self._resending:
            return
        room = max(0, self._window - len(self._under_way))
        for seq, payload in self._read(lambda disk: disk.waiting(self._handed_on, room)):
            if not self._hand_on(seq, payload):
                return
        while self._unsaved and len(self._under_way) < self._window and self._hand_on(None, self._unsaved[0](None)):
            self._unsaved.popleft()

    def connected(self) -> None:
        """The broker is there. What was under way, the client sends again from its own thread: a new
        event could overtake it now, but no more once the broker has answered anything.
        """
        self._connected, self._resending = True, bool(self._under_way)
        self.pump()

    def disconnected(self) -> None:
        self._connected = False

    def acknowledged(self, mid: int) -> None:
        """The broker has answered the message `mid`, whoever published it. It answers in order (MQTT 5,
        4.6): an answer that was passed over will not come, and its event waits for the next run.
        """
        self._resending = False
        if mid in self._under_way:
            for passed_over in list(takewhile(lambda other: other != mid, self._under_way)):
                del self._under_way[passed_over]
            seq = self._under_way.pop(mid)
            if seq is not None:
                self._answered.append(seq)
        self.pump()

    def flush(self) -> bool:
        """Wait for the disk, so that all survives a power cut. Takes its time. Returns whether it does."""
        with self._trouble("flush"):
            self._disk.flush()
            return True
        return False

    def close(self) -> None:
        self._save()
        with self._trouble("close"):
            self._disk.close()

    def _save(self) -> int | None:
        """Tell the disk what it does not know yet. Returns the number that the newest event got."""
        seq = None
        with self._trouble("write"):
            disk = self._disk
            while self._answered:
                disk.acknowledge(self._answered[0])
                self._answered.popleft()
            while self._unsaved:
                seq = disk.write(self._unsaved[0])
                self._unsaved.popleft()
        return None if self._unsaved else seq

    def _read(self, ask: Callable[[Spool], list[T]]) -> list[T]:
        with self._trouble("read"):
            return ask(self._disk)
        return []

    def _hand_on(self, seq: int | None, payload: bytes) -> bool:
        mid = self._publish(payload)
        if mid is None:
            return False
        self._under_way[mid] = seq
        self._handed_on = max(self._handed_on, seq or 0)
        return True

    @property
    def _disk(self) -> Spool:
        """Raises SpoolError while the file can't be opened."""
        if self._spool is None:
            self._spool = Spool(self._path, self._limit)
            if self._spool.notice is not None:
                self._log.warning("%s", self._spool.notice)
        return self._spool

    @contextlib.contextmanager
    def _trouble(self, doing: str) -> Iterator[None]:
        """Remember what the disk fails at until it works again."""
        try:
            yield
        except SpoolError as error:
            if doing not in self._troubles:
                self._log.error("%s", error)
            self._troubles[doing] = str(error)
        else:
            self._troubles.pop(doing, None)
