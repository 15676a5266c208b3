"""What the broker keeps of a door for those who come later."""

from __future__ import annotations

from agents.runtime.session import Session
from agents.wire.topics import Topic


class Retained:
    """Each is published when it changes, and until it was handed on."""

    def __init__(self, session: Session, name: str) -> None:
        self._session, self._name = session, name
        self._published: dict[Topic, str] = {}

    def publish(self, topic: Topic, payload: str) -> None:
        """Unless it was the last that was published there."""
        if payload != self._published.get(topic) and self._session.publish(topic, self._name, payload=payload):
            self._published[topic] = payload

    def forget(self, *topics: Topic) -> None:
        """What these carried, so that it is published anew; without any, all."""
        for topic in topics or tuple(self._published):
            self._published.pop(topic, None)
