"""The door agent: MQTT on one side, the relay and the inputs on the other, the core between them."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Sequence
from pathlib import Path

from agents.discovery.device import Device
from agents.door import discovery
from agents.door.config import DoorSettings
from agents.door.core import Door
from agents.door.effects import Drive, Effect
from agents.door.hold_orders import HoldOrders
from agents.door.inputs import Closed, Inputs, Pressed
from agents.door.journal import OPENING, Journal
from agents.door.prompt_orders import PromptOrders
from agents.door.relay import Relay, RelayError
from agents.door.retained import Retained
from agents.door.words import ANSWER_S
from agents.runtime.agent import Agent, open_session, run
from agents.runtime.clock import Clock, Now
from agents.runtime.events import Disconnected, Message, Published, Subscription
from agents.runtime.health import Latencies, Report
from agents.runtime.inbox import Inbox
from agents.runtime.session import Session
from agents.runtime.settings import Site
from agents.wire.messages import Cause, Command, DoorEvent, LockState
from agents.wire.topics import CHALLENGE, COMMAND, EVENT, GRANT, HOLD_SET, SESSION

RETRY_JAMMED_S = 5.0
CHECK_S = 1.0  # how often the relay is read back
LATE_S = 1.0  # an opening that had to wait for the disk for longer is none
LATE_EXIT_S = 5.0  # who pressed the button may stand there for as long
ACKNOWLEDGED_S = 1.0  # the longest an ending door waits for the broker to have its last events


class DoorAgent(Agent):
    def __init__(
        self, name: str, settings: DoorSettings, data: Path, session: Session, inbox: Inbox, clock: Clock
    ) -> None:
        super().__init__("door", name, session, inbox)
        self._settings, self._clock = settings, clock
        self._door = Door(settings)
        self._journal = Journal(data / f"door-{name}.events", self._publish_event, clock, self.log)
        self._outbox = self._journal.outbox
        self._retained = Retained(session, name)
        memory = data / f"door-{name}.hold.json"
        self._hold_orders = HoldOrders(self._door.hold, settings.hold_s, memory, self._retained, self.log)
        self._prompts = PromptOrders(name, settings.prompt, clock, self.log)
        self._asides = {HOLD_SET: self._hold_orders.obey, CHALLENGE: self._prompts.obey}
        session.follows_acknowledgements = True
        self._relay: Relay | None = None
        self._inputs = Inputs(settings, inbox)
        self._retry_at = self._check_at = 0.0
        self._greets = False
        self._latencies = Latencies()

    def subscriptions(self) -> Sequence[Subscription]:
        command = Subscription(COMMAND, (self.name,), urgent=Command.locks)
        hold_set = Subscription(HOLD_SET, (self.name,))
        return command, Subscription(GRANT, (self.name,)), hold_set, *self._prompts.subscriptions()

    def devices(self) -> Sequence[Device]:
        return discovery.devices(self.name, self._settings, self.session.site.home)

    def start(self) -> None:
        self._relay = Relay(self._settings.relay)
        self.log.info("relay on pin %s (%s) is off", self._settings.relay.pin, self._settings.relay.pin_factory)
        self._inputs.start()
        self._door.begin(*self._inputs.read(), self._clock.now())
        self._hold_orders.start()
        self._prompts.start()
        if self._journal.left_open():
            now = self._clock.now()
            self._carry_out(self._door.stop(Cause.RESTART, now, was_on=True), now)

    def on_connect(self, now: Now) -> None:
        self._door.words.lose()
        self._new_word(now)
        self._greets = True

    def publish_all(self, now: Now) -> None:
        """By the end of the next turn."""
        self._retained.forget()

    def on_event(self, event: object, now: Now) -> None:
        if isinstance(event, Message):
            self._obey(event, now)
        elif isinstance(event, Pressed):
            self._door.press(event.pressed, now)
        elif isinstance(event, Closed):
            self._door.close(event.closed, now)
        elif isinstance(event, Published):
            self._door.words.acknowledged(event.mid)
            self._outbox.acknowledged(event.mid)
        elif isinstance(event, Disconnected):
            self._carry_out(self._door.lose_broker(now), now)
            self._greets = False
            self._outbox.disconnected()

    def on_stall(self, stood_s: float, now: Now) -> None:
        """Orders may have waited in the connection meanwhile, and nobody can tell which."""
        self._distrust(f"stood still for {stood_s:.1f} s", now)

    def on_tick(self, now: Now) -> float:
        if now.mono >= self._check_at:
            self._check_at = now.mono + CHECK_S
            self._check(now)
        self._door.sample(*self._inputs.look(), now)  # before every tick: edges get lost
        self._carry_out(self._door.tick(now), now)
        self._hold_orders.tick(now)
        self._publish_state()
        self._keep_in_touch(now)
        self._tell_what_waited()
        return min(CHECK_S, self._door.due_s(now))

    def _tell_what_waited(self) -> None:
        """At a new connection only when it was said that this door is online: by then it is heard."""
        if self._greets:
            self._outbox.connected()
        self._greets = False
        self._outbox.pump()

    def report(self) -> Report:
        counters = {**self._journal.counters, "dropped": self.inbox.dropped, "lost": self._outbox.lost}
        counters |= {"hold_refused": self._hold_orders.refused, **self._prompts.counters}
        parts = (self._door, self._inputs, self._outbox, self._hold_orders, self._prompts)
        return Report(next((part.problem for part in parts if part.problem), None), counters, self._latencies)

    def close(self) -> None:
        """The relay goes off first; what fails on the way does not keep the rest from being let go of."""
        with contextlib.ExitStack() as stack:
            stack.callback(self._prompts.close)
            stack.callback(self._outbox.close)
            stack.callback(self._hold_orders.save)
            stack.callback(self._inputs.close)
            if self._relay is not None:
                stack.callback(self._relay.close)
                now = self._clock.now()
                self._carry_out(self._door.stop(Cause.STOP, now), now)
                self.log.info("relay is off")
                self._publish_state()
                self._wait_for_acknowledgements()

    def _obey(self, message: Message, now: Now) -> None:
        if (obey := self._asides.get(message.topic)) is not None:
            obey(message, now)
            return
        decide = self._door.command if message.topic is COMMAND else self._door.grant
        told = self._carry_out(decide(message.payload, message.retain, now), now)
        self._publish_state()
        if message.reply_to is not None and told:
            self.session.answer(message.reply_to, told[-1].encode())
        self._latencies.add(self._clock.now().utc - message.received_at)

    def _carry_out(self, effects: Sequence[Effect], now: Now) -> list[DoorEvent]:
        """What was decided at `now`. Returns what was told. A relay that fails changes the rest of the story."""
        told: list[DoorEvent] = []
        for effect in effects:
            if isinstance(effect, Drive) and effect.on:
                told.append(self._switch_on(effect, now))
            elif isinstance(effect, Drive):
                told += self._switch_off(effect)
            else:
                told.append(self._journal.tell(effect.event))
        return told

    def _switch_on(self, effect: Drive, now: Now) -> DoorEvent:
        """The event is on disk before the relay moves: never an opening that nobody can read of."""
        assert effect.event is not None
        if effect.event.cause is Cause.BUTTON:
            return self._let_out(effect, effect.event, now)
        event = self._journal.tell(effect.event)
        if self._clock.now().mono - now.mono > LATE_S:
            return self._too_late(event)
        try:
            self._drive(effect)
        except RelayError as error:
            return self._jam(error, event)
        return event

    def _let_out(self, effect: Drive, event: DoorEvent, now: Now) -> DoorEvent:
        """Nobody waits inside for a disk: this opening is told of only afterwards."""
        if self._clock.now().mono - now.mono > LATE_EXIT_S:
            return self._too_late(self._journal.tell(event))
        try:
            self._drive(effect)
        except RelayError as error:
            return self._jam(error, self._journal.tell(event))
        return self._journal.tell(event)

    def _drive(self, effect: Drive) -> None:
        assert self._relay is not None
        self._relay.drive(effect.on, effect.at_most_s)

    def _switch_off(self, effect: Drive) -> list[DoorEvent]:
        try:
            self._drive(effect)
        except RelayError as error:
            return [self._jam(error, effect.event)]
        return [self._journal.tell(effect.event)] if effect.event is not None else []

    def _too_late(self, tried: DoorEvent) -> DoorEvent:
        now = self._clock.now()
        refused = self._journal.retell(tried, self._door.too_late(tried, now))
        self._carry_out(self._door.stop(Cause.FAULT, now), now)
        return refused

    def _jam(self, error: RelayError, tried: DoorEvent | None) -> DoorEvent:
        assert self._relay is not None
        self.log.error("%s", error)
        with contextlib.suppress(RelayError):
            self._relay.drive(False)
        now = self._clock.now()
        self._retry_at = now.mono + RETRY_JAMMED_S
        event = self._door.jam(str(error), tried, now)
        if tried is None or tried.event_type not in OPENING:
            return self._journal.tell(event)
        return self._journal.retell(tried, event)  # it was told before it was tried

    def _wait_for_acknowledgements(self) -> None:
        """So that the next run need not tell again what the broker has."""
        self._outbox.pump()
        until = self._clock.now().mono + ACKNOWLEDGED_S
        while self.session.connected and self._outbox.under_way and (left_s := until - self._clock.now().mono) > 0:
            event = self.inbox.get(left_s)
            if isinstance(event, Published):
                self._outbox.acknowledged(event.mid)

    def _check(self, now: Now) -> None:
        """Read what should be as it is known to be; try what did not answer."""
        assert self._relay is not None
        if self._relay.overran:
            self._relay.overran = False
            self.log.error("the relay's guard had to end a pulse: this program hung")
            self._carry_out(self._door.stop(Cause.FAULT, now, detail="the program hung; the guard switched off"), now)
        if self._door.state is not LockState.JAMMED:
            self._check_relay()
        elif now.mono >= self._retry_at:
            self._try_to_free(now)
        if self._door.state is LockState.LOCKED:
            self._journal.flush()  # a pulse does not wait for a disk
            self._hold_orders.save()

    def _check_relay(self) -> None:
        assert self._relay is not None
        try:
            self._relay.check()
        except RelayError as error:
            self._jam(error, None)

    def _try_to_free(self, now: Now) -> None:
        assert self._relay is not None
        try:
            self._relay.drive(False)
        except RelayError:
            self._retry_at = now.mono + RETRY_JAMMED_S
        else:
            self._carry_out(self._door.freed(now), now)

    def _keep_in_touch(self, now: Now) -> None:
        """A new word when it is due; and when the broker is silent, a new connection."""
        if self._door.words.silent(now):
            self._distrust(f"the broker did not answer for {ANSWER_S:g} s", now)
        elif self._door.words.due_s(now) <= 0:
            self._new_word(now)

    def _new_word(self, now: Now) -> None:
        word = secrets.token_hex(8)
        self._door.words.add(word, self.session.publish(SESSION, self.name, payload=word), now)

    def _distrust(self, why: str, now: Now) -> None:
        self._carry_out(self._door.lose_broker(now), now)
        self.session.renew(why)

    def _publish_event(self, payload: bytes) -> int | None:
        return self.session.publish(EVENT, self.name, payload=payload)

    def _publish_state(self) -> None:
        """To a connection that `on_connect` has greeted; and until it was handed on."""
        if self._door.words.trusted:
            self._retained.tell(self._door)


def main(name: str, settings: DoorSettings, site: Site) -> None:
    """Run the door `name` until it is told to stop. Raises PinError when a pin can't be had."""
    session, inbox, clock = open_session(site, "door", name)
    run(DoorAgent(name, settings, site.data, session, inbox, clock), clock)
