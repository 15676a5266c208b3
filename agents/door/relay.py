"""The relay, driven through gpiozero."""

from __future__ import annotations

from importlib import import_module

from agents.door.config import RelaySettings
from agents.runtime.agent import HardwareError

_FACTORIES = {
    "lgpio": ("gpiozero.pins.lgpio", "LGPIOFactory"),
    "rpigpio": ("gpiozero.pins.rpigpio", "RPiGPIOFactory"),
    "pigpio": ("gpiozero.pins.pigpio", "PiGPIOFactory"),
    "native": ("gpiozero.pins.native", "NativeFactory"),
    "mock": ("gpiozero.pins.mock", "MockFactory"),
}


class RelayError(HardwareError):
    """The relay can't be driven; its text says why, for people."""


class Relay:
    """One output pin, off from the first moment on.

    Raises RelayError when the named pin library or the pin itself can't be had: another library
    is never tried in its place.
    """

    def __init__(self, settings: RelaySettings) -> None:
        module, factory = _FACTORIES[settings.pin_factory]
        try:
            gpiozero = import_module("gpiozero")
            pins = getattr(import_module(module), factory)()
            self._output = gpiozero.OutputDevice(
                settings.pin, active_high=settings.active_high, initial_value=False, pin_factory=pins
            )
            self.drive(False)  # reads back: a door with a stuck relay must not call itself locked
        except Exception as error:  # gpiozero, lgpio and the kernel each raise their own kinds
            raise RelayError(f"pin {settings.pin} through {settings.pin_factory}: {error}") from error

    def drive(self, on: bool) -> None:
        """Switch, and read back. Raises RelayError."""
        try:
            self._output.on() if on else self._output.off()
            answers = bool(self._output.value)
        except Exception as error:
            raise RelayError(f"relay does not answer: {error}") from error
        if answers is not on:
            raise RelayError(f"relay was switched {'on' if on else 'off'} but reads back the opposite")

    def close(self) -> None:
        """Off, and let go of the pin."""
        try:
            self.drive(False)
        finally:
            self._output.close()
