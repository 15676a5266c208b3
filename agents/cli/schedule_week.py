"""The coming days at each door: when which group is let in, and what is special about a day. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from agents.cli.moments import changes_on, day_name
from agents.cli.policy import Policy
from agents.scheduler.config import EVERYBODY, Member, SpecialDay
from agents.scheduler.rules import Span

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class DayAtDoor:
    """`notes` say what is special; `shut` is a holiday, or a day that an exception closes."""

    date: date
    notes: tuple[str, ...]
    shut: bool


@dataclass(frozen=True)
class DoorWeek:
    """`openings` are each group's, from those that begin on the day before the first one."""

    door: str
    days: tuple[DayAtDoor, ...]
    openings: dict[str, tuple[Span, ...]]

    def begun(self, group: str, on: date) -> list[Span]:
        return [span for span in self.openings[group] if span.start.date() == on]


@dataclass(frozen=True)
class Week:
    """Usually seven days. `members` are those who begin or end to be in a group meanwhile, with their group."""

    first: date
    last: date
    zone: str
    doors: tuple[DoorWeek, ...]
    members: tuple[tuple[str, Member], ...]


class Planner:
    """Makes weeks of the rules."""

    def __init__(self, policy: Policy) -> None:
        self._settings, self._policy = policy.settings, policy

    def week(self, first: date, days: int, doors: Sequence[str], group: str | None = None) -> Week:
        """With `group` only what concerns that one."""
        dates = [first + i * ONE_DAY for i in range(days)]
        plans = tuple(self._door(door, dates, [group] if group else self._groups(door, dates)) for door in doors)
        shown = {name for plan in plans for name in plan.openings}
        members = tuple(self._members(shown, dates[0], dates[-1]))
        return Week(dates[0], dates[-1], self._settings.timezone, plans, members)

    def _door(self, door: str, dates: Sequence[date], groups: Sequence[str]) -> DoorWeek:
        before, days = dates[0] - ONE_DAY, len(dates) + 1
        openings = {name: tuple(self._policy.rules.spans(door, name, before, days)) for name in groups}
        return DoorWeek(door, tuple(self._day(door, on) for on in dates), openings)

    def _day(self, door: str, on: date) -> DayAtDoor:
        holiday, special = (
            self._policy.holiday(on),
            [one for one in self._settings.exceptions if applies(one, door, on)],
        )
        notes = [f"holiday: {holiday}"] if holiday else []
        notes += [_said(one) for one in special] + [str(change) for change in changes_on(self._policy.zone, on)]
        return DayAtDoor(on, tuple(notes), holiday is not None or any(one.close for one in special))

    def _groups(self, door: str, dates: Sequence[date]) -> list[str]:
        """Those whom the door's windows name, or an exception on these days."""
        named = {group for window in self._settings.doors[door].windows for group in window.who}
        named |= {
            group
            for special in self._settings.exceptions
            if any(applies(special, door, on) for on in dates)
            for opening in special.open
            for group in opening.who
        }
        return [group for group in (*self._settings.groups, EVERYBODY) if group in named]

    def _members(self, groups: set[str], first: date, last: date) -> Iterator[tuple[str, Member]]:
        for group in (group for group in self._settings.groups if group in groups):
            for member in self._settings.groups[group]:
                if any(on is not None and first <= on <= last for on in (member.from_, member.until)):
                    yield group, member


def applies(special: SpecialDay, door: str, on: date) -> bool:
    """Whether an exception concerns a door on a day."""
    return special.date <= on <= (special.until or special.date) and (special.doors is None or door in special.doors)


def dates_of(member: Member) -> str:
    """`from Mon 2026-11-23 until Fri 2026-11-27`."""
    first = [f"from {day_name(member.from_)}"] if member.from_ else []
    return " ".join([*first, *([f"until {day_name(member.until)}"] if member.until else [])])


def week_facts(week: Week, policy: Policy) -> dict[str, Any]:
    """For programs: local times, an opening with the day on which it begins."""
    return {
        "timezone": week.zone,
        "from": week.first.isoformat(),
        "until": week.last.isoformat(),
        "doors": {plan.door: [_day_facts(plan, day, policy) for day in plan.days] for plan in week.doors},
        "members": [
            {"group": group, **member.model_dump(mode="json", by_alias=True)} for group, member in week.members
        ],
    }


def _day_facts(plan: DoorWeek, day: DayAtDoor, policy: Policy) -> dict[str, Any]:
    openings = {group: [_span_facts(span, policy) for span in plan.begun(group, day.date)] for group in plan.openings}
    return {"date": day.date.isoformat(), "notes": day.notes, "shut": day.shut, "openings": openings}


def _span_facts(span: Span, policy: Policy) -> dict[str, Any]:
    return {
        "from": span.start.isoformat(timespec="minutes"),
        "to": span.end.isoformat(timespec="minutes"),
        "rule": span.rule,
        "confirm": span.confirm,
        "file": str(policy.path),
        "line": policy.line(span.loc),
    }


def _said(special: SpecialDay) -> str:
    kind = "closed" if special.close else "exception"
    return f"{kind}: {special.because}" if special.because else kind
