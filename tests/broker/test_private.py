"""Files that only their owner reads."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from broker import BrokerError, private


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_file_is_its_owners_only_whatever_the_umask_and_whatever_it_was(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(b"old")
    path.chmod(0o666)
    before = os.umask(0)
    try:
        assert private.write(path, b"new")
    finally:
        os.umask(before)
    assert (path.read_bytes(), mode(path)) == (b"new", 0o600)
    path.chmod(0o644)
    assert not private.write(path, b"new")
    assert mode(path) == 0o600


def test_a_secret_is_never_open_to_others_even_while_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: seen.append(os.fstat(descriptor).st_mode & 0o777))
    before = os.umask(0)
    try:
        private.write(tmp_path / "key", b"new")
        private.write(tmp_path / "certificate", b"new", mode=0o644)
    finally:
        os.umask(before)
    assert seen == [0o600, 0o600]
    assert mode(tmp_path / "certificate") == 0o644


def test_a_file_that_can_not_be_written_is_what_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "key"
    private.write(path, b"old")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        private.write(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_folders_are_made_shut_and_shut_again(tmp_path: Path) -> None:
    private.make_folder(tmp_path / "data" / "broker")
    assert [mode(tmp_path / "data"), mode(tmp_path / "data" / "broker")] == [0o700, 0o700]
    (tmp_path / "data" / "broker").chmod(0o755)
    private.make_folder(tmp_path / "data" / "broker")
    assert mode(tmp_path / "data" / "broker") == 0o700


def test_two_commands_never_work_in_one_folder(tmp_path: Path) -> None:
    first = private.one_at_a_time(tmp_path)
    with first, pytest.raises(BrokerError, match="another facelatch broker command"):
        private.one_at_a_time(tmp_path).__enter__()
    with private.one_at_a_time(tmp_path):
        pass
