"""The scheduler agent: identities in, decisions and grants out, one gate per door."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

from agents.runtime.agent import IDLE_S, Agent, open_session, run
from agents.runtime.clock import Clock, Now
from agents.runtime.events import Message, Subscription
from agents.runtime.health import Latencies, Report
from agents.runtime.inbox import Inbox
from agents.runtime.session import Session
from agents.runtime.settings import Site
from agents.scheduler import switches
from agents.scheduler.config import SchedulerSettings
from agents.scheduler.core import Effect, Gate
from agents.scheduler.switches import SwitchesError
from agents.wire.messages import Availability, BadMessage, Decision, Identity, Switch, read_session
from agents.wire.topics import (
    AVAILABILITY,
    DECISION,
    ENABLED,
    ENABLED_SET,
    GRANT,
    IDENTITY,
    SESSION,
    WINDOW,
)


class SchedulerAgent(Agent):
    def __init__(self, settings: SchedulerSettings, data: Path, session: Session, inbox: Inbox, clock: Clock) -> None:
        super().__init__("scheduler", settings.id, session, inbox)
        self._settings, self._data, self._clock = settings, data, clock
        zone = ZoneInfo(settings.timezone)
        self._gates = {door: Gate(door, policy, zone) for door, policy in settings.doors.items()}
        self._nonces: dict[str, str] = {}
        self._online: dict[str, bool] = {}
        self._windows: dict[str, bool] = {}
        self._trouble: str | None = None
        self._counters: Counter[str] = Counter(identities=0, granted=0, denied=0, refused=0)
        self._latencies = Latencies()

    def subscriptions(self) -> Sequence[Subscription]:
        cameras = sorted({camera for policy in self._settings.doors.values() for camera in policy.cameras})
        found = [Subscription(IDENTITY, (camera,)) for camera in cameras]
        for door in self._gates:
            found += [
                Subscription(SESSION, (door,)),
                Subscription(AVAILABILITY, ("door", door)),
                Subscription(ENABLED_SET, (door,)),
            ]
        return found

    def start(self) -> None:
        try:
            kept = switches.load(self._data)
        except SwitchesError as error:
            self._fail(f"{error}; face unlock is off until it is switched on again")
            kept = dict.fromkeys(self._gates, False)
        for door, gate in self._gates.items():
            gate.enabled = kept.get(door, True)

    def on_connect(self, now: Now) -> None:
        self._nonces.clear()  # what the doors keep retained will arrive anew
        self._online.clear()
        self._windows.clear()
        for door, gate in self._gates.items():
            self._follow_door(door)
            self.session.publish(ENABLED, door, payload=Switch.of(gate.enabled))

    def on_event(self, event: object, now: Now) -> None:
        if not isinstance(event, Message):
            return
        try:
            self._receive(event, now)
        except BadMessage as error:
            self._counters["refused"] += 1
            self.log.warning("refused a message on %s: %s", event.topic.at("…", *event.names), error)

    def on_tick(self, now: Now) -> float:
        for door, gate in self._gates.items():
            self._carry_out(door, gate.tick(now))
            is_open = gate.open_now(now)
            if is_open is not self._windows.get(door) and self.session.connected:
                self._windows[door] = is_open
                self.session.publish(WINDOW, door, payload=Switch.of(is_open))
        return IDLE_S

    def report(self) -> Report:
        gates = self._gates.values()
        counters = dict(self._counters)
        counters["stale"] = sum(gate.stale for gate in gates)
        counters["repeated"] = sum(gate.repeated for gate in gates)
        counters["dropped"] = self.inbox.dropped
        ahead_s = max((gate.disagreement_s or 0.0 for gate in gates), default=0.0)
        clocks = f"a camera's clock is {ahead_s:.0f} s ahead of this machine's" if ahead_s else None
        return Report(self._trouble or clocks, counters, self._latencies)

    def close(self) -> None:
        """Nothing to let go of: a grant that is out expires by itself."""

    def _receive(self, message: Message, now: Now) -> None:
        if message.topic is IDENTITY:
            self._identity(message, now)
        elif message.topic is SESSION:
            self._nonces[message.names[0]] = read_session(message.payload)
            self._follow_door(message.names[0])
        elif message.topic is AVAILABILITY:
            self._online[message.names[1]] = message.payload == Availability.ONLINE.encode()
            self._follow_door(message.names[1])
        elif message.topic is ENABLED_SET:
            self._switch(message.names[0], message)

    def _follow_door(self, door: str) -> None:
        self._gates[door].session = self._nonces.get(door) if self._online.get(door) else None

    def _identity(self, message: Message, now: Now) -> None:
        identity = Identity.decode(message.payload)
        if message.retain or identity.camera != message.names[0]:
            self._counters["refused"] += 1
            return
        self._counters["identities"] += 1
        for door, gate in self._gates.items():
            if identity.camera in self._settings.doors[door].cameras:
                self._carry_out(door, gate.seen(identity, now))

    def _switch(self, door: str, message: Message) -> None:
        """A retained order to switch would be obeyed again at every start, so none is."""
        wanted = {Switch.ON.encode(): True, Switch.OFF.encode(): False}.get(message.payload.strip())
        if wanted is None or message.retain:
            self._counters["refused"] += 1
            self.log.warning("door %s: face unlock can be set to ON or OFF, not retained", door)
        else:
            self._gates[door].enabled = wanted
            self.log.info("door %s: face unlock switched %s", door, Switch.of(wanted))
            self._keep_switches()
        self.session.publish(ENABLED, door, payload=Switch.of(self._gates[door].enabled))

    def _keep_switches(self) -> None:
        try:
            switches.save(self._data, {door: gate.enabled for door, gate in self._gates.items()})
            self._trouble = None
        except SwitchesError as error:
            self._fail(str(error))

    def _fail(self, trouble: str) -> None:
        self._trouble = trouble
        self.log.error("%s", trouble)

    def _carry_out(self, door: str, effects: Sequence[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Decision):
                self._publish_decision(effect)
            elif not self.session.publish(GRANT, door, payload=effect.encode()):
                self.log.warning("door %s: a grant for %s could not be sent: no broker", door, effect.person)

    def _publish_decision(self, decision: Decision) -> None:
        self._counters[decision.outcome] += 1
        self._latencies.add(self._clock.now().utc - decision.captured_at)
        who = decision.person or "somebody"
        self.log.info("door %s: %s %s: %s (%s)", decision.door, decision.outcome, who, decision.reason, decision.id)
        self.session.publish(DECISION, decision.door, payload=decision.encode())


def main(settings: SchedulerSettings, site: Site) -> None:
    """Run the scheduler until it is told to stop."""
    session, inbox, clock = open_session(site, "scheduler", settings.id)
    run(SchedulerAgent(settings, site.data, session, inbox, clock), clock)
