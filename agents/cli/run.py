"""`facelatch door|camera|recognizer|scheduler`: run one agent in the foreground."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from agents.cli.common import CommandError, add_command, load_house
from agents.house import House
from agents.runtime import log
from agents.runtime.agent import HardwareError

Main = Callable[..., None]


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    door = add_command(
        commands, "door", _door, "run the door agent: obey grants and commands, pulse the relay", "facelatch door front"
    )
    door.add_argument("name", nargs="?", help="which door; needed only where the file has several")
    camera = add_command(
        commands, "camera", _camera, "run the camera agent: publish JPEG frames of one source", "facelatch camera front"
    )
    camera.add_argument("name", nargs="?", help="which camera; needed only where the file has several")
    add_command(
        commands, "recognizer", _recognizer, "run the recognizer: say who is in the frames", "facelatch recognizer"
    )
    add_command(
        commands, "scheduler", _scheduler, "run the scheduler: decide whom the doors open for", "facelatch scheduler"
    )


def _door(args: argparse.Namespace) -> int:
    house, folder = load_house(args)
    name = _choose("door", args.name, house.doors)
    return _run("door", house, name, house.doors[name], house.site(folder))


def _camera(args: argparse.Namespace) -> int:
    house, folder = load_house(args)
    feeds = house.feeds
    name = _choose("camera", args.name, {name: feed for name, feed in feeds.items() if feed.ours or name == args.name})
    if not feeds[name].ours:
        topic = feeds[name].topic(house.mqtt.base)
        raise CommandError(f"camera {name!r} needs no agent: somebody else publishes its frames, on {topic}")
    return _run("camera", house, name, house.cameras[name], house.site(folder))


def _recognizer(args: argparse.Namespace) -> int:
    house, folder = load_house(args)
    feeds, doors = list(house.feeds.values()), list(house.scheduler.doors)
    return _run("recognizer", house, house.recognizer, feeds, doors, house.site(folder))


def _scheduler(args: argparse.Namespace) -> int:
    house, folder = load_house(args)
    others = {house.home.node(*agent): told for agent, told in house.devices().items() if agent[0] != "scheduler"}
    return _run("scheduler", house, house.scheduler, house.agents, house.site(folder), others)


def _choose(kind: str, name: str | None, known: Mapping[str, Any]) -> str:
    if name in known:
        return str(name)
    if name is None and len(known) == 1:
        return next(iter(known))
    names = ", ".join(sorted(known)) or "none"
    raise CommandError(f"there is no {kind} {name!r}: {names}" if name else f"which {kind}? There are: {names}")


def _run(kind: str, house: House, *arguments: Any) -> int:
    """Import the agent only now: a door's machine has neither OpenCV nor dlib."""
    log.start(house.log_level)
    try:
        main: Main = import_module(f"agents.{kind}.agent").main
    except ImportError as error:
        raise CommandError(
            f"the {kind} agent needs something that is not installed: {error}\n"
            f"Its Python packages are in requirements/{kind}.txt; OpenCV also wants the system's libgl1"
        ) from None
    try:
        main(*arguments)
    except (HardwareError, OSError) as error:
        raise CommandError(f"{kind} stopped: {error}") from error
    return 0
