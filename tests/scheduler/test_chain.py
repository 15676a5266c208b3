"""The chain without a file: whatever is done to records, the walk along them names it."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.scheduler.chain import (
    GENESIS,
    MOST_PROBLEMS,
    Anchor,
    Kind,
    Report,
    Row,
    Walk,
    compact,
    digest_of,
    hash_of,
    parsed,
)

Rows = list[Row]


def chained(rows: Rows, previous: bytes = GENESIS) -> Rows:
    """The same records, properly hashed."""
    made: Rows = []
    for row in rows:
        previous = hash_of(previous, *row[:5], row.digest)
        made.append(row._replace(hash=previous))
    return made


def record(n: int, at: float = 1.8e9, kind: str = Kind.DECISION, body: str = "{}", seq: int | None = None) -> Row:
    salt = random.Random(n).randbytes(16)
    return Row(n, at, kind, "front", seq, salt, body, digest_of(salt, body), b"")


def erased(row: Row) -> Row:
    return row._replace(salt=None, body=None)


def walked(rows: Rows, last_n: int | None = None, anchor: Anchor | None = None) -> Report:
    walk = Walk(anchor)
    for row in rows:
        walk.step(row)
    return walk.end(len(rows) if last_n is None else last_n)


def some_record(n: int, at_random: random.Random) -> Row:
    body = {"person": at_random.choice(["Ana Kovač", '\x00\n"', "=1+1", None]), "distance": at_random.random()}
    kind = at_random.choice([kind for kind in Kind if kind is not Kind.ERASED])
    return record(n, at_random.uniform(0, 1e11), kind, compact(body), at_random.choice([None, 0, 7, 2**53 - 1]))


def some_journal(length: int, seed: int) -> Rows:
    """Of which some records were erased, as they are erased."""
    at_random = random.Random(seed)
    rows = [some_record(n, at_random) for n in range(1, length + 1)]
    gone = at_random.sample(range(length), at_random.randint(0, min(2, length)))
    rows = [erased(row) if i in gone else row for i, row in enumerate(rows)]
    if gone:
        rows.append(record(length + 1, kind=Kind.ERASED, body=compact({"records": len(gone)})))
    return chained(rows)


def journals(least: int = 2) -> st.SearchStrategy[Rows]:
    return st.builds(some_journal, st.integers(least, 12), st.integers(0, 1000))


@given(journals(least=0), st.data())
def test_what_nobody_touched_is_whole_and_every_record_of_it_is_still_the_one_that_was_noted(
    rows: Rows, data: st.DataObject
) -> None:
    noted = data.draw(st.sampled_from(rows).map(lambda row: Anchor(row.n, row.hash)) if rows else st.none())
    report = walked(rows, anchor=noted)
    assert report.whole
    assert report.records == len(rows)
    assert report.erased == sum(row.body is None for row in rows)
    assert report.newest == (Anchor(rows[-1].n, rows[-1].hash) if rows else None)


@given(journals(), st.data())
def test_records_that_were_removed_are_named(rows: Rows, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(rows) - 1))
    last = data.draw(st.integers(first, len(rows) - 1))
    report = walked(rows[:first] + rows[last + 1 :], last_n=len(rows))
    which = f"record {first + 1} is" if first == last else f"records {first + 1} to {last + 1} are"
    at_the_end = ", at the end" if last == len(rows) - 1 else ""
    assert report.problems[0] == f"{which} missing{at_the_end}"


OTHERS: dict[str, Callable[[Any], list[Any]]] = {
    "at": lambda at: [at + 1e-4 if at < 1e9 else at * (1 + 3e-16), -at - 1, "now", None, b""],
    "kind": lambda kind: ["event" if kind != "event" else "switch", "other", kind.encode(), None, ""],
    "door": lambda door: ["back", None, "", door.encode(), 1],
    "seq": lambda seq: [100, None if seq is not None else 0, "1", 0.5],
    "salt": lambda salt: [bytes(16), None, "text", b""] if salt else [bytes(16)],
    "body": lambda body: [f"{body} ", None, b"{}", "", 7] if body else ["{}"],
    "digest": lambda digest: [bytes(32), None, digest.hex(), digest[:-1]],
    "hash": lambda value: [bytes(32), None, value.hex(), value[:-1], GENESIS],
}


@given(journals(), st.sampled_from(sorted(OTHERS)), st.data())
def test_a_record_that_was_changed_in_any_column_is_named(rows: Rows, column: str, data: st.DataObject) -> None:
    i = data.draw(st.integers(0, len(rows) - 1))
    other = data.draw(st.sampled_from(OTHERS[column](getattr(rows[i], column))))
    report = walked([*rows[:i], rows[i]._replace(**{column: other}), *rows[i + 1 :]])
    assert not report.whole
    assert f"record {i + 1} " in report.problems[0]


@given(journals(), st.data())
def test_records_that_changed_places_are_named(rows: Rows, data: st.DataObject) -> None:
    i = data.draw(st.integers(0, len(rows) - 2))
    k = data.draw(st.integers(i + 1, len(rows) - 1))
    swapped = list(rows)
    swapped[i], swapped[k] = rows[k]._replace(n=rows[i].n), rows[i]._replace(n=rows[k].n)
    assert walked(swapped).problems[0] == f"record {i + 1} was changed, or put there"


@given(journals(), st.integers(-3, 3))
def test_a_record_that_was_put_there_is_named(rows: Rows, where: int) -> None:
    n = where if where < 1 else len(rows) + 1
    (put,) = chained([record(n)])
    report = walked(sorted([*rows, put]), last_n=max(n, len(rows)))
    assert f"record {n} was changed, or put there" in report.problems


@given(journals(), st.data())
def test_a_count_of_records_that_was_changed_is_noticed(rows: Rows, data: st.DataObject) -> None:
    count = data.draw(st.integers(0, 20).filter(lambda count: count != len(rows)))
    assert not walked(rows, last_n=count).whole


@given(journals(), st.data())
def test_a_text_that_was_taken_out_is_noticed_unless_a_record_says_so(rows: Rows, data: st.DataObject) -> None:
    i = data.draw(st.sampled_from([i for i, row in enumerate(rows) if row.body is not None]))
    gone = [*rows[:i], erased(rows[i]), *rows[i + 1 :]]
    (problem,) = walked(gone).problems
    assert "records have lost their text" in problem
    if rows[i].kind != Kind.ERASED:
        told = record(len(rows) + 1, kind=Kind.ERASED, body='{"records":1}')
        assert walked([*gone, *chained([told], rows[-1].hash)]).whole


@given(journals(), st.data())
def test_a_chain_that_was_made_anew_shows_by_a_record_that_was_noted(rows: Rows, data: st.DataObject) -> None:
    """Nothing in the file itself can show it: the hash needs no secret."""
    i = data.draw(st.integers(0, len(rows) - 1))
    noted = data.draw(st.sampled_from(rows[i:]))
    previous = rows[i - 1].hash if i else GENESIS
    anew = rows[:i] + chained([rows[i]._replace(at=rows[i].at + 1000), *rows[i + 1 :]], previous)
    assert walked(anew).whole
    assert walked(anew, anchor=Anchor(noted.n, noted.hash)).problems == (
        f"record {noted.n} is not the one that was noted",
    )
    shorter = anew[: noted.n - 1]
    assert (
        f"record {noted.n}, which was noted, is not there"
        in walked(shorter, anchor=Anchor(noted.n, noted.hash)).problems
    )


def test_the_hash_is_what_the_documentation_says() -> None:
    """Whoever has a journal from before must be able to verify it."""
    digest = digest_of(bytes(range(16)), '{"person":"Ana Kovač"}')
    assert digest.hex() == "c6fb2c4b83ccfd237435219a7a89978db23f94fcc21f59747c7409e4de2d1e1e"
    assert (
        hash_of(GENESIS, 1, 1_800_000_000.25, "decision", "front", None, digest).hex()
        == "1ecd71bb335ab06db1f8bb50640cd6658153f9d8f32a481f5ef06315700a53f3"
    )


def test_columns_that_run_together_are_not_the_same() -> None:
    heads = [(1, 2.0, "a", "b", 3), (1, 2.0, "a", "b,3", None), (12, 2.0, "a", "b", 3), (1, 2.0, 'a","b', "b", 3)]
    assert len({hash_of(GENESIS, *head, bytes(32)) for head in heads}) == len(heads)


def test_the_text_of_an_erased_record_can_not_be_found_by_trying() -> None:
    assert len({digest_of(salt, '{"person":"Ana"}') for salt in (b"a" * 16, b"b" * 16)}) == 2


def test_of_very_many_problems_the_first_are_named_and_all_are_counted() -> None:
    rows = [row._replace(at=0.0) for row in chained([record(n) for n in range(1, 501)])]
    report = walked(rows)
    assert (len(report.problems), report.found) == (MOST_PROBLEMS, 500)
    assert report.problems[0] == "record 1 was changed, or put there"


@given(st.integers(1, 2**60), st.binary(min_size=32, max_size=32))
def test_an_anchor_is_read_as_it_is_written(n: int, digest: bytes) -> None:
    assert Anchor.read(f" {Anchor(n, digest)}\n") == Anchor(n, digest)


@pytest.mark.parametrize(
    "text", ["", "1", "1:", "1:ab", f"0:{'00' * 32}", f"-1:{'00' * 32}", f"x:{'00' * 32}", "1:" + "zz" * 32]
)
def test_what_is_no_anchor_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the command says what is expected
        Anchor.read(text)


@pytest.mark.parametrize("body", ["", "nothing", "[1]", "7", "[" * 100_000, "null"])
def test_a_body_that_is_none_is_read_as_none(body: str) -> None:
    assert parsed(body) is None


@pytest.mark.parametrize("body", ["{}", '{"records":"3"}', '{"records":null}'])
def test_a_record_of_erasing_that_makes_no_sense_stops_nobody_from_verifying(body: str) -> None:
    rows = chained([erased(record(1)), record(2, kind=Kind.ERASED, body=body)])
    assert not walked(rows).whole
