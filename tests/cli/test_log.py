"""`facelatch log`, as typed."""

from __future__ import annotations

import contextlib
import csv
import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.cli import log
from agents.cli.log_text import FORMULA, Teller, follow_up
from agents.cli.main import main
from agents.cli.words import WORDS
from agents.scheduler.chain import Kind
from agents.scheduler.journal import FILE, Journal, JournalError
from agents.scheduler.journal_reader import JournalReader, Record, Wanted
from agents.scheduler.pictures import FOLDER, Pictures
from agents.wire.messages import Cause, DoorEvent, EventType, Refusal
from agents.wire.values import one_line
from agents.wire.why import Why
from tests.cli.conftest import Facelatch
from tests.fakes import FakeClock, after
from tests.scheduler.journals import T0, decision, denial, event, left_of, write

CAME = "GRANTED: door front, Ana at distance 0.28: seen in enough fresh frames"


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    """It is 2027-01-15 09:00:30 in Zagreb."""
    made = FakeClock()
    made.at = after(30)
    monkeypatch.setattr(log, "Clock", lambda: made)
    return made


@pytest.fixture
def path(folder: Path) -> Path:
    return folder / "data" / FILE


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    made = Journal(path)
    yield made
    with contextlib.suppress(JournalError):  # a test may have closed it
        made.close()


@pytest.fixture
def told(journal: Journal) -> Journal:
    for kind, at, body in [
        (Kind.DECISION, T0, decision("Ana", "front-1", rule="staff, mon-fri 07:00 to 19:00")),
        (Kind.EVENT, T0 + 0.25, event(1, id="front-1", person="Ana", at=T0 + 0.25)),
        (Kind.EVENT, T0 + 3, event(2, "locked", cause="timeout", at=T0 + 3)),
        (Kind.DECISION, T0 + 5, denial("Ivan", "holiday", T0 + 5, id="front-2", door="back")),
        (Kind.SWITCH, T0 + 6, {"what": "away", "state": "ON", "source": "Eva"}),
    ]:
        journal.append(kind, at, body)
    return journal


# What is shown


def test_what_happened_is_told_in_the_houses_time_the_oldest_first(told: Journal, facelatch: Facelatch) -> None:
    assert facelatch("log") == (
        0,
        [
            f"2027-01-15 09:00:00  {CAME} (staff, mon-fri 07:00 to 19:00); door open after 250 ms",
            "2027-01-15 09:00:00  door front unlocked for Ana",
            "2027-01-15 09:00:03  door front locked",
            "2027-01-15 09:00:05  DENIED: door back, Ivan at distance 0.28: closed for a holiday",
            "2027-01-15 09:00:06  away mode: ON, by Eva",
        ],
        [],
    )


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ("--person Ana", [1, 2]),
        ("--door back", [4]),
        ("--since 26s", [4, 5]),
        ("--until 09:00", []),
        ("--since today --until today", [1, 2, 3, 4, 5]),
        ("--until yesterday", []),
        ("--denied", [4]),
        ("--granted", [1]),
        ("--kind event", [2, 3]),
        ("--kind event --kind switch", [2, 3, 5]),
        ("-n 2", [4, 5]),
        ("--kind event -n 1", [3]),
        ("--since 1h -n 1", [5]),
    ],
)
def test_only_what_is_asked_for_is_shown(told: Journal, facelatch: Facelatch, options: str, shown: list[int]) -> None:
    assert [json.loads(line)["n"] for line in facelatch("log", *options.split(), "--json").out] == shown


def test_of_very_much_the_newest_are_shown_unless_a_time_is_given(journal: Journal, facelatch: Facelatch) -> None:
    write(journal, 120)
    assert len(facelatch("log").out) == 50
    assert facelatch("log").out[-1] == facelatch("log", "-n", "1").out[0]
    assert len(facelatch("log", "--since", "1h").out) == 120


def test_a_name_is_the_same_however_its_accents_were_typed(journal: Journal, facelatch: Facelatch) -> None:
    journal.append(Kind.DECISION, T0, decision("Kova\u010d"))
    assert len(facelatch("log", "--person", "Kovac\u030c", "--json").out) == 1


def test_where_there_is_nothing_of_the_kind_it_is_said_but_not_to_programs(told: Journal, facelatch: Facelatch) -> None:
    assert facelatch("log", "--person", "Nobody") == (0, ["no such records"], [])
    assert facelatch("log", "--person", "Nobody", "--json").out == []
    assert len(facelatch("log", "--person", "Nobody", "--csv").out) == 1


def test_json_has_the_whole_record(told: Journal, facelatch: Facelatch) -> None:
    first = json.loads(facelatch("log", "--json").out[0])
    assert len(first.pop("hash")) == 64
    assert first == {
        "n": 1,
        "at": T0,
        "time": "2027-01-15T09:00:00.000+01:00",
        "kind": "decision",
        "erased": False,
        "body": decision("Ana", "front-1", rule="staff, mon-fri 07:00 to 19:00"),
    }


def test_a_spreadsheet_gets_columns(told: Journal, facelatch: Facelatch) -> None:
    rows = list(csv.DictReader(facelatch("log", "--csv").out))
    assert [(row["number"], row["kind"], row["outcome"], row["person"]) for row in rows] == [
        ("1", "decision", "granted", "Ana"),
        ("2", "event", "unlocked", "Ana"),
        ("3", "event", "locked", ""),
        ("4", "decision", "denied", "Ivan"),
        ("5", "switch", "ON", ""),
    ]
    assert rows[0]["time"] == "2027-01-15T09:00:00.000+01:00"
    assert rows[0]["text"] == f"{CAME} (staff, mon-fri 07:00 to 19:00); door open after 250 ms"
    assert (rows[3]["reason"], rows[3]["door"], rows[4]["source"]) == ("holiday", "back", "Eva")


@pytest.mark.parametrize("sign", [*FORMULA, "\t=", "\r\n+", " @"])
def test_no_name_is_a_formula_in_a_spreadsheet(journal: Journal, facelatch: Facelatch, sign: str) -> None:
    evil = f'{sign}HYPERLINK("http://a.example/";"Ana, Eva")'
    journal.append(Kind.SWITCH, T0, {"what": sign, "person": evil, "source": evil, "state": evil})
    (row,) = csv.DictReader(facelatch("log", "--csv").out)
    assert (row["person"], row["source"], row["outcome"]) == (f"'{one_line(evil)}",) * 3
    assert not any(cell.lstrip().startswith(FORMULA) for cell in row.values())


def test_no_text_forges_a_line_or_speaks_to_the_terminal(journal: Journal, facelatch: Facelatch) -> None:
    journal.append(Kind.DECISION, T0, decision("Ana", detail="x\n2027-01-15 09:00:00  GRANTED\x1b[2J\u202e"))
    (line,) = facelatch("log").out
    assert line.isprintable()


# What came of a grant


@pytest.mark.parametrize(
    ("events", "age_s", "said"),
    [
        ([event(1, id="front-1", at=T0 + 0.16)], 1, "; door open after 160 ms"),
        ([event(1, "extended", id="front-1", at=T0 + 0.16)], 1, "; door open after 160 ms"),
        ([event(1, id="front-1", at=T0 - 0.3)], 1, "; door open after 0 ms"),  # by its own clock
        ([event(1, id="front-1", at=T0 - 3000)], 1, "; door open"),
        ([event(1, id="front-1", door="back")], 11, "; the door did not answer"),
        ([event(1, id="front-9")], 11, "; the door did not answer"),
        ([], 11, "; the door did not answer"),
        ([], 9, ""),
        ([event(1, "rejected", id="front-1", reason="expired")], 1, "; the door refused: expired"),
        ([event(1, "jammed", id="front-1", cause="fault")], 1, "; the door refused: jammed"),
    ],
)
def test_a_grant_says_what_the_door_did(
    journal: Journal, facelatch: Facelatch, clock: FakeClock, events: list[dict[str, Any]], age_s: float, said: str
) -> None:
    journal.append(Kind.DECISION, T0, decision("Ana", "front-1"))
    for told in events:
        journal.append(Kind.EVENT, T0, told)
    clock.at = after(age_s)
    assert facelatch("log", "--granted").out == [f"2027-01-15 09:00:00  {CAME}{said}"]


def test_of_a_denial_no_answer_is_expected(journal: Journal, facelatch: Facelatch) -> None:
    journal.append(Kind.DECISION, T0, denial())
    (line,) = facelatch("log").out
    assert line.endswith("DENIED: door front, a stranger at distance 0.28: nobody here knows this face")


# Words


def teller() -> Teller:
    from zoneinfo import ZoneInfo

    return Teller(ZoneInfo("Europe/Zagreb"))


def text(kind: str, body: dict[str, Any] | None, erased: bool = False) -> str:
    return teller().text(Record(7, T0, kind, "front", body, erased, bytes(32)))


@pytest.mark.parametrize("why", list(Why))
def test_every_reason_has_words(why: Why) -> None:
    assert text(Kind.DECISION, denial("Ana", why)).endswith(f": {WORDS[why]}")


def test_every_event_of_a_door_has_words() -> None:
    for kind in EventType:
        for cause in Cause:
            told = DoorEvent(event_type=kind, at=T0, cause=cause, reason=Refusal.EXPIRED, detail="no pin")
            said = text(Kind.EVENT, {"door": "front", **told.model_dump(mode="json")})
            assert "door front" in said
            assert "can't be read" not in said


@pytest.mark.parametrize(
    ("kind", "body", "line"),
    [
        (Kind.DECISION, decision(None, distance=None), "GRANTED: door front, a stranger: seen in enough fresh frames"),
        (Kind.DECISION, denial(reason="eclipse", distance=None), "DENIED: door front, a stranger: eclipse"),
        (
            Kind.DECISION,
            denial("Ivan", "locked_out", distance=None, rule="a rule", detail="for 9 s more"),
            "DENIED: door front, Ivan: the camera saw too many strangers (a rule) (for 9 s more)",
        ),
        (Kind.EVENT, event(1, cause="button"), "door front unlocked by the exit button"),
        (Kind.EVENT, event(1, cause="command", source="Eva's phone"), "door front unlocked by Eva's phone"),
        (Kind.EVENT, event(1, cause="command"), "door front unlocked by a command over MQTT"),
        (Kind.EVENT, event(1, "extended", person="Ana"), "door front stayed unlocked a little longer for Ana"),
        (
            Kind.EVENT,
            event(1, cause="command", action="TEST", source="Eva"),
            "door front unlocked for a test pulse by Eva",
        ),
        (
            Kind.EVENT,
            event(1, "extended", cause="command", action="TEST"),
            "door front stayed unlocked for a test pulse by a command over MQTT",
        ),
        (Kind.EVENT, event(1, "locked", cause="stop"), "door front locked (stop)"),
        (Kind.EVENT, event(1, "forced", cause="contact"), "door front was FORCED: opened without an unlock"),
        (Kind.EVENT, event(1, "jammed", detail="no pin"), "door front is JAMMED (no pin)"),
        (
            Kind.EVENT,
            event(1, "rejected", cause="command", reason="flood", detail="too many"),
            "REFUSED: door front did not obey a command: flood (too many)",
        ),
        (
            Kind.SWITCH,
            {"what": "enabled", "door": "front", "state": "OFF", "source": None},
            "face unlock at door front: OFF",
        ),
        (
            Kind.SWITCH,
            {"what": "let_in", "door": "front", "person": "Petra", "until": T0 + 60, "source": "Eva"},
            "let in for once at door front: Petra until 2027-01-15 09:01:00, by Eva",
        ),
        (
            Kind.SWITCH,
            {"what": "let_in", "door": "front", "person": "Petra", "until": None, "source": None},
            "let in for once at door front: Petra no more",
        ),
        (
            Kind.SWITCH,
            {"what": "answer", "door": "front", "state": "YES", "source": "Eva"},
            "the answer at door front: YES, by Eva",
        ),
        (Kind.SWITCH, {"what": "siren", "state": "ON"}, "siren: ON"),
        (Kind.AGENT, {"agent": "door", "id": "front", "state": "offline"}, "door front is offline"),
        (Kind.GAP, {"door": "front", "first": 5, "last": 7}, "door front: its events 5 to 7 never came"),
        (Kind.GAP, {"door": "front", "first": 5, "last": 5}, "door front: its event 5 never came"),
        (Kind.ERASED, {"records": 4}, "4 records were erased"),
        ("weather", {"rain": True}, "(weather 7 can't be read)"),
        (Kind.DECISION, None, "(decision 7 can't be read)"),
        (Kind.DECISION, {"outcome": 1}, "(decision 7 can't be read)"),
        (Kind.DECISION, decision("Ana", distance="near"), "(decision 7 can't be read)"),
    ],
)
def test_every_record_is_one_line(kind: str, body: dict[str, Any], line: str) -> None:
    assert text(kind, body) == line


def test_what_was_erased_says_so_and_nothing_more() -> None:
    assert text(Kind.DECISION, None, erased=True) == "(decision at door front, erased)"


def test_an_hour_that_comes_twice_is_told_apart() -> None:
    first = 1_792_886_400.0 + 1800  # 2026-10-25 02:30 in summer
    assert [teller().time(first + hours * 3600) for hours in (-1, 0, 1, 2)] == [
        "2026-10-25 01:30:00",
        "2026-10-25 02:30:00 CEST",
        "2026-10-25 02:30:00 CET",
        "2026-10-25 03:30:00",
    ]


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
keys = sorted({*decision(), *event(1), "what", "state", "agent", "first", "last", "until", "records"})


@given(
    st.sampled_from([*Kind, "other"]),
    st.dictionaries(st.sampled_from(keys), anything | st.sampled_from([*EventType, *Why, "let_in"])),
    st.floats() | st.text(max_size=3),
)
def test_whatever_somebody_put_into_the_journal_is_one_line_a_row_and_json(
    kind: str, body: dict[str, Any], at: Any
) -> None:
    record = Record(7, at, kind, None, body, False, bytes(32))
    for more in (follow_up(body, None, T0), follow_up(body, body, T0)):
        assert teller().line(record, more).isprintable()
        assert len(teller().row(record, more)) == 14
    assert json.loads(teller().json(record))["n"] == 7


# Following


class Enough(Exception):
    pass


def test_what_is_new_is_shown_as_it_comes_and_nothing_twice(told: Journal, path: Path) -> None:
    shown: list[int] = []
    coming = iter([3, 0, 1])

    def come(_: float) -> None:
        several = next(coming, None)
        if several is None:
            raise Enough
        write(told, several)

    with JournalReader(path) as reader, pytest.raises(Enough):
        log.follow(reader, Wanted(newest=2), lambda record: shown.append(record.n), come)
    assert shown == [4, 5, 6, 7, 8, 9]


def test_only_what_is_wanted_is_followed(told: Journal, path: Path) -> None:
    shown: list[int] = []
    coming = iter([decision("Eva"), decision("Ana"), denial("Ana", "holiday")])

    def come(_: float) -> None:
        body = next(coming, None)
        if body is None:
            raise Enough
        told.append(Kind.DECISION, T0, body)

    with JournalReader(path) as reader, pytest.raises(Enough):
        log.follow(reader, Wanted(person="Ana", newest=1), lambda record: shown.append(record.n), come)
    assert shown == [2, 7, 8]


def test_ctrl_c_ends_following(told: Journal, facelatch: Facelatch, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: object, wanted: Wanted, show: Callable[[Record], object]) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(log, "follow", interrupted)
    assert facelatch("log", "--follow") == (130, [], [])


# Verifying


def spoil(path: Path, statement: str) -> None:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute(statement)


def test_a_whole_journal_is_called_whole_and_tells_what_to_note(told: Journal, facelatch: Facelatch) -> None:
    status, (whole, newest), _ = facelatch("log", "verify")
    assert (status, whole) == (0, "whole: 5 records; none was removed or changed")
    anchor = newest.split()[-1]
    assert newest == f"the newest, to be noted elsewhere for --anchor: {anchor}"
    told.append(Kind.DECISION, T0, decision())
    assert facelatch("log", "verify", "--anchor", anchor).status == 0
    other = f"5:{'0' * 64}"
    assert facelatch("log", "verify", "--anchor", other).status == 1


def test_a_removed_record_is_named_and_the_status_tells(told: Journal, facelatch: Facelatch, path: Path) -> None:
    spoil(path, "DELETE FROM records WHERE n = 2")
    assert facelatch("log", "verify") == (
        1,
        [f"{path}: record 2 is missing", "NOT whole: 1 problem in 4 records"],
        [],
    )
    assert len(facelatch("log").out) == 4


def test_after_erasing_a_journal_is_whole(told: Journal, facelatch: Facelatch) -> None:
    facelatch("log", "forget", "Ana")
    assert facelatch("log", "verify").out[0] == "whole: 6 records, 2 of them erased; none was removed or changed"


@pytest.mark.parametrize("anchor", ["5", "5:ab", "x"])
def test_what_is_no_anchor_is_refused(told: Journal, facelatch: Facelatch, anchor: str) -> None:
    done = facelatch("log", "verify", "--anchor", anchor)
    assert done == (
        1,
        [],
        [f"facelatch: --anchor {anchor!r} is no N:HASH, as facelatch log verify prints it"],
    )


def test_a_journal_that_was_moved_away_can_still_be_read(told: Journal, facelatch: Facelatch, path: Path) -> None:
    told.close()
    path.rename(path.with_name("old.sqlite"))
    assert facelatch("log", "verify").status == 1
    assert facelatch("log", "verify", "--file", "data/old.sqlite").status == 0
    assert len(facelatch("log", "--file", "data/old.sqlite").out) == 5


# Forgetting


def test_a_person_is_forgotten_with_all_pictures(told: Journal, facelatch: Facelatch, folder: Path) -> None:
    pictures = Pictures(folder / "data" / FOLDER)
    for decision_id in ("front-1", "front-2"):
        pictures.save(decision_id, "front", T0, b"jpeg")
    assert facelatch("log", "forget", "Ana") == (0, ["2 records and 1 picture of Ana are erased"], [])
    assert left_of("Ana", folder / "data") == []
    assert [json.loads(line)["erased"] for line in facelatch("log", "--json").out] == [True, True, *[False] * 4]
    assert facelatch("log").out[0] == "2027-01-15 09:00:00  (decision at door front, erased)"


def test_where_the_name_is_left_in_other_records_it_is_said(told: Journal, facelatch: Facelatch) -> None:
    told.append(Kind.DECISION, T0, decision("Eva"))
    (line,) = facelatch("log", "forget", "Eva").out
    assert line.startswith("1 record and 0 pictures of Eva are erased; the name still stands in 1 record, as who asked")


def test_nobody_by_that_name_is_an_error(told: Journal, facelatch: Facelatch, path: Path) -> None:
    said = f"facelatch: {path}: nothing has to do with anybody called 'ana'"
    assert facelatch("log", "forget", "ana") == (1, [], [said])


# What goes wrong


@pytest.mark.parametrize("command", ["log", "log verify", "log forget Ana", "log --follow", "log --csv"])
def test_without_a_journal_it_is_said_that_there_is_none(facelatch: Facelatch, path: Path, command: str) -> None:
    said = f"facelatch: {path}: there is no journal yet; the scheduler begins one when it starts"
    assert facelatch(*command.split()) == (1, [], [said])
    assert not path.parent.exists()


@pytest.mark.parametrize("command", ["log", "log verify", "log forget Ana"])
def test_a_damaged_journal_is_named_and_left_as_it_is(facelatch: Facelatch, path: Path, command: str) -> None:
    path.parent.mkdir()
    path.write_text("damaged" * 500)
    done = facelatch(*command.split())
    assert (done.status, done.out) == (1, [])
    assert done.err[0].startswith(f"facelatch: {path}: is no SQLite file; it is evidence")
    assert path.read_text() == "damaged" * 500


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--since soon", "--since 'soon' is no time: use 2h, 3d, today, 2026-11-20, \"2026-11-20 07:00\""),
        ("--until soon", "--until 'soon' is no time: use 2h, 3d, today, 2026-11-20, \"2026-11-20 07:00\""),
        ("-n 0", "--number 0: at least 1 can be shown"),
        ("-n -3", "--number -3: at least 1 can be shown"),
    ],
)
def test_an_option_that_makes_no_sense_is_an_error(
    facelatch: Facelatch, told: Journal, options: str, said: str
) -> None:
    assert facelatch("log", *options.split()) == (1, [], [f"facelatch: {said}"])


@pytest.mark.parametrize("options", ["--csv --json", "--denied --granted", "--kind visit", "-n many"])
def test_wrong_usage_is_2(options: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["log", *options.split()])
    assert ended.value.code == 2
