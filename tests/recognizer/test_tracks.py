"""Faces from frame to frame: the same number for the same face, and never for another one."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from agents.recognizer.core import Seen
from agents.recognizer.tracks import FORGET_S, LOOK_EVERYWHERE_S, Tracks
from agents.wire.identity import Box

WIDTH_PX, HEIGHT_PX, OTHER_FACE = 640, 360, 0.31


def box(left: int, top: int = 100, size: int = 100) -> Box:
    return Box(left=left, top=top, width=size, height=size)


def face(left: int, who: int = 0, top: int = 100, size: int = 100) -> Seen:
    encoding = np.zeros(8)
    encoding[who] = 1.0
    return Seen(box(left, top, size), box(left, top, size), encoding, 50.0)


def numbers(tracks: Tracks, now_s: float, *faces: Seen) -> list[int]:
    return [track.number for track in tracks.follow(faces, now_s)]


def test_a_face_that_moves_keeps_its_number() -> None:
    tracks = Tracks(OTHER_FACE)
    assert [numbers(tracks, i / 10, face(100 + 20 * i)) for i in range(10)] == [[0]] * 10


def test_two_faces_keep_theirs_whatever_order_they_come_in() -> None:
    tracks = Tracks(OTHER_FACE)
    assert numbers(tracks, 0, face(100, 0), face(400, 1)) == [0, 1]
    assert numbers(tracks, 0.1, face(410, 1), face(110, 0)) == [1, 0]


def test_another_face_in_the_same_place_is_another_track() -> None:
    tracks = Tracks(OTHER_FACE)
    assert numbers(tracks, 0, face(100, who=0)) == [0]
    assert numbers(tracks, 0.1, face(100, who=1)) == [1]


def test_a_face_that_crosses_another_ones_way_does_not_take_its_number() -> None:
    tracks = Tracks(OTHER_FACE)
    numbers(tracks, 0, face(100, 0), face(160, 1))
    assert numbers(tracks, 0.1, face(150, 0), face(110, 1)) == [0, 1]


def test_what_two_frames_say_together_is_kept_for_each_face_apart() -> None:
    tracks = Tracks(OTHER_FACE)
    tracks.follow([face(100, 0), face(400, 1)], 0)
    second = Seen(box(110), box(110), np.array([1.0, 0.2, *[0.0] * 6]), 50.0)
    one, other = tracks.follow([second, face(400, 1)], 0.1)
    assert 0.09 < one.mean[1] < 0.11
    assert other.mean[1] == 1.0


def test_a_face_far_from_where_it_was_is_new_and_so_is_one_that_was_away() -> None:
    tracks = Tracks(OTHER_FACE)
    assert numbers(tracks, 0, face(0)) == [0]
    assert numbers(tracks, 0.1, face(300)) == [1]
    assert numbers(tracks, 0.1 + FORGET_S, face(300)) == [1]
    assert numbers(tracks, 0.2 + 2 * FORGET_S, face(300)) == [2]


def test_it_is_looked_everywhere_until_there_is_a_face_then_around_it_and_everywhere_from_time_to_time() -> None:
    tracks = Tracks(OTHER_FACE)
    assert tracks.regions(WIDTH_PX, HEIGHT_PX, 0) is None
    assert tracks.regions(WIDTH_PX, HEIGHT_PX, 0.1) is None
    tracks.follow([face(100)], 0.1)
    assert tracks.regions(WIDTH_PX, HEIGHT_PX, 0.2) == [Box(left=25, top=25, width=250, height=250)]
    tracks.follow([face(100)], 0.2)
    assert tracks.regions(WIDTH_PX, HEIGHT_PX, 0.1 + LOOK_EVERYWHERE_S) is None
    assert tracks.regions(WIDTH_PX, HEIGHT_PX, 0.2 + LOOK_EVERYWHERE_S) is not None


def test_a_face_that_was_lost_is_looked_for_everywhere_in_the_very_next_frame() -> None:
    tracks = Tracks(OTHER_FACE)
    tracks.regions(WIDTH_PX, HEIGHT_PX, 0)
    tracks.follow([face(100)], 0)
    assert tracks.regions(WIDTH_PX, HEIGHT_PX, 0.1) is not None
    tracks.follow([], 0.1)
    assert tracks.regions(WIDTH_PX, HEIGHT_PX, 0.2) is None


def test_regions_that_overlap_are_one_so_that_no_face_is_found_twice() -> None:
    tracks = Tracks(OTHER_FACE)
    tracks.regions(WIDTH_PX, HEIGHT_PX, 0)
    tracks.follow([face(100, 0), face(220, 1), face(500, 2)], 0)
    assert tracks.regions(WIDTH_PX, HEIGHT_PX, 0.1) == [
        Box(left=25, top=25, width=370, height=250),
        Box(left=425, top=25, width=215, height=250),
    ]


faces = st.builds(
    face,
    st.integers(-200, 800),
    st.integers(0, 7),
    st.integers(-200, 500),
    st.integers(20, 600),
)


@given(st.lists(st.lists(faces, max_size=5), max_size=6), st.integers(1, 2000), st.integers(1, 2000))
def test_whatever_is_seen_every_face_has_a_number_of_its_own_and_regions_lie_in_the_picture_apart(
    frames: list[list[Seen]], width_px: int, height_px: int
) -> None:
    tracks = Tracks(OTHER_FACE)
    for i, seen in enumerate(frames):
        for region in tracks.regions(width_px, height_px, i / 10) or []:
            assert 0 <= region.left < region.left + region.width <= width_px
            assert 0 <= region.top < region.top + region.height <= height_px
        followed = tracks.follow(seen, i / 10)
        assert len({track.number for track in followed}) == len(seen)
        assert all(track.box == one.box for track, one in zip(followed, seen, strict=True))


@given(st.lists(faces, min_size=2, max_size=6))
def test_regions_never_overlap(seen: list[Seen]) -> None:
    tracks = Tracks(OTHER_FACE)
    tracks.regions(WIDTH_PX, HEIGHT_PX, 0)
    tracks.follow(seen, 0)
    painted = np.zeros((HEIGHT_PX, WIDTH_PX), int)
    for region in tracks.regions(WIDTH_PX, HEIGHT_PX, 0.1) or []:
        painted[region.top : region.top + region.height, region.left : region.left + region.width] += 1
    assert painted.max() <= 1
