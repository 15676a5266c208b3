"""Who may write and read what, as mosquitto's ACL. Derived from `agents.wire.topics`; does no I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from agents.house import House
from agents.scheduler.config import JOURNAL_USER
from agents.wire.topics import ALL, AVAILABILITY, AWAY_SET, COMMAND, EVENT, FRAME, REPLY, SESSION, Party, Topic
from broker.clients import Client

Access = Literal["write", "read"]
Names = tuple[str, ...]

HEAD = """\
# Made by `facelatch broker init` from the house's file: what you change here is lost.
# There is no line for everybody and none for strangers, so what is not written here is refused.
"""


@dataclass(frozen=True)
class User:
    """One user of the broker: a program, a telephone, Home Assistant.

    It stands for `parties` of the table of topics, and has to do with these `doors` and `cameras`. Of
    what each agent says of itself, it writes its `own` (kind, id) and reads that of `agents`.
    """

    name: str
    parties: frozenset[Party]
    doors: Names = ()
    cameras: Names = ()
    agents: tuple[tuple[str, str], ...] = ()
    own: tuple[str, str] | None = None
    writes: tuple[Topic, ...] = ALL
    reads: tuple[Topic, ...] = ALL

    def rights(self, base: str) -> Iterator[tuple[Access, str]]:
        """What it may do, topic by topic."""
        for topic in ALL:
            if topic.writer in self.parties and topic in self.writes:
                yield from (("write", topic.at(base, *names)) for names in self._names(topic, "write"))
            if self.parties.intersection(topic.readers) and topic in self.reads:
                yield from (("read", topic.at(base, *names)) for names in self._names(topic, "read"))

    def _names(self, topic: Topic, access: Access) -> Sequence[Names]:
        """What the topic's placeholders may stand for. The only wildcards are in the topics of answers:
        a door does not know beforehand who will ask, and only the asker knows its word.
        """
        placeholders = tuple(level for level in topic.path.split("/") if level.startswith("<"))
        own = [self.own] if self.own else []
        return {
            ("<camera>",): [(camera,) for camera in self.cameras],
            ("<door>",): [(door,) for door in self.doors],
            ("<agent>", "<id>"): own if access == "write" else self.agents,
            ("<id>",): [(id_,) for kind, id_ in (*own, *self.agents) if kind == "scheduler"],
            ("<client>", "<word>"): [("+" if access == "write" else self.name, "+")],
        }[placeholders]


def users(house: House, clients: Mapping[str, Client]) -> list[User]:
    """Everybody who may connect: the house's programs, its commands and its clients."""
    return [*_agents(house), *_commands(house), *(_client(house, *item) for item in clients.items())]


def text(everybody: Sequence[User], base: str) -> str:
    """The ACL file."""
    parts = [HEAD]
    for user in everybody:
        lines = [f"topic {access} {topic}\n" for access, topic in user.rights(base)]
        parts.append(f"\nuser {user.name}\n{''.join(lines)}")
    return "".join(parts)


def _agents(house: House) -> Iterator[User]:
    """A user each, named as `Session` names it."""
    doors, cameras = tuple(house.doors), tuple(house.cameras)
    yield from (_agent("door", door, doors=(door,)) for door in doors)
    yield _agent("recognizer", house.recognizer.id, cameras=cameras)
    watched, cameras_served = tuple(("door", door) for door in doors), _cameras_of(house, doors)
    scheduler = _agent("scheduler", house.scheduler.id, doors, cameras_served, watched)
    yield replace(scheduler, reads=tuple(topic for topic in ALL if topic is not EVENT))
    # its second connection, for which the broker keeps what it has not heard yet
    yield User(
        JOURNAL_USER, frozenset(("scheduler",)), doors, (), tuple(house.agents), writes=(), reads=(EVENT, AVAILABILITY)
    )
    yield from (_agent("camera", camera, cameras=(camera,)) for camera in cameras)


def _agent(
    kind: Party, id_: str, doors: Names = (), cameras: Names = (), agents: tuple[tuple[str, str], ...] = ()
) -> User:
    return User(f"{kind}-{id_}", frozenset((kind, "each agent")), doors, cameras, agents, own=(kind, id_))


_PEOPLE: frozenset[Party] = frozenset(("people",))


def _commands(house: House) -> Iterator[User]:
    doors = tuple(house.doors)
    yield User("unlock", _PEOPLE, doors, writes=(COMMAND,), reads=(SESSION, REPLY))
    yield User("enroll", _PEOPLE, cameras=tuple(house.cameras), writes=(), reads=(FRAME,))
    yield User("watch", _PEOPLE, doors, tuple(house.cameras), tuple(house.agents), writes=())


def _client(house: House, name: str, client: Client) -> User:
    """Sees its doors, the cameras that look for people at them, and the agents that serve them."""
    doors = tuple(door for door in house.doors if client.doors is None or door in client.doors)
    cameras = _cameras_of(house, doors)
    seen = {"door": doors, "camera": cameras}
    agents = tuple((kind, id_) for kind, id_ in house.agents if kind not in seen or id_ in seen[kind])
    writes = tuple(topic for topic in ALL if topic is not AWAY_SET or client.doors is None)  # it is for all doors
    # where a topic will be Home Assistant's alone, such a client gets that party here too
    return User(name, _PEOPLE, doors, cameras, agents, writes=() if client.read_only else writes)


def _cameras_of(house: House, doors: Names) -> Names:
    served = {camera for door in doors for camera in house.scheduler.doors[door].cameras}
    return tuple(camera for camera in house.cameras if camera in served)
