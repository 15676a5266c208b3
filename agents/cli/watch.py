"""`facelatch watch`: follow the house in plain words."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime

from agents.cli.common import add_command, load_house
from agents.cli.listen import add_user, listening
from agents.cli.narrate import Narrator
from agents.house import House
from agents.runtime.events import Connected, Disconnected, Message, Subscription
from agents.runtime.inbox import Fault
from agents.wire.topics import (
    AVAILABILITY,
    AWAY,
    CHALLENGE,
    DECISION,
    ENABLED,
    EVENT,
    HEALTH,
    HOLD,
    IDENTITY,
    LET_IN,
    QUESTION,
    STATE,
    WINDOW,
)

OF_A_DOOR = (WINDOW, ENABLED, LET_IN, STATE, HOLD, CHALLENGE, QUESTION, DECISION, EVENT)


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = add_command(
        commands,
        "watch",
        _watch,
        "follow what happens in plain words, one line an event, until Ctrl-C",
        "facelatch watch",
    )
    add_user(parser, "watch")
    parser.add_argument("--timeout", type=float, default=5.0, metavar="S", help="seconds to wait for the broker")


def everything(house: House) -> Sequence[Subscription]:
    """All that a narrator can tell about."""
    found = [Subscription(topic, agent) for agent in house.agents for topic in (AVAILABILITY, HEALTH)]
    found += [Subscription(topic, (door,)) for door in house.doors for topic in OF_A_DOOR]
    found.append(Subscription(AWAY, (house.scheduler.id,)))
    return found + [Subscription(IDENTITY, (camera,)) for camera in house.cameras]


def stamp(utc: float) -> str:
    """This machine's wall-clock time, to the millisecond."""
    return datetime.fromtimestamp(utc, UTC).astimezone().strftime("%H:%M:%S.%f")[:-3]


def _watch(args: argparse.Namespace) -> int:
    house, folder = load_house(args)
    narrator = Narrator()
    with listening(house, folder, args.user, everything(house), args.timeout) as (_, inbox):
        print(f"following the house at {house.mqtt.host}:{house.mqtt.port}; Ctrl-C ends it", flush=True)
        while True:
            event = inbox.get(1.0)
            if isinstance(event, Fault):
                raise event.error
            if isinstance(event, Connected | Disconnected):
                print("the broker is " + ("back" if isinstance(event, Connected) else "away; waiting"), flush=True)
            if isinstance(event, Message):
                for line in narrator.lines(event):
                    print(stamp(event.received_at), line, flush=True)
