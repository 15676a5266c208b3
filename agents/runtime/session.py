"""An agent's connection to the broker: MQTT 5, reconnecting by itself.

paho's callbacks run in its network thread. Here they only put events into the inbox; an exception
that would end that thread silently, and leave the agent deaf, becomes a `Fault` there.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ParamSpec

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from agents.runtime.clock import Clock
from agents.runtime.inbox import Fault, Inbox, Vital
from agents.runtime.settings import MqttSettings
from agents.wire.messages import Availability
from agents.wire.topics import AVAILABILITY, Topic

KEEPALIVE_S = 15
RECONNECT_MAX_S = 5  # a door may not stay deaf for long after its broker is back
MAX_QUEUED = 200  # QoS 1 messages waiting for the broker to come back
RETAINED_NEVER = 2  # MQTT 5 retain handling: no retained messages when subscribing
P = ParamSpec("P")


@dataclass(frozen=True)
class Connected(Vital):
    """The broker is there (again), and the subscriptions are asked for."""


@dataclass(frozen=True)
class Disconnected(Vital):
    reason: str


@dataclass(frozen=True)
class Message:
    """Something arrived. `received_at` is UTC seconds; `properties` are MQTT 5 user properties."""

    topic: Topic
    names: tuple[str, ...]
    payload: bytes
    retain: bool
    properties: tuple[tuple[str, str], ...]
    received_at: float


@dataclass(frozen=True)
class Subscription:
    """A topic with its names filled in. With `latest`, a newer message replaces a waiting one."""

    topic: Topic
    names: tuple[str, ...]
    latest: bool = False


class Session:
    """One client of the broker.

    `agent` is (kind, id) and makes the client id and the last will on its availability topic; a
    command, which is nobody's to wait for, has None. Raises OSError when there is no password file.
    """

    def __init__(
        self, settings: MqttSettings, folder: Path, agent: tuple[str, str] | None, inbox: Inbox, clock: Clock
    ) -> None:
        self._settings, self._inbox, self._clock, self._agent = settings, inbox, clock, agent
        self._log = logging.getLogger("/".join(agent or ("facelatch",)))
        self._subscriptions: dict[str, Subscription] = {}
        self._client = Client(
            CallbackAPIVersion.VERSION2,
            client_id="-".join((settings.base.replace("/", "-"), *agent)) if agent else "",
            protocol=MQTTProtocolVersion.MQTTv5,
        )
        if settings.username is not None:
            self._client.username_pw_set(settings.username, settings.password(folder))
        self._client.max_queued_messages_set(MAX_QUEUED)
        self._client.reconnect_delay_set(1, RECONNECT_MAX_S)
        if agent is not None:
            topic = self._at(AVAILABILITY, *agent)
            self._client.will_set(topic, Availability.OFFLINE, AVAILABILITY.qos, AVAILABILITY.retain)
        self._missed = False  # the last attempt to connect failed, and that was said
        self._set_callbacks()

    @property
    def connected(self) -> bool:
        return self._client.is_connected()

    def subscribe(self, subscriptions: Sequence[Subscription]) -> None:
        """What to ask for at every connect. Call it before `start`."""
        self._subscriptions = {self._at(s.topic, *s.names): s for s in subscriptions}

    def start(self) -> None:
        """Connect in the background, now or as soon as the broker is there."""
        self._client.connect_async(
            self._settings.host,
            self._settings.port,
            keepalive=KEEPALIVE_S,
            clean_start=True,
            properties=_properties(PacketTypes.CONNECT, SessionExpiryInterval=0),
        )
        self._client.loop_start()

    def publish(
        self, topic: Topic, *names: str, payload: bytes | str, properties: tuple[tuple[str, str], ...] = ()
    ) -> bool:
        """Publish as the contract says. QoS 0 is dropped, QoS 1 queued, while there is no broker.

        Returns whether it was handed on.
        """
        if topic.qos == 0 and not self.connected:
            return False
        wanted: dict[str, Any] = {}
        if topic.expiry_s is not None:
            wanted["MessageExpiryInterval"] = topic.expiry_s
        if properties:
            wanted["UserProperty"] = list(properties)
        info = self._client.publish(
            self._at(topic, *names), payload, topic.qos, topic.retain, _properties(PacketTypes.PUBLISH, **wanted)
        )
        return info.rc == 0

    def announce(self, availability: Availability) -> None:
        if self._agent is not None:
            self.publish(AVAILABILITY, *self._agent, payload=availability)

    def close(self, timeout_s: float = 2.0) -> None:
        """Say offline, wait until the broker has it, and disconnect."""
        if self.connected and self._agent is not None:
            topic = self._at(AVAILABILITY, *self._agent)
            info = self._client.publish(topic, Availability.OFFLINE, AVAILABILITY.qos, AVAILABILITY.retain)
            try:
                info.wait_for_publish(timeout_s)
            except (RuntimeError, ValueError) as error:
                self._log.warning("could not say offline: %s", error)
        self._client.disconnect()
        self._client.loop_stop()

    def _at(self, topic: Topic, *names: str) -> str:
        return topic.at(self._settings.base, *names)

    def _set_callbacks(self) -> None:
        client = self._client
        client.on_socket_open = self._guard(_no_delay)
        client.on_connect = self._guard(self._on_connect)
        client.on_connect_fail = self._guard(self._on_connect_fail)
        client.on_disconnect = self._guard(self._on_disconnect)
        client.on_subscribe = self._guard(self._on_subscribe)
        client.on_publish = self._guard(self._on_publish)
        client.on_message = self._guard(self._on_message)
        # what the network thread runs: it ends at any error that is no OSError, a bad host name say
        client.loop_forever = self._guard(client.loop_forever)  # type: ignore[method-assign,arg-type,assignment]

    def _guard(self, callback: Callable[P, None]) -> Callable[P, None]:
        def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
            try:
                callback(*args, **kwargs)
            except BaseException as error:  # noqa: BLE001 - it is raised again by the main thread
                self._inbox.put(Fault(error))

        return guarded

    def _on_connect_fail(self, _client: Client, _data: Any) -> None:
        if not self._missed:
            self._missed = True
            self._log.warning("no broker answers at %s; trying again until one does", self._where)

    def _on_connect(self, client: Client, _data: Any, _flags: Any, code: ReasonCode, _props: Any) -> None:
        if code.is_failure:
            self._log.error("broker %s refused the connection: %s", self._where, code)
            return
        self._missed = False
        self._log.info("connected to broker %s", self._where)
        wanted = [(topic, _options(s.topic)) for topic, s in self._subscriptions.items()]
        if wanted:
            client.subscribe(wanted)
        self._inbox.put(Connected())

    def _on_disconnect(self, _client: Client, _data: Any, _flags: Any, code: ReasonCode, _props: Any) -> None:
        if code.is_failure:
            self._log.warning("lost broker %s: %s; trying again", self._where, code)
        self._inbox.put(Disconnected(str(code)))

    def _on_subscribe(self, _client: Client, _data: Any, _mid: int, codes: list[ReasonCode], _props: Any) -> None:
        for topic, code in zip(self._subscriptions, codes, strict=False):
            if code.is_failure:  # an agent that looks well and hears nothing is worse than one that ends
                raise PermissionError(f"broker refused the subscription to {topic}: {code}")

    def _on_publish(self, _client: Client, _data: Any, _mid: int, code: ReasonCode, _props: Any) -> None:
        if code.is_failure:
            self._log.error("broker refused a message: %s", code)

    def _on_message(self, _client: Client, _data: Any, raw: MQTTMessage) -> None:
        subscription = self._subscriptions.get(raw.topic)
        if subscription is None:
            return
        properties = tuple(getattr(raw.properties, "UserProperty", ()))
        received_at = self._clock.now().utc
        message = Message(
            subscription.topic, subscription.names, bytes(raw.payload), raw.retain, properties, received_at
        )
        if subscription.latest:
            self._inbox.put_latest(raw.topic, message)
        else:
            self._inbox.put(message)

    @property
    def _where(self) -> str:
        return f"{self._settings.host}:{self._settings.port}"


def _options(topic: Topic) -> SubscribeOptions:
    """A live-only topic never brings old messages, and says so when a new one is retained."""
    if topic.live_only:
        return SubscribeOptions(qos=topic.qos, retainAsPublished=True, retainHandling=RETAINED_NEVER)
    return SubscribeOptions(qos=topic.qos)


def _properties(packet: int, **values: Any) -> Properties:
    properties = Properties(packet)  # type: ignore[no-untyped-call]  # paho leaves it untyped
    for name, value in values.items():
        setattr(properties, name, value)
    return properties


def _no_delay(_client: Client, _data: Any, sock: Any) -> None:
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
