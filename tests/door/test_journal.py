"""The door's events, from their number and time to the disk, the broker and the log."""

from __future__ import annotations

import contextlib
import itertools
import logging
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.door.journal import REVIEWED, Journal
from agents.runtime.flood import BURST, PER_S, TELL_EVERY_S
from agents.runtime.spool import Spool, SpoolError
from agents.wire.messages import Action, Cause, DoorEvent, EventType, Refusal
from tests.fakes import T0, FakeClock, after
from tests.runtime.test_spool import failing_disk

HOLD_S_AT_MOST = 60  # what the settings allow; an extension is an opening too
MOVES = (EventType.UNLOCKED, EventType.EXTENDED, EventType.LOCKED, EventType.JAMMED)


def an_event(kind: EventType = EventType.UNLOCKED, **keys: object) -> DoorEvent:
    return DoorEvent.model_validate({"event_type": kind, "at": T0, "cause": Cause.COMMAND, **keys})


class Books:
    """A journal, the clock it looks at, and what it publishes."""

    def __init__(self, path: Path) -> None:
        self.path, self.clock = path, FakeClock()
        self.published: list[bytes] = []
        self._mids = itertools.count(1)
        self.journal = self._open()

    def _open(self) -> Journal:
        return Journal(self.path, self._publish, self.clock, logging.getLogger("door/front"))

    def _publish(self, payload: bytes) -> int:
        self.published.append(payload)
        return next(self._mids)

    def connect(self) -> None:
        self.journal.outbox.connected()

    def reopen(self) -> Journal:
        self.journal.outbox.close()
        self.journal = self._open()
        return self.journal

    @property
    def on_disk(self) -> list[DoorEvent]:
        return [DoorEvent.decode(payload) for payload in reversed(self.journal.outbox.recent(1000))]


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    made = Books(tmp_path / "door-front.events")
    yield made
    made.journal.outbox.close()


def test_an_event_is_told_as_it_is_kept_and_published_with_its_number_and_the_time_of_telling(books: Books) -> None:
    books.connect()
    books.clock.at = after(0.25)
    told = books.journal.tell(an_event(id="c1", action=Action.OPEN, person="Ana Kovač", source="phone"))
    books.clock.at = after(7)
    assert told == an_event(id="c1", action=Action.OPEN, person="Ana Kovač", source="phone", at=T0 + 0.25, seq=1)
    assert books.on_disk == [told]
    books.journal.outbox.pump()
    assert books.published == [told.encode()]


def test_numbers_count_on_after_a_restart(books: Books) -> None:
    assert [books.journal.tell(an_event()).seq for _ in range(3)] == [1, 2, 3]
    assert books.reopen().tell(an_event()).seq == 4


def test_what_went_otherwise_is_told_in_the_place_of_what_was_to_be(books: Books) -> None:
    books.connect()
    books.journal.tell(an_event(EventType.LOCKED))
    tried = books.journal.tell(an_event(id="c1"))
    books.clock.at = after(5)
    jammed = an_event(EventType.JAMMED, id="c1", at=T0 + 1)
    assert books.journal.retell(tried, jammed) == jammed.model_copy(update={"seq": 2})
    books.journal.outbox.pump()
    told = [(event.seq, event.event_type, event.at) for event in map(DoorEvent.decode, books.published)]
    assert told == [(1, "locked", T0), (2, "jammed", T0 + 1)]
    assert [event.event_type for event in books.on_disk] == ["locked", "jammed"]


def test_while_the_disk_fails_events_have_no_number_and_can_be_told_otherwise_all_the_same(books: Books) -> None:
    books.connect()
    with failing_disk():
        first = books.journal.tell(an_event(EventType.LOCKED))
        tried = books.journal.tell(an_event())
        assert (first.seq, tried.seq) == (None, None)
        assert books.journal.retell(tried, an_event(EventType.JAMMED)).seq is None
        books.journal.outbox.pump()
        told = [(event.seq, event.event_type) for event in map(DoorEvent.decode, books.published)]
        assert told == [(None, "locked"), (None, "jammed")]
        assert books.journal.outbox.problem is not None


# How the last run ended


def ended_open(payloads: Sequence[bytes]) -> bool:
    """What a journal says that finds these on its disk."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "door-front.events"
        with contextlib.closing(Spool(path)) as spool:
            for payload in payloads:
                spool.write(lambda _, payload=payload: payload)  # type: ignore[misc]
        books = Books(path)
        with contextlib.closing(books.journal.outbox):
            return books.journal.left_open()


@settings(deadline=None, max_examples=30)
@given(st.lists(st.sampled_from(EventType), max_size=8))
def test_a_run_ended_open_if_the_relay_last_went_on_or_failed(kinds: list[EventType]) -> None:
    moves = [kind for kind in kinds if kind in MOVES]
    open_ = moves[-1:] not in ([], [EventType.LOCKED])
    assert ended_open([an_event(kind).encode() for kind in kinds]) is open_


@pytest.mark.parametrize("junk", [b"", b"\xff", b"{}", b"null", b'{"event_type":"locked"}'])
def test_what_can_not_be_read_on_the_disk_is_passed_over(junk: bytes) -> None:
    """A newer Facelatch may have written it."""
    assert ended_open([an_event().encode(), junk])
    assert not ended_open([an_event(EventType.LOCKED).encode(), junk])


def test_it_reads_as_far_back_as_there_can_be_events_in_a_pulse() -> None:
    refused = an_event(EventType.REJECTED).encode()
    assert ended_open([an_event().encode(), *[refused] * (REVIEWED - 1)])
    # the longest hold, with both topics flooded all the while, and a second's worth to tell of it
    assert 2 * (BURST + HOLD_S_AT_MOST * (PER_S + 1 / TELL_EVERY_S)) < REVIEWED


def test_without_a_disk_nobody_knows_how_the_last_run_ended(tmp_path: Path) -> None:
    (tmp_path / "door-front.events").mkdir()
    books = Books(tmp_path / "door-front.events")
    assert books.journal.left_open() is False
    assert books.journal.outbox.problem is not None


# A power cut


def test_what_was_flushed_is_in_the_file_itself_and_no_longer_in_the_log_beside_it(
    books: Books, tmp_path: Path
) -> None:
    books.journal.tell(an_event())
    assert in_the_file_itself(books, tmp_path / "before") == 0
    books.journal.flush()
    assert in_the_file_itself(books, tmp_path / "after") == 1


def in_the_file_itself(books: Books, folder: Path) -> int:
    folder.mkdir()
    with contextlib.closing(Spool(Path(shutil.copy(books.path, folder)))) as spool:
        return len(spool.recent(10))


def test_the_disk_is_not_asked_to_flush_when_nothing_was_told(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[int] = []
    books.journal.tell(an_event())
    books.journal.flush()
    monkeypatch.setattr(Spool, "flush", lambda spool: flushed.append(1))
    books.journal.flush()
    assert flushed == []
    books.journal.tell(an_event())
    for _ in range(3):
        books.journal.flush()
    assert len(flushed) == 1
    books.journal.retell(books.journal.tell(an_event()), an_event(EventType.JAMMED))
    books.journal.flush()
    assert len(flushed) == 2


def test_a_disk_that_can_not_be_flushed_is_a_problem(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Spool) -> None:
        raise SpoolError("the disk is dying")

    books.journal.tell(an_event())
    with monkeypatch.context() as patch:
        patch.setattr(Spool, "flush", fail)
        books.journal.flush()
    assert books.journal.outbox.problem == "the disk is dying"
    books.journal.flush()
    assert books.journal.outbox.problem is None


# The log


def test_each_event_is_a_line_for_people(books: Books, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "door/front")
    refused = an_event(EventType.REJECTED, reason=Refusal.STALE, id="c1", detail="too old")
    books.journal.tell(refused)
    tried = books.journal.tell(an_event(person="Ana", cause=Cause.GRANT))
    books.journal.retell(tried, an_event(EventType.JAMMED, detail="no relay"))
    lines = [(record.name, record.getMessage()) for record in caplog.records if record.name == "door/front"]
    assert lines == [
        ("door/front", "rejected stale too old (command c1)"),
        ("door/front", "unlocked Ana (grant)"),
        ("door/front", "jammed no relay (command)"),
    ]


def test_openings_and_refusals_are_counted_and_nothing_else_is(books: Books) -> None:
    for kind in EventType:
        books.journal.tell(an_event(kind))
    tried = books.journal.tell(an_event())
    books.journal.retell(tried, an_event(EventType.REJECTED))
    assert books.journal.counters == {"unlocked": 1, "rejected": 2}
