"""The relay, on gpiozero's own mock pins, whole and broken. Nothing here waits for a guard's time."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from gpiozero.pins.mock import MockPin

from agents.door import pins
from agents.door import relay as relay_module
from agents.door.config import RelaySettings
from agents.door.relay import GRACE_S, Relay, RelayError
from tests.live.tools import PATIENCE_S, wait_until


@pytest.fixture(autouse=True)
def fresh_pins() -> Iterator[None]:
    pins.factory.cache_clear()
    yield
    pins.factory.cache_clear()


class Guard:
    """The relay's guard, which looks when the test says so, at a time that the test makes."""

    def __init__(self) -> None:
        self.mono = 1000.0

    def looks(self, relay: Relay, after_s: float) -> None:
        self.mono += after_s
        relay._look()


@pytest.fixture
def guard(monkeypatch: pytest.MonkeyPatch) -> Guard:
    made = Guard()
    monkeypatch.setattr(relay_module, "LOOK_EVERY_S", 3600.0)
    monkeypatch.setattr(relay_module, "monotonic", lambda: made.mono)
    return made


def relay_on(pin: int | str = 17, active_high: bool = True) -> Relay:
    return Relay(RelaySettings(pin=pin, pin_factory="mock", active_high=active_high))


def level(pin: int | str = 17) -> bool:
    """The voltage on the pin, high or low."""
    return bool(pins.factory("mock").pin(pin).state)


@pytest.mark.parametrize("active_high", [True, False])
def test_the_pin_is_at_the_level_of_off_from_the_start_and_follows(active_high: bool) -> None:
    relay = relay_on(active_high=active_high)
    on, off = active_high, not active_high
    levels = [level()]
    for wanted in (True, True, False, False, True):
        relay.drive(wanted)
        levels.append(level())
    assert levels == [off, on, on, off, off, on]
    relay.close()


class Recorder(MockPin):  # type: ignore[misc]  # gpiozero is untyped
    """Notes what it is driven to while it is an output."""

    done: list[tuple[str, bool]] = []

    def output_with_state(self, state: int) -> None:
        self.done.append(("taken", bool(state)))
        super().output_with_state(state)

    def _set_state(self, value: int) -> None:
        self.done.append(("set", bool(value)))
        super()._set_state(value)


@pytest.mark.parametrize("active_high", [True, False])
def test_taking_and_leaving_the_pin_never_switch_the_relay_on_for_a_moment(
    active_high: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It must become an output at the level of off, not become one first and be set then."""
    monkeypatch.setattr(Recorder, "done", [])
    use_pins(Recorder)
    pin = pins.factory("mock").pin(17)
    pin.pull = "down" if active_high else "up"
    pin.clear_states()
    relay_on(active_high=active_high).close()
    off = not active_high
    assert Recorder.done[0] == ("taken", off)
    assert {level for _, level in Recorder.done} == {off}
    assert {state.state for state in pin.states} == {off}


@pytest.mark.parametrize("active_high", [True, False])
def test_close_switches_off_and_leaves_the_pin_an_input_pulled_to_off(active_high: bool) -> None:
    """A floating input could switch a relay board on."""
    relay = relay_on(active_high=active_high)
    relay.drive(True)
    relay.close()
    pin = pins.factory("mock").pin(17)
    assert (pin.function, pin.pull, level()) == ("input", "down" if active_high else "up", not active_high)
    with pytest.raises(RelayError, match=r"^pin 17 through mock: .*closed"):
        relay.drive(True)
    relay_on(active_high=active_high).close()


@pytest.mark.parametrize("pin", [99, -1, "GPIO99", "SESAME", "BOARD1", "17; rm"])
def test_a_pin_that_is_none_is_an_error_that_names_it(pin: int | str) -> None:
    with pytest.raises(RelayError, match=f"^pin {pin} through mock: "):
        relay_on(pin)


@pytest.mark.parametrize("pin", [2, "GPIO3", "BOARD3"])
def test_a_pin_that_the_board_pulls_to_on_is_refused(pin: int | str) -> None:
    """The strike would be released from power-on until the agent runs."""
    with pytest.raises(RelayError, match=f"^pin {pin} through mock: a resistor"):
        relay_on(pin)
    relay = relay_on(pin, active_high=False)
    relay.close()
    assert level(pin) is True


def test_a_pin_in_use_is_an_error() -> None:
    relay = relay_on(17)
    with pytest.raises(RelayError, match=r"^pin BOARD11 through mock: .*in use"):
        relay_on("BOARD11")
    relay.close()


def test_a_missing_pin_library_is_an_error_that_names_the_pin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gpiozero.pins.lgpio", None)
    with pytest.raises(RelayError, match=r"^pin 17 through lgpio: lgpio can't be used here: "):
        Relay(RelaySettings(pin=17, pin_factory="lgpio"))


class Unplugged(MockPin):  # type: ignore[misc]
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


def use_pins(kind: type[MockPin]) -> None:
    pins.factory("mock").pin_class = kind


def test_a_pin_that_fails_is_a_relay_error_and_is_let_go_all_the_same() -> None:
    use_pins(Unplugged)
    relay = relay_on()
    pin = pins.factory("mock").pin(17)
    pin.broken = True
    for on in (True, False):
        with pytest.raises(RelayError, match=r"^pin 17 through mock: .*Input/output error"):
            relay.drive(on)
    with pytest.raises(RelayError, match="Input/output error"):
        relay.close()
    assert (pin.function, pin.pull) == ("input", "down")


def test_a_pin_that_can_not_be_let_go_is_pulled_to_off_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    relay = relay_on()
    pin = pins.factory("mock").pin(17)

    def fail() -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(pin, "close", fail)
        with pytest.raises(RelayError, match="Input/output error"):
            relay.close()
    assert (pin.function, pin.pull) == ("input", "down")


def test_a_relay_that_reads_back_the_opposite_is_a_relay_error() -> None:
    use_pins(StuckLow)
    relay = relay_on()
    with pytest.raises(RelayError, match="switched on but reads back the opposite"):
        relay.drive(True)
    relay.drive(False)
    relay.close()


@pytest.mark.parametrize(("kind", "active_high"), [(StuckHigh, True), (StuckLow, False)])
def test_a_relay_that_reads_on_when_taken_is_an_error_and_the_pin_is_let_go(
    kind: type[MockPin], active_high: bool
) -> None:
    """The door must not call itself locked while the strike is released."""
    use_pins(kind)
    with pytest.raises(RelayError, match=r"^pin 17 through mock: .*reads back the opposite") as kept:
        relay_on(active_high=active_high)
    pin = pins.factory("mock").pin(17)
    assert (pin.function, pin.pull) == ("input", "down" if active_high else "up")
    pins.factory("mock").pins.clear()
    use_pins(MockPin)
    relay_on(active_high=active_high).close()
    del kept


@pytest.mark.parametrize("on", [True, False])
def test_check_raises_when_somebody_else_has_switched_the_pin(on: bool) -> None:
    relay = relay_on()
    relay.drive(on)
    relay.check()
    pins.factory("mock").pin(17).state = not on
    with pytest.raises(RelayError, match=f"switched {'on' if on else 'off'} but reads back the opposite"):
        relay.check()
    relay.drive(False)
    relay.check()
    relay.close()


def test_a_pulse_that_the_agent_ends_is_not_the_guards_business(guard: Guard) -> None:
    relay = relay_on()
    guard.looks(relay, 100.0)
    relay.drive(True, 12.5)
    guard.looks(relay, 12.5 + GRACE_S - 0.01)
    assert level() is True
    relay.drive(False)
    guard.looks(relay, 100.0)
    assert not relay.overran
    relay.close()


def test_the_guard_ends_a_pulse_that_the_agent_does_not_end(guard: Guard) -> None:
    relay = relay_on()
    relay.drive(True, 12.5)
    guard.looks(relay, 12.5 + GRACE_S)
    assert level() is False
    assert relay.overran
    relay.check()
    relay.overran = False
    guard.looks(relay, 100.0)
    assert not relay.overran
    relay.close()


def test_each_order_to_be_on_sets_the_guards_time_anew(guard: Guard) -> None:
    relay = relay_on()
    relay.drive(True, 3.0)
    guard.mono += 2.0
    relay.drive(True, 2.5)
    guard.looks(relay, 2.5 + GRACE_S - 0.01)
    assert level() is True
    guard.looks(relay, 0.02)
    assert level() is False
    relay.close()


def test_a_guard_that_looks_late_does_not_cut_a_newer_pulse_short(guard: Guard) -> None:
    relay = relay_on()
    relay.drive(True, 3.0)
    guard.mono += 100.0
    relay.drive(False)
    relay.drive(True, 3.0)
    guard.looks(relay, 0.0)
    assert level() is True
    assert not relay.overran
    relay.close()


def test_the_guard_tries_again_until_the_relay_can_be_switched_off(guard: Guard) -> None:
    use_pins(Unplugged)
    relay = relay_on()
    pin = pins.factory("mock").pin(17)
    relay.drive(True)
    pin.broken = True
    for _ in range(2):
        guard.looks(relay, 100.0)
        assert (relay.overran, level()) == (True, True)
    pin.broken = False
    guard.looks(relay, 0.5)
    assert level() is False
    relay.close()


def test_a_relay_that_the_agent_can_not_switch_off_keeps_its_guard(guard: Guard) -> None:
    use_pins(Unplugged)
    relay = relay_on()
    pin = pins.factory("mock").pin(17)
    relay.drive(True)
    pin.broken = True
    with pytest.raises(RelayError):
        relay.drive(False)
    pin.broken = False
    guard.looks(relay, 100.0)
    assert level() is False
    relay.close()


def test_a_relay_that_may_be_on_though_switching_failed_has_a_guard(
    guard: Guard, monkeypatch: pytest.MonkeyPatch
) -> None:
    relay = relay_on()
    with monkeypatch.context() as patch:
        patch.setattr(MockPin, "_get_state", lambda pin: False)
        with pytest.raises(RelayError, match="reads back"):
            relay.drive(True)
    assert level() is True
    guard.looks(relay, 100.0)
    assert level() is False
    relay.close()


def test_without_a_guard_there_is_no_relay_and_the_pin_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", fail)
        with pytest.raises(RelayError, match=r"^pin 17 through mock: can't start new thread"):
            relay_on()
    pin = pins.factory("mock").pin(17)
    assert (pin.function, pin.pull) == ("input", "down")
    relay_on().close()


def test_after_close_no_guard_is_left(guard: Guard) -> None:
    use_pins(Unplugged)
    others = set(threading.enumerate())
    relay = relay_on()
    relay.drive(True)
    (watching,) = set(threading.enumerate()) - others
    pins.factory("mock").pin(17).broken = True
    with pytest.raises(RelayError):
        relay.close()
    guard.looks(relay, 100.0)
    assert not relay.overran
    watching.join(PATIENCE_S)
    assert not watching.is_alive()


def test_a_guard_that_looks_while_the_agent_is_switching_waits_for_it(guard: Guard) -> None:
    """Between the two there is one lock: the guard's off may not go under in the middle of the agent's on."""
    switching, go_on = threading.Event(), threading.Event()

    class Slow(MockPin):  # type: ignore[misc]
        def _set_state(self, value: Any) -> None:
            if value:
                switching.set()
                go_on.wait(PATIENCE_S)
            super()._set_state(value)

    use_pins(Slow)
    relay = relay_on()
    agent = threading.Thread(target=relay.drive, args=(True,))
    agent.start()
    assert switching.wait(PATIENCE_S)
    looking = threading.Thread(target=guard.looks, args=(relay, 100.0))
    looking.start()
    looking.join(0.2)  # without the lock it would be done by now
    go_on.set()
    agent.join()
    looking.join()
    assert level() is False
    assert relay.overran
    relay.close()


def test_the_guard_acts_by_itself_while_the_main_thread_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay_module, "GRACE_S", 0.05)
    monkeypatch.setattr(relay_module, "LOOK_EVERY_S", 0.01)
    relay = relay_on()
    relay.drive(True, at_most_s=0.0)
    wait_until("the guard has switched off", lambda: not level())
    wait_until("it has said so", lambda: relay.overran)
    relay.close()
