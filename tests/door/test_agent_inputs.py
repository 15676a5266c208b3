"""The exit button and the leaf's contact, from their pins to the relay and the broker."""

from __future__ import annotations

import pytest

from agents.door.agent import CHECK_S
from tests.door.house import BUTTON_PIN, LEAF_PIN, Build, House
from tests.door.orders import CONTACT, HOLD_S, SETTLE_S


def test_the_exit_button_opens_without_a_broker_once_it_has_settled(build: Build) -> None:
    house = build().start()
    house.until(1)
    house.wire(BUTTON_PIN).hold(False)
    house.settle()
    assert house.wait_s == SETTLE_S
    house.until(1 + SETTLE_S - 0.015625)
    assert not house.relay_is_on
    house.until(1 + SETTLE_S)
    assert house.relay_is_on
    house.wire(BUTTON_PIN).hold(True)
    house.until(1 + SETTLE_S + HOLD_S)
    assert not house.relay_is_on
    assert house.session.said == []
    assert [(event["event_type"], event["cause"]) for event in house.on_disk] == [
        ("unlocked", "button"),
        ("locked", "timeout"),
    ]


def test_a_button_that_is_kept_pressed_opens_once(house: House) -> None:
    house.press(hold_s=30)
    assert house.told == ["unlocked", "locked"]


def test_a_button_that_is_pressed_when_the_door_starts_opens_nothing_until_it_is_pressed_anew(build: Build) -> None:
    house = build()
    house.wire(BUTTON_PIN).held = False
    house.start()
    house.until(2)
    assert not house.relay_is_on
    house.wire(BUTTON_PIN).hold(True)
    house.until(3)
    house.press()
    assert house.relay_is_on


@pytest.mark.parametrize("lost", [False, True], ids=["its end is heard of", "its end is lost"])
def test_a_spike_on_the_buttons_wire_opens_nothing(house: House, lost: bool) -> None:
    house.until(0.5)
    house.wire(BUTTON_PIN).hold(False)
    if lost:
        house.settle()
    house.wire(BUTTON_PIN).hold(True)
    if lost:
        house.lose_edges()
    house.until(5)
    assert house.on_disk == []


@pytest.mark.parametrize("pin", [BUTTON_PIN, LEAF_PIN])
def test_a_wire_that_chatters_says_nothing_until_it_rests_though_every_look_finds_it_the_same(
    house: House, pin: int
) -> None:
    before = bool(house.wire(pin).state)
    for _ in range(20):
        house.wire(pin).hold(before)
        house.wire(pin).hold(not before)
        house.until(house.clock.s + SETTLE_S / 2)
    assert (house.relay_is_on, house.leaf) == (False, ["OFF"])
    house.until(house.clock.s + SETTLE_S / 2)
    assert (house.relay_is_on, house.leaf) == ((True, ["OFF"]) if pin == BUTTON_PIN else (False, ["OFF", "ON"]))


def test_edges_that_were_lost_are_made_up_for_by_looking(house: House) -> None:
    house.wire(BUTTON_PIN).hold(False)
    house.wire(LEAF_PIN).hold(True)
    house.lose_edges()
    house.until(CHECK_S + SETTLE_S)
    assert house.relay_is_on
    assert house.leaf == ["OFF", "ON"]
    house.wire(BUTTON_PIN).hold(True)
    house.wire(LEAF_PIN).hold(False)
    house.lose_edges()
    house.until(2 * (CHECK_S + SETTLE_S))
    assert house.leaf == ["OFF", "ON", "OFF"]
    house.order("LOCK")
    house.press()
    assert house.relay_is_on


def test_a_full_inbox_keeps_nobody_inside(house: House) -> None:
    house.inbox._limit = 10
    for _ in range(10):
        house.say(b"\xff")
    house.press()
    assert house.inbox.dropped == 0
    assert house.relay_is_on


def test_a_chattering_wire_takes_one_place_in_the_inbox(house: House) -> None:
    for _ in range(100):
        house.wire(BUTTON_PIN).hold(False)
        house.wire(BUTTON_PIN).hold(True)
        house.wire(LEAF_PIN).hold(True)
    assert house.inbox._queue.qsize() == 2
    house.wire(BUTTON_PIN).hold(False)
    house.until(SETTLE_S)
    assert house.relay_is_on
    assert house.leaf == ["OFF", "ON"]


def test_the_leaf_is_followed_from_its_pin_to_the_broker(house: House) -> None:
    house.press()
    house.swing(is_open=True)
    house.swing(is_open=False)
    house.until(10)
    house.swing(is_open=True)
    assert house.leaf == ["OFF", "ON", "OFF", "ON"]
    assert house.told == ["unlocked", "opened", "closed", "locked", "forced"]


def test_a_leaf_that_is_open_when_the_door_starts_is_said_to_be(build: Build) -> None:
    house = build()
    house.wire(LEAF_PIN).held = True
    house.start()
    house.connect()
    assert house.leaf == ["ON"]
    house.until(CONTACT.held_open_after_s)
    assert house.told == ["held_open"]


def test_a_pulse_ends_when_the_leaf_has_opened_if_set_so(build: Build) -> None:
    house = build(contact=CONTACT.model_copy(update={"locks_when_opened": True})).start()
    house.connect()
    house.press()
    house.swing(is_open=True)
    assert not house.relay_is_on
    assert house.told == ["unlocked", "opened", "locked"]
    assert house.states == ["LOCKED", "UNLOCKED", "LOCKED"]


def test_what_is_not_wired_is_neither_read_nor_spoken_of(build: Build) -> None:
    house = build(exit_button=None, contact=None).start()
    house.connect()
    house.wire(BUTTON_PIN).hold(False)
    house.swing(is_open=True)
    house.until(5)
    assert (house.leaf, house.events, house.wire(BUTTON_PIN).pull) == ([], [], "floating")


@pytest.mark.parametrize("pin", [BUTTON_PIN, LEAF_PIN])
def test_an_input_that_can_not_be_read_is_a_problem_until_it_can_and_orders_are_obeyed(house: House, pin: int) -> None:
    house.wire(pin).unreadable = True
    house.until(1)
    assert house.problem.startswith(f"pin {pin} through mock: ")
    house.order("UNLOCK")
    house.until(1 + HOLD_S)
    assert house.told == ["unlocked", "locked"]
    house.wire(pin).unreadable = False
    house.settle()
    assert house.problem == ""


def test_each_input_is_looked_at_though_the_other_can_not_be_read(house: House) -> None:
    house.wire(LEAF_PIN).unreadable = True
    house.wire(BUTTON_PIN).hold(False)
    house.lose_edges()
    house.until(CHECK_S + SETTLE_S)
    assert house.relay_is_on


def test_a_button_that_can_not_be_read_is_not_pressed(house: House) -> None:
    """Its last edge may have been a spike's, and nobody can look."""
    house.wire(BUTTON_PIN).hold(False)
    house.settle()
    house.wire(BUTTON_PIN).unreadable = True
    house.until(5)
    assert house.on_disk == []
