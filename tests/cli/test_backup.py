"""`facelatch people export`, `import` and `reencode`, as typed."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from agents.recognizer.vision.engine import Engine
from tests.cli.conftest import HOUSE, Facelatch

pytestmark = pytest.mark.usefixtures("one_engine")


def test_a_house_is_moved_to_another_machine_by_one_file(
    obama: Facelatch, photos: dict[str, Path], folder: Path
) -> None:
    assert obama("people", "export", "people.backup").out == ["people.backup: 1 person"]
    assert stat.S_IMODE(Path("people.backup").stat().st_mode) == 0o600
    shutil.rmtree(folder / "data")
    assert obama("people", "import", "people.backup").out == ["1 person and 2 photos added"]
    assert "Barack Obama at distance" in obama("identify", photos["obama3.jpg"]).out[0]


def test_a_backup_is_written_over_only_by_force(facelatch: Facelatch, enrolled: Callable[..., Path]) -> None:
    enrolled("Ana")
    Path("keys").write_text("something else")
    done = facelatch("people", "export", "keys")
    assert done == (1, [], ["facelatch: keys: is there already; --force writes over it"])
    assert Path("keys").read_text() == "something else"
    assert facelatch("people", "export", "keys", "--force").status == 0


def test_who_is_there_already_is_named_and_merging_adds_the_others(
    facelatch: Facelatch, enrolled: Callable[..., Path]
) -> None:
    gallery = enrolled("Ana", "Eva")
    facelatch("people", "export", "people.backup")
    facelatch("people", "remove", "Eva")
    done = facelatch("people", "import", "people.backup")
    assert done == (
        1,
        [],
        [f"facelatch: {gallery}: nothing was changed; already there: Ana; --merge adds only what is missing"],
    )
    assert facelatch("people", "import", "people.backup", "--merge").out == ["1 person and 1 photo added"]
    assert len(facelatch("people").out) == 2


def test_a_damaged_backup_is_refused_before_a_gallery_is_made_for_it(
    facelatch: Facelatch, enrolled: Callable[..., Path]
) -> None:
    gallery = enrolled("Ana")
    facelatch("people", "export", "people.backup")
    gallery.unlink()
    whole = Path("people.backup").read_bytes()
    Path("people.backup").write_bytes(whole.replace(b"Ana", b"Eva"))
    done = facelatch("people", "import", "people.backup")
    assert done == (1, [], ["facelatch: people.backup: is damaged: it is not what was exported"])
    assert not gallery.exists()


def test_before_anybody_is_enrolled_there_is_nothing_to_export(facelatch: Facelatch) -> None:
    done = facelatch("people", "export", "people.backup")
    assert done.status == 1
    assert "there is no gallery; nobody is enrolled yet" in done.err[0]
    assert not Path("people.backup").exists()


def test_after_a_change_of_encoder_people_are_encoded_anew_from_their_crops(
    facelatch: Facelatch, photos: dict[str, Path], folder: Path, one_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "facelatch.yaml").write_text(HOUSE + "recognizer: { keep_crops: true }\n")
    with monkeypatch.context() as before:
        before.setattr(one_engine, "encoder", "the one before")
        facelatch("enroll", "Barack Obama", photos["obama.jpg"], photos["obama2.jpg"])
    refused = facelatch("identify", photos["obama3.jpg"])
    assert refused.err[0].endswith(f"not by {one_engine.encoder}: run facelatch people reencode")
    done = facelatch("people", "reencode")
    assert done.out == [f"2 photos encoded anew; all are by {one_engine.encoder}"]
    assert "Barack Obama at distance" in facelatch("identify", photos["obama3.jpg"]).out[0]


def test_without_crops_nobody_is_encoded_anew_and_everybody_concerned_is_named(
    facelatch: Facelatch, enrolled: Callable[..., Path]
) -> None:
    enrolled("Ana", "Eva", encoder="arcface")
    done = facelatch("people", "reencode")
    assert done.status == 1
    assert done.err[0].endswith("no crops were kept; remove and enroll anew: Ana, Eva")
