"""Cameras that are not ours: an MQTT 3.1.1 client that publishes bare JPEGs, a real recognizer, real photographs."""

from __future__ import annotations

import contextlib
import itertools
import re
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from tests.live.production import Guest, ProductionBroker
from tests.live.tools import PATIENCE_S, Broker, Ear, Home, wait_until

OWN, ELSEWHERE = "facelatch/camera/front/frame", "frigate/yard/person/snapshot"
OURS = "{ source: camera, rate_fps: 10, stalled_after_s: 1 }"
PADDING = bytes(512)  # as ESP32 cameras put behind a picture


def frame(photo: Path) -> bytes:
    """The photo as a small camera would publish it."""
    picture = cv2.imread(str(photo))
    assert picture is not None
    return cv2.imencode(".jpg", cv2.resize(picture, None, fx=640 / picture.shape[0], fy=640 / picture.shape[0]))[
        1
    ].tobytes()


def let_go(client: Client) -> None:
    client.disconnect()
    client.loop_stop()
    client._reset_sockets()  # paho leaves its own pair to the garbage collector, which complains


class Device:
    """An MQTT 3.1.1 client, as on a microcontroller."""

    def __init__(self, port: int) -> None:
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv311)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def publish(self, topic: str, jpeg: bytes, qos: int = 0, *, retain: bool = False) -> None:
        self._client.publish(topic, jpeg, qos, retain).wait_for_publish(PATIENCE_S)

    def close(self) -> None:
        let_go(self._client)


@contextlib.contextmanager
def device_at(port: int) -> Iterator[Device]:
    made = Device(port)
    yield made
    made.close()


@pytest.fixture
def device(broker: Broker) -> Iterator[Device]:
    with device_at(broker.port) as made:
        yield made


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory, photos: dict[str, Path]) -> Path:
    """A gallery with one man in it."""
    made = Home(tmp_path_factory.mktemp("enrolled"), port=1)
    done = made.run("enroll", "Barack", str(photos["obama.jpg"]), str(photos["obama2.jpg"]))
    assert done.returncode == 0, done.stderr
    return made.folder / "data/gallery.sqlite"


@pytest.fixture
def at_home(home: Home, gallery: Path) -> Home:
    """A house whose cameras publish by themselves, the recognizer not started yet."""
    home.edit(OURS, f"{{ source: mqtt }}\n  yard: {{ source: 'mqtt:{ELSEWHERE}' }}")
    (home.folder / "data").mkdir()
    shutil.copy(gallery, home.folder / "data")
    return home


def recognized(ear: Ear, camera: str, since: int = 0) -> list[str | None]:
    """Who was seen by the camera, frame by frame, one face each."""
    heard = ear.all(f"recognizer/{camera}/identity", since)
    return [heard.json["faces"][0]["person"] for heard in heard]


def start(home: Home, ear: Ear) -> None:
    home.start("recognizer")
    ear.wait("recognizer/main/availability", lambda h: h.text == "online")


def test_bare_jpegs_on_the_houses_own_topic_are_looked_at(
    at_home: Home, ear: Ear, device: Device, photos: dict[str, Path]
) -> None:
    start(at_home, ear)
    device.publish(OWN, frame(photos["obama3.jpg"]) + PADDING)
    identity = ear.wait("recognizer/front/identity").json
    assert identity["faces"][0]["person"] == "Barack"
    assert 0 <= time.time() - identity["captured_at"] < PATIENCE_S
    mark = ear.mark()
    device.publish(OWN, frame(photos["biden.jpg"]), qos=1)
    ear.wait("recognizer/front/identity", since=mark)
    assert recognized(ear, "front", mark) == [None]


def test_there_a_retained_frame_is_refused_and_health_says_so(
    at_home: Home, ear: Ear, device: Device, photos: dict[str, Path]
) -> None:
    start(at_home, ear)
    jpeg = frame(photos["obama3.jpg"])
    until = time.monotonic() + PATIENCE_S
    number = 0
    while not any("retained" in (h.json["problem"] or "") for h in ear.all("recognizer/main/health")):
        assert time.monotonic() < until
        number += 1
        device.publish(OWN, jpeg + number.to_bytes(4), retain=True)
        time.sleep(0.5)
    assert recognized(ear, "front") == []


@pytest.mark.parametrize("qos", [0, 1])
def test_live_pictures_on_a_foreign_topic_count_though_their_sender_has_them_kept(
    at_home: Home, ear: Ear, device: Device, photos: dict[str, Path], qos: int
) -> None:
    start(at_home, ear)
    device.publish(ELSEWHERE, frame(photos["obama3.jpg"]), qos, retain=True)
    ear.wait("recognizer/yard/identity")
    device.publish(ELSEWHERE, frame(photos["biden.jpg"]), qos, retain=True)
    ear.wait("recognizer/yard/person", lambda h: h.text == "unknown")
    device.publish(ELSEWHERE, frame(photos["obama3.jpg"]), qos, retain=True)  # the best of the event, once more
    device.publish(ELSEWHERE, frame(photos["obama3.jpg"]) + PADDING, qos, retain=True)
    wait_until("the last one was looked at", lambda: len(recognized(ear, "yard")) >= 3)
    assert recognized(ear, "yard") == ["Barack", None, "Barack"]
    assert ear.all("recognizer/front/identity") == []


@contextlib.contextmanager
def standing(device: Device, topic: str, photo: Path) -> Iterator[None]:
    """Somebody stands there while it lasts, retained or not."""
    over, jpeg = threading.Event(), frame(photo)

    def play() -> None:
        for number in itertools.count():
            device.publish(topic, jpeg + number.to_bytes(4), retain=topic == ELSEWHERE)
            if over.wait(0.1):
                return

    thread = threading.Thread(target=play)
    thread.start()
    yield
    over.set()
    thread.join(PATIENCE_S)


@pytest.mark.parametrize(("camera", "topic"), [("front", OWN), ("yard", ELSEWHERE)])
def test_people_can_be_enrolled_before_such_a_camera(
    at_home: Home, device: Device, photos: dict[str, Path], camera: str, topic: str
) -> None:
    with standing(device, topic, photos["obama3.jpg"]):
        done = at_home.run("enroll", "Ana", "--camera", camera, "--patience", "1")
    assert "    kept the sharpest of " in done.stdout
    assert "nothing was stored: 1 of 5 positions, at least 3 are needed" in done.stderr, "he does not turn his head"


def test_nobody_publishes_and_enrolment_says_what_to_look_at(at_home: Home) -> None:
    done = at_home.run("enroll", "Ana", "--camera", "yard", "--timeout", "1")
    assert done.stderr.strip() == (
        "facelatch: nothing was stored: no fresh frame of camera yard for 1 s: "
        "does it publish, and may this user read its frames?"
    )


def drop(broker: Broker, who: str) -> None:
    """End a client's connection by taking its place for a moment."""
    thief = Client(
        CallbackAPIVersion.VERSION2, client_id=who, protocol=MQTTProtocolVersion.MQTTv311, reconnect_on_failure=False
    )
    thief.connect("127.0.0.1", broker.port)
    thief.loop_start()
    let_go(thief)


def test_a_kept_picture_that_waits_is_not_looked_at_at_the_start_nor_when_it_connects_anew(
    at_home: Home, ear: Ear, broker: Broker, device: Device, photos: dict[str, Path]
) -> None:
    device.publish(ELSEWHERE, frame(photos["obama3.jpg"]), qos=1, retain=True)
    start(at_home, ear)
    mark = ear.mark()
    drop(broker, "facelatch-recognizer-main")
    ear.wait("recognizer/main/availability", lambda h: h.text == "offline", mark)
    ear.wait("recognizer/main/availability", lambda h: h.text == "online", mark)
    device.publish(ELSEWHERE, frame(photos["biden.jpg"]))
    ear.wait("recognizer/yard/person", lambda h: h.text == "unknown")
    assert recognized(ear, "yard") == [None]


# --- at the house's own broker: TLS, passwords, ACL ---

FRIGATES_TOPICS = ("frigate/available", "frigate/events", "frigate/yard/person", "frigate/yard/car/snapshot")
NOT_ITS = (
    *(OWN, "facelatch/camera/yard/frame", "facelatch/camera/front/availability", "facelatch/camera/front/health"),
    *("facelatch/door/front/command", "facelatch/recognizer/front/identity", "facelatch/scheduler/front/enabled/set"),
    *("homeassistant/status", f"{ELSEWHERE}/more", "frigate/yard/person", *FRIGATES_TOPICS),
)
EVERYTHING = (  # but pictures that were kept
    *("frigate/#", "homeassistant/#", "facelatch/door/#", "facelatch/scheduler/#", "facelatch/camera/#"),
    "facelatch/recognizer/+/identity",
)


def bridge(port: int) -> str:
    """As docs/cameras.md prints it, to a broker on this machine."""
    page = (Path(__file__).parents[2] / "docs/cameras.md").read_text(encoding="utf-8")
    (printed,) = re.findall(r"^```conf\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert "address nvr.local:1883\n" in printed
    return f"{printed.replace('nvr.local:1883', f'127.0.0.1:{port}')}restart_timeout 1\n"


@pytest.fixture(scope="module")
def nvr(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """Another broker, that of a network video recorder."""
    made = Broker(tmp_path_factory.mktemp("nvr"))
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory, nvr: Broker, gallery: Path) -> Iterator[ProductionBroker]:
    made = ProductionBroker(tmp_path_factory.mktemp("production"))
    made.home.edit(OURS, f"{{ source: mqtt }}\n  yard: {{ source: 'mqtt:{ELSEWHERE}' }}")
    made.home.edit("cameras: [front]", "cameras: [front, yard]")
    made.facelatch("broker", "init")
    made.facelatch("broker", "add-client", "esp32", "--camera", "front")
    made.facelatch("broker", "add-client", "frigate", "--camera", "yard")
    made.facelatch("broker", "add-client", "home", "--home-assistant")
    (made.conf.parent / "conf.d" / "frigate.conf").write_text(bridge(nvr.port), encoding="utf-8")
    shutil.copy(gallery, made.home.folder / "data")
    made.start()
    yield made
    made.home.stop_all()
    made.stop()


@pytest.fixture
def seeing(production: ProductionBroker) -> Iterator[Guest]:
    """Home Assistant, which hears what a recognizer at that broker says."""
    ear = production.guest("home")
    ear.listen("facelatch/recognizer/+/availability")
    process = production.home.start("recognizer")
    ear.wait("facelatch/recognizer/main/availability", "online")
    ear.listen("facelatch/recognizer/+/person")  # that of the recognizer before is overwritten by now
    ear.wait("facelatch/recognizer/front/person", "none")
    yield ear
    process.terminate()
    process.wait(PATIENCE_S)
    ear.close()


@pytest.mark.parametrize(("user", "topic", "camera"), [("esp32", OWN, "front"), ("frigate", ELSEWHERE, "yard")])
def test_a_camera_with_a_password_of_its_own_is_seen_and_its_will_elsewhere_shuts_it_not_out(
    production: ProductionBroker, seeing: Guest, photos: dict[str, Path], user: str, topic: str, camera: str
) -> None:
    """Tasmota, ESPHome and Frigate all leave a last will on a topic of theirs."""
    will = ("frigate/available", "offline", True)
    guest = production.guest(user, protocol=MQTTProtocolVersion.MQTTv311, will=will)
    guest.client.publish(topic, frame(photos["obama3.jpg"]), 0)
    seeing.wait(f"facelatch/recognizer/{camera}/person", "Barack")
    guest.close()


@pytest.mark.parametrize("protocol", [MQTTProtocolVersion.MQTTv311, MQTTProtocolVersion.MQTTv5])
def test_such_a_camera_writes_one_topic_and_reads_none(
    production: ProductionBroker, protocol: MQTTProtocolVersion
) -> None:
    ears = {user: production.guest(user) for user in ("home", "watch", "recognizer-main", "door-front", "esp32")}
    for ear in ears.values():
        ear.listen(*EVERYTHING)
    frigate = production.guest("frigate", protocol=protocol)
    frigate.listen("#", "facelatch/#", ELSEWHERE)
    taken = frigate.say_all((topic, f"by frigate on {topic}") for topic in (*NOT_ITS, ELSEWHERE))
    if protocol is MQTTProtocolVersion.MQTTv5:  # an older client is never told
        assert taken == {ELSEWHERE}
    ears["door-front"].say("facelatch/door/front/state", "LOCKED")
    ears["watch"].wait("facelatch/door/front/state", "LOCKED")
    for guest in (frigate, *ears.values()):
        guest.settle()
    said = {(user, *heard) for user, ear in ears.items() for heard in ear.heard if heard[1].startswith("by frigate")}
    assert said == {(user, ELSEWHERE, f"by frigate on {ELSEWHERE}") for user in ("home", "watch", "recognizer-main")}
    assert frigate.heard == []
    for guest in (frigate, *ears.values()):
        guest.close()


def test_a_recorder_with_a_broker_of_its_own_is_seen_through_a_bridge(
    production: ProductionBroker, nvr: Broker, seeing: Guest, photos: dict[str, Path]
) -> None:
    with device_at(nvr.port) as recorder:
        recorder.publish("frigate/yard/person/snapshot", frame(photos["obama3.jpg"]), retain=True)
        seeing.wait("facelatch/recognizer/yard/person", "Barack")
