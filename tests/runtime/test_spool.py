"""The spool on a real file: what survives which death, and what is said of a file that is no good."""

from __future__ import annotations

import contextlib
import os
import random
import resource
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agents.runtime import spool as spool_module
from agents.runtime.spool import KEPT_ASIDE, SKIPPED_SEQS, Spool, SpoolError

ROOT = Path(__file__).parents[2]
ALL = 100_000


def numbered(seq: int) -> bytes:
    return b"event %d" % seq


def write(spool: Spool, n: int = 1) -> list[int]:
    return [spool.write(numbered) for _ in range(n)]


def waiting(spool: Spool) -> list[int]:
    """The numbers that nobody acknowledged; each payload must be its own."""
    found = spool.waiting(0, ALL)
    assert [payload for _, payload in found] == [numbered(seq) for seq, _ in found]
    return [seq for seq, _ in found]


@contextlib.contextmanager
def failing_disk() -> Iterator[None]:
    """The kernel refuses every write to a file, as a disk does that is full or dying."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "door-front.sqlite"


@pytest.fixture
def spool(path: Path) -> Iterator[Spool]:
    made = Spool(path)
    yield made
    with contextlib.suppress(SpoolError):  # a test may have closed it
        made.close()


def reopen(spool: Spool, limit: int = 10_000) -> Spool:
    spool.close()
    return Spool(spool.path, limit)


# What is kept


def test_events_are_numbered_from_one_and_wait_in_order(spool: Spool) -> None:
    assert write(spool, 3) == [1, 2, 3]
    assert spool.waiting(0, 2) == [(1, b"event 1"), (2, b"event 2")]
    assert spool.waiting(2, 2) == [(3, b"event 3")]
    assert spool.waiting(3, 2) == []


def test_an_acknowledged_event_no_longer_waits_and_stays_in_the_journal(spool: Spool) -> None:
    write(spool, 3)
    spool.acknowledge(2)
    assert waiting(spool) == [1, 3]
    assert spool.recent(ALL) == [b"event 3", b"event 2", b"event 1"]
    assert spool.recent(1) == [b"event 3"]


def test_a_restart_changes_nothing(spool: Spool) -> None:
    write(spool, 3)
    spool.acknowledge(1)
    spool.acknowledge(3)
    with contextlib.closing(reopen(spool)) as again:
        assert waiting(again) == [2]
        assert write(again) == [4]
        assert again.notice is None


def test_an_event_can_be_told_anew(spool: Spool) -> None:
    write(spool, 2)
    spool.rewrite(2, b"it was otherwise")
    assert spool.waiting(0, ALL) == [(1, b"event 1"), (2, b"it was otherwise")]


def test_an_event_that_can_not_be_made_takes_no_number(spool: Spool) -> None:
    write(spool)
    with pytest.raises(ZeroDivisionError):
        spool.write(lambda seq: b"%d" % (seq // 0))
    assert write(spool) == [2]
    assert waiting(spool) == [1, 2]


def test_the_oldest_make_room_and_only_those_nobody_acknowledged_are_lost(path: Path) -> None:
    with contextlib.closing(Spool(path, limit=4)) as spool:
        write(spool, 4)
        for seq in (1, 3, 4):
            spool.acknowledge(seq)
        write(spool, 3)
        assert spool.recent(ALL) == [numbered(seq) for seq in (7, 6, 5, 4)]
        assert waiting(spool) == [5, 6, 7]
        assert spool.lost == 1


def test_a_lower_limit_holds_from_the_next_event_on(spool: Spool) -> None:
    write(spool, 10)
    with contextlib.closing(reopen(spool, limit=3)) as again:
        write(again)
        assert waiting(again) == [9, 10, 11]
        assert again.lost == 8


def test_the_file_and_its_folder_are_their_owners_alone(spool: Spool, path: Path) -> None:
    write(spool)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}


def test_the_files_do_not_grow_without_end_when_nobody_flushes(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    monkeypatch.setattr(spool_module, "LOG_PAGES", 40)
    with contextlib.closing(Spool(path, limit=100)) as spool:
        write(spool, 1000)
        assert sum(file.stat().st_size for file in path.parent.iterdir()) < 100 * 4096


# What survives


WRITER = """
import sys
from pathlib import Path
from agents.runtime.spool import Spool
spool = Spool(Path(sys.argv[1]))
assert spool.notice is None
print("open", flush=True)
while True:
    seq = spool.write(lambda seq: b"event %d" % seq)
    print(seq, flush=True)
    spool.acknowledge(seq // 2)
    if seq % 50 == 0:
        spool.flush()
"""


def start_writer(path: Path) -> subprocess.Popen[str]:
    writer = subprocess.Popen([sys.executable, "-c", WRITER, path], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    assert writer.stdout.readline() == "open\n"
    return writer


def kill(writer: subprocess.Popen[str]) -> list[int]:
    """The numbers that it said it had written, in whole lines."""
    writer.send_signal(signal.SIGKILL)
    said, _ = writer.communicate()
    return [int(line) for line in said.splitlines(keepends=True) if line.endswith("\n")]


def test_a_kill_at_any_moment_loses_nothing_that_was_written(path: Path) -> None:
    written = 0
    for events in random.Random(1).choices(range(20, 300), k=6):
        writer = start_writer(path)
        assert writer.stdout is not None
        said = [int(writer.stdout.readline()) for _ in range(events)]
        said += kill(writer)
        assert said == list(range(written + 1, said[-1] + 1))
        with contextlib.closing(Spool(path)) as spool:
            journal = spool.recent(ALL)[::-1]
            written = len(journal)
            assert journal == [numbered(seq) for seq in range(1, written + 1)]
            assert said[-1] <= written <= said[-1] + 1, "at most the one that it had no time to speak of"
            assert waiting(spool)[0] in (said[-1] // 2, said[-1] // 2 + 1)


def cut_power(monkeypatch: pytest.MonkeyPatch, spool: Spool, to: Path) -> Path:
    """What the disk has of it when the computer starts again: at worst only what was waited for."""
    to.mkdir()
    shutil.copy(spool.path, to)
    (to / "boot").write_text(f"the run {to.name}")
    monkeypatch.setattr(spool_module, "BOOT_ID", to / "boot")
    return to / spool.path.name


def test_what_was_flushed_survives_a_power_cut(monkeypatch: pytest.MonkeyPatch, spool: Spool, tmp_path: Path) -> None:
    write(spool, 5)
    spool.acknowledge(1)
    spool.flush()
    write(spool, 2)
    left = cut_power(monkeypatch, spool, tmp_path / "later")
    with contextlib.closing(Spool(left)) as again:
        assert waiting(again) == [2, 3, 4, 5]


def test_after_a_power_cut_no_number_is_used_again(
    monkeypatch: pytest.MonkeyPatch, spool: Spool, tmp_path: Path
) -> None:
    left = cut_power(monkeypatch, spool, tmp_path / "later")
    written = write(spool, 2000)
    with contextlib.closing(Spool(left)) as again:
        assert again.notice == f"{left}: was in use when the computer went off; the last events may be missing"
        assert write(again, 2) == [SKIPPED_SEQS + 1, SKIPPED_SEQS + 2]
        assert written[-1] < SKIPPED_SEQS
        left = cut_power(monkeypatch, again, tmp_path / "later still")
    with contextlib.closing(Spool(left)) as again:
        assert write(again) == [2 * SKIPPED_SEQS + 1]


def test_numbers_are_skipped_only_after_a_power_cut(
    monkeypatch: pytest.MonkeyPatch, spool: Spool, tmp_path: Path
) -> None:
    write(spool, 5)
    spool.close()
    left = cut_power(monkeypatch, spool, tmp_path / "later")
    with contextlib.closing(Spool(left)) as again:
        assert again.notice is None
        assert write(again) == [6]


def test_a_power_cut_is_noticed_once(monkeypatch: pytest.MonkeyPatch, spool: Spool, tmp_path: Path) -> None:
    left = cut_power(monkeypatch, spool, tmp_path / "later")
    with contextlib.closing(Spool(left)) as again:
        assert again.notice is not None
        killed = Path(shutil.copy(left, tmp_path))
    with contextlib.closing(Spool(killed)) as again:
        assert again.notice is None


def test_events_not_flushed_are_fewer_than_the_numbers_skipped_for_them(
    monkeypatch: pytest.MonkeyPatch, path: Path, tmp_path: Path
) -> None:
    monkeypatch.setattr(spool_module, "LOG_PAGES", 40)
    with contextlib.closing(Spool(path)) as spool:
        write(spool, 1000)
        left = cut_power(monkeypatch, spool, tmp_path / "later")
    with contextlib.closing(Spool(left)) as again:
        assert len(waiting(again)) >= 1000 - 40
    assert SKIPPED_SEQS > 4_000


def test_flush_itself_makes_the_write_that_waits_for_the_disk(spool: Spool, path: Path) -> None:
    log = path.with_name(f"{path.name}-wal")
    write(spool)
    spool.flush()
    begun = log.read_bytes()
    assert begun, "the next write would begin a log, and wait until its head is on the disk"
    spool.flush()
    assert log.read_bytes() == begun, "there was nothing to flush"


# Who may have it


def test_two_processes_can_not_have_it_and_a_killed_one_lets_go(path: Path) -> None:
    holder = start_writer(path)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "1\n"
    with pytest.raises(SpoolError, match=r"door-front\.sqlite: another process holds it"):
        Spool(path)
    kill(holder)
    with contextlib.closing(Spool(path)) as spool:
        assert spool.recent(1)


def test_one_process_can_not_have_it_twice(spool: Spool, path: Path) -> None:
    with pytest.raises(SpoolError, match="another process holds it"):
        Spool(path)
    assert write(spool) == [1]


def test_a_closed_spool_says_so(spool: Spool) -> None:
    spool.close()
    for use in (lambda: write(spool), lambda: waiting(spool), spool.flush, spool.close):
        with pytest.raises(SpoolError, match="closed"):
            use()


# What goes wrong


def sql(*statements: str) -> Callable[[Path], None]:
    def run(path: Path) -> None:
        db = sqlite3.connect(path, isolation_level=None)
        for statement in statements:
            db.execute(statement)
        db.close()

    return run


def make_newer(path: Path) -> None:
    Spool(path).close()
    sql("PRAGMA user_version = 2")(path)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda path: path.mkdir(), "Is a directory"),
        (lambda path: (path.parent.rmdir(), path.parent.write_text("no folder")), "File exists"),
        (lambda path: path.symlink_to(path), "Too many levels of symbolic links"),
        (make_newer, "was made by a newer Facelatch (version 2 of the file)"),
        (sql("CREATE TABLE diary (day TEXT)"), "is no spool of events"),
        (sql("CREATE TABLE diary (day TEXT)", "PRAGMA user_version = 1"), "is no spool of events"),
    ],
    ids=["a folder", "a file for a folder", "a circle", "newer", "a diary", "a diary with a version"],
)
def test_a_file_that_can_not_be_used_is_named_and_left_alone(
    path: Path, spoil: Callable[[Path], None], said: str
) -> None:
    path.parent.mkdir()
    spoil(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(SpoolError) as caught:
        Spool(path)
    assert str(caught.value) == f"{path}: {said}"
    assert (path.read_bytes() if path.is_file() else None) == before


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
        (lambda path: os.truncate(path, 8192), "is damaged"),
        (overwrite(b"\xff" * 3000, at=4096), "is damaged"),
        (overwrite(b"\xff" * 3000, at=4 * 4096), "is damaged"),
        (overwrite(b"\xff" * 3000, at=4 * 4096 + 8), "is damaged"),
    ],
    ids=["text", "zeros", "cut off", "a table overwritten", "a page overwritten", "events overwritten"],
)
def test_a_damaged_file_is_kept_and_a_new_one_begun(path: Path, damage: Callable[[Path], object], said: str) -> None:
    with contextlib.closing(Spool(path)) as spool:
        old = write(spool, 1000)
    damage(path)
    before, aside = path.read_bytes(), path.with_name(f"{path.name}.damaged-1")
    with contextlib.closing(Spool(path)) as spool:
        assert spool.notice is not None
        assert spool.notice.startswith(f"{path}: {said}")
        assert spool.notice.endswith(f"; it is kept as {aside}, and a new one was begun")
        assert aside.read_bytes() == before
        assert waiting(spool) == []
        new = write(spool, 2)
        assert new[0] > old[-1] + SKIPPED_SEQS
        assert waiting(spool) == new
    with contextlib.closing(Spool(path)) as spool:
        assert spool.notice is None
        assert waiting(spool) == new


def test_the_log_of_a_damaged_file_is_kept_with_it(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"damaged" * 1000)
    path.with_name(f"{path.name}-wal").write_bytes(b"the last events")
    Spool(path).close()
    assert path.with_name(f"{path.name}.damaged-1-wal").read_bytes() == b"the last events"


def test_damaged_files_are_kept_beside_each_other_but_not_without_end(path: Path) -> None:
    newest = 0
    for n in range(1, KEPT_ASIDE + 1):
        with contextlib.closing(Spool(path)) as spool:
            assert write(spool)[0] > newest
            newest = write(spool)[0]
        path.write_bytes(b"%d" % n * 1000)
    with contextlib.closing(Spool(path)) as spool:
        assert write(spool)[0] > newest
    asides = sorted(path.parent.glob("*.damaged-*"))
    assert [file.read_bytes()[:1] for file in asides] == [b"%d" % n for n in range(1, KEPT_ASIDE + 1)]
    path.write_bytes(b"again" * 1000)
    with pytest.raises(SpoolError, match=r"door-front\.sqlite: is damaged, and so were 9 before it"):
        Spool(path)
    assert sorted(path.parent.glob("*.damaged-*")) == asides


def test_a_failing_disk_is_an_error_and_when_it_works_again_so_does_the_spool(spool: Spool, path: Path) -> None:
    write(spool, 2)
    with failing_disk():
        for use in (lambda: write(spool), lambda: spool.acknowledge(1), lambda: spool.rewrite(1, b""), spool.flush):
            with pytest.raises(SpoolError) as caught:
                use()
            assert str(caught.value) == f"{path}: disk I/O error"
        assert waiting(spool) == [1, 2]
    assert write(spool) == [3]
    spool.acknowledge(1)
    with contextlib.closing(reopen(spool)) as again:
        assert waiting(again) == [2, 3]


def test_a_spool_can_not_be_begun_on_a_failing_disk(path: Path) -> None:
    with failing_disk(), pytest.raises(SpoolError, match=r"door-front\.sqlite: disk I/O error"):
        Spool(path)
    with contextlib.closing(Spool(path)) as spool:
        assert write(spool) == [1]


@pytest.mark.parametrize(
    ("pragma", "said"),
    [("max_page_count = 1", "the disk is full"), ("query_only = ON", "attempt to write a readonly database")],
)
def test_a_disk_that_is_full_or_read_only_is_called_that(spool: Spool, path: Path, pragma: str, said: str) -> None:
    write(spool)
    spool._db.execute(f"PRAGMA {pragma}").fetchall()  # SQLite's own ways to act as if it were so
    with pytest.raises(SpoolError) as caught:
        spool.write(lambda _: bytes(20_000))
    assert str(caught.value) == f"{path}: {said}"
    assert waiting(spool) == [1]
