"""What the journal is told: decisions, switches, the doors' events, and which agents come and go.

Events and availability come through a connection of their own, for which the broker keeps what was
not acknowledged. They are acknowledged when they are in the journal: a restart, at whatever moment,
loses none.
"""

from __future__ import annotations

import logging
from collections import defaultdict, deque
from collections.abc import Mapping
from pathlib import Path

from agents.runtime.clock import Now
from agents.runtime.events import Kept
from agents.runtime.flood import Flood
from agents.runtime.inbox import Fault, Inbox
from agents.runtime.session import Session
from agents.scheduler.flusher import Flusher
from agents.scheduler.journal import Journal, JournalError, Kind
from agents.wire.messages import Availability, BadMessage, DoorEvent, Outcome
from agents.wire.scheduling import Decision
from agents.wire.topics import EVENT
from agents.wire.why import Why

RETRY_S = 2.0
FLUSH_S = 1.0
DEAF_S = 20.0  # the second connection is missed when it is away for longer than the first is there
AgentName = tuple[str, str]  # kind and id


class JournalInbox(Inbox):
    """Passes messages on to the agent's inbox. Of this connection's coming and going it need not hear."""

    def __init__(self, inbox: Inbox) -> None:
        super().__init__()
        self._agents_inbox = inbox

    def put(self, event: object) -> None:
        if isinstance(event, Kept | Fault):
            self._agents_inbox.put(event)


class Recorder:
    """Keeps the journal. `session` is the connection that events come by. `problem` is None when all is well.

    Never raises because the disk fails: who asks is told that it was not written.
    """

    def __init__(self, path: Path, session: Session, log: logging.Logger) -> None:
        self._path, self._session, self._log = path, session, log
        self._journal: Journal | None = None
        self._flusher: Flusher | None = None
        self._flushed = 0  # records
        self._unwritten: deque[Kept] = deque()  # few: the broker sends no more before they are acknowledged
        self._states: dict[AgentName, str] = {}  # agent: as last recorded
        self._floods: defaultdict[AgentName, Flood] = defaultdict(Flood)  # of agents that come and go
        self._late: dict[AgentName, str] = {}  # agent: its state, which is recorded when the flood is over
        self._gaps: dict[str, int] = {}  # door: the event after the gap told last
        self._retry_at = self._flush_at = self._heard_at = float("-inf")
        self._trouble: str | None = None
        self._deaf = False
        self.records = 0

    @property
    def problem(self) -> str | None:
        if self._trouble is not None:
            return f"{self._trouble}; nobody is let in by face until it can be written"
        return "the doors' events do not arrive: the broker refuses the user journal" if self._deaf else None

    def start(self) -> None:
        self._open()

    def decision(self, decision: Decision) -> bool:
        """Returns whether it is in the journal."""
        return self._write(Kind.DECISION, decision.decided_at, decision.model_dump(mode="json"))

    def switch(self, at: float, what: Mapping[str, object]) -> bool:
        return self._write(Kind.SWITCH, at, what)

    def heard(self, message: Kept, now: Now) -> None:
        """An event or an agent's availability."""
        if not any(_is_again(message, other) for other in self._unwritten):  # that connection was lost meanwhile
            self._unwritten.append(message)
        if self._trouble is None:  # else each would wait for whoever holds the file
            self._catch_up(now)

    def tick(self, now: Now, connected: bool) -> None:
        """Write what could not be written; have the rest made safe from a power cut."""
        if self._unwritten or self._trouble is not None:
            self._retry(now)
        for agent, state in list(self._late.items()):
            if self._floods[agent].admits(now) and self._note_state(agent, state, now):
                del self._late[agent]
        if now.mono >= self._flush_at and self._flusher is not None:
            self._flush_at = now.mono + FLUSH_S
            self._flush(self._flusher)
        if self._session.connected or not connected:
            self._heard_at = now.mono
        self._deaf = now.mono - self._heard_at > DEAF_S

    def close(self) -> None:
        journal, self._journal = self._journal, None
        try:
            if self._flusher is not None:
                self._flusher.close()
            if journal is not None:
                journal.close()
        except JournalError as error:
            self._fail(error)

    def _retry(self, now: Now) -> None:
        if now.mono >= self._retry_at:
            self._retry_at = now.mono + RETRY_S
            if self._journal is None:
                self._open()
            self._catch_up(now)

    def _catch_up(self, now: Now) -> None:
        while self._unwritten and self._record(self._unwritten[0], now):
            self._session.acknowledge(self._unwritten.popleft())

    def _record(self, message: Kept, now: Now) -> bool:
        try:
            return self._event(message) if message.topic is EVENT else self._availability(message, now)
        except BadMessage as error:
            self._log.warning("refused a message on %s: %s", message.topic.at("…", *message.names), error)
            return True  # the broker need not keep what nobody can read

    def _event(self, message: Kept) -> bool:
        door, event = message.names[0], DoorEvent.decode(message.payload)
        return self._note_gap(door, event) and self._write(
            Kind.EVENT, event.at, {"door": door, **event.model_dump(mode="json")}
        )

    def _note_gap(self, door: str, event: DoorEvent) -> bool:
        """Numbers of events that never came. A door's file that was begun anew makes one, too."""
        if self._journal is None:
            return False
        try:
            last = self._journal.last_seq(door)
        except JournalError as error:
            return self._fail(error)
        if event.seq is None or last is None or event.seq <= last + 1 or self._gaps.get(door) == event.seq:
            return True
        if not self._write(Kind.GAP, event.at, {"door": door, "first": last + 1, "last": event.seq - 1}):
            return False
        self._gaps[door] = event.seq  # where the event itself can't be written now, the gap is told already
        return True

    def _availability(self, message: Kept, now: Now) -> bool:
        """Only changes are news: at every connect the broker tells how it stands."""
        kind, id_ = message.names
        agent, state = (kind, id_), message.payload.decode(errors="replace")
        if state not in set(Availability):
            return True
        if agent in self._late or (self._states.get(agent) != state and not self._floods[agent].admits(now)):
            self._late[agent] = state
            return True
        return self._note_state(agent, state, now)

    def _note_state(self, agent: AgentName, state: str, now: Now) -> bool:
        if self._states.get(agent) == state:
            return True
        if not self._write(Kind.AGENT, now.utc, {"agent": agent[0], "id": agent[1], "state": state}):
            return False
        self._states[agent] = state
        return True

    def _write(self, kind: Kind, at: float, body: Mapping[str, object]) -> bool:
        if self._journal is None:
            return False
        try:
            self._journal.append(kind, at, body)
        except JournalError as error:
            return self._fail(error)
        self._trouble = None
        self.records += 1
        return True

    def _open(self) -> None:
        try:
            self._journal = Journal(self._path)
            self._states = self._journal.last_states()
        except JournalError as error:
            self._fail(error)
        else:
            self._trouble = None
        if self._journal is not None:
            self._flusher = Flusher(self._path)

    def _flush(self, flusher: Flusher) -> None:
        if flusher.error is not None:
            self._fail(flusher.error)
        if self.records > self._flushed or flusher.error is not None:
            flusher.flush(self.records - self._flushed)
            self._flushed = self.records

    def _fail(self, error: JournalError) -> bool:
        if self._trouble is None:
            self._log.error("%s", error)
        self._trouble = str(error)
        return False


def _is_again(message: Kept, other: Kept) -> bool:
    return (message.mid, message.topic, message.names, message.payload) == (
        other.mid, other.topic, other.names, other.payload
    )  # fmt: skip


def unwritten(decision: Decision) -> Decision:
    """What becomes of a decision that could not be written into the journal."""
    if decision.outcome is Outcome.DENIED:
        return decision
    return decision.model_copy(update={"outcome": Outcome.DENIED, "reason": Why.NO_JOURNAL})
