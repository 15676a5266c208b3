"""Every MQTT topic of Facelatch, each written once. `topics.md` is the same table for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Writer = Literal["camera", "recognizer", "scheduler", "door", "people", "each agent"]


@dataclass(frozen=True)
class Topic:
    """One row of the contract.

    `path` holds the levels below the house's base; levels in <angle brackets> are names.
    `live_only` topics carry something that is true now or never (an unlock, a frame): a
    retained copy of one is refused by its reader.
    """

    path: str
    writer: Writer
    qos: Literal[0, 1]
    retain: bool
    expiry_s: int | None = None
    live_only: bool = False

    def at(self, base: str, *names: str) -> str:
        """The topic string for these names, in the order of the path's placeholders.

        Raises ValueError when the number of names is wrong.
        """
        given = iter(names)
        levels = [next(given, "") if _is_name(level) else level for level in self._levels]
        if "" in levels or next(given, None) is not None:
            raise ValueError(f"{self.path} does not take the names {names}")
        return "/".join([base, *levels])

    @property
    def _levels(self) -> list[str]:
        return self.path.split("/")


def _is_name(level: str) -> bool:
    return level.startswith("<")


FRAME = Topic("camera/<camera>/frame", "camera", qos=0, retain=False, live_only=True)
IDENTITY = Topic("recognizer/<camera>/identity", "recognizer", 0, False, expiry_s=5, live_only=True)
PERSON = Topic("recognizer/<camera>/person", "recognizer", qos=1, retain=True)
SNAPSHOT = Topic("recognizer/<camera>/snapshot", "recognizer", qos=0, retain=True)
DECISION = Topic("scheduler/<door>/decision", "scheduler", qos=1, retain=False)
WINDOW = Topic("scheduler/<door>/window", "scheduler", qos=1, retain=True)
ENABLED = Topic("scheduler/<door>/enabled", "scheduler", qos=1, retain=True)
ENABLED_SET = Topic("scheduler/<door>/enabled/set", "people", qos=1, retain=False, live_only=True)
GRANT = Topic("door/<door>/grant", "scheduler", qos=0, retain=False, expiry_s=5, live_only=True)
COMMAND = Topic("door/<door>/command", "people", qos=0, retain=False, live_only=True)
SESSION = Topic("door/<door>/session", "door", qos=1, retain=True)
STATE = Topic("door/<door>/state", "door", qos=1, retain=True)
EVENT = Topic("door/<door>/event", "door", qos=1, retain=False)
AVAILABILITY = Topic("<agent>/<id>/availability", "each agent", qos=1, retain=True)
HEALTH = Topic("<agent>/<id>/health", "each agent", qos=1, retain=True)

ALL = (
    FRAME, IDENTITY, PERSON, SNAPSHOT, DECISION, WINDOW, ENABLED, ENABLED_SET,
    GRANT, COMMAND, SESSION, STATE, EVENT, AVAILABILITY, HEALTH,
)  # fmt: skip
