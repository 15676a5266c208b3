"""Every MQTT topic of Facelatch, each written once. `topics.md` is the same table for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Party = Literal["camera", "recognizer", "scheduler", "door", "people", "each agent", "Home Assistant"]
Root = Literal["house", "home_assistant"]


@dataclass(frozen=True)
class Topic:
    """One row of the contract.

    `path` holds the levels below the house's base, or below Home Assistant's own prefix, as `below`
    says; levels in <angle brackets> are names. The broker lets its `writer` write it and its `readers`
    read it; "people" are Home Assistant, telephones and the commands. `live_only` topics carry something
    that is true now or never (an unlock, a frame): a retained copy of one is refused by its reader.
    """

    path: str
    writer: Party
    readers: tuple[Party, ...]
    qos: Literal[0, 1]
    retain: bool
    expiry_s: int | None = None
    live_only: bool = False
    below: Root = "house"

    def at(self, base: str, *names: str) -> str:
        """The topic string below `base` for these names, in the order of the path's placeholders.

        Raises ValueError when the number of names is wrong.
        """
        given = iter(names)
        levels = [next(given, "") if _is_name(level) else level for level in self._levels]
        if "" in levels or next(given, None) is not None:
            raise ValueError(f"{self.path} does not take the names {names}")
        return "/".join([base, *levels])

    def names_in(self, base: str, topic: str) -> tuple[str, ...] | None:
        """The names in a topic string, or None when it is not one of this topic's: the reverse of `at`."""
        levels = topic.removeprefix(f"{base}/").split("/")
        names = tuple(level for level, ours in zip(levels, self._levels, strict=False) if _is_name(ours))
        if "" in names or any(set("+#") & set(name) for name in names):
            return None
        return names if len(levels) == len(self._levels) and self.at(base, *names) == topic else None

    @property
    def _levels(self) -> list[str]:
        return self.path.split("/")


def _is_name(level: str) -> bool:
    return level.startswith("<")


FRAME = Topic("camera/<camera>/frame", "camera", ("recognizer", "people"), qos=0, retain=False, live_only=True)
IDENTITY = Topic(
    "recognizer/<camera>/identity", "recognizer", ("scheduler", "people"), 0, False, expiry_s=5, live_only=True
)
PERSON = Topic("recognizer/<camera>/person", "recognizer", ("people",), qos=1, retain=True)
SNAPSHOT = Topic("recognizer/<camera>/snapshot", "recognizer", ("scheduler", "people"), qos=0, retain=True)
RECOGNITION = Topic("recognizer/<camera>/event", "recognizer", ("people",), qos=1, retain=False, expiry_s=60)
DECISION = Topic("scheduler/<door>/decision", "scheduler", ("people",), qos=1, retain=False)
LAST = Topic("scheduler/<door>/last", "scheduler", ("people",), qos=1, retain=True)
WINDOW = Topic("scheduler/<door>/window", "scheduler", ("people",), qos=1, retain=True)
ENABLED = Topic("scheduler/<door>/enabled", "scheduler", ("people",), qos=1, retain=True)
ENABLED_SET = Topic("scheduler/<door>/enabled/set", "people", ("scheduler",), qos=1, retain=False, live_only=True)
AWAY = Topic("scheduler/<id>/away", "scheduler", ("people",), qos=1, retain=True)
AWAY_SET = Topic("scheduler/<id>/away/set", "people", ("scheduler",), qos=1, retain=False, live_only=True)
LET_IN = Topic("scheduler/<door>/let_in", "scheduler", ("people",), qos=1, retain=True)
LET_IN_SET = Topic("scheduler/<door>/let_in/set", "people", ("scheduler",), qos=1, retain=False, live_only=True)
QUESTION = Topic("scheduler/<door>/question", "scheduler", ("people",), qos=1, retain=False, expiry_s=60)
QUESTION_SNAPSHOT = Topic("scheduler/<door>/question/snapshot", "scheduler", ("people",), 0, False, expiry_s=60)
CHALLENGE = Topic(
    "scheduler/<door>/challenge", "scheduler", ("recognizer", "door", "people"), 1, False, expiry_s=10, live_only=True
)
ANSWER = Topic("scheduler/<door>/answer", "people", ("scheduler",), qos=1, retain=False, live_only=True)
GRANT = Topic("door/<door>/grant", "scheduler", ("door",), qos=0, retain=False, expiry_s=5, live_only=True)
COMMAND = Topic("door/<door>/command", "people", ("door",), qos=0, retain=False, live_only=True)
REPLY = Topic("reply/<client>/<word>", "door", ("people",), qos=0, retain=False, expiry_s=5)
SESSION = Topic("door/<door>/session", "door", ("scheduler", "people"), qos=1, retain=True)
STATE = Topic("door/<door>/state", "door", ("people",), qos=1, retain=True)
CONTACT = Topic("door/<door>/contact", "door", ("people",), qos=1, retain=True)
HOLD = Topic("door/<door>/hold_s", "door", ("people",), qos=1, retain=True)
HOLD_SET = Topic("door/<door>/hold_s/set", "people", ("door",), qos=1, retain=False, live_only=True)
EVENT = Topic("door/<door>/event", "door", ("scheduler", "people"), qos=1, retain=False)
AVAILABILITY = Topic("<agent>/<id>/availability", "each agent", ("scheduler", "people"), qos=1, retain=True)
HEALTH = Topic("<agent>/<id>/health", "each agent", ("people",), qos=1, retain=True)
BIRTH = Topic("status", "Home Assistant", ("each agent",), qos=0, retain=False, below="home_assistant")
DISCOVERY = Topic(
    "<component>/<node>/<object>/config", "each agent", ("Home Assistant",), 1, True, below="home_assistant"
)
DEVICE_DISCOVERY = Topic("device/<node>/config", "each agent", ("Home Assistant",), 1, True, below="home_assistant")

ALL = (
    FRAME, IDENTITY, PERSON, SNAPSHOT, RECOGNITION, DECISION, LAST, WINDOW, ENABLED, ENABLED_SET, AWAY, AWAY_SET,
    LET_IN, LET_IN_SET, QUESTION, QUESTION_SNAPSHOT, CHALLENGE, ANSWER, GRANT, COMMAND, REPLY, SESSION, STATE, CONTACT,
    HOLD, HOLD_SET, EVENT, AVAILABILITY, HEALTH, BIRTH, DISCOVERY, DEVICE_DISCOVERY,
)  # fmt: skip
