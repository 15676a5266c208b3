"""A session on a real line, and brokers of the test's own making at its other end."""

from __future__ import annotations

import getpass
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

import broker as broker_files
from agents.runtime.clock import Clock
from agents.runtime.events import Subscription
from agents.runtime.inbox import Fault, Inbox
from agents.runtime.session import Session
from agents.runtime.settings import MqttSettings, Site
from tests.fakes import close
from tests.live.tools import PATIENCE_S, Broker, wait_until

EventT = TypeVar("EventT")
CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK, DISCONNECT = 0x10, 0x20, 0x30, 0x40, 0x82, 0x90, 0xE0


class Line:
    """A session, and everything that it told its agent: `came`."""

    def __init__(
        self,
        folder: Path,
        port: int,
        *subscriptions: Subscription,
        who: tuple[str, str] | str = ("door", "front"),
        inbox: Inbox | None = None,
        clock: Clock | None = None,
        **mqtt: Any,
    ) -> None:
        self.inbox, self.came = inbox or Inbox(), list[object]()
        site = Site(MqttSettings(port=port, **mqtt), folder, folder)
        self.session = Session(site, who, self.inbox, clock or Clock())
        self.session.follows_acknowledgements = True
        self.session.subscribe(subscriptions)

    def __enter__(self) -> Line:
        self.session.start()
        return self

    def __exit__(self, *_: object) -> None:
        close(self.session, timeout_s=0.2)  # a broker that answers nothing need not be waited for

    def wait(self, kind: type[EventT], wanted: Callable[[EventT], bool] = lambda _: True) -> EventT:
        """The next event of this kind that is wanted."""
        until = time.monotonic() + PATIENCE_S
        while (left_s := until - time.monotonic()) > 0:
            event = self.inbox.get(left_s)
            if event is not None:
                self.came.append(event)
            if isinstance(event, kind) and wanted(event):
                return event
            if isinstance(event, Fault):
                raise event.error
        raise AssertionError(f"waited in vain for {kind.__name__}; came: {self.came[-10:]}")

    def drain(self) -> list[object]:
        """What is in the inbox now."""
        found = []
        while (event := self.inbox.get(0)) is not None:
            found.append(event)
        self.came += found
        return found


class Mosquitto(Broker):
    """A mosquitto with `settings` beside its listener; they may be changed before the next start."""

    def __init__(self, folder: Path, *settings: str, host: str = "127.0.0.1") -> None:
        super().__init__(folder)
        self.settings, self._host = settings, host

    def start(self) -> None:
        # as the user who runs the test: mosquitto would let go of root, and could not read the test's files
        lines = [f"listener {self.port} {self._host}", *self.settings, f"user {getpass.getuser()}", "log_type all"]
        conf = self._folder / "mosquitto.conf"
        conf.write_text("\n".join([*lines, "log_dest stderr\n"]))
        with self._log.open("ab") as log:
            self._process = subprocess.Popen([broker_files.program(), "-c", str(conf)], stdout=log, stderr=log)
        wait_until("the broker listens", self._listens)

    def attempts(self) -> int:
        """How many connections there were, good or bad, since it was first started."""
        return self._log.read_text(errors="replace").count(" connection from ")

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    @property
    def _log(self) -> Path:
        return self._folder / "mosquitto.log"

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((self._host, self.port)) == 0


@dataclass(frozen=True)
class Connect:
    """What a client says of itself: the CONNECT packet of MQTT 5."""

    clean_start: bool
    keepalive_s: int
    properties: dict[str, Any]
    client_id: str
    will: tuple[str, str, int, bool] | None  # topic, payload, QoS, retain
    login: tuple[str, str] | None

    @classmethod
    def of(cls, body: bytes) -> Connect:
        assert body[:7] == b"\x00\x04MQTT\x05"
        flags, keepalive_s = body[7], int.from_bytes(body[8:10], "big")
        properties, rest = _properties(PacketTypes.CONNECT, body[10:])
        client_id, rest = _field(rest)
        will = None
        if flags & 0x04:
            _, rest = _properties(PacketTypes.WILLMESSAGE, rest)
            topic, rest = _field(rest)
            payload, rest = _field(rest)
            will = (topic.decode(), payload.decode(), flags >> 3 & 3, bool(flags & 0x20))
        fields = []
        while rest:
            field, rest = _field(rest)
            fields.append(field.decode())
        login = (fields[0], fields[1]) if fields else None
        return cls(bool(flags & 0x02), keepalive_s, properties, client_id.decode(), will, login)


class Wire:
    """One connection, seen from the broker's side: packets as they are."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        sock.settimeout(PATIENCE_S)

    def read(self, kind: int) -> bytes:
        """The body of the next packet, which has to be of this kind."""
        first, length, shift = self._bytes(1)[0], 0, 0
        while True:
            digit = self._bytes(1)[0]
            length, shift = length | (digit & 0x7F) << shift, shift + 7
            if not digit & 0x80:
                break
        body = self._bytes(length)
        assert first & 0xF0 == kind & 0xF0, f"expected packet {kind:#x}, got {first:#x} {body!r}"
        return body

    def send(self, kind: int, body: bytes) -> None:
        assert len(body) < 128
        self._socket.sendall(bytes([kind, len(body)]) + body)

    def greet(self, code: int = 0) -> Connect:
        """Take the client in, or refuse it with this reason code."""
        connect = Connect.of(self.read(CONNECT))
        self.send(CONNACK, bytes([0, code, 0]))
        return connect

    def read_subscribe(self) -> tuple[bytes, dict[str, int]]:
        """The packet's id, and the options of each topic."""
        body = self.read(SUBSCRIBE)
        mid, rest, found = body[:2], body[3:], dict[str, int]()
        while rest:
            topic, rest = _field(rest)
            found[topic.decode()], rest = rest[0], rest[1:]
        return mid, found

    def subscribe(self, *codes: int) -> dict[str, int]:
        """Answer the client's wishes with these reason codes, by default as it wishes. Returns their options."""
        mid, found = self.read_subscribe()
        self.send(SUBACK, mid + b"\x00" + (bytes(codes) or bytes(option & 3 for option in found.values())))
        return found

    def publish(self, topic: str, payload: bytes) -> None:
        self.send(PUBLISH, struct.pack("!H", len(topic)) + topic.encode() + b"\x00" + payload)

    def close(self) -> None:
        self._socket.close()

    def _bytes(self, count: int) -> bytes:
        found = b""
        while len(found) < count:
            more = self._socket.recv(count - len(found))
            assert more, "the client has hung up"
            found += more
        return found


class Scripted:
    """A broker that does what the test does, packet by packet."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.settimeout(PATIENCE_S)
        self.port: int = self._server.getsockname()[1]
        self._wires: list[Wire] = []

    def __enter__(self) -> Scripted:
        return self

    def __exit__(self, *_: object) -> None:
        for wire in self._wires:
            wire.close()
        self._server.close()

    def accept(self) -> Wire:
        """The next connection."""
        wire = Wire(self._server.accept()[0])
        self._wires.append(wire)
        return wire


def _field(data: bytes) -> tuple[bytes, bytes]:
    """A string or bytes with their length before them, and what follows."""
    end = 2 + int.from_bytes(data[:2], "big")
    return data[2:end], data[end:]


def _properties(packet: int, data: bytes) -> tuple[dict[str, Any], bytes]:
    properties = Properties(packet)  # type: ignore[no-untyped-call]  # paho leaves it untyped
    _, length = properties.unpack(data)  # type: ignore[no-untyped-call]
    return properties.json(), data[length:]  # type: ignore[no-untyped-call]
