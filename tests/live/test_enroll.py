"""`facelatch enroll NAME --camera front` in a real process, on a real mosquitto.

The people are those of video clips that stand beside the checkout, where it is built and tested; else
photographs that the test publishes as a camera would.
"""

from __future__ import annotations

import itertools
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from agents.camera.opencv_source import quieten
from tests.live.test_recognizer import publish
from tests.live.tools import PATIENCE_S, Ear, Home, wait_until

VIDEO = Path(__file__).parents[3] / "shared/faces/video"
HER = "intel_head-pose-face-detection-female.gif"  # turns her head from side to side
HIM = "intel_head-pose-face-detection-male.gif"  # hardly moves
with_clips = pytest.mark.skipif(not (VIDEO / HER).exists(), reason="needs the clips of ../shared/faces/video")

Image = npt.NDArray[np.uint8]


def clip(name: str) -> list[Image]:
    """A clip's frames, enlarged as if the person stood nearer."""
    quieten()  # as every agent does: whoever opens a video first decides for the whole process
    video = cv2.VideoCapture(str(VIDEO / name))
    frames: list[Image] = []
    while True:
        more, frame = video.read()
        if not more:
            return frames
        frames.append(np.asarray(cv2.resize(frame, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC), np.uint8))


def stills(folder: Path, images: Sequence[Image]) -> list[Path]:
    folder.mkdir()
    paths = [folder / f"{number:03}.jpg" for number in range(len(images))]
    for path, image in zip(paths, images, strict=True):
        cv2.imwrite(str(path), image)
    return paths


def before_the_camera(home: Home, ear: Ear, images: Sequence[Image]) -> None:
    """A real camera agent that sees these, over and over."""
    home.edit("stalled_after_s: 1", "stalled_after_s: 1, width_px: 960, height_px: 540")
    stills(home.folder / "camera", images)
    home.start("camera", "front")
    ear.wait("camera/front/frame")


@with_clips
def test_a_woman_who_turns_her_head_is_enrolled_from_the_camera_and_recognized_afterwards(home: Home, ear: Ear) -> None:
    frames = clip(HER)
    before_the_camera(home, ear, frames[::2])
    done = home.run("enroll", "Ana", "--camera", "front", "--patience", "6")
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    for number, ask in enumerate(["look straight at the camera", "turn your head a little to the left"], 1):
        assert f"{number}/5 {ask}" in said
    assert sum(line.startswith("    kept the sharpest of ") for line in said) >= 3
    assert said[-1].startswith("Ana: ")
    others = stills(home.folder / "others", frames[9:20:2])
    identified = home.run("identify", *map(str, others)).stdout
    assert identified.count(": Ana at distance") >= len(others) - 1


@with_clips
def test_when_somebody_else_steps_in_between_nothing_is_stored(home: Home, ear: Ear) -> None:
    him, her = clip(HIM), clip(HER)
    before_the_camera(home, ear, [*him[:6], *her[11:17], *her[6:9], *her[20:23]])
    done = home.run("enroll", "Ana", "--camera", "front", "--patience", "5")
    assert done.returncode == 1
    assert done.stderr.startswith("facelatch: nothing was stored: the face in position straight: does not look like")
    assert not (home.folder / "data/gallery.sqlite").exists()


@pytest.fixture
def portrait(ear: Ear, photos: dict[str, Path]) -> Iterator[Callable[..., None]]:
    """Begins to publish a photograph ten times a second, each time a little different, as a camera's noise is."""
    photo = cv2.imread(str(photos["obama.jpg"]))
    assert photo is not None
    small = cv2.resize(photo, (640, 640 * photo.shape[0] // photo.shape[1]))
    over, rng = threading.Event(), np.random.default_rng(0)
    threads = []

    def play(age_s: float, retain: bool) -> None:
        for number in itertools.count():
            noisy = small + rng.integers(-2, 3, small.shape)
            publish(ear, cv2.imencode(".jpg", noisy.clip(0, 255))[1].tobytes(), number, age_s, retain=retain)
            if over.wait(0.1):
                return

    def begin(age_s: float = 0.0, retain: bool = False) -> None:
        threads.append(threading.Thread(target=play, args=(age_s, retain)))
        threads[-1].start()

    yield begin
    over.set()
    for thread in threads:
        thread.join(PATIENCE_S)


def test_who_does_not_move_is_not_enrolled_and_told_why(home: Home, portrait: Callable[..., None]) -> None:
    portrait()
    done = home.run("enroll", "Barack", "--camera", "front", "--patience", "3")
    assert done.returncode == 1
    assert "nothing was stored: 1 of 5 positions, at least 3 are needed" in done.stderr
    assert "left: turn a little more" in done.stderr
    assert not (home.folder / "data/gallery.sqlite").exists()


def test_ctrl_c_in_the_middle_stores_nothing(home: Home, portrait: Callable[..., None]) -> None:
    command = ("enroll", "Barack", "--camera", "front")
    process = home.start(*command)
    portrait()
    wait_until("a position is kept", lambda: "kept the sharpest" in home.log_of(*command).read_text())
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE_S) == 130
    assert home.log_of(*command).read_text().splitlines()[-1] == "nothing was stored"
    assert not (home.folder / "data/gallery.sqlite").exists()


def test_without_a_camera_it_ends_and_says_what_to_look_at(home: Home) -> None:
    done = home.run("enroll", "Ana", "--camera", "front", "--timeout", "2")
    assert done.returncode == 1
    assert done.stderr.strip() == (
        "facelatch: nothing was stored: no fresh frame of camera front for 2 s:"
        " is its agent running, and may this user read its frames?"
    )


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"retain": True}, "its frames are refused: frame is retained"),
        ({"age_s": 10.0}, "its frames are too old, or ahead: do the clocks agree?"),
    ],
    ids=["retained", "old"],
)
def test_a_frame_of_another_time_is_nobody_who_stands_there(
    fault: dict[str, float], said: str, home: Home, portrait: Callable[..., None]
) -> None:
    portrait(**fault)
    done = home.run("enroll", "Barack", "--camera", "front", "--timeout", "2")
    assert done.returncode == 1
    assert f"no fresh frame of camera front for 2 s: {said}" in done.stderr
