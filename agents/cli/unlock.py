"""`facelatch unlock DOOR`: open a door, and wait until it says what it did."""

from __future__ import annotations

import argparse
import getpass
import os
import secrets

from agents.cli.common import CommandError, add_command, load_house
from agents.cli.listen import listening, wait_for
from agents.runtime.clock import Clock
from agents.runtime.inbox import Inbox
from agents.runtime.session import Message, Subscription
from agents.wire.messages import Action, BadMessage, Command, DoorEvent, EventType
from agents.wire.topics import COMMAND, EVENT

REFUSED = (EventType.REJECTED, EventType.JAMMED)


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = add_command(
        commands,
        "unlock",
        _unlock,
        "unlock a door and wait for its answer; exit status 0 only if it opened",
        "facelatch unlock front",
    )
    parser.add_argument("door", help="the door's name")
    parser.add_argument("--lock", action="store_true", help="lock it again instead, before its time")
    parser.add_argument("--timeout", type=float, default=5.0, metavar="S", help="seconds to wait (default: 5)")


def _unlock(args: argparse.Namespace) -> int:
    house, folder = load_house(args)
    if args.door not in house.doors:
        raise CommandError(f"there is no door {args.door!r}: {', '.join(house.doors) or 'none'}")
    clock = Clock()
    command = Command(
        action=Action.LOCK if args.lock else Action.UNLOCK,
        ts=clock.now().utc,
        source=f"facelatch unlock by {_user()}"[:200],
        id=f"cli-{secrets.token_hex(8)}",
    )
    with listening(house, folder, [Subscription(EVENT, (args.door,))], args.timeout) as (session, inbox):
        session.publish(COMMAND, args.door, payload=command.encode())
        event = _answer(inbox, clock, command, args)
    print(": ".join(str(part) for part in (args.door, event.event_type, event.reason, event.detail) if part))
    return 1 if event.event_type in REFUSED else 0


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's uid may have no name
        return f"uid {os.getuid()}"


def _answer(inbox: Inbox, clock: Clock, command: Command, args: argparse.Namespace) -> DoorEvent:
    until = clock.now().mono + args.timeout
    while True:
        left_s = until - clock.now().mono
        message = wait_for(inbox, clock, left_s, f"door {args.door} does not answer: is its agent running?", Message)
        assert isinstance(message, Message)
        try:
            event = DoorEvent.decode(message.payload)
        except BadMessage:
            continue  # not the door's answer, whatever it is
        if event.id == command.id or event.event_type is EventType.JAMMED:
            return event
