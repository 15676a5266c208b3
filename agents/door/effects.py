"""What a door's core answers with: what to do and what to tell. Values only."""

from __future__ import annotations

from dataclasses import dataclass

from agents.runtime.clock import Now
from agents.wire.messages import Action, Cause, DoorEvent, EventType, Refusal


@dataclass(frozen=True)
class Drive:
    """Switch the relay, or have it stay on, for `at_most_s`; and tell the event if there is one."""

    on: bool
    event: DoorEvent | None = None
    at_most_s: float = 0.0


@dataclass(frozen=True)
class Tell:
    """Nothing moves; this is to be told."""

    event: DoorEvent


Effect = Drive | Tell


@dataclass(frozen=True)
class Order:
    """Who wants what: the part of a grant and of a command that goes into the door's event."""

    cause: Cause
    action: Action | None = None
    id: str | None = None
    person: str | None = None
    source: str | None = None


def event(kind: EventType, order: Order, now: Now, detail: str = "", reason: Refusal | None = None) -> DoorEvent:
    return DoorEvent(
        event_type=kind,
        at=now.utc,
        cause=order.cause,
        id=order.id,
        action=order.action,
        person=order.person,
        source=order.source,
        reason=reason,
        detail=detail[:200],
    )


def order_of(told: DoorEvent) -> Order:
    return Order(told.cause, told.action, told.id, told.person, told.source)


def refuse(order: Order, refusal: Refusal, detail: str, now: Now) -> Tell:
    return Tell(event(EventType.REJECTED, order, now, detail, refusal))
