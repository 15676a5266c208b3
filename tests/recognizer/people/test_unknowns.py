"""Strangers are forgotten; where a house keeps them: few, not for long, each once."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from agents.recognizer.config import KeepUnknown
from agents.recognizer.matcher import Encoding
from agents.recognizer.people.unknowns import FILE, LIMIT_EVERY_S, UnknownFace, UnknownFile, Unknowns, erase
from agents.recognizer.picture import Pixels, decode_frame
from agents.wire.identity import Box
from tests.fakes import after

DAY_S = 86_400.0
IMAGE: Pixels = np.random.default_rng(1).integers(0, 255, (360, 640, 3), np.uint8)
LIMITS = KeepUnknown(max_age_days=7, max_count=3)
BOX = Box(left=200, top=100, width=100, height=100)


def somebody(seed: int) -> Encoding:
    return np.random.default_rng(seed).normal(size=128)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / FILE


@pytest.fixture
def make(path: Path) -> Iterator[Callable[..., Unknowns]]:
    made: list[Unknowns] = []

    def build(s: float = 0, limits: KeepUnknown | None = LIMITS) -> Unknowns:
        made.append(Unknowns(path, limits, "dlib", after(s)))
        return made[-1]

    yield build
    for one in made:
        one.close()


def kept(path: Path) -> list[UnknownFace]:
    with UnknownFile(path) as file:
        return file.faces()


def at(path: Path) -> list[float]:
    return [face.seen_at - after(0).utc for face in kept(path)]


def test_without_limits_nothing_is_kept_and_no_file_is_made(make: Callable[..., Unknowns], path: Path) -> None:
    unknowns = make(limits=None)
    assert not unknowns.add("front", IMAGE, BOX, somebody(1), after(0))
    assert not path.parent.exists()
    assert unknowns.problem is None


def test_a_stranger_is_kept_with_camera_time_encoding_and_crop_for_the_owner_alone(
    make: Callable[..., Unknowns], path: Path
) -> None:
    assert make().add("front", IMAGE, BOX, somebody(1), after(0))
    (face,) = kept(path)
    assert (face.camera, face.seen_at, face.encoder) == ("front", after(0).utc, "dlib")
    assert face.encoding == somebody(1).astype("<f8").tobytes()
    assert decode_frame(face.crop, 1_000_000).shape == (200, 200, 3)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_was_kept_is_erased_when_it_is_no_longer_to_be(make: Callable[..., Unknowns], path: Path) -> None:
    make().add("front", IMAGE, BOX, somebody(1), after(0))
    assert make(limits=None).problem is None
    assert not list(path.parent.iterdir())


def test_a_camera_keeps_one_face_a_second(make: Callable[..., Unknowns], path: Path) -> None:
    unknowns = make()
    asked = [("front", 0.0), ("front", 0.9), ("yard", 0.9), ("front", 1.0)]
    answers = [unknowns.add(camera, IMAGE, BOX, somebody(n), after(s)) for n, (camera, s) in enumerate(asked)]
    assert answers == [True, False, True, True]


def test_the_same_face_is_kept_once_in_ten_minutes_whichever_camera_sees_it(make: Callable[..., Unknowns]) -> None:
    unknowns, face = make(), somebody(1)
    nearly = face + 0.34 / np.sqrt(128)
    assert unknowns.add("front", IMAGE, BOX, face, after(0))
    assert not unknowns.add("yard", IMAGE, BOX, nearly, after(600))
    assert unknowns.add("front", IMAGE, BOX, face + 0.36 / np.sqrt(128), after(600))
    assert unknowns.add("yard", IMAGE, BOX, nearly + 0.1, after(601))


def test_the_oldest_make_room(make: Callable[..., Unknowns], path: Path) -> None:
    unknowns = make()
    for n in range(5):
        assert unknowns.add("front", IMAGE, BOX, somebody(n), after(n))
    assert at(path) == [4, 3, 2]


@pytest.mark.parametrize("how", ["the next one", "a tick in a quiet house", "a new start"])
def test_who_was_kept_for_long_enough_is_forgotten_at(how: str, make: Callable[..., Unknowns], path: Path) -> None:
    unknowns, later = make(), 7 * DAY_S + 1
    unknowns.add("front", IMAGE, BOX, somebody(1), after(0))
    unknowns.add("front", IMAGE, BOX, somebody(2), after(5))
    match how:
        case "the next one":
            unknowns.add("front", IMAGE, BOX, somebody(3), after(later))
        case "a tick in a quiet house":
            unknowns.tick(after(later))
        case _:
            make(later)
    assert [s for s in at(path) if s != later] == [5]


def test_a_tick_costs_nothing_within_the_hour(make: Callable[..., Unknowns], path: Path) -> None:
    unknowns = make()
    with UnknownFile(path) as file:
        for n in range(5):
            file.add(UnknownFace("front", after(n).utc, "dlib", b"", b""))
    unknowns.tick(after(LIMIT_EVERY_S - 1))
    assert len(kept(path)) == 5
    unknowns.tick(after(LIMIT_EVERY_S))
    assert len(kept(path)) == 3


def test_while_the_time_is_not_known_nobody_is_kept_as_nobody_would_be_forgotten_in_time(
    make: Callable[..., Unknowns], path: Path
) -> None:
    unknowns = make()
    assert not unknowns.add("front", IMAGE, BOX, somebody(1), after(0, utc_is_set=False))
    assert kept(path) == []


def test_a_face_from_the_future_was_seen_on_a_wrong_clock_and_is_forgotten(
    make: Callable[..., Unknowns], path: Path
) -> None:
    unknowns = make()
    unknowns.add("front", IMAGE, BOX, somebody(1), after(0, utc_jump_s=DAY_S))
    unknowns.add("front", IMAGE, BOX, somebody(2), after(1))
    assert at(path) == [1]


def test_a_file_that_can_not_be_used_is_said_and_hurts_nobody(make: Callable[..., Unknowns], path: Path) -> None:
    path.parent.mkdir()
    path.write_text("not a database" * 500)
    unknowns = make()
    assert unknowns.problem == f"{path}: is no SQLite file"
    assert not unknowns.add("front", IMAGE, BOX, somebody(1), after(0))
    assert path.read_text().startswith("not a database")
    assert erase(path)
    assert make().problem is None


def test_a_face_that_can_not_be_written_is_a_problem_until_one_can(make: Callable[..., Unknowns], path: Path) -> None:
    unknowns = make()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    assert not unknowns.add("front", IMAGE, BOX, somebody(1), after(0))
    assert unknowns.problem == f"{path}: is held by another program"
    other.close()
    assert unknowns.add("front", IMAGE, BOX, somebody(2), after(1))
    assert unknowns.problem is None


def test_faces_cleared_while_a_recognizer_runs_are_gone_from_the_disk(
    make: Callable[..., Unknowns], path: Path
) -> None:
    unknowns = make()
    unknowns.add("front", IMAGE, BOX, somebody(1), after(0))
    (face,) = kept(path)
    with UnknownFile(path) as file:
        assert file.clear() == 1
    assert face.crop[200:400] not in path.read_bytes()
    assert unknowns.add("front", IMAGE, BOX, somebody(2), after(1))
    assert at(path) == [1]
