"""What a test bench wires to a door's mock pins: a recorder on every pin, and hands on the inputs.

Python imports a module of this name by itself at the start of every process that has this folder
in PYTHONPATH. With FACELATCH_BENCH naming a folder, each change of a mock pin is a line in its
pins.jsonl, on the system-wide monotonic clock; and each line `GPIO27 low` that is written to its
FIFO `hands` drives that pin. With FACELATCH_BENCH_CLOCK=unset the computer does not know the time.
"""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path


def _record(folder: Path, **values: object) -> None:
    line = json.dumps({"mono": time.monotonic(), "pid": os.getpid(), **values}) + "\n"
    with (folder / "pins.jsonl").open("a", encoding="utf-8") as file:
        file.write(line)


def _wire(folder: Path) -> None:
    from gpiozero.pins import mock

    change = mock.MockPin._change_state

    def recorded(pin: object, value: bool) -> bool:
        changed = bool(change(pin, value))
        if changed:
            _record(folder, pin=pin.info.name, high=bool(value))  # type: ignore[attr-defined]
        return changed

    mock.MockPin._change_state = recorded
    _record(folder, start=True)


def _hands(folder: Path) -> None:
    from agents.door import pins

    while True:
        with (folder / "hands").open(encoding="utf-8") as fifo:
            for line in fifo:
                name, level = line.split()
                pin = pins.factory("mock").pin(name)
                pin.drive_low() if level == "low" else pin.drive_high()


def _unset_the_clock() -> None:
    from agents.runtime import clock

    vars(clock)["synchronised"] = lambda: False


if os.environ.get("FACELATCH_BENCH_CLOCK") == "unset":
    _unset_the_clock()
_folder = os.environ.get("FACELATCH_BENCH")
if _folder and "door" in Path("/proc/self/cmdline").read_text(encoding="utf-8").split("\0"):
    _wire(Path(_folder))
    if (Path(_folder) / "hands").exists():
        threading.Thread(target=_hands, args=(Path(_folder),), daemon=True).start()
