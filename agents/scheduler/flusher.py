"""Waits for the disk in a thread of its own: who stands at a door does not."""

from __future__ import annotations

import threading
from pathlib import Path

from agents.scheduler.journal_file import JournalError, JournalFile

TIMEOUT_S = 1.0
STOP_S = 5.0
CHECKPOINT_RECORDS = 300  # about 6 MB of the log


class Flusher:
    """Makes safe from a power cut what is in the journal `path`. `error` is what the disk failed at last, or None."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._wake = threading.Event()
        self._records = 0  # appended since the log was moved into the file
        self._stopping = False
        self.error: JournalError | None = None
        self._thread = threading.Thread(target=self._run, name="flusher", daemon=True)
        self._thread.start()

    def flush(self, records: int) -> None:
        """Soon; `records` were appended since this was called last."""
        self._records += records
        self._wake.set()

    def close(self) -> None:
        self._stopping = True
        self._wake.set()
        self._thread.join(STOP_S)

    def _run(self) -> None:
        while not self._stopping:
            self._wake.wait()
            self._wake.clear()
            try:
                self._flush()
            except JournalError as error:
                self.error = error
            else:
                self.error = None

    def _flush(self) -> None:
        with JournalFile(self._path, TIMEOUT_S) as file:
            file.flush()
            if self._records >= CHECKPOINT_RECORDS:
                self._records = 0
                file.checkpoint()
