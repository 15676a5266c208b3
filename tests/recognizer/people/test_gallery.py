"""The gallery on a real file: what is stored, what is really gone, and what is wrong with a bad one."""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from agents.recognizer.errors import GalleryError, NoGallery, PhotoRefused, UnknownPerson
from agents.recognizer.matcher import Encoding
from agents.recognizer.people.gallery import Gallery
from agents.recognizer.people.records import Person, Sample, StoredPhoto
from agents.recognizer.people.schema import VERSION_1
from agents.runtime.clock import Now

NOW = Now(utc=1_800_000_000.0, mono=5.0)
ENCODER = "dlib-resnet-v1/mirrored"


def encoding(seed: int) -> Encoding:
    return np.random.default_rng(seed).normal(size=128)


def sample(seed: int, photo: str, crop: bytes | None = None, encoder: str = ENCODER) -> Sample:
    return Sample(encoding(seed), encoder, photo, crop)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "gallery.sqlite"


@pytest.fixture
def gallery(path: Path) -> Iterator[Gallery]:
    with Gallery(path, create=True) as made:
        yield made


def test_what_was_stored_is_there_to_the_bit_after_opening_anew(gallery: Gallery, path: Path) -> None:
    assert gallery.add("Ivan", sample(1, "a"), NOW)
    assert gallery.add("Ana Kovač", sample(2, "b"), NOW)
    assert gallery.add("Ivan", sample(3, "c"), NOW)
    with Gallery(path) as again:
        enrolled, people = again.load(ENCODER), again.people()
    assert enrolled.names == ("Ana Kovač", "Ivan", "Ivan")
    assert enrolled.encodings.dtype == np.float64
    np.testing.assert_array_equal(enrolled.encodings, [encoding(2), encoding(1), encoding(3)])
    assert people == [Person("Ana Kovač", 1, NOW.utc), Person("Ivan", 2, NOW.utc)]


def test_a_new_gallery_is_its_owners_alone_and_empty(gallery: Gallery, path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert gallery.people() == []
    assert len(gallery.load(ENCODER).encodings) == 0


def test_the_same_photo_of_the_same_person_is_stored_once(gallery: Gallery) -> None:
    assert gallery.add("Ana", sample(1, "a"), NOW)
    assert not gallery.add("Ana", sample(1, "a"), NOW)
    assert gallery.add("Eva", sample(1, "a"), NOW)
    assert [person.photos for person in gallery.people()] == [1, 1]


def test_a_renamed_person_keeps_their_photos(gallery: Gallery) -> None:
    gallery.add("Ana", sample(1, "a"), NOW)
    gallery.rename("Ana", "Ana Kovač")
    assert gallery.load(ENCODER).names == ("Ana Kovač",)


def test_nobody_can_be_renamed_to_somebody_else(gallery: Gallery) -> None:
    gallery.add("Ana", sample(1, "a"), NOW)
    gallery.add("Eva", sample(2, "b"), NOW)
    with pytest.raises(GalleryError, match="'Eva' is enrolled already"):
        gallery.rename("Ana", "Eva")
    assert gallery.load(ENCODER).names == ("Ana", "Eva")


def test_a_person_who_is_not_there_can_be_neither_renamed_nor_removed(gallery: Gallery) -> None:
    with pytest.raises(UnknownPerson, match="nobody called 'Ana'"):
        gallery.rename("Ana", "Eva")
    with pytest.raises(UnknownPerson, match="nobody called 'Ana'"):
        gallery.remove("Ana")


def test_nothing_of_a_removed_person_is_left_on_the_disk(gallery: Gallery, path: Path) -> None:
    removed = [encoding(seed) for seed in range(200)]
    for seed, one in enumerate(removed):
        gallery.add("Removed Person", Sample(one, ENCODER, f"r{seed}"), NOW)
        gallery.add("Kept Person", sample(1000 + seed, f"k{seed}"), NOW)
    before = path.read_bytes()
    assert all(one.astype("<f8").tobytes() in before for one in removed), "the test looks for the right bytes"
    gallery.remove("Removed Person")
    left = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert not any(one.astype("<f8").tobytes()[:64] in left for one in removed)
    assert b"Removed Person" not in left
    assert len(left) < len(before) * 0.7
    assert gallery.load(ENCODER).names == ("Kept Person",) * 200


def test_many_programs_can_enroll_at_once(path: Path) -> None:
    def enroll(name: str) -> None:
        for i in range(20):
            with Gallery(path, create=True) as own:
                own.add(name, sample(i, f"{i}"), NOW)

    threads = [threading.Thread(target=enroll, args=(name,)) for name in ("Ana", "Eva", "Ivan")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with Gallery(path) as gallery:
        assert [(p.name, p.photos) for p in gallery.people()] == [("Ana", 20), ("Eva", 20), ("Ivan", 20)]


def test_a_gallery_that_another_program_holds_is_said_to_be_held(gallery: Gallery, path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(GalleryError, match=r"gallery\.sqlite: is held by another program"):
        Gallery(path, timeout_s=0.01)
    other.close()


def test_without_a_file_there_is_nobody_and_none_is_made(path: Path) -> None:
    with pytest.raises(NoGallery, match=r"gallery\.sqlite: there is no gallery"):
        Gallery(path)
    assert not path.parent.exists()


def test_a_folder_that_can_not_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file, not a folder")
    with pytest.raises(GalleryError, match=r"data.gallery\.sqlite: can't be made"):
        Gallery(tmp_path / "data" / "gallery.sqlite", create=True)


def spoil(sql: str, *values: object) -> Callable[[Path], None]:
    def run(path: Path) -> None:
        db = sqlite3.connect(path)
        with db:
            db.execute(sql, values)
        db.close()

    return run


def overwrite(content: bytes, at: int = 0) -> Callable[[Path], None]:
    def run(path: Path) -> None:
        with path.open("r+b") as file:
            file.seek(at)
            file.write(content)

    return run


NAN = np.full(128, np.nan).tobytes()


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda path: path.write_text("not a database, whatever its name says " * 50), "is no SQLite file"),
        (lambda path: path.write_bytes(b""), "is no gallery"),
        (lambda path: (path.unlink(), path.mkdir()), "unable to open"),
        (lambda path: os.truncate(path, 8192), "is damaged"),
        (overwrite(b"\xff" * 2000, at=4096), "is damaged"),
        (spoil("PRAGMA user_version = 7"), "has schema version 7; this Facelatch reads 2 and older"),
        (spoil("DROP TABLE encodings"), "no such table"),
        (spoil("UPDATE encodings SET encoding = ?", bytes(1023)), "an encoding of Ana has the wrong size"),
        (spoil("UPDATE encodings SET encoding = ?", "text"), "an encoding of Ana has the wrong size"),
        (spoil("UPDATE encodings SET encoding = ?", NAN), "an encoding of Ana has numbers that are none"),
        (spoil("UPDATE encodings SET encoder = 'facenet/1'"), f"Ana was encoded by 'facenet/1', not by {ENCODER}"),
        (spoil("UPDATE people SET name = 'unknown'"), "'unknown' is no name"),
        (spoil("UPDATE people SET name = ?", b"\xff\xfe"), "is no name"),
    ],
    ids=[
        *("text", "empty", "a folder", "cut off", "overwritten", "newer", "no table"),
        *("short encoding", "text encoding", "NaN", "another encoder", "reserved name", "bytes for a name"),
    ],
)
def test_what_is_wrong_with_a_gallery_is_said_with_its_path(
    damage: Callable[[Path], None], said: str, path: Path
) -> None:
    with Gallery(path, create=True) as gallery:
        gallery.add("Ana", sample(1, "a"), NOW)
    damage(path)
    with pytest.raises(GalleryError) as caught, Gallery(path) as again:
        again.load(ENCODER)
    assert str(caught.value).startswith(f"{path}: ")
    assert said in str(caught.value)


def test_a_damaged_gallery_is_not_made_anew_over_the_old_one(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("the only copy of something else" * 50)
    with pytest.raises(GalleryError, match="is no SQLite file"):
        Gallery(path, create=True)
    assert path.read_text() == "the only copy of something else" * 50


def test_another_programs_database_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    spoil("CREATE TABLE diary (day TEXT)")(path)
    before = path.read_bytes()
    with pytest.raises(GalleryError, match="is no gallery"):
        Gallery(path, create=True)
    assert path.read_bytes() == before


def test_people_of_another_encoder_can_still_be_removed(gallery: Gallery, path: Path) -> None:
    gallery.add("Ana", sample(1, "a"), NOW)
    gallery.add("Eva", sample(2, "b"), NOW)
    spoil("UPDATE encodings SET encoder = 'facenet/1' WHERE person_id = 1")(path)
    gallery.remove("Ana")
    assert gallery.load(ENCODER).names == ("Eva",)


def test_a_disabled_person_and_the_ignore_list_are_compared_with_but_never_let_in(gallery: Gallery) -> None:
    gallery.add("Ana", sample(1, "a"), NOW)
    gallery.add("Eva", sample(2, "b"), NOW)
    gallery.add("poster", sample(3, "c"), NOW, ignored=True)
    gallery.disable("Eva")
    assert gallery.load(ENCODER).names == ("Ana", "Eva", "poster")
    assert gallery.load(ENCODER).ignored == {"Eva", "poster"}
    assert [(p.name, p.disabled, p.ignored) for p in gallery.people()] == [
        ("Ana", False, False),
        ("Eva", True, False),
        ("poster", False, True),
    ]
    gallery.disable("Eva", False)
    assert gallery.load(ENCODER).ignored == {"poster"}


def test_nobody_is_a_person_and_on_the_ignore_list(gallery: Gallery) -> None:
    gallery.add("Ana", sample(1, "a"), NOW)
    gallery.add("poster", sample(2, "b"), NOW, ignored=True)
    with pytest.raises(GalleryError, match="'poster' is on the ignore list"):
        gallery.add("poster", sample(3, "c"), NOW)
    with pytest.raises(GalleryError, match="'Ana' is a person who is enrolled"):
        gallery.add("Ana", sample(3, "c"), NOW, ignored=True)
    with pytest.raises(GalleryError, match="'poster' is on the ignore list, which is never let in"):
        gallery.disable("poster", False)
    assert [person.photos for person in gallery.people()] == [1, 1]


def test_what_is_kept_of_a_photo_can_be_shown(gallery: Gallery) -> None:
    gallery.add("Ana", sample(1, "a", crop=b"jpeg"), NOW)
    gallery.add("Ana", sample(2, "b"), NOW)
    assert gallery.photos("Ana") == [
        StoredPhoto("a", ENCODER, NOW.utc, b"jpeg"),
        StoredPhoto("b", ENCODER, NOW.utc, None),
    ]
    with pytest.raises(UnknownPerson):
        gallery.photos("Eva")


def test_a_photo_that_is_enrolled_again_gets_the_crop_it_lacked(gallery: Gallery) -> None:
    gallery.add("Ana", sample(1, "a"), NOW)
    assert not gallery.add("Ana", sample(1, "a", crop=b"jpeg"), NOW)
    assert [photo.crop for photo in gallery.photos("Ana")] == [b"jpeg"]


def test_the_crops_of_a_removed_person_are_gone_from_the_disk_and_all_when_none_are_to_be_kept(
    gallery: Gallery, path: Path
) -> None:
    crops = [bytes([65 + n]) * 9000 for n in range(3)]
    for name, crop in zip(("Ana", "Eva", "Ivan"), crops, strict=True):
        gallery.add(name, sample(1, "a", crop=crop), NOW)
    kept = [crop[:1000] in path.read_bytes() for crop in crops]
    gallery.remove("Eva")
    removed = [crop[:1000] in path.read_bytes() for crop in crops]
    assert (gallery.erase_crops(), gallery.erase_crops()) == (2, 0)
    erased = [crop[:1000] in path.read_bytes() for crop in crops]
    assert (kept, removed, erased) == ([True] * 3, [True, False, True], [False] * 3)
    assert gallery.load(ENCODER).names == ("Ana", "Ivan")


def test_encodings_of_two_encoders_are_never_mixed(gallery: Gallery) -> None:
    gallery.add("Ana", sample(1, "a"), NOW)
    with pytest.raises(GalleryError, match=f"Ana was encoded by '{ENCODER}', not by arcface: "):
        gallery.add("Eva", sample(2, "b", encoder="arcface"), NOW)
    with pytest.raises(GalleryError, match="not by arcface"):
        gallery.restore([], "arcface")
    assert [person.name for person in gallery.people()] == ["Ana"]


@pytest.mark.parametrize(
    ("with_crops", "way_out"),
    [
        (("Ana", "Eva"), "run facelatch people reencode"),
        ((), "no crops were kept; remove and enroll anew: Ana, Eva"),
        (("Eva",), "no crops were kept; remove, run facelatch people reencode, and then enroll them anew: Ana"),
    ],
)
def test_who_was_encoded_by_another_encoder_is_said_with_the_way_out(
    with_crops: tuple[str, ...], way_out: str, gallery: Gallery
) -> None:
    for name in ("Ana", "Eva"):
        gallery.add(name, sample(1, "a", crop=b"jpeg" if name in with_crops else None), NOW)
    for ask in (lambda: gallery.load("arcface"), lambda: gallery.add("Ivan", sample(3, "c", encoder="arcface"), NOW)):
        with pytest.raises(GalleryError) as caught:
            ask()
        assert str(caught.value) == f"{gallery.path}: Ana was encoded by '{ENCODER}', not by arcface: {way_out}"


def test_one_disabled_person_of_another_encoder_is_enough_to_refuse_all(gallery: Gallery, path: Path) -> None:
    gallery.add("Ana", sample(1, "a"), NOW)
    gallery.add("Eva", sample(2, "b"), NOW)
    gallery.disable("Eva")
    spoil("UPDATE encodings SET encoder = 'arcface' WHERE person_id = 2")(path)
    with pytest.raises(GalleryError, match="Eva was encoded by 'arcface'"):
        gallery.load(ENCODER)


def test_reencoding_makes_every_encoding_anew_from_its_crop_whatever_its_dimension(gallery: Gallery) -> None:
    for name, crop in (("Ana", b"1"), ("Eva", b"2")):
        gallery.add(name, sample(int(crop), "a", crop=crop), NOW)
    assert gallery.reencode(lambda jpeg: np.full(512, float(jpeg)), "arcface") == 2
    np.testing.assert_array_equal(gallery.load("arcface").encodings, [np.full(512, 1.0), np.full(512, 2.0)])
    assert gallery.reencode(lambda jpeg: np.zeros(512), "arcface") == 0, "they are by that encoder already"


def test_reencoding_is_all_or_nothing(gallery: Gallery) -> None:
    def encode(jpeg: bytes) -> Encoding:
        if jpeg == b"2":
            raise PhotoRefused("no face found")
        return np.zeros(512)

    gallery.add("Ana", sample(1, "a", crop=b"1"), NOW)
    gallery.add("Eva", sample(2, "b", crop=b"2"), NOW)
    with pytest.raises(GalleryError, match="nothing was changed: a kept crop of Eva: no face found"):
        gallery.reencode(encode, "arcface")
    gallery.add("Ivan", sample(3, "c"), NOW)
    with pytest.raises(GalleryError, match="then enroll them anew: Ivan"):
        gallery.reencode(lambda jpeg: np.zeros(512), "arcface")
    np.testing.assert_array_equal(gallery.load(ENCODER).encodings, [encoding(1), encoding(2), encoding(3)])


@pytest.mark.parametrize(
    "wrong", [np.zeros(127), np.zeros(2049), np.full(128, np.nan), np.array([])], ids=["short", "long", "NaN", "none"]
)
def test_an_encoding_that_is_none_is_not_stored(wrong: Encoding, gallery: Gallery) -> None:
    with pytest.raises(GalleryError, match="nothing was changed: an encoding of Ana has"):
        gallery.add("Ana", Sample(wrong, ENCODER, "a"), NOW)
    gallery.add("Ana", sample(1, "a", crop=b"jpeg"), NOW)
    with pytest.raises(GalleryError, match="nothing was changed: an encoding of Ana has"):
        gallery.reencode(lambda jpeg: wrong, "arcface")
    np.testing.assert_array_equal(gallery.load(ENCODER).encodings, [encoding(1)])


def old_gallery(path: Path, encoder: str = ENCODER) -> None:
    """As the first Facelatch made it."""
    path.parent.mkdir(exist_ok=True)
    db = sqlite3.connect(path)
    for statement in (*VERSION_1, "PRAGMA user_version = 1"):
        db.execute(statement)
    db.execute("INSERT INTO people VALUES (1, 'Ana', 5.0)")
    row = (encoding(1).astype("<f8").tobytes(), encoder)
    db.execute("INSERT INTO encodings VALUES (1, 1, ?, ?, 'a', 6.0)", row)
    db.commit()
    db.close()


def test_a_gallery_of_the_first_version_becomes_one_of_today_and_loses_nothing(path: Path) -> None:
    old_gallery(path)
    for _ in range(2):
        with Gallery(path) as gallery:
            np.testing.assert_array_equal(gallery.load(ENCODER).encodings, [encoding(1)])
            assert gallery.people() == [Person("Ana", 1, 5.0, disabled=False, ignored=False)]
            assert gallery.photos("Ana") == [StoredPhoto("a", ENCODER, 6.0, None)]
    with Gallery(path) as gallery:
        gallery.add("Eva", sample(2, "b", crop=b"jpeg"), NOW)
        gallery.disable("Ana")
        assert gallery.load(ENCODER).ignored == {"Ana"}


def test_an_old_gallery_that_can_not_be_brought_up_to_date_stays_as_it_was(path: Path) -> None:
    old_gallery(path)
    spoil("CREATE TABLE crops (something TEXT)")(path)
    before = path.read_bytes()
    with pytest.raises(GalleryError, match="crops already exists"):
        Gallery(path)
    assert path.read_bytes() == before


def test_many_programs_can_bring_an_old_gallery_up_to_date_at_once(path: Path) -> None:
    old_gallery(path)
    found: list[tuple[str, ...]] = []

    def read() -> None:
        with Gallery(path) as gallery:
            found.append(gallery.load(ENCODER).names)

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [("Ana",)] * 8


def test_a_gallery_that_others_could_read_is_shut_when_it_is_opened(gallery: Gallery, path: Path) -> None:
    path.chmod(0o644)
    with Gallery(path) as again:
        assert again.exposed is None
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_journal_of_a_change_is_its_owners_alone_too(gallery: Gallery, path: Path) -> None:
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("BEGIN")
    db.execute("INSERT INTO people (name, created_at) VALUES ('Ana', 1)")
    journal = path.with_name(f"{path.name}-journal")
    assert stat.S_IMODE(journal.stat().st_mode) == 0o600
    db.close()
