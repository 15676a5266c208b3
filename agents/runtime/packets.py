"""The parts of MQTT 5 packets that paho wants built."""

from __future__ import annotations

import socket
from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from agents.runtime.events import ReplyTo, Subscription

SEND_BUFFER = 65_536  # bytes in the kernel; by itself Linux lets megabytes of old frames wait there
RETAINED_NEVER = 2  # MQTT 5 retain handling: no retained messages when subscribing


def options(wanted: Subscription) -> SubscribeOptions:
    """A live-only topic never brings old messages, and says so when a new one is retained.

    Somebody else's may be retained one and all, as Frigate's snapshots are. Of what the broker delivers
    there, nothing waited at it: sessions begin clean, and what it kept is not asked for. So a message
    need not say whether it is being kept; one that was would say so all the same. A bridge is another
    matter: what the broker behind it kept arrives as new whenever the bridge connects.
    """
    topic = wanted.topic
    if topic.live_only:
        as_published = wanted.at is None
        return SubscribeOptions(qos=topic.qos, retainAsPublished=as_published, retainHandling=RETAINED_NEVER)
    return SubscribeOptions(qos=topic.qos)


def correlation(reply_to: ReplyTo) -> dict[str, Any]:
    return {} if reply_to.correlation is None else {"CorrelationData": reply_to.correlation}


def properties(packet: int, **values: Any) -> Properties | None:
    """None where there are none: to make an empty one takes paho as long as to send a message."""
    if not values:
        return None
    properties = Properties(packet)  # type: ignore[no-untyped-call]  # paho leaves it untyped
    for name, value in values.items():
        setattr(properties, name, value)
    return properties


def hurry(_client: Client, _data: Any, sock: Any) -> None:
    """What is written to the socket leaves at once, and when it can't, not much more can be written."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
