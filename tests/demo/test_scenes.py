"""The demo's pictures: what its camera sees has to be worth recognising."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import cv2
import dlib
import numpy as np
import pytest
from numpy.typing import NDArray

from demo.scenes import HEIGHT_PX, WIDTH_PX, arriving, hallway, visit

VISITS = [["obama3.jpg"], ["biden.jpg"], ["obama3.jpg", "astronaut.png"]]


@pytest.fixture(scope="module")
def find_faces() -> dlib.fhog_object_detector:
    return dlib.get_frontal_face_detector()


def stills(folder: Path) -> list[NDArray[np.uint8]]:
    return [decoded(path) for path in sorted(folder.iterdir())]


def decoded(path: Path) -> NDArray[np.uint8]:
    picture = cv2.imread(str(path))
    assert picture is not None
    return picture.astype(np.uint8)


def widths_px(picture: NDArray[np.uint8], find_faces: dlib.fhog_object_detector) -> list[int]:
    """Of the faces that the recognizer's detector finds at its default, without enlarging the picture."""
    return [face.width() for face in find_faces(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), 0)]


def test_nobody_is_in_the_hallway(tmp_path: Path, find_faces: dlib.fhog_object_detector) -> None:
    hallway(tmp_path)
    pictures = stills(tmp_path)
    assert len(pictures) == 8
    assert [widths_px(picture, find_faces) for picture in pictures] == [[]] * 8


@pytest.mark.parametrize("people", VISITS, ids=" and ".join)
def test_every_visitor_who_stands_there_is_found_and_large_enough(
    people: list[str], photos: dict[str, Path], tmp_path: Path, find_faces: dlib.fhog_object_detector
) -> None:
    visit(tmp_path, [photos[name] for name in people])
    pictures = stills(tmp_path)
    assert len(pictures) == 12
    for picture in pictures[arriving(12) :]:
        found = widths_px(picture, find_faces)
        assert len(found) == len(people)
        assert min(found) >= 100


def test_visitors_come_nearer(photos: dict[str, Path], tmp_path: Path, find_faces: dlib.fhog_object_detector) -> None:
    visit(tmp_path, [photos["obama3.jpg"]])
    first, *_, last = stills(tmp_path)
    assert max(widths_px(first, find_faces), default=0) < max(widths_px(last, find_faces))


def test_the_same_call_makes_the_same_pictures(photos: dict[str, Path], tmp_path: Path) -> None:
    for folder in ("one", "two"):
        hallway(tmp_path / folder / "hallway", count=3)
        visit(tmp_path / folder / "visit", [photos["biden.jpg"], photos["obama3.jpg"]], count=4)
    one, two = (
        {p.relative_to(tmp_path / f): p.read_bytes() for p in tmp_path.glob(f"{f}/*/*")} for f in ("one", "two")
    )
    assert len(one) == 7
    assert one == two


def test_every_picture_has_the_cameras_size_and_is_like_no_other(photos: dict[str, Path], tmp_path: Path) -> None:
    hallway(tmp_path / "hallway")
    visit(tmp_path / "visit", [photos["obama3.jpg"]])
    for folder in (tmp_path / "hallway", tmp_path / "visit"):
        pictures = stills(folder)
        assert {picture.shape for picture in pictures} == {(HEIGHT_PX, WIDTH_PX, 3)}
        assert len({picture.tobytes() for picture in pictures}) == len(pictures)
        assert all(cv2.absdiff(one, next_one).mean() > 1 for one, next_one in pairwise(pictures))


def test_pictures_are_named_in_their_order(tmp_path: Path) -> None:
    hallway(tmp_path, count=12)
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{index:03}.jpg" for index in range(12)]


@pytest.mark.parametrize(
    ("people", "complaint"),
    [
        (["obama2.jpg"], r"nobody was cut out of obama2\.jpg; there are .*obama3\.jpg"),
        ([], "one or two people can visit, not 0"),
        (["obama3.jpg", "biden.jpg", "astronaut.png"], "one or two people can visit, not 3"),
    ],
)
def test_who_cannot_visit_is_told_why(
    people: list[str], complaint: str, photos: dict[str, Path], tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=complaint):
        visit(tmp_path / "visit", [photos[name] for name in people])
    assert not (tmp_path / "visit").exists()
