"""The house's messages in plain words, one line an event. Pure: messages in, lines out."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator

from agents.cli.words import LEAF, WORDS, explained
from agents.runtime.events import Message
from agents.wire.identity import Face, Identity
from agents.wire.liveness import Challenge
from agents.wire.messages import Action, Availability, BadMessage, Cause, DoorEvent, EventType, Health, Outcome
from agents.wire.orders import HoldOrder, plain_number
from agents.wire.scheduling import Decision, LetInList, Question
from agents.wire.topics import (
    AVAILABILITY,
    AWAY,
    CHALLENGE,
    DECISION,
    ENABLED,
    EVENT,
    HEALTH,
    HOLD,
    IDENTITY,
    LET_IN,
    QUESTION,
    WINDOW,
)

REMEMBERED_DECISIONS = REMEMBERED_EVENTS = 100
AGREEING_FRAMES = 2  # a single frame may misjudge; what two in a row show is told


class Narrator:
    """Keeps what it needs to tell a message's part in the story: who is in view, which decision."""

    def __init__(self) -> None:
        self._views: dict[str, tuple[tuple[str, ...], int]] = {}
        self._told: dict[str, tuple[str, ...]] = {}
        self._decisions: OrderedDict[str, Decision] = OrderedDict()
        self._events: deque[DoorEvent] = deque(maxlen=REMEMBERED_EVENTS)
        self._unlocked_at: dict[str, float] = {}
        self._states: dict[tuple[str, ...], str] = {}

    def lines(self, message: Message) -> Iterator[str]:
        """What to print for one message: nothing, or a line."""
        try:
            line = self._line(message)
        except BadMessage as error:
            line = f"{message.topic.at('…', *message.names)} carries something unreadable: {error}"
        if line:
            yield line

    def _line(self, message: Message) -> str | None:
        name = message.names[0]
        if message.topic is IDENTITY:
            return self._identity(Identity.decode(message.payload))
        if message.topic is DECISION:
            return self._decision(Decision.decode(message.payload))
        if message.topic is EVENT:
            return self._event(name, DoorEvent.decode(message.payload))
        if message.topic is QUESTION:
            question = Question.decode(message.payload)
            return f"ASKED: may {question.person} come in at door {name}? (answer YES or NO)"
        if message.topic is CHALLENGE:
            challenge = Challenge.decode(message.payload)
            return f"ASKED: {challenge.person} at door {name}: {challenge.text}"
        return self._standing(message)

    def _identity(self, identity: Identity) -> str | None:
        """Who is in view, told when two frames in a row agree on something new."""
        view = tuple(sorted(face.person or "a stranger" for face in identity.faces))
        before, frames = self._views.get(identity.camera, ((), 0))
        frames = frames + 1 if view == before else 1
        self._views[identity.camera] = view, frames
        if frames != AGREEING_FRAMES or view == self._told.get(identity.camera, ()):
            return None
        self._told[identity.camera] = view
        return f"camera {identity.camera} sees " + (" and ".join(map(_face, identity.faces)) or "nobody any more")

    def _decision(self, decision: Decision) -> str:
        self._decisions[decision.id] = decision
        if len(self._decisions) > REMEMBERED_DECISIONS:
            self._decisions.popitem(last=False)
        who = decision.person or "a stranger"
        at = f" at distance {decision.distance:.2f}" if decision.distance is not None else ""
        outcome = "GRANTED" if decision.outcome is Outcome.GRANTED else "DENIED"
        more = "".join(f" ({text})" for text in (decision.rule, explained(decision.reason, decision.detail)) if text)
        return f"{outcome}: door {decision.door}, {who}{at}: {WORDS[decision.reason]}{more}"

    def _event(self, door: str, event: DoorEvent) -> str | None:
        """A door that was restarted tells again what it does not know to have arrived."""
        if event.seq is not None and event in self._events:
            return None
        self._events.append(event)
        if event.event_type is EventType.UNLOCKED:
            self._unlocked_at[door] = event.at
            return f"RELAY ON: door {door} is unlocked {_by(event)}{self._latency(event)}"
        if event.event_type is EventType.LOCKED:
            since = self._unlocked_at.pop(door, None)
            after = f" after {event.at - since:.1f} s" if since is not None else ""
            return f"RELAY OFF: door {door} is locked{after}{_by_hand(event)}"
        if event.event_type is EventType.EXTENDED:
            longer = "" if event.action is Action.TEST else " a little longer"
            return f"door {door} stays unlocked{longer} {_by(event)}"
        if event.event_type is EventType.JAMMED:
            return f"door {door} is JAMMED: {event.detail}"
        if event.event_type in LEAF:
            return f"door {door} {LEAF[event.event_type]}"
        detail = f" ({event.detail})" if event.detail else ""
        return f"REFUSED: door {door} does not obey a {event.cause}: {event.reason}{detail}"

    def _latency(self, event: DoorEvent) -> str:
        decision = self._decisions.get(event.id or "")
        if decision is None:
            return ""
        first_ms, last_ms = ((event.at - at) * 1000 for at in (decision.began_at, decision.captured_at))
        return f", {first_ms:.0f} ms after the first frame with a face ({last_ms:.0f} ms after the deciding one)"

    def _standing(self, message: Message) -> str | None:
        """Retained topics: told only when they change."""
        tell = _STANDING.get(message.topic.path)
        state = tell(message) if tell else ""
        key = (message.topic.path, *message.names)
        before = self._states.get(key, "")
        self._states[key] = state
        return state if state != before else None


def _face(face: Face) -> str:
    return (face.person or "a stranger") + (f" ({face.distance:.2f})" if face.distance is not None else "")


def _by(event: DoorEvent) -> str:
    if event.cause is Cause.GRANT:
        return f"for {event.person}"
    if event.cause is Cause.BUTTON:
        return "by the exit button"
    test = "for a test pulse " if event.action is Action.TEST else ""
    return f"{test}by {event.source or 'a command over MQTT'}"


def _by_hand(event: DoorEvent) -> str:
    return "" if event.cause is Cause.TIMEOUT else f" ({event.cause})"


def _availability(message: Message) -> str:
    here = message.payload == Availability.ONLINE.encode()
    return f"{message.names[0]} {message.names[1]} is {'online' if here else 'offline'}"


def _health(message: Message) -> str:
    """Only a problem is worth a line."""
    problem = Health.decode(message.payload).problem
    return f"{message.names[0]} {message.names[1]} has a problem: {problem}" if problem else ""


def _window(message: Message) -> str:
    return f"door {message.names[0]}: {'some window is open' if message.payload == b'ON' else 'no window is open'} now"


def _enabled(message: Message) -> str:
    return f"face unlock of door {message.names[0]}: {'on' if message.payload == b'ON' else 'OFF'}"


def _away(message: Message) -> str:
    """Being there is not worth a line, coming back is."""
    return "the house is AWAY: no face opens a door" if message.payload == b"ON" else ""


def _let_in(message: Message) -> str:
    people = LetInList.decode(message.payload).people
    return f"door {message.names[0]} lets in for once: {', '.join(one.person for one in people)}" if people else ""


def _hold(message: Message) -> str:
    return f"door {message.names[0]}: an unlock lasts {plain_number(HoldOrder.read(message.payload).hold_s)[:20]} s"


_STANDING = {
    HOLD.path: _hold,
    AWAY.path: _away,
    LET_IN.path: _let_in,
    AVAILABILITY.path: _availability,
    HEALTH.path: _health,
    WINDOW.path: _window,
    ENABLED.path: _enabled,
}
