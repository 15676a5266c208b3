"""The house's rules as commands use them: with their lines in the file, and the names people mistype."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from agents import house
from agents.cli.common import CommandError, hint
from agents.runtime.clock import Clock
from agents.runtime.yamlfile import Lines
from agents.scheduler.config import SchedulerSettings
from agents.scheduler.holiday_calendar import CalendarError, HolidayCalendar
from agents.scheduler.rules import HolidayName, Loc, Rules


@dataclass(frozen=True)
class Policy:
    """The scheduler's section and what it is made into. `now` is in UTC seconds, `path` the house's file."""

    settings: SchedulerSettings
    rules: Rules
    holiday: HolidayName
    now: float
    path: Path
    lines: Lines

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.settings.timezone)

    @property
    def people(self) -> list[str]:
        """All who are in a group."""
        return sorted({member.name for members in self.settings.groups.values() for member in members})

    def line(self, loc: Loc) -> int:
        """Where in the file a place below the scheduler's section is."""
        place: Loc = ("scheduler", *loc)
        while place not in self.lines:
            place = place[:-1]
        return self.lines[place]

    def told(self, rule: str, loc: Loc) -> str:
        """`facelatch.yaml:87: staff, mon-fri 07:00 to 19:00`."""
        return f"{self.path}:{self.line(loc)}: {rule}"

    def doors(self, named: str | None) -> list[str]:
        """The door of that name, or all."""
        if named is not None and named not in self.settings.doors:
            raise CommandError(f"there is no door {named!r}{hint(named, self.settings.doors)}")
        return list(self.settings.doors) if named is None else [named]

    def the_door(self, named: str | None) -> str:
        """The door of that name; it need not be named where there is one only."""
        doors = self.doors(named)
        if len(doors) != 1:
            raise CommandError(f"at which door? --door {' or --door '.join(doors)}")
        return doors[0]


@contextlib.contextmanager
def policy_of(args: argparse.Namespace) -> Iterator[Policy]:
    """Raises ConfigError; and CommandError where the country's holidays are not known."""
    path: Path = args.config
    found, lines = house.load_with_lines(path)
    now = Clock(found.site(path.parent).trusts_clock).now().utc
    try:
        holiday = HolidayCalendar(found.scheduler.holidays)
        rules = Rules(found.scheduler, holiday)
        yield Policy(found.scheduler, rules, holiday, now, path, lines)
    except CalendarError as error:
        raise CommandError(str(error)) from None
