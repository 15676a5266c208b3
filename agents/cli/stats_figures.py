"""What the journal's records add up to. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from statistics import quantiles
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from agents.cli.moments import on_wall
from agents.scheduler.chain import Kind
from agents.scheduler.journal_reader import Record
from agents.wire.messages import Cause, DoorEvent, EventType, Outcome
from agents.wire.scheduling import Decision
from agents.wire.why import Why


@dataclass
class Count:
    """How visits ended."""

    granted: int = 0
    denied: int = 0

    @property
    def visits(self) -> int:
        return self.granted + self.denied

    def add(self, outcome: Outcome) -> None:
        if outcome is Outcome.GRANTED:
            self.granted += 1
        else:
            self.denied += 1

    def facts(self) -> dict[str, int]:
        return {"visits": self.visits, "granted": self.granted, "denied": self.denied}


@dataclass(frozen=True)
class Spread:
    """Of `n` times, in seconds: half are at most `p50`, and 95 of a hundred at most `p95`."""

    p50: float
    p95: float
    n: int

    @classmethod
    def of(cls, seconds: list[float]) -> Spread | None:
        """None of no times at all. Between two of them it is interpolated, as on the health topics."""
        if not seconds:
            return None
        cut = quantiles(seconds * 2 if len(seconds) == 1 else seconds, n=20, method="inclusive")
        return cls(round(cut[9], 3), round(cut[18], 3), len(seconds))


@dataclass
class Figures:
    """`total`, and the same by day and by hour of the house's clock.

    How long a door took to open is told from when the visit's first frame was captured, and from when
    the deciding one was, until the relay switched, in seconds. Where that is negative, the clocks of
    camera and door disagree, and it is no time (`before`). `unread` records are erased, or damaged.
    """

    zone: ZoneInfo
    total: Count = field(default_factory=Count)
    reasons: Counter[Why] = field(default_factory=Counter)
    days: dict[date, Count] = field(default_factory=dict)
    hours: list[Count] = field(default_factory=lambda: [Count() for _ in range(24)])
    from_first_s: list[float] = field(default_factory=list)
    from_deciding_s: list[float] = field(default_factory=list)
    before: int = 0
    unread: int = 0
    _granted: dict[tuple[str, str], Decision] = field(default_factory=dict)

    def add(self, record: Record) -> None:
        """The next record, of a decision or a door's event; others tell nothing."""
        try:
            if record.kind == Kind.DECISION:
                self._decision(Decision.model_validate(record.body, strict=False))
            elif record.kind == Kind.EVENT and record.body is not None:
                event = {key: value for key, value in record.body.items() if key != "door"}
                self._event(str(record.door), DoorEvent.model_validate(event, strict=False))
        except ValidationError:
            self.unread += record.kind == Kind.DECISION

    def facts(self) -> dict[str, Any]:
        """For programs."""
        times = {"from_first_frame": self.from_first_s, "from_deciding_frame": self.from_deciding_s}
        spreads = {name: Spread.of(seconds) for name, seconds in times.items()}
        return {
            **self.total.facts(),
            "reasons": dict(self.reasons.most_common()),
            "time_to_open_s": {name: vars(spread) if spread else None for name, spread in spreads.items()},
            "days": [{"date": on.isoformat(), **count.facts()} for on, count in sorted(self.days.items())],
            "hours": [{"hour": hour, **count.facts()} for hour, count in enumerate(self.hours)],
            "unread": self.unread,
        }

    def _decision(self, decision: Decision) -> None:
        at = on_wall(decision.decided_at, self.zone)
        for count in (self.total, self.days.setdefault(at.date(), Count()), self.hours[at.hour]):
            count.add(decision.outcome)
        if decision.outcome is Outcome.DENIED:
            self.reasons[decision.reason] += 1
        else:
            self._granted[decision.door, decision.id] = decision

    def _event(self, door: str, event: DoorEvent) -> None:
        """A door that is unlocked already is only kept so for longer: that is no opening."""
        if event.event_type is not EventType.UNLOCKED or event.cause is not Cause.GRANT or event.id is None:
            return
        decision = self._granted.pop((door, event.id), None)
        if decision is None:
            return
        if event.at < decision.captured_at:
            self.before += 1
            return
        self.from_deciding_s.append(event.at - decision.captured_at)
        self.from_first_s.append(event.at - decision.began_at)


def figures(records: Iterable[Record], zone: ZoneInfo) -> Figures:
    """Of records in their order."""
    found = Figures(zone)
    for record in records:
        found.add(record)
    return found
