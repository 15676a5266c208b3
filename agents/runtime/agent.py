"""The shape of every agent, and the loop that runs one."""

from __future__ import annotations

import abc
import contextlib
import logging
import signal
from collections.abc import Sequence
from dataclasses import replace
from types import FrameType

from agents.runtime.clock import Clock, Now
from agents.runtime.events import Connected, Subscription
from agents.runtime.health import Report, Reporter
from agents.runtime.inbox import Fault, Inbox, Stop
from agents.runtime.session import Session
from agents.runtime.settings import Site
from agents.runtime.watchdog import Watchdog
from agents.wire.messages import Availability
from agents.wire.topics import HEALTH

IDLE_S = 1.0  # the longest an agent goes without a tick
REVIEW_S = 0.1  # how often an agent that is kept busy is asked how it is
STALL_S = 3.0  # an agent that took no turn for so long has stood still: suspended, or stuck in a call


class HardwareError(Exception):
    """Something the agent can't do without is not there; its text says what, for people."""


class Agent(abc.ABC):
    """Connects a pure core to MQTT and hardware. All methods are called by the main thread."""

    def __init__(self, kind: str, name: str, session: Session, inbox: Inbox) -> None:
        self.kind, self.name, self.session, self.inbox = kind, name, session, inbox
        self.log = logging.getLogger(f"{kind}/{name}")

    @abc.abstractmethod
    def subscriptions(self) -> Sequence[Subscription]:
        """What this agent listens to."""

    def start(self) -> None:  # noqa: B027 - many agents have nothing to do here
        """Take hold of the hardware. An error here ends the agent."""

    @abc.abstractmethod
    def on_connect(self, now: Now) -> None:
        """The broker is there: publish all retained state anew."""

    @abc.abstractmethod
    def on_event(self, event: object, now: Now) -> None:
        """A message, the loss of the broker, or an event of the agent's own hardware."""

    def on_stall(self, stood_s: float, now: Now) -> None:
        """The agent took no turn for `stood_s`: what comes next may have waited as long."""
        self.log.warning("stood still for %.1f s", stood_s)

    def on_tick(self, now: Now) -> float:
        """Do what is due. Returns the seconds until something will be due next."""
        return IDLE_S

    def report(self) -> Report:
        return Report()

    def available(self) -> Availability:
        """What the availability topic says while the agent runs."""
        return Availability.ONLINE

    @abc.abstractmethod
    def close(self) -> None:
        """Let go of the hardware. Called exactly once, whatever happened before."""


def run(agent: Agent, clock: Clock) -> None:
    """Run until SIGTERM, SIGINT or an error; the agent lets go of its hardware first, in any case."""
    with contextlib.ExitStack() as stack:
        watchdog = stack.enter_context(contextlib.closing(Watchdog(agent.log)))
        _stop_on_signals(agent.inbox, stack)
        stack.callback(agent.session.close)
        stack.callback(agent.close)
        agent.start()
        agent.session.subscribe(agent.subscriptions())
        agent.session.start()
        watchdog.ready()
        _loop(agent, clock, watchdog)


def _loop(agent: Agent, clock: Clock, watchdog: Watchdog) -> None:
    herald = _Herald(agent, clock.now())
    wait_s, turn_at = 0.0, clock.now().mono
    while True:
        event = agent.inbox.get(wait_s)
        now = clock.now()
        if now.mono - turn_at > STALL_S:
            agent.on_stall(now.mono - turn_at, now)
        turn_at = now.mono
        watchdog.pet(now.mono)
        if isinstance(event, Stop):
            agent.log.info("stopping: %s", event.reason)
            watchdog.stopping(event.reason)
            return
        _handle(agent, event, herald, now)
        wait_s = min(IDLE_S, agent.on_tick(now))
        if agent.session.connected:
            herald.tell(now)


def _handle(agent: Agent, event: object | None, herald: _Herald, now: Now) -> None:
    if isinstance(event, Fault):
        raise event.error
    if not isinstance(event, Connected):
        if event is not None:
            agent.on_event(event, now)
    elif event.number > agent.session.dropped:
        herald.begin_anew()
        agent.on_connect(now)


class _Herald:
    """Tells on MQTT that an agent is there, and how it is."""

    def __init__(self, agent: Agent, now: Now) -> None:
        self._agent = agent
        self._reporter = Reporter(now)
        self._announced: Availability | None = None
        self._review_at = now.mono

    def begin_anew(self) -> None:
        """There is a new connection; perhaps nobody there has heard of this agent."""
        self._announced = None
        self._review_at = float("-inf")
        self._reporter.force()

    def tell(self, now: Now) -> None:
        available = self._agent.available()
        if available is not self._announced and self._agent.session.announce(available):
            self._announced = available
        if now.mono < self._review_at:
            return
        self._review_at = now.mono + REVIEW_S
        report = self._agent.report()
        report = replace(report, problem=report.problem or self._agent.session.problem)
        health = self._reporter.health(report, now)
        if health is not None:
            self._agent.session.publish(HEALTH, self._agent.kind, self._agent.name, payload=health.encode())


def _stop_on_signals(inbox: Inbox, stack: contextlib.ExitStack) -> None:
    """SIGTERM would skip every `finally`; put it, and Ctrl-C, through the inbox instead."""

    def stop(number: int, _frame: FrameType | None) -> None:
        inbox.put(Stop(signal.Signals(number).name))

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        stack.callback(signal.signal, number, signal.signal(number, stop))


def open_session(site: Site, kind: str, name: str) -> tuple[Session, Inbox, Clock]:
    """What every agent is made with: its connection, its inbox and the computer's clock."""
    inbox, clock = Inbox(), Clock(site.trusts_clock)
    return Session(site, (kind, name), inbox, clock), inbox, clock
