"""`facelatch check`: is the house's file right?"""

from __future__ import annotations

import argparse

from agents.cli.common import add_command
from agents.house import check


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
    return 0
