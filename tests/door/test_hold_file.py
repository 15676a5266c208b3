"""The file that remembers the hold time."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.door import hold_file
from agents.door.hold_file import HoldFileError, Remembered

WANTED = Remembered(hold_s=4.5, configured_s=3.0)
NAME = "door-front.hold.json"


def test_where_there_is_no_file_yet_nothing_is_remembered(tmp_path: Path) -> None:
    assert hold_file.load(tmp_path / "not yet there" / NAME) is None


def test_what_was_saved_is_loaded_also_from_a_folder_that_was_not_there(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / NAME
    hold_file.save(path, WANTED)
    assert hold_file.load(path) == WANTED
    assert path.read_bytes() == b'{"hold_s":4.5,"configured_s":3.0}'
    assert [file.name for file in path.parent.iterdir()] == [NAME]


DAMAGED = [
    b"", b"{", b'{"hold_s":4.5', b"\xff\xfe", b"\0" * 64, b"null", b"4.5", b'{"hold_s":4.5}', b"[" * 100_000,
    b'{"hold_s":NaN,"configured_s":3}', b'{"hold_s":"4.5","configured_s":3}', b'{"hold_s":4.5,"configured_s":3,"x":1}',
    b"[" * 10_000,
]  # fmt: skip


@pytest.mark.parametrize("content", DAMAGED, ids=lambda content: repr(content[:40]))
def test_a_damaged_file_is_an_error_that_names_it(content: bytes, tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(content)
    with pytest.raises(HoldFileError, match=NAME):
        hold_file.load(tmp_path / NAME)


def test_a_file_that_can_not_be_read_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    with pytest.raises(HoldFileError, match=NAME):
        hold_file.load(tmp_path / NAME)


@pytest.mark.parametrize("step", ["os.fsync", "pathlib.Path.replace"])
def test_when_saving_fails_half_way_the_old_file_is_whole(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold_file.save(tmp_path / NAME, WANTED)

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(step, fail)
        with pytest.raises(HoldFileError, match=rf"{NAME}: can't be written: .*No space left"):
            hold_file.save(tmp_path / NAME, Remembered(hold_s=9, configured_s=3))
    assert hold_file.load(tmp_path / NAME) == WANTED
