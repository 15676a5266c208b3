"""Tells the house and Home Assistant that an agent is there, and how it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from agents.discovery.common import with_diagnostics
from agents.runtime.announcer import Announcer, file_of
from agents.runtime.board import Thermometer
from agents.runtime.clock import Now
from agents.runtime.events import Subscription
from agents.runtime.health import Report, Reporter
from agents.runtime.session import Session
from agents.wire.messages import Availability
from agents.wire.topics import BIRTH, HEALTH

if TYPE_CHECKING:
    from agents.runtime.agent import Agent

BIRTHS_APART_S = 5.0  # however often somebody says that Home Assistant was born
REVIEW_S = 0.1  # how often an agent that is kept busy is asked how it is
CLOCK = "the clock is not synchronised: this computer does not know what time it is"


def births(session: Session, agent: tuple[str, str]) -> Sequence[Subscription]:
    """How an agent hears that Home Assistant has started; not who never told it anything."""
    tells = session.site.home.form != "off" or file_of(session.site, agent).exists()
    return (Subscription(BIRTH, (), latest=True),) if tells else ()


class Herald:
    def __init__(self, agent: Agent, now: Now) -> None:
        self._agent = agent
        thermometer = Thermometer()
        self._reporter = Reporter(now, thermometer)
        home = agent.session.site.home
        devices = with_diagnostics(agent.devices(), home, agent.kind, agent.name, thermometer.present)
        self._announcer = Announcer(agent.session, (agent.kind, agent.name), devices, agent.others, agent.log)
        self._announced: Availability | None = None
        self._review_at = now.mono
        self._birth_at: float | None = None
        self._last_birth_at = float("-inf")

    def connected(self, now: Now) -> None:
        """There is a new connection; perhaps nobody there has heard of this agent."""
        self._announcer.begin(now)
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._announced = None
        self._tell_availability()
        self._review_at = float("-inf")
        self._reporter.force()

    def heard_of_home_assistant(self, payload: bytes, now: Now) -> None:
        """When it was born it knows nothing; however often somebody says so, it is told no more than it can read."""
        if payload == Availability.ONLINE.encode():
            self._birth_at = max(now.mono, self._last_birth_at + BIRTHS_APART_S)

    def tell(self, now: Now) -> None:
        if self._birth_at is not None and now.mono >= self._birth_at:
            self._birth_at, self._last_birth_at = None, now.mono
            self._announcer.born(now)
            self._begin_anew()
            self._agent.publish_all(now)
        self._announcer.tick(now)
        self._tell_availability()
        if now.mono >= self._review_at:
            self._review_at = now.mono + REVIEW_S
            self._tell_health(now)

    def _tell_availability(self) -> None:
        available = self._agent.available()
        if available is not self._announced and self._agent.session.announce(available):
            self._announced = available

    def _tell_health(self, now: Now) -> None:
        health = self._reporter.health(self._report(now), now)
        if health is not None:
            self._agent.session.publish(HEALTH, self._agent.kind, self._agent.name, payload=health.encode())

    def _report(self, now: Now) -> Report:
        report = self._agent.report()
        problems = (report.problem, self._agent.session.problem, None if now.utc_is_set else CLOCK)
        return replace(report, problem="; ".join(filter(None, problems)) or None)
