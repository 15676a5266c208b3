"""A door on a bench and a broker, without the rest of a house; and how much memory they take."""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from soak.ear import PATIENCE_S, Address
from soak.ledger import Pulse, pulses
from tests.live.bench import Bench
from tests.live.production import ProductionBroker
from tests.live.tools import Broker, Home, descendants

Kind = Literal["plain", "production"]
FLOODERS = ("flood-1", "flood-2")  # users of the broker
HOLD_S, MAX_HOLD_S = 5.0, 30.0  # a pulse that nobody locks is longer than LOCK may take


@dataclass
class Stand:
    """A broker, a door on a bench, and where to find them."""

    address: Address
    folder: Path
    door: subprocess.Popen[bytes]
    broker: int  # its process id

    @property
    def door_cpu_s(self) -> float:
        """Processor time that the door has taken."""
        stat = Path(f"/proc/{self.door.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")

    def stop_door(self) -> float:
        """Returns when, monotonic."""
        at = time.monotonic()
        self.door.terminate()
        self.door.wait(PATIENCE_S)
        return at

    @property
    def pulses(self) -> list[Pulse]:
        return pulses(self.folder / "bench/pins.jsonl", time.monotonic())


@contextlib.contextmanager
def standing(kind: Kind, folder: Path) -> Iterator[Stand]:
    """The broker and the door run until the end of the block."""
    broker, home = _production(folder) if kind == "production" else _plain(folder)
    home.edit("hold_s: 0.5", f"hold_s: {HOLD_S}\n    max_hold_s: {MAX_HOLD_S}")
    home.env = Bench(folder / "bench").env
    broker.start()
    try:
        door = home.start("door")
        of_broker = next(pid for pid in descendants(os.getpid()) if _name(pid) == "mosquitto")
        secrets = folder / "secrets" if kind == "production" else None
        yield Stand(Address(broker.port, secrets), folder, door, of_broker)
    finally:
        home.stop_all()
        broker.stop()


def _plain(folder: Path) -> tuple[Broker, Home]:
    broker = Broker(folder)
    return broker, Home(folder, broker.port)


def _production(folder: Path) -> tuple[Broker, Home]:
    broker = ProductionBroker(folder)
    for user in ("phone", *FLOODERS):
        broker.facelatch("broker", "add-client", user, "--door", "front")
    return broker, broker.home


class Memory(threading.Thread):
    """Reads how much memory processes have, every second, until told that it is enough."""

    def __init__(self, **pids: int) -> None:
        super().__init__(daemon=True)
        self._pids, self._enough = pids, threading.Event()
        self.bytes: dict[str, list[int]] = {name: [] for name in pids}

    def run(self) -> None:
        while True:
            for name, pid in self._pids.items():
                with contextlib.suppress(OSError):
                    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
                    self.bytes[name].append(pages * os.sysconf("SC_PAGE_SIZE"))
            if self._enough.wait(1.0):
                return

    def stop(self) -> None:
        self._enough.set()
        self.join()


def _name(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
    return ""
