"""What a door does with what it is told. Pure: orders and time in, effects out.

The core never touches the relay. It answers with effects in the order in which they are to be
carried out; the agent reports back with `jam` when the relay could not be driven.
"""

from __future__ import annotations

from collections import OrderedDict

from agents.door.config import DoorSettings
from agents.door.debounce import Debounced
from agents.door.effects import Drive, Effect, Order, Tell, event, order_of, refuse
from agents.door.hold import Hold
from agents.door.leaf import Leaf
from agents.door.words import Words
from agents.runtime.clock import Now
from agents.runtime.flood import BURST, PER_S, Flood
from agents.wire.messages import Action, BadMessage, Cause, Command, DoorEvent, EventType, Grant, LockState, Refusal

REMEMBERED_IDS = 1000
FUTURE_S = 2.0  # how far ahead a sender's clock may be
LONGEST_GRANT_S = 10.0  # how far ahead a grant may expire; the scheduler gives it five seconds


class Door:
    """One door: its lock and, where they are wired, its exit button and the contact on its leaf."""

    def __init__(self, settings: DoorSettings) -> None:
        self._settings = settings
        self.words = Words()
        self.hold = Hold(settings)
        self.leaf: Leaf | None = None
        self._button: Debounced | None = None
        self._contact: Debounced | None = None
        self._on_since: float | None = None  # monotonic; None while the relay is off
        self._deadline = 0.0
        self._off_at: float | None = None  # monotonic; when the relay was last on
        self._for_exit = False  # whether the exit button has a part in this pulse
        self._rest_until = float("-inf")
        self._jammed: str | None = None
        self._ids: OrderedDict[str, None] = OrderedDict()
        self._commands, self._grants, self._moves = Flood(), Flood(), Flood()

    @property
    def state(self) -> LockState:
        if self._jammed is not None:
            return LockState.JAMMED
        return LockState.LOCKED if self._on_since is None else LockState.UNLOCKED

    @property
    def problem(self) -> str | None:
        return self._jammed

    def begin(self, pressed: bool | None, closed: bool | None, now: Now) -> None:
        """Where the inputs are at the start; None for one that is not wired. A pressed button opens nothing."""
        if self._settings.exit_button is not None and pressed is not None:
            self._button = Debounced(self._settings.exit_button.debounce_s, pressed)
        if self._settings.contact is not None and closed is not None:
            self._contact = Debounced(self._settings.contact.debounce_s, closed)
            self.leaf = Leaf(self._settings.contact, not closed, now)

    def command(self, payload: bytes, retain: bool, now: Now) -> list[Effect]:
        """Somebody's order from the command topic."""
        if not self._commands.admits(now):
            return self._lock_in_flood(payload, retain, now)
        try:
            command = Command.read(payload)
        except BadMessage as error:
            return [refuse(Order(Cause.COMMAND), error.refusal, str(error), now)]
        order = Order(Cause.COMMAND, command.action, command.id, None, command.source)
        refusal = self._refuse_command(command, retain, now)
        if refusal is not None:
            return [refuse(order, refusal, _REMEDIES.get(refusal, ""), now)]
        return self._lock(order, now) if command.action is Action.LOCK else self._unlock(order, now)

    def grant(self, payload: bytes, retain: bool, now: Now) -> list[Effect]:
        """The scheduler's order from the grant topic."""
        if not self._grants.admits(now):
            return []
        try:
            grant = Grant.decode(payload)
        except BadMessage as error:
            return [refuse(Order(Cause.GRANT), error.refusal, str(error), now)]
        order = Order(Cause.GRANT, Action.UNLOCK, grant.id, grant.person)
        refusal = self._refuse_grant(grant, retain, now)
        return [refuse(order, refusal, "", now)] if refusal is not None else self._unlock(order, now)

    def press(self, pressed: bool, now: Now) -> None:
        """The exit button's contact was heard to change."""
        if self._button is not None:
            self._button.edge(pressed, now.mono)

    def close(self, closed: bool, now: Now) -> None:
        """The leaf's contact was heard to change."""
        if self._contact is not None:
            self._contact.edge(closed, now.mono)

    def sample(self, pressed: bool | None, closed: bool | None, now: Now) -> None:
        """Where the inputs are, before each `tick`: edges get lost. None for one that is not wired."""
        if self._button is not None and pressed is not None:
            self._button.sample(pressed, now.mono)
        if self._contact is not None and closed is not None:
            self._contact.sample(closed, now.mono)

    def tick(self, now: Now) -> list[Effect]:
        """What is due: the end of a pulse, an input that has settled, something to tell."""
        return [*self._end_pulse(now), *self._follow_button(now), *self._follow_leaf(now), *self._tell_floods(now)]

    def due_s(self, now: Now) -> float:
        """Seconds until `tick` will have something to do."""
        inputs = [input_.due_s(now.mono) for input_ in (self._button, self._contact) if input_ is not None]
        pulse = [] if self._on_since is None else [self._deadline - now.mono]
        leaf = [] if self.leaf is None else [self.leaf.due_s(now)]
        return min([*inputs, *pulse, *leaf, self.words.due_s(now)])

    def lose_broker(self, now: Now) -> list[Effect]:
        """The connection is gone: what was said on it is void."""
        self.words.lose()
        if self._settings.on_broker_lost == "finish" or self._on_since is None or self._for_exit:
            return []
        return self._lock(Order(Cause.BROKER_LOST), now)

    def stop(self, cause: Cause, now: Now, was_on: bool = False, detail: str = "") -> list[Effect]:
        """The agent ends, or ended badly while the relay `was_on`: off, whatever the state."""
        was_on = was_on or self._on_since is not None
        self._on_since, self._off_at = None, now.mono if was_on else self._off_at
        return [Drive(False, event(EventType.LOCKED, Order(cause), now, detail) if was_on else None)]

    def jam(self, detail: str, tried: DoorEvent | None, now: Now) -> DoorEvent:
        """The relay could not be driven, for `tried` or by itself: refuse to open until `freed`."""
        if self._on_since is not None:
            self._off_at = now.mono
        self._jammed, self._on_since = detail[:200], None
        order = Order(Cause.FAULT) if tried is None else order_of(tried)
        return event(EventType.JAMMED, order, now, self._jammed)

    def too_late(self, tried: DoorEvent, now: Now) -> DoorEvent:
        """It took so long to put `tried` on the disk that nobody stands there any more."""
        return refuse(order_of(tried), Refusal.STALE, "the disk took too long to note it", now).event

    def freed(self, now: Now) -> list[Effect]:
        """The relay answers again, and is off."""
        self._jammed = None
        return [Tell(event(EventType.LOCKED, Order(Cause.FAULT), now, "the relay answers again"))]

    def _refuse_command(self, command: Command, retain: bool, now: Now) -> Refusal | None:
        if retain:
            return Refusal.RETAINED
        if command.action is Action.TEST and self._settings.test_pulse_s is None:
            return Refusal.NOT_ENABLED
        if command.action is not Action.LOCK:  # to lock, nobody has to prove anything
            refusal = self._doubt(command, now)
            if refusal is not None:
                return refusal
        return None if self._is_new(command.id) else Refusal.DUPLICATE

    def _doubt(self, command: Command, now: Now) -> Refusal | None:
        """Why a command may have waited somewhere, if it may have."""
        if command.session is not None and not self.words.good(command.session, now):
            return Refusal.WRONG_SESSION
        if not self.words.alive(now):
            return Refusal.STALE
        if command.ts is not None and now.utc_is_set:
            fresh = -FUTURE_S <= now.utc - command.ts <= self._settings.max_age_s
            return None if fresh else Refusal.STALE
        return Refusal.CLOCK_NOT_SET if command.ts is not None and command.session is None else None

    def _refuse_grant(self, grant: Grant, retain: bool, now: Now) -> Refusal | None:
        if retain:
            return Refusal.RETAINED
        if not self.words.good(grant.session, now):
            return Refusal.WRONG_SESSION
        # with a clock that is not set, the session alone says that it is fresh
        if now.utc_is_set and not now.utc <= grant.expires_at <= now.utc + LONGEST_GRANT_S:
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
            return [refuse(order, Refusal.JAMMED, self._jammed, now)]
        if self._on_since is not None:
            return [self._extend(order, self._on_since, now)]
        if now.mono < self._rest_until and order.cause is not Cause.BUTTON:  # nobody is kept inside
            return [refuse(order, Refusal.LOCKED_OUT, _REMEDIES[Refusal.LOCKED_OUT], now)]
        pulse_s = self._pulse_s(order)
        self._on_since, self._deadline = now.mono, now.mono + pulse_s
        self._for_exit = order.cause is Cause.BUTTON
        return [Drive(True, event(EventType.UNLOCKED, order, now), pulse_s)]

    def _extend(self, order: Order, since: float, now: Now) -> Effect:
        last = since + self._settings.max_hold_s
        if max(self._deadline, now.mono) >= last:
            return refuse(order, Refusal.MAX_HOLD, "", now)
        self._deadline = max(self._deadline, min(now.mono + self._pulse_s(order), last))  # no order shortens a pulse
        self._for_exit |= order.cause is Cause.BUTTON
        return Drive(True, event(EventType.EXTENDED, order, now), self._deadline - now.mono)

    def _pulse_s(self, order: Order) -> float:
        test_s = self._settings.test_pulse_s if order.action is Action.TEST else None
        return self.hold.s if test_s is None else test_s

    def _lock(self, order: Order, now: Now) -> list[Effect]:
        """Drives the relay off even when it should be off already: asking costs nothing."""
        if self._jammed is not None:
            return [Drive(False, refuse(order, Refusal.JAMMED, self._jammed, now).event)]
        if self._on_since is not None:
            self._off_at = now.mono
            if now.mono >= self._on_since + self._settings.max_hold_s:
                self._rest_until = now.mono + self._settings.rest_s
        self._on_since = None
        return [Drive(False, event(EventType.LOCKED, order, now))]

    def _lock_in_flood(self, payload: bytes, retain: bool, now: Now) -> list[Effect]:
        """Too many orders to answer each: nothing opens, and an order to lock still ends a pulse."""
        if self._on_since is None or retain or not Command.locks(payload):
            return []
        return self._lock(Order(Cause.COMMAND, Action.LOCK), now)

    def _end_pulse(self, now: Now) -> list[Effect]:
        if self._on_since is None or now.mono < self._deadline:
            return []
        return self._lock(Order(Cause.TIMEOUT), now)

    def _follow_button(self, now: Now) -> list[Effect]:
        pressed = self._button.tick(now.mono) if self._button is not None else None
        return self._unlock(Order(Cause.BUTTON, Action.UNLOCK), now) if pressed else []

    def _follow_leaf(self, now: Now) -> list[Effect]:
        if self.leaf is None or self._contact is None:
            return []
        closed = self._contact.tick(now.mono)
        if closed is not None:
            return self._moved(self.leaf, not closed, now)
        held = self.leaf.held(now)
        return [Tell(event(EventType.HELD_OPEN, Order(Cause.CONTACT), now))] if held else []

    def _moved(self, leaf: Leaf, is_open: bool, now: Now) -> list[Effect]:
        assert self._settings.contact is not None
        released_at = now.mono if self._on_since is not None else self._off_at
        released_for_s = None if released_at is None else now.mono - released_at
        moved = Tell(event(leaf.moved(is_open, released_for_s, now), Order(Cause.CONTACT), now))
        told: list[Effect] = [moved] if self._moves.admits(now) else []  # a loose contact chatters
        if is_open and self._on_since is not None and self._settings.contact.locks_when_opened:
            told += self._lock(Order(Cause.CONTACT), now)
        return told

    def _tell_floods(self, now: Now) -> list[Effect]:
        floods = ((Cause.COMMAND, self._commands), (Cause.GRANT, self._grants), (Cause.CONTACT, self._moves))
        counts = [(cause, flood.unanswered(now)) for cause, flood in floods]
        return [refuse(Order(cause), Refusal.FLOOD, _FLOOD.format(count), now) for cause, count in counts if count]


_REMEDIES = {
    Refusal.NOT_ENABLED: "test pulses are off: this door has no test_pulse_s in the house's file",
    Refusal.STALE: "it was sent too long ago, or in the future, or the connection it came by is not trusted",
    Refusal.CLOCK_NOT_SET: "this door's clock is not set, so it can't judge ts; send session instead",
    Refusal.LOCKED_OUT: "it was released as long as it may be, and rests",
}
_FLOOD = f"{{}} more than the {BURST} at once and {PER_S:g} a second that are looked at"
