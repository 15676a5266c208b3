"""Follows a house over MQTT: tells the story line by line, and waits for what should come next."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from agents.cli.listen import listening
from agents.cli.narrate import Narrator
from agents.cli.watch import everything, stamp
from agents.runtime.events import Message
from agents.runtime.inbox import Inbox
from agents.wire.identity import Identity
from agents.wire.liveness import Challenge
from agents.wire.messages import Availability, DoorEvent, EventType, Outcome
from agents.wire.scheduling import Decision
from agents.wire.topics import AVAILABILITY, CHALLENGE, DECISION, EVENT, IDENTITY, Topic
from demo.house import DemoHouse, HouseFailed

T = TypeVar("T")


@dataclass
class Story:
    """What has happened so far."""

    decisions: list[Decision] = field(default_factory=list)
    events: list[DoorEvent] = field(default_factory=list)
    identities: list[Identity] = field(default_factory=list)
    challenges: list[Challenge] = field(default_factory=list)
    online: set[tuple[str, ...]] = field(default_factory=set)
    standing: dict[tuple[str, ...], bytes] = field(default_factory=dict)

    def add(self, message: Message) -> None:
        self.standing[(message.topic.path, *message.names)] = message.payload
        if message.topic is DECISION:
            self.decisions.append(Decision.decode(message.payload))
        elif message.topic is EVENT:
            self.events.append(DoorEvent.decode(message.payload))
        elif message.topic is IDENTITY:
            self.identities.append(Identity.decode(message.payload))
        elif message.topic is CHALLENGE:
            self.challenges.append(Challenge.decode(message.payload))
        elif message.topic is AVAILABILITY:
            here = message.payload == Availability.ONLINE.encode()
            (self.online.add if here else self.online.discard)(message.names)

    def count(self, outcome: Outcome) -> int:
        return sum(decision.outcome is outcome for decision in self.decisions)

    @property
    def pulses(self) -> list[DoorEvent]:
        return [event for event in self.events if event.event_type is EventType.UNLOCKED]

    def frame_to_relay_ms(self, *, first: bool) -> list[float]:
        """For each pulse that a face caused: from the visit's first frame with a face, or from the
        deciding frame, to the relay."""
        decisions = {d.id: d for d in self.decisions}
        caused = [(event, decisions[event.id]) for event in self.pulses if event.id in decisions]
        return [(event.at - (d.began_at if first else d.captured_at)) * 1000 for event, d in caused]


class Follower:
    def __init__(self, house: DemoHouse, inbox: Inbox, say: Callable[[str], None]) -> None:
        self._house, self._inbox, self._say = house, inbox, say
        self._narrator = Narrator()
        self.story = Story()

    def wait(self, what: str, found: Callable[[Story], T | None], timeout_s: float) -> T:
        """Follow until `found` answers with something true. Raises HouseFailed when time is up."""
        until = time.monotonic() + timeout_s
        while not (answer := found(self.story)):
            left_s = until - time.monotonic()
            if left_s <= 0:
                raise HouseFailed(f"waited {timeout_s:.0f} s in vain: {what}")
            self._house.check_up()
            self._take(min(left_s, 0.5))
        return answer

    def stay(self, seconds: float) -> None:
        """Follow for so long."""
        until = time.monotonic() + seconds
        while (left_s := until - time.monotonic()) > 0:
            self._take(left_s)

    def state(self, topic: Topic, *names: str) -> bytes | None:
        """The newest payload on a topic."""
        return self.story.standing.get((topic.path, *names))

    def _take(self, timeout_s: float) -> None:
        event = self._inbox.get(timeout_s)
        if isinstance(event, Message):
            self.story.add(event)
            for line in self._narrator.lines(event):
                self._say(f"{stamp(event.received_at)}  {line}")


@contextlib.contextmanager
def following(house: DemoHouse, say: Callable[[str], None]) -> Iterator[Follower]:
    """A follower of a running house. Raises CommandError when its broker does not come up."""
    settings = house.settings
    with listening(settings, house.folder, "watch", everything(settings), 20.0) as (_, inbox):
        yield Follower(house, inbox, say)
