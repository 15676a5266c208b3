"""The exit button and the contact on the leaf, read through gpiozero."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module

from agents.door import pins
from agents.door.config import DoorSettings, InputSettings, PinFactory
from agents.runtime.inbox import Inbox


class InputError(pins.PinError):
    """The input can't be read; its text says why, for people."""


@dataclass(frozen=True)
class Pressed:
    """An edge of the exit button's contact."""

    pressed: bool


@dataclass(frozen=True)
class Closed:
    """An edge of the leaf's contact."""

    closed: bool


class Input:
    """One input pin. Raises InputError when the pin can't be had.

    `notify` hears on another thread of every edge, with the level after it; nothing is debounced
    here. It may only put an event in the inbox: an error in it could end the pin library's thread,
    and with it all edges of all pins. Edges do get lost, in the kernel and on the way, so the agent
    reads `active` now and then. gpiozero's own events would then pass over the next edge too, as no
    change; these are the pin's.
    """

    def __init__(self, settings: InputSettings, pin_factory: PinFactory, notify: Callable[[bool], None]) -> None:
        self._naming = partial(pins.naming, settings.pin, pin_factory, InputError)
        self._notify = notify
        self._inverted = settings.inverted
        self._active_level = (settings.pull == "down") is not settings.inverted
        with self._naming():
            self._device = import_module("gpiozero").InputDevice(
                settings.pin, pull_up=settings.pull == "up", pin_factory=pins.factory(pin_factory)
            )
            self._listen()

    @property
    def active(self) -> bool:
        """Whether the input is active at this moment. Raises InputError."""
        with self._naming():
            return bool(self._device.value) is not self._inverted

    def close(self) -> None:
        """Let go of the pin; `notify` is not called any more. Raises InputError."""
        with self._naming():
            try:
                self._device.pin.when_changed = None
            finally:
                self._device.close()

    def _listen(self) -> None:
        try:
            self._device.pin.edges = "both"
            self._device.pin.when_changed = self._changed
        except Exception:
            self._device.close()
            raise

    def _changed(self, _ticks: object, level: int) -> None:
        self._notify(bool(level) is self._active_level)


class Inputs:
    """A door's inputs, each where it is wired. Edges come as `Pressed` and `Closed` through the inbox."""

    def __init__(self, settings: DoorSettings, inbox: Inbox) -> None:
        self._settings, self._inbox = settings, inbox
        self._button: Input | None = None
        self._contact: Input | None = None
        self.problem: str | None = None

    def start(self) -> None:
        """Raises InputError."""
        pins = self._settings.relay.pin_factory
        if self._settings.exit_button is not None:
            self._button = Input(self._settings.exit_button, pins, self._heard(Pressed))
        if self._settings.contact is not None:
            self._contact = Input(self._settings.contact, pins, self._heard(Closed))

    def read(self) -> tuple[bool | None, bool | None]:
        """Whether the button is pressed and the leaf closed; None for what is not wired. Raises InputError."""
        return _read(self._button), _read(self._contact)

    def look(self) -> tuple[bool, bool | None]:
        """As `read`, but `problem` says what can't be read: a button like that is not pressed."""
        self.problem = None
        return self._look(self._button) or False, self._look(self._contact)

    def close(self) -> None:
        """Let go of both, in any case. Raises InputError."""
        with contextlib.ExitStack() as stack:
            for device in (self._button, self._contact):
                if device is not None:
                    stack.callback(device.close)

    def _look(self, device: Input | None) -> bool | None:
        try:
            return _read(device)
        except InputError as error:
            self.problem = str(error)
            return None

    def _heard(self, kind: Callable[[bool], object]) -> Callable[[bool], None]:
        """Every edge begins the wait for a settled level anew, so the newest is enough: a chattering wire
        must not fill the inbox.
        """
        return lambda active: self._inbox.put_latest(kind, kind(active))


def _read(device: Input | None) -> bool | None:
    return None if device is None else device.active
