"""Settings of one door."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from agents.runtime.settings import Seconds, Section

PinFactory = Literal["lgpio", "rpigpio", "pigpio", "native", "mock"]


class RelaySettings(Section):
    """The relay that feeds the electric strike.

    `pin` is a BCM number, or any name gpiozero knows (`GPIO17`, `BOARD11`). `pin_factory` is
    named here so that a missing library is an error, not a silent fallback to another one.
    """

    pin: int | Annotated[str, StringConstraints(min_length=1, max_length=20)]
    pin_factory: PinFactory
    active_high: bool = True


class DoorSettings(Section):
    relay: RelaySettings
    hold_s: Annotated[float, Field(gt=0, le=60)] = 3.0
    max_hold_s: Annotated[float, Field(gt=0, le=300)] = 30.0
    max_age_s: Seconds = 10.0

    @model_validator(mode="after")
    def _bounds(self) -> Self:
        if self.max_hold_s < self.hold_s:
            raise ValueError(f"max_hold_s ({self.max_hold_s}) is shorter than hold_s ({self.hold_s})")
        return self
