"""A real recognizer on a real mosquitto; the test plays the camera, with real photographs."""

from __future__ import annotations

import shutil
import struct
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from tests.live.tools import PATIENCE_S, Ear, Heard, Home

FRAME, IDENTITY, PERSON = "camera/front/frame", "recognizer/front/identity", "recognizer/front/person"
HEALTH, ONLINE = "recognizer/main/health", "recognizer/main/availability"


def frame(photo: Path) -> bytes:
    """The photo as a door camera would publish it."""
    picture = cv2.imread(str(photo))
    assert picture is not None
    small = cv2.resize(picture, None, fx=640 / picture.shape[0], fy=640 / picture.shape[0])
    return cv2.imencode(".jpg", small)[1].tobytes()


def publish(ear: Ear, jpeg: bytes, seq: int = 0, age_s: float = 0.0, *, retain: bool = False) -> None:
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    properties.UserProperty = [("captured_at", f"{time.time() - age_s:.6f}"), ("seq", str(seq))]
    ear.client.publish(f"facelatch/{FRAME}", jpeg, 0, retain, properties).wait_for_publish(PATIENCE_S)


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory, photos: dict[str, Path]) -> Path:
    """A gallery with one man in it, made by the command once."""
    made = Home(tmp_path_factory.mktemp("enrolled"), port=1)
    done = made.run("enroll", "Barack", str(photos["obama.jpg"]), str(photos["obama2.jpg"]))
    assert done.returncode == 0, done.stderr
    return made.folder / "data/gallery.sqlite"


@pytest.fixture
def recognizer(home: Home, ear: Ear, gallery: Path) -> Home:
    (home.folder / "data").mkdir()
    shutil.copy(gallery, home.folder / "data")
    home.start("recognizer")
    ear.wait(ONLINE, lambda h: h.text == "online")
    return home


def seq(number: int) -> Callable[[Heard], bool]:
    return lambda heard: bool(heard.json["seq"] == number)


def test_the_known_is_named_and_the_stranger_is_not(recognizer: Home, ear: Ear, photos: dict[str, Path]) -> None:
    publish(ear, frame(photos["obama3.jpg"]), 1)
    identity = ear.wait(IDENTITY, seq(1))
    assert identity.expiry_s == 5
    (face,) = identity.json["faces"]
    assert face["person"] == "Barack"
    ear.wait(PERSON, lambda h: h.text == "Barack")
    publish(ear, frame(photos["biden.jpg"]), 2)
    (face,) = ear.wait(IDENTITY, seq(2)).json["faces"]
    assert face["person"] is None
    assert face["distance"] > 0.5
    assert ear.wait(PERSON, lambda h: h.text == "unknown").retain
    snapshot = ear.wait("recognizer/front/snapshot").payload
    assert cv2.imdecode(np.frombuffer(snapshot, np.uint8), cv2.IMREAD_COLOR) is not None


def bomb(jpeg: bytes) -> bytes:
    """The same JPEG claiming 30,000 × 30,000 pixels."""
    at = jpeg.index(b"\xff\xc0") + 5
    return jpeg[:at] + struct.pack(">HH", 30_000, 30_000) + jpeg[at + 4 :]


def test_bad_frames_are_counted_and_the_next_good_one_is_looked_at(
    recognizer: Home, ear: Ear, photos: dict[str, Path]
) -> None:
    good = frame(photos["obama3.jpg"])
    bad = [b"", b"hello", good[: len(good) // 2], bomb(good), b"\x89PNG\r\n\x1a\n" + good, b"\xff\xd8\xff\xd9"]
    for number, jpeg in enumerate(bad):
        publish(ear, jpeg, number)
        time.sleep(0.1)  # one at a time: a newer frame replaces one that waits
    publish(ear, good, 100, retain=True)
    time.sleep(0.1)
    publish(ear, good, 200)
    ear.wait(IDENTITY, seq(200))
    assert [h.json["seq"] for h in ear.all(IDENTITY)] == [200]
    assert "refused" in recognizer.log_of("recognizer").read_text()


def test_a_frame_that_is_too_old_or_from_the_future_is_not_looked_at(
    recognizer: Home, ear: Ear, photos: dict[str, Path]
) -> None:
    good, other = frame(photos["obama3.jpg"]), frame(photos["biden.jpg"])
    for number, age_s in ((1, 10.0), (2, -10.0)):
        publish(ear, good, number, age_s)
        time.sleep(0.1)
    publish(ear, other, 3)
    ear.wait(IDENTITY, seq(3))
    assert [h.json["seq"] for h in ear.all(IDENTITY)] == [3]


def test_a_frame_without_a_stamp_is_stamped_on_arrival(recognizer: Home, ear: Ear, photos: dict[str, Path]) -> None:
    ear.say(FRAME, frame(photos["obama3.jpg"]))
    identity = ear.wait(IDENTITY).json
    assert identity["captured_at"] <= time.time()
    assert identity["faces"][0]["person"] == "Barack"


def test_who_is_enrolled_renamed_or_removed_counts_without_a_restart(
    recognizer: Home, ear: Ear, photos: dict[str, Path]
) -> None:
    picture = frame(photos["obama3.jpg"])
    for number, (command, expected) in enumerate(
        [
            (("people", "rename", "Barack", "B. O."), "B. O."),
            (("people", "remove", "B. O."), None),
            (("enroll", "Barry", str(photos["obama.jpg"])), "Barry"),
        ]
    ):
        done = recognizer.run(*command)
        assert done.returncode == 0, done.stderr
        publish(ear, picture + bytes([number]), number)
        (face,) = ear.wait(IDENTITY, seq(number)).json["faces"]
        assert face["person"] == expected


def test_without_a_gallery_everybody_is_a_stranger_until_there_is_one(
    home: Home, ear: Ear, photos: dict[str, Path]
) -> None:
    process = home.start("recognizer")
    problem = ear.wait(HEALTH, lambda h: bool(h.json["problem"])).json["problem"]
    assert "gallery.sqlite" in problem
    picture = frame(photos["obama3.jpg"])
    publish(ear, picture, 1)
    assert ear.wait(IDENTITY, seq(1)).json["faces"][0]["person"] is None
    assert home.run("enroll", "Barack", str(photos["obama.jpg"])).returncode == 0
    ear.wait(HEALTH, lambda h: h.json["problem"] is None)
    publish(ear, picture + b"\0", 2)
    assert ear.wait(IDENTITY, seq(2)).json["faces"][0]["person"] == "Barack"
    assert process.poll() is None


def test_a_gallery_damaged_while_it_runs_makes_everybody_a_stranger(
    recognizer: Home, ear: Ear, photos: dict[str, Path]
) -> None:
    gallery = recognizer.folder / "data/gallery.sqlite"
    whole = gallery.read_bytes()
    gallery.write_bytes(b"no gallery at all" + whole[20:])
    ear.wait(HEALTH, lambda h: bool(h.json["problem"]))
    picture = frame(photos["obama3.jpg"])
    publish(ear, picture, 1)
    assert ear.wait(IDENTITY, seq(1)).json["faces"][0]["person"] is None
    gallery.write_bytes(whole)
    ear.wait(HEALTH, lambda h: h.json["problem"] is None and h.json["counters"]["frames"] == 1)
    publish(ear, picture + b"\0", 2)
    assert ear.wait(IDENTITY, seq(2)).json["faces"][0]["person"] == "Barack"


def test_a_recognizer_that_is_far_too_slow_is_never_behind(home: Home, ear: Ear, photos: dict[str, Path]) -> None:
    """It takes the newest frame there is when it turns to the next: what it missed meanwhile, nobody sees."""
    home.edit("recognizer: { min_face_px: 60 }", "recognizer: { detector: hog, upsample: 2 }")
    home.start("recognizer")
    ear.wait(ONLINE, lambda h: h.text == "online")
    picture, number = frame(photos["obama3.jpg"]), 0
    while len(ear.all(IDENTITY)) < 6:
        number += 1
        publish(ear, picture + number.to_bytes(4), number)
        time.sleep(1 / 30)
    looked_at, newest_before, newest, passed_over = 0, 0, 0, 0
    for heard in ear.in_order(FRAME, IDENTITY):  # as the broker saw them come
        if heard.topic.endswith("/frame"):
            newest = int(heard.properties["seq"])
            continue
        passed_over += heard.json["seq"] - looked_at - 1
        looked_at = heard.json["seq"]
        assert looked_at >= newest_before - 2  # one is under way to it, one to the test's own ear
        newest_before = newest
    assert passed_over > 10  # else it was not slow, and this shows nothing
