"""What a door does with what it is told. Pure: orders and time in, effects out.

The core never touches the relay. It answers with effects in the order in which they are to be
carried out; the agent reports back with `jammed` when the relay could not be driven.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from agents.door.config import DoorSettings
from agents.runtime.clock import Now
from agents.wire.messages import Action, BadMessage, Cause, Command, DoorEvent, EventType, Grant, LockState, Refusal

REMEMBERED_IDS = 1000
FUTURE_S = 2.0  # how far ahead a sender's clock may be
LONGEST_GRANT_S = 10.0  # how far ahead a grant may expire; the scheduler gives it five seconds


@dataclass(frozen=True)
class Drive:
    """Switch the relay."""

    on: bool


@dataclass(frozen=True)
class Tell:
    """Publish an event. The agent puts in the time, so that it is the time after the relay moved."""

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


class Door:
    """One door's lock.

    `session` is the nonce of the current connection: a grant must carry it.
    """

    def __init__(self, settings: DoorSettings) -> None:
        self._settings = settings
        self.session: str | None = None
        self._on_since: float | None = None  # monotonic; None while the relay is off
        self._deadline = 0.0
        self._jammed: str | None = None
        self._ids: OrderedDict[str, None] = OrderedDict()

    @property
    def state(self) -> LockState:
        if self._jammed is not None:
            return LockState.JAMMED
        return LockState.LOCKED if self._on_since is None else LockState.UNLOCKED

    @property
    def problem(self) -> str | None:
        return self._jammed

    def command(self, payload: bytes, retain: bool, now: Now) -> list[Effect]:
        """Somebody's order from the command topic."""
        try:
            command = Command.read(payload)
        except BadMessage as error:
            return [_refuse(Order(Cause.COMMAND), error.refusal, str(error), now)]
        order = Order(Cause.COMMAND, command.action, command.id, None, command.source)
        refusal = self._refuse_command(command, retain, now)
        if refusal is not None:
            return [_refuse(order, refusal, _STALE if refusal is Refusal.STALE else "", now)]
        if command.action is Action.LOCK:
            return self._lock(order, now)
        return self._unlock(order, now)

    def grant(self, payload: bytes, retain: bool, now: Now) -> list[Effect]:
        """The scheduler's order from the grant topic."""
        try:
            grant = Grant.decode(payload)
        except BadMessage as error:
            return [_refuse(Order(Cause.GRANT), error.refusal, str(error), now)]
        order = Order(Cause.GRANT, Action.UNLOCK, grant.id, grant.person)
        refusal = self._refuse_grant(grant, retain, now)
        return [_refuse(order, refusal, "", now)] if refusal is not None else self._unlock(order, now)

    def tick(self, now: Now) -> list[Effect]:
        """End a pulse whose time is over."""
        if self._on_since is None or now.mono < self._deadline:
            return []
        return self._lock(Order(Cause.TIMEOUT), now)

    def due_s(self, now: Now) -> float:
        """Seconds until `tick` will have something to do."""
        return float("inf") if self._on_since is None else self._deadline - now.mono

    def stop(self, cause: Cause, now: Now) -> list[Effect]:
        """The agent ends or gave up: relay off, whatever the state."""
        was_on = self._on_since is not None
        self._on_since = None
        return [Drive(False), _tell(EventType.LOCKED, Order(cause), now)] if was_on else [Drive(False)]

    def jam(self, detail: str, now: Now) -> list[Effect]:
        """The relay could not be driven: refuse to open until `freed`."""
        self._jammed, self._on_since = detail[:200], None
        return [_tell(EventType.JAMMED, Order(Cause.FAULT), now, self._jammed)]

    def freed(self) -> None:
        """The relay answers again."""
        self._jammed = None

    def _refuse_command(self, command: Command, retain: bool, now: Now) -> Refusal | None:
        if retain:
            return Refusal.RETAINED
        if command.ts is not None and not -FUTURE_S <= now.utc - command.ts <= self._settings.max_age_s:
            return Refusal.STALE
        if not self._is_new(command.id):
            return Refusal.DUPLICATE
        return None

    def _refuse_grant(self, grant: Grant, retain: bool, now: Now) -> Refusal | None:
        if retain:
            return Refusal.RETAINED
        if grant.session != self.session:
            return Refusal.WRONG_SESSION
        if not now.utc <= grant.expires_at <= now.utc + LONGEST_GRANT_S:
            return Refusal.EXPIRED
        if not self._is_new(f"{grant.id}/{grant.person}"):  # one frame may let in two people
            return Refusal.DUPLICATE
        return None

    def _is_new(self, id_: str | None) -> bool:
        """Whether this id was not seen before; remembers it."""
        if id_ is None:
            return True
        if id_ in self._ids:
            return False
        self._ids[id_] = None
        if len(self._ids) > REMEMBERED_IDS:
            self._ids.popitem(last=False)
        return True

    def _unlock(self, order: Order, now: Now) -> list[Effect]:
        if self._jammed is not None:
            return [_refuse(order, Refusal.JAMMED, self._jammed, now)]
        if self._on_since is None:
            self._on_since, self._deadline = now.mono, now.mono + self._settings.hold_s
            return [Drive(True), _tell(EventType.UNLOCKED, order, now)]
        last = self._on_since + self._settings.max_hold_s
        if self._deadline >= last:
            return [_refuse(order, Refusal.MAX_HOLD, "", now)]
        self._deadline = min(now.mono + self._settings.hold_s, last)
        return [_tell(EventType.EXTENDED, order, now)]

    def _lock(self, order: Order, now: Now) -> list[Effect]:
        """Drives the relay off even when it should be off already: asking costs nothing."""
        self._on_since = None
        return [Drive(False), _tell(EventType.LOCKED, order, now)]


_STALE = "ts is too old, or in the future: is the sender's clock right?"


def _tell(kind: EventType, order: Order, now: Now, detail: str = "", reason: Refusal | None = None) -> Tell:
    return Tell(
        DoorEvent(
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
    )


def _refuse(order: Order, refusal: Refusal, detail: str, now: Now) -> Tell:
    return _tell(EventType.REJECTED, order, now, detail, refusal)
