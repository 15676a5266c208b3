"""A recognizer as a process of its own, on a real mosquitto; people are enrolled while it runs."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from agents.wire.messages import Stamp
from tests.live.tools import PATIENCE_S, Broker, Ear, Home
from tests.recognizer.conftest import Scene

FRAME, IDENTITY = "camera/front/frame", "recognizer/front/identity"
PERSON, HEALTH = "recognizer/front/person", "recognizer/main/health"
NAME = "Barack Obama"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    made = Broker(tmp_path)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def ear(broker: Broker) -> Iterator[Ear]:
    made = Ear(broker.port)
    made.wait_until_listening()
    yield made
    made.close()


@pytest.fixture
def home(tmp_path: Path, broker: Broker) -> Iterator[Home]:
    made = Home(tmp_path, broker.port)
    yield made
    made.stop_all()


def show(ear: Ear, jpeg: bytes, seq: int) -> dict[str, object]:
    """Publish a stamped frame, and wait for the identity it becomes."""
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    properties.UserProperty = list(Stamp(time.time(), seq).properties())
    ear.client.publish(f"facelatch/{FRAME}", jpeg, properties=properties).wait_for_publish(PATIENCE_S)
    return ear.wait(IDENTITY, lambda heard: heard.json["seq"] == seq).json


def people(identity: dict[str, object]) -> list[str | None]:
    faces = identity["faces"]
    assert isinstance(faces, list)
    return [face["person"] for face in faces]


def test_enrolled_renamed_and_removed_while_it_runs(
    home: Home, ear: Ear, scene: Scene, photos: dict[str, Path]
) -> None:
    recognizer = home.start("recognizer")
    health = ear.wait(HEALTH).json
    assert "there is no gallery" in health["problem"]
    assert people(show(ear, scene("obama3.jpg"), 1)) == [None]

    assert home.run("enroll", NAME, str(photos["obama.jpg"]), str(photos["obama2.jpg"])).returncode == 0
    ear.wait(HEALTH, lambda heard: heard.json["problem"] is None and heard.json["counters"]["people"] == 1)
    identity = show(ear, scene("obama3.jpg"), 2)
    assert people(identity) == [NAME]
    assert identity["id"] == f"front-{identity['captured_at']:.3f}-2"
    assert ear.wait(PERSON, lambda heard: heard.text == NAME)
    assert ear.wait("recognizer/front/snapshot").payload.startswith(b"\xff\xd8")

    assert home.run("people", "rename", NAME, "Barack").returncode == 0
    assert people(show(ear, scene("obama3.jpg"), 3)) == ["Barack"]
    assert home.run("people", "remove", "Barack").returncode == 0
    assert people(show(ear, scene("obama3.jpg"), 4)) == [None]

    recognizer.send_signal(signal.SIGTERM)
    assert recognizer.wait(PATIENCE_S) == 0
    assert ear.wait("recognizer/main/availability", lambda heard: heard.text == "offline")


def test_bad_frames_do_not_stop_it_and_retained_ones_are_not_looked_at(home: Home, ear: Ear, scene: Scene) -> None:
    recognizer = home.start("recognizer")
    ear.wait("recognizer/main/availability", lambda heard: heard.text == "online")
    for junk in (b"", b"not a picture", scene("obama3.jpg")[:5000]):
        ear.say(FRAME, junk)
    ear.say(FRAME, scene("biden.jpg"), retain=True)
    ear.say(FRAME, b"", retain=True)
    assert len(people(show(ear, scene("obama3.jpg", "astronaut.png"), 1))) == 2
    assert len(ear.all(IDENTITY)) == 1
    assert recognizer.poll() is None
    assert "camera/front/frame: refused: " in home.log_of("recognizer").read_text(encoding="utf-8")
