"""A real camera agent on a real mosquitto, looking at pictures made here."""

from __future__ import annotations

import signal
import subprocess
import time
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from agents.camera.opencv_source import quieten
from demo.scenes import hallway
from tests.live.tools import Broker, Ear, Heard, Home, wait_until

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


def times(frames: list[Heard]) -> list[float]:
    return [float(frame.properties["captured_at"]) for frame in frames]


def test_of_an_empty_hallway_there_is_a_frame_now_and_then_and_of_a_visitor_every_one(home: Home, ear: Ear) -> None:
    hallway(home.folder / "empty")
    for seed in range(6):
        still(home.folder / "visit" / f"{seed:03}.jpg", seed)
    camera, swapped = home.folder / "camera", home.folder / "swapped"
    camera.symlink_to("empty")
    swapped.symlink_to("visit")
    home.edit("rate_fps: 10", "rate_fps: 10, idle_fps: 0.5, active_s: 1")
    home.start("camera")
    ear.wait(FRAME)
    mark = ear.mark()

    def rare() -> bool:
        last = times(ear.all(FRAME, mark))[-3:]
        return len(last) == 3 and all(b - a > 1.9 for a, b in pairwise(last))

    wait_until("a frame every two seconds", rare)
    assert ear.all(AVAILABILITY)[-1].text == "online"
    mark = ear.mark()
    swapped.replace(camera)
    came_at = time.time()
    wait_until("frames of the visitor", lambda: sum(at > came_at for at in times(ear.all(FRAME, mark))) >= 8)
    seen = [at for at in times(ear.all(FRAME, mark)) if at > came_at]
    assert all(b - a < 1.9 for a, b in pairwise(seen)), "as many as there are"


def test_frames_are_fresh_when_a_broker_that_read_nothing_for_a_while_reads_again(
    home: Home, ear: Ear, broker: Broker
) -> None:
    """Meanwhile some 15 MB of frames are made, more than the sockets between can hold: they wait nowhere."""
    (home.folder / "camera").mkdir()
    for seed in range(6):  # bare noise: 175 kB each
        picture = np.random.default_rng(seed).integers(0, 255, (360, 640, 3), np.uint8)
        cv2.imwrite(str(home.folder / "camera" / f"{seed:03}.png"), picture)
    home.edit("rate_fps: 10", "rate_fps: 30")
    home.start("camera")
    ear.wait(FRAME)
    broker.send(signal.SIGSTOP)
    stopped_at = time.time()
    time.sleep(3)
    broker.send(signal.SIGCONT)
    went_on_at = time.time()
    ear.wait(FRAME, lambda frame: times([frame])[0] > went_on_at)
    frames = ear.all(FRAME)
    waited = [frame for frame in frames if stopped_at < times([frame])[0] < went_on_at]
    assert sum(len(frame.payload) for frame in waited) < 8_000_000, "only what the kernel's buffers hold"
    numbers = [int(frame.properties["seq"]) for frame in frames]
    assert numbers == list(range(numbers[0], numbers[0] + len(frames))), "what was published did arrive"
    assert max(b - a for a, b in pairwise(times(frames))) > 1, "and for a while nothing was"


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
    quieten()  # as every agent does: whoever touches a video first decides for the whole process
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
