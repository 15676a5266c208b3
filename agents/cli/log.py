"""`facelatch log`: what the journal tells, whether it is whole, and forgetting a person's part in it."""

from __future__ import annotations

import argparse
import contextlib
import csv
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from zoneinfo import ZoneInfo

from agents.cli.common import CommandError, add_action, add_command, load_house, naming
from agents.cli.gallery import Actions, composed, counted
from agents.cli.log_text import COLUMNS, Teller, follow_up
from agents.cli.since import A_TIME, edge
from agents.runtime.clock import Clock
from agents.scheduler.chain import Anchor, Kind
from agents.scheduler.forget import Forgotten, forget
from agents.scheduler.journal import FILE, JournalError
from agents.scheduler.journal_reader import JournalReader, Record, Wanted
from agents.scheduler.pictures import PicturesError
from agents.wire.messages import Outcome

NEWEST = 50
POLL_S = 0.5
Show = Callable[[Record], object]


@dataclass(frozen=True)
class _Place:
    data: Path
    journal: Path
    zone: ZoneInfo


def register(commands: Actions) -> None:
    example = 'facelatch log\nfacelatch log --person "Ana Kovač" --since 3d\nfacelatch log --denied --since today --csv'
    log = add_command(commands, "log", _log, "show what happened: who came in, who did not, and why", example)
    log.add_argument("--person", metavar="NAME", help="only what has to do with this person")
    log.add_argument("--door", help="only this one")
    log.add_argument("--since", metavar="TIME", help=f"{A_TIME}, in the house's time zone")
    log.add_argument("--until", metavar="TIME", help="likewise; of a day, its end")
    outcomes = log.add_mutually_exclusive_group()
    for outcome in (Outcome.DENIED, Outcome.GRANTED):
        outcomes.add_argument(
            f"--{outcome}", dest="outcome", action="store_const", const=str(outcome), help="only these"
        )
    log.add_argument("--kind", action="append", choices=[str(kind) for kind in Kind], help="only this; may be repeated")
    log.add_argument(
        "-n", "--number", type=int, metavar="N", help=f"the newest N (default: {NEWEST}, or all since TIME)"
    )
    forms = log.add_mutually_exclusive_group()
    forms.add_argument("--csv", action="store_true", help="for spreadsheets")
    forms.add_argument("--json", action="store_true", help="one JSON object each, on its line")
    log.add_argument("--follow", action="store_true", help="go on with what is new, until Ctrl-C")
    log.add_argument("--file", type=Path, help="another journal: one that was moved away")
    _register_actions(log.add_subparsers(metavar="ACTION"))


def _register_actions(actions: Actions) -> None:
    example = "facelatch log verify\nfacelatch log verify --anchor 1234:9f86d081…"
    verify = add_action(actions, "verify", _verify, "tell whether any record was removed or changed", example)
    verify.add_argument("--anchor", metavar="N:HASH", help="a record noted earlier, elsewhere: it must still be there")
    verify.add_argument("--file", type=Path, default=argparse.SUPPRESS, help="another journal")
    summary = "erase all records and pictures of a person; that something was there stays"
    forgetting = add_action(actions, "forget", _forget, summary, "facelatch log forget Ivan")
    forgetting.description = (
        f"{forgetting.description} The file is written anew: where it is large, nobody is let in meanwhile."
    )
    forgetting.add_argument("name", metavar="NAME")


def _log(args: argparse.Namespace) -> int:
    place = _place_of(args)
    wanted = _wanted(args, place.zone)
    with explained(), JournalReader(place.journal) as journal:
        show = _show(args, journal, place.zone)
        if args.follow:
            follow(journal, wanted, show)
        shown = _each(journal.records(wanted), show)
    if not (shown or args.csv or args.json):
        print("no such records")
    return 0


def follow(journal: JournalReader, wanted: Wanted, show: Show, sleep: Callable[[float], None] = time.sleep) -> None:
    """Never ends by itself."""
    done = 0
    while True:
        last = journal.last_n()
        _each(journal.records(wanted, after=done, up_to=last), show)
        done, wanted = last, replace(wanted, newest=None)
        sys.stdout.flush()
        sleep(POLL_S)


def _each(records: Iterator[Record], show: Show) -> int:
    shown = 0
    for record in records:
        show(record)
        shown += 1
    return shown


def _show(args: argparse.Namespace, journal: JournalReader, zone: ZoneInfo) -> Show:
    """How records are printed."""
    teller = Teller(zone)
    if args.json:
        return lambda record: print(teller.json(record))
    if not args.csv:
        return lambda record: print(teller.line(record, _came_of(record, journal)))
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(COLUMNS)
    return lambda record: table.writerow(teller.row(record, _came_of(record, journal)))


def _came_of(record: Record, journal: JournalReader) -> str:
    body = record.body or {}
    if record.kind != Kind.DECISION or body.get("outcome") != Outcome.GRANTED:
        return ""
    return follow_up(body, journal.answer(str(record.door), str(body.get("id"))), Clock().now().utc)


def _wanted(args: argparse.Namespace, zone: ZoneInfo) -> Wanted:
    if args.number is not None and args.number < 1:
        raise CommandError(f"--number {args.number}: at least 1 can be shown")
    now = Clock().now().utc
    since = until = None
    with naming("--since"):
        since = edge(args.since, now, zone) if args.since else None
    with naming("--until"):
        until = edge(args.until, now, zone, end=True) if args.until else None
    return Wanted(
        person=composed(args.person) if args.person else None,
        door=args.door,
        since=since,
        until=until,
        kinds=tuple(map(Kind, args.kind)) if args.kind else None,
        outcome=args.outcome,
        newest=args.number or (None if args.since else NEWEST),
    )


def _verify(args: argparse.Namespace) -> int:
    place = _place_of(args)
    try:
        anchor = Anchor.read(args.anchor) if args.anchor else None
    except ValueError:
        raise CommandError(f"--anchor {args.anchor!r:.90} is no N:HASH, as facelatch log verify prints it") from None
    with explained(), JournalReader(place.journal) as journal:
        report = journal.verify(anchor)
    for problem in report.problems:
        print(f"{place.journal}: {problem}")
    if not report.whole:
        print(f"NOT whole: {counted(report.found, 'problem')} in {counted(report.records, 'record')}")
        return 1
    erased = f", {report.erased} of them erased" if report.erased else ""
    print(f"whole: {counted(report.records, 'record')}{erased}; none was removed or changed")
    if report.newest is not None:
        print(f"the newest, to be noted elsewhere for --anchor: {report.newest}")
    return 0


def _forget(args: argparse.Namespace) -> int:
    place = _place_of(args)
    name = composed(args.name)
    with explained():
        gone = forget(place.data, name, Clock().now().utc)
    if not (gone.records or gone.pictures):
        raise CommandError(f"{place.journal}: nothing has to do with anybody called {name!r}")
    print(told(name, gone))
    return 0


def told(name: str, gone: Forgotten) -> str:
    """What was erased, in words."""
    line = f"{counted(gone.records, 'record')} and {counted(gone.pictures, 'picture')} of {name} are erased"
    if not gone.mentions:
        return line
    return f"{line}; the name still stands in {counted(gone.mentions, 'record')}, as who asked for something, say"


def _place_of(args: argparse.Namespace) -> _Place:
    """Raises ConfigError."""
    house, folder = load_house(args)
    data = folder / house.data
    return _Place(data, args.file or data / FILE, ZoneInfo(house.scheduler.timezone))


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """What the journal and its pictures raise, as text for people."""
    try:
        yield
    except (JournalError, PicturesError) as error:
        raise CommandError(str(error)) from None
