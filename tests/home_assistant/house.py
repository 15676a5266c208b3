"""A whole house behind a production broker: real agents, real photographs, pins that remember."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path
from typing import Any

from paho.mqtt.client import Client, MQTTMessage

from agents.house import load
from demo import scenes
from tests.live.bench import Bench
from tests.live.production import Guest, ProductionBroker
from tests.live.tools import PATIENCE_S

PERSON, GUEST = "Barack", "Petra"
USER = "ha"
RELAY, CONTACT = "GPIO17", "GPIO22"

SETTINGS = """\
log_level: DEBUG
clock: trust
home_assistant: { discovery: single }
doors:
  front:
    relay: { pin: 17, pin_factory: mock }
    hold_s: 1
    test_pulse_s: 0.2
    contact: { pin: 22, inverted: true, held_open_after_s: 3 } # closed until a test pulls the pin down
cameras:
  front: { source: camera, rate_fps: 5, active_s: 2 }
  yard: { source: scenes/hallway, rate_fps: 1, active_s: 1 }
scheduler:
  timezone: Europe/Zagreb
  groups: { guests: [Petra] }
  doors:
    front:
      cameras: [front, yard]
      liveness: off
      windows:
        - { who: guests, days: mon-sun, from: 00:00, to: 24:00, holidays: open, confirm: phone }
        - { who: everybody, days: mon-sun, from: 00:00, to: 24:00, holidays: open }
      cool_down_s: 1
      visit_gap_s: 1
      patience_s: 1
      lock_out: null
"""


class Onlooker(Guest):
    """Hears all that Home Assistant may read, and keeps the payloads as they are."""

    def __init__(self, broker: ProductionBroker, user: str) -> None:
        self.payloads: list[tuple[str, bytes, bool]] = []
        super().__init__(broker, user, password=broker.password(user))
        self.listen("facelatch/#", "homeassistant/#")

    def frames(self) -> set[str]:
        """Digests of the pictures that the front camera has published so far."""
        frames = self.on("facelatch/camera/front/frame")
        return {hashlib.sha256(payload).hexdigest() for payload in frames}

    def on(self, topic: str) -> list[bytes]:
        with self._news:
            return [payload for heard, payload, _ in self.payloads if heard == topic]

    def _on_message(self, _client: Client, _data: Any, raw: MQTTMessage) -> None:
        self._note(lambda: self.payloads.append((raw.topic, bytes(raw.payload), raw.retain)))


class House:
    """Everything below `folder`. Nobody is in view and the leaf is closed until a test says otherwise."""

    def __init__(self, folder: Path, photos: dict[str, Path]) -> None:
        self.folder = folder
        self.broker = ProductionBroker(folder, SETTINGS)
        self.home = self.broker.home
        for client in (USER, "onlooker"):
            self.broker.facelatch("broker", "add-client", client, "--home-assistant")
        self.broker.facelatch("enroll", PERSON, str(photos["obama.jpg"]), str(photos["obama2.jpg"]))
        self.broker.facelatch("enroll", GUEST, str(photos["astronaut.png"]))
        self._draw(photos)
        self.bench = Bench(folder / "bench")
        self.home.env = self.bench.env
        self._running: dict[tuple[str, ...], subprocess.Popen[bytes]] = {}

    @property
    def authority(self) -> Path:
        return self.folder / "secrets" / "ca.crt"

    def start(self) -> None:
        self.start_broker()
        self.start_agents()

    def close(self) -> None:
        self.home.stop_all()
        self.broker.stop()

    def start_broker(self) -> None:
        self.broker.start()
        self.onlooker = Onlooker(self.broker, "onlooker")

    def wanted(self) -> list[tuple[str, ...]]:
        """The agents that the house's file asks for; recognizer and scheduler need no name."""
        agents = load(self.home.config).agents
        return [(kind,) if kind in ("recognizer", "scheduler") else (kind, id_) for kind, id_ in agents]

    def start_agents(self, *agents: tuple[str, ...]) -> None:
        """These, or all of them."""
        for agent in agents or self.wanted():
            self._running[agent] = self.home.start(*agent)

    def stop_agents(self, *agents: tuple[str, ...], kill: bool = False) -> None:
        for agent in agents or tuple(self._running):
            process = self._running.pop(agent)
            process.kill() if kill else process.terminate()
            process.wait(PATIENCE_S)

    def show(self, scene: str) -> None:
        """What the front camera sees from now on."""
        draft = self.folder / "camera.new"
        draft.symlink_to(self.folder / "scenes" / scene)
        draft.replace(self.folder / "camera")

    def open_leaf(self) -> None:
        self.bench.hold(CONTACT, "low")

    def close_leaf(self) -> None:
        self.bench.hold(CONTACT, "high")

    def pulses(self) -> int:
        """How often the relay was switched on."""
        return len(self.bench.pulses(RELAY))

    def announced(self) -> dict[str, bytes]:
        """What a Home Assistant that comes later would hear: all retained messages on its topics."""
        guest = Onlooker(self.broker, "onlooker")  # takes the other's place at the broker
        guest.settle()
        guest.close()
        self.onlooker = Onlooker(self.broker, "onlooker")
        return {topic: payload for topic, payload, _ in guest.payloads if topic.startswith("homeassistant/")}

    def _draw(self, photos: dict[str, Path]) -> None:
        scenes.hallway(self.folder / "scenes/hallway")
        scenes.visit(self.folder / "scenes/known", [photos["obama3.jpg"]])
        scenes.visit(self.folder / "scenes/stranger", [photos["biden.jpg"]])
        scenes.visit(self.folder / "scenes/guest", [photos["astronaut.png"]])
        self.show("hallway")
