"""A scheduler agent that writes nothing to disk, with all that it says and writes in the test's hands."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from agents.runtime.clock import Now
from agents.runtime.inbox import Inbox
from agents.scheduler.agent import SchedulerAgent
from agents.scheduler.chain import Kind, compact
from agents.scheduler.config import SchedulerSettings
from agents.scheduler.holiday_calendar import HolidayCalendar
from agents.scheduler.journal import MAX_BODY_BYTES, Journal, JournalError
from agents.scheduler.recorder import Recorder
from agents.scheduler.rules import Rules
from agents.scheduler.standing import Standing
from agents.scheduler.switchboard import Switchboard
from tests.fakes import FakeClock, FakeSession
from tests.fuzz.reader import read_log
from tests.fuzz.scheduler_rules import FILE

SETTINGS = SchedulerSettings.model_validate(FILE)
RULES, NOWHERE = Rules(SETTINGS, HolidayCalendar(SETTINGS.holidays)), Path("/nonexistent")


class Memory(Journal):
    """A journal on no disk. `records` are kinds and bodies."""

    def __init__(self) -> None:
        self.records: list[tuple[str, dict[str, object]]] = []
        self.writable = True

    def append(self, kind: Kind, at: float, body: Mapping[str, object]) -> int | None:
        if not self.writable:
            raise JournalError("the disk is full")
        text = compact(body)
        assert len(text.encode()) <= MAX_BODY_BYTES
        self.records.append((kind, json.loads(text)))
        return len(self.records)

    def last_seq(self, door: str) -> int | None:
        seqs = [body["seq"] for kind, body in self.records if kind == "event" and body["door"] == door]
        last = next((seq for seq in reversed(seqs) if seq is not None), None)
        assert last is None or isinstance(last, int)
        return last

    def last_states(self) -> dict[tuple[str, str], str]:
        return {}

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass


class MemoryRecorder(Recorder):
    def __init__(self, journal: Memory, ears: FakeSession) -> None:
        super().__init__(NOWHERE, ears, read_log())
        self._journal = journal

    def start(self) -> None:
        pass


class MemoryBoard(Switchboard):
    """What would be written is read again, as after a restart."""

    def _save(self) -> None:
        again = Standing.decode(self.standing.encode(), 10_000_000)
        assert again == self.standing


class Scheduler(SchedulerAgent):
    """`turns` counts those in which something was looked at."""

    def __init__(self, session: FakeSession, ears: FakeSession, journal: Memory, clock: FakeClock) -> None:
        super().__init__(SETTINGS, RULES, NOWHERE, session, ears, Inbox(), clock)
        self.log = read_log()
        self._recorder = MemoryRecorder(journal, ears)
        self._board = MemoryBoard(SETTINGS, NOWHERE, session, self._recorder, self.log)
        self.turns = 0

    def _do_what_is_due(self, now: Now) -> None:
        self.turns += 1
        super()._do_what_is_due(now)
