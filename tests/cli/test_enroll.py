"""`facelatch enroll` from photos, as typed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from agents.recognizer.gallery import Gallery
from agents.recognizer.picture import decode_frame
from agents.recognizer.vision.engine import Engine
from tests.cli.conftest import HOUSE, Facelatch


def test_refused_photos_get_a_reason_each_and_the_good_ones_are_stored(
    facelatch: Facelatch, photos: dict[str, Path], folder: Path
) -> None:
    cv2.imwrite("grey.png", np.full((300, 300, 3), 128, np.uint8))
    Path("notes.txt").write_text("not a picture")
    good = photos["obama.jpg"]
    done = facelatch("enroll", "Ana Kovač", "grey.png", good, "notes.txt", "nothing.jpg")
    assert done.status == 1
    assert done.err == [
        "grey.png: no face found",
        "notes.txt: is neither a JPEG nor a PNG picture",
        "nothing.jpg: can't be read: No such file or directory",
    ]
    assert done.out[0] == f"{good}: enrolled"
    assert done.out[1].startswith("Ana Kovač: 1 photo in all")
    assert facelatch("people").out[0].startswith("Ana Kovač: 1 photo, since 20")


def test_when_every_photo_is_refused_nobody_is_enrolled(facelatch: Facelatch, folder: Path) -> None:
    assert facelatch("enroll", "Ana", "nothing.jpg").status == 1
    assert not (folder / "data").exists()


def test_enrolling_the_same_photo_again_changes_nothing_and_is_no_error(
    obama: Facelatch, photos: dict[str, Path]
) -> None:
    done = obama("enroll", "Barack Obama", photos["obama.jpg"])
    assert done.status == 0
    assert done.out[0] == f"{photos['obama.jpg']}: skipped, enrolled already"
    assert done.out[1].startswith("Barack Obama: 2 photos in all")


@pytest.mark.parametrize("name", ["unknown", "None", "", " Ana", "A\nB", "x" * 65])
def test_a_name_that_can_not_be_one_is_refused_before_anything_is_done(
    name: str, facelatch: Facelatch, photos: dict[str, Path], folder: Path
) -> None:
    done = facelatch("enroll", name, photos["obama.jpg"])
    assert done.status == 1
    assert done.err[0].startswith("facelatch: ")
    assert "can't be a person's name" in done.err[0]
    assert not (folder / "data").exists()


def test_pictures_of_faces_are_kept_only_where_the_house_says_so(
    facelatch: Facelatch, photos: dict[str, Path], folder: Path, one_engine: Engine
) -> None:
    def crops() -> list[bytes | None]:
        with Gallery(folder / "data" / "gallery.sqlite") as gallery:
            return [photo.crop for photo in gallery.photos("Ana")]

    facelatch("enroll", "Ana", photos["obama.jpg"])
    assert crops() == [None]
    (folder / "facelatch.yaml").write_text(HOUSE + "recognizer: { keep_crops: true }\n")
    facelatch("enroll", "Ana", photos["obama.jpg"], photos["obama2.jpg"])
    assert [max(decode_frame(crop or b"", 160_000).shape) <= 400 for crop in crops()] == [True, True]


def test_who_is_disabled_stays_so_with_another_photo_and_is_said_to_be(
    obama: Facelatch, photos: dict[str, Path]
) -> None:
    obama("people", "disable", "Barack Obama")
    assert obama("enroll", "Barack Obama", photos["obama3.jpg"]).out[-1] == (
        "Barack Obama: 3 photos in all; disabled: facelatch people enable lets them in again"
    )


def test_encodings_of_two_encoders_are_not_mixed_and_the_way_out_is_said(
    facelatch: Facelatch, photos: dict[str, Path], enrolled: Callable[..., Path], one_engine: Engine
) -> None:
    gallery = enrolled("Ana", encoder="arcface")
    done = facelatch("enroll", "Barack Obama", photos["obama.jpg"])
    assert done == (
        1,
        [],
        [
            f"facelatch: {gallery}: Ana was encoded by 'arcface', not by {one_engine.encoder}:"
            " no crops were kept; remove and enroll anew: Ana"
        ],
    )
