"""Pictures of decisions on a real disk."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.scheduler.pictures import DAY_S, Pictures, PicturesError
from tests.scheduler.journals import T0, another_users, files_no_longer_than, open_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data" / "snapshots"


@pytest.fixture
def pictures(folder: Path) -> Pictures:
    return Pictures(folder, max_age_days=2, max_mb=0.01)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_picture_is_its_owners_alone_and_found_by_its_decision(pictures: Pictures, folder: Path) -> None:
    pictures.save("front-1800000000.123-7", "front", T0 + 0.123456, b"jpeg")
    path = pictures.path_of("front-1800000000.123-7")
    assert path == folder / "20270115T080000.123456Z~front~front-1800000000.123-7.jpg"
    assert path.read_bytes() == b"jpeg"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert names(folder) == [path.name]


def test_sorted_by_name_pictures_are_sorted_by_time(pictures: Pictures, folder: Path) -> None:
    for i, at in enumerate([T0 + 9.5, T0, T0 + 10, T0 + 9.25]):
        pictures.save(f"id-{i}", "front", at, b"")
    assert [name.split("~")[2] for name in names(folder)] == ["id-1.jpg", "id-3.jpg", "id-0.jpg", "id-2.jpg"]


def test_only_pictures_of_the_very_decision_are_found_and_removed(pictures: Pictures, folder: Path) -> None:
    for decision_id in ("7", "front-7", "front_7", "7.jpg", "7-front", "17"):
        pictures.save(decision_id, "front", T0, b"")
    assert pictures.remove(["7", "8"]) == 1
    assert len(names(folder)) == 5
    assert pictures.path_of("7") is None
    assert pictures.remove({"front_7", "7.jpg"}) == 2
    assert pictures.remove([]) == 0


def test_one_frame_may_decide_at_two_doors(pictures: Pictures) -> None:
    for door in ("front", "back"):
        pictures.save("7", door, T0, b"")
    assert pictures.remove(["7"]) == 2


def test_a_picture_that_came_twice_is_kept_once(pictures: Pictures, folder: Path) -> None:
    pictures.save("7", "front", T0, b"old")
    pictures.save("7", "front", T0, b"new")
    assert [path.read_bytes() for path in folder.iterdir()] == [b"new"]


def test_pictures_that_are_too_old_are_erased(pictures: Pictures) -> None:
    for age_days in (3, 2.01, 1.99, 0, -1):
        pictures.save(f"{age_days}", "front", T0 - age_days * DAY_S, b"")
    pictures.prune(T0)
    there = [age for age in ("3", "2.01", "1.99", "0", "-1") if pictures.path_of(age) is not None]
    assert there == ["1.99", "0", "-1"]


def test_where_there_is_too_much_the_oldest_are_erased(pictures: Pictures) -> None:
    for i in range(5):
        pictures.save(f"{i}", "front", T0 + i, bytes(3_000))
    pictures.prune(T0 + 10)
    assert [i for i in range(5) if pictures.path_of(f"{i}") is not None] == [2, 3, 4]


def test_what_is_no_picture_is_left_alone_but_for_what_a_killed_program_left(pictures: Pictures, folder: Path) -> None:
    pictures.save("1", "front", T0, b"")
    others = {"notes.txt", "a~b~c.jpg", "20270115T080000.000000Z~front~1.png", "20270115T080000.000000Z.jpg", ".hidden"}
    for name in (*others, "20270115T080000.000000Z~front~2.new"):
        (folder / name).write_bytes(bytes(20_000))
    pictures.prune(T0 + 10 * DAY_S)
    assert set(names(folder)) == others


def test_before_the_first_picture_there_is_nothing_to_do(pictures: Pictures, folder: Path) -> None:
    pictures.prune(T0)
    assert pictures.remove(["7"]) == 0
    assert pictures.path_of("7") is None
    assert not folder.exists()


@pytest.mark.parametrize(
    ("decision_id", "door"),
    [("../../etc", "front"), ("", "front"), ("7", "../up"), ("a~b", "front"), ("7", ""), ("a\0", "x")],
)
def test_no_name_leads_out_of_the_folder(pictures: Pictures, folder: Path, decision_id: str, door: str) -> None:
    with pytest.raises(PicturesError, match="no picture is kept of"):
        pictures.save(decision_id, door, T0, b"")
    assert not folder.exists()


@given(st.from_regex(r"\A[A-Za-z0-9_.:-]{1,64}\Z"), st.from_regex(r"\A[a-z0-9][a-z0-9_-]{0,31}\Z"), st.floats(0, 1e11))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_every_decision_at_every_door_can_have_a_picture(folder: Path, decision_id: str, door: str, at: float) -> None:
    pictures = Pictures(folder)
    pictures.save(decision_id, door, at, b"")
    assert pictures.remove([decision_id]) == 1
    assert names(folder) == []


def test_a_time_that_is_none_is_an_error(pictures: Pictures) -> None:
    for at in (float("nan"), float("inf"), 1e300):
        with pytest.raises(PicturesError, match="snapshots: "):
            pictures.save("7", "front", at, b"")


def test_on_a_disk_that_is_full_there_is_no_half_a_picture(pictures: Pictures, folder: Path) -> None:
    with files_no_longer_than(10), pytest.raises(PicturesError, match="File too large"):
        pictures.save("7", "front", T0, bytes(100))
    assert pictures.path_of("7") is None
    pictures.save("7", "front", T0, bytes(100))
    pictures.prune(T0)
    assert len(names(folder)) == 1


def test_a_folder_that_is_another_users_is_named() -> None:
    with open_folder() as top:
        pictures = Pictures(top / "snapshots")
        pictures.save("7", "front", T0, b"")
        with another_users(top / "snapshots"):
            uses: list[Callable[[], object]] = [
                lambda: pictures.prune(T0),
                lambda: pictures.path_of("7"),
                lambda: pictures.save("8", "front", T0, b""),
            ]
            for use in uses:
                with pytest.raises(PicturesError, match=r"snapshots.*: Permission denied"):
                    use()
        (top / "snapshots").chmod(0o700)
