"""The door agent: MQTT on one side, the relay on the other, the core between them."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from agents.door.config import DoorSettings
from agents.door.core import Door, Drive, Effect
from agents.door.relay import Relay, RelayError
from agents.runtime.agent import Agent, open_session, run
from agents.runtime.clock import Clock, Now
from agents.runtime.health import Latencies, Report
from agents.runtime.inbox import Inbox
from agents.runtime.session import Disconnected, Message, Session, Subscription
from agents.runtime.settings import MqttSettings
from agents.wire.messages import Cause, EventType, LockState
from agents.wire.topics import COMMAND, EVENT, GRANT, SESSION, STATE

RETRY_JAMMED_S = 5.0


@dataclass
class _Counters:
    unlocked: int = 0
    rejected: int = 0


class DoorAgent(Agent):
    def __init__(self, name: str, settings: DoorSettings, session: Session, inbox: Inbox, clock: Clock) -> None:
        super().__init__("door", name, session, inbox)
        self._settings, self._clock = settings, clock
        self._door = Door(settings)
        self._relay: Relay | None = None
        self._published: LockState | None = None
        self._retry_at = 0.0
        self._counters, self._latencies = _Counters(), Latencies()

    def subscriptions(self) -> Sequence[Subscription]:
        return Subscription(COMMAND, (self.name,)), Subscription(GRANT, (self.name,))

    def start(self) -> None:
        self._relay = Relay(self._settings.relay)
        self.log.info("relay on pin %s (%s) is off", self._settings.relay.pin, self._settings.relay.pin_factory)

    def on_connect(self, now: Now) -> None:
        self._door.session = secrets.token_hex(8)
        self.session.publish(SESSION, self.name, payload=self._door.session)
        self._published = None

    def on_event(self, event: object, now: Now) -> None:
        if isinstance(event, Disconnected):
            self._door.session = None  # a grant sent to a connection that is gone is void
        elif isinstance(event, Message):
            decide = self._door.command if event.topic is COMMAND else self._door.grant
            self._carry_out(decide(event.payload, event.retain, now))
            self._latencies.add(self._clock.now().utc - event.received_at)

    def on_tick(self, now: Now) -> float:
        if self._door.state is LockState.JAMMED and now.mono >= self._retry_at:
            self._try_to_free(now)
        self._carry_out(self._door.tick(now))
        self._publish_state()
        return self._door.due_s(now)

    def report(self) -> Report:
        counters = {
            "unlocked": self._counters.unlocked,
            "rejected": self._counters.rejected,
            "dropped": self.inbox.dropped,
        }
        return Report(self._door.problem, counters, self._latencies)

    def close(self) -> None:
        if self._relay is None:
            return
        try:
            self._carry_out(self._door.stop(Cause.STOP, self._clock.now()))
            self._publish_state()
        finally:
            self._relay.close()
            self.log.info("relay is off")

    def _carry_out(self, effects: Sequence[Effect]) -> None:
        """The relay first, then the telling; a relay that fails changes the rest of the story."""
        for effect in effects:
            if not isinstance(effect, Drive):
                self._tell(effect)
            elif not self._drive(effect.on):
                return

    def _drive(self, on: bool) -> bool:
        assert self._relay is not None
        try:
            self._relay.drive(on)
        except RelayError as error:
            self.log.error("%s", error)
            with contextlib.suppress(RelayError):
                self._relay.drive(False)
            now = self._clock.now()
            self._retry_at = now.mono + RETRY_JAMMED_S
            self._carry_out(self._door.jam(str(error), now))
            return False
        return True

    def _try_to_free(self, now: Now) -> None:
        assert self._relay is not None
        try:
            self._relay.drive(False)
        except RelayError:
            self._retry_at = now.mono + RETRY_JAMMED_S
        else:
            self._door.freed()
            self.log.info("the relay answers again")

    def _tell(self, effect: Effect) -> None:
        assert not isinstance(effect, Drive)
        event = effect.event.model_copy(update={"at": self._clock.now().utc})
        self._counters.unlocked += event.event_type is EventType.UNLOCKED
        self._counters.rejected += event.event_type is EventType.REJECTED
        what = " ".join(str(part) for part in (event.event_type, event.reason, event.person, event.detail) if part)
        self.log.info("%s (%s%s)", what, event.cause, f" {event.id}" if event.id else "")
        self.session.publish(EVENT, self.name, payload=event.encode())

    def _publish_state(self) -> None:
        if self._door.state is not self._published and self._door.session is not None:
            self._published = self._door.state
            self.session.publish(STATE, self.name, payload=self._published)


def main(name: str, settings: DoorSettings, mqtt: MqttSettings, folder: Path) -> None:
    """Run the door `name` until it is told to stop. Raises RelayError when there is no relay."""
    session, inbox, clock = open_session(mqtt, folder, "door", name)
    run(DoorAgent(name, settings, session, inbox, clock), clock)
