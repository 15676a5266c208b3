"""What a door's settings may be."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from agents.door.config import DoorSettings

RELAY: dict[str, Any] = {"pin": 17, "pin_factory": "lgpio"}


def door(**keys: Any) -> DoorSettings:
    return DoorSettings.model_validate({"relay": RELAY, **keys})


def test_a_relay_is_all_a_door_needs() -> None:
    small = door()
    assert (small.exit_button, small.contact) == (None, None)
    assert (small.hold_s, small.max_hold_s, small.rest_s, small.max_age_s) == (3, 30, 5, 10)
    assert (small.on_broker_lost, small.relay.active_high) == ("finish", True)
    assert small.test_pulse_s is None


def test_an_input_is_wired_to_ground_and_debounced_unless_it_is_said_otherwise() -> None:
    wired = door(exit_button={"pin": 27}, contact={"pin": 22})
    for section in (wired.exit_button, wired.contact):
        assert section is not None
        assert (section.pull, section.inverted, section.debounce_s) == ("up", False, 0.05)
    assert wired.contact is not None
    assert (wired.contact.held_open_after_s, wired.contact.locks_when_opened, wired.contact.report_forced) == (
        60, False, True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("keys", "error"),
    [
        ({"relay": {"pin": 17}}, "pin_factory"),
        ({"relay": {"pin_factory": "mock"}}, "pin"),
        ({"relay": {**RELAY, "pin_factory": "fake"}}, "'lgpio', 'rpigpio', 'pigpio', 'native' or 'mock'"),
        ({"relay": {**RELAY, "pin": ""}}, "relay.pin"),
        ({"relay": {**RELAY, "pin": "GPIO" * 6}}, "relay.pin"),
        ({"relay": {**RELAY, "pin": True}}, "relay.pin"),
        ({"relay": {**RELAY, "pin": None}}, "relay.pin"),
        ({"relay": {**RELAY, "active_low": True}}, "active_low"),
        ({"relay": {**RELAY, "active_high": "no"}}, "active_high"),
        ({"hold_s": 0}, "greater than 0"),
        ({"hold_s": 61, "max_hold_s": 70}, "less than or equal to 60"),
        ({"hold_s": float("inf")}, "finite"),
        ({"max_hold_s": 301}, "less than or equal to 300"),
        ({"rest_s": -1}, "greater than or equal to 0"),
        ({"rest_s": 301}, "less than or equal to 300"),
        ({"max_age_s": 0}, "greater than 0"),
        ({"on_broker_lost": "open"}, "'finish' or 'cut'"),
        ({"hold_s": 5, "max_hold_s": 4}, r"max_hold_s \(4.0\) is shorter than hold_s \(5.0\)"),
        ({"test_pulse_s": 0}, "greater than 0"),
        ({"test_pulse_s": 5.1}, "less than or equal to 5"),
        ({"test_pulse_s": True}, "test_pulse_s"),
        ({"hold_s": 1, "max_hold_s": 2, "test_pulse_s": 3}, r"max_hold_s \(2.0\) is shorter than test_pulse_s \(3.0\)"),
        ({"exit_button": {}}, "exit_button.pin"),
        ({"exit_button": {"pin": 27, "debounce_s": 0}}, "greater than or equal to 0.005"),
        ({"exit_button": {"pin": 27, "debounce_s": 1.1}}, "less than or equal to 1"),
        ({"exit_button": {"pin": 27, "pull": "floating"}}, "'up' or 'down'"),
        ({"exit_button": {"pin": 27, "held_open_after_s": 5}}, "held_open_after_s"),
        ({"contact": {"pin": 22, "held_open_after_s": 0}}, "greater than 0"),
        ({"unlock": True}, "unlock"),
        ({"prompt": {}}, "prompt.command"),
        ({"prompt": {"command": []}}, "at least 1 item"),
        ({"prompt": {"command": "espeak-ng {text}"}}, "valid list"),
        ({"prompt": {"command": ["{text}"]}}, "the program itself"),
        ({"prompt": {"command": ["say", ""]}}, "at least 1 character"),
        ({"prompt": {"command": ["say", "a\0b"]}}, "pattern"),
        ({"prompt": {"command": ["say"], "timeout_s": 31}}, "less than or equal to 30"),
        ({"prompt": {"command": ["say"], "shell": True}}, "prompt.shell"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_makes_no_sense_is_refused_by_name(keys: dict[str, Any], error: str) -> None:
    with pytest.raises(ValidationError, match=error):
        door(**keys)


def test_one_pulse_may_be_the_longest() -> None:
    assert door(hold_s=5, max_hold_s=5).max_hold_s == 5


def test_people_may_set_a_hold_time_between_half_a_second_and_the_longest_there_is() -> None:
    assert door().hold_bounds_s == (0.5, 30)
    assert door(hold_s=5, max_hold_s=5).hold_bounds_s == (0.5, 5)


def test_what_the_houses_file_says_is_never_out_of_the_bounds() -> None:
    assert door(hold_s=0.2, max_hold_s=0.3).hold_bounds_s == (0.2, 0.3)


@pytest.mark.parametrize("name", [17, "17", "GPIO17", "gpio17"])
@pytest.mark.parametrize("section", ["exit_button", "contact"])
def test_nothing_is_wired_to_the_relays_pin_by_whatever_name(section: str, name: object) -> None:
    """A button on the relay's own pin would be pressed by the pulse it began."""
    with pytest.raises(ValidationError, match="need a pin each"):
        door(**{section: {"pin": name}})


def test_the_button_and_the_contact_are_two_pins() -> None:
    with pytest.raises(ValidationError, match="need a pin each"):
        door(exit_button={"pin": "GPIO27"}, contact={"pin": 27})
    assert door(exit_button={"pin": 27}, contact={"pin": 22}).contact is not None


def test_pins_may_be_numbers_or_names() -> None:
    named = door(relay={**RELAY, "pin": "BOARD11"}, exit_button={"pin": "GPIO27"})
    assert named.exit_button is not None
    assert (named.relay.pin, named.exit_button.pin) == ("BOARD11", "GPIO27")
