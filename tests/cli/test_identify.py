"""`facelatch identify`, as typed."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.cli.conftest import Facelatch


def test_enrolled_from_two_photos_a_man_is_identified_on_a_third_and_others_are_not(
    obama: Facelatch, photos: dict[str, Path]
) -> None:
    images = [photos[name] for name in ("obama3.jpg", "biden.jpg", "astronaut.png")]
    done = obama("identify", "--json", *images)
    faces = [json.loads(line) for line in done.out]
    assert (done.status, done.err) == (0, [])
    assert [face["file"] for face in faces] == [str(image) for image in images]
    assert [face["person"] for face in faces] == ["Barack Obama", None, None]
    assert [face["distance"] < 0.42 for face in faces] == [True, False, False]
    assert {face["margin"] for face in faces} == {None}
    assert set(faces[0]) == {"file", "box", "person", "distance", "margin"}
    assert faces[0]["box"]["width"] == pytest.approx(275, abs=50), "in pixels of the photo as it is"


def test_identified_people_are_told_in_plain_words_too(obama: Facelatch, photos: dict[str, Path]) -> None:
    (known,) = obama("identify", photos["obama3.jpg"]).out
    assert known.startswith(f"{photos['obama3.jpg']}: Barack Obama at distance 0.2")
    (unknown,) = obama("identify", photos["biden.jpg"]).out
    assert unknown.startswith(f"{photos['biden.jpg']}: unknown; the nearest person is at distance 0.6")


def test_a_picture_without_a_face_says_so_and_one_that_is_none_fails(
    obama: Facelatch, photos: dict[str, Path], folder: Path
) -> None:
    cv2.imwrite("grey.png", np.full((300, 300, 3), 128, np.uint8))
    done = obama("identify", "grey.png", "nothing.jpg", photos["obama.jpg"])
    assert done.status == 1
    assert done.err == ["nothing.jpg: can't be read: No such file or directory"]
    assert done.out[0] == "grey.png: no face found"
    assert "Barack Obama" in done.out[1]
    assert obama("identify", "--json", "grey.png").out == []


def test_a_disabled_man_is_nobody_until_he_is_enabled(obama: Facelatch, photos: dict[str, Path]) -> None:
    words = []
    for action in ("disable", "enable"):
        obama("people", action, "Barack Obama")
        words += obama("identify", photos["obama3.jpg"]).out
    assert [": Barack Obama at distance" in line for line in words] == [False, True]


def test_a_face_on_the_ignore_list_is_nobody(facelatch: Facelatch, photos: dict[str, Path]) -> None:
    facelatch("people", "ignore", "poster of a president", photos["obama.jpg"], photos["obama2.jpg"])
    facelatch("enroll", "Joe Biden", photos["biden.jpg"])
    (line,) = facelatch("identify", "--json", photos["obama3.jpg"]).out
    assert json.loads(line)["person"] is None
