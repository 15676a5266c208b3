"""A house to break: under `facelatch up`, its door's pins recorded, with an ear at its broker."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from agents.wire.identity import Identity
from agents.wire.messages import Availability, Cause, DoorEvent, EventType
from demo.house import DemoHouse, Tuning, temporary_house
from demo.photos import photos
from soak.ear import Address, Ear, Heard
from soak.ledger import Pulse, pulses
from soak.report import progress
from tests.live.bench import Bench

HOLD_S, MAX_HOLD_S, REST_S = 0.5, 3.0, 0.5
TUNING = Tuning(rate_fps=6, hold_s=HOLD_S, cool_down_s=0, visit_gap_s=1.0)
HOLD = f"    hold_s: {HOLD_S}\n"
SETTINGS = f"""\
{HOLD}\
    max_hold_s: {MAX_HOLD_S}
    rest_s: {REST_S}
"""
AGENTS = {
    "door-front": "door/front",
    "scheduler": "scheduler/main",
    "recognizer": "recognizer/main",
    "camera-front": "camera/front",
}
PROGRAMS = ("broker", *AGENTS)
STANDS_S = 8.0  # how long somebody waits at the door before going away to come again


class Site:
    """Programs are called as in `facelatch up`: `broker`, `door-front`, `scheduler`, …"""

    def __init__(self, house: DemoHouse, ear: Ear) -> None:
        self.house, self.ear = house, ear
        self._run = house.folder / "data/run"

    @property
    def pulses(self) -> list[Pulse]:
        return pulses(self.house.folder / "bench/pins.jsonl", time.monotonic())

    def pid(self, program: str) -> int:
        """By /proc, as asking the supervisor takes long; only a process of this very house is found."""
        for task in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                words = (task / "cmdline").read_text(encoding="utf-8", errors="replace").split("\0")
                if self._called(words) == program:
                    return int(task.name)
        raise LookupError(f"no process of {program} in {self.house.folder}")

    def send(self, program: str, number: signal.Signals) -> float:
        """Returns when, monotonic."""
        pid = self.pid(program)
        at = time.monotonic()
        os.kill(pid, number)
        return at

    def wait_until_ready(self) -> None:
        """All agents online and the first picture looked at. Raises TimeoutError."""
        self._must(self.ear.wait(lambda heard: all_online(heard), 0), "all agents online")
        self._must(self.ear.wait(lambda heard: _looked_at(heard, 0.0), 0), "a first picture looked at")

    def leave(self) -> None:
        """The hallway is empty for long enough to end the visit. Raises TimeoutError."""
        since = self.ear.mark()
        self.house.show("hallway")
        now = time.time()
        self._must(self.ear.wait(lambda heard: _looked_at(heard, now, empty=True), since), "an empty picture")
        time.sleep(TUNING.visit_gap_s + 0.2)

    def visit(self, attempts: int = 3) -> float | None:
        """Somebody known comes, and comes again if need be. Returns when they were let in; None if never."""
        for _ in range(attempts):
            self.leave()
            since = self.ear.mark()
            self.house.show("known")
            if (let_in_at := self.ear.wait(let_in, since, STANDS_S)) is not None:
                return let_in_at
        return None

    def what_happened(self, last: int = 12) -> str:
        """The latest decisions and events, for whoever has to find out why something did not."""
        topics = ("scheduler/front/decision", "door/front/event", "door/front/state")
        said = [h for h in self.ear.heard() if h.topic in topics]
        return "; ".join(f"{h.at:.2f} {h.payload.decode()}" for h in said[-last:])

    def _called(self, words: Sequence[str]) -> str | None:
        if str(self._run / "mosquitto.conf") in words and words[0].endswith("mosquitto"):
            return "broker"
        if str(self.house.config) in words and "agents.cli" in words:
            return "-".join(words[words.index("agents.cli") + 1 : words.index("--config")])
        return None

    def _must(self, answer: object, what: str) -> None:
        if answer is None:
            raise TimeoutError(f"waited in vain: {what}\nThe house's log ends:\n{self.house.log_tail()}")


@contextlib.contextmanager
def built() -> Iterator[DemoHouse]:
    """A house that is not up yet, with somebody enrolled; gone at the end of the block."""
    with temporary_house(photos(progress), progress, TUNING) as house:
        text = house.config.read_text(encoding="utf-8")
        assert HOLD in text
        house.config.write_text(text.replace(HOLD, SETTINGS), encoding="utf-8")
        yield house


@contextlib.contextmanager
def up(house: DemoHouse) -> Iterator[Site]:
    """The house is up and ready, and down at the end of the block. Raises TimeoutError."""
    ear = Ear(Address(house.settings.mqtt.port))
    bench = Bench(house.folder / "bench")
    with contextlib.closing(ear), _environment(bench.env), house.running():
        site = Site(house, ear)
        site.wait_until_ready()
        yield site


@contextlib.contextmanager
def _environment(more: Mapping[str, str]) -> Iterator[None]:
    """For the processes that are started in the block; a supervisor hands it on."""
    before = dict(os.environ)
    os.environ.update(more)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def back(program: str, since_s: float) -> Callable[[Sequence[Heard]], float | None]:
    """Finds when all that went with the program at `since_s` was online again; None if it is not yet."""

    def found(heard: Sequence[Heard]) -> float | None:
        if program == "broker":
            return all_online([message for message in heard if message.at >= since_s])
        topic = f"{AGENTS[program]}/availability"
        gone = next((h.at for h in heard if h.at >= since_s and h.says(topic, Availability.OFFLINE)), None)
        return None if gone is None else _first(heard, topic, gone)

    return found


def all_online(heard: Sequence[Heard]) -> float | None:
    """When each agent had said that it is online."""
    firsts = [_first(heard, f"{agent}/availability", 0.0) for agent in AGENTS.values()]
    return None if None in firsts else max(filter(None, firsts))


def let_in(heard: Sequence[Heard]) -> float | None:
    """When the door obeyed a grant for the first time."""
    for message in heard:
        if message.topic == "door/front/event":
            event = DoorEvent.decode(message.payload)
            if event.event_type in (EventType.UNLOCKED, EventType.EXTENDED) and event.cause is Cause.GRANT:
                return message.at
    return None


def _first(heard: Sequence[Heard], topic: str, since_s: float) -> float | None:
    return next((h.at for h in heard if h.at >= since_s and h.says(topic, Availability.ONLINE)), None)


def _looked_at(heard: Sequence[Heard], since_utc: float, *, empty: bool = False) -> float | None:
    """When a picture captured since then was looked at, where wanted an empty one."""
    for message in heard:
        if message.topic == "recognizer/front/identity":
            identity = Identity.decode(message.payload)
            if identity.captured_at >= since_utc and not (empty and identity.faces):
                return message.at
    return None
