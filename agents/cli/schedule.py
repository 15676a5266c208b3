"""`facelatch schedule`: who is let in when, by the rules of the house's file; why; and are they as meant?"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

from agents.cli import expectations
from agents.cli.common import CommandError, add_action, add_command, hint, naming
from agents.cli.gallery import Actions, counted, new_name
from agents.cli.moments import Asked, on_wall, read_day, read_moment
from agents.cli.policy import Policy, policy_of
from agents.cli.schedule_explain import NOT_CONSIDERED, explain, facts, lines
from agents.cli.schedule_table import table
from agents.cli.schedule_week import Planner, Week, week_facts
from agents.scheduler.config import EVERYBODY

MOST_DAYS = 366
EXPECTATIONS = f"""\
A file of expectations has one on a line; what follows a # is a comment:

  Ana Kovač front Mon 06:59 denied outside-window
  Ana Kovač front 2026-12-25 10:00 denied holiday
  Ana Kovač front fri 18:59 granted

A weekday is the next one, today included, that is like the others: neither it nor the day before is
a holiday or an exception at that door, and the clock is not changed on it. The reason may be left
out: {", ".join(why.replace("_", "-") for why in expectations.REASONS)}.
A time over which the clock is put forward is denied, outside-window; where the clock shows it twice,
both have to be as expected. {NOT_CONSIDERED}
The exit status is 1 when one does not hold or can't be read."""


def register(commands: Actions) -> None:
    example = "facelatch schedule\nfacelatch schedule --door front --from 2026-12-21 --png week.png"
    summary = "show who is let in when, by the rules; explain an answer; test the rules"
    schedule = add_command(commands, "schedule", _show, summary, example)
    schedule.add_argument("--door", help="only this one")
    schedule.add_argument("--group", help="only this one")
    schedule.add_argument("--from", dest="first", metavar="DATE", help="the first day, 2026-11-23 (default: today)")
    schedule.add_argument("--days", type=int, default=7, metavar="N", help="how many days (default: 7)")
    schedule.add_argument("--json", action="store_true", help="one JSON object")
    schedule.add_argument("--png", type=Path, metavar="FILE", help="draw the days as a picture, too")
    schedule.add_argument("--svg", type=Path, metavar="FILE", help="the same, to be scaled")
    actions = schedule.add_subparsers(metavar="ACTION")
    _register_explain(actions)
    _register_test(actions)


def _register_explain(actions: Actions) -> None:
    example = 'facelatch schedule explain "Ana Kovač" --door front --at "2026-03-29 02:30"'
    summary = "say whether the rules let somebody in, which rule decides, and when they next do"
    parser = add_action(actions, "explain", _explain, summary, example)
    parser.description = (
        f"{parser.description}\n{NOT_CONSIDERED}\nThe exit status is 0 for yes and for no: see --check."
    )
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("--door", default=argparse.SUPPRESS, help="which; needed where there are several")
    parser.add_argument("--at", metavar="TIME", help='"2026-03-29 02:30" or 02:30, in the house\'s zone (default: now)')
    parser.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="one JSON object")
    parser.add_argument("--check", action="store_true", help="exit status 1 for no")


def _register_test(actions: Actions) -> None:
    summary = "hold the rules against a file of what you expect of them"
    parser = add_action(actions, "test", _test, summary, "facelatch schedule test expectations.txt")
    parser.description = f"{parser.description}\n\n{EXPECTATIONS}"
    parser.add_argument("files", metavar="FILE", type=Path, nargs="+")


def _show(args: argparse.Namespace) -> int:
    with policy_of(args) as policy:
        week = _week(args, policy)
        print(*_told(week, policy, args.json), sep="\n")
        for path in (args.png, args.svg):
            if path is not None:
                _draw(week, policy, path, "png" if path is args.png else "svg")
    return 0


def _told(week: Week, policy: Policy, as_json: bool) -> Iterator[str]:
    if as_json:
        yield json.dumps(week_facts(week, policy), ensure_ascii=False)
    else:
        yield from table(week)


def _week(args: argparse.Namespace, policy: Policy) -> Week:
    if not 1 <= args.days <= MOST_DAYS:
        raise CommandError(f"--days {args.days}: 1 to {MOST_DAYS} can be shown")
    groups = [*policy.settings.groups, EVERYBODY]
    if args.group is not None and args.group not in groups:
        raise CommandError(f"there is no group {args.group!r}{hint(args.group, groups)}")
    with naming("--from"):
        first = read_day(args.first) if args.first else on_wall(policy.now, policy.zone).date()
    return Planner(policy).week(first, args.days, policy.doors(args.door), args.group)


def _draw(week: Week, policy: Policy, path: Path, kind: str) -> None:
    from agents.cli.schedule_picture import draw

    draw(week, on_wall(policy.now, policy.zone), list(policy.settings.groups), path, kind)


def _explain(args: argparse.Namespace) -> int:
    with policy_of(args) as policy:
        door = policy.the_door(args.door)
        found = explain(policy, new_name(args.name.strip()), door, _asked(args, policy))
        if args.json:
            print(json.dumps(facts(found, policy), ensure_ascii=False))
        else:
            print(*lines(found, policy), sep="\n")
    return 1 if args.check and not found.allowed else 0


def _asked(args: argparse.Namespace, policy: Policy) -> Asked:
    wall = on_wall(policy.now, policy.zone)
    if args.at is None:
        return Asked(wall, (policy.now,))
    with naming("--at"):
        return read_moment(args.at, policy.zone, wall.date())


def _test(args: argparse.Namespace) -> int:
    with policy_of(args) as policy:
        held = [line.held for path in args.files for line in _reviewed(path, policy)]
    if not held:
        raise CommandError(f"there is nothing to test in {' and '.join(map(str, args.files))}")
    holds, fails, unread = (held.count(outcome) for outcome in (True, False, None))
    told = [f"{counted(holds, 'expectation')} {'holds' if holds == 1 else 'hold'}"]
    told += [f"{fails} {'does' if fails == 1 else 'do'} not"] if fails else []
    told += [f"{counted(unread, 'line')} can't be read"] if unread else []
    print(", ".join(told))
    return 0 if holds == len(held) else 1


def _reviewed(path: Path, policy: Policy) -> Iterator[expectations.Line]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise CommandError(f"{path} can't be read: {getattr(error, 'strerror', error)}") from None
    for line in expectations.review(text.split("\n"), policy):
        if line.told is not None:
            print(f"{path}:{line.number}: {line.told}")
        yield line
