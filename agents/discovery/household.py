"""The names by which Home Assistant knows the house, and which device belongs to which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from agents import __version__
from agents.wire.topics import Topic

Form = Literal["single", "device", "off"]
Info = dict[str, Any]
"""A device as Home Assistant wants it described. Version 2024.3 refuses keys that it does not know."""


@dataclass(frozen=True)
class Household:
    """What every agent knows of the others: as little as their devices' links and names need.

    `doors` and `cameras` are names to be shown instead of those made from their keys. `recognizer` and
    `scheduler` are the ids of those two.
    """

    base: str = "facelatch"
    prefix: str = "homeassistant"
    form: Form = "off"
    recognizer: str = "main"
    scheduler: str = "main"
    doors: Mapping[str, str] = field(default_factory=dict)
    cameras: Mapping[str, str] = field(default_factory=dict)

    def root(self, topic: Topic) -> str:
        """What a topic stands below."""
        return self.base if topic.below == "house" else self.prefix

    def node(self, *parts: str) -> str:
        """What an agent's discovery topics and unique ids begin with; a broker's ACL tells agents apart by it."""
        return "-".join([*self.base.split("/"), *parts])

    def door(self, name: str) -> Info:
        return self._device("Door", self.doors.get(name) or _title(name, "door"), "door", name) | {
            "via_device": self.node("scheduler", self.scheduler)
        }

    def camera(self, name: str) -> Info:
        return self._device("Camera", self.cameras.get(name) or _title(name, "camera"), "camera", name) | {
            "via_device": self.node("recognizer", self.recognizer)
        }

    def the_recognizer(self) -> Info:
        return self._device("Recognizer", "Facelatch recognizer", "recognizer", self.recognizer) | {
            "via_device": self.node("scheduler", self.scheduler)
        }

    def the_scheduler(self) -> Info:
        return self._device("Scheduler", "Facelatch scheduler", "scheduler", self.scheduler)

    def _device(self, model: str, title: str, *names: str) -> Info:
        return {
            "identifiers": [self.node(*names)],
            "name": title,
            "manufacturer": "Facelatch",
            "model": model,
            "sw_version": __version__,
        }


def _title(key: str, kind: str) -> str:
    """`front` is the "Front door", and `back_door` the "Back door"."""
    words = key.replace("_", " ").replace("-", " ").split() or [key]
    if kind not in words:
        words.append(kind)
    return " ".join(words).capitalize()
