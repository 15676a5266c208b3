"""A week as a table on a terminal: a row a day, a column a group. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from agents.cli.moments import day_name
from agents.cli.schedule_week import DayAtDoor, DoorWeek, Week, dates_of
from agents.scheduler.rules import Span

WIDTH = 100
GAP = "  "
NARROWEST_NOTE = 20
NOTHING = "-"


def table(week: Week) -> Iterator[str]:
    """The lines to print."""
    yield f"{day_name(week.first)} to {day_name(week.last)}, {week.zone}"
    for plan in week.doors:
        yield ""
        yield from _door(plan)
    legend, members = list(_legend(week)), list(_members(week))
    for lines in (members, legend):
        if lines:
            yield ""
            yield from lines


def opening(span: Span) -> str:
    """`22:00-02:00+1`, and what is asked for besides."""
    days = (span.end.date() - span.start.date()).days
    midnight = days == 1 and span.end.hour == span.end.minute == 0
    end = "24:00" if midnight else f"{span.end:%H:%M}" + (f"+{days}" if days else "")
    return f"{span.start:%H:%M}-{end}" + (" phone" if span.confirm else "")


def _door(plan: DoorWeek) -> Iterator[str]:
    yield f"door {plan.door}"
    if not plan.openings:
        yield f"{GAP}no window lets anybody in"
        return
    groups = list(plan.openings)
    while groups:
        fitting = _fitting(plan, groups)
        yield from _block(plan, fitting)
        groups = groups[len(fitting) :]
        if groups:
            yield ""


def _fitting(plan: DoorWeek, groups: Sequence[str]) -> list[str]:
    """As many groups as go side by side; one at least."""
    left = WIDTH - _day_width(plan) - len(GAP)
    notes = any(day.notes for day in plan.days)
    left -= (NARROWEST_NOTE + len(GAP)) if notes else 0
    fitting: list[str] = []
    for group in groups:
        left -= _width(plan, group) + len(GAP)
        if left < 0 and fitting:
            break
        fitting.append(group)
    return fitting


def _block(plan: DoorWeek, groups: Sequence[str]) -> Iterator[str]:
    widths = [_day_width(plan), *(_width(plan, group) for group in groups)]
    yield _line(["", *groups], widths)
    note_width = max(NARROWEST_NOTE, WIDTH - sum(widths) - len(GAP) * (len(widths) + 1))
    for day in plan.days:
        cells = [[day_name(day.date)], *(_cell(plan, group, day) for group in groups)]
        notes = [line for note in day.notes for line in textwrap.wrap(note, note_width)]
        for i in range(max(len(notes), *map(len, cells))):
            texts = [cell[i] if i < len(cell) else "" for cell in cells]
            yield _line([*texts, notes[i] if i < len(notes) else ""], [*widths, 0])


def _cell(plan: DoorWeek, group: str, day: DayAtDoor) -> list[str]:
    return list(dict.fromkeys(opening(span) for span in plan.begun(group, day.date))) or [NOTHING]


def _line(texts: Sequence[str], widths: Sequence[int]) -> str:
    return (GAP + GAP.join(f"{text:{width}}" for text, width in zip(texts, widths, strict=True))).rstrip()


def _day_width(plan: DoorWeek) -> int:
    return len(day_name(plan.days[0].date))


def _width(plan: DoorWeek, group: str) -> int:
    return max(len(group), *(len(text) for day in plan.days for text in _cell(plan, group, day)))


def _members(week: Week) -> Iterator[str]:
    for group, member in week.members:
        yield f"{member.name} is in {group} {dates_of(member)}"


def _legend(week: Week) -> Iterator[str]:
    days = {day.date for plan in week.doors for day in plan.days}
    spans = [s for plan in week.doors for spans in plan.openings.values() for s in spans if s.start.date() in days]
    if any("+" in opening(span) for span in spans):
        yield "+1: on the day after"
    if any(span.confirm for span in spans):
        yield "phone: somebody has to agree each time"
