"""What people have switched: face unlock at each door, away mode, and who is let in for once. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field

from agents.runtime.clock import Now
from agents.scheduler.calendar_values import minute
from agents.wire.messages import BadMessage, Payload, Refusal
from agents.wire.scheduling import MAX_LET_IN, LetIn, LetInList, LetInOrder
from agents.wire.values import Name

LONGEST_S = 31 * 86_400.0


class Standing(Payload):
    """It is remembered over a restart. Doors that are not in `enabled` are on: face unlock is what a
    new house is for.
    """

    enabled: dict[Name, bool] = {}
    away: bool = False
    let_in: dict[Name, Annotated[tuple[LetIn, ...], Field(max_length=MAX_LET_IN)]] = {}

    def is_enabled(self, door: str) -> bool:
        return self.enabled.get(door, True)

    def switch(self, door: str, on: bool) -> Standing:
        return self.model_copy(update={"enabled": {**self.enabled, door: on}})

    def switch_away(self, on: bool) -> Standing:
        return self.model_copy(update={"away": on})

    def admits(self, door: str, person: str, utc: float) -> LetIn | None:
        """The order by which the person is let in now, if there is one."""
        return next((one for one in self.let_in.get(door, ()) if one.person == person and utc < one.until), None)

    def admit(self, door: str, order: LetInOrder, now: Now, zone: ZoneInfo) -> Standing:
        """The order obeyed; it replaces an earlier one for the same person. Raises BadMessage."""
        others = tuple(one for one in self.let_in.get(door, ()) if one.person != order.person and now.utc < one.until)
        until = _until(order.until, now, zone)
        if until is None:
            return self._with(door, others)
        if len(others) == MAX_LET_IN:
            raise BadMessage(Refusal.MALFORMED, f"{MAX_LET_IN} people are let in already, and that is the most")
        one = LetIn(person=order.person, until=until, source=order.source, asked_at=now.utc)
        return self._with(door, (*others, one))

    def tidied(self, utc: float) -> Standing:
        """Without what is over."""
        kept = {door: tuple(one for one in people if utc < one.until) for door, people in self.let_in.items()}
        return self if kept == self.let_in else self.model_copy(update={"let_in": kept})

    def people(self, door: str) -> LetInList:
        return LetInList(people=self.let_in.get(door, ()))

    def _with(self, door: str, people: tuple[LetIn, ...]) -> Standing:
        return self.model_copy(update={"let_in": {**self.let_in, door: people}})


def _until(wanted: float | str | None, now: Now, zone: ZoneInfo) -> float | None:
    """In UTC seconds. Raises BadMessage: for a time that is past, too far ahead or can't be told."""
    if wanted is None:
        return None
    if not now.utc_is_set:
        raise BadMessage(Refusal.CLOCK_NOT_SET, "the clock of this machine is not set")
    until = _next(wanted, now.utc, zone) if isinstance(wanted, str) else wanted
    if not now.utc < until <= now.utc + LONGEST_S:
        raise BadMessage(Refusal.EXPIRED, f"until is past, or more than {LONGEST_S / 86_400:.0f} days ahead")
    return until


def _next(clock_time: str, utc: float, zone: ZoneInfo) -> float:
    """When a clock on the wall shows this time next; 02:30 in the night that has none is 03:30."""
    local = datetime.fromtimestamp(utc, UTC).astimezone(zone)
    today = datetime(local.year, local.month, local.day, tzinfo=zone) + timedelta(minutes=minute(clock_time))
    shown = [found for days in (0, 1) for found in _times(today + timedelta(days=days))]
    return min(found for found in shown if found > utc)


def _times(wall: datetime) -> tuple[float, float]:
    """When a clock on the wall shows it, for the first and the last time, in UTC seconds."""
    first, again = wall.replace(fold=0).timestamp(), wall.replace(fold=1).timestamp()
    return first, max(first, again)  # `again` is the earlier one where the clock skips it
