"""An ear at the broker that is back before the agents are, and so misses nothing they say."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.subscribeoptions import SubscribeOptions

from agents.wire.topics import AVAILABILITY, DECISION, EVENT, HEALTH, IDENTITY, SESSION, STATE

T = TypeVar("T")
BASE = "facelatch"
TOPICS = [topic.at(BASE, *["+"] * topic.path.count("<")) for topic in (EVENT, STATE, SESSION, AVAILABILITY, HEALTH)]
VISITS = [topic.at(BASE, "+") for topic in (IDENTITY, DECISION)]
QUICK_S = 0.05  # agents wait a second before they connect again
PATIENCE_S = 60.0


@dataclass(frozen=True)
class Address:
    """A broker on this machine. `secrets` is the folder with its passwords and its authority, if it has any."""

    port: int
    secrets: Path | None = None

    def client(self, user: str) -> Client:
        """Not connected yet. On a broker without passwords the user is nobody."""
        client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        if self.secrets is not None:
            client.username_pw_set(user, (self.secrets / user).read_text(encoding="utf-8").strip())
            client.tls_set_context(ssl.create_default_context(cafile=str(self.secrets / "ca.crt")))
        return client

    def connected(self, user: str) -> Client:
        """Connected, or soon; its network thread runs."""
        client = self.client(user)
        client.connect_async("127.0.0.1", self.port)
        client.loop_start()
        return client


@dataclass(frozen=True)
class Heard:
    """A message. `at` is monotonic; `topic` is below the house's base."""

    at: float
    topic: str
    payload: bytes

    def says(self, topic: str, payload: str) -> bool:
        return (self.topic, self.payload) == (topic, payload.encode())


class Ear:
    """Keeps, in order, what it hears about doors, agents and visits; the pictures are not among it."""

    def __init__(self, address: Address, user: str = "watch") -> None:
        self._heard: list[Heard] = []
        self._news = threading.Condition()
        self._ready = threading.Event()
        self.client = address.client(user)
        self.client.reconnect_delay_set(QUICK_S, QUICK_S)  # type: ignore[arg-type]  # paho only adds it up
        self.client.on_connect = self._on_connect
        self.client.on_subscribe = lambda *_: self._ready.set()
        self.client.on_message = self._on_message
        self.client.connect_async("127.0.0.1", address.port)
        self.client.loop_start()

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def wait_until_listening(self) -> None:
        if not self._ready.wait(PATIENCE_S):
            raise TimeoutError("no broker for the ear")

    def mark(self) -> int:
        """A place in what was heard; `since` of the other calls."""
        with self._news:
            return len(self._heard)

    def heard(self, topic: str | None = None, since: int = 0) -> list[Heard]:
        with self._news:
            return [heard for heard in self._heard[since:] if topic in (None, heard.topic)]

    def wait(self, found: Callable[[Sequence[Heard]], T | None], since: int, timeout_s: float = PATIENCE_S) -> T | None:
        """The first answer of `found` that is not None, given all that was heard since; None when time is up."""
        until = time.monotonic() + timeout_s
        with self._news:
            while (answer := found(self._heard[since:])) is None:
                if not self._news.wait(max(0.0, until - time.monotonic())) and time.monotonic() >= until:
                    return None
        return answer

    def say(self, topic: str, payload: str) -> float:
        """At QoS 0, on a topic below the base. Returns when, monotonic."""
        at = time.monotonic()
        self.client.publish(f"{BASE}/{topic}", payload)
        return at

    def _on_connect(self, client: Client, *_: Any) -> None:
        client.subscribe([(topic, SubscribeOptions(qos=1)) for topic in TOPICS + VISITS])

    def _on_message(self, _client: Client, _data: Any, raw: MQTTMessage) -> None:
        heard = Heard(time.monotonic(), raw.topic.removeprefix(f"{BASE}/"), bytes(raw.payload))
        with self._news:
            self._heard.append(heard)
            self._news.notify_all()
