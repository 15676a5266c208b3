"""The camera agent and its reader, on generated pictures, with a session that records."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from agents.camera import reader
from agents.camera.agent import HUNG_S, CameraAgent
from agents.camera.config import CameraSettings
from agents.camera.core import OPENING_S
from agents.camera.picture import Image
from agents.camera.source import SourceError
from agents.runtime.clock import Clock, Now
from agents.runtime.events import Disconnected
from agents.runtime.inbox import Fault, Inbox
from agents.runtime.session import Session
from agents.wire.messages import MAX_FRAME_BYTES, Availability
from agents.wire.stamp import Stamp
from agents.wire.topics import FRAME, Topic

PATIENCE_S = 20.0


class AheadClock(Clock):
    """The computer's clock, but a test may jump ahead."""

    ahead_s = 0.0

    def now(self) -> Now:
        real = super().now()
        return Now(real.utc + self.ahead_s, real.mono + self.ahead_s)


@dataclass(frozen=True)
class Published:
    topic: Topic
    names: tuple[str, ...]
    payload: bytes | str
    stamp: Stamp | None


class RecordingSession(Session):
    def __init__(self) -> None:
        self.there, self.full = True, False
        self.published: list[Published] = []

    @property
    def connected(self) -> bool:
        return self.there

    @property
    def behind(self) -> bool:
        return self.full

    def publish(
        self, topic: Topic, *names: str, payload: bytes | str, properties: tuple[tuple[str, str], ...] = ()
    ) -> bool:
        self.published.append(Published(topic, names, payload, Stamp.of(properties)))
        return self.there


class Stage:
    """An agent run by hand: the test decides when it gets an event and what time it is."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.session, self.inbox, self.clock = RecordingSession(), Inbox(), AheadClock()
        wanted = CameraSettings.model_validate({"source": "stills", "rate_fps": 50, **settings})
        self.agent = CameraAgent("front", wanted, folder, self.session, self.inbox, self.clock)
        self.agent.start()

    @property
    def problem(self) -> str:
        return self.agent.report().problem or ""

    @property
    def frames(self) -> list[Published]:
        return self.session.published

    def counter(self, name: str) -> int:
        return self.agent.report().counters[name]

    def online(self) -> bool:
        return self.agent.available() is Availability.ONLINE

    def run_until(self, what: Callable[[], bool]) -> None:
        """The loop of agents.runtime.agent, until something is so."""
        limit = Clock().now().mono + PATIENCE_S
        while not what():
            assert Clock().now().mono < limit, f"it never came about; problem: {self.problem!r}"
            wait_s = self.agent.on_tick(self.clock.now())
            event = self.inbox.get(min(0.02, wait_s))
            if isinstance(event, Fault):
                raise event.error
            if event is not None:
                self.agent.on_event(event, self.clock.now())

    def jump(self, seconds: float) -> None:
        self.clock.ahead_s += seconds


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Callable[..., Stage]]:
    made: list[Stage] = []

    def make(**settings: Any) -> Stage:
        made.append(Stage(tmp_path, **settings))
        return made[-1]

    yield make
    for one in made:
        one.agent.close()


def stills(folder: Path, count: int, width: int = 64, height: int = 36) -> Path:
    folder.mkdir(exist_ok=True)
    for i in range(count):
        assert cv2.imwrite(str(folder / f"{i}.png"), np.full((height, width, 3), 40 * i + 10, np.uint8))
    return folder


class ScriptedSource:
    """A live source that does what the test's function says."""

    live = True

    def __init__(self, read: Callable[[], Image]) -> None:
        self._read = read
        self.closed = threading.Event()
        self.grabbed = self.retrieved = 0

    def grab(self) -> None:
        self._image = self._read()
        self.grabbed += 1

    def retrieve(self) -> Image:
        self.retrieved += 1
        return self._image

    def close(self) -> None:
        self.closed.set()


def scripted(monkeypatch: pytest.MonkeyPatch, read: Callable[[], Image]) -> ScriptedSource:
    source = ScriptedSource(read)
    monkeypatch.setattr(reader, "open_source", lambda *_: source)
    return source


def test_frames_are_jpegs_with_rising_stamps_on_the_cameras_topic(tmp_path: Path, stage: Callable[..., Stage]) -> None:
    stills(tmp_path / "stills", 3, width=1280, height=720)
    made = stage()
    made.run_until(lambda: len(made.frames) >= 8)
    assert {(frame.topic, frame.names) for frame in made.frames} == {(FRAME, ("front",))}
    stamps = [frame.stamp for frame in made.frames if frame.stamp is not None]
    assert [stamp.seq for stamp in stamps] == list(range(len(made.frames)))
    assert all(a.captured_at < b.captured_at for a, b in pairwise(stamps))
    payload = made.frames[0].payload
    assert isinstance(payload, bytes)
    image = cv2.imdecode(np.frombuffer(payload, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    assert image.shape == (360, 640, 3)
    assert made.online()
    assert made.counter("published") == len(made.frames)
    assert made.counter("dropped") < len(made.frames), "a folder is read no faster than it is shown"
    latencies = made.agent.report().latencies
    assert latencies is not None
    assert latencies.summary() is not None


def test_a_frozen_picture_is_published_once_and_takes_the_camera_offline(
    tmp_path: Path, stage: Callable[..., Stage]
) -> None:
    stills(tmp_path / "stills", 1)
    made = stage(frozen_after_s=10, stalled_after_s=60)
    made.run_until(lambda: made.counter("repeated") >= 3)
    assert made.online()
    made.jump(10)
    made.run_until(lambda: not made.online())
    assert made.problem == "frozen: the picture of stills has not changed for more than 10 s"
    assert len(made.frames) == 1
    stills(tmp_path / "stills", 2)
    made.run_until(lambda: len(made.frames) >= 3)
    assert made.online()


def test_a_picture_that_moves_only_where_it_is_cropped_off_is_frozen(
    stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock_in_the_corner = np.zeros((36, 64, 3), np.uint8)

    def read() -> Image:
        clock_in_the_corner[0, 0] += 1
        return clock_in_the_corner.copy()

    scripted(monkeypatch, read)
    made = stage(crop={"top": 0.1})
    made.run_until(lambda: made.counter("repeated") >= 3)
    assert len(made.frames) == 1


def test_a_source_that_is_not_there_is_said_and_heals_by_itself(tmp_path: Path, stage: Callable[..., Stage]) -> None:
    made = stage()
    made.run_until(lambda: made.problem != "")
    assert made.problem.startswith("stills: can't be opened")
    assert not made.online()
    stills(tmp_path / "stills", 2)
    made.jump(1)
    made.run_until(lambda: len(made.frames) >= 2)
    assert made.problem == ""
    assert made.online()


def test_a_source_lost_on_the_way_is_opened_anew(tmp_path: Path, stage: Callable[..., Stage]) -> None:
    folder = stills(tmp_path / "stills", 2)
    made = stage()
    made.run_until(lambda: len(made.frames) >= 2)
    folder.rename(tmp_path / "away")
    made.run_until(lambda: not made.online())
    assert made.counter("source_failures") == 1
    (tmp_path / "away").rename(folder)
    before = len(made.frames)
    made.jump(1)
    made.run_until(lambda: len(made.frames) > before)
    assert made.counter("reopened") == 1


def test_no_frame_waits_for_a_broker_that_is_away(tmp_path: Path, stage: Callable[..., Stage]) -> None:
    stills(tmp_path / "stills", 3)
    made = stage()
    made.session.there = False
    made.agent.on_event(Disconnected("test"), made.clock.now())
    made.run_until(made.online)
    assert made.frames == []
    assert made.counter("published") == 0
    made.session.there = True
    made.run_until(lambda: len(made.frames) >= 1)
    assert made.frames[0].stamp is not None
    assert made.frames[0].stamp.seq == 0


def test_a_broken_still_is_counted_and_named_in_the_log(
    tmp_path: Path, stage: Callable[..., Stage], caplog: pytest.LogCaptureFixture
) -> None:
    (stills(tmp_path / "stills", 2) / "1b.png").write_bytes(b"no picture")
    made = stage()
    with caplog.at_level(logging.WARNING):
        made.run_until(lambda: len(made.frames) >= 5)
    assert made.counter("skipped") == 1
    assert [r.getMessage() for r in caplog.records] == ["stills: 1b.png is skipped: it can't be read as a picture"]


def test_a_live_source_faster_than_the_rate_has_its_surplus_counted_and_not_decoded(
    stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(1)
    pause = threading.Event()

    def read() -> Image:
        pause.wait(0.001)
        return random.integers(0, 256, (36, 64, 3), np.uint8)

    source = scripted(monkeypatch, read)
    made = stage(rate_fps=5)
    made.run_until(lambda: len(made.frames) >= 3)
    captured = [frame.stamp.captured_at for frame in made.frames if frame.stamp is not None]
    assert captured[2] - captured[0] > 0.2
    assert made.counter("dropped") > 0
    assert source.retrieved < source.grabbed / 2


class Hallway:
    """What a camera sees: never the same twice, and somebody in it from the moment a test says so."""

    def __init__(self) -> None:
        self.somebody = False
        self._count = 0

    def read(self) -> Image:
        threading.Event().wait(0.005)
        image = np.full((360, 640, 3), 90, np.uint8)
        self._count += 1
        image[0, self._count % 640] = 91
        image[100:200, 300:400] = 200 if self.somebody else 90
        return image


def shows_somebody(frame: Published) -> bool:
    assert isinstance(frame.payload, bytes)
    image = cv2.imdecode(np.frombuffer(frame.payload, np.uint8), cv2.IMREAD_COLOR)
    return image is not None and int(image[150, 350, 0]) > 150


def test_a_still_scene_is_published_rarely_and_a_moving_one_from_its_first_picture_on(
    stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    hallway = Hallway()
    scripted(monkeypatch, hallway.read)
    made = stage(active_s=0.1)
    made.run_until(lambda: made.counter("still") >= 20)
    still = made.counter("still")
    hallway.somebody = True
    made.run_until(lambda: sum(map(shows_somebody, made.frames)) >= 5)
    assert made.counter("still") <= still + 1, "one picture may have been taken before somebody came"
    assert made.counter("published") == len(made.frames)


def test_nothing_moves_where_only_what_is_cropped_off_does(
    stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    hallway = Hallway()
    scripted(monkeypatch, hallway.read)
    made = stage(active_s=0.1, idle_fps=0.5, crop={"right": 0.6})
    made.run_until(lambda: made.counter("still") >= 5)
    hallway.somebody = True
    still, before = made.counter("still"), len(made.frames)
    made.run_until(lambda: made.counter("still") >= still + 20)
    times = [frame.stamp.captured_at for frame in made.frames[before - 1 :] if frame.stamp is not None]
    assert all(later - earlier > 1.9 for earlier, later in pairwise(times))


def test_no_frame_is_put_behind_one_that_the_line_has_not_taken(
    stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    hallway = Hallway()
    scripted(monkeypatch, hallway.read)
    made = stage()
    made.run_until(lambda: len(made.frames) >= 2)
    made.session.full, before = True, len(made.frames)
    made.run_until(lambda: made.counter("unsent") >= 5)
    assert len(made.frames) == before
    assert made.online()
    hallway.somebody, made.session.full = True, False
    made.run_until(lambda: len(made.frames) >= before + 2)
    assert shows_somebody(made.frames[before + 1]), "no picture waited"
    stamps = [frame.stamp.seq for frame in made.frames if frame.stamp is not None]
    assert stamps == list(range(len(made.frames)))


def test_a_read_that_hangs_makes_the_camera_offline_and_at_last_ends_the_agent(
    stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    released = threading.Event()

    def read() -> Image:
        released.wait(PATIENCE_S)
        raise SourceError("too late to matter")

    try:
        scripted(monkeypatch, read)
        made = stage()
        made.agent.on_tick(made.clock.now())
        made.jump(OPENING_S)
        made.run_until(lambda: made.problem.startswith("stalled: no picture from stills"))
        assert not made.online()
        made.jump(5)
        made.run_until(lambda: made.problem.startswith("stalled: stills: a read hangs"))
        made.jump(HUNG_S)
        with pytest.raises(SourceError, match="ending, so that a new process can try"):
            made.agent.on_tick(made.clock.now())
    finally:
        released.set()


def test_what_a_given_up_reader_still_says_is_not_heard(
    tmp_path: Path, stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    released = threading.Event()

    def read() -> Image:
        released.wait(PATIENCE_S)
        raise SourceError("too late to matter")

    source = scripted(monkeypatch, read)
    made = stage()
    made.agent.on_tick(made.clock.now())
    made.jump(OPENING_S)
    made.run_until(lambda: made.problem.startswith("stalled"))
    released.set()
    assert source.closed.wait(PATIENCE_S)
    failures = made.counter("source_failures")
    stills(tmp_path / "stills", 2)
    monkeypatch.undo()
    made.jump(5)
    made.run_until(made.online)
    assert made.counter("source_failures") == failures


def test_an_error_nobody_foresaw_ends_the_agent(stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch) -> None:
    def read() -> Image:
        raise ZeroDivisionError

    scripted(monkeypatch, read)
    made = stage()
    with pytest.raises(ZeroDivisionError):
        made.run_until(lambda: False)


def test_closing_lets_go_of_the_source(stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch) -> None:
    source = scripted(monkeypatch, lambda: np.random.default_rng().integers(0, 256, (36, 64, 3), np.uint8))
    made = stage()
    made.run_until(made.online)
    made.agent.close()
    assert source.closed.is_set()


def test_a_frame_too_large_for_its_readers_is_a_problem_and_not_published(
    stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(1)
    scripted(monkeypatch, lambda: random.integers(0, 256, (1200, 1800, 3), np.uint8))
    made = stage(width_px=4000, height_px=4000, quality=100)
    made.run_until(lambda: made.problem != "")
    assert f"at most {MAX_FRAME_BYTES} are read" in made.problem
    assert not made.online()
    assert made.frames == []
