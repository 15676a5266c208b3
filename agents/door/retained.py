"""What the broker keeps of a door for those who come later."""

from __future__ import annotations

from agents.door.core import Door
from agents.runtime.session import Session
from agents.wire.messages import Switch
from agents.wire.orders import plain_number
from agents.wire.topics import CONTACT, HOLD, STATE, Topic


class Retained:
    """Each is published when it changes, and until it was handed on."""

    def __init__(self, session: Session, name: str) -> None:
        self._session, self._name = session, name
        self._published: dict[Topic, str] = {}

    def publish(self, topic: Topic, payload: str) -> None:
        """Unless it was the last that was published there."""
        if payload != self._published.get(topic) and self._session.publish(topic, self._name, payload=payload):
            self._published[topic] = payload

    def tell(self, door: Door) -> None:
        """How the door is."""
        self.publish(STATE, door.state)
        self.publish(HOLD, plain_number(door.hold.s))
        if door.leaf is not None:
            self.publish(CONTACT, Switch.of(door.leaf.is_open))

    def forget(self, *topics: Topic) -> None:
        """What these carried, so that it is published anew; without any, all."""
        for topic in topics or tuple(self._published):
            self._published.pop(topic, None)
