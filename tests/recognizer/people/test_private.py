"""Files with faces are their owner's, and there whole or not at all."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from agents.recognizer.errors import StoreError
from agents.recognizer.people.private import new_file, shut


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_file_is_its_owners_alone_and_has_all_that_was_written(tmp_path: Path) -> None:
    with new_file(tmp_path / "a", force=False) as file:
        file.write(b"faces")
    assert (mode(tmp_path / "a"), (tmp_path / "a").read_bytes()) == (0o600, b"faces")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_file_that_is_there_is_written_over_only_by_force(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(b"the only photo of grandmother")
    path.chmod(0o644)
    with pytest.raises(StoreError, match=r"photo\.jpg: is there already; --force"), new_file(path, force=False):
        pytest.fail("nothing is made that could not be kept")
    assert path.read_bytes() == b"the only photo of grandmother"
    with new_file(path, force=True) as file:
        file.write(b"faces")
    assert (mode(path), path.read_bytes()) == (0o600, b"faces")


def half_written(path: Path) -> None:
    with new_file(path, force=True) as file:
        file.write(b"fa")
        raise StoreError("the gallery is damaged")


def test_what_ends_early_leaves_what_was_there_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "people.backup"
    path.write_bytes(b"the old one")
    with pytest.raises(StoreError, match="the gallery is damaged"):
        half_written(path)
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"the old one"]


def test_a_place_where_no_file_can_be_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere" / "a", tmp_path):
        with pytest.raises(StoreError, match=f"{path}: can't be written: "), new_file(path, force=True) as file:
            file.write(b"faces")
    assert list(tmp_path.iterdir()) == []


def test_what_others_could_read_is_shut_and_a_folder_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.touch()
    path.chmod(0o664)
    tmp_path.chmod(0o755)
    assert [shut(path), shut(tmp_path), shut(tmp_path / "nothing")] == [None] * 3
    assert (mode(path), mode(tmp_path)) == (0o600, 0o755)


def test_what_can_not_be_shut_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, mode: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    path = tmp_path / "a"
    path.touch()
    path.chmod(0o644)
    monkeypatch.setattr(Path, "chmod", refuse)  # as for a file of somebody else's
    assert (shut(path) or "").startswith(f"{path}: others on this machine can read it")
