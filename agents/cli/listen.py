"""A command's own connection to the house's broker."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from agents.cli.common import CommandError
from agents.house import House
from agents.runtime.clock import Clock
from agents.runtime.inbox import Fault, Inbox
from agents.runtime.session import Connected, Session, Subscription


@contextlib.contextmanager
def listening(
    house: House, folder: Path, subscriptions: Sequence[Subscription], timeout_s: float
) -> Iterator[tuple[Session, Inbox]]:
    """A connected session. Raises CommandError when there is no broker within `timeout_s`."""
    inbox, clock = Inbox(), Clock()
    try:
        session = Session(house.mqtt, folder, None, inbox, clock)
    except OSError as error:
        raise CommandError(f"mqtt.password_file: {error}") from None
    session.subscribe(subscriptions)
    session.start()
    try:
        wait_for(inbox, clock, timeout_s, f"no broker answers at {house.mqtt.host}:{house.mqtt.port}", Connected)
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
    raise CommandError(otherwise)
