"""A house with the broker that `facelatch broker init` makes: TLS, passwords and an ACL, on loopback."""

from __future__ import annotations

import contextlib
import io
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, cast

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode

import broker as broker_files
from agents.cli.main import main
from tests.live.tools import PATIENCE_S, Broker, Home, wait_until

MQTT = "mqtt: {{ host: 127.0.0.1, port: {port}, tls: {{ ca_file: secrets/ca.crt }}, credentials: secrets }}\n"


class ProductionBroker(Broker):
    """As `Broker`, but the house's own. Its folder is also that of `home`, a house to run programs from.

    `house` is a house's file without its first line, which is `mqtt`; by default that of `Home`.
    """

    def __init__(self, folder: Path, house: str | None = None) -> None:
        super().__init__(folder)
        self.home = Home(folder, self.port)
        mqtt, _, rest = self.home.config.read_text(encoding="utf-8").partition("\n")
        assert mqtt.startswith("mqtt:")
        self.home.config.write_text(MQTT.format(port=self.port) + (house or rest), encoding="utf-8")
        self.conf = folder / "data" / "broker" / "mosquitto.conf"
        self.facelatch("broker", "init")

    def facelatch(self, *arguments: str) -> str:
        """A command, in this process. It has to succeed; returns what it said."""
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            status = main([*arguments, "--config", str(self.home.config)])
        assert status == 0, said.getvalue()
        return said.getvalue()

    def start(self) -> None:
        with (self.home.folder / "broker.log").open("ab") as log:
            self._process = subprocess.Popen([broker_files.program(), "-c", str(self.conf)], stdout=log, stderr=log)
        wait_until("the broker listens", self._listens)

    def password(self, user: str) -> str:
        return (self.home.folder / "secrets" / user).read_text(encoding="utf-8").strip()

    def guest(self, user: str, **wishes: Any) -> Guest:
        """A connection as this user, with its own password; see `Guest` for the wishes."""
        guest = Guest(self, user, **{"password": self.password(user), **wishes})
        assert guest.code == "Success", f"{user}: {guest.code}"
        return guest


class Guest:
    """A client of the production broker. Keeps what it hears, in order: `heard` has (topic, payload).

    `code` is the broker's answer to the connection, None where it only hung up.
    """

    def __init__(
        self,
        broker: ProductionBroker,
        user: str | None,
        *,
        password: str | None = None,
        client_id: str = "",
        protocol: MQTTProtocolVersion = MQTTProtocolVersion.MQTTv5,
        tls: bool = True,
        certificate: tuple[Path, Path] | None = None,
        will: tuple[str, str, bool] | None = None,
    ) -> None:
        self.heard: list[tuple[str, str]] = []
        self.code: str | None = None
        self._codes: dict[int, bool] = {}
        self._news = threading.Condition()
        self.lost = threading.Event()
        self._subscribed = 0
        self.client = Client(
            CallbackAPIVersion.VERSION2, client_id=client_id, protocol=protocol, reconnect_on_failure=False
        )
        self.client.username_pw_set(user, password)
        if tls:
            authority = ssl.create_default_context(cafile=str(broker.home.folder / "secrets" / "ca.crt"))
            if certificate is not None:
                authority.load_cert_chain(*certificate)
            self.client.tls_set_context(authority)
        if will is not None:
            topic, payload, retain = will
            self.client.will_set(topic, payload, qos=1, retain=retain)
        self._set_callbacks()
        try:
            self.client.connect("127.0.0.1", broker.port)
        except OSError:
            self.lost.set()
        self.client.loop_start()
        self._wait(lambda: self.code is not None or self.lost.is_set())
        if self.code != "Success":
            self.close()

    def listen(self, *filters: str) -> None:
        """Subscribe, and wait until the broker has said yes, whatever that is worth."""
        wanted = self._subscribed + 1
        self.client.subscribe([(topic, 0) for topic in filters])
        self._wait(lambda: self._subscribed >= wanted)

    def settle(self) -> None:
        """Hear all that the broker had for this client until now: it answers in order."""
        self.listen("a/round/trip")

    def say(self, topic: str, payload: str = "", *, retain: bool = False) -> bool:
        """Publish. Returns whether the broker took it; an MQTT 3.1.1 client is never told."""
        return self.say_all([(topic, payload)], retain=retain) == {topic}

    def say_all(self, messages: Iterable[tuple[str, str]], *, retain: bool = False) -> set[str]:
        """Publish each (topic, payload). Returns the topics that the broker took."""
        mids = {self.client.publish(topic, payload, 1, retain).mid: topic for topic, payload in messages}
        self._wait(lambda: mids.keys() <= self._codes.keys())
        return {topic for mid, topic in mids.items() if self._codes[mid]}

    def wait(self, topic: str, payload: str) -> None:
        self._wait(lambda: (topic, payload) in self.heard)

    def vanish(self) -> None:
        """Be gone without a word, as in a power cut: the broker publishes the last will."""
        sock = self.client.socket()
        assert sock is not None
        socket.socket.shutdown(cast("socket.socket", sock), socket.SHUT_RDWR)
        self._wait(self.lost.is_set)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def _set_callbacks(self) -> None:
        self.client.on_connect = self._on_connect
        self.client.on_disconnect = self._on_disconnect
        self.client.on_message = self._on_message
        self.client.on_publish = self._on_publish
        self.client.on_subscribe = self._on_subscribe

    def _on_connect(self, _client: Client, _data: Any, _flags: Any, code: ReasonCode, _properties: Any) -> None:
        self._note(lambda: setattr(self, "code", str(code)))

    def _on_disconnect(self, *_: Any) -> None:
        self._note(self.lost.set)

    def _on_message(self, _client: Client, _data: Any, raw: MQTTMessage) -> None:
        self._note(lambda: self.heard.append((raw.topic, raw.payload.decode())))

    def _on_publish(self, _client: Client, _data: Any, mid: int, code: ReasonCode, _properties: Any) -> None:
        self._note(lambda: self._codes.update({mid: not code.is_failure}))

    def _on_subscribe(self, *_: Any) -> None:
        self._note(lambda: setattr(self, "_subscribed", self._subscribed + 1))

    def _note(self, note: Callable[[], None]) -> None:
        with self._news:
            note()
            self._news.notify_all()

    def _wait(self, holds: Callable[[], bool]) -> None:
        with self._news:
            assert self._news.wait_for(holds, PATIENCE_S), "waited in vain for the broker"
