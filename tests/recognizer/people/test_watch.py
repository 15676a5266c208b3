"""A running recognizer follows what others do to the gallery."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from agents.recognizer.people.gallery import Gallery
from agents.recognizer.people.records import Sample
from agents.recognizer.people.watch import RETRY_S, Watch
from agents.runtime.clock import Now

ENCODER = "dlib-resnet-v1/mirrored"


class Follower:
    """Polls as the recognizer does, on a clock of its own."""

    def __init__(self, path: Path) -> None:
        self.watch, self.mono = Watch(path), 0.0

    def names(self) -> tuple[str, ...] | None:
        enrolled = self.watch.poll(Now(utc=1_800_000_000.0, mono=self.mono), ENCODER)
        return None if enrolled is None else enrolled.names

    def names_after(self, s: float) -> tuple[str, ...] | None:
        self.mono += s
        return self.names()

    @property
    def problem(self) -> str:
        return self.watch.problem or ""


def enroll(path: Path, name: str, encoder: str = ENCODER) -> None:
    with Gallery(path, create=True) as gallery:
        gallery.add(name, Sample(np.zeros(128), encoder, "a"), Now(0.0, 0.0))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "gallery.sqlite"


@pytest.fixture
def follower(path: Path) -> Iterator[Follower]:
    enroll(path, "Ana")
    made = Follower(path)
    assert made.names() == ("Ana",)
    yield made
    made.watch.close()


def test_nothing_is_said_while_nothing_changes(follower: Follower) -> None:
    assert [follower.names_after(10) for _ in range(3)] == [None, None, None]
    assert follower.watch.problem is None


def test_who_is_enrolled_renamed_or_removed_counts_at_the_next_poll(follower: Follower, path: Path) -> None:
    enroll(path, "Eva")
    assert follower.names() == ("Ana", "Eva")
    with Gallery(path) as gallery:
        gallery.rename("Eva", "Iva")
        assert follower.names() == ("Ana", "Iva")
        gallery.remove("Ana")
        assert follower.names() == ("Iva",)
    assert follower.names() is None


def test_a_change_too_quick_for_the_file_systems_clock_is_seen(follower: Follower, path: Path) -> None:
    before = path.stat()
    with Gallery(path) as gallery:
        gallery.rename("Ana", "Eva")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    assert follower.names() == ("Eva",)


def test_a_gallery_put_in_the_place_of_the_old_one_is_read(follower: Follower, path: Path) -> None:
    other = path.with_name("other.sqlite")
    enroll(other, "Ivan")
    other.replace(path)
    assert follower.names() == ("Ivan",)


def test_without_a_gallery_nobody_is_known_until_there_is_one_again(follower: Follower, path: Path) -> None:
    path.unlink()
    assert follower.names() == ()
    assert follower.problem.startswith(f"{path}: there is no gallery")
    enroll(path, "Eva")
    assert follower.names() is None, "it does not try again with every frame"
    assert follower.names_after(RETRY_S) == ("Eva",)
    assert follower.watch.problem is None


def test_a_gallery_damaged_under_its_feet_is_nobodys_until_it_is_repaired(follower: Follower, path: Path) -> None:
    good = path.read_bytes()
    path.write_bytes(b"\xff" * len(good))
    assert follower.names() == ()
    assert follower.problem.startswith(f"{path}: is ")
    assert follower.names_after(RETRY_S) == ()
    path.write_bytes(good)
    assert follower.names_after(RETRY_S) == ("Ana",)
    assert follower.watch.problem is None


def test_a_recognizer_may_start_before_anybody_is_enrolled(path: Path) -> None:
    follower = Follower(path)
    assert follower.names() == ()
    assert follower.problem.startswith(f"{path}: there is no gallery")
    enroll(path, "Ana")
    assert follower.names_after(RETRY_S) == ("Ana",)
    follower.watch.close()


def test_who_is_disabled_or_enabled_counts_at_the_next_poll(follower: Follower, path: Path) -> None:
    for disabled in (True, False):
        with Gallery(path) as gallery:
            gallery.disable("Ana", disabled)
        enrolled = follower.watch.poll(Now(1_800_000_000.0, 0.0), ENCODER)
        assert enrolled is not None
        assert enrolled.ignored == ({"Ana"} if disabled else set())


def test_with_another_encoder_nobody_is_known_and_the_way_out_is_said(path: Path) -> None:
    enroll(path, "Ana", encoder="arcface")
    follower = Follower(path)
    assert follower.names() == ()
    assert follower.problem.endswith("remove and enroll anew: Ana")
    with Gallery(path) as gallery:
        gallery.remove("Ana")
    enroll(path, "Ana")
    assert follower.names_after(RETRY_S) == ("Ana",)
    assert follower.watch.problem is None
    follower.watch.close()
