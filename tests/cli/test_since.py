"""From when and until when, as people say it."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from agents.cli.since import edge

ZAGREB, BEIRUT = ZoneInfo("Europe/Zagreb"), ZoneInfo("Asia/Beirut")


def utc(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


NOW = utc("2026-11-20T07:30:00+01:00")


@pytest.mark.parametrize(
    ("text", "since", "until"),
    [
        ("30s", "2026-11-20T07:29:30+01:00", "2026-11-20T07:29:30+01:00"),
        ("2h", "2026-11-20T05:30:00+01:00", "2026-11-20T05:30:00+01:00"),
        ("90m", "2026-11-20T06:00:00+01:00", "2026-11-20T06:00:00+01:00"),
        ("3d", "2026-11-17T07:30:00+01:00", "2026-11-17T07:30:00+01:00"),
        ("1w", "2026-11-13T07:30:00+01:00", "2026-11-13T07:30:00+01:00"),
        ("today", "2026-11-20T00:00:00+01:00", "2026-11-21T00:00:00+01:00"),
        ("yesterday", "2026-11-19T00:00:00+01:00", "2026-11-20T00:00:00+01:00"),
        ("2026-07-01", "2026-07-01T00:00:00+02:00", "2026-07-02T00:00:00+02:00"),
        ("2026-07-01 07:00", "2026-07-01T07:00:00+02:00", "2026-07-01T07:00:00+02:00"),
        ("06:15", "2026-11-20T06:15:00+01:00", "2026-11-20T06:15:00+01:00"),
        ("2026-07-01T05:00Z", "2026-07-01T07:00:00+02:00", "2026-07-01T07:00:00+02:00"),
        ("2026-10-25", "2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+01:00"),
        ("2026-10-25 02:30", "2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00"),  # shown twice
        ("2026-03-29 02:30", "2026-03-29T03:30:00+02:00", "2026-03-29T03:30:00+02:00"),  # never shown
    ],
)
def test_a_time_is_understood_in_the_houses_zone(text: str, since: str, until: str) -> None:
    assert edge(text, NOW, ZAGREB) == utc(since)
    assert edge(text, NOW, ZAGREB, end=True) == utc(until)


def test_a_day_without_midnight_has_a_beginning() -> None:
    assert edge("2026-03-29", NOW, BEIRUT) == utc("2026-03-29T01:00:00+03:00")
    assert edge("2026-03-28", NOW, BEIRUT, end=True) == utc("2026-03-29T01:00:00+03:00")


@pytest.mark.parametrize(
    "text", ["", "soon", "2", "2y", "h", "-2h", "2026-13-01", "2026-1-1", "25:00", "9999-01-01", "٢h"]
)
def test_what_is_no_time_is_refused_with_examples(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no time: use 2h, 3d, today, 2026-11-20, .2026-11-20 07:00.$"):
        edge(text, NOW, ZAGREB)
