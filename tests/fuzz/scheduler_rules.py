"""A house's rules as they stand in its file, and what docs/rules.md makes of them, written a second time.

Nothing here is taken from `agents`, so that the scheduler can be held against it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

EVIDENCE = {"frames": 2, "of": 3, "within_s": 5}
LOCK_OUT = {"after": 2, "within_s": 20, "for_s": 4, "at_most_s": 8}
LIMITS = {"cool_down_s": 8, "grants_per_minute": 2, "confirm_within_s": 5, "patience_s": 1}
FILE: dict[str, Any] = {
    "timezone": "Europe/Zagreb",
    "groups": {
        "staff": ["Ana", "Borut", "Cene"],
        "guests": [
            {"name": "Petra", "from": "2027-01-20", "until": "2027-01-22"},
            {"name": "Karlo", "until": "2027-01-14"},
            {"name": "Karlo", "from": "2027-01-19"},
            {"name": "Lucija", "until": "2027-01-14"},
        ],
        "nurses": ["Ana", {"name": "Petra", "until": "2027-01-15"}],
    },
    "holidays": {"also": {"01-18": "Founders' day"}},
    "exceptions": [
        {"date": "2027-01-19", "close": True, "because": "stock-taking"},
        {
            "date": "2027-01-16",
            "doors": ["front"],
            "open": [{"who": "staff", "from": "08:00", "to": "14:00", "evidence": {"faces": "any_known"}}],
        },
    ],
    "doors": {
        "front": {
            "cameras": ["porch", "hall"],
            "windows": [
                {"who": ["staff", "guests"], "days": "mon-fri", "from": "07:00", "to": "19:00"},
                {"who": "staff", "days": "mon-fri", "from": "19:00", "to": "22:00", "confirm": "phone"},
                {"who": "nurses", "days": "fri", "from": "22:00", "to": "02:00", "evidence": {"frames": 1, "of": 1}},
            ],
            "evidence": {**EVIDENCE, "faces": "all_known"},
            "lock_out": LOCK_OUT,
            "liveness": "off",
            **LIMITS,
        },
        "back": {
            "cameras": ["yard", "hall"],
            "windows": [
                {"who": "everybody", "days": "mon-sun", "from": "00:00", "to": "24:00", "holidays": "open"},
            ],
            "evidence": {**EVIDENCE, "faces": "single"},
            "lock_out": LOCK_OUT,
            "liveness": "off",
            **LIMITS,
        },
    },
}
DOORS: dict[str, Any] = FILE["doors"]
WALL = ZoneInfo(FILE["timezone"])
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Ruling:
    """`why` not, or None. `needed` of the last `of` frames with such `faces` are enough."""

    why: str | None
    needed: int
    of: int
    faces: str
    confirm: bool = False


@dataclass(frozen=True)
class Membership:
    group: str
    first: date
    last: date

    def holds(self, day: date) -> bool:
        return self.first <= day <= self.last


def by_the_door(door: str, why: str | None = None, **other: Any) -> Ruling:
    """With the door's evidence, but for what an opening says."""
    evidence = DOORS[door]["evidence"] | other.get("evidence", {})
    return Ruling(why, evidence["frames"], evidence["of"], evidence["faces"], other.get("confirm") == "phone")


def ruling(door: str, person: str, utc: float) -> Ruling:
    """Of the openings that let the person in the first in the file counts."""
    return _ruling(door, person, int(utc) // 60)


@lru_cache(4096)
def _ruling(door: str, person: str, minute: int) -> Ruling:
    wall, mine = _wall(minute * 60), _memberships(person)
    now = list(_now(door, wall))
    for opening, day, shut in now:
        if shut is None and any(m.holds(day) for m in _in(opening, mine)):
            return by_the_door(door, **opening)
    return by_the_door(door, _why_not(door, mine, wall.date(), now))


def is_open(door: str, utc: float) -> bool:
    """Whether any window is open now, for anybody."""
    return _is_open(door, int(utc) // 60)


@lru_cache(4096)
def _is_open(door: str, minute: int) -> bool:
    everybody = [m for person in _people() for m in _memberships(person)]
    found = [(o, day) for o, day, shut in _now(door, _wall(minute * 60)) if shut is None]
    return any(m.holds(day) for opening, day in found for m in _in(opening, everybody))


@lru_cache(4096)
def next_time(clock_time: str, utc: float) -> float:
    """When a clock in the house's time zone shows this time next: looked at minute by minute."""
    hours, minutes = (int(part) for part in clock_time.split(":"))
    at = int(utc) // 60 * 60
    while True:
        at += 60
        shown = _wall(at)
        if (shown.hour, shown.minute) == (hours, minutes):
            return float(at)


def _why_not(door: str, mine: list[Membership], today: date, now: list[tuple[dict[str, Any], date, str | None]]) -> str:
    of_the_door = [m for opening in _openings(door) for m in _in(opening, mine)]
    if not of_the_door:
        return "no_window"
    shut = [why for opening, day, why in now if why and any(m.holds(day) for m in _in(opening, mine))]
    if shut:
        return "closed_day" if "closed_day" in shut else "holiday"
    missed = [(m, day) for opening, day, why in now if why is None for m in _in(opening, mine)]
    if not missed and not any(m.holds(today) for m in of_the_door):
        missed = [(m, today) for m in of_the_door]
    if not missed:
        return "outside_window"
    return "not_yet_valid" if any(day < m.first for m, day in missed) else "no_longer_valid"


def _now(door: str, wall: datetime) -> Iterator[tuple[dict[str, Any], date, str | None]]:
    """What a clock on the wall is in now: the opening, the day it belongs to, and what shuts it."""
    for opening in _openings(door):
        for day in (wall.date() - DAY, wall.date()):
            begins, ends = (datetime.combine(day, time()) + _since_midnight(opening[key]) for key in ("from", "to"))
            if ends <= begins:
                ends += DAY
            if begins <= wall < ends and _is_of(opening, day):
                yield opening, day, _shut(door, opening, day)


def _openings(door: str) -> Iterator[dict[str, Any]]:
    for special in FILE["exceptions"]:
        if door in special.get("doors", [door]):
            yield from ({"date": special["date"], **opening} for opening in special.get("open", []))
    yield from DOORS[door]["windows"]


def _is_of(opening: dict[str, Any], day: date) -> bool:
    if "date" in opening:
        return bool(opening["date"] == day.isoformat())
    first, _, last = opening["days"].partition("-")
    return DAYS.index(first) <= day.weekday() <= DAYS.index(last or first)


def _shut(door: str, opening: dict[str, Any], day: date) -> str | None:
    """Exceptions' openings are for closed days and holidays, too."""
    if "date" in opening:
        return None
    specials = [s for s in FILE["exceptions"] if s["date"] == day.isoformat() and door in s.get("doors", [door])]
    if any(special.get("close") for special in specials):
        return "closed_day"
    holiday = day.isoformat()[5:] in FILE["holidays"]["also"]
    return "holiday" if holiday and opening.get("holidays", "closed") == "closed" else None


def _people() -> set[str]:
    """Those of the file, and somebody who is enrolled and not in it."""
    names = {m if isinstance(m, str) else m["name"] for members in FILE["groups"].values() for m in members}
    return {*names, ""}


def _memberships(person: str) -> list[Membership]:
    found = [Membership("everybody", date.min, date.max)]
    for group, members in FILE["groups"].items():
        for member in members:
            dates = {"name": member} if isinstance(member, str) else member
            if dates["name"] == person:
                first, last = dates.get("from"), dates.get("until")
                found.append(
                    Membership(
                        group,
                        date.fromisoformat(first) if first else date.min,
                        date.fromisoformat(last) if last else date.max,
                    )
                )
    return found


def _in(opening: dict[str, Any], memberships: list[Membership]) -> list[Membership]:
    who = [opening["who"]] if isinstance(opening["who"], str) else opening["who"]
    return [m for m in memberships if m.group in who]


def _wall(utc: float) -> datetime:
    return datetime.fromtimestamp(int(utc), WALL).replace(tzinfo=None)


def _since_midnight(clock_time: str) -> timedelta:
    hours, minutes = clock_time.split(":")
    return timedelta(hours=int(hours), minutes=int(minutes))
