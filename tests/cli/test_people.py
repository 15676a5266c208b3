"""`facelatch enroll`, `people` and `identify`, as typed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pytest

from agents.cli.main import main

HOUSE = """\
doors: { front: { relay: { pin: 17, pin_factory: mock } } }
cameras: { front: { source: 0 } }
scheduler: { timezone: Europe/Zagreb, doors: { front: { cameras: [front] } } }
"""


class Done(NamedTuple):
    status: int
    out: list[str]
    err: list[str]


Facelatch = Callable[..., Done]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "facelatch.yaml").write_text(HOUSE)
    return tmp_path


@pytest.fixture
def facelatch(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Facelatch:
    monkeypatch.delenv("FACELATCH_CONFIG", raising=False)
    monkeypatch.chdir(folder)

    def run(*arguments: str | Path) -> Done:
        status = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return Done(status, out.splitlines(), err.splitlines())

    return run


@pytest.fixture
def obama(facelatch: Facelatch, photos: dict[str, Path]) -> Facelatch:
    """The command, in a house where one man is enrolled from two photos."""
    assert facelatch("enroll", "Barack Obama", photos["obama.jpg"], photos["obama2.jpg"]).status == 0
    return facelatch


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
    assert faces[0]["box"]["width"] == pytest.approx(275, abs=20), "in pixels of the photo as it is"


def test_identified_people_are_told_in_plain_words_too(obama: Facelatch, photos: dict[str, Path]) -> None:
    (known,) = obama("identify", photos["obama3.jpg"]).out
    assert known.startswith(f"{photos['obama3.jpg']}: Barack Obama at distance 0.3")
    (unknown,) = obama("identify", photos["biden.jpg"]).out
    assert unknown.startswith(f"{photos['biden.jpg']}: unknown; the nearest person is at distance 0.8")


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


def test_people_are_listed_renamed_and_removed(obama: Facelatch, photos: dict[str, Path]) -> None:
    assert obama("people", "rename", "Barack Obama", "Barack").out == ["Barack Obama is now Barack"]
    for command in (("people", "--json"), ("people", "list", "--json"), ("people", "--json", "list")):
        (person,) = (json.loads(line) for line in obama(*command).out)
        assert (person["name"], person["photos"]) == ("Barack", 2)
    assert obama("people", "remove", "Barack").out == ["Barack is removed"]
    assert obama("people").out == ["nobody is enrolled yet: facelatch enroll NAME PHOTO…"]
    (nobody,) = obama("identify", photos["obama.jpg"]).out
    assert nobody.endswith("unknown; nobody is enrolled")


def test_a_misspelt_name_is_answered_with_the_nearest_one(obama: Facelatch) -> None:
    for command in (("remove", "barak obama"), ("rename", "barak obama", "Ana")):
        done = obama("people", *command)
        assert done.status == 1
        assert done.err[0].endswith("nobody called 'barak obama' is enrolled; did you mean Barack Obama?")


def test_a_name_is_the_same_however_its_accents_were_typed(facelatch: Facelatch, photos: dict[str, Path]) -> None:
    facelatch("enroll", "Kovac\u030c", photos["obama.jpg"])
    assert facelatch("people", "remove", "Kova\u010d").status == 0


def test_before_anybody_is_enrolled_the_list_is_empty_and_identify_says_why_not(
    facelatch: Facelatch, photos: dict[str, Path], folder: Path
) -> None:
    assert facelatch("people") == Done(0, ["nobody is enrolled yet: facelatch enroll NAME PHOTO…"], [])
    assert facelatch("people", "--json").out == []
    done = facelatch("identify", photos["obama.jpg"])
    assert done.status == 1
    assert done.err == [f"facelatch: {folder / 'data/gallery.sqlite'}: there is no gallery; nobody is enrolled yet"]


def test_a_damaged_gallery_is_an_error_with_its_path_and_left_as_it_is(
    facelatch: Facelatch, photos: dict[str, Path], folder: Path
) -> None:
    gallery = folder / "data" / "gallery.sqlite"
    gallery.parent.mkdir()
    gallery.write_text("damaged" * 500)
    for command in (("people",), ("people", "remove", "Ana"), ("enroll", "Ana", photos["obama.jpg"])):
        assert facelatch(*command) == Done(1, [], [f"facelatch: {gallery}: is no SQLite file"])
    assert gallery.read_text() == "damaged" * 500


def test_the_houses_file_may_be_named_before_or_after_the_action(
    obama: Facelatch, folder: Path, tmp_path: Path
) -> None:
    other = folder / "other.yaml"
    other.write_text(HOUSE + "recognizer: { gallery: elsewhere.sqlite }\n")
    for command in (("-c", other, "list"), ("list", "-c", other), ("-c", other)):
        assert obama("people", *command).out == ["nobody is enrolled yet: facelatch enroll NAME PHOTO…"]


@pytest.mark.parametrize(
    "command",
    [("enroll",), ("identify",), ("people",), ("people", "list"), ("people", "rename"), ("people", "remove")],
    ids=" ".join,
)
def test_every_help_has_an_example(command: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*command, "--help"])
    assert ended.value.code == 0
    _, example = capsys.readouterr().out.split("example:\n")
    assert example.startswith(f"  facelatch {' '.join(command)}")


WITHOUT = """
import importlib.abc, sys
class Missing(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name in ("cv2", "dlib", "numpy", "face_recognition_models"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Missing())
from agents.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize("command", [["enroll", "Ana", "a.jpg"], ["people"], ["identify", "a.jpg"]], ids=lambda c: c[0])
def test_on_a_machine_without_opencv_and_dlib_what_is_missing_is_named(command: list[str], folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, *command], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("facelatch: something is not installed: No module named ")
    assert "requirements/recognizer.txt" in done.stderr
