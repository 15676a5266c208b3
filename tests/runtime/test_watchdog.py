"""The watchdog against a real notification socket, as systemd holds one."""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.runtime.watchdog import Watchdog

PATIENCE_S = 40.0  # how long a test waits for what must not take any time
LOG = logging.getLogger("door/front")


class Systemd:
    """The end of the socket that systemd holds. `address` is what stands in NOTIFY_SOCKET."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.listen()

    def listen(self) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind(self._bound)

    def go_away(self) -> None:
        self._socket.close()
        if not self.address.startswith("@"):
            Path(self.address).unlink()

    def heard(self) -> list[str]:
        """What came since the last time."""
        lines: list[str] = []
        with contextlib.suppress(BlockingIOError):
            while True:
                lines.append(self._socket.recv(4096).decode())
        return lines

    def be_busy(self) -> None:
        """Let messages pile up until no further one fits."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
            other.setblocking(False)
            with contextlib.suppress(OSError):
                for number in itertools.count():
                    other.sendto(f"X_NUMBER={number}".encode(), self._bound)

    @property
    def _bound(self) -> str:
        return "\0" + self.address[1:] if self.address.startswith("@") else self.address


ADDRESSES = ["path", pytest.param("abstract", marks=pytest.mark.skipif(sys.platform != "linux", reason="Linux only"))]


@contextlib.contextmanager
def listening(kind: str = "path") -> Iterator[Systemd]:
    with tempfile.TemporaryDirectory() as folder:  # pytest's own is too long for a socket on macOS
        made = Systemd(f"{folder}/notify" if kind == "path" else f"@facelatch{folder}")
        yield made
        made.go_away()


@pytest.fixture(params=ADDRESSES)
def systemd(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Systemd]:
    for name in ("WATCHDOG_USEC", "WATCHDOG_PID"):
        monkeypatch.delenv(name, raising=False)
    with listening(request.param) as made:
        monkeypatch.setenv("NOTIFY_SOCKET", made.address)
        yield made


@contextlib.contextmanager
def watchdog() -> Iterator[Watchdog]:
    with contextlib.closing(Watchdog(LOG)) as made:
        yield made


def test_systemd_hears_of_an_agents_whole_life(systemd: Systemd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "10000000")
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
    with watchdog() as dog:
        dog.ready()
        dog.pet(1000.0)
        dog.status("Straße 5 is shut")
        dog.stopping("SIGTERM")
    assert systemd.heard() == ["READY=1\n", "WATCHDOG=1\n", "STATUS=Straße 5 is shut\n", "STATUS=stopping: SIGTERM\n"]


@pytest.mark.parametrize(
    "environment",
    [
        {"NOTIFY_SOCKET": None},
        {"NOTIFY_SOCKET": ""},
        {"WATCHDOG_PID": str(os.getppid())},
        {"WATCHDOG_PID": "nobody"},
    ],
    ids=["no socket", "empty socket", "another process", "nonsense"],
)
def test_nothing_is_said_unless_systemd_asks_this_very_process(
    systemd: Systemd, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str | None]
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "10000000")
    for name, value in environment.items():
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)
    with watchdog() as dog:
        dog.ready()
        dog.pet(1000.0)
        dog.status("shut")
        dog.stopping("SIGTERM")
    assert systemd.heard() == []


@given(patience_s=st.floats(4.1, 120), turns=st.lists(st.floats(0.0, 1.0), min_size=50, max_size=200))
def test_pets_are_never_late_and_never_more_than_twice_in_systemds_patience(
    patience_s: float, turns: list[float]
) -> None:
    with listening() as systemd, pytest.MonkeyPatch.context() as patch:
        patch.setenv("NOTIFY_SOCKET", systemd.address)
        patch.setenv("WATCHDOG_USEC", str(int(patience_s * 1e6)))
        patch.delenv("WATCHDOG_PID", raising=False)
        petted_at = []
        with watchdog() as dog:
            for now_mono in itertools.accumulate(turns, initial=1000.0):
                dog.pet(now_mono)
                petted_at += [now_mono for _ in systemd.heard()]
    gaps = [later - sooner for sooner, later in itertools.pairwise(petted_at)]
    assert petted_at[0] == 1000.0
    assert all(patience_s / 2 - 1e-5 <= gap < patience_s for gap in gaps)
    assert 1000.0 + sum(turns) - petted_at[-1] < patience_s


def pets(systemd: Systemd, *turns: float) -> list[int]:
    """How often each of the turns made systemd hear of it."""
    with watchdog() as dog:
        counts = []
        for now_mono in turns:
            dog.pet(now_mono)
            counts.append(systemd.heard().count("WATCHDOG=1\n"))
    return counts


def test_without_a_patience_it_pets_once_a_second(systemd: Systemd, caplog: pytest.LogCaptureFixture) -> None:
    assert pets(systemd, 5.0, 5.5, 5.99, 6.0, 6.5, 7.0) == [1, 0, 0, 1, 0, 1]
    assert caplog.messages == []


@pytest.mark.parametrize("usec", ["", "ten", "0", "-10000000", "nan", "inf", "1e999"])
def test_a_bad_patience_is_logged_and_the_agent_petted_every_second(
    systemd: Systemd, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, usec: str
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", usec)
    assert pets(systemd, 5.0, 5.5, 6.0) == [1, 0, 1]
    assert [message for message in caplog.messages if "WATCHDOG_USEC" in message and repr(usec) in message]


@pytest.mark.parametrize("usec", ["²", "9" * 40], ids=["superscript", "forty digits"])
def test_what_the_library_can_not_read_ends_nothing(
    systemd: Systemd, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, usec: str
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", usec)
    assert pets(systemd, 5.0) == [0]
    assert "can't be petted" in caplog.text


def test_a_full_socket_hangs_nobody_and_what_was_owed_is_said_later(systemd: Systemd) -> None:
    systemd.be_busy()
    with watchdog() as dog:

        def turn() -> None:
            dog.ready()
            dog.status("shut")
            dog.pet(1000.0)

        thread = threading.Thread(target=turn, daemon=True)
        thread.start()
        thread.join(PATIENCE_S)
        assert not thread.is_alive(), "a full socket hangs the main loop"
        assert [line for line in systemd.heard() if not line.startswith("X_")] == []
        dog.pet(1000.1)
        dog.pet(1000.2)
    assert systemd.heard() == ["READY=1\n", "WATCHDOG=1\n"]


def test_a_listener_that_is_gone_is_logged_once_and_found_again(
    systemd: Systemd, caplog: pytest.LogCaptureFixture
) -> None:
    with watchdog() as dog:
        dog.ready()
        systemd.go_away()
        for turn in range(3):
            dog.pet(1000.0 + turn)
        assert len(caplog.messages) == 1
        systemd.listen()
        dog.pet(1003.0)
        assert systemd.heard() == ["WATCHDOG=1\n"]
        systemd.go_away()
        dog.pet(1004.0)
        systemd.listen()
    assert len(caplog.messages) == 2


@pytest.mark.parametrize("text", ["shut\nWATCHDOG=trigger", "shut\rX", "\udcff", "x" * 1_000_000])
def test_nobodys_text_says_anything_but_a_status(systemd: Systemd, text: str) -> None:
    with watchdog() as dog:
        dog.status(text)
        dog.pet(1000.0)
    heard = systemd.heard()
    assert heard[-1] == "WATCHDOG=1\n"
    assert all(line.startswith("STATUS=") and line.count("\n") == 1 for line in heard[:-1])
