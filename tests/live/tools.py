"""Real things for live tests: a mosquitto, agent processes, and an ear on every topic."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.subscribeoptions import SubscribeOptions

import broker as broker_files
from demo.house import free_port

PATIENCE_S = 40.0  # how long a test waits for what must come; never how long it must take

HOUSE = """\
mqtt: {{ port: {port} }}
log_level: DEBUG
clock: trust
doors:
  front:
    relay: {{ pin: 17, pin_factory: mock }}
    hold_s: {hold_s}
cameras:
  front: {{ source: camera, rate_fps: 10, stalled_after_s: 1 }}
recognizer: {{ min_face_px: 60 }}
scheduler:
  timezone: Europe/Zagreb
  doors:
    front:
      cameras: [front]
      liveness: off # photographs play the people
      windows: [{{ who: everybody, days: mon-sun, from: 00:00, to: 24:00 }}]
      patience_s: 0.5
      cool_down_s: 0
      visit_gap_s: 0.5
"""


class Broker:
    """A mosquitto on a port of its own, with the development settings."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        conf = broker_files.write_development_conf(self._folder, self.port)
        with (self._folder / "broker.log").open("ab") as log:
            self._process = subprocess.Popen([broker_files.program(), "-c", str(conf)], stdout=log, stderr=log)
        wait_until("the broker listens", self._listens)

    def send(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(PATIENCE_S)
            self._process = None


@dataclass(frozen=True)
class Heard:
    topic: str
    payload: bytes
    retain: bool
    properties: dict[str, str]
    expiry_s: int | None

    @property
    def text(self) -> str:
        return self.payload.decode()

    @property
    def json(self) -> dict[str, Any]:
        found = json.loads(self.payload)
        assert isinstance(found, dict)
        return found


class Ear:
    """Hears everything below the base, as a dashboard or a shell would, and can speak."""

    def __init__(self, port: int, base: str = "facelatch") -> None:
        self._base = base
        self._heard: list[Heard] = []
        self._news = threading.Condition()
        self._ready = threading.Event()
        self.client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self.client.on_connect = self._on_connect
        self.client.on_subscribe = lambda *_: self._ready.set()
        self.client.on_message = self._on_message
        self.client.reconnect_delay_set(1, 1)
        self.client.connect_async("127.0.0.1", port)
        self.client.loop_start()

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def wait_until_listening(self) -> None:
        assert self._ready.wait(PATIENCE_S), "no broker for the test's own ear"

    def say(self, topic: str, payload: str | bytes, qos: int = 0, *, retain: bool = False) -> None:
        self.wait_until_listening()
        self.client.publish(f"{self._base}/{topic}", payload, qos, retain).wait_for_publish(PATIENCE_S)

    def mark(self) -> int:
        """A place in what was heard; `since` of the other calls."""
        with self._news:
            return len(self._heard)

    def all(self, topic: str, since: int = 0) -> list[Heard]:
        with self._news:
            return [h for h in self._heard[since:] if h.topic == f"{self._base}/{topic}"]

    def in_order(self, *topics: str) -> list[Heard]:
        """All there was on these topics, as it came."""
        with self._news:
            return [h for h in self._heard if h.topic in [f"{self._base}/{topic}" for topic in topics]]

    def wait(self, topic: str, wanted: Callable[[Heard], bool] = lambda _: True, since: int = 0) -> Heard:
        """The first message on the topic, from `since` on, that is wanted."""
        until = time.monotonic() + PATIENCE_S
        with self._news:
            while True:
                for heard in self._heard[since:]:
                    if heard.topic == f"{self._base}/{topic}" and wanted(heard):
                        return heard
                if not self._news.wait(max(0.0, until - time.monotonic())):
                    last = [f"{h.topic} {h.payload[:200]!r}" for h in self._heard[since:] if "frame" not in h.topic][
                        -15:
                    ]
                    raise AssertionError(f"not heard on {topic}; heard instead: " + "\n".join(last))

    def event(self, kind: str, since: int = 0, **values: object) -> dict[str, Any]:
        """A door event of this type with these values."""

        def wanted(heard: Heard) -> bool:
            got = heard.json
            return got["event_type"] == kind and all(got[key] == value for key, value in values.items())

        return self.wait("door/front/event", wanted, since).json

    def _on_connect(self, client: Client, *_: object) -> None:
        client.subscribe(f"{self._base}/#", options=SubscribeOptions(qos=1, retainAsPublished=True))

    def _on_message(self, _client: Client, _data: object, raw: MQTTMessage) -> None:
        properties = dict(getattr(raw.properties, "UserProperty", ()))
        with self._news:
            expiry_s = getattr(raw.properties, "MessageExpiryInterval", None)
            self._heard.append(Heard(raw.topic, bytes(raw.payload), raw.retain, properties, expiry_s))
            self._news.notify_all()


class Home:
    """A folder with a house's file, and the processes that run from it."""

    def __init__(self, folder: Path, port: int, hold_s: float = 0.5) -> None:
        self.folder, self.config = folder, folder / "facelatch.yaml"
        self.config.write_text(HOUSE.format(port=port, hold_s=hold_s), encoding="utf-8")
        self.env: dict[str, str] = {}  # more environment for what is started
        self._running: list[subprocess.Popen[bytes]] = []

    def edit(self, old: str, new: str) -> None:
        text = self.config.read_text(encoding="utf-8")
        assert old in text
        self.config.write_text(text.replace(old, new), encoding="utf-8")

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "agents.cli", *arguments, "--config", str(self.config)]

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """`facelatch …` in the background; its log goes to a file of its own."""
        with self.log_of(*arguments).open("ab") as log:
            env = {**os.environ, **self.env}
            command = self.command(*arguments)
            process = subprocess.Popen(command, stdout=log, stderr=log, env=env, preexec_fn=_hears_ctrl_c)
        self._running.append(process)
        return process

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments), capture_output=True, text=True, timeout=3 * PATIENCE_S, check=False
        )

    def log_of(self, *arguments: str) -> Path:
        return self.folder / ("-".join(arguments) + ".log")

    def stop_all(self) -> None:
        for process in self._running:
            if process.poll() is None:
                process.terminate()
        for process in self._running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(PATIENCE_S)
            if process.poll() is None:
                process.kill()


def _hears_ctrl_c() -> None:
    """Who runs the tests in the background has told all that they start not to listen to it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def descendants(pid: int) -> Sequence[int]:
    """The process's children and theirs, by /proc."""
    found: list[int] = []
    for task in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, IndexError):
            parent = int((task / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == pid:
                found += [int(task.name), *descendants(int(task.name))]
    return found


def alive(pids: Sequence[int]) -> list[int]:
    return [pid for pid in pids if _is_alive(pid)]


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait_until(what: str, holds: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
    end = time.monotonic() + patience_s
    while not holds():
        assert time.monotonic() < end, f"waited in vain: {what}"
        time.sleep(0.02)
