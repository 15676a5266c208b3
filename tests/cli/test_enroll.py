"""`facelatch enroll` from photos, as typed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from agents.recognizer.people.gallery import Gallery
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


def flipped(photo: Path, to: Path) -> Path:
    """Another photo of the same person: the mirror image, a little darker."""
    image = cv2.imread(str(photo))
    assert image is not None
    cv2.imwrite(str(to), (image[:, ::-1] * 0.8).astype(np.uint8))
    return to


def test_who_is_enrolled_already_is_not_enrolled_under_another_name(obama: Facelatch, photos: dict[str, Path]) -> None:
    done = obama("enroll", "Ivan", photos["obama3.jpg"])
    assert done.status == 1
    (line,) = done.err
    assert line.startswith(f"{photos['obama3.jpg']}: this is Barack Obama, who is enrolled already: distance 0.2")
    assert [line.partition(":")[0] for line in obama("people").out] == ["Barack Obama"]


def test_a_twin_is_enrolled_when_that_is_said(obama: Facelatch, photos: dict[str, Path]) -> None:
    assert obama("enroll", "Twin", photos["obama3.jpg"], "--although-like", "Barack Obama").status == 0
    done = obama("enroll", "Twin", photos["obama3.jpg"], "--although-like", "Barak Obama")
    assert done.status == 1
    assert done.err[0].endswith("did you mean Barack Obama?")


def test_before_anybody_is_enrolled_nobody_is_a_twin(facelatch: Facelatch, photos: dict[str, Path]) -> None:
    done = facelatch("enroll", "Ana", photos["obama.jpg"], "--although-like", "Eva")
    assert done == (1, [], ["facelatch: nobody is enrolled whom a new person could be like"])


def test_somebody_elses_photo_among_a_persons_own_is_refused_and_the_others_are_stored(
    facelatch: Facelatch, photos: dict[str, Path], one_engine: Engine
) -> None:
    names = ["obama.jpg", "biden.jpg", "obama2.jpg"]
    done = facelatch("enroll", "Barack", *(photos[name] for name in names))
    assert done.status == 1
    (line,) = done.err
    assert line.startswith(f"{photos['biden.jpg']}: does not look like Barack's other photos: distance 0.")
    assert done.out[-1].startswith("Barack: 2 photos in all")


def test_the_same_picture_saved_anew_is_skipped_as_no_news(
    obama: Facelatch, photos: dict[str, Path], folder: Path
) -> None:
    image = cv2.imread(str(photos["obama.jpg"]))
    assert image is not None
    cv2.imwrite("again.jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 90])
    done = obama("enroll", "Barack Obama", "again.jpg")
    assert done.status == 0
    assert done.out[0].startswith("again.jpg: skipped, nearly the same picture as one that is enrolled: distance 0.0")
    assert done.out[1].startswith("Barack Obama: 2 photos in all")


def test_a_folder_stands_for_the_pictures_in_it(
    facelatch: Facelatch, photos: dict[str, Path], folder: Path, one_engine: Engine
) -> None:
    person = folder / "barack"
    person.mkdir()
    for name in ("obama.jpg", "obama2.jpg"):
        (person / name).symlink_to(photos[name])
    for junk in (".DS_Store", "notes.txt"):
        (person / junk).write_text("")
    done = facelatch("enroll", "Barack", person)
    assert done.status == 0
    assert done.err == [
        f"{person}/.DS_Store: skipped, hidden",
        f"{person}/notes.txt: skipped, not named like a picture (.jpg, .jpeg, .png)",
    ]
    assert done.out[:2] == [f"{person}/obama.jpg: enrolled", f"{person}/obama2.jpg: enrolled"]


def test_an_empty_folder_is_an_error(facelatch: Facelatch, folder: Path, one_engine: Engine) -> None:
    (folder / "nobody").mkdir()
    assert facelatch("enroll", "Ana", folder / "nobody") == (1, [], ["there is no picture"])


@pytest.fixture
def album(folder: Path, photos: dict[str, Path]) -> Path:
    """A folder of folders: two people, and a photo that is not of the one whose folder it is in."""
    contents = {"Barack Obama": ["obama.jpg", "obama2.jpg", "obama3.jpg"], "Joe Biden": ["biden.jpg"]}
    for name, files in contents.items():
        (folder / "album" / name).mkdir(parents=True)
        for file in files:
            (folder / "album" / name / file).symlink_to(photos[file])
    return folder / "album"


def test_a_folder_of_folders_is_a_house_full_of_people(facelatch: Facelatch, album: Path, one_engine: Engine) -> None:
    (album / "readme.txt").write_text("")
    done = facelatch("enroll", "--from-folder", album)
    assert done.status == 0
    assert done.out == ["Barack Obama: 3 enrolled", "Joe Biden: 1 enrolled", "2 people got 4 new photos; 0 refused"]
    assert done.err == [f"{album}/readme.txt: skipped, not a person's folder"]
    again = facelatch("enroll", "--from-folder", album)
    assert (again.status, again.out[-1]) == (0, "0 people got 0 new photos; 0 refused")


def test_what_is_refused_in_a_folder_of_folders_is_told_at_the_end_and_the_rest_is_done(
    facelatch: Facelatch, album: Path, photos: dict[str, Path], one_engine: Engine
) -> None:
    (album / "Ivan").mkdir()
    flipped(photos["obama3.jpg"], album / "Ivan/selfie.jpg")
    (album / "Nobody").mkdir()
    (album / "Barack Obama/wrong.jpg").symlink_to(photos["astronaut.png"])
    done = facelatch("enroll", "--from-folder", album)
    assert done.status == 1
    assert done.out == [
        "Barack Obama: 3 enrolled, 1 refused",
        "Ivan: 0 enrolled, 1 refused",
        "Joe Biden: 1 enrolled",
        "Nobody: 0 enrolled",
        "2 people got 4 new photos; 3 refused",
    ]
    assert [line.partition(": ")[0] for line in done.err] == [
        f"{album}/Barack Obama/wrong.jpg",
        f"{album}/Ivan/selfie.jpg",
        f"{album}/Nobody",
    ]
    assert "this is Barack Obama, who is enrolled already" in done.err[1]


def test_folders_whose_names_can_not_be_names_are_all_told_before_anything_is_done(
    facelatch: Facelatch, album: Path, folder: Path
) -> None:
    for name in ("unknown", "x" * 65):
        (album / name).mkdir()
    done = facelatch("enroll", "--from-folder", album)
    assert done.status == 1
    assert done.err[0] == "facelatch: nothing was done; rename these folders:"
    assert [line.split(" ")[0] for line in done.err[1:]] == ["'unknown'", "'" + "x" * 65 + "'"]
    assert not (folder / "data").exists()


def test_a_folder_without_folders_is_answered_with_the_command_for_one_person(
    facelatch: Facelatch, folder: Path
) -> None:
    (folder / "ana").mkdir()
    done = facelatch("enroll", "--from-folder", "ana")
    assert done.err == ["facelatch: ana has no folders in it: for one person, facelatch enroll NAME ana"]
    assert facelatch("enroll", "--from-folder", "nowhere").err == ["facelatch: nowhere is not a folder"]


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("Ana",),
        ("Ana", "a.jpg", "--camera", "front"),
        ("Ana", "--camera", "front", "--from-folder", "album"),
        ("--camera", "front"),
        ("Ana", "--from-folder", "album"),
    ],
    ids=" ".join,
)
def test_one_name_and_one_source_are_wanted(words: tuple[str, ...], facelatch: Facelatch) -> None:
    with pytest.raises(SystemExit) as ended:
        facelatch("enroll", *words)
    assert ended.value.code == 2


def test_where_dlibs_detector_is_used_it_is_said_once_that_poses_are_not_checked(
    facelatch: Facelatch, photos: dict[str, Path], folder: Path
) -> None:
    (folder / "facelatch.yaml").write_text(HOUSE + "recognizer: { detector: hog }\n")
    done = facelatch("enroll", "Barack", photos["obama.jpg"], photos["obama2.jpg"])
    assert done.status == 0
    assert done.err == ["facelatch: dlib's detector can't tell how a head is turned: that is not checked"]
