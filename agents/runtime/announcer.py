"""Makes an agent known to Home Assistant, and takes back what is no longer true.

What was announced is remembered in a file: a restart with another form, another prefix, or without a
contact leaves no ghost. The scheduler also remembers what the other agents announce, and takes it back
when one of them is in the house's file no more: that one can't do so itself. An empty message is not kept by
the broker, and Home Assistant may have been away: what was withdrawn is so once more at its next birth.
"""

from __future__ import annotations

import json
import logging
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

from agents.discovery import announced
from agents.discovery.announced import Announced
from agents.discovery.device import Announcement, Device, announcements
from agents.runtime import atomic
from agents.runtime.clock import Now
from agents.runtime.session import Session
from agents.runtime.settings import Site

AT_ONCE = 100  # messages in one turn of the agent
SETTLE_S = 2.0  # Home Assistant takes its time to remove an entity, and would not take the same one anew meanwhile


class Announcer:
    """Of the agent (kind, id) with these `devices`. `others` are those of the other agents, for who watches
    over them, by the first node of each.

    Call `begin` when there is somebody to tell, and `tick` often while there is a broker.
    """

    def __init__(
        self,
        session: Session,
        agent: tuple[str, str],
        devices: Sequence[Device],
        others: Mapping[str, Sequence[Device]],
        log: logging.Logger,
    ) -> None:
        self._session, self._devices, self._others, self._log = session, devices, others, log
        self._form = session.site.home.form
        self._own = {session.site.home.node(*agent): devices}
        self._file = file_of(session.site, agent)
        self._remembered, self._withdrawn = self._load()
        self._due_at: float | None = None
        self._pending: deque[Announcement] = deque()

    def begin(self, now: Now) -> None:
        self._due_at = now.mono

    def born(self, now: Now) -> None:
        """Home Assistant hears from now on. What it may not have heard is said again, and then forgotten."""
        for topic in self._withdrawn:
            self._session.withdraw(topic)
        self._due_at = now.mono + (SETTLE_S if self._withdrawn else 0.0)
        self._remember(self._remembered, [])

    def tick(self, now: Now) -> None:
        if self._due_at is not None and now.mono >= self._due_at:
            withdrawn = self._withdraw()
            self._due_at = now.mono + SETTLE_S if withdrawn else None
            self._pending = deque(() if withdrawn else announcements(self._devices, self._form))
        self._tell_some()

    def _tell_some(self) -> None:
        """Of hundreds of doors not all at once: the line is for other things, too."""
        for _ in range(min(AT_ONCE, len(self._pending))):
            full = announced.with_farewells(self._pending[0], self._at(self._pending[0]), self._remembered)
            if self._session.publish(full.topic, *full.names, payload=full.payload) is None:
                return  # there is no room just now
            self._pending.popleft()
            if not self._pending:
                now = self._now({**self._others, **self._own})
                told = {topic for topics in now.values() for topic in topics}
                self._remember(now, [topic for topic in self._withdrawn if topic not in told])

    def _withdraw(self) -> bool:
        """Returns whether there was anything to take back."""
        gone = list(announced.gone(self._remembered, self._now(self._own), self._others))
        for topic in gone:
            self._log.info("withdrawn from Home Assistant: %s", topic)
            self._session.withdraw(topic)
        if gone:
            self._remember(announced.kept(self._remembered, gone), [*self._withdrawn, *gone])
        return bool(gone)

    def _now(self, told: Mapping[str, Sequence[Device]]) -> Announced:
        return announced.now(told, self._form, self._at)

    def _at(self, announcement: Announcement) -> str:
        return announcement.topic.at(self._session.site.root(announcement.topic), *announcement.names)

    def _load(self) -> tuple[Announced, list[str]]:
        """Nothing where there is no file, or one that can't be read: then a ghost may stay, and no more."""
        try:
            found = json.loads(self._file.read_bytes())
            told = found["announced"].items()
            announced = {str(who): {str(at): dict(parts) for at, parts in topics.items()} for who, topics in told}
            return announced, [str(topic) for topic in found["withdrawn"]]
        except FileNotFoundError:
            return {}, []
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            self._log.warning("%s can't be read, and is made anew: %s", self._file, error)
            return {}, []

    def _remember(self, what: Announced, withdrawn: list[str]) -> None:
        if (what, withdrawn) == (self._remembered, self._withdrawn):
            return
        self._remembered, self._withdrawn = what, withdrawn
        try:
            atomic.write(self._file, json.dumps({"announced": what, "withdrawn": withdrawn}, indent=1).encode())
        except OSError as error:
            self._log.warning("%s can't be written: %s", self._file, error)


def file_of(site: Site, agent: tuple[str, str]) -> Path:
    """Where an agent remembers what it told."""
    return site.data / f"announced-{_memory(agent)}.json"


def _memory(agent: tuple[str, str]) -> str:
    """There is one recognizer and one scheduler: under another id they find what they told before."""
    kind, id_ = agent
    return kind if kind in ("recognizer", "scheduler") else f"{kind}-{id_}"
