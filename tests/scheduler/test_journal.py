"""The journal on a real file: what is kept, what survives which death, and what is said of a file that is no good."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from agents.scheduler import flusher as flusher_module
from agents.scheduler import journal as journal_module
from agents.scheduler import journal_file
from agents.scheduler.flusher import Flusher
from agents.scheduler.journal import (
    MAX_BODY_BYTES,
    REVIEWED,
    DamagedJournal,
    Journal,
    JournalError,
    Kind,
    NoJournal,
)
from agents.scheduler.journal_file import make
from agents.scheduler.journal_reader import JournalReader
from tests.live.tools import wait_until
from tests.scheduler.journals import (
    T0,
    another_users,
    decision,
    event,
    files_no_longer_than,
    is_whole,
    numbers,
    open_folder,
    records,
    write,
)

ROOT = Path(__file__).parents[2]


def sql(path: Path, *statements: str) -> None:
    path.parent.mkdir(exist_ok=True)
    db = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        db.execute(statement)
    db.close()


# What is kept


def test_records_are_numbered_from_one_and_read_as_they_were_written(journal: Journal, path: Path) -> None:
    told = [
        (Kind.DECISION, 0.0, decision("Ana Kovač", rule="a\u0000b\n\u202e")),
        (Kind.EVENT, 1e11, event(1, person="Ana Kovač")),
        (Kind.SWITCH, T0 + 0.1, {"what": "away", "state": "ON", "source": None}),
        (Kind.AGENT, 5e-324, {"agent": "door", "id": "front", "state": "online"}),
        (Kind.GAP, -0.0, {"door": "front", "first": 2, "last": 9}),
    ]
    assert [journal.append(kind, at, body) for kind, at, body in told] == [1, 2, 3, 4, 5]
    assert [(record.kind, record.at, record.body) for record in records(path)] == told
    assert is_whole(path)


def test_a_restart_goes_on_where_the_last_run_ended(journal: Journal, path: Path) -> None:
    write(journal, 2)
    journal.close()
    with Journal(path) as again:
        assert write(again, 2) == [3, 4]
    assert is_whole(path)


def test_what_a_door_tells_again_is_not_written_again(journal: Journal, path: Path) -> None:
    tell = [(seq, T0 + seq) for seq in (1, 2, 3)]
    assert [journal.append(Kind.EVENT, at, event(seq, at=at)) for seq, at in tell] == [1, 2, 3]
    journal.close()
    with Journal(path) as again:
        assert [again.append(Kind.EVENT, at, event(seq, at=at)) for seq, at in tell] == [None] * 3
        assert again.append(Kind.EVENT, T0, event(2, at=T0 + 2, door="back")) == 4
    assert numbers(path) == [1, 2, 3, 4]


def test_events_without_a_number_are_all_written(journal: Journal) -> None:
    assert [journal.append(Kind.EVENT, T0, event(None)) for _ in range(2)] == [1, 2]


def test_a_door_that_counts_from_one_again_is_heard(journal: Journal, path: Path) -> None:
    """Its disk was replaced: the numbers are used, but by other events."""
    for seq in (1, 2, 3):
        journal.append(Kind.EVENT, T0, event(seq, at=T0 + seq))
    assert journal.append(Kind.EVENT, T0, event(1, at=T0 + 100)) == 4
    assert journal.last_seq("front") == 1
    journal.close()
    with Journal(path) as again:
        assert again.last_seq("front") == 1
        assert again.append(Kind.EVENT, T0, event(1, at=T0 + 100)) is None


def test_what_was_erased_is_not_told_again_by_the_door(journal: Journal, path: Path) -> None:
    told = event(7, person="Ana")
    journal.append(Kind.EVENT, T0, told)
    with JournalReader(path) as reader:
        assert reader.forget("Ana", T0) == 1
    assert journal.append(Kind.EVENT, T0, told) is None
    journal.close()
    with Journal(path) as again:
        assert again.last_seq("front") == 7
        assert again.append(Kind.EVENT, T0, told) is None


def test_the_newest_event_of_each_door_is_known(journal: Journal) -> None:
    assert journal.last_seq("front") is None
    journal.append(Kind.EVENT, T0, event(4))
    journal.append(Kind.EVENT, T0, event(9, door="back"))
    journal.append(Kind.EVENT, T0, event(None))
    journal.append(Kind.DECISION, T0, decision())
    assert [journal.last_seq(door) for door in ("front", "back", "side")] == [4, 9, None]


def test_the_last_state_of_each_agent_is_known_after_a_restart(journal: Journal, path: Path) -> None:
    for agent, name, state in [
        ("door", "front", "online"),
        ("camera", "front", "online"),
        ("door", "front", "offline"),
        ("camera", "front", "offline"),
        ("door", "front", "online"),
    ]:
        journal.append(Kind.AGENT, T0, {"agent": agent, "id": name, "state": state})
    journal.close()
    with Journal(path) as again:
        assert again.last_states() == {("door", "front"): "online", ("camera", "front"): "offline"}


@pytest.mark.parametrize(
    ("at", "body", "said"),
    [
        (T0, {"detail": "x" * (MAX_BODY_BYTES - 12)}, f"a record of {MAX_BODY_BYTES + 1} bytes"),
        (T0, {"detail": "ž" * (MAX_BODY_BYTES // 2)}, f"a record of {MAX_BODY_BYTES + 13} bytes"),
        (float("nan"), {}, "at nan is not written"),
        (float("inf"), {}, "at inf is not written"),
        (T0, {"distance": float("nan")}, "can't be written: Out of range float values are not JSON compliant"),
        (T0, {"person": "\ud800"}, "can't be written: 'utf-8' codec can't encode"),
        (T0, {"person": b"Ana"}, "can't be written: Object of type bytes is not JSON serializable"),
    ],
)
def test_what_can_not_be_a_record_is_refused_and_the_next_one_is_written(
    journal: Journal, path: Path, at: float, body: dict[str, object], said: str
) -> None:
    with pytest.raises(JournalError) as caught:
        journal.append(Kind.DECISION, at, body)
    assert str(caught.value).startswith(f"{path}: ")
    assert said in str(caught.value)
    assert write(journal, 1) == [1]


def test_the_largest_record_is_written(journal: Journal, path: Path) -> None:
    body = {"detail": "x" * (MAX_BODY_BYTES - 13)}
    journal.append(Kind.SWITCH, T0, body)
    assert records(path)[0].body == body


# Whose it is


def test_the_file_and_its_folder_are_their_owners_alone(journal: Journal, path: Path) -> None:
    write(journal, 1)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert {file.name for file in path.parent.iterdir()} == {f"{path.name}{part}" for part in ("", "-wal", "-shm")}
    assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}


def test_the_file_is_never_open_to_others(path: Path) -> None:
    umask = os.umask(0)
    try:
        make(path)
    finally:
        os.umask(umask)
    assert [(file.name, stat.S_IMODE(file.stat().st_mode)) for file in path.parent.iterdir()] == [(path.name, 0o600)]


def test_who_begins_a_journal_while_another_program_does_goes_on_with_that_one(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay_out = journal_file._lay_out

    def slowly(draft: Path) -> None:
        lay_out(draft)
        monkeypatch.setattr(journal_file, "_lay_out", lay_out)
        with Journal(path) as other:
            assert write(other, 1) == [1]

    monkeypatch.setattr(journal_file, "_lay_out", slowly)
    with Journal(path) as journal:
        assert write(journal, 1) == [2]


def test_a_file_that_others_could_read_is_shut(journal: Journal, path: Path) -> None:
    write(journal, 1)
    for file in path.parent.iterdir():
        file.chmod(0o644)
    with contextlib.closing(Journal(path)):
        assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}


@pytest.mark.parametrize("part", ["", "-wal", "-shm"])
@pytest.mark.parametrize("use", [Journal, JournalReader])
def test_where_a_file_is_another_users_it_is_named(part: str, use: Callable[[Path], Journal | JournalReader]) -> None:
    with open_folder() as folder:
        path = folder / "left by a killed program" / "journal.sqlite"
        with contextlib.closing(Journal(folder / "data" / path.name)) as journal:
            write(journal, 1)
            shutil.copytree(journal.path.parent, path.parent)
        path.parent.chmod(0o777)
        for file in path.parent.iterdir():
            file.chmod(0o600 if file.name == f"{path.name}{part}" else 0o666)
        whose = path.owner()
        with another_users(Path(f"{path}{part}")), pytest.raises(JournalError) as caught:
            use(path)
    assert str(caught.value) == f"{path}{part}: belongs to the user {whose}, who alone may use it"


def test_where_the_folder_is_another_users_it_is_said() -> None:
    with open_folder() as folder:
        path = folder / "data" / "journal.sqlite"
        Journal(path).close()
        with another_users(path.parent), pytest.raises(JournalError) as caught:
            JournalReader(path)
        path.parent.chmod(0o700)
    assert str(caught.value) == f"{path}: Permission denied: it is its owner's alone"


APPENDER = """
import sys
from pathlib import Path
from agents.scheduler.journal import Journal, Kind
journal = Journal(Path(sys.argv[1]))
for i in range(1500):
    journal.append(Kind.DECISION, 1.8e9 + i, {"door": sys.argv[2], "told": i})
    if i % 50 == 0:
        journal.flush()
"""


def test_two_programs_write_at_once_while_a_third_reads(path: Path) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", APPENDER, path, door], cwd=ROOT, stderr=subprocess.PIPE)
        for door in ("front", "back")
    ]
    reads = 0
    while any(writer.poll() is None for writer in writers):
        with contextlib.suppress(NoJournal):
            assert is_whole(path)
            found = numbers(path)
            assert found == list(range(1, len(found) + 1))
            reads += 1
    assert [writer.communicate()[1] for writer in writers] == [b"", b""]
    assert reads
    for door in ("front", "back"):
        assert [record.body for record in records(path, door=door)] == [{"door": door, "told": i} for i in range(1500)]
    assert len(numbers(path)) == 3000
    assert is_whole(path)


# What survives


@pytest.fixture
def waited_for(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files for which the disk was waited for, but by SQLite."""
    names: list[str] = []
    fsync = os.fsync

    def note(fd: int) -> None:
        names.append(Path(f"/proc/self/fd/{fd}").readlink().name)
        fsync(fd)

    monkeypatch.setattr(os, "fsync", note)
    return names


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
def test_flush_waits_for_the_disk_once_and_only_where_something_is_new(
    journal: Journal, path: Path, waited_for: list[str]
) -> None:
    journal.flush()
    assert waited_for == []
    write(journal, 3)
    assert waited_for == []
    journal.flush()
    journal.flush()
    assert waited_for == [f"{path.name}-wal"]


def test_a_flusher_tells_what_the_disk_failed_at_until_it_works_again(journal: Journal, path: Path) -> None:
    flusher = Flusher(path)
    aside = path.rename(path.with_name("aside"))
    flusher.flush(1)
    wait_until("the error is told", lambda: flusher.error is not None)
    assert path.name in str(flusher.error)
    aside.rename(path)
    flusher.flush(1)
    wait_until("all is well", lambda: flusher.error is None)
    flusher.close()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
def test_a_record_that_verify_prints_is_on_the_disk(journal: Journal, path: Path, waited_for: list[str]) -> None:
    write(journal, 1)
    assert is_whole(path)
    assert waited_for == [f"{path.name}-wal"]


def test_the_flusher_moves_a_long_log_into_the_file_and_begins_it_anew(
    monkeypatch: pytest.MonkeyPatch, journal: Journal, path: Path, tmp_path: Path
) -> None:
    monkeypatch.setattr(flusher_module, "CHECKPOINT_RECORDS", 10)
    log = path.with_name(f"{path.name}-wal")
    for _ in range(20):
        write(journal, 10)
        flusher = Flusher(path)
        flusher.flush(10)
        flusher.close()
        assert flusher.error is None
    assert log.stat().st_size < 1_000_000
    alone = Path(shutil.copy(path, tmp_path / "alone.sqlite"))
    assert len(numbers(alone)) == 200
    begun = log.read_bytes()[:32]
    write(journal, 1)
    assert log.read_bytes()[:32] == begun, "the append would have waited until the log's head was on the disk"


def test_what_is_left_after_a_power_cut_is_whole(journal: Journal, path: Path, tmp_path: Path) -> None:
    """The disk has some of the log, and rubbish where the rest should be."""
    write(journal, 50)
    log = path.with_name(f"{path.name}-wal").read_bytes()
    for i, size in enumerate(range(0, len(log), 10_007)):
        left = tmp_path / str(i) / path.name
        left.parent.mkdir()
        shutil.copy(path, left)
        left.with_name(f"{left.name}-wal").write_bytes(log[:size] + os.urandom(5000))
        with Journal(left) as again:
            (n,) = write(again, 1)
        assert numbers(left) == list(range(1, (n or 0) + 1))
        assert is_whole(left)


# What goes wrong


def test_a_journal_that_was_moved_away_is_written_to_no_more(journal: Journal, path: Path) -> None:
    """Linux would let it be written to unseen."""
    write(journal, 1)
    path.rename(path.with_name("old.sqlite"))
    for _ in range(2):
        with pytest.raises(DamagedJournal, match=r"journal\.sqlite: was moved away while it was open"):
            write(journal, 1)
    Journal(path.with_name("other.sqlite")).close()
    path.with_name("other.sqlite").rename(path)
    with pytest.raises(DamagedJournal, match="was moved away while it was open"):
        write(journal, 1)


def test_a_closed_journal_says_so(journal: Journal) -> None:
    journal.close()
    for use in (lambda: write(journal, 1), lambda: journal.last_seq("front"), journal.last_states, journal.flush):
        with pytest.raises(JournalError, match="closed"):
            use()


def test_a_reader_begins_no_journal(path: Path) -> None:
    with pytest.raises(NoJournal) as caught:
        JournalReader(path)
    assert str(caught.value) == f"{path}: there is no journal yet; the scheduler begins one when it starts"
    assert not path.parent.exists()


@pytest.mark.parametrize(
    ("pragma", "said"),
    [("max_page_count = 1", "the disk is full"), ("query_only = ON", "attempt to write a readonly database")],
)
def test_a_disk_that_is_full_or_read_only_is_called_that(journal: Journal, path: Path, pragma: str, said: str) -> None:
    write(journal, 30)
    journal._db.execute(f"PRAGMA {pragma}").fetchall()  # SQLite's own ways to act as if it were so
    with pytest.raises(JournalError) as caught:
        write(journal, 1000)
    assert str(caught.value) == f"{path}: {said}"
    assert is_whole(path)


@pytest.mark.parametrize("room", [0, 1, 5000, 9000])
def test_a_disk_that_fails_in_the_middle_of_a_record_leaves_the_chain_whole(
    journal: Journal, path: Path, room: int
) -> None:
    write(journal, 3)
    log = path.with_name(f"{path.name}-wal").stat().st_size
    with files_no_longer_than(log + room), pytest.raises(JournalError, match=r"journal\.sqlite: disk I/O error"):
        write(journal, 20)
    told = len(numbers(path))
    assert write(journal, 2) == [told + 1, told + 2]
    assert is_whole(path)


def test_a_journal_can_not_be_begun_on_a_failing_disk(path: Path) -> None:
    with files_no_longer_than(0), pytest.raises(JournalError, match=r"journal\.sqlite: disk I/O error"):
        Journal(path)
    assert list(path.parent.iterdir()) == []
    with Journal(path) as journal:
        assert write(journal, 1) == [1]


def test_another_program_that_does_not_let_go_is_an_error(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    monkeypatch.setattr(journal_module, "TIMEOUT_S", 0.0)
    with Journal(path) as journal:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalError, match=r"journal\.sqlite: another program holds it"):
            write(journal, 1)
        other.close()
        assert write(journal, 1) == [1]


def spoiled(*statements: str) -> Callable[[Path], None]:
    return lambda path: sql(path, *statements)


def overwrite(content: bytes, at: int) -> Callable[[Path], None]:
    def run(path: Path) -> None:
        with path.open("r+b") as file:
            file.seek(at)
            file.write(content)

    return run


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda path: path.write_text("no database, whatever its name says " * 500), "is no SQLite file"),
        (lambda path: path.write_bytes(bytes(path.stat().st_size)), "is no SQLite file"),
        (lambda path: os.truncate(path, 0), "is empty"),
        (lambda path: os.truncate(path, 8192), "is damaged"),
        (overwrite(b"\xff" * 3000, at=4096), "is damaged"),
        (spoiled("DELETE FROM records WHERE n = 500"), "record 500 is missing, at the end"),
        (spoiled("DELETE FROM records"), "records 1 to 500 are missing, at the end"),
        (spoiled(f"DELETE FROM records WHERE n = {500 - REVIEWED + 3}"), f"record {500 - REVIEWED + 3} is missing"),
        (spoiled("UPDATE records SET at = at + 60 WHERE n = 499"), "record 499 was changed, or put there"),
        (spoiled("UPDATE records SET body = '{}' WHERE n = 450"), "the text of record 450 was changed"),
        (spoiled("UPDATE sqlite_sequence SET seq = 3"), "the count of records says 3, and the newest is 500"),
        (spoiled("DELETE FROM sqlite_sequence"), "the count of records says 0, and the newest is 500"),
        (spoiled("DROP INDEX people"), "has other tables than it was made with"),
        (
            spoiled("CREATE TRIGGER deaf AFTER INSERT ON records BEGIN DELETE FROM records WHERE n = new.n; END"),
            "has other tables than it was made with",
        ),
        (lambda path: (path.unlink(), path.with_name(f"{path.name}-wal").write_text("left")), "is gone, and its log"),
    ],
)
def test_a_damaged_journal_is_evidence_and_no_other_is_begun_in_its_place(
    journal: Journal, path: Path, damage: Callable[[Path], object], said: str
) -> None:
    write(journal, 500)
    journal.close()
    damage(path)
    before = {file: file.read_bytes() for file in path.parent.iterdir()}
    for _ in range(2):
        with pytest.raises(DamagedJournal) as caught:
            Journal(path)
        assert str(caught.value).startswith(f"{path}: {said}")
        assert str(caught.value).endswith(f"move it away, with the files {path.name}-* beside it")
    assert {file: file.read_bytes() for file in path.parent.iterdir() if file in before} == before
    for file in path.parent.iterdir():
        file.rename(file.with_name(f"old-{file.name}"))
    with Journal(path) as again:
        assert write(again, 1) == [1]


def make_newer(path: Path) -> None:
    Journal(path).close()
    sql(path, "PRAGMA user_version = 2")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda path: path.mkdir(parents=True), "unable to open database file"),
        (lambda path: path.parent.write_text("no folder"), "File exists"),
        (spoiled("CREATE TABLE diary (day TEXT)"), "is no journal"),
        (make_newer, "was made by another Facelatch (version 2 of the file)"),
    ],
    ids=["a folder", "a file for a folder", "a diary", "newer"],
)
def test_a_file_that_is_something_else_is_named_and_left_alone(
    path: Path, spoil: Callable[[Path], object], said: str
) -> None:
    spoil(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(JournalError) as caught:
        Journal(path)
    assert str(caught.value) == f"{path}: {said}"
    assert (path.read_bytes() if path.is_file() else None) == before
