"""The two sides of benchmarks/door.py, both paho as bare as it comes: one asks, the other only echoes."""

from __future__ import annotations

import contextlib
import multiprocessing
import queue
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from agents.runtime import tls
from agents.runtime.settings import Site
from agents.wire.messages import Action, Command
from agents.wire.topics import COMMAND, SESSION, STATE

READY = b"ready"
STOP_S = 5.0


class BenchmarkFailed(Exception):
    """What was to be measured did not happen; the text says what."""


class Sender:
    """Somebody with a telephone, `user` of the broker. Follows the states of `doors`, and the words of the
    first. All times are monotonic, in seconds.
    """

    def __init__(self, site: Site, user: str, doors: Sequence[str], patience_s: float) -> None:
        self._base, self.patience_s = site.mqtt.base, patience_s
        self._states: dict[str, queue.SimpleQueue[tuple[bytes, float]]] = {
            STATE.at(self._base, door): queue.SimpleQueue() for door in doors
        }
        self._word = ""
        self._client = connected(site, user, [SESSION.at(self._base, doors[0]), *self._states], self._hear)
        self._client.loop_start()

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def order(self, number: int) -> bytes:
        """As `facelatch unlock` words it: the door's own word proves that it is fresh."""
        return Command(action=Action.UNLOCK, session=self._word, id=f"benchmark-{number}").encode()

    def ask(self, door: str, order: bytes, state: bytes, qos: int = COMMAND.qos) -> tuple[float, float]:
        """Returns when it was sent and when the door's state was heard. Raises BenchmarkFailed."""
        sent_at = time.monotonic()
        self._client.publish(COMMAND.at(self._base, door), order, qos)
        return sent_at, self.wait(door, state)

    def wait(self, door: str, state: bytes) -> float:
        """Returns when it was heard. Raises BenchmarkFailed."""
        states, until = self._states[STATE.at(self._base, door)], time.monotonic() + self.patience_s
        with contextlib.suppress(queue.Empty):
            while True:
                heard, at = states.get(timeout=max(0.0, until - time.monotonic()))
                if heard == state:
                    return at
        raise BenchmarkFailed(f"waited in vain for door {door} to say {state.decode()}")

    def _hear(self, topic: str, payload: bytes) -> None:
        at = time.monotonic()
        if topic in self._states:
            self._states[topic].put((payload, at))
        else:
            self._word = payload.decode()


@contextlib.contextmanager
def echoing(site: Site, door: str) -> Iterator[None]:
    """`echo` in a process of its own until the end of the block."""
    process = multiprocessing.get_context("spawn").Process(target=echo, args=(site, door), daemon=True)
    process.start()
    try:
        yield
    finally:
        process.terminate()
        process.join(STOP_S)


def echo(site: Site, door: str) -> None:
    """Take a door's place on MQTT, say READY as its state, and from then on whatever is commanded."""

    def say(payload: bytes) -> None:
        client.publish(STATE.at(site.mqtt.base, door), payload, STATE.qos, STATE.retain)

    def on_subscribe(*_: Any) -> None:
        say(READY)

    command = COMMAND.at(site.mqtt.base, door)
    client = connected(site, f"door-{door}", [command], lambda _topic, payload: say(payload), COMMAND.qos)
    client.on_subscribe = on_subscribe
    client.loop_forever()


def connected(site: Site, user: str, topics: Sequence[str], hear: Callable[[str, bytes], None], qos: int = 1) -> Client:
    """A client with TCP_NODELAY that hears the topics. Its loop is the caller's to run."""
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    login = site.mqtt.login(user, site.folder)
    if login is not None:
        client.username_pw_set(*login)
    if site.mqtt.tls is not None:
        client.tls_set_context(tls.context(site.mqtt.tls, site.folder))

    def on_connect(*_: Any) -> None:
        client.subscribe([(topic, qos) for topic in topics])

    def on_message(_client: Client, _data: Any, message: MQTTMessage) -> None:
        hear(message.topic, bytes(message.payload))

    client.on_socket_open = _no_delay
    client.on_connect, client.on_message = on_connect, on_message
    client.connect(site.mqtt.host, site.mqtt.port)
    return client


def _no_delay(_client: Client, _data: Any, sock: Any) -> None:
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
