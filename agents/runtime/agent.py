"""The shape of every agent, and the loop that runs one."""

from __future__ import annotations

import abc
import contextlib
import logging
import signal
from collections.abc import Mapping, Sequence
from types import FrameType

from agents.discovery.device import Device
from agents.runtime.clock import Clock, Now
from agents.runtime.events import Connected, Message, Subscription
from agents.runtime.health import Report
from agents.runtime.herald import Herald, births
from agents.runtime.inbox import Fault, Inbox, Stop
from agents.runtime.session import Session
from agents.runtime.settings import Site
from agents.runtime.watchdog import Watchdog
from agents.wire.messages import Availability
from agents.wire.topics import BIRTH

IDLE_S = 1.0  # the longest an agent goes without a tick
STALL_S = 3.0  # an agent that took no turn for so long has stood still: suspended, or stuck in a call


class HardwareError(Exception):
    """Something the agent can't do without is not there; its text says what, for people."""


class Agent(abc.ABC):
    """Connects a pure core to MQTT and hardware. All methods are called by the main thread.

    `others` are the devices that the other agents tell Home Assistant of, by the first node of each, for
    who takes them back when such an agent is gone.
    """

    others: Mapping[str, Sequence[Device]] = {}

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
        """The broker is there; `publish_all` follows."""

    @abc.abstractmethod
    def on_event(self, event: object, now: Now) -> None:
        """A message, the loss of the broker, or an event of the agent's own hardware."""

    def devices(self) -> Sequence[Device]:
        """What Home Assistant is told of, this agent's own device first. How the agent is, is told by itself."""
        return ()

    def publish_all(self, now: Now) -> None:  # noqa: B027 - cameras retain nothing
        """Publish all retained state anew: there is a new connection, or Home Assistant has started."""

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
        agent.session.subscribe([*agent.subscriptions(), *births(agent.session, (agent.kind, agent.name))])
        agent.session.start()
        watchdog.ready()
        _loop(agent, clock, watchdog)


def _loop(agent: Agent, clock: Clock, watchdog: Watchdog) -> None:
    herald = Herald(agent, clock.now())
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


def _handle(agent: Agent, event: object | None, herald: Herald, now: Now) -> None:
    if isinstance(event, Fault):
        raise event.error
    if isinstance(event, Connected):
        if event.number > agent.session.dropped:
            agent.on_connect(now)
            herald.connected(now)  # before what waited is told: Home Assistant does not hear who is offline
            agent.publish_all(now)
    elif isinstance(event, Message) and event.topic is BIRTH:
        herald.heard_of_home_assistant(event.payload, now)
    elif event is not None:
        agent.on_event(event, now)


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
