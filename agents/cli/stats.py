"""`facelatch stats`: what the journal's visits add up to."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from zoneinfo import ZoneInfo

from agents.cli.common import CommandError, add_command, hint, load_house, naming
from agents.cli.gallery import Actions
from agents.cli.log import explained
from agents.cli.moments import named, on_wall
from agents.cli.since import A_TIME, edge
from agents.cli.stats_figures import Figures, figures
from agents.cli.stats_table import tables
from agents.runtime.clock import Clock
from agents.scheduler.chain import Kind
from agents.scheduler.journal import FILE
from agents.scheduler.journal_reader import JournalReader, Wanted

A_WHILE = "30d"


def register(commands: Actions) -> None:
    example = "facelatch stats\nfacelatch stats --since 2026-11-01 --door front --png visits.png"
    summary = "add up the journal: visits, grants, why not, how long it took, by day and by hour"
    stats = add_command(commands, "stats", _stats, summary, example)
    stats.add_argument("--since", metavar="TIME", default=A_WHILE, help=f"{A_TIME} (default: {A_WHILE})")
    stats.add_argument("--until", metavar="TIME", help="likewise; of a day, its end")
    stats.add_argument("--door", help="only this one")
    stats.add_argument("--json", action="store_true", help="one JSON object")
    stats.add_argument("--png", type=Path, metavar="FILE", help="draw them, too")
    stats.add_argument("--svg", type=Path, metavar="FILE", help="the same, to be scaled")


def _stats(args: argparse.Namespace) -> int:
    house, folder = load_house(args)
    zone = ZoneInfo(house.scheduler.timezone)
    if args.door is not None and args.door not in house.doors:
        raise CommandError(f"there is no door {args.door!r}{hint(args.door, house.doors)}")
    since, until = _edges(args, zone)
    last = until if args.until is not None else None  # what a clock ahead of this one wrote is there, too
    wanted = Wanted(door=args.door, since=since, until=last, kinds=(Kind.DECISION, Kind.EVENT))
    with explained(), JournalReader(folder / house.data / FILE) as journal:
        found = figures(journal.records(wanted), zone)
    about = {"since": since, "until": until, "timezone": zone.key, "door": args.door}
    if args.json:
        print(json.dumps({**about, **found.facts()}, ensure_ascii=False))
    else:
        print(_heading(args.door, since, until, zone), *tables(found), sep="\n")
    for path in (args.png, args.svg):
        if path is not None:
            _draw(found, _heading(args.door, since, until, zone), path, "png" if path is args.png else "svg")
    return 0


def _edges(args: argparse.Namespace, zone: ZoneInfo) -> tuple[float, float]:
    """In UTC seconds."""
    now = Clock().now().utc
    with naming("--since"):
        since = edge(args.since, now, zone)
    with naming("--until"):
        until = now if args.until is None else edge(args.until, now, zone, end=True)
    return since, until


def _heading(door: str | None, since: float, until: float, zone: ZoneInfo) -> str:
    where = f"door {door}" if door is not None else "all doors"
    first, last = (named(on_wall(utc, zone).replace(second=0, microsecond=0)) for utc in (since, until))
    return f"{where}, {first} to {last}, {zone.key}"


def _draw(found: Figures, title: str, path: Path, kind: str) -> None:
    from agents.cli.stats_picture import draw

    draw(found, title, path, kind)
