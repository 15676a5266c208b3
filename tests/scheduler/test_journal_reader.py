"""What commands do with a journal: filter it, verify it, and erase what is known of a person."""

from __future__ import annotations

import contextlib
import itertools
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.scheduler import journal_reader
from agents.scheduler.chain import Anchor
from agents.scheduler.forget import Forgotten, forget
from agents.scheduler.journal import DamagedJournal, Journal, JournalError, Kind
from agents.scheduler.journal_reader import JournalReader, Wanted
from agents.scheduler.pictures import FOLDER, Pictures
from tests.scheduler.journals import (
    T0,
    decision,
    denial,
    event,
    files_no_longer_than,
    is_whole,
    left_of,
    numbers,
    records,
    write,
)


@pytest.fixture
def told(journal: Journal, path: Path) -> Path:
    """A journal of a short evening."""
    for kind, at, body in [
        (Kind.DECISION, T0, decision("Ana", "front-1")),
        (Kind.EVENT, T0 + 1, event(1, id="front-1", person="Ana")),
        (Kind.DECISION, T0 + 2, denial(door="back")),
        (Kind.DECISION, T0 + 3, denial("Ivan", "holiday")),
        (Kind.EVENT, T0 - 3600, event(2, "opened")),  # told late
        (Kind.SWITCH, T0 + 5, {"what": "let_in", "door": "back", "person": "Ana", "until": T0 + 99, "source": "Ivan"}),
        (Kind.AGENT, T0 + 6, {"agent": "door", "id": "front", "state": "offline"}),
    ]:
        journal.append(kind, at, body)
    return path


# Reading


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, [1, 2, 3, 4, 5, 6, 7]),
        ({"person": "Ana"}, [1, 2, 6]),
        ({"person": "ana"}, []),
        ({"door": "back"}, [3, 6]),
        ({"since": T0 + 3}, [4, 6, 7]),
        ({"since": T0 - 3600, "until": T0}, [5]),
        ({"since": T0 + 100}, []),
        ({"until": T0 + 2}, [1, 2, 5]),
        ({"outcome": "denied"}, [3, 4]),
        ({"outcome": "granted"}, [1]),
        ({"kinds": (Kind.EVENT, Kind.AGENT)}, [2, 5, 7]),
        ({"newest": 2}, [6, 7]),
        ({"newest": 100}, [1, 2, 3, 4, 5, 6, 7]),
        ({"person": "Ana", "newest": 2}, [2, 6]),
        ({"person": "Ana", "door": "front", "since": T0 + 1, "kinds": (Kind.EVENT,), "newest": 1}, [2]),
        ({"outcome": "denied", "door": "back", "until": T0 + 2}, []),
    ],
    ids=str,
)
@pytest.mark.parametrize("chunk", [1, 2, 500])
def test_only_what_is_wanted_is_read_the_oldest_first(
    told: Path, wanted: dict[str, Any], found: list[int], chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_reader, "CHUNK", chunk)
    assert numbers(told, **wanted) == found


def test_an_empty_journal_is_whole_and_has_nothing_to_read(journal: Journal, path: Path) -> None:
    assert numbers(path) == numbers(path, newest=50) == []
    with JournalReader(path) as reader:
        report = reader.verify()
    assert (report.whole, report.records, report.newest) == (True, 0, None)


def test_what_is_new_can_be_read_from_where_the_last_reading_ended(told: Path, journal: Journal) -> None:
    with JournalReader(told) as reader:
        last = reader.last_n()
        write(journal, 3)
        assert [record.n for record in reader.records(Wanted(), after=last)] == [8, 9, 10]
        assert [record.n for record in reader.records(Wanted(), after=last, up_to=9)] == [8, 9]
        assert [record.n for record in reader.records(Wanted(newest=1), up_to=last)] == [7]


def test_who_reads_slowly_keeps_nobody_from_writing_and_the_log_from_growing(
    journal: Journal, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_reader, "CHUNK", 2)
    write(journal, 10)
    with JournalReader(path) as reader, contextlib.closing(sqlite3.connect(path)) as other:
        slow = reader.records(Wanted())
        next(slow)
        write(journal, 1)
        assert other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone() == (0, 0, 0), "nobody holds the log"
        assert [record.n for record in slow] == list(range(2, 12))


def test_what_a_door_told_first_about_a_grant_is_found(told: Path, journal: Journal) -> None:
    journal.append(Kind.EVENT, T0 + 9, event(3, "extended", id="front-1"))
    with JournalReader(told) as reader:
        answer = reader.answer("front", "front-1")
        assert answer is not None
        assert answer["event_type"] == "unlocked"
        assert reader.answer("back", "front-1") is None
        assert reader.answer("front", "front-2") is None


# Verifying


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A journal of 12 records, of which one was erased."""
    path = tmp_path_factory.mktemp("kept") / "journal.sqlite"
    with Journal(path) as journal:
        write(journal, 9)
        journal.append(Kind.EVENT, T0, event(1, person="Eva"))
        journal.append(Kind.GAP, T0, {"door": "front", "first": 2, "last": 3})
    with JournalReader(path) as reader:
        reader.forget("Eva", T0)
    return path


class Rubbish(bytes):
    """Text that is not UTF-8."""


OTHERS: dict[str, list[object]] = {
    "n": [-1, 0, 99],
    "at": [0.0, "now", Rubbish(b"\xff")],
    "kind": ["gap", "other", b"\xff", Rubbish(b"\xff"), "\x1b[2J"],
    "door": ["back", None, b"\xff", Rubbish(b"\xff")],
    "seq": [12, "twelve", 0.5, Rubbish(b"\xff")],
    "salt": [bytes(16), None, "text"],
    "body": ['{"person":"Ivan"}', "{", "[1]", None, b"\xff", Rubbish(b"\xff"), 7, '{"id":{"a":1}}', "[" * 2000, "\x00"],
    "digest": [bytes(32), "text", 0],
    "hash": [bytes(32), "text", 0],
}
changes = st.sampled_from(sorted(OTHERS)).flatmap(
    lambda column: st.tuples(st.just(column), st.sampled_from(OTHERS[column]), st.integers(1, 11))
)


@given(changes)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_whatever_is_changed_in_the_file_is_named_and_the_rest_can_still_be_read(
    kept: Path, tmp_path_factory: pytest.TempPathFactory, change: tuple[str, object, int]
) -> None:
    column, value, n = change
    path = Path(shutil.copy(kept, tmp_path_factory.mktemp("changed")))
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.text_factory = bytes
        before = db.execute(f"SELECT {column} FROM records WHERE n = ?", (n,)).fetchone()
        to = "CAST(? AS TEXT)" if isinstance(value, Rubbish) else "?"
        db.execute(f"UPDATE records SET {column} = {to} WHERE n = ?", (value, n))
        after = db.execute(f"SELECT {column} FROM records WHERE n = ?", (n,)).fetchone()
    if before == after:
        assert is_whole(path)
        return
    with JournalReader(path) as reader:
        report = reader.verify()
        assert len(list(reader.records(Wanted()))) == 12
        for wanted in (Wanted(person="Ana"), Wanted(outcome="granted"), Wanted(since=T0 + 3, newest=3)):
            list(reader.records(wanted))
    assert not report.whole
    assert any(f"record {value if column == 'n' and value != 99 else n} " in problem for problem in report.problems)


def test_records_that_were_removed_are_named_after_a_restart_too(kept: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(kept, tmp_path))
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("DELETE FROM records WHERE n IN (4, 5, 9, 12)")
    with JournalReader(path) as reader:
        problems = reader.verify().problems
    assert problems == (
        "records 4 to 5 are missing",
        "record 9 is missing",
        "record 12 is missing, at the end",
        "1 records have lost their text, and 0 were erased",
    )


def test_a_record_that_was_noted_elsewhere_shows_a_chain_that_was_made_anew(kept: Path, tmp_path: Path) -> None:
    with JournalReader(kept) as reader:
        noted = reader.verify().newest
        assert noted is not None
        assert reader.verify(noted).whole
    anew = tmp_path / "journal.sqlite"
    with Journal(anew) as journal:
        write(journal, 15)
    with JournalReader(anew) as reader:
        assert reader.verify().whole
        assert reader.verify(noted).problems == ("record 12 is not the one that was noted",)
        later = Anchor(16, noted.hash)
        assert reader.verify(later).problems == ("record 16, which was noted, is not there",)


def test_an_index_that_hides_records_is_a_problem(kept: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(kept, tmp_path))
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA writable_schema = ON")
        pages = dict(db.execute("SELECT name, rootpage FROM sqlite_master").fetchall())
        for name, other in (("people", "agents"), ("agents", "people")):
            db.execute("UPDATE sqlite_master SET rootpage = ? WHERE name = ?", (pages[other], name))
    assert numbers(path, person="Ana") == []
    with JournalReader(path) as reader:
        report = reader.verify()
    assert not report.whole
    assert report.problems[-1].startswith("SQLite: ")


def test_a_file_with_damage_in_the_middle_says_so(journal: Journal, path: Path) -> None:
    write(journal, 1000)
    journal.close()
    with path.open("r+b") as file:
        file.seek(40 * 4096)
        file.write(b"\xff" * 4096)
    with JournalReader(path) as reader, pytest.raises(DamagedJournal, match=r"journal\.sqlite: is damaged"):
        reader.verify()


# Erasing


def test_of_a_person_who_is_forgotten_only_that_there_was_something_is_left(told: Path, journal: Journal) -> None:
    with JournalReader(told) as reader:
        assert reader.ids_of("Ana") == {"front-1"}
        assert reader.forget("Ana", T0 + 50) == 3
        assert reader.forget("Ana", T0 + 51) == 0
    there = records(told)
    assert [(record.n, record.kind, record.door) for record in there if record.erased] == [
        (1, "decision", "front"),
        (2, "event", "front"),
        (6, "switch", "back"),
    ]
    assert (there[-1].n, there[-1].kind, there[-1].at, there[-1].body) == (8, "erased", T0 + 50, {"records": 3})
    assert len(there) == 8
    with JournalReader(told) as reader:
        report = reader.verify()
    assert (report.whole, report.erased) == (True, 3)
    assert left_of("Ana", told.parent) == []
    assert write(journal, 1) == [9]
    assert is_whole(told)


def test_nothing_of_those_who_are_forgotten_stays_anywhere_in_the_files(journal: Journal, path: Path) -> None:
    """Pages that SQLite rearranges keep older copies of what is in them."""
    people = [f"Visitor {i:02} of the house" for i in range(30)]
    for i, person in zip(range(1500), itertools.cycle(people), strict=False):
        text = {"detail": "x" * (i * 7919 % 3000), "id": f"front-{i}", "door": "front"}
        journal.append(Kind.DECISION, T0 + i, {**text, "person": person})
    with JournalReader(path) as reader:
        for gone in people[::-2]:
            assert reader.forget(gone, T0) == 50
    for person in people:
        assert left_of(person, path.parent) == ([path.name] if person in people[::2] else [])
    assert is_whole(path)


def test_what_is_erased_is_overwritten_even_where_the_program_is_killed_before_it_is_done(
    journal: Journal, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(JournalReader, "_wipe", lambda _: None)
    write(journal, 5)
    journal.close()
    with JournalReader(path) as reader:
        reader.forget("Ana", T0)
    assert left_of("Ana", path.parent) == []


def test_erasing_very_much_is_done_in_parts_so_that_the_scheduler_can_write_in_between(
    journal: Journal, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_reader, "ERASED_AT_ONCE", 4)
    write(journal, 10)
    with JournalReader(path) as reader:
        assert reader.forget("Ana", T0) == 10
    assert [record.body for record in records(path, kinds=(Kind.ERASED,))] == [{"records": n} for n in (4, 4, 2)]
    assert is_whole(path)


def test_a_reader_who_still_has_the_old_text_open_is_told_of(
    journal: Journal, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_reader, "TIMEOUT_S", 0.0)
    monkeypatch.setattr(journal_reader, "TRIES", 2)
    write(journal, 1)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other, JournalReader(path) as reader:
        other.execute("BEGIN")
        other.execute("SELECT * FROM records").fetchone()
        with pytest.raises(JournalError, match="another program is reading what was erased: forget the same name"):
            reader.forget("Ana", T0)
        other.execute("COMMIT")
        assert reader.forget("Ana", T0) == 0
    assert left_of("Ana", path.parent) == []


MOVER = """
import fcntl, sys, time
shared = open(sys.argv[1], "r+b")
fcntl.lockf(shared, fcntl.LOCK_EX, 1, 121)  # as SQLite does while it moves the log into the file
print("moving", flush=True)
time.sleep(0.3)
"""


def test_while_the_scheduler_moves_the_log_into_the_file_erasing_waits(journal: Journal, path: Path) -> None:
    """Of two who do that at once SQLite refuses one, without waiting."""
    write(journal, 1)
    shared = path.with_name(f"{path.name}-shm")
    with (
        JournalReader(path) as reader,
        subprocess.Popen([sys.executable, "-c", MOVER, shared], stdout=subprocess.PIPE) as mover,
    ):
        assert mover.stdout is not None
        assert mover.stdout.readline() == b"moving\n"
        assert reader.forget("Ana", T0) == 1
    assert left_of("Ana", path.parent) == []


def test_on_a_full_disk_either_nobody_is_forgotten_or_it_is_said_that_traces_are_left(tmp_path: Path) -> None:
    said = set()
    for room in range(0, 300_000, 15_000):
        path = tmp_path / str(room) / "journal.sqlite"
        with Journal(path) as journal, JournalReader(path) as reader:
            write(journal, 200)
            text = ""
            try:
                with files_no_longer_than(path.with_name(f"{path.name}-wal").stat().st_size + room):
                    reader.forget("Ana", T0)
            except JournalError as error:
                text = str(error).removeprefix(f"{path}: ")
            erased = sum(record.erased for record in reader.records(Wanted()))
            said.add((text, erased))
            assert reader.forget("Ana", T0) == 200 - erased
            assert left_of("Ana", path.parent) == []
            assert reader.verify().whole
    traces = "disk I/O error; the records are erased, but not all traces of them: forget the same name again"
    assert said == {("disk I/O error", 0), (traces, 200), ("", 200)}


def test_forgetting_takes_the_pictures_along(told: Path) -> None:
    pictures = Pictures(told.parent / FOLDER)
    for decision_id in ("front-1", "front-2"):
        pictures.save(decision_id, "front", T0, b"jpeg")
    assert forget(told.parent, "Ana", T0) == Forgotten(records=3, pictures=1, mentions=0)
    assert pictures.path_of("front-1") is None
    assert pictures.path_of("front-2") is not None


def test_where_the_name_stands_in_another_persons_record_it_is_counted(told: Path) -> None:
    assert forget(told.parent, "Ivan", T0) == Forgotten(records=1, pictures=0, mentions=1)
