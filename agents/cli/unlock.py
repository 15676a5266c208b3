"""`facelatch unlock DOOR`: open a door, and wait until it says what it did."""

from __future__ import annotations

import argparse
import getpass
import os
import secrets

from agents.cli.common import CommandError, add_command, load_house
from agents.cli.listen import add_user, listening, wait_for
from agents.runtime.clock import Clock
from agents.runtime.events import Message, ReplyTo, Subscription
from agents.runtime.inbox import Inbox
from agents.wire.messages import Action, BadMessage, Command, DoorEvent, EventType, read_session
from agents.wire.topics import COMMAND, REPLY, SESSION, Topic

DONE = {
    Action.UNLOCK: (EventType.UNLOCKED, EventType.EXTENDED),
    Action.LOCK: (EventType.LOCKED,),
}


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
    add_user(parser, "unlock")
    parser.add_argument("--timeout", type=float, default=5.0, metavar="S", help="seconds to wait (default: 5)")


def _unlock(args: argparse.Namespace) -> int:
    house, folder = load_house(args)
    if args.door not in house.doors:
        raise CommandError(f"there is no door {args.door!r}: {', '.join(house.doors) or 'none'}")
    word = secrets.token_hex(8)
    reply_to = ReplyTo((args.user, word))
    wanted = Subscription(SESSION, (args.door,)), Subscription(REPLY, reply_to.names)
    with listening(house, folder, args.user, wanted, args.timeout) as (session, inbox):
        command = _command(args, word, _receive(SESSION, inbox, args))
        session.ask(COMMAND, args.door, payload=command.encode(), reply_to=reply_to)
        event = _read(_receive(REPLY, inbox, args))
    print(": ".join(str(part) for part in (args.door, event.event_type, event.reason, event.detail) if part))
    return 0 if event.event_type in DONE[command.action] else 1


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's uid may have no name
        return f"uid {os.getuid()}"


def _command(args: argparse.Namespace, word: str, session: bytes) -> Command:
    """Its age is proved by the door's session word, which needs no clock."""
    try:
        nonce = read_session(session)
    except BadMessage as error:
        raise CommandError(f"what door {args.door} keeps as its session {error}") from None
    return Command(
        action=Action.LOCK if args.lock else Action.UNLOCK,
        session=nonce,
        source=f"facelatch unlock by {_user()}"[:200],
        id=f"cli-{word}",
    )


def _receive(topic: Topic, inbox: Inbox, args: argparse.Namespace) -> bytes:
    clock = Clock()
    until = clock.now().mono + args.timeout
    while True:
        left_s = until - clock.now().mono
        message = wait_for(
            inbox, clock, left_s, f"door {args.door} does not answer: is its agent running, or flooded?", Message
        )
        assert isinstance(message, Message)
        if message.topic is topic:
            return message.payload


def _read(answer: bytes) -> DoorEvent:
    try:
        return DoorEvent.decode(answer)
    except BadMessage as error:
        raise CommandError(f"the answer can't be read: {error}") from None
