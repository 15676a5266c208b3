"""An agent's connection to the broker: MQTT 5, reconnecting by itself.

paho's callbacks run in its network thread. Here they only put events into the inbox; an exception
that would end that thread silently, and leave the agent deaf, becomes a `Fault` there.
"""

from __future__ import annotations

import contextlib
import logging
import socket
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, cast

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from agents.runtime import packets, tls
from agents.runtime.clock import Clock
from agents.runtime.events import Connected, Disconnected, Kept, Message, Published, ReplyTo, Subscription
from agents.runtime.inbox import Fault, Inbox
from agents.runtime.settings import Site
from agents.wire.messages import Availability
from agents.wire.topics import AVAILABILITY, FRAME, REPLY, SNAPSHOT, Topic

KEEPALIVE_S = 15
RECONNECT_MAX_S = 2  # a door may not stay deaf for long after its broker is back
MAX_QUEUED = 2000  # QoS 1 messages waiting for the broker: all that a scheduler of hundreds of doors says at once
SMALL_PACKET = 65_536  # bytes; nothing larger is sent to those who read no frames
MOST_KEPT = 20
P = ParamSpec("P")


class Session:
    """One client of the broker.

    `who` is an agent's (kind, id), which make its user name, its client id and the last will on its
    availability topic; or another user name, which is nobody's to wait for. Of a session with
    `lasting_s` the broker keeps the QoS 1 messages for so long, each until it is acknowledged (`Kept`).
    Raises OSError when a file with a password or a certificate is missing or wrong.
    """

    follows_acknowledgements = False  # whether `Published` is put into the inbox
    dropped = -1  # the number of the last connection that `renew` dropped
    problem: str | None = None

    def __init__(self, site: Site, who: tuple[str, str] | str, inbox: Inbox, clock: Clock, lasting_s: int = 0) -> None:
        self.site = site
        self._settings, self._inbox, self._clock, self._lasting_s = site.mqtt, inbox, clock, lasting_s
        self._agent = None if isinstance(who, str) else who
        self.user = who if isinstance(who, str) else "-".join(who)
        self._log = logging.getLogger("/".join(self._agent or ("facelatch",)))
        self._subscriptions: dict[str, Subscription] = {}
        self._client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"{self._settings.base.replace('/', '-')}-{self.user}" if self._agent or lasting_s else "",
            protocol=MQTTProtocolVersion.MQTTv5,
            manual_ack=bool(lasting_s),
        )
        self._login = self._settings.login(self.user, site.folder)
        if self._login is not None:
            self._client.username_pw_set(*self._login)
        if self._settings.tls is not None:
            self._client.tls_set_context(tls.context(self._settings.tls, site.folder))
        self._client.max_queued_messages_set(MAX_QUEUED)
        self._client.reconnect_delay_set(1, RECONNECT_MAX_S)
        if self._agent is not None:
            topic = self._at(AVAILABILITY, *self._agent)
            self._client.will_set(topic, Availability.OFFLINE, AVAILABILITY.qos, AVAILABILITY.retain)
        self._why = ""  # what is known of how this attempt to connect, or this connection, ended
        self._said: str | None = ""  # why there is no broker, as it was logged; None while there is one
        self._greeted = False
        self._connections = 0
        self._set_callbacks()

    @property
    def connected(self) -> bool:
        # when the broker or the keepalive ended it, paho goes on saying True until it tries anew
        return self._client.is_connected() and self._client.socket() is not None

    @property
    def behind(self) -> bool:
        """Whether something published still waits for the line to take it: more would only wait, too."""
        return self._client.want_write()

    def subscribe(self, subscriptions: Sequence[Subscription]) -> None:
        """What to ask for at every connect. Call it before `start`."""
        self._subscriptions = {s.at or self._at(s.topic, *s.names): s for s in subscriptions}

    def start(self) -> None:
        """Connect in the background, now or as soon as the broker is there."""
        self._client.connect_async(
            self._settings.host,
            self._settings.port,
            keepalive=KEEPALIVE_S,
            clean_start=not self._lasting_s,
            properties=packets.properties(PacketTypes.CONNECT, SessionExpiryInterval=self._lasting_s, **self._bounds()),
        )
        self._client.loop_start()

    def publish(
        self, topic: Topic, *names: str, payload: bytes | str, properties: tuple[tuple[str, str], ...] = ()
    ) -> int | None:
        """Publish as the contract says. QoS 0 is dropped, QoS 1 queued, while there is no broker.

        Returns the message's id, or None when it was dropped or the queue is full.
        """
        wanted: dict[str, Any] = {"UserProperty": list(properties)} if properties else {}
        return self._publish(topic, names, payload, wanted)

    def ask(self, topic: Topic, *names: str, payload: bytes, reply_to: ReplyTo) -> int | None:
        """Publish, and say where the answer is waited for."""
        wanted: dict[str, Any] = {"ResponseTopic": self._at(REPLY, *reply_to.names)}
        return self._publish(topic, names, payload, wanted | packets.correlation(reply_to))

    def answer(self, reply_to: ReplyTo, payload: bytes) -> int | None:
        """Answer a message whose sender said where."""
        return self._publish(REPLY, reply_to.names, payload, packets.correlation(reply_to))

    def _publish(
        self, topic: Topic, names: tuple[str, ...], payload: bytes | str, wanted: dict[str, Any]
    ) -> int | None:
        if topic.qos == 0 and not self.connected:
            return None
        if topic.expiry_s is not None:
            wanted["MessageExpiryInterval"] = topic.expiry_s
        info = self._client.publish(
            self._at(topic, *names), payload, topic.qos, topic.retain, packets.properties(PacketTypes.PUBLISH, **wanted)
        )
        queued = topic.qos > 0 and info.rc == MQTTErrorCode.MQTT_ERR_NO_CONN
        return info.mid if queued or info.rc == MQTTErrorCode.MQTT_ERR_SUCCESS else None

    def withdraw(self, topic: str) -> None:
        """Make the broker forget what it retains on this topic, given in full, and tell its readers so."""
        self._client.publish(topic, b"", qos=1, retain=True)

    def acknowledge(self, message: Kept) -> None:
        """The message is safe here: the broker may forget it."""
        self._client.ack(message.mid, 1)

    def renew(self, reason: str) -> None:
        """Drop the connection, with all that waits in it, and connect anew: a clean start.

        What the inbox holds of it, even that it was made, is then news of a dropped connection.
        """
        self._log.warning("connecting anew: %s", reason)
        self.dropped = self._connections
        sock = self._client.socket()
        if sock is not None:
            with contextlib.suppress(OSError):
                # not the TLS socket's own shutdown: its reader would then take cipher for plain text
                socket.socket.shutdown(cast("socket.socket", sock), socket.SHUT_RDWR)

    def announce(self, availability: Availability) -> bool:
        """Returns whether it is on its way."""
        return self._agent is not None and bool(self.publish(AVAILABILITY, *self._agent, payload=availability))

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
        return topic.at(self.site.root(topic), *names)

    def _set_callbacks(self) -> None:
        client = self._client
        paho = logging.Logger("paho", logging.ERROR)
        paho.addFilter(self._note)
        client.enable_logger(paho)
        client.on_socket_open = self._guard(packets.hurry)
        client.on_connect = self._guard(self._on_connect)
        client.on_disconnect = self._guard(self._on_disconnect)
        client.on_subscribe = self._guard(self._on_subscribe)
        client.on_publish = self._guard(self._on_publish)
        client.on_message = self._guard(self._on_message)
        # paho has no hook for either, and mypy wants none replaced.
        client.reconnect = self._reconnect  # type: ignore[method-assign]
        # what the network thread runs: it ends at any error that is no OSError, a bad host name say
        client.loop_forever = self._guard(client.loop_forever)  # type: ignore[method-assign,arg-type,assignment]

    def _guard(self, callback: Callable[P, None]) -> Callable[P, None]:
        def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
            try:
                callback(*args, **kwargs)
            except BaseException as error:  # noqa: BLE001 - it is raised again by the main thread
                self._inbox.put(Fault(error))

        return guarded

    def _reconnect(self) -> MQTTErrorCode:
        """paho tells nobody why it could not connect, and a wrong certificate has to be told."""
        self._why = ""
        try:
            return Client.reconnect(self._client)
        except OSError as error:
            self._miss(str(error))
            raise

    def _note(self, record: logging.LogRecord) -> bool:
        """What ended a connection, which paho tells its log only: nothing of that is written."""
        if record.args:
            self._why = record.getMessage().partition(": ")[2]
        return False

    def _miss(self, why: str) -> None:
        """The same reason is told once, not at every attempt."""
        if self._said is None:
            self._log.warning("lost broker %s: %s; trying again", self._where, why)
        elif why != self._said:
            self._log.warning("no broker at %s: %s; trying again until there is one", self._where, why)
        self._said = why

    def _on_connect(self, client: Client, _data: Any, _flags: Any, code: ReasonCode, _props: Any) -> None:
        if code.is_failure:
            self._why = f"it refused the connection: {code}"
            return
        self._said = None
        self._connections += 1
        self._log.info("connected to broker %s", self._where)
        if self._settings.anonymous and not self._settings.local:
            self.problem = f"the broker at {self._where} lets anybody in: whoever reaches it can open the doors"
            self._log.error("%s; see broker/README.md", self.problem)
        self._greeted = False
        wanted = [(topic, packets.options(s)) for topic, s in self._subscriptions.items()]
        if wanted:
            client.subscribe(wanted)
        else:
            self._greet()

    def _greet(self) -> None:
        """Not in `_on_connect`: after it paho resends what was not acknowledged, and old news would follow new."""
        if not self._greeted:
            self._greeted = True
            self._inbox.put(Connected(self._connections))

    def _on_disconnect(self, _client: Client, _data: Any, _flags: Any, code: ReasonCode, _props: Any) -> None:
        reason = self._why or str(code)
        if code.is_failure:
            self._miss(reason)
        self._inbox.put(Disconnected(reason))

    def _on_subscribe(self, _client: Client, _data: Any, _mid: int, codes: list[ReasonCode], _props: Any) -> None:
        for topic, code in zip(self._subscriptions, codes, strict=False):
            if code.is_failure:  # an agent that looks well and hears nothing is worse than one that ends
                raise PermissionError(f"broker refused the subscription to {topic}: {code}")
        self._greet()

    def _on_publish(self, _client: Client, _data: Any, mid: int, code: ReasonCode, _props: Any) -> None:
        if code.is_failure:
            self._log.error("broker refused a message: %s", code)
        if self.follows_acknowledgements:
            self._inbox.put(Published(mid))

    def _on_message(self, _client: Client, _data: Any, raw: MQTTMessage) -> None:
        self._greet()
        subscription = self._subscriptions.get(raw.topic)
        if subscription is None:
            self._client.ack(raw.mid, raw.qos)  # from an earlier run, for something that the house has no more
            return
        values = (
            subscription.topic,
            subscription.names,
            bytes(raw.payload),
            raw.retain,
            tuple(getattr(raw.properties, "UserProperty", ())),
            self._clock.now().utc,
            self._reply_to(raw),
        )
        message = Kept(*values, raw.mid) if self._lasting_s and raw.qos else Message(*values)
        urgent = subscription.urgent is not None and self._inbox.full and subscription.urgent(message.payload)
        if subscription.latest or urgent:
            self._inbox.put_latest(raw.topic, message)
        else:
            self._inbox.put(message)

    def _reply_to(self, raw: MQTTMessage) -> ReplyTo | None:
        """Only below the house's own reply topics: no sender may make an agent publish elsewhere."""
        wanted = getattr(raw.properties, "ResponseTopic", None)
        names = REPLY.names_in(self._settings.base, wanted) if wanted is not None else None
        return ReplyTo(names, getattr(raw.properties, "CorrelationData", None)) if names else None

    def _bounds(self) -> dict[str, int]:
        """`Kept` messages are few: the broker sends so many before the first is acknowledged."""
        pictures = any(s.topic in (FRAME, SNAPSHOT) for s in self._subscriptions.values())
        size = {} if pictures else {"MaximumPacketSize": SMALL_PACKET}
        return size | ({"ReceiveMaximum": MOST_KEPT} if self._lasting_s else {})

    @property
    def _where(self) -> str:
        return f"{self._settings.host}:{self._settings.port}"
