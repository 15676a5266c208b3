"""Figures as tables on a terminal. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from agents.cli.gallery import counted
from agents.cli.moments import day_name
from agents.cli.stats_figures import Count, Figures, Spread
from agents.cli.words import WORDS

BAR = 36
GRANTED, DENIED = "█", "░"
MOST_DAYS = 31


def tables(found: Figures) -> Iterator[str]:
    """The lines to print, after a heading."""
    total = found.total
    yield f"{counted(total.visits, 'visit')}: {total.granted} granted {GRANTED}, {total.denied} denied {DENIED}"
    if found.unread:
        were = "was" if found.unread == 1 else "were"
        yield f"{counted(found.unread, 'decision')} more can't be read, or {were} erased"
    for part in (_reasons(found), _times(found), _days(found), _hours(found)):
        if part:
            yield ""
            yield from part


def _reasons(found: Figures) -> list[str]:
    width = max(map(len, found.reasons), default=0)
    return [f"  {n:6}  {why:{width}}  {WORDS[why]}" for why, n in found.reasons.most_common()]


def _times(found: Figures) -> list[str]:
    rows = {
        "from the first frame with a face": Spread.of(found.from_first_s),
        "from the deciding frame": Spread.of(found.from_deciding_s),
    }
    lines = [
        f"  {name:34}{spread.p50:8.2f} s{spread.p95:8.2f} s{spread.n:8}" for name, spread in rows.items() if spread
    ]
    were = "was open before it was" if found.before == 1 else "were open before they were"
    note = f"  {found.before} more {were} seen: the clocks of camera and door disagree"
    head = f"  {'until the door was open':34}{'p50':>10}{'p95':>10}{'of':>8}"
    return [*([head, *lines] if lines else []), *([note] if found.before else [])]


def _days(found: Figures) -> list[str]:
    """Every day from the first visit to the last, the newest where there are too many."""
    if not found.days:
        return []
    first, last = min(found.days), max(found.days)
    shown = [last - timedelta(days=i) for i in range((last - first).days + 1)][:MOST_DAYS]
    rows = [(day_name(on), found.days.get(on, Count())) for on in reversed(shown)]
    earlier = "  earlier days: --json, or --png FILE" if shown[-1] > first else ""
    return [*_chart(rows), *([earlier] if earlier else [])]


def _hours(found: Figures) -> list[str]:
    """From the first hour of the day with a visit to the last one."""
    busy = [hour for hour, count in enumerate(found.hours) if count.visits]
    if not busy:
        return []
    return _chart([(f"{hour:02}:00", found.hours[hour]) for hour in range(busy[0], busy[-1] + 1)])


def _chart(rows: Sequence[tuple[str, Count]]) -> list[str]:
    most = max(count.visits for _, count in rows)
    scale = min(1.0, BAR / most)
    width = max(len(name) for name, _ in rows)
    head = f"  {'':{width}}{'visits':>8}{'granted':>9}{'denied':>8}"
    return [head, *(f"  {name:{width}}{_numbers(count)}  {_bar(count, scale)}".rstrip() for name, count in rows)]


def _numbers(count: Count) -> str:
    return f"{count.visits:8}{count.granted:9}{count.denied:8}"


def _bar(count: Count, scale: float) -> str:
    """However few they are, each kind that there is shows."""
    lengths = (max(1, round(n * scale)) if n else 0 for n in (count.granted, count.denied))
    granted, denied = lengths
    return GRANTED * granted + DENIED * denied
