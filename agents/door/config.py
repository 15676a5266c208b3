"""Settings of one door."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from agents.runtime.settings import Seconds, Section

LEAST_HOLD_S = 0.5  # an unlock that is shorter than this is of no use to anybody

PinFactory = Literal["lgpio", "rpigpio", "pigpio", "native", "mock"]
Word = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
Pin = int | Annotated[str, StringConstraints(min_length=1, max_length=20)]


class RelaySettings(Section):
    """The relay that feeds the electric strike.

    `pin` is a BCM number, or any name gpiozero knows (`GPIO17`, `BOARD11`). `pin_factory` is
    named here so that a missing library is an error, not a silent fallback to another one; the
    door's inputs are read through the same.
    """

    pin: Pin
    pin_factory: PinFactory
    active_high: bool = True


class InputSettings(Section):
    """A contact on a pin. With `pull: up` it is active when wired to ground, with `pull: down` when
    wired to 3.3 V; `inverted` turns that round, for contacts that open when they are active.
    """

    pin: Pin
    pull: Literal["up", "down"] = "up"
    inverted: bool = False
    debounce_s: Annotated[float, Field(ge=0.005, le=1)] = 0.05


class ExitButtonSettings(InputSettings):
    """A button on the inside; active is pressed."""


class ContactSettings(InputSettings):
    """A reed contact on the door's leaf; active is closed.

    `report_forced: false` is for doors with a handle inside: there nobody can tell a break-in from
    somebody leaving.
    """

    held_open_after_s: Seconds = 60.0
    locks_when_opened: bool = False
    report_forced: bool = True


class PromptSettings(Section):
    """A program, and its arguments, that says to people what the scheduler asks them to do. In an argument
    `{text}` stands for the words and `{action}` for the action's own, `turn_left`; there is no shell. It
    should be on this machine's disk: it can take up to `timeout_s`, then it is killed.
    """

    command: Annotated[list[Word], Field(min_length=1, max_length=20)]
    timeout_s: Annotated[float, Field(gt=0, le=30)] = 5.0

    @model_validator(mode="after")
    def _program(self) -> Self:
        if "{" in self.command[0]:
            raise ValueError("command: the first word is the program itself, without {text} or {action}")
        return self


class DoorSettings(Section):
    """`rest_s` is how long nothing but the exit button opens after the strike has been released for
    `max_hold_s` in one go. `on_broker_lost` says what becomes of a pulse when the broker goes.
    `test_pulse_s` is how long the command TEST releases the strike; null: it is refused.
    """

    relay: RelaySettings
    hold_s: Annotated[float, Field(gt=0, le=60)] = 3.0
    max_hold_s: Annotated[float, Field(gt=0, le=300)] = 30.0
    rest_s: Annotated[float, Field(ge=0, le=300)] = 5.0
    test_pulse_s: Annotated[float, Field(gt=0, le=5)] | None = None
    max_age_s: Annotated[float, Field(gt=0, le=60)] = 10.0  # ids are remembered for longer, even in a flood
    on_broker_lost: Literal["finish", "cut"] = "finish"
    exit_button: ExitButtonSettings | None = None
    contact: ContactSettings | None = None
    prompt: PromptSettings | None = None

    @model_validator(mode="after")
    def _bounds(self) -> Self:
        if self.max_hold_s < self.hold_s:
            raise ValueError(f"max_hold_s ({self.max_hold_s}) is shorter than hold_s ({self.hold_s})")
        if self.test_pulse_s is not None and self.max_hold_s < self.test_pulse_s:
            raise ValueError(f"max_hold_s ({self.max_hold_s}) is shorter than test_pulse_s ({self.test_pulse_s})")
        return self

    @model_validator(mode="after")
    def _pins(self) -> Self:
        pins = [section.pin for section in (self.relay, self.exit_button, self.contact) if section is not None]
        if len({str(pin).upper().removeprefix("GPIO") for pin in pins}) < len(pins):
            raise ValueError("relay, exit_button and contact need a pin each")
        return self

    @property
    def hold_bounds_s(self) -> tuple[float, float]:
        """Between these, in seconds, people may set over MQTT how long an unlock lasts."""
        return min(LEAST_HOLD_S, self.hold_s), self.max_hold_s
