"""Which snapshot goes with which decision."""

from __future__ import annotations

import pytest

from agents.runtime.clock import Now
from agents.scheduler.album import MOST_WAITING, WAIT_S, Album

T = 1_800_000_000.0
JPEG, LATER = b"jpeg", b"later jpeg"


def now(s: float = 0.0) -> Now:
    return Now(T + s, 5000.0 + s)


def add(album: Album[str], at_s: float, jpeg: bytes = JPEG, camera: str = "front") -> list[tuple[str, bytes]]:
    """A snapshot taken then arrives at once."""
    return list(album.add(camera, T + at_s, jpeg, now(at_s)))


def test_the_newest_snapshot_of_the_visit_is_there_at_once() -> None:
    album: Album[str] = Album()
    add(album, 0.0)
    add(album, 1.0, LATER)
    assert album.ask("front", T + 0.5, "Ana", now(1.5)) == LATER


@pytest.mark.parametrize(("taken_s", "shown"), [(-1.0, True), (-1.01, False)])
def test_a_snapshot_of_a_moment_before_the_visit_shows_who_walks_up_and_an_older_one_somebody_else(
    taken_s: float, shown: bool
) -> None:
    album: Album[str] = Album()
    add(album, taken_s)
    assert (album.ask("front", T, "Ana", now()) == JPEG) is shown
    assert bool(add(album, 0.5)) is not shown


def test_where_there_is_none_yet_the_next_one_is_waited_for_and_used_once() -> None:
    album: Album[str] = Album()
    assert album.ask("front", T, "Ana", now()) is None
    assert album.ask("front", T, "Bob", now()) is None
    assert add(album, 0.5) == [("Ana", JPEG), ("Bob", JPEG)]
    assert add(album, 1.5, LATER) == []


def test_a_snapshot_of_another_camera_or_of_before_does_not_end_the_waiting() -> None:
    album: Album[str] = Album()
    album.ask("front", T + 2.0, "Ana", now(2.0))
    assert add(album, 2.1, camera="back") == []
    assert list(album.add("front", T + 0.9, b"late to arrive", now(2.2))) == []
    assert add(album, 2.3) == [("Ana", JPEG)]


@pytest.mark.parametrize(("after_s", "shown"), [(WAIT_S, True), (WAIT_S + 0.01, False), (600.0, False)])
def test_no_picture_of_whoever_comes_later_goes_with_the_decision(after_s: float, shown: bool) -> None:
    album: Album[str] = Album()
    album.ask("front", T, "Ana", now())
    assert add(album, after_s) == ([("Ana", JPEG)] if shown else [])
    assert add(album, after_s) == []


def test_a_flood_of_decisions_forgets_the_oldest() -> None:
    album: Album[str] = Album()
    for i in range(MOST_WAITING + 10):
        album.ask("front", T, str(i), now())
    assert [what for what, _ in add(album, 0.5)] == [str(i) for i in range(10, MOST_WAITING + 10)]
