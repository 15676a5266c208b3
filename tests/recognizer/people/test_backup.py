"""A backup brings everybody back, to the bit; one that is not whole brings nobody."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.recognizer.errors import BackupError, GalleryError, PeopleThere
from agents.recognizer.people import backup
from agents.recognizer.people.gallery import Gallery
from agents.recognizer.people.records import PersonRecord, PhotoRecord, Sample
from agents.runtime.clock import Now
from tests.wire.strategies import people as person_names

ENCODER = "dlib-resnet-v1/mirrored"
NOW = Now(utc=1_800_000_000.0, mono=5.0)
photos = st.builds(
    PhotoRecord,
    encoding=st.integers(0, 99).map(lambda seed: np.random.default_rng(seed).normal(size=128).tobytes()),
    photo_sha256=st.text("0123456789abcdef", min_size=64, max_size=64),
    enrolled_at=st.floats(0, 9e10),
    crop=st.none() | st.binary(min_size=1, max_size=300),
)
people = st.lists(
    st.builds(
        PersonRecord,
        name=person_names,
        enrolled_at=st.floats(0, 9e10),
        disabled=st.booleans(),
        ignored=st.booleans(),
        photos=st.lists(photos, min_size=1, max_size=3, unique_by=lambda photo: photo.photo_sha256).map(tuple),
    ),
    min_size=1,
    max_size=5,
    unique_by=lambda person: person.name,
)
in_a_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)


def exported(gallery: Gallery, path: Path) -> Path:
    file = io.BytesIO()
    backup.write(gallery, file)
    path.write_bytes(file.getvalue())
    return path


def fresh(folder: Path) -> Path:
    """Where there is no gallery yet."""
    path = folder / "gallery.sqlite"
    path.unlink(missing_ok=True)
    return path


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A backup of two people, one of them with a crop."""
    folder = tmp_path_factory.mktemp("whole")
    with Gallery(folder / "gallery.sqlite", create=True) as gallery:
        for seed, name in enumerate(("Ana Kovač", "Ivan")):
            crop = b"\xff\xd8jpeg" if seed else None
            gallery.add(name, Sample(np.random.default_rng(seed).normal(size=128), ENCODER, "a", crop), NOW)
        return exported(gallery, folder / "people.backup").read_bytes()


@given(people=people)
@in_a_folder
def test_whoever_was_exported_is_there_to_the_bit_after_an_import(people: list[PersonRecord], tmp_path: Path) -> None:
    with Gallery(fresh(tmp_path), create=True) as gallery:
        gallery.restore(people, ENCODER)
        first = exported(gallery, tmp_path / "first.backup")
    with Gallery(fresh(tmp_path), create=True) as gallery:
        added = gallery.restore(backup.read(first, ENCODER), ENCODER)
        assert added == (len(people), sum(len(person.photos) for person in people))
        assert list(gallery.records()) == sorted(people, key=lambda person: person.name.encode())
        assert exported(gallery, tmp_path / "second.backup").read_bytes() == first.read_bytes()


def refuses(path: Path, gallery: Path) -> str:
    """What is said of a backup that is not whole; nothing of it may be in the gallery."""
    with pytest.raises(BackupError) as checked:
        backup.check(path, ENCODER)
    with Gallery(gallery, create=True) as opened:
        with pytest.raises(BackupError):
            opened.restore(backup.read(path, ENCODER), ENCODER, merge=True)
        assert opened.people() == []
    assert str(checked.value).startswith(f"{path}: ")
    return str(checked.value)


@given(data=st.data())
@in_a_folder
def test_a_backup_with_one_wrong_byte_brings_nobody(data: st.DataObject, whole: bytes, tmp_path: Path) -> None:
    at = data.draw(st.integers(0, len(whole) - 1) | st.integers(len(whole) - 120, len(whole) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda byte: byte != whole[at]))
    path = tmp_path / "people.backup"
    path.write_bytes(whole[:at] + bytes([byte]) + whole[at + 1 :])
    refuses(path, tmp_path / "gallery.sqlite")


@given(data=st.data())
@in_a_folder
def test_a_backup_that_is_cut_off_or_goes_on_brings_nobody(data: st.DataObject, whole: bytes, tmp_path: Path) -> None:
    cut = st.integers(0, len(whole) - 1).map(lambda end: whole[:end])
    longer = st.binary(min_size=1, max_size=50).map(lambda more: whole + more)
    path = tmp_path / "people.backup"
    path.write_bytes(data.draw(cut | longer))
    refuses(path, tmp_path / "gallery.sqlite")


def with_first_line(**changes: object) -> Callable[[bytes], bytes]:
    def change(whole: bytes) -> bytes:
        first, rest = whole.split(b"\n", 1)
        return json.dumps({**json.loads(first), **changes}).encode() + b"\n" + rest

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda whole: b"", "is no backup of people, or is cut off"),
        (lambda whole: b"SQLite format 3\x00" + bytes(999), "is no backup of people"),
        (lambda whole: b'{"doors": {}}\n', "is no backup of people, or damaged: line 1: "),
        (with_first_line(format="something-else"), "line 1: format"),
        (with_first_line(version=2), "line 1: version"),
        (with_first_line(encoder="arcface"), f"was encoded by 'arcface', not by {ENCODER}"),
        (lambda whole: whole.replace(b'"Ivan"', b'"none"'), "line 3: name"),
        (lambda whole: whole.replace(b'"Ivan"', b'"Iwan"'), "is damaged: it is not what was exported"),
        (lambda whole: whole.replace(b'"people":2', b'"people":3'), "is damaged"),
    ],
    ids=["empty", "binary", "JSON", "format", "version", "encoder", "reserved name", "another name", "count"],
)
def test_what_is_wrong_with_a_backup_is_said_with_its_path(
    change: Callable[[bytes], bytes], said: str, whole: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "people.backup"
    path.write_bytes(change(whole))
    assert said in refuses(path, tmp_path / "gallery.sqlite")


def test_a_backup_that_is_not_there_is_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(BackupError, match=r"people\.backup: can't be read: No such file"):
        backup.check(tmp_path / "people.backup", ENCODER)


def test_a_line_that_never_ends_is_not_read_into_memory(
    whole: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "MAX_LINE_BYTES", 1000)
    path = tmp_path / "people.backup"
    path.write_bytes(whole)
    with pytest.raises(BackupError, match="is cut off"):
        backup.check(path, ENCODER)


def test_who_is_there_already_keeps_everybody_out_unless_only_what_is_missing_is_to_be_added(
    whole: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "people.backup"
    path.write_bytes(whole)
    with Gallery(tmp_path / "gallery.sqlite", create=True) as gallery:
        gallery.add("Ivan", Sample(np.zeros(128), ENCODER, "another photo"), NOW)
        gallery.disable("Ivan")
        with pytest.raises(PeopleThere, match=r"nothing was changed; already there: Ivan$"):
            gallery.restore(backup.read(path, ENCODER), ENCODER)
        assert [person.name for person in gallery.people()] == ["Ivan"]
        assert gallery.restore(backup.read(path, ENCODER), ENCODER, merge=True) == (1, 2)
        assert [(p.name, p.photos, p.disabled) for p in gallery.people()] == [
            ("Ana Kovač", 1, False),
            ("Ivan", 2, True),
        ]
        assert gallery.restore(backup.read(path, ENCODER), ENCODER, merge=True) == (0, 0), "all of it is there"


def test_merging_never_makes_a_person_of_the_ignore_list(whole: bytes, tmp_path: Path) -> None:
    path = tmp_path / "people.backup"
    path.write_bytes(whole)
    with Gallery(tmp_path / "gallery.sqlite", create=True) as gallery:
        gallery.add("Ivan", Sample(np.zeros(128), ENCODER, "a poster"), NOW, ignored=True)
        with pytest.raises(GalleryError, match="'Ivan' is on the ignore list"):
            gallery.restore(backup.read(path, ENCODER), ENCODER, merge=True)
        assert [(p.name, p.photos) for p in gallery.people()] == [("Ivan", 1)]


def test_nobody_is_no_backup(tmp_path: Path) -> None:
    with Gallery(tmp_path / "gallery.sqlite", create=True) as gallery, pytest.raises(GalleryError, match="nobody is"):
        backup.write(gallery, io.BytesIO())
