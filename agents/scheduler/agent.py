"""The scheduler agent: identities in, decisions and grants out, one gate per door."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from agents.discovery.device import Device
from agents.runtime.agent import IDLE_S, Agent, HardwareError, open_session, run
from agents.runtime.clock import Clock, Now
from agents.runtime.events import Disconnected, Kept, Message, Subscription
from agents.runtime.flood import BURST, Flood
from agents.runtime.health import Latencies, Report
from agents.runtime.inbox import Inbox
from agents.runtime.session import Session
from agents.runtime.settings import Site
from agents.scheduler import discovery
from agents.scheduler.challenges import Asks
from agents.scheduler.chance import Secret
from agents.scheduler.config import JOURNAL_USER, SchedulerSettings
from agents.scheduler.core import Effect, Gate
from agents.scheduler.holiday_calendar import CalendarError, HolidayCalendar
from agents.scheduler.journal import FILE
from agents.scheduler.pictures import pictures_of
from agents.scheduler.recorder import JournalInbox, Recorder, unwritten
from agents.scheduler.rules import Rules
from agents.scheduler.snapshots import Snapshots
from agents.scheduler.switchboard import Switchboard
from agents.wire.identity import Identity
from agents.wire.liveness import Challenge
from agents.wire.messages import Availability, BadMessage, Grant, Refusal, Switch, read_session
from agents.wire.scheduling import Answer, Decision, Question
from agents.wire.topics import (
    ANSWER,
    AVAILABILITY,
    AWAY_SET,
    CHALLENGE,
    DECISION,
    ENABLED_SET,
    EVENT,
    GRANT,
    IDENTITY,
    LAST,
    LET_IN_SET,
    QUESTION,
    SESSION,
    SNAPSHOT,
    WINDOW,
)
from agents.wire.why import Why

EVENTS_KEPT_S = 86_400  # how long the broker keeps the doors' events while the scheduler is away
TICK_S = 0.1


class SchedulerAgent(Agent):
    """`ears` is the connection by which the journal hears; `rules` say who may come in."""

    def __init__(
        self, settings: SchedulerSettings, rules: Rules, data: Path, session: Session, ears: Session, inbox: Inbox,
        clock: Clock,
    ) -> None:  # fmt: skip
        super().__init__("scheduler", settings.id, session, inbox)
        self._settings, self._clock, self._ears = settings, clock, ears
        asks = Asks(Secret(), settings.challenge_texts)
        self._gates = {door: Gate(door, policy, rules, asks) for door, policy in settings.doors.items()}
        self._doors_of: dict[str, list[str]] = {}
        for door, policy in settings.doors.items():
            for camera in policy.cameras:
                self._doors_of.setdefault(camera, []).append(door)
        self._recorder = Recorder(data / FILE, ears, self.log)
        self._board = Switchboard(settings, data, session, self._recorder, self.log)
        self._snapshots = Snapshots(session, pictures_of(settings.journal, data), self.log)
        self._nonces: dict[str, str] = {}
        self._online: dict[str, bool] = {}
        self._windows: dict[str, tuple[int, bool]] = {}
        self._last: dict[str, Decision] = {}
        self._tick_at = float("-inf")
        self._counters: Counter[str] = Counter(identities=0, granted=0, denied=0, refused=0, spoofs=0, challenges=0)
        self._latencies = Latencies()
        self._floods: defaultdict[str, Flood] = defaultdict(Flood)  # of people's orders, by topic

    def subscriptions(self) -> Sequence[Subscription]:
        found = [Subscription(IDENTITY, (camera,)) for camera in sorted(self._doors_of)]
        if self._settings.wants_snapshots:
            found += [Subscription(SNAPSHOT, (camera,), latest=True) for camera in sorted(self._doors_of)]
        for door in self._gates:
            found += [
                Subscription(SESSION, (door,)),
                Subscription(AVAILABILITY, ("door", door)),
                Subscription(ENABLED_SET, (door,)),
                Subscription(LET_IN_SET, (door,)),
                Subscription(ANSWER, (door,)),
            ]
        return [*found, Subscription(AWAY_SET, (self.name,))]

    def start(self) -> None:
        self._recorder.start()
        self._board.start()
        self._apply_switches()
        self._ears.start()

    def devices(self) -> Sequence[Device]:
        return discovery.devices(self._settings, self.session.site.home)

    def on_connect(self, now: Now) -> None:
        self._forget_doors()  # what they keep retained will arrive anew

    def publish_all(self, now: Now) -> None:
        self._windows.clear()
        self._tick_at = now.mono
        self._board.publish_all()
        for decision in self._last.values():
            self._publish_last(decision)

    def on_event(self, event: object, now: Now) -> None:
        if isinstance(event, Kept):
            self._recorder.heard(event, now)
        elif isinstance(event, Disconnected):
            self._forget_doors()
        elif isinstance(event, Message):
            self._receive(event, now)

    def on_tick(self, now: Now) -> float:
        if now.mono >= self._tick_at:
            busy = any(gate.busy for gate in self._gates.values())
            self._tick_at = now.mono + (TICK_S if busy else IDLE_S)
            self._do_what_is_due(now)
        return self._tick_at - now.mono

    def report(self) -> Report:
        gates = self._gates.values()
        counters = dict(self._counters)
        counters["stale"] = sum(gate.frames.stale for gate in gates)
        counters["repeated"] = sum(gate.frames.repeated for gate in gates)
        counters["dropped"] = self.inbox.dropped
        counters["records"] = self._recorder.records
        clocks = sorted({text for gate in gates for text in gate.frames.disagreements})
        problems = [self._board.problem, self._recorder.problem, self._snapshots.problem, *clocks]
        problems.append(self._settings.liveness_problem)
        return Report("; ".join(filter(None, problems)) or None, counters, self._latencies)

    def close(self) -> None:
        """A grant that is out expires by itself."""
        now = self._clock.now()
        for door, gate in self._gates.items():
            self._carry_out(door, gate.stop(now), now)
        self._ears.close()
        self._recorder.close()

    def _do_what_is_due(self, now: Now) -> None:
        for door, gate in self._gates.items():
            self._carry_out(door, gate.tick(now), now)
            self._publish_window(door, gate, now)
        for topic, flood in self._floods.items():
            if count := flood.unanswered(now):
                self.log.warning("refused %d messages on %s: more than %d at once", count, topic, BURST)
        self._board.tick(now)
        self._apply_switches()
        self._snapshots.tick(now)
        self._recorder.tick(now, self.session.connected)

    def _publish_window(self, door: str, gate: Gate, now: Now) -> None:
        """Windows open and close by the minute; and a clock may be set in between."""
        minute, was_open = self._windows.get(door, (-1, None))
        if minute == (this := int(now.utc // 60) * 2 + now.utc_is_set) or not self.session.connected:
            return
        is_open = gate.open_now(now)
        self._windows[door] = this, is_open
        if is_open is not was_open:
            self.session.publish(WINDOW, door, payload=Switch.of(is_open))

    def _receive(self, message: Message, now: Now) -> None:
        if self._is_flood(message, now):
            self._counters["refused"] += 1
            return
        try:
            self._obey(message, now)
        except BadMessage as error:
            self._counters["refused"] += 1
            self.log.warning("refused a message on %s: %s", message.topic.at("…", *message.names), error)

    def _is_flood(self, message: Message, now: Now) -> bool:
        """Whether it is one order too many. What switches something off is obeyed all the same."""
        if message.topic.writer != "people":
            return False
        flood = self._floods[message.topic.at("…", *message.names)]
        return not flood.admits(now) and not self._board.makes_safer(message)

    def _obey(self, message: Message, now: Now) -> None:
        """Raises BadMessage."""
        name = message.names[0]
        if message.topic is IDENTITY:
            self._identity(message, now)
        elif message.topic is SNAPSHOT:
            self._snapshots.arrived(message, now)
        elif message.topic is SESSION:
            self._nonces[name] = read_session(message.payload)
            self._follow_door(name)
        elif message.topic is AVAILABILITY:
            self._online[message.names[1]] = message.payload == Availability.ONLINE.encode()
            self._follow_door(message.names[1])
        elif message.topic is ANSWER:
            self._answer(name, message, now)
        else:
            self._board.obey(message, now)
            self._apply_switches()

    def _apply_switches(self) -> None:
        for gate in self._gates.values():
            gate.standing = self._board.standing

    def _forget_doors(self) -> None:
        self._nonces.clear()
        self._online.clear()
        for door in self._gates:
            self._follow_door(door)

    def _follow_door(self, door: str) -> None:
        self._gates[door].session = self._nonces.get(door) if self._online.get(door) else None

    def _identity(self, message: Message, now: Now) -> None:
        identity = Identity.decode(message.payload)
        if message.retain or identity.camera != message.names[0]:
            raise BadMessage(Refusal.RETAINED, "it is retained, or of another camera")
        self._counters["identities"] += 1
        for door in self._doors_of[identity.camera]:
            self._carry_out(door, self._gates[door].seen(identity, now), now)
        if identity.faces:
            self._tick_at = min(self._tick_at, now.mono + TICK_S)

    def _answer(self, door: str, message: Message, now: Now) -> None:
        if message.retain:
            raise BadMessage(Refusal.RETAINED, "a retained answer would be given again at every start")
        answer = Answer.read(message.payload)
        effects = self._gates[door].answer(answer, now)
        what = {"what": "answer", "door": door, "state": answer.answer, "source": answer.source}
        self._recorder.switch(now.utc, what)
        self._carry_out(door, effects, now)

    def _carry_out(self, door: str, effects: Sequence[Effect], now: Now) -> None:
        """A decision is in the journal before anything comes of it: no grant that nobody can read of."""
        written, last = True, self._last.get(door)
        for effect in effects:
            if isinstance(effect, Decision):
                written = self._recorder.decision(effect)
                self._tell(effect if written else unwritten(effect), now)
            elif isinstance(effect, Question):
                self.session.publish(QUESTION, door, payload=effect.encode())
                self._snapshots.wanted(effect, effect.asked_at, now)
            elif isinstance(effect, Challenge):
                self._challenge(effect)
            elif written:
                self._send(door, effect)
        if self._last.get(door) is not last:  # for dashboards, when nobody waits at the door any more
            self._publish_last(self._last[door])

    def _challenge(self, challenge: Challenge) -> None:
        self._counters["challenges"] += 1
        self.log.info("door %s: %s is asked: %s", challenge.door, challenge.person, challenge.action)
        self.session.publish(CHALLENGE, challenge.door, payload=challenge.encode())

    def _send(self, door: str, grant: Grant) -> None:
        if not self.session.publish(GRANT, door, payload=grant.encode()):
            self.log.warning("door %s: a grant for %s could not be sent: no broker", door, grant.person)

    def _tell(self, decision: Decision, now: Now) -> None:
        self._counters[decision.outcome] += 1
        self._counters["spoofs"] += decision.reason is Why.SPOOF
        self._latencies.add(self._clock.now().utc - decision.captured_at)
        who = decision.person or "somebody"
        self.log.info("door %s: %s %s: %s (%s)", decision.door, decision.outcome, who, decision.reason, decision.id)
        self.session.publish(DECISION, decision.door, payload=decision.encode())
        self._last[decision.door] = decision
        self._snapshots.wanted(decision, decision.began_at, now)

    def _publish_last(self, decision: Decision) -> None:
        self.session.publish(LAST, decision.door, payload=decision.encode())


def main(
    settings: SchedulerSettings, agents: Sequence[tuple[str, str]], site: Site, others: Mapping[str, Sequence[Device]]
) -> None:
    """Run the scheduler of a house with these `agents` (kind, id) until it is told to stop. The `others`
    are what Home Assistant is told by them, by the first node of each.

    Raises HardwareError where the holidays are not known.
    """
    try:
        rules = Rules(settings, HolidayCalendar(settings.holidays))
    except CalendarError as error:
        raise HardwareError(f"scheduler.holidays: {error}") from None
    session, inbox, clock = open_session(site, "scheduler", settings.id)
    ears = Session(site, JOURNAL_USER, JournalInbox(inbox), clock, lasting_s=EVENTS_KEPT_S)
    events = [Subscription(EVENT, (door,)) for door in settings.doors]
    ears.subscribe([*events, *(Subscription(AVAILABILITY, agent) for agent in agents)])
    agent = SchedulerAgent(settings, rules, site.data, session, ears, inbox, clock)
    agent.others = others
    run(agent, clock)
