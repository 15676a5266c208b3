"""What the agent makes of a relay that fails, reads back differently, or was ended by its guard."""

from __future__ import annotations

import contextlib

import pytest

from agents.door.agent import CHECK_S, RETRY_JAMMED_S
from agents.door.relay import GRACE_S
from agents.runtime.events import ReplyTo
from agents.wire.topics import EVENT, GRANT
from tests.door.house import RELAY_PIN, House, fail, grant
from tests.door.orders import HOLD_S, MAX_HOLD_S, command
from tests.runtime.test_spool import failing_disk

WAITS = ReplyTo(("unlock", "w1"))


def test_a_relay_that_fails_turns_the_opening_into_a_jam_of_the_same_order(house: House) -> None:
    house.wire(RELAY_PIN).refuses = (True,)
    house.order(command(id="c1", source="Ana"), reply_to=WAITS)
    assert [(event["seq"], event["event_type"], event["id"], event["source"]) for event in house.events] == [
        (1, "jammed", "c1", "Ana")
    ]
    assert house.events == house.on_disk
    assert [payload for _, payload in house.session.answers] == [
        said.payload for said in house.session.said if said.topic is EVENT
    ]
    assert house.states == ["LOCKED", "JAMMED"]
    assert "Input/output error" in house.problem
    assert house.agent.report().counters["unlocked"] == 0


def test_a_relay_that_fails_under_the_exit_button_jams_and_is_told_of_once(house: House) -> None:
    house.wire(RELAY_PIN).refuses = (True,)
    house.press()
    assert [(event["event_type"], event["cause"]) for event in house.events] == [("jammed", "button")]
    assert house.events == house.on_disk
    assert house.agent.report().counters["unlocked"] == 0
    assert house.states[-1] == "JAMMED"


def test_a_jammed_door_refuses_everybody_until_its_relay_works(house: House) -> None:
    house.wire(RELAY_PIN).refuses = (True,)
    house.order("UNLOCK")
    house.wire(RELAY_PIN).refuses = ()
    house.order("UNLOCK")
    house.order(grant(house.words[-1]), GRANT)
    house.press()
    assert house.reasons[1:] == ["jammed", "jammed", "jammed"]
    assert not house.relay_is_on
    house.until(RETRY_JAMMED_S - 0.125)
    assert house.states[-1] == "JAMMED"
    house.until(RETRY_JAMMED_S + CHECK_S)
    assert (house.told[-1], house.events[-1]["cause"]) == ("locked", "fault")
    assert (house.states[-1], house.problem) == ("LOCKED", "")
    house.order("UNLOCK")
    assert house.relay_is_on


def test_a_relay_that_reads_back_off_when_switched_on_is_driven_off_at_once(house: House) -> None:
    """It may be on in truth: what fails is to read it."""
    levels: list[bool] = []
    house.wire(RELAY_PIN).on_change = levels.append
    house.wire(RELAY_PIN).reads = False
    house.order("UNLOCK")
    assert levels == [True, False]
    assert house.told == ["jammed"]


@pytest.mark.parametrize("was_on", [False, True])
def test_a_relay_that_somebody_else_switches_jams_the_door_and_goes_off(house: House, was_on: bool) -> None:
    if was_on:
        house.order("UNLOCK")
    house.wire(RELAY_PIN).state = not was_on
    house.until(CHECK_S)
    assert not house.relay_is_on
    assert [(event["event_type"], event["cause"]) for event in house.events[was_on:]] == [("jammed", "fault")]
    assert house.states[-1] == "JAMMED"
    assert "reads back" in house.problem
    house.until(2 * CHECK_S + RETRY_JAMMED_S)
    assert (house.told[-1], house.states[-1], house.problem) == ("locked", "LOCKED", "")
    assert house.told.count("jammed") == 1


def test_a_relay_that_can_not_be_switched_off_is_tried_again_and_again(house: House) -> None:
    house.order("UNLOCK")
    house.wire(RELAY_PIN).refuses = (False,)
    house.until(HOLD_S)
    assert house.told == ["unlocked", "jammed"]
    for _ in range(3):
        house.until(house.clock.s + RETRY_JAMMED_S + CHECK_S)
        assert (house.relay_is_on, house.states[-1]) == (True, "JAMMED")
    house.wire(RELAY_PIN).refuses = ()
    house.until(house.clock.s + RETRY_JAMMED_S + CHECK_S)
    assert (house.relay_is_on, house.states[-1]) == (False, "LOCKED")
    assert house.told == ["unlocked", "jammed", "locked"]


def test_a_relay_that_fails_is_tried_at_intervals_and_not_all_the_time(house: House) -> None:
    tried: list[float] = []

    def refuse(_: bool) -> None:
        tried.append(house.clock.s)
        fail()

    house.order("UNLOCK")
    house.wire(RELAY_PIN).on_change = refuse
    house.until(30)
    assert tried == [HOLD_S, HOLD_S, *[HOLD_S + n * RETRY_JAMMED_S for n in (1, 2, 3, 4, 5)]]


def test_an_order_to_lock_a_jammed_door_drives_the_relay_off_and_is_refused(house: House) -> None:
    house.order("UNLOCK")
    house.wire(RELAY_PIN).refuses = (False,)
    house.order(command("LOCK", id="a"), reply_to=WAITS)
    assert (house.told, house.relay_is_on) == (["unlocked", "jammed"], True)
    house.wire(RELAY_PIN).refuses = ()
    house.order(command("LOCK", id="b"), reply_to=WAITS)
    assert not house.relay_is_on
    assert [(answer.event_type, answer.reason, answer.id) for answer in house.answers] == [
        ("jammed", None, "a"),
        ("rejected", "jammed", "b"),
    ]
    assert house.states[-1] == "JAMMED"


def test_a_relay_and_a_disk_that_fail_in_one_moment_are_told_of_in_the_end(house: House) -> None:
    """That it would open is on disk by then and can't be taken back: the reader hears of it, and then of the jam."""
    with contextlib.ExitStack() as stack:

        def fail_with_the_disk(_: bool) -> None:
            stack.enter_context(failing_disk())
            fail()

        house.wire(RELAY_PIN).on_change = fail_with_the_disk
        house.order(command(id="c1"), reply_to=WAITS)
        assert not house.relay_is_on
        assert [(event["event_type"], event["id"]) for event in house.events] == [("unlocked", "c1"), ("jammed", "c1")]
        assert house.session.answers[0][1].decode() == house.session.texts(EVENT)[-1]
        assert house.states[-1] == "JAMMED"


def test_a_relay_that_fails_to_go_off_takes_no_other_events_place(house: House) -> None:
    """Where the disk fails too, the opening waits in memory."""
    house.disconnect()
    with failing_disk():
        house.order("LOCK")
        house.press()
        house.wire(RELAY_PIN).refuses = (False,)
        house.until(HOLD_S + 1)
    house.connect()
    assert house.told == ["locked", "unlocked", "jammed"]


def test_the_guard_follows_each_pulse_and_its_extension(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agents.door.relay.monotonic", lambda: house.clock.s)
    relay = house.agent._relay
    assert relay is not None
    for order, left_s in (("UNLOCK", HOLD_S), ("UNLOCK", HOLD_S), ("LOCK", None), ("UNLOCK", HOLD_S)):
        house.order(order)
        assert relay._cut_at == (None if left_s is None else house.clock.s + left_s + GRACE_S)
        house.clock.pass_(1.0)
    house.order("LOCK")
    house.press()
    assert relay._cut_at == house.clock.s + HOLD_S + GRACE_S


def test_a_guard_that_had_to_end_a_pulse_is_told_of_once(
    house: House, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    relay = house.agent._relay
    assert relay is not None
    house.order("UNLOCK")
    with monkeypatch.context() as patch:
        patch.setattr("agents.door.relay.monotonic", lambda: float("inf"))
        relay._look()
    assert not house.relay_is_on
    house.until(2 * MAX_HOLD_S)
    assert [record.levelname for record in caplog.records if "guard" in record.getMessage()] == ["ERROR"]
    assert [(event["event_type"], event["cause"]) for event in house.events] == [
        ("unlocked", "command"),
        ("locked", "fault"),
    ]
    assert house.states[-1] == "LOCKED"
    house.order("UNLOCK")
    assert house.relay_is_on
