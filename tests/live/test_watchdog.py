"""A door under systemd's watchdog: the pets stop when, and only when, the main thread does."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.tools import PATIENCE_S, Broker, Ear, Home, wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="systemd is Linux only")
PATIENCE_OF_SYSTEMD_S = 4


class Guarded:
    """A door that was started as systemd would, and what it tells systemd."""

    def __init__(self, home: Home, folder: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(folder / "notify"))
        environment = {"NOTIFY_SOCKET": str(folder / "notify"), "WATCHDOG_USEC": f"{PATIENCE_OF_SYSTEMD_S}000000"}
        self.process = subprocess.Popen(
            home.command("door", "front"), env=os.environ | environment, stderr=subprocess.PIPE
        )

    def says(self, within_s: float) -> str | None:
        self.socket.settimeout(within_s)
        try:
            return self.socket.recv(4096).decode().strip()
        except TimeoutError:
            return None

    def last_words(self) -> str | None:
        """Drain what was said; what comes after systemd's patience, if anything."""
        while self.says(0.01):
            pass
        return self.says(PATIENCE_OF_SYSTEMD_S)

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()
        self.socket.close()


@pytest.fixture
def door(home: Home, tmp_path: Path) -> Iterator[Guarded]:
    made = Guarded(home, tmp_path)
    yield made
    made.close()


def test_a_door_is_ready_and_lives_without_a_broker(broker: Broker, door: Guarded) -> None:
    broker.stop()
    assert [door.says(PATIENCE_S) for _ in range(3)] == ["READY=1", "WATCHDOG=1", "WATCHDOG=1"]


def test_a_stopped_door_is_silent_and_a_resumed_one_is_not(door: Guarded) -> None:
    assert door.says(PATIENCE_S) == "READY=1"
    door.process.send_signal(signal.SIGSTOP)
    assert door.last_words() is None
    door.process.send_signal(signal.SIGCONT)
    assert door.says(PATIENCE_S) == "WATCHDOG=1"


def test_a_door_whose_main_thread_hangs_is_silent_though_its_network_thread_lives(door: Guarded, ear: Ear) -> None:
    """Nobody reads its log: when the pipe is full, the main thread hangs in writing a line."""
    assert door.process.stderr is not None
    fcntl.fcntl(door.process.stderr, fcntl.F_SETPIPE_SZ, 4096)
    ear.wait("door/front/availability", lambda heard: heard.text == "online")

    def hangs() -> bool:
        ear.say("door/front/command", "nonsense")
        return "pipe_write" in Path(f"/proc/{door.process.pid}/wchan").read_text()

    wait_until("the door hangs", hangs)
    assert door.last_words() is None
    assert ear.all("door/front/availability")[-1].text == "online", "MQTT alone does not notice"


def test_a_door_that_is_told_to_end_says_so(door: Guarded) -> None:
    assert door.says(PATIENCE_S) == "READY=1"
    door.process.send_signal(signal.SIGTERM)
    while (said := door.says(PATIENCE_S)) == "WATCHDOG=1":
        pass
    assert said == "STATUS=stopping: SIGTERM"
