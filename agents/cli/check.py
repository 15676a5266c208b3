"""`facelatch check`: is the house's file right?"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from agents.cli.common import add_command
from agents.house import check, load_with_lines


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    add_command(
        commands,
        "check",
        _check,
        "check the house's file; each error names the file, the line and the key",
        "facelatch check --config facelatch.yaml",
    )


def _check(args: argparse.Namespace) -> int:
    house = check(args.config)
    doors, cameras = ", ".join(house.doors) or "none", ", ".join(house.cameras) or "none"
    print(f"{args.config}: good. Doors: {doors}. Cameras: {cameras}. Broker: {house.mqtt.host}:{house.mqtt.port}.")
    for warning in _warnings(args.config):
        print(warning)
    return 0


def _warnings(path: Path) -> Iterator[str]:
    """What is right, and may be dangerous all the same."""
    house, lines = load_with_lines(path)
    for door, loc in house.scheduler.without_liveness():
        where = ".".join(map(str, loc))
        line = lines[("scheduler", *loc)]
        yield f"{path}:{line}: warning: scheduler.{where}: liveness is off: a photograph can open door {door}"
