"""Whether the rules let somebody in at a time, which of them decided, and when they next do. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from agents.cli.common import near
from agents.cli.moments import Asked, changes, moments, named, on_wall
from agents.cli.policy import Policy
from agents.scheduler.config import EVERYBODY, Evidence
from agents.scheduler.liveness_config import Liveness
from agents.scheduler.rules import Ruling
from agents.wire.why import Why

AHEAD_DAYS = 60
NOT_CONSIDERED = "Switches, limits and what the cameras see are not considered."
FACES = {
    "any_known": "whoever else is in view",
    "all_known": "no stranger in view",
    "single": "nobody else in view",
}
CHALLENGES = {
    "never": "no action is asked for",
    "doubtful": "an action is asked for in doubt",
    "always": "an action is asked for each time",
}


@dataclass(frozen=True)
class Explanation:
    """`next_at` is when the rules let the person in next, in UTC seconds; None where they do, or not in two months."""

    person: str
    door: str
    asked: Asked
    ruling: Ruling
    notes: tuple[str, ...]
    next_at: float | None

    @property
    def allowed(self) -> bool:
        return self.ruling.objection is None


def explain(policy: Policy, person: str, door: str, asked: Asked) -> Explanation:
    """Times that no clock shows are in no window; of those that come twice both must be."""
    ruling = judge(policy, person, door, asked)
    upcoming = next_time(policy, person, door, asked) if ruling.objection is not None else None
    return Explanation(person, door, asked, ruling, tuple(_notes(policy, person, asked, ruling)), upcoming)


def judge(policy: Policy, person: str, door: str, asked: Asked) -> Ruling:
    """What the rules say of a time as the clock shows it."""
    rulings = [policy.rules.judge(door, person, utc) for utc in asked.moments]
    if not rulings:
        rule = f"no clock shows {asked.wall:%H:%M} on {asked.wall:%Y-%m-%d}"
        wanted = policy.settings.doors[door]
        return Ruling(Why.OUTSIDE_WINDOW, rule, ("doors", door, "windows"), wanted.evidence, wanted.liveness)
    return next((ruling for ruling in rulings if ruling.objection is not None), rulings[0])


def next_time(policy: Policy, person: str, door: str, asked: Asked) -> float | None:
    """The rules' answer changes where a window opens, and where the clock is changed: nowhere else to a yes."""
    since = asked.moments[0] if asked.moments else _before(asked.wall, policy.zone)
    groups = [EVERYBODY, *(g for g, members in policy.settings.groups.items() if person in {m.name for m in members})]
    first = on_wall(since, policy.zone).date() - timedelta(days=1)
    starts = {span.start for group in groups for span in policy.rules.spans(door, group, first, AHEAD_DAYS + 1)}
    candidates = {utc for start in starts for utc in moments(start, policy.zone)}
    candidates |= {change.utc for change in changes(policy.zone, since, since + AHEAD_DAYS * 86_400)}
    later = sorted(utc for utc in candidates if utc > since)
    return next((utc for utc in later if policy.rules.judge(door, person, utc).objection is None), None)


def _before(wall: datetime, zone: ZoneInfo) -> float:
    """A moment just before the clock is put forward over `wall`."""
    return wall.replace(tzinfo=zone, fold=1).timestamp()


def lines(explanation: Explanation, policy: Policy) -> Iterator[str]:
    """For people."""
    ruling, asked = explanation.ruling, explanation.asked
    word = "yes" if ruling.objection is None else f"no, {ruling.objection}"
    zone = policy.settings.timezone
    yield f"{word}: {explanation.person} at door {explanation.door}, {named(asked.wall)} ({zone})"
    yield f"  rule      {policy.told(ruling.rule, ruling.loc)}"
    if ruling.objection is None:
        yield f"  evidence  {_in_words(ruling.evidence)}"
        yield f"  liveness  {_liveness_in_words(ruling.liveness)}"
        yield f"  confirm   {'somebody has to agree, on the phone' if ruling.confirm else 'not asked for'}"
    else:
        soon = explanation.next_at
        told = named(on_wall(soon, policy.zone)) if soon is not None else f"not in the {AHEAD_DAYS} days after"
        yield f"  next      {told}"
    for note in explanation.notes:
        yield f"  note      {note}"
    yield NOT_CONSIDERED


def facts(explanation: Explanation, policy: Policy) -> dict[str, Any]:
    """For programs. `at` is the first of the moments, in UTC seconds; null where there is none."""
    ruling, asked = explanation.ruling, explanation.asked
    return {
        "allowed": explanation.allowed,
        "reason": ruling.objection or Why.CONFIRMED,
        "rule": ruling.rule,
        "file": str(policy.path),
        "line": policy.line(ruling.loc),
        "person": explanation.person,
        "door": explanation.door,
        "evidence": ruling.evidence.model_dump(),
        "liveness": ruling.liveness.model_dump(),
        "confirm": ruling.confirm,
        "at": asked.moments[0] if asked.moments else None,
        "local": asked.wall.isoformat(timespec="seconds"),
        "note": "; ".join(explanation.notes) or None,
        "next": explanation.next_at,
    }


def _notes(policy: Policy, person: str, asked: Asked, ruling: Ruling) -> Iterator[str]:
    wall = asked.wall
    if not asked.moments:
        yield f"the clock is put forward that night and never shows {wall:%H:%M}"
    if len(asked.moments) > 1:
        yield f"the clock is put back that night and shows {wall:%H:%M} twice; the answer is for both"
    if person not in policy.people:
        yield f"{person} is in no group{near(person, policy.people)}"
        if ruling.objection is None:
            yield f"{EVERYBODY} is whoever is enrolled: facelatch people tells who"


def _in_words(evidence: Evidence) -> str:
    return f"{evidence.frames} of {evidence.of} frames within {evidence.within_s:g} s, {FACES[evidence.faces]}"


def _liveness_in_words(liveness: Liveness) -> str:
    if liveness.check == "off":
        return "off: a photograph is as good as a face"
    asked = f"; {liveness.attempts} times at most, {liveness.within_s:g} s each" if liveness.asks else ""
    return f"required, {CHALLENGES[liveness.challenge]}{asked}"
