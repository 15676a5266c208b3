"""Where a camera's frames come from, as far as those who read them have to know."""

from __future__ import annotations

from dataclasses import dataclass

from agents.wire.topics import FRAME


@dataclass(frozen=True)
class Feed:
    """The frames of `camera`. They are `ours` where an agent of the house makes them. `at` is the full
    MQTT topic on which somebody else publishes them, if that is not the house's own.
    """

    camera: str
    ours: bool = True
    at: str | None = None

    @property
    def steady(self) -> bool:
        """Whether pictures come all the time. Elsewhere they are often of events only, and the best of
        them comes once more when an event is over: so it is with Frigate.
        """
        return self.at is None

    def topic(self, base: str) -> str:
        """The full MQTT topic, for a house's `base`."""
        return self.at or FRAME.at(base, self.camera)
