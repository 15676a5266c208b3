"""The pin libraries: the named one or none; and lgpio, of which gpiozero alone asks too little.

There is no gpiochip on the machines that run these tests: `FakeLgpio` stands in for the library and
does with a line what lg's lgGpio.c does.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from agents.door import pins
from agents.door.config import InputSettings, PinFactory, RelaySettings
from agents.door.inputs import Input
from agents.door.relay import Relay
from agents.runtime.agent import HardwareError

PULLS = {0: None, 32: "up", 64: "down", 128: "floating"}


@pytest.fixture(autouse=True)
def fresh_pins() -> Iterator[None]:
    pins.factory.cache_clear()
    yield
    pins.factory.cache_clear()


LIBRARIES: list[PinFactory] = ["lgpio", "rpigpio", "pigpio", "native"]


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_missing_library_is_an_error_and_none_is_tried_in_its_place(
    library: PinFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "mock")  # gpiozero would take this one by itself
    monkeypatch.setitem(sys.modules, f"gpiozero.pins.{library}", None)
    with pytest.raises(HardwareError, match=f"^{library} can't be used here: .*{library}"):
        pins.factory(library)


def test_a_library_that_failed_is_tried_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "gpiozero.pins.mock", None)
        with pytest.raises(pins.PinError):
            pins.factory("mock")
    assert pins.factory("mock") is not None


def test_everybody_in_the_process_has_the_same_pins_until_a_test_asks_for_fresh_ones() -> None:
    before = pins.factory("mock")
    assert before.pin(27) is pins.factory("mock").pin("GPIO27")
    pins.factory.cache_clear()
    assert pins.factory("mock") is not before


def test_an_error_without_a_text_is_told_by_its_kind() -> None:
    with pytest.raises(pins.PinError, match=r"^pin 4 through native: NotImplementedError$"), naming_pin_4():
        raise NotImplementedError


def test_an_error_that_names_its_pin_is_not_named_twice() -> None:
    with pytest.raises(pins.PinError, match=r"^pin 4 through native: gone$"), naming_pin_4(), naming_pin_4():
        raise OSError("gone")


def naming_pin_4() -> AbstractContextManager[None]:
    return pins.naming(4, "native", pins.PinError)


@pytest.mark.skipif(importlib.util.find_spec("lgpio") is None, reason="lgpio is not installed")
def test_lgpio_leaves_nothing_in_the_working_directory_and_does_not_move_it(tmp_path: Path) -> None:
    """It makes its pipe when it is imported, wherever that is."""
    code = """
import os, sys
from agents.door import pins
try:
    pins.factory("lgpio")
except pins.PinError as error:
    print(error)
assert "lgpio" in sys.modules
print(os.listdir(), os.getcwd())
"""
    there = {"PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=there, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == f"[] {tmp_path}"
    assert done.stderr == ""
    assert list(tmp_path.iterdir()) == []


class FakeLgpio(ModuleType):
    """One gpiochip. `history` is everything that was to be seen on the wire: level, or pull as an input."""

    SET_PULL_NONE, SET_PULL_UP, SET_PULL_DOWN = 128, 32, 64
    RISING_EDGE, FALLING_EDGE, BOTH_EDGES = 1, 2, 3

    class error(Exception):  # noqa: N801 - the library's own name
        pass

    def __init__(self) -> None:
        super().__init__("lgpio")
        self.modes: dict[int, str] = {}
        self.levels: dict[int, int] = {}
        self.flags: dict[int, int] = {}
        self.history: list[tuple[int, str | int | None]] = []
        self.listening: list[int] = []

    def gpiochip_open(self, chip: int) -> int:
        return 1

    def gpiochip_close(self, handle: int) -> None:
        pass

    def gpio_free(self, handle: int, gpio: int) -> None:
        del self.modes[gpio]

    def gpio_claim_input(self, handle: int, gpio: int, flags: int = 0) -> None:
        if self.modes.get(gpio) != "input":  # the library does nothing for a line that is one already
            self._be_input(gpio, "input", flags)

    def gpio_claim_alert(self, handle: int, gpio: int, edges: int, flags: int = 0) -> None:
        self._be_input(gpio, "alert", flags)

    def _be_input(self, gpio: int, mode: str, flags: int) -> None:
        self.modes[gpio], self.flags[gpio] = mode, flags or self.flags.get(gpio, 0)
        self.history.append((gpio, PULLS[self.flags[gpio]]))

    def gpio_claim_output(self, handle: int, gpio: int, level: int = 0, flags: int = 0) -> None:
        if self.modes.get(gpio) != "output":
            self.modes[gpio], self.flags[gpio] = "output", 0
            self.gpio_write(handle, gpio, level)

    def gpio_write(self, handle: int, gpio: int, level: int) -> None:
        self.levels[gpio] = int(level)
        self.history.append((gpio, int(level)))

    def gpio_read(self, handle: int, gpio: int) -> int:
        return self.levels.get(gpio, 1)

    def gpio_get_mode(self, handle: int, gpio: int) -> int:
        return self.flags.get(gpio, 0) | (2 if self.modes.get(gpio) == "output" else 0)

    def callback(self, handle: int, gpio: int, edges: int, function: object) -> SimpleNamespace:
        self.listening.append(gpio)
        return SimpleNamespace(cancel=lambda: self.listening.remove(gpio))

    def seen(self, gpio: int) -> list[str | int | None]:
        return [what for which, what in self.history if which == gpio]


@pytest.fixture
def lgpio(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeLgpio]:
    from gpiozero.pins.local import LocalPiFactory

    fake = FakeLgpio()
    monkeypatch.setitem(sys.modules, "lgpio", fake)
    monkeypatch.setitem(sys.modules, "gpiozero.pins.lgpio", None)  # so that it is taken out again at the end
    del sys.modules["gpiozero.pins.lgpio"]
    monkeypatch.setattr("gpiozero.pins.local.get_pi_revision", lambda: 0xA02082)
    yield fake
    LocalPiFactory.pins.clear()
    LocalPiFactory._reservations.clear()


@pytest.mark.parametrize("active_high", [True, False])
def test_through_lgpio_too_the_relay_is_never_on_for_a_moment(active_high: bool, lgpio: FakeLgpio) -> None:
    relay = Relay(RelaySettings(pin=17, pin_factory="lgpio", active_high=active_high))
    on, off = int(active_high), int(not active_high)
    taken = lgpio.seen(17)
    assert off in taken
    assert on not in taken
    relay.drive(True)
    relay.close()
    left = lgpio.seen(17)[len(taken) :]
    assert left[0] == on
    assert set(left[1:]) == {off, "floating", "down" if active_high else "up"}
    assert left[-1] == ("down" if active_high else "up")


def test_through_lgpio_an_input_keeps_its_pull_while_its_edges_are_listened_to(lgpio: FakeLgpio) -> None:
    made = Input(InputSettings(pin=27), "lgpio", lambda _: None)
    assert (lgpio.modes[27], lgpio.seen(27)[-1], lgpio.listening) == ("alert", "up", [27])
    lgpio.levels[27] = 0
    assert made.active is True
    made.close()
    assert (lgpio.modes[27], lgpio.listening) == ("input", [])
