"""The relay, driven through gpiozero, and the guard that ends a pulse nobody else ends."""

from __future__ import annotations

import contextlib
from functools import partial
from importlib import import_module
from threading import Event, Lock, Thread
from time import monotonic
from typing import Any

from agents.door import pins
from agents.door.config import RelaySettings

GRACE_S = 1.0  # what the guard leaves the agent to end a pulse by itself
LOOK_EVERY_S = 0.5  # how often the guard looks, and tries a relay again that does not answer


class RelayError(pins.PinError):
    """The relay can't be driven; its text says why, for people."""


class Relay:
    """One output pin, off from the first moment on, and never on for much longer than it was told to be.

    Raises RelayError when the named pin library or the pin itself can't be had, or when the relay
    reads as on: a door whose strike is released must not call itself locked.

    Relay boards that are on at low level (`active_high: false`): through lgpio and rpigpio the pin
    becomes an output at the level of off, without a blip. Through pigpio and native it becomes an
    output first, and the board may be on until it is set, a moment later. From power-on until the
    agent runs nobody drives the pin, and after a crash nobody does, or it keeps its level: that no
    program can prevent, only a resistor to the level of off and, for crashes, a relay that limits
    its own time.
    """

    def __init__(self, settings: RelaySettings) -> None:
        self.overran = False
        """The guard had to end a pulse. Whoever has told people of it sets it back."""
        self._pull_when_left = "down" if settings.active_high else "up"
        self._naming = partial(pins.naming, settings.pin, settings.pin_factory, RelayError)
        # The guard has a thread of its own, one for all pulses: to start one takes longer than all else
        # in an unlock. Under this lock, what is on has a time at which the guard will end it.
        self._lock = Lock()
        self._on = False
        self._cut_at: float | None = None  # monotonic
        self._closed = Event()
        with self._naming():
            self._output = _take(settings)
        try:
            self.drive(False)
            with self._naming():
                Thread(target=self._guard, name="relay's guard", daemon=True).start()
        except RelayError:
            with contextlib.suppress(RelayError):
                self._let_go()
            raise

    def drive(self, on: bool, at_most_s: float = 0.0) -> None:
        """Switch, and read back. Raises RelayError.

        What is on is off after `at_most_s` and a little, whatever becomes of the agent's main thread.
        The guard is there before the relay is on, and stays while it can't be switched off.
        """
        with self._lock, self._naming():
            if on:
                self._cut_at = monotonic() + at_most_s + GRACE_S
            self._switch(on)
            if not on:
                self._cut_at = None

    def check(self) -> None:
        """Raises RelayError when the pin reads back differently from what it was last switched to."""
        with self._lock, self._naming():
            self._read_back()

    def close(self) -> None:
        """Off, and let go of the pin, in any case. Raises RelayError when one of these failed."""
        try:
            self.drive(False)
        finally:
            with self._lock:
                self._cut_at = None
                self._closed.set()
                self._let_go()

    def _switch(self, on: bool) -> None:
        self._on = on
        self._output.on() if on else self._output.off()
        self._read_back()

    def _read_back(self) -> None:
        if bool(self._output.value) is not self._on:
            raise pins.PinError(f"relay was switched {'on' if self._on else 'off'} but reads back the opposite")

    def _guard(self) -> None:
        while not self._closed.wait(LOOK_EVERY_S):
            self._look()

    def _look(self) -> None:
        """On the guard's thread: the agent may hang, and not have ended this pulse in time."""
        with self._lock:
            if self._cut_at is None or monotonic() < self._cut_at:
                return
            self.overran = True
            with contextlib.suppress(Exception):  # whatever it is, there is nothing else to do than to try again
                self._switch(False)
                self._cut_at = None

    def _let_go(self) -> None:
        """The pin becomes an input, pulled to the level of off; gpiozero alone would leave it floating."""
        with self._naming(), contextlib.ExitStack() as stack:
            stack.callback(self._output.pin.input_with_pull, self._pull_when_left)
            self._output.close()


def _take(settings: RelaySettings) -> Any:
    """The pin as an output at the level of off."""
    factory = pins.factory(settings.pin_factory)
    if factory.pin(settings.pin).info.pull == ("up" if settings.active_high else "down"):
        raise pins.PinError("a resistor on the computer's board would switch the relay on whenever no program runs")
    return import_module("gpiozero").OutputDevice(
        settings.pin, active_high=settings.active_high, initial_value=False, pin_factory=factory
    )
