"""The computer's pins, through the one library that the config names."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from tempfile import TemporaryDirectory
from typing import Any

from agents.door.config import Pin, PinFactory
from agents.runtime.agent import HardwareError

_FACTORIES = {
    "lgpio": ("gpiozero.pins.lgpio", "LGPIOFactory"),
    "rpigpio": ("gpiozero.pins.rpigpio", "RPiGPIOFactory"),
    "pigpio": ("gpiozero.pins.pigpio", "PiGPIOFactory"),
    "native": ("gpiozero.pins.native", "NativeFactory"),
    "mock": ("gpiozero.pins.mock", "MockFactory"),
}


class PinError(HardwareError):
    """A pin can't be had, driven or read; its text says why, for people."""


@cache
def factory(name: PinFactory) -> Any:
    """gpiozero's pin factory of that name: one per process, so that nobody gets a pin that is taken.

    Raises PinError when it can't be had; another one is never tried in its place. A test presses a
    button by `factory("mock").pin(27).drive_low()` and starts with fresh pins by `factory.cache_clear()`.
    """
    module, kind = _FACTORIES[name]
    try:
        with _folder_of_its_own():
            made = getattr(import_module(module), kind)()
    except Exception as error:  # gpiozero, the libraries and the kernel each raise their own kinds
        raise PinError(f"{name} can't be used here: {_text(error)}") from error
    if name == "lgpio":
        made.pin_class = _without_blip(made.pin_class)
    return made


@contextlib.contextmanager
def naming(pin: Pin, name: PinFactory, kind: type[PinError]) -> Iterator[None]:
    """Whatever goes wrong inside is raised as `kind`, with the pin in its text."""
    try:
        yield
    except kind:
        raise
    except Exception as error:
        raise kind(f"pin {pin} through {name}: {_text(error)}") from error


def _text(error: Exception) -> str:
    return str(error) or type(error).__name__


@contextlib.contextmanager
def _folder_of_its_own() -> Iterator[None]:
    """lgpio makes a pipe `.lgd-nfy0` in the working directory when it is imported. A service's may be
    read-only, and two doors that start at once in the same one could hear each other's edges.
    """
    with TemporaryDirectory() as folder, contextlib.chdir(folder):
        yield


def _without_blip(lgpio_pin: Any) -> Any:
    """gpiozero (2.0.1) makes an lgpio pin a low output first and sets its level then."""
    lgpio = import_module("lgpio")

    class Pin(lgpio_pin):  # type: ignore[misc]  # gpiozero is untyped
        def output_with_state(self, state: bool) -> None:
            lgpio.gpio_claim_output(self.factory._handle, self._number, int(state))

    return Pin
