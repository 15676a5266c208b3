"""A house with rules, and a day on which its commands are given."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from agents.cli.policy import Policy
from agents.runtime.clock import Now
from agents.scheduler.config import SchedulerSettings
from agents.scheduler.holiday_calendar import HolidayCalendar
from agents.scheduler.rules import Rules

ZONE = ZoneInfo("Europe/Zagreb")
NOW = datetime(2026, 12, 21, 12, 30, tzinfo=ZONE).timestamp()  # a Monday
HOUSE = """\
doors:
  front: { relay: { pin: 17, pin_factory: mock } }
  lab: { relay: { pin: 18, pin_factory: mock } }
  back: { relay: { pin: 19, pin_factory: mock } }
cameras: { front: { source: 0 } }
scheduler:
  timezone: Europe/Zagreb
  groups:
    staff: [Ana Kovač, Ivan]
    guests:
      - { name: Petra, from: 2026-12-22, until: 2026-12-23 }
      - { name: Đuro, until: 2027-01-31 }
    night-shift: [Željko]
  holidays: { also: { "12-25": Božić } }
  exceptions:
    - date: 2026-12-24
      doors: [front, lab]
      close: true
      because: stock-taking
      open: [{ who: staff, from: 08:00, to: 14:00 }]
    - { date: 2026-12-27, doors: [front], because: open day, open: [{ who: everybody, from: 10:00, to: 13:00 }] }
  doors:
    front:
      cameras: [front]
      windows:
        - { who: staff, days: mon-fri, from: 07:00, to: 19:00 }
        - { who: staff, days: mon-fri, from: 20:00, to: 22:00, confirm: phone, evidence: { frames: 3 } }
        - { who: guests, days: mon-fri, from: 09:00, to: 12:00 }
        - { who: guests, days: mon-fri, from: 13:00, to: 17:00 }
        - { who: night-shift, days: mon-sun, from: 22:00, to: 02:30, holidays: open }
        - { who: night-shift, days: sun, from: 02:15, to: 02:45 }
    lab: { cameras: [front], windows: [{ who: staff, days: mon-sun, from: 00:00, to: 24:00 }] }
    back: { cameras: [front] }
"""


def line_of(text: str) -> int:
    """Where in the house's file it stands."""
    return next(i for i, line in enumerate(HOUSE.splitlines(), 1) if text in line)


def at_noon(_clock: object) -> Now:
    """In place of Clock.now."""
    return Now(NOW, 5000.0)


def policy(settings: dict[str, object], now: float = NOW) -> Policy:
    """Of a house without a file."""
    found = SchedulerSettings.model_validate({"timezone": ZONE.key, **settings})
    holiday = HolidayCalendar(found.holidays)
    return Policy(found, Rules(found, holiday), holiday, now, Path("house.yaml"), {(): 1})


def utc(wall: str, fold: int = 0) -> float:
    """A local time in the house, as UTC seconds."""
    return datetime.fromisoformat(wall).replace(tzinfo=ZONE, fold=fold).timestamp()
