"""What stands against letting somebody in."""

from __future__ import annotations

from dataclasses import dataclass

from agents.wire.why import Why

# What may pass by itself while they stand there: it is told only when it lasts, or when they leave.
PASSING = frozenset(
    {
        Why.UNKNOWN_PERSON, Why.NOT_ALONE, Why.STRANGER_IN_VIEW, Why.SPOOF, Why.NOT_LIVE, Why.DOOR_AWAY,
        Why.UNANSWERED,
    }
)  # fmt: skip
# What counts towards a camera's lock-out.
STRANGE = frozenset({Why.UNKNOWN_PERSON, Why.NOT_CONFIRMED, Why.SPOOF, Why.CHALLENGE_FAILED})


@dataclass(frozen=True)
class Objection:
    """`rule` is the line of the rules that it comes from, `detail` more for people."""

    why: Why
    rule: str = ""
    detail: str = ""

    @property
    def passing(self) -> bool:
        return self.why in PASSING


NOT_CONFIRMED = Objection(Why.NOT_CONFIRMED)
UNKNOWN = Objection(Why.UNKNOWN_PERSON)
