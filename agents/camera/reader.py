"""The thread that reads a source, so that nothing old waits in a buffer and nothing blocks the agent."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass
from pathlib import Path

from agents.camera.config import CameraSettings
from agents.camera.pace import Pace
from agents.camera.picture import Image
from agents.camera.source import Source, SourceError, open_source
from agents.runtime.clock import Clock, Now
from agents.runtime.inbox import Fault, Inbox


@dataclass(frozen=True)
class Opened:
    reader: Reader


@dataclass(frozen=True, eq=False)
class Captured:
    """A picture, and the instant right after it came."""

    reader: Reader
    image: Image
    at: Now


@dataclass(frozen=True)
class Skipped:
    """The source got over something by itself; `text` says what."""

    reader: Reader
    text: str


@dataclass(frozen=True)
class Failed:
    """The source is lost and the reader ends; `text` says why."""

    reader: Reader
    text: str


class Reader:
    """One life of a source: opens it and reads until it fails or `close` is called.

    All it has to say it puts into the inbox; of pictures only the newest waits there. What a live
    source has beyond the `pace` is not even decoded; any other source is read at that pace.
    """

    def __init__(self, settings: CameraSettings, folder: Path, pace: Pace, inbox: Inbox, clock: Clock) -> None:
        self._settings, self._folder, self._pace = settings, folder, pace
        self._inbox, self._clock = inbox, clock
        self._stop = threading.Event()
        # a daemon, as a read that hangs in a driver may not keep the agent from ending
        self._thread = threading.Thread(target=self._run, name="reader", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def close(self, timeout_s: float) -> None:
        """End, waiting no longer than this for a read that is under way."""
        self._stop.set()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        try:
            with contextlib.closing(open_source(self._settings, self._folder, self._warn)) as source:
                self._inbox.put(Opened(self))
                self._read(source)
        except SourceError as error:
            self._inbox.put(Failed(self, str(error)))
        except BaseException as error:  # noqa: BLE001 - it is raised again by the main thread
            self._inbox.put(Fault(error))

    def _warn(self, text: str) -> None:
        self._inbox.put(Skipped(self, text))

    def _read(self, source: Source) -> None:
        period_s = 0.0 if source.live else self._pace.period_s
        due_at = self._clock.now().mono
        wait_s = 0.0
        while not self._stop.wait(wait_s):
            source.grab()
            now = self._clock.now()
            if self._pace.takes(now.mono):
                self._inbox.put_latest(self, Captured(self, source.retrieve(), now))
            due_at = max(due_at + period_s, now.mono)
            wait_s = due_at - now.mono
