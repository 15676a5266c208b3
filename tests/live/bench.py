"""A test bench for doors: what their pins really did, and hands on their inputs."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PINS = Path(__file__).with_name("pins")


@dataclass(frozen=True)
class Pulse:
    """The relay was on from `on_at` to `off_at`, on the monotonic clock; None while it still is."""

    on_at: float
    off_at: float | None


class Bench:
    """Give `env` to the door's process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(exist_ok=True)
        os.mkfifo(folder / "hands")
        self.env = {"PYTHONPATH": os.pathsep.join([str(PINS), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)}
        self.env["FACELATCH_BENCH"] = str(folder)

    def hold(self, pin: str, level: str) -> None:
        """Drive an input `high` or `low`."""
        with (self._folder / "hands").open("w", encoding="utf-8") as fifo:
            fifo.write(f"{pin} {level}\n")

    def pulses(self, pin: str = "GPIO17") -> list[Pulse]:
        """A new process starts with the pin off: where the one before was killed, that ends its pulse."""
        found: list[Pulse] = []
        on_at: float | None = None
        for record in self._records():
            if "start" not in record and record["pin"] != pin:
                continue
            if record.get("high") and on_at is None:
                on_at = record["mono"]
            elif not record.get("high") and on_at is not None:
                found.append(Pulse(on_at, record["mono"]))
                on_at = None
        return found if on_at is None else [*found, Pulse(on_at, None)]

    def _records(self) -> list[dict[str, Any]]:
        path = self._folder / "pins.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return [json.loads(line) for line in lines]
