"""Runs the program that tells people before the door what to do: a voice, a display.

It runs beside the door, which never waits for it. Its program is started without a shell, in a process
group of its own that ends with it, and is killed when it takes too long.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from agents.door.config import PromptSettings
from agents.runtime.clock import Clock

LOOK_S = 0.02  # how often a running program is looked at
END_S = 1.0  # the longest an ending door waits for it
FIRST_TO_DIE = "500"  # where memory runs out, it is not the door that goes


class PromptError(Exception):
    """Nobody was told; says why."""


@dataclass(frozen=True)
class Said:
    """`until` is monotonic: later it is of no use to anybody."""

    action: str
    text: str
    until: float


def arguments(command: Sequence[str], said: Said) -> list[str]:
    """The command with the text and the action's word filled in, each within its one argument.

    Raises PromptError for a text that the program would take for an option.
    """
    words = {"{text}": said.text, "{action}": said.action}
    if said.text.startswith("-") and any(word.startswith("{text}") for word in command):
        raise PromptError(f"a text that begins with - could be taken for an option: {said.text}")
    return [re.sub(r"\{(text|action)\}", lambda found: words[found[0]], word) for word in command]


class Prompt:
    """One program at a time; of what waits meanwhile, only the newest is said.

    `problem` is what a person has to mend, until it works again.
    """

    def __init__(self, settings: PromptSettings, clock: Clock, log: logging.Logger) -> None:
        self._settings, self._clock, self._log = settings, clock, log
        self._latest: Said | None = None
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="prompt", daemon=True)
        self.problem: str | None = None
        self.counters = {"prompts": 0, "prompts_failed": 0}

    def start(self) -> None:
        self._thread.start()

    def say(self, said: Said) -> None:
        with self._changed:
            self._latest = said
            self._changed.notify()

    def close(self) -> None:
        """A program that runs is killed."""
        self._closing.set()
        with self._changed:
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join(END_S)

    def _work(self) -> None:
        program = self._settings.command[0]
        if shutil.which(program) is None:
            self._fail(f"there is no program {program}")
        while (said := self._next()) is not None:
            if self._clock.now().mono < said.until:
                self._tell(said)

    def _next(self) -> Said | None:
        with self._changed:
            self._changed.wait_for(lambda: self._latest is not None or self._closing.is_set())
            said, self._latest = self._latest, None
        return None if self._closing.is_set() else said

    def _tell(self, said: Said) -> None:
        try:
            self._run(arguments(self._settings.command, said))
        except (PromptError, OSError, ValueError) as error:
            self.counters["prompts_failed"] += 1
            self._fail(str(error))
        else:
            self.counters["prompts"] += 1
            self.problem = None

    def _fail(self, why: str) -> None:
        problem = f"prompt: {why}"[:200]
        if problem != self.problem:
            self._log.error("%s", problem)
        self.problem = problem

    def _run(self, command: list[str]) -> None:
        """Raises OSError where it can't be started, PromptError where it fails or has to be killed."""
        quiet = subprocess.DEVNULL
        process = subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True)
        with contextlib.suppress(OSError):
            Path(f"/proc/{process.pid}/oom_score_adj").write_text(FIRST_TO_DIE)
        ended = self._wait(process.pid)
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)  # what it started, too
        code = process.wait()
        if not ended and not self._closing.is_set():
            raise PromptError(f"{command[0]} took longer than {self._settings.timeout_s:g} s and was killed")
        if ended and code != 0:
            raise PromptError(f"{command[0]} failed: exit code {code}")

    def _wait(self, pid: int) -> bool:
        """Whether it has ended by itself. It is left unreaped: as long as it is, nobody else gets its number."""
        until = self._clock.now().mono + self._settings.timeout_s
        while os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
            if self._clock.now().mono >= until or self._closing.wait(LOOK_S):
                return False
        return True
