"""Who belongs to which group, and on which days. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from agents.scheduler.config import EVERYBODY, Loc, Member


@dataclass(frozen=True, slots=True)
class Membership:
    """One entry of a group: from `first` to `last`, both included; None has no limit."""

    group: str
    first: date | None
    last: date | None
    loc: Loc

    def covers(self, day: date) -> bool:
        return (self.first is None or self.first <= day) and not self.is_over(day)

    def is_over(self, day: date) -> bool:
        return self.last is not None and self.last < day

    def __str__(self) -> str:
        since = f" from {self.first}" if self.first is not None else ""
        return f"in {self.group}{since}" + (f" until {self.last}" if self.last is not None else "")


ALWAYS = (Membership(EVERYBODY, None, None, ("groups",)),)


class People:
    """The members of all groups."""

    def __init__(self, groups: Mapping[str, Sequence[Member]]) -> None:
        self._groups = {group: _memberships(group, members) for group, members in groups.items()}
        self._groups[EVERYBODY] = ALWAYS
        found = defaultdict(list)
        for group, members in groups.items():
            for member, membership in zip(members, self._groups[group], strict=True):
                found[member.name].append(membership)
        self._of = {name: (*memberships, *ALWAYS) for name, memberships in found.items()}

    def of(self, person: str) -> Sequence[Membership]:
        """All of the person's memberships, in the order of the file; `everybody` comes last."""
        return self._of.get(person, ALWAYS)

    def has_any(self, group: str, day: date) -> bool:
        """Whether anybody belongs to the group on that day."""
        return any(membership.covers(day) for membership in self._groups.get(group, ()))


def _memberships(group: str, members: Sequence[Member]) -> tuple[Membership, ...]:
    return tuple(Membership(group, m.from_, m.until, ("groups", group, i)) for i, m in enumerate(members))
