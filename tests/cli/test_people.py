"""`facelatch people`, as typed."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from agents.recognizer.vision.engine import Engine
from agents.scheduler.journal import FILE, Journal
from tests.cli.conftest import HOUSE, Done, Facelatch
from tests.recognizer.jpegs import jpeg
from tests.scheduler.journals import left_of, write


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
    for command in [
        *((action, "barak obama") for action in ("remove", "disable", "enable", "show")),
        ("rename", "barak obama", "Ana"),
    ]:
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


def test_the_list_tells_who_is_disabled_and_what_is_ignored(
    facelatch: Facelatch, photos: dict[str, Path], enrolled: Callable[..., Path], one_engine: Engine
) -> None:
    enrolled("Ana", "Eva")
    assert facelatch("people", "disable", "Eva").out == ["Eva is disabled"]
    done = facelatch("people", "ignore", "poster", photos["obama.jpg"])
    assert done.out[-1] == "poster: 1 photo in all; on the ignore list"
    starts = (
        "Ana: 1 photo, since 20",
        "Eva: disabled, 1 photo, since 20",
        "poster: on the ignore list, 1 photo, since",
    )
    for line, start in zip(facelatch("people").out, starts, strict=True):
        assert line.startswith(start)
    people = [json.loads(line) for line in facelatch("people", "--json").out]
    assert [(p["name"], p["disabled"], p["ignored"]) for p in people] == [
        ("Ana", False, False),
        ("Eva", True, False),
        ("poster", False, True),
    ]
    assert facelatch("people", "enable", "Eva").out == ["Eva is enabled"]
    assert facelatch("people").out[1].startswith("Eva: 1 photo")


def test_a_label_of_the_ignore_list_is_nobodys_name(
    facelatch: Facelatch, photos: dict[str, Path], enrolled: Callable[..., Path], one_engine: Engine
) -> None:
    gallery = enrolled("Ana")
    done = facelatch("people", "ignore", "Ana", photos["obama.jpg"])
    assert done == (1, [], [f"facelatch: {gallery}: 'Ana' is a person who is enrolled"])
    assert "can't be a person's name" in facelatch("people", "ignore", "unknown", photos["obama.jpg"]).err[0]


def test_a_photo_for_the_ignore_list_goes_through_the_same_gates(
    facelatch: Facelatch, folder: Path, one_engine: Engine
) -> None:
    cv2.imwrite("grey.png", np.full((300, 300, 3), 128, np.uint8))
    assert facelatch("people", "ignore", "poster", "grey.png") == (1, [], ["grey.png: no face found"])
    assert not (folder / "data").exists()


def test_what_is_kept_of_a_person_is_shown_photo_by_photo(facelatch: Facelatch, enrolled: Callable[..., Path]) -> None:
    enrolled("Ana", crop=jpeg())
    head, photo = facelatch("people", "show", "Ana").out
    assert head.startswith("Ana: 1 photo, since 20")
    assert "dlib-resnet-v1/mirrored  crop kept  SHA-256 photo of Ana" in photo
    shown = json.loads(facelatch("people", "show", "Ana", "--json").out[0])
    assert shown["photos"] == [
        {
            "photo_sha256": "photo of Ana",
            "encoder": "dlib-resnet-v1/mirrored",
            "enrolled_at": 1_800_000_000.0,
            "crop": True,
        }
    ]


def test_a_contact_sheet_is_drawn_for_its_owner_alone_and_over_no_other_file(
    facelatch: Facelatch, enrolled: Callable[..., Path]
) -> None:
    enrolled("Ana", crop=jpeg())
    assert facelatch("people", "show", "Ana", "--sheet", "ana.png").out == ["ana.png: 1 face of 1 photo"]
    sheet = cv2.imread("ana.png")
    assert sheet is not None
    assert sheet.shape[1] > 200
    assert stat.S_IMODE(Path("ana.png").stat().st_mode) == 0o600
    done = facelatch("people", "show", "Ana", "--sheet", "ana.png")
    assert done == (1, [], ["facelatch: ana.png: is there already; --force writes over it"])
    assert facelatch("people", "show", "Ana", "--sheet", "ana.png", "--force").status == 0


def test_without_crops_there_is_no_sheet_and_it_is_said_how_to_keep_them(
    facelatch: Facelatch, enrolled: Callable[..., Path]
) -> None:
    enrolled("Ana")
    done = facelatch("people", "show", "Ana", "--sheet", "ana.png")
    assert done.status == 1
    assert "no pictures of Ana are kept: set keep_crops: true under recognizer" in done.err[0]
    assert not Path("ana.png").exists()


def test_a_gallery_that_others_can_read_and_that_can_not_be_shut_is_warned_of(
    facelatch: Facelatch, enrolled: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, mode: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    gallery = enrolled("Ana")
    gallery.chmod(0o644)
    monkeypatch.setattr(Path, "chmod", refuse)  # as for a file of somebody else's
    done = facelatch("people")
    assert (done.status, len(done.out)) == (0, 1)
    assert done.err[0].startswith(f"facelatch: warning: {gallery}: others on this machine can read it")


def test_a_persons_history_can_be_removed_along(
    facelatch: Facelatch, enrolled: Callable[..., Path], folder: Path
) -> None:
    enrolled("Ana", "Ivan", "Eva")
    with Journal(folder / "data" / FILE) as journal:
        write(journal, 3, "Ana")
        write(journal, 2, "Ivan")
        assert facelatch("people", "remove", "Ivan").out == ["Ivan is removed"]
        assert len(facelatch("log", "--person", "Ivan").out) == 2
        assert facelatch("people", "remove", "Ana", "--history").out == [
            "Ana is removed",
            "3 records and 0 pictures of Ana are erased",
        ]
        assert left_of("Ana", folder / "data") == []
        assert len(facelatch("log", "--person", "Ivan").out) == 2
    assert facelatch("log", "verify").status == 0
    assert facelatch("people", "remove", "Eva", "--history").out[-1] == "0 records and 0 pictures of Eva are erased"


def test_a_history_that_is_not_on_this_machine_is_not_passed_over_in_silence(
    facelatch: Facelatch, enrolled: Callable[..., Path], folder: Path
) -> None:
    enrolled("Ana Kovač")
    done = facelatch("people", "remove", "Ana Kovač", "--history")
    assert (done.status, done.out) == (1, ["Ana Kovač is removed"])
    assert done.err == [
        f"facelatch: {folder / 'data' / FILE}: there is no journal yet; the scheduler begins one when it starts",
        "Where the scheduler runs: facelatch log forget 'Ana Kovač'",
    ]


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


COMMANDS = [
    "enroll Ana a.jpg",
    "people",
    "people show Ana",
    "calibrate",
    "people export a",
    "people unknown",
    "identify a.jpg",
]


@pytest.mark.parametrize("command", COMMANDS)
def test_on_a_machine_without_opencv_and_dlib_what_is_missing_is_named(command: str, folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, *command.split()],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("facelatch: something is not installed: No module named ")
    assert "requirements/recognizer.txt" in done.stderr


def test_one_photo_can_be_removed_by_its_number_but_not_the_last(obama: Facelatch) -> None:
    shown = obama("people", "show", "Barack Obama").out
    assert [line.split(":")[0].strip() for line in shown[1:]] == ["1", "2"]
    done = obama("people", "remove", "Barack Obama", "--photo", "3")
    assert (done.status, done.out) == (1, [])
    assert "has no photo 3" in done.err[0]
    assert obama("people", "remove", "Barack Obama", "--photo", "1").status == 0
    (left,) = obama("people", "show", "Barack Obama").out[1:]
    assert left.split("SHA-256 ")[1] == shown[2].split("SHA-256 ")[1]
    assert obama("people", "remove", "Barack Obama", "--photo", "1").status == 1
    assert len(obama("people", "show", "Barack Obama").out) == 2
