"""What a whole house costs while nobody is there: processor time and memory of the broker and all four agents.

A real mosquitto, four agents as four processes, mock pins, under `facelatch up`. The camera looks at an
empty hallway at 15 frames a second: eight drawn stills, over and over, each with a sensor's noise and a
little lighter or darker than the last. When the house has settled, every process's processor time is
read twice, half a minute apart, and at the end its proportional memory (PSS): what several processes
share is counted once. Percent are of one core.

The supervisor is shown, but not counted: on a real house systemd starts the agents.

Targets (--check):

    cpu_percent <= 5        broker, door, scheduler, recognizer and camera together
    pss_mb <= 500           the same

Linux only: the figures come from /proc.

    .venv/bin/python benchmarks/idle.py [--seconds 30] [--settle 20] [--json] [--check]
"""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from agents.cli.common import CommandError
from agents.cli.listen import listening
from agents.runtime.events import Message, Subscription
from agents.wire.messages import Availability
from agents.wire.topics import AVAILABILITY, FRAME, IDENTITY
from benchmarks import report
from benchmarks.processes import NoFigures, Usage, command, tree, usage
from demo.house import DemoHouse, HouseFailed, Tuning, temporary_house
from demo.photos import photos

TUNING = Tuning(rate_fps=15)
TARGETS = {"cpu_percent": 5.0, "pss_mb": 500.0}
AROUND = ("facelatch up", "supervisord")  # the house, and no part of it
PATIENCE_S = 60.0

Usages = Mapping[tuple[str, int], Usage]
"""By what the process is called, and its id."""


def name_of(words: Sequence[str]) -> str:
    """What a process of the house is called here, by its command line."""
    program = Path(words[0]).name
    if "supervisor.supervisord" in words:
        return "supervisord"
    if "agents.cli" not in words:
        return {"mosquitto": "broker"}.get(program, program)
    kind = words[words.index("agents.cli") + 1]
    return "facelatch up" if kind == "up" else kind


def measure(seconds: float, settle_s: float) -> dict[str, Any]:
    """Raises NoFigures where there is no /proc, HouseFailed when the house did not run as it should."""
    tree(os.getpid())  # before a house is built in vain
    with temporary_house(photos(_progress), _progress, TUNING) as house, house.running():
        _progress("starting mosquitto and the four agents")
        _wait_for(house, Subscription(IDENTITY, ("front",)))
        _progress(f"letting it settle for {settle_s:g} s")
        time.sleep(settle_s)
        _progress(f"measuring for {seconds:g} s")
        began, before = time.monotonic(), _usages()
        time.sleep(seconds)
        took_s, after = time.monotonic() - began, _usages()
        _wait_for(house, Subscription(FRAME, ("front",)))  # a house that sleeps costs nothing
    return summary(before, after, took_s)


def _usages() -> Usages:
    """Of everything that was started here."""
    return {(name_of(command(pid)), pid): usage(pid) for pid in tree(os.getpid())[1:]}


def _wait_for(house: DemoHouse, sign: Subscription) -> None:
    """Until this was heard, and of each agent that it is online. Raises HouseFailed."""
    missing = {(AVAILABILITY, agent) for agent in house.settings.agents} | {(sign.topic, sign.names)}
    topics = [Subscription(topic, names) for topic, names in missing]
    with listening(house.settings, house.folder, "watch", topics, PATIENCE_S) as (_, inbox):
        until = time.monotonic() + PATIENCE_S
        while missing and (left_s := until - time.monotonic()) > 0:
            event = inbox.get(left_s)
            if isinstance(event, Message) and event.payload != Availability.OFFLINE.encode():
                missing.discard((event.topic, event.names))
    if missing:
        said = ", ".join(sorted(topic.at("", *names) for topic, names in missing))
        raise HouseFailed(f"waited in vain for {said}; the house's log ends:\n{house.log_tail()}")


def summary(before: Usages, after: Usages, took_s: float) -> dict[str, Any]:
    """Raises HouseFailed when a process came or went meanwhile: its figures would be a start's."""
    if before.keys() != after.keys():
        names = sorted({name for name, _ in before.keys() ^ after.keys()})
        raise HouseFailed(f"not one quiet time: {', '.join(names)} started or ended meanwhile")
    processes: dict[str, dict[str, float]] = {}
    for (name, pid), used in after.items():
        row = processes.setdefault(name, {"cpu_percent": 0.0, "pss_mb": 0.0})
        row["cpu_percent"] += 100 * (used.cpu_s - before[name, pid].cpu_s) / took_s
        row["pss_mb"] += used.pss_bytes / 1e6
    around = {name: processes.pop(name) for name in AROUND if name in processes}
    return {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "seconds": round(took_s, 1),
        "processes": _rounded(processes),
        "around": _rounded(around),
        **_total(processes),
        "with_supervisor": _total(processes | around),
    }


def _rounded(rows: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    return {name: {key: round(value, 2) for key, value in row.items()} for name, row in rows.items()}


def _total(rows: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    return {key: round(sum(row[key] for row in rows.values()), 2) for key in TARGETS}


def table(figures: Mapping[str, Any]) -> str:
    lines = [f"{figures['seconds']:g} s of nobody at the door, on {figures['machine']}", ""]
    lines.append(f"{'':<20}{'% of a core':>12}{'PSS, MB':>12}")
    rows = {**figures["processes"], "the house": figures, **figures["around"]}
    rows["with the supervisor"] = figures["with_supervisor"]
    lines += [f"{name:<20}{row['cpu_percent']:>12.2f}{row['pss_mb']:>12.1f}" for name, row in rows.items()]
    return "\n".join(lines)


def missed_targets(figures: Mapping[str, Any]) -> list[str]:
    """One line for each figure that is over its target."""
    over = [name for name, limit in TARGETS.items() if figures[name] > limit]
    return [f"{name} is {figures[name]:g}, the target is {TARGETS[name]:g}" for name in over]


def _progress(what: str) -> None:
    print(f"idle: {what} ...", file=sys.stderr, flush=True)


def main() -> int:
    parser = report.parser(__doc__)
    parser.add_argument("--seconds", type=float, default=30.0, help="how long to measure (default: 30)")
    parser.add_argument("--settle", type=float, default=20.0, help="how long to wait before that (default: 20)")
    args = parser.parse_args()
    try:
        figures = measure(args.seconds, args.settle)
    except (NoFigures, HouseFailed, CommandError) as error:
        print(f"idle: {error}", file=sys.stderr)
        return 2
    return report.finish(args, figures, table(figures), missed_targets(figures))


if __name__ == "__main__":
    sys.exit(main())
