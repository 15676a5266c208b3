"""`facelatch people unknown`, as typed."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import pytest

from agents.cli.main import main
from agents.recognizer.people.unknowns import FILE, UnknownFace, UnknownFile
from agents.runtime.clock import Clock
from tests.cli.conftest import HOUSE, Facelatch
from tests.recognizer.jpegs import jpeg

KEEPING = HOUSE + "clock: trust\nrecognizer: { keep_unknown: { max_count: 2 } }\n"


@pytest.fixture
def kept(folder: Path) -> Path:
    """A house that keeps strangers, and has seen three, one of them long ago."""
    (folder / "facelatch.yaml").write_text(KEEPING)
    now = Clock().now().utc
    with UnknownFile(folder / "data" / FILE, create=True) as file:
        for camera, ago_s in (("yard", 900_000), ("front", 60), ("front", 0)):
            file.add(UnknownFace(camera, now - ago_s, "dlib", b"", jpeg()))
    return folder / "data" / FILE


def test_the_strangers_that_were_kept_are_listed_within_the_limits(facelatch: Facelatch, kept: Path) -> None:
    *faces, total = facelatch("people", "unknown").out
    assert [line.split(": 20")[0] for line in faces] == ["front", "front"]
    assert total == "2 faces; kept for 7 days, at most 2"
    listed = [json.loads(line) for line in facelatch("people", "unknown", "--json").out]
    assert [set(face) for face in listed] == [{"camera", "seen_at", "encoder"}] * 2
    assert listed[0]["seen_at"] > listed[1]["seen_at"]


def test_the_strangers_that_were_kept_are_drawn(facelatch: Facelatch, kept: Path) -> None:
    assert facelatch("people", "unknown", "--sheet", "strangers.png").out == ["strangers.png: 2 faces"]
    assert cv2.imread("strangers.png") is not None
    assert facelatch("people", "unknown", "--sheet", "strangers.png").status == 1


@pytest.mark.parametrize("damaged", [False, True])
def test_the_strangers_that_were_kept_can_be_erased(facelatch: Facelatch, kept: Path, damaged: bool) -> None:
    if damaged:
        kept.write_text("not a database")
        assert facelatch("people", "unknown").err == [f"facelatch: {kept}: is no SQLite file"]
    assert facelatch("people", "unknown", "clear").out == (["erased"] if damaged else ["3 faces erased"])
    assert facelatch("people", "unknown").out == ["0 faces; kept for 7 days, at most 2"]


def test_where_strangers_are_not_kept_it_is_said_and_what_is_left_of_before(facelatch: Facelatch, kept: Path) -> None:
    Path("facelatch.yaml").write_text(HOUSE)
    *_, total = facelatch("people", "unknown").out
    assert total.startswith("strangers are forgotten, as there is no keep_unknown under recognizer")
    assert total.endswith("; the 3 faces kept before will be erased when the recognizer starts")
    kept.unlink()
    assert facelatch("people", "unknown").out == [total.split(";")[0]]
    assert facelatch("people", "unknown", "clear").out == ["there was nothing to erase"]
    assert facelatch("people", "unknown", "--sheet", "a.png").err == ["facelatch: no strangers' faces are kept"]


def test_its_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["people", "unknown", "clear", "--help"])
    assert "example:\n  facelatch people unknown clear\n" in capsys.readouterr().out
