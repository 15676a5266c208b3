"""Inputs on gpiozero's own mock pins: buttons, contacts, and wires that fail."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import pytest
from gpiozero.pins.mock import MockPin

from agents.door import pins
from agents.door.config import InputSettings, RelaySettings
from agents.door.inputs import Input, InputError
from agents.door.relay import Relay


@pytest.fixture(autouse=True)
def fresh_pins() -> Iterator[None]:
    pins.factory.cache_clear()
    yield
    pins.factory.cache_clear()


def pin(name: int | str = 27) -> Any:
    """The other end of the wire."""
    return pins.factory("mock").pin(name)


def input_on(
    heard: list[bool], name: int | str = 27, pull: Literal["up", "down"] = "up", inverted: bool = False
) -> Input:
    return Input(InputSettings(pin=name, pull=pull, inverted=inverted), "mock", heard.append)


@pytest.mark.parametrize(
    ("pull", "inverted", "active_when_high"),
    [("up", False, False), ("down", False, True), ("up", True, True), ("down", True, False)],
)
def test_an_input_is_active_away_from_its_pull_unless_it_is_inverted(
    pull: Literal["up", "down"], inverted: bool, active_when_high: bool
) -> None:
    heard: list[bool] = []
    made = input_on(heard, pull=pull, inverted=inverted)
    assert pin().pull == pull
    assert made.active is inverted  # nothing is wired to it yet
    assert heard == []
    read = []
    for high in (True, False, True):
        pin().drive_high() if high else pin().drive_low()
        read.append(made.active)
    assert read == [active_when_high, not active_when_high, active_when_high]
    assert heard[-2:] == read[-2:]
    made.close()


def test_every_edge_is_heard_without_any_debouncing() -> None:
    heard: list[bool] = []
    made = input_on(heard)
    for _ in range(50):
        pin().drive_low()
        pin().drive_high()
    assert heard == [True, False] * 50
    made.close()


def test_the_edge_after_a_lost_one_is_heard() -> None:
    heard: list[bool] = []
    made = input_on(heard)
    pin().drive_low()
    pin()._edges = "none"
    pin().drive_high()
    pin()._edges = "both"
    assert made.active is False
    pin().drive_low()
    assert heard == [True, True]
    made.close()


def test_after_close_nothing_is_heard_and_the_pin_is_free() -> None:
    heard: list[bool] = []
    made = input_on(heard)
    made.close()
    pin().drive_low()
    assert heard == []
    with pytest.raises(InputError, match=r"^pin 27 through mock: .*closed"):
        _ = made.active
    input_on(heard).close()


@pytest.mark.parametrize("name", [99, -1, "SESAME", "BOARD1"])
def test_a_pin_that_is_none_is_an_error_that_names_it(name: int | str) -> None:
    with pytest.raises(InputError, match=f"^pin {name} through mock: "):
        input_on([], name)


def test_a_pull_that_the_board_does_not_allow_is_an_error() -> None:
    with pytest.raises(InputError, match=r"^pin 2 through mock: .*fixed pull"):
        input_on([], 2, pull="down")
    input_on([], 2, pull="up").close()


def test_the_relays_own_pin_can_not_be_an_input_under_another_name() -> None:
    relay = Relay(RelaySettings(pin=17, pin_factory="mock"))
    with pytest.raises(InputError, match=r"^pin BOARD11 through mock: .*in use"):
        input_on([], "BOARD11")
    relay.drive(True)
    relay.close()


class Unplugged(MockPin):  # type: ignore[misc]  # gpiozero is untyped
    def _get_state(self) -> bool:
        raise OSError(5, "Input/output error")


def test_an_input_that_can_not_be_read_is_an_error_that_names_it() -> None:
    pins.factory("mock").pin_class = Unplugged
    made = input_on([])
    with pytest.raises(InputError, match=r"^pin 27 through mock: .*Input/output error"):
        _ = made.active
    made.close()


class Deaf(MockPin):  # type: ignore[misc]
    def _enable_event_detect(self) -> None:
        raise OSError(16, "Device or resource busy")


def test_a_pin_whose_edges_can_not_be_heard_is_an_error_and_is_let_go() -> None:
    pins.factory("mock").pin_class = Deaf
    with pytest.raises(InputError, match=r"^pin 27 through mock: .*busy") as kept:
        input_on([])
    pins.factory("mock").pins.clear()
    pins.factory("mock").pin_class = MockPin
    input_on([]).close()
    del kept


def test_a_pin_that_stays_deaf_to_close_is_let_go_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    made = input_on([])

    def fail(_: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(MockPin, "_disable_event_detect", fail)
        with pytest.raises(InputError, match=r"^pin 27 through mock: .*Input/output error"):
            made.close()
    input_on([]).close()
