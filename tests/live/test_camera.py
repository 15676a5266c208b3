"""A real camera agent on a real mosquitto, looking at pictures made here."""

from __future__ import annotations

import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.live.tools import Broker, Ear, Home, wait_until

FRAME, AVAILABILITY, HEALTH = "camera/front/frame", "camera/front/availability", "camera/front/health"


def still(path: Path, seed: int) -> None:
    """A picture of noise; another seed is another picture."""
    path.parent.mkdir(exist_ok=True)
    picture = np.random.default_rng(seed).integers(0, 255, (360, 640, 3), np.uint8)
    cv2.imwrite(str(path), cv2.GaussianBlur(picture, (0, 0), 3))


@pytest.fixture
def stills(home: Home) -> Path:
    folder = home.folder / "camera"
    for seed in range(6):
        still(folder / f"{seed:03}.jpg", seed)
    return folder


def test_frames_are_whole_jpegs_with_a_time_and_a_number(stills: Path, home: Home, ear: Ear) -> None:
    home.start("camera")
    wait_until("some frames", lambda: len(ear.all(FRAME)) >= 8)
    frames = ear.all(FRAME)
    numbers = [int(f.properties["seq"]) for f in frames]
    times = [float(f.properties["captured_at"]) for f in frames]
    assert numbers == list(range(numbers[0], numbers[0] + len(frames)))
    assert times == sorted(set(times))
    assert not any(f.retain for f in frames)
    picture = cv2.imdecode(np.frombuffer(frames[0].payload, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape == (360, 640, 3)
    assert ear.wait(AVAILABILITY, lambda h: h.text == "online").retain


def test_no_camera_is_said_and_healed_when_one_comes(home: Home, ear: Ear) -> None:
    process = home.start("camera")
    problem = ear.wait(HEALTH, lambda h: bool(h.json["problem"])).json["problem"]
    assert "camera" in problem
    assert ear.wait(AVAILABILITY).text == "offline"
    mark = ear.mark()
    for seed in range(3):
        still(home.folder / "draft" / f"{seed:03}.jpg", seed)
    (home.folder / "draft").rename(home.folder / "camera")
    ear.wait(FRAME)
    ear.wait(AVAILABILITY, lambda h: h.text == "online", mark)
    ear.wait(HEALTH, lambda h: h.json["problem"] is None, mark)
    assert process.poll() is None


def test_a_frozen_picture_is_published_once_and_told(home: Home, ear: Ear) -> None:
    home.edit("stalled_after_s: 1", "stalled_after_s: 1, frozen_after_s: 0.5")
    home.start("camera")
    ear.wait(HEALTH)  # connected: a picture taken before that would reach nobody
    still(home.folder / "draft" / "000.jpg", 1)
    (home.folder / "draft").rename(home.folder / "camera")
    ear.wait(HEALTH, lambda h: str(h.json["problem"]).startswith("frozen"))
    ear.wait(AVAILABILITY, lambda h: h.text == "offline")
    assert len(ear.all(FRAME)) == 1
    still(home.folder / "camera" / "001.jpg", 2)
    mark = ear.mark()
    ear.wait(AVAILABILITY, lambda h: h.text == "online", mark)


def test_a_source_that_does_not_exist_names_itself_but_not_its_password(home: Home, ear: Ear) -> None:
    (home.folder / "front-camera").write_text("rtsp://admin:hunter2@127.0.0.1:1/stream\n")
    home.edit("source: camera", "source: secret:front-camera")
    home.start("camera")
    problem = ear.wait(HEALTH, lambda h: bool(h.json["problem"])).json["problem"]
    assert "127.0.0.1:1" in problem
    assert "hunter2" not in problem + home.log_of("camera").read_text()


def test_a_video_file_is_played_over_and_over(home: Home, ear: Ear) -> None:
    film = home.folder / "film.avi"
    writer = cv2.VideoWriter(str(film), cv2.VideoWriter.fourcc(*"MJPG"), 10, (320, 240))
    for grey in range(0, 250, 50):
        writer.write(np.full((240, 320, 3), grey, np.uint8))
    writer.release()
    home.edit("source: camera", "source: film.avi")
    process = home.start("camera")
    wait_until("twice the film", lambda: len(ear.all(FRAME)) >= 11)
    process.terminate()
    assert process.wait(10) == 0
    ear.wait(AVAILABILITY, lambda h: h.text == "offline")


def test_mosquitto_sub_saves_a_frame_as_it_is(stills: Path, home: Home, ear: Ear, broker: Broker) -> None:
    home.start("camera")
    ear.wait(FRAME)
    port = str(broker.port)
    command = ["mosquitto_sub", "-p", port, "-t", "facelatch/camera/front/frame", "-C", "1", "-N"]
    saved = subprocess.run(command, capture_output=True, check=True, timeout=20).stdout
    wait_until("the same frame", lambda: saved in [f.payload for f in ear.all(FRAME)])
