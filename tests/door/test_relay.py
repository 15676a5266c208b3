"""The relay, on gpiozero's own mock pins, whole and broken."""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

import pytest
from gpiozero.pins.mock import MockFactory, MockPin

from agents.door.config import PinFactory, RelaySettings
from agents.door.relay import Relay, RelayError


def relay_on(pin: int | str = 17, active_high: bool = True) -> Relay:
    return Relay(RelaySettings(pin=pin, pin_factory="mock", active_high=active_high))


def level(relay: Relay) -> bool:
    """The voltage on the pin, high or low."""
    return bool(relay._output.pin.state)


@pytest.mark.parametrize("active_high", [True, False])
def test_the_pin_is_at_the_level_of_off_from_the_start_and_follows(active_high: bool) -> None:
    relay = relay_on(active_high=active_high)
    on, off = active_high, not active_high
    levels = [level(relay)]
    for wanted in (True, True, False, False, True):
        relay.drive(wanted)
        levels.append(level(relay))
    assert levels == [off, on, on, off, off, on]
    relay.close()


@pytest.mark.parametrize("active_high", [True, False])
def test_taking_the_pin_never_switches_the_relay_on_for_a_moment(
    active_high: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It must become an output at the level of off, not become one first and be set then."""
    done: list[tuple[str, bool]] = []

    class Recorder(MockPin):  # type: ignore[misc]  # gpiozero is untyped
        def output_with_state(self, state: int) -> None:
            done.append(("taken", bool(state)))
            super().output_with_state(state)

        def _set_state(self, value: int) -> None:
            done.append(("set", bool(value)))
            super()._set_state(value)

    use_pins(monkeypatch, Recorder)
    relay = relay_on(active_high=active_high)
    off = not active_high
    assert done[0] == ("taken", off)
    assert {level for _, level in done} == {off}
    relay.close()


@pytest.mark.parametrize("active_high", [True, False])
def test_close_switches_off_and_lets_go_of_the_pin(active_high: bool) -> None:
    relay = relay_on(active_high=active_high)
    pin = relay._output.pin
    relay.drive(True)
    relay.close()
    assert bool(pin.state) is not active_high
    assert relay._output.closed
    with pytest.raises(RelayError, match="does not answer"):
        relay.drive(True)


@pytest.mark.parametrize("pin", [99, -1, "GPIO99", "SESAME", "BOARD1", "17; rm"])
def test_a_pin_that_is_none_is_an_error_that_names_it(pin: int | str) -> None:
    with pytest.raises(RelayError, match=f"^pin {pin} through mock: "):
        relay_on(pin)


LIBRARIES: list[PinFactory] = ["lgpio", "rpigpio", "pigpio", "native"]


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_missing_pin_library_is_an_error_and_none_is_tried_in_its_place(
    library: PinFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "mock")  # gpiozero would take this one by itself
    monkeypatch.setitem(sys.modules, f"gpiozero.pins.{library}", None)
    with pytest.raises(RelayError, match=f"^pin 17 through {library}: "):
        Relay(RelaySettings(pin=17, pin_factory=library))


class Unplugged(MockPin):  # type: ignore[misc]  # gpiozero is untyped
    """Fails like a kernel driver that went away, once `broken`."""

    broken = False

    def _set_state(self, value: Any) -> None:
        if self.broken:
            raise OSError(5, "Input/output error")
        super()._set_state(value)


class StuckLow(MockPin):  # type: ignore[misc]
    """A pin shorted to ground."""

    def _get_state(self) -> bool:
        return False


class StuckHigh(MockPin):  # type: ignore[misc]
    def _get_state(self) -> bool:
        return True


def use_pins(monkeypatch: pytest.MonkeyPatch, kind: type[MockPin]) -> None:
    monkeypatch.setattr("gpiozero.pins.mock.MockFactory", partial(MockFactory, pin_class=kind))


def test_a_pin_that_fails_is_a_relay_error(monkeypatch: pytest.MonkeyPatch) -> None:
    use_pins(monkeypatch, Unplugged)
    relay = relay_on()
    relay._output.pin.broken = True
    for on in (True, False):
        with pytest.raises(RelayError, match=r"does not answer: .*Input/output error"):
            relay.drive(on)
    with pytest.raises(RelayError):
        relay.close()
    assert relay._output.closed


def test_a_relay_that_reads_back_the_opposite_is_a_relay_error(monkeypatch: pytest.MonkeyPatch) -> None:
    use_pins(monkeypatch, StuckLow)
    relay = relay_on()
    with pytest.raises(RelayError, match="switched on but reads back the opposite"):
        relay.drive(True)
    relay.drive(False)
    relay.close()


@pytest.mark.parametrize(("kind", "active_high"), [(StuckHigh, True), (StuckLow, False)])
def test_a_relay_that_reads_on_when_taken_is_an_error_that_names_the_pin(
    kind: type[MockPin], active_high: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The door must not call itself locked while the strike is released."""
    use_pins(monkeypatch, kind)
    with pytest.raises(RelayError, match=r"^pin 17 through mock: .*reads back the opposite"):
        relay_on(active_high=active_high)
