"""A door agent with everything around it in the test's hands: the clock, the pins, the broker, the disk."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from gpiozero import InputDevice
from gpiozero.pins.mock import MockPin

from agents.door import pins
from agents.door.agent import DoorAgent
from agents.runtime.agent import run
from agents.runtime.clock import Now
from agents.runtime.events import Connected, Disconnected, Published, ReplyTo, Subscription
from agents.runtime.inbox import Inbox, Stop
from agents.runtime.spool import Spool
from agents.wire.messages import Availability, DoorEvent
from agents.wire.topics import COMMAND, CONTACT, EVENT, HOLD, REPLY, SESSION, STATE, Topic
from tests.door.orders import BUTTON, SETTLE_S, door_settings
from tests.door.orders import CONTACT as LEAF_CONTACT
from tests.fakes import T0, FakeClock, FakeSession, after, message

RELAY_PIN, BUTTON_PIN, LEAF_PIN = 17, 27, 22
TOO_MANY_TURNS = 10_000
Act = Callable[[], object]
Build = Callable[..., "House"]


def grant(session: str, **keys: object) -> str:
    return json.dumps({"id": "g1", "session": session, "person": "Ana", "expires_at": T0 + 5, **keys})


def fail(*_: object, **__: object) -> Any:
    raise OSError(5, "Input/output error")


class Wired(MockPin):  # type: ignore[misc]  # gpiozero is untyped
    """A pin with somebody at the other end of its wire, and a driver that may fail."""

    held: bool | None = None
    """The level at which the other end is held; its pull has no say then."""
    refuses: tuple[bool, ...] = ()
    """Levels that the driver fails to set."""
    reads: bool | None = None
    """What is read instead of the truth."""
    unreadable = False
    on_change: Callable[[bool], object] = staticmethod(lambda high: None)
    """Is called just before the level changes."""

    def hold(self, high: bool) -> None:
        self.held = high
        self.drive_high() if high else self.drive_low()

    def _set_pull(self, value: Any) -> None:
        super()._set_pull(value)
        if self.held is not None:
            self.hold(self.held)

    def _set_state(self, value: Any) -> None:
        if bool(value) in self.refuses:
            fail()
        super()._set_state(value)

    def _change_state(self, value: bool) -> bool:
        if value is not self._state:
            self.on_change(value)
        return bool(super()._change_state(value))

    def _get_state(self) -> bool:
        if self.unreadable:
            fail()
        return bool(self._state) if self.reads is None else self.reads


class HouseClock(FakeClock):
    """Time passes when somebody waits."""

    @property
    def s(self) -> float:
        """Since the beginning."""
        return self.at.mono - after(0).mono

    def pass_(self, s: float) -> None:
        self.at = Now(self.at.utc + s, self.at.mono + s, self.at.utc_is_set)


class PatientInbox(Inbox):
    """Waiting takes no time but the test's. Whenever somebody waits, the next of `acts` happens."""

    def __init__(self, clock: HouseClock) -> None:
        super().__init__()
        self._clock = clock
        self.acts: list[Act] = []

    def get(self, timeout_s: float) -> object | None:
        event = super().get(0)
        if event is None and timeout_s > 0 and self.acts:
            self.acts.pop(0)()
            event = super().get(0)
        elif event is None:
            self._clock.pass_(max(0.0, timeout_s))
        return event


class Wire(FakeSession):
    """Carries to a broker that acknowledges what has QoS 1, at once or when it is told to.

    It loses nothing: what is under way when the connection breaks is acknowledged after the next.
    """

    def __init__(self, inbox: Inbox) -> None:
        super().__init__()
        self.acknowledges = True
        self.diary: list[str] = []
        self.relay_is_on: Callable[[], bool] = lambda: False
        self.seen: list[tuple[Topic, str, bool]] = []
        self.under_way: list[int] = []
        self._inbox = inbox
        self._connections = 0

    def publish(
        self, topic: Topic, *names: str, payload: bytes | str, properties: tuple[tuple[str, str], ...] = ()
    ) -> int | None:
        mid = super().publish(topic, *names, payload=payload, properties=properties)
        if mid is not None and topic.qos:
            self.seen.append((topic, self.said[-1].text, self.relay_is_on()))
            self.under_way.append(mid)
            self.answer_all()
        return mid

    def answer(self, reply_to: ReplyTo, payload: bytes) -> int | None:
        self.seen.append((REPLY, payload.decode(), self.relay_is_on()))
        return super().answer(reply_to, payload)

    def subscribe(self, subscriptions: Sequence[Subscription]) -> None:
        self.diary.append("subscribe")

    def start(self) -> None:
        self.diary.append("start")
        self.connect()

    def connect(self) -> None:
        """The network thread does that, whatever the main thread is doing."""
        self.there = True
        self._connections += 1
        self._inbox.put(Connected(self._connections))
        self.answer_all()

    def lose(self) -> None:
        self.there = False
        self._inbox.put(Disconnected("gone"))

    def renew(self, reason: str) -> None:
        super().renew(reason)
        self.dropped = self._connections

    def announce(self, availability: Availability) -> bool:
        return True

    def close(self, timeout_s: float = 2.0) -> None:
        self.diary.append("close")

    def answer_all(self) -> None:
        """The broker answers, if it does so at the moment."""
        if self.there and self.acknowledges and self.follows_acknowledgements:
            for mid in self.under_way:
                self._inbox.put(Published(mid))
            self.under_way.clear()


class House:
    """The agent's life by hand: it turns as the main loop turns it."""

    def __init__(self, data: Path, **settings: Any) -> None:
        self.data = data
        self.clock = HouseClock()
        self.inbox = PatientInbox(self.clock)
        self.session = Wire(self.inbox)
        wanted = door_settings(**{"exit_button": BUTTON, "contact": LEAF_CONTACT, **settings})
        self.agent = DoorAgent("front", wanted, data, self.session, self.inbox, self.clock)
        self.session.relay_is_on = lambda: self.relay_is_on
        self.wait_s = 0.0
        pins.factory("mock").pin_class = Wired
        self.wire(LEAF_PIN).held = False  # closed

    # The agent's life

    def start(self) -> House:
        self.agent.start()
        return self

    def connect(self) -> None:
        self.session.connect()
        self.settle()

    def disconnect(self) -> None:
        self.session.lose()
        self.settle()

    def turn(self, event: object | None) -> None:
        now = self.clock.now()
        if isinstance(event, Connected):
            if event.number > self.session.dropped:
                self.agent.on_connect(now)
                self.agent.publish_all(now)
        elif event is not None:
            self.agent.on_event(event, now)
        self.wait_s = self.agent.on_tick(now)

    def settle(self) -> None:
        """Everything that waits in the inbox, and what follows from it."""
        self.turn(None)
        while (event := self.inbox.get(0)) is not None:
            self.turn(event)

    def until(self, s: float) -> None:
        """Turns until `s` seconds after the beginning, each when the agent wants it."""
        end = after(s).mono
        for _ in range(TOO_MANY_TURNS):
            event = self.inbox.get(min(self.wait_s, end - self.clock.at.mono))
            self.turn(event)
            if event is None and self.clock.at.mono >= end:
                return
        raise AssertionError("the agent turns and turns")

    def say(
        self, payload: bytes | str, topic: Topic = COMMAND, retain: bool = False, reply_to: ReplyTo | None = None
    ) -> None:
        """An order arrives, and waits in the inbox."""
        now = self.clock.at.utc
        self.inbox.put(message(topic, "front", payload=payload, retain=retain, received_at=now, reply_to=reply_to))

    def order(
        self, payload: bytes | str, topic: Topic = COMMAND, retain: bool = False, reply_to: ReplyTo | None = None
    ) -> None:
        self.say(payload, topic, retain, reply_to)
        self.settle()

    def press(self, hold_s: float = SETTLE_S) -> None:
        """The exit button, for `hold_s`."""
        self.wire(BUTTON_PIN).hold(False)
        self.until(self.clock.s + hold_s)
        self.wire(BUTTON_PIN).hold(True)
        self.settle()

    def swing(self, is_open: bool) -> None:
        """The leaf, and wait until its contact has settled."""
        self.wire(LEAF_PIN).hold(is_open)
        self.until(self.clock.s + SETTLE_S)

    def run(self, *acts: Act) -> None:
        """The real main loop. The acts happen one by one when it has nothing to do; then it is told to stop."""
        self.inbox.acts = [*acts, lambda: self.inbox.put(Stop("the test is over"))]
        run(self.agent, self.clock)

    def lose_edges(self) -> None:
        while self.inbox.get(0) is not None:
            pass

    # What becomes of it

    def wire(self, number: int) -> Any:
        """The other end of a pin's wire."""
        return pins.factory("mock").pin(number)

    @property
    def relay_is_on(self) -> bool:
        pin = self.wire(RELAY_PIN)
        return bool(pin.function == "output" and pin._state)

    @property
    def events(self) -> list[dict[str, Any]]:
        """What a reader of the event topic has read."""
        return [json.loads(text) for text in self.session.texts(EVENT)]

    @property
    def told(self) -> list[str]:
        return [event["event_type"] for event in self.events]

    @property
    def reasons(self) -> list[str | None]:
        return [event["reason"] for event in self.events]

    @property
    def answers(self) -> list[DoorEvent]:
        """What those who waited for an answer were told."""
        return [DoorEvent.decode(payload) for _, payload in self.session.answers]

    @property
    def states(self) -> list[str]:
        return self.session.texts(STATE)

    @property
    def leaf(self) -> list[str]:
        return self.session.texts(CONTACT)

    @property
    def holds(self) -> list[str]:
        return self.session.texts(HOLD)

    @property
    def words(self) -> list[str]:
        return self.session.texts(SESSION)

    @property
    def on_disk(self) -> list[dict[str, Any]]:
        """Everything that the journal keeps, the oldest first."""
        return [json.loads(payload) for payload in reversed(self.agent._outbox.recent(1000))]

    @property
    def problem(self) -> str:
        return self.agent.report().problem or ""

    def on_disk_of_another(self) -> list[bytes]:
        """The same, after the agent's end."""
        with contextlib.closing(Spool(self.data / "door-front.events")) as spool:
            return spool.recent(1000)

    def copy_disk(self, to: Path) -> Path:
        """The disk as the next run would find it, were this one killed now."""
        return Path(shutil.copytree(self.data, to))

    def has_let_go(self) -> bool:
        """Nothing is left on, and another process could have it all. Raises what that process would get."""
        relay = self.wire(RELAY_PIN)
        left = (relay.function, relay.pull, [self.wire(pin).when_changed for pin in (BUTTON_PIN, LEAF_PIN)])
        for pin in (RELAY_PIN, BUTTON_PIN, LEAF_PIN):
            InputDevice(pin, pin_factory=pins.factory("mock")).close()
        Spool(self.data / "door-front.events").close()
        return left == ("input", "down", [None, None])

    def pull_the_plug(self) -> None:
        """Let go of everything without a word. Of no effect on what the agent closed already."""
        for part in (self.agent._inputs, self.agent._relay, self.agent._outbox):
            with contextlib.suppress(Exception):
                if part is not None:
                    part.close()
        pins.factory.cache_clear()
