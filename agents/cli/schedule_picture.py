"""The coming days as a picture: a panel for each door, in it a row a day, hours across, a colour for each group."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from agents.cli.moments import day_name
from agents.cli.pictures import ALARM, COLOURS, FAINT, INK, picture
from agents.cli.schedule_week import DayAtDoor, DoorWeek, Week, dates_of
from agents.scheduler.config import EVERYBODY

if TYPE_CHECKING:
    from agents.cli.pictures import Axes, Figure

WIDTH_IN, LEFT_IN, RIGHT_IN = 11.0, 1.9, 0.3
HEAD_IN, LEGEND_IN, PANEL_HEAD_IN, PANEL_FOOT_IN, NOTE_IN, FOOT_IN = 0.47, 0.28, 0.35, 0.3, 0.2, 0.1
LANE_IN, BAR_IN, ROW_PAD_IN, LEAST_ROW_IN = 0.21, 0.18, 0.1, 0.44
LETTER_IN = 0.066  # of the bars' letters
HOURS = 24.0
NOTE_LETTERS, MOST_MEMBERS = 30, 6
PHONE = "☎"

Colours: TypeAlias = Mapping[str, tuple[str, str]]


@dataclass(frozen=True)
class Piece:
    """The part of an opening on one day, in hours."""

    start: float
    end: float
    text: str
    confirm: bool


@dataclass(frozen=True)
class Sign:
    """What a colour or a sign means."""

    sign: str
    colour: str
    text: str

    @property
    def width_in(self) -> float:
        return 0.45 + 0.08 * len(self.text)


@dataclass(frozen=True)
class Row:
    """A day, and what there is to draw of each group that is let in on it: in several lanes where openings overlap."""

    day: DayAtDoor
    lanes: list[tuple[str, list[Piece]]]

    @property
    def height_in(self) -> float:
        return max(LEAST_ROW_IN, LANE_IN * len(self.lanes) + ROW_PAD_IN)


@dataclass(frozen=True)
class Panel:
    door: str
    rows: list[Row]

    @property
    def height_in(self) -> float:
        return sum(row.height_in for row in self.rows)


def draw(week: Week, now: datetime, groups: Sequence[str], path: Path, kind: str) -> None:
    """Write the picture as `png` or `svg`. `now` is a naive local time; `groups` are all that have a colour."""
    colours = {group: COLOURS[i % len(COLOURS)] for i, group in enumerate((*groups, EVERYBODY))}
    panels, members = [panel(plan) for plan in week.doors], list(_members(week))
    legend = _legend(panels, colours)
    body_in = sum(PANEL_HEAD_IN + one.height_in + PANEL_FOOT_IN for one in panels)
    head_in = HEAD_IN + LEGEND_IN * len(legend)
    height_in = head_in + body_in + NOTE_IN * len(members) + FOOT_IN
    with picture(path, kind, WIDTH_IN, height_in) as figure:
        _head(figure, week, legend, height_in)
        top = height_in - head_in
        for one in panels:
            top -= PANEL_HEAD_IN + one.height_in
            _draw_panel(_axes(figure, top, one.height_in, height_in), one, now, colours)
            top -= PANEL_FOOT_IN
        for i, line in enumerate(members, 1):
            figure.text(LEFT_IN / WIDTH_IN, (top - NOTE_IN * i) / height_in, line, fontsize=8, va="bottom")


def panel(plan: DoorWeek) -> Panel:
    """What there is to draw of a door."""
    rows = []
    for day in plan.days:
        found = {group: _apart(_pieces(plan, group, day.date)) for group in plan.openings}
        rows.append(Row(day, [(group, lane) for group, lanes in found.items() for lane in lanes]))
    return Panel(plan.door, rows)


def _pieces(plan: DoorWeek, group: str, on: date) -> Iterator[Piece]:
    """Also of what began on the day before. An end at midnight is said only where it is one."""
    midnight = datetime.combine(on, time())
    for span in plan.openings[group]:
        start, end = ((at - midnight) / timedelta(hours=1) for at in (span.start, span.end))
        if start < HOURS and end > 0:
            first = f"{span.start:%H:%M}" if start >= 0 else ""
            last = "" if end > HOURS else "24:00" if end == HOURS else f"{span.end:%H:%M}"
            text = f"{first}–{last}" + (f" {PHONE}" if span.confirm else "")
            yield Piece(max(0.0, start), min(HOURS, end), text, span.confirm)


def _apart(pieces: Iterable[Piece]) -> list[list[Piece]]:
    """In lanes in which none hides another."""
    lanes: list[list[Piece]] = []
    for piece in pieces:
        lane = next((lane for lane in lanes if lane[-1].end <= piece.start), None)
        if lane is None:
            lanes.append([piece])
        else:
            lane.append(piece)
    return lanes


def _axes(figure: Figure, bottom_in: float, panel_in: float, height_in: float) -> Axes:
    width = 1 - (LEFT_IN + RIGHT_IN) / WIDTH_IN
    return figure.add_axes((LEFT_IN / WIDTH_IN, bottom_in / height_in, width, panel_in / height_in))


def _legend(panels: Sequence[Panel], colours: Colours) -> list[list[Sign]]:
    """In lines that fit."""
    lanes = [lane for one in panels for row in one.rows for lane in row.lanes]
    signs = [Sign("■", colour, group) for group, (colour, _) in colours.items() if group in dict(lanes)]
    if any(piece.confirm for _, pieces in lanes for piece in pieces):
        signs.append(Sign(PHONE, INK, "somebody has to agree each time"))
    lines: list[list[Sign]] = []
    for sign in signs:
        if not lines or sum(one.width_in for one in lines[-1]) + sign.width_in > WIDTH_IN - LEFT_IN - RIGHT_IN:
            lines.append([])
        lines[-1].append(sign)
    return lines


def _head(figure: Figure, week: Week, legend: Sequence[Sequence[Sign]], height_in: float) -> None:
    title = f"Who is let in, {day_name(week.first)} to {day_name(week.last)}"
    figure.text(LEFT_IN / WIDTH_IN, 1 - 0.3 / height_in, title, fontsize=13, weight="bold")
    figure.text(1 - RIGHT_IN / WIDTH_IN, 1 - 0.3 / height_in, week.zone, fontsize=9, ha="right")
    for i, line in enumerate(legend, 1):
        left_in, y = LEFT_IN, 1 - (0.32 + LEGEND_IN * i) / height_in
        for one in line:
            figure.text(left_in / WIDTH_IN, y, one.sign, fontsize=12, color=one.colour)
            figure.text((left_in + 0.22) / WIDTH_IN, y, one.text, fontsize=9)
            left_in += one.width_in


def _draw_panel(axes: Axes, one: Panel, now: datetime, colours: Colours) -> None:
    axes.set_xlim(0, HOURS)
    axes.set_ylim(one.height_in, 0)
    axes.set_title(f"door {one.door}", loc="left", fontsize=10, weight="bold")
    axes.set_xticks(range(0, 25, 2), [f"{hour:02}:00" for hour in range(0, 25, 2)], fontsize=8, color=INK)
    axes.set_yticks([])
    axes.tick_params(length=0)
    axes.grid(axis="x", color=FAINT, linewidth=0.6)
    axes.set_axisbelow(True)
    top = 0.0
    for row in one.rows:
        _draw_row(axes, row, top, colours)
        if row.day.date == now.date():
            _mark(axes, now, top, row.height_in)
        top += row.height_in


def _draw_row(axes: Axes, row: Row, top: float, colours: Colours) -> None:
    axes.axhline(top, color=FAINT, linewidth=0.8)
    if row.day.shut:
        axes.axhspan(top, top + row.height_in, facecolor="#f5f5f5", edgecolor="#e2e2e2", hatch="///", linewidth=0)
    _label(axes, row.day, top + row.height_in / 2)
    first = top + (row.height_in - LANE_IN * len(row.lanes)) / 2
    for k, (group, pieces) in enumerate(row.lanes):
        _draw_lane(axes, pieces, first + (k + 0.5) * LANE_IN, colours[group])


def _label(axes: Axes, day: DayAtDoor, middle: float) -> None:
    """The day, and below it what is special."""
    notes = textwrap.wrap("; ".join(day.notes), NOTE_LETTERS, max_lines=2, placeholder=" …")
    line = middle - 0.065 * len(notes)
    axes.text(-0.25, line, day_name(day.date), ha="right", va="center", fontsize=9, weight="bold")
    if notes:
        axes.text(-0.25, line + 0.08, "\n".join(notes), ha="right", va="top", fontsize=7, color=ALARM)


def _draw_lane(axes: Axes, pieces: Sequence[Piece], middle: float, colour: tuple[str, str]) -> None:
    for k, piece in enumerate(pieces):
        (bar,) = axes.barh(middle, piece.end - piece.start, left=piece.start, height=BAR_IN, zorder=2)
        bar.set(facecolor="white" if piece.confirm else colour[0], edgecolor=colour[0] if piece.confirm else "white")
        free = (pieces[k - 1].end if k else 0.0, pieces[k + 1].start if k + 1 < len(pieces) else HOURS)
        _write(axes, piece, middle, free, INK if piece.confirm else colour[1])


def _write(axes: Axes, piece: Piece, middle: float, free: tuple[float, float], ink: str) -> None:
    """Inside the bar where there is room, else after it or before it, else nowhere."""
    needed = LETTER_IN * (len(piece.text) + 0.5) * HOURS / (WIDTH_IN - LEFT_IN - RIGHT_IN)
    if needed <= piece.end - piece.start:
        x, align, colour = (piece.start + piece.end) / 2, "center", ink
    elif needed <= free[1] - piece.end:
        x, align, colour = piece.end + 0.1, "left", INK
    elif needed <= piece.start - free[0]:
        x, align, colour = piece.start - 0.1, "right", INK
    else:
        return
    axes.text(x, middle, piece.text, ha=align, va="center_baseline", fontsize=7.5, color=colour, zorder=3)


def _mark(axes: Axes, now: datetime, top: float, height_in: float) -> None:
    """The label is above the panel, where it hides nothing."""
    hour = now.hour + now.minute / 60
    axes.vlines(hour, 0, top, color=ALARM, linewidth=0.8, linestyle=":", zorder=4)
    axes.vlines(hour, top, top + height_in, color=ALARM, linewidth=1.6, zorder=4)
    axes.text(hour, 0, f"now, {now:%H:%M}", ha="center", va="bottom", fontsize=7, color=ALARM)


def _members(week: Week) -> Iterator[str]:
    for group, member in week.members[:MOST_MEMBERS]:
        yield f"{member.name} is in {group} {dates_of(member)}"
    if len(week.members) > MOST_MEMBERS:
        yield f"and {len(week.members) - MOST_MEMBERS} more"
