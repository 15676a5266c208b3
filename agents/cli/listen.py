"""A command's own connection to the house's broker."""

from __future__ import annotations

import argparse
import contextlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from agents.cli.common import CommandError
from agents.house import House
from agents.runtime.clock import Clock
from agents.runtime.events import Connected, Disconnected, Subscription
from agents.runtime.inbox import Fault, Inbox
from agents.runtime.session import Session


def add_user(parser: argparse.ArgumentParser, name: str) -> None:
    """Declare who connects: a user of the broker, where it knows users."""
    parser.add_argument(
        "--as",
        dest="user",
        type=_user,
        default=name,
        metavar="USER",
        help=f"the broker's user to connect as, one connection each (default: {name})",
    )


def _user(name: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9_.-]+", name) is None:
        raise argparse.ArgumentTypeError(f"{name!r} is no name of a user")
    return name


@contextlib.contextmanager
def listening(
    house: House, folder: Path, user: str, subscriptions: Sequence[Subscription], timeout_s: float
) -> Iterator[tuple[Session, Inbox]]:
    """A session of this user, connected. Raises CommandError when there is no broker within `timeout_s`."""
    inbox, clock = Inbox(), Clock()
    try:
        session = Session(house.site(folder), user, inbox, clock)
    except OSError as error:
        raise CommandError(f"mqtt: {error}") from None
    session.subscribe(subscriptions)
    session.start()
    try:
        wait_for(inbox, clock, timeout_s, f"no broker at {house.mqtt.host}:{house.mqtt.port}", Connected)
        yield session, inbox
    finally:
        session.close()


def wait_for(inbox: Inbox, clock: Clock, timeout_s: float, otherwise: str, *kinds: type) -> object:
    """The next event of one of these kinds. Raises CommandError(otherwise) when time is up."""
    until = clock.now().mono + timeout_s
    while (left_s := until - clock.now().mono) > 0:
        event = inbox.get(left_s)
        if isinstance(event, Fault):
            raise event.error
        if isinstance(event, kinds):
            return event
        if isinstance(event, Disconnected):
            otherwise = f"the broker ended the connection: {event.reason}"
    raise CommandError(otherwise)
