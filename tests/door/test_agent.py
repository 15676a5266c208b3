"""The door agent between a session in the test's hands and gpiozero's mock pins."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from agents.door.agent import RETRY_JAMMED_S, DoorAgent
from agents.door.config import DoorSettings, RelaySettings
from agents.door.relay import RelayError
from agents.runtime.inbox import Inbox
from agents.runtime.events import Disconnected
from agents.wire.topics import COMMAND, EVENT, GRANT, SESSION, STATE, Topic
from tests.fakes import T0, FakeClock, FakeSession, Said, after, message

SETTINGS = DoorSettings(relay=RelaySettings(pin=17, pin_factory="mock"))


class Watching(FakeSession):
    """Notes beside everything published whether the relay was on at that moment."""

    def __init__(self) -> None:
        super().__init__()
        self.relay_is_on: Callable[[], bool] = lambda: False
        self.seen: list[tuple[Said, bool]] = []

    def publish(
        self, topic: Topic, *names: str, payload: bytes | str, properties: tuple[tuple[str, str], ...] = ()
    ) -> bool:
        handed_on = super().publish(topic, *names, payload=payload, properties=properties)
        self.seen.append((self.said[-1], self.relay_is_on()))
        return handed_on


class House:
    """A door agent that was started and connected, and everything around it."""

    def __init__(self) -> None:
        self.session, self.clock = Watching(), FakeClock()
        self.agent = DoorAgent("front", SETTINGS, self.session, Inbox(), self.clock)
        self.agent.start()
        self.session.relay_is_on = lambda: self.relay_is_on
        self.connect()

    @property
    def output(self) -> Any:
        assert self.agent._relay is not None
        return self.agent._relay._output

    @property
    def relay_is_on(self) -> bool:
        return not self.output.closed and bool(self.output.pin.state)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(text) for text in self.session.texts(EVENT)]

    @property
    def told(self) -> list[str]:
        return [event["event_type"] for event in self.events]

    def connect(self) -> None:
        self.agent.on_connect(self.clock.now())
        self.tick()

    def tick(self) -> float:
        return self.agent.on_tick(self.clock.now())

    def wait(self, until_s: float) -> None:
        self.clock.at = after(until_s)
        self.tick()

    def order(self, topic: Topic, payload: bytes | str, retain: bool = False) -> None:
        self.agent.on_event(message(topic, "front", payload=payload, retain=retain), self.clock.now())
        self.tick()

    def break_relay(self, monkeypatch: pytest.MonkeyPatch, *ways: str) -> None:
        def fail(*_: object) -> None:
            raise OSError(5, "Input/output error")

        for way in ways:
            monkeypatch.setattr(self.output, way, fail)


@pytest.fixture
def house() -> Iterator[House]:
    made = House()
    yield made
    made.output.close()


def grant(session: str, **keys: object) -> str:
    return json.dumps({"id": "g1", "session": session, "person": "Ana", "expires_at": T0 + 5, **keys})


def test_it_hears_nothing_but_its_own_commands_and_grants(house: House) -> None:
    heard = {(s.topic.path, s.names) for s in house.agent.subscriptions()}
    assert heard == {(COMMAND.path, ("front",)), (GRANT.path, ("front",))}


def test_a_connection_publishes_a_session_and_that_the_door_is_locked(house: House) -> None:
    assert house.session.texts(STATE) == ["LOCKED"]
    assert len(house.session.texts(SESSION)) == 1


def test_a_broker_that_is_there_before_its_connection_is_heard_of_is_told_the_state_once() -> None:
    """paho's thread is connected a moment before the main thread takes that event."""
    session, clock = FakeSession(), FakeClock()
    agent = DoorAgent("front", SETTINGS, session, Inbox(), clock)
    agent.start()
    agent.on_tick(clock.now())
    agent.on_connect(clock.now())
    agent.on_tick(clock.now())
    assert session.texts(STATE) == ["LOCKED"]
    agent.close()


def test_the_relay_has_moved_before_anybody_is_told(house: House) -> None:
    house.order(COMMAND, "UNLOCK")
    house.wait(3.0)
    told = [(said.topic.path, said.text, on) for said, on in house.session.seen if said.topic is STATE]
    assert told == [(STATE.path, "LOCKED", False), (STATE.path, "UNLOCKED", True), (STATE.path, "LOCKED", False)]
    events = [(json.loads(said.text)["event_type"], on) for said, on in house.session.seen if said.topic is EVENT]
    assert events == [("unlocked", True), ("locked", False)]


def test_an_event_says_when_the_relay_had_switched(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    switch_on = house.output.on

    def slowly() -> None:
        switch_on()
        house.clock.at = after(0.25)

    monkeypatch.setattr(house.output, "on", slowly)
    house.order(COMMAND, "UNLOCK")
    assert house.events[0]["at"] == T0 + 0.25


def test_the_tick_says_how_long_the_pulse_still_lasts(house: House) -> None:
    house.order(COMMAND, "UNLOCK")
    house.clock.at = after(1.0)
    assert house.tick() == 2.0
    assert house.relay_is_on


def test_a_grant_opens_only_with_the_session_of_this_connection(house: House) -> None:
    (first,) = house.session.texts(SESSION)
    house.agent.on_event(Disconnected("gone"), house.clock.now())
    house.order(GRANT, grant(first))
    house.connect()
    house.order(GRANT, grant(first))
    assert [event["reason"] for event in house.events] == ["wrong_session", "wrong_session"]
    assert not house.relay_is_on
    house.order(GRANT, grant(house.session.texts(SESSION)[-1]))
    assert house.relay_is_on


def test_every_connection_has_a_new_session_nobody_can_guess(house: House) -> None:
    for _ in range(50):
        house.connect()
    nonces = house.session.texts(SESSION)
    assert len(set(nonces)) == 51
    assert min(map(len, nonces)) >= 16
    assert house.session.texts(STATE) == ["LOCKED"] * 51


def test_a_pulse_ends_in_time_while_the_broker_is_away(house: House) -> None:
    house.order(COMMAND, "UNLOCK")
    house.session.there = False
    house.agent.on_event(Disconnected("gone"), house.clock.now())
    house.wait(3.0)
    assert not house.relay_is_on
    house.session.there = True
    house.connect()
    assert house.session.texts(STATE)[-1] == "LOCKED"


def test_a_retained_unlock_is_refused_and_said_to_be(house: House) -> None:
    house.order(COMMAND, "UNLOCK", retain=True)
    assert [(event["event_type"], event["reason"]) for event in house.events] == [("rejected", "retained")]
    assert not house.relay_is_on


@pytest.mark.parametrize("payload", [b"\xff", b"", b"{", b"[" * 1000, b"x" * 100_000, b"null"])
def test_junk_is_answered_and_the_next_good_order_obeyed(payload: bytes, house: House) -> None:
    house.order(COMMAND, payload)
    house.order(GRANT, payload)
    assert house.told == ["rejected", "rejected"]
    house.order(COMMAND, "UNLOCK")
    assert house.relay_is_on


def test_a_relay_that_fails_jams_the_door_until_it_works(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        house.break_relay(broken, "on")
        house.order(COMMAND, "UNLOCK")
        assert house.told == ["jammed"]
        assert house.session.texts(STATE)[-1] == "JAMMED"
        assert "Input/output error" in (house.agent.report().problem or "")
    house.order(COMMAND, "UNLOCK")
    assert (house.events[-1]["event_type"], house.events[-1]["reason"]) == ("rejected", "jammed")
    assert not house.relay_is_on
    house.wait(RETRY_JAMMED_S)
    assert house.session.texts(STATE)[-1] == "LOCKED"
    assert house.agent.report().problem is None
    house.order(COMMAND, "UNLOCK")
    assert house.relay_is_on


def test_a_relay_that_reads_back_wrong_is_driven_off_at_once(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be on in truth: what fails is to read it."""
    monkeypatch.setattr(type(house.output), "value", property(lambda output: 0))
    house.order(COMMAND, "UNLOCK")
    assert house.told == ["jammed"]
    assert not house.relay_is_on


def test_a_relay_that_can_not_be_switched_off_is_jammed_and_tried_again_and_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.order(COMMAND, "UNLOCK")
    with monkeypatch.context() as broken:
        house.break_relay(broken, "off")
        house.wait(3.0)
        assert house.told == ["unlocked", "jammed"]
        house.wait(3.0 + RETRY_JAMMED_S)
        assert (house.relay_is_on, house.session.texts(STATE)[-1]) == (True, "JAMMED")
    house.wait(3.0 + 2 * RETRY_JAMMED_S)
    assert (house.relay_is_on, house.session.texts(STATE)[-1]) == (False, "LOCKED")


@pytest.mark.parametrize("there", [True, False])
def test_close_switches_off_also_without_a_broker(house: House, there: bool) -> None:
    house.order(COMMAND, "UNLOCK")
    house.session.there = there
    pin = house.output.pin
    house.agent.close()
    assert not pin.state
    assert house.output.closed
    assert house.told == ["unlocked", "locked"]
    assert house.events[-1]["cause"] == "stop"


def test_close_switches_off_even_when_the_session_raises(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.order(COMMAND, "UNLOCK")
    pin = house.output.pin

    def fail(*_: object, **__: object) -> bool:
        raise OSError("no network")

    monkeypatch.setattr(house.session, "publish", fail)
    with pytest.raises(OSError, match="no network"):
        house.agent.close()
    assert not pin.state
    assert house.output.closed


def test_close_raises_when_the_relay_can_not_be_switched_off(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the process ends with an error and a person hears of it."""
    house.order(COMMAND, "UNLOCK")
    house.break_relay(monkeypatch, "off")
    with pytest.raises(RelayError, match="Input/output error"):
        house.agent.close()
    assert house.told == ["unlocked", "jammed"]
    assert house.session.texts(STATE)[-1] == "JAMMED"


def test_close_of_an_agent_that_never_got_its_relay_does_nothing() -> None:
    settings = DoorSettings(relay=RelaySettings(pin="SESAME", pin_factory="mock"))
    session = FakeSession()
    agent = DoorAgent("front", settings, session, Inbox(), FakeClock())
    with pytest.raises(RelayError, match="SESAME"):
        agent.start()
    agent.close()
    assert session.said == []


def test_it_counts_what_it_did_and_refused(house: House) -> None:
    for order in ("UNLOCK", "UNLOCK", "SESAME", "LOCK", "UNLOCK"):
        house.clock.at = after(house.clock.at.mono - after(0).mono + 0.1)
        house.order(COMMAND, order)
    assert house.agent.report().counters == {"unlocked": 2, "rejected": 1, "dropped": 0}


def test_a_hold_is_more_than_nothing_and_not_longer_than_its_cap() -> None:
    with pytest.raises(ValueError, match="shorter than hold_s"):
        DoorSettings(relay=SETTINGS.relay, hold_s=5.0, max_hold_s=4.0)
    for wrong in (0.0, -1.0, 61.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="hold_s"):
            DoorSettings(relay=SETTINGS.relay, hold_s=wrong, max_hold_s=300.0)
