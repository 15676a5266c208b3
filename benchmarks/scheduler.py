"""A big house at rush hour: how long a decision takes.

One `facelatch scheduler`, held to one core, with 100 doors and 10,000 people in 100 groups. A camera at
each door sees ten frames a second, so 1,000 identities a second come in; each second another person
stands before each camera, half of them of a group that a window lets in. So there are 100 decisions a
second, half of them grants, each written into the journal before it is told.

    decision    identity sent -> decision heard, through the broker twice
    core        of one core that the scheduler used

Targets (--check): decision_ms.p99 <= 20, and every visit decided.

    .venv/bin/python benchmarks/scheduler.py [--seconds 30] [--json] [--check]
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from typing import Any

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import broker
from agents import house
from agents.runtime.settings import Site
from agents.wire.identity import Box, Face, Identity
from agents.wire.liveness import Liveness, Verdict
from agents.wire.messages import Availability, Outcome
from agents.wire.scheduling import Decision
from agents.wire.topics import AVAILABILITY, DECISION, IDENTITY, SESSION
from benchmarks import report
from benchmarks.clients import BenchmarkFailed, connected
from benchmarks.processes import usage
from demo.house import free_port

ROOT = Path(broker.__file__).parent.parent
DOORS, PEOPLE_A_GROUP, FRAMES_A_VISIT = 100, 100, 5
RATE = 1000  # identities a second
TARGET_MS = 20.0
PATIENCE_S, SETTLE_S = 30.0, 3.0
BOX = Box(left=200, top=90, width=120, height=120)
ALIVE = Liveness(verdict=Verdict.LIVE, frames=10, texture=0.97, depth=0.8, context=0.9)


@dataclass
class Heard:
    """Each decision's time on the way, in seconds, and how it ended."""

    ways: list[float] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)


def person(group: int, number: int) -> str:
    return f"Person {group:02}-{number % PEOPLE_A_GROUP:02}"


def settings(port: int) -> dict[str, Any]:
    """The house's file."""
    names = [f"d{i:02}" for i in range(DOORS)]
    groups = {f"g{i:02}": [person(i, k) for k in range(PEOPLE_A_GROUP)] for i in range(DOORS)}
    return {
        "mqtt": {"port": port},
        "clock": "trust",
        "log_level": "WARNING",
        "doors": {name: {"relay": {"pin": 17, "pin_factory": "mock"}} for name in names},
        "cameras": {name: {"source": 0} for name in names},
        "scheduler": {
            "timezone": "Europe/Zagreb",
            "holidays": {"country": "HR"},
            "groups": groups,
            "doors": {name: _policy(name, i) for i, name in enumerate(names)},
        },
    }


def _policy(name: str, i: int) -> dict[str, Any]:
    others = [f"g{(i + k) % DOORS:02}" for k in range(40, 50)]
    nights = {"who": others, "days": "mon-sun", "from": "23:58", "to": "00:01"}
    always = {"who": f"g{i:02}", "days": "mon-sun", "from": "00:00", "to": "24:00", "holidays": "open"}
    return {"cameras": [name], "windows": [nights, always], "grants_per_minute": 1000}


def identity(turn: int, now: float) -> Identity:
    """The `turn`th identity of the house: cameras take turns, and a visitor stays for half a second.

    People do not come to all doors at once: a tenth of the visits begins in each tenth of a second.
    """
    camera, visit, step = place(turn)
    faces = (_face(camera, visit),) if step < FRAMES_A_VISIT else ()
    return Identity(id=f"{camera}-{turn}", camera=f"d{camera:02}", captured_at=now, seq=turn, faces=faces)


def place(turn: int) -> tuple[int, int, int]:
    """Camera, visit, and the frame of the visit."""
    camera, frame = turn % DOORS, turn // DOORS
    return camera, *divmod(frame + camera % (RATE // DOORS), RATE // DOORS)


def _face(camera: int, visit: int) -> Face:
    group = camera if visit % 2 else (camera + 7) % DOORS  # of a group that may come in, or of another
    who = person(group, visit)
    return Face(person=who, distance=0.2, margin=0.3, box=BOX, sharpness=99.0, liveness=ALIVE, track=visit)


def send(site: Site, seconds: float) -> None:
    """In a process of its own: a recognizer's part, in step with the clock."""
    there = AVAILABILITY.at(site.mqtt.base, "scheduler", "main")
    client = connected(site, "recognizer", [there], lambda _topic, _payload: None)
    client.loop_start()
    messages = list(map(worded, range(int(seconds * RATE))))  # so that it keeps step while it sends,
    client.loop_stop()  # and with itself: from now on it sends in this thread
    began = time.monotonic()
    for turn, (camera, before, after) in enumerate(messages):
        time.sleep(max(0.0, began + turn / RATE - time.monotonic()))
        payload = b"%b%.6f%b" % (before, time.time(), after)
        client.publish(IDENTITY.at(site.mqtt.base, camera), payload, IDENTITY.qos)
    time.sleep(SETTLE_S)
    client.disconnect()


def worded(turn: int) -> tuple[str, bytes, bytes]:
    """An identity's camera, and its JSON before and after the time, which is filled in when it is sent."""
    message = identity(turn, 0.0)
    before, _, after = message.encode().partition(b'"captured_at":0.0')
    return message.camera, before + b'"captured_at":', after


def measure(seconds: float) -> tuple[Heard, float]:
    """Returns what was heard and the core seconds that the scheduler took. Raises BenchmarkFailed."""
    with _scheduler() as (site, process):
        heard = Heard()
        client = connected(site, "listener", [DECISION.at(site.mqtt.base, "+")], lambda _, raw: _hear(heard, raw))
        client.loop_start()
        used = usage(process.pid).cpu_s
        sender = multiprocessing.get_context("spawn").Process(target=send, args=(site, seconds))
        sender.start()
        sender.join()
        used = usage(process.pid).cpu_s - used
        client.disconnect()
        client.loop_stop()
    return heard, used


def _hear(heard: Heard, raw: bytes) -> None:
    now, decision = time.time(), Decision.decode(raw)
    heard.ways.append(now - decision.captured_at)
    heard.outcomes.append(decision.outcome)


@contextlib.contextmanager
def _scheduler() -> Iterator[tuple[Site, subprocess.Popen[bytes]]]:
    """A broker and a scheduler, ready, with all doors there."""
    with tempfile.TemporaryDirectory(prefix="facelatch-") as name, contextlib.ExitStack() as stack:
        folder, port = Path(name), free_port()
        config = folder / "facelatch.yaml"
        config.write_text(yaml.safe_dump(settings(port), allow_unicode=True), encoding="utf-8")
        site = house.load(config).site(folder)
        conf = broker.write_development_conf(folder, port)
        cores = sorted(getattr(os, "sched_getaffinity", lambda _: ())(0))
        if len(cores) > 1:  # one is the scheduler's alone
            os.sched_setaffinity(0, cores[1:])
            stack.callback(os.sched_setaffinity, 0, cores)
        stack.enter_context(_process([broker.program(), "-c", str(conf)], folder / "broker.log"))
        command = [sys.executable, "-m", "agents.cli", "scheduler", "--config", str(config)]
        process = stack.enter_context(_process(command, folder / "scheduler.log"))
        if len(cores) > 1:
            os.sched_setaffinity(process.pid, cores[:1])
        try:
            _announce_doors(site)
            yield site, process
        except BenchmarkFailed as error:
            raise BenchmarkFailed(f"{error}\n{(folder / 'scheduler.log').read_text()[-2000:]}") from None


@contextlib.contextmanager
def _process(command: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file, env={**os.environ, "PYTHONPATH": str(ROOT)})
    try:
        yield process
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


def _announce_doors(site: Site) -> None:
    """Once the scheduler says that it is there. Raises BenchmarkFailed."""
    states: list[bytes] = []
    topic = AVAILABILITY.at(site.mqtt.base, "scheduler", "main")
    client = _patiently(site, topic, states)
    until = time.monotonic() + PATIENCE_S
    while Availability.ONLINE.encode() not in states:
        if time.monotonic() > until:
            raise BenchmarkFailed("the scheduler does not come up")
        time.sleep(0.05)
    for i in range(DOORS):
        door = f"d{i:02}"
        client.publish(SESSION.at(site.mqtt.base, door), f"word-{i}", 1, retain=True)
        client.publish(AVAILABILITY.at(site.mqtt.base, "door", door), Availability.ONLINE, 1, retain=True)
    time.sleep(1.0)
    client.disconnect()
    client.loop_stop()


def _patiently(site: Site, topic: str, states: list[bytes]) -> Any:
    """The broker has only just been started."""
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            client = connected(site, "benchmark", [topic], lambda _, payload: states.append(payload))
        except OSError:
            if time.monotonic() > until:
                raise BenchmarkFailed("mosquitto does not listen") from None
            time.sleep(0.05)
        else:
            client.loop_start()
            return client


def visits(seconds: float) -> int:
    """How many are decided while identities are sent: those of whom two frames or more are seen."""
    frames: Counter[tuple[int, int]] = Counter()
    for turn in range(int(seconds * RATE)):
        camera, visit, step = place(turn)
        frames[camera, visit] += step < FRAMES_A_VISIT
    return sum(count >= 2 for count in frames.values())


def figures(heard: Heard, used_s: float, seconds: float) -> dict[str, Any]:
    """Raises BenchmarkFailed when nothing was decided."""
    if not heard.ways:
        raise BenchmarkFailed("nothing was decided")
    cut = quantiles(heard.ways * 2 if len(heard.ways) == 1 else heard.ways, n=100, method="inclusive")
    return {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "doors": DOORS,
        "people": DOORS * PEOPLE_A_GROUP,
        "identities_per_s": RATE,
        "seconds": seconds,
        "visits": visits(seconds),
        "decisions": len(heard.ways),
        "granted": sum(outcome is Outcome.GRANTED for outcome in heard.outcomes),
        "decision_ms": {
            "p50": round(cut[49] * 1000, 2), "p99": round(cut[98] * 1000, 2), "max": round(max(heard.ways) * 1000, 2)
        },
        "core": round(used_s / seconds, 3),
    }  # fmt: skip


def table(found: dict[str, Any]) -> str:
    took = found["decision_ms"]
    return "\n".join([
        f"{found['doors']} doors, {found['people']:,} people, {found['identities_per_s']:,} identities a second for"
        f" {found['seconds']:g} s, on {found['machine']}",
        "",
        f"decisions              {found['decisions']} of {found['visits']} visits, {found['granted']} of them grants",
        f"identity -> decision   p50 {took['p50']} ms   p99 {took['p99']} ms   longest {took['max']} ms",
        f"scheduler              {found['core']:.0%} of one core",
    ])  # fmt: skip


def missed_targets(found: dict[str, Any]) -> list[str]:
    """One line for each figure that is over its target."""
    missed = []
    if found["decision_ms"]["p99"] > TARGET_MS:
        missed.append(f"decision_ms.p99 is {found['decision_ms']['p99']}, the target is {TARGET_MS:g}")
    if found["decisions"] != found["visits"]:
        missed.append(f"{found['decisions']} decisions for {found['visits']} visits")
    return missed


def main() -> int:
    parser = report.parser(__doc__)
    parser.add_argument("--seconds", type=int, default=30, help="how long (default: 30)")
    args = parser.parse_args()
    try:
        heard, used_s = measure(args.seconds)
        found = figures(heard, used_s, args.seconds)
    except (BenchmarkFailed, broker.BrokerError) as error:
        print(f"scheduler: {error}", file=sys.stderr)
        return 1
    return report.finish(args, found, table(found), missed_targets(found))


if __name__ == "__main__":
    sys.exit(main())
