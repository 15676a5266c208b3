"""Who may write and read what, as mosquitto's ACL. Derived from `agents.wire.topics`; does no I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from agents.discovery.household import Household
from agents.house import House
from agents.scheduler.config import JOURNAL_USER
from agents.wire.feed import Feed
from agents.wire.topics import ALL, AVAILABILITY, AWAY_SET, BIRTH, COMMAND, EVENT, FRAME, REPLY, SESSION, Party, Topic
from broker import telling
from broker.clients import Client, publishes
from broker.telling import NOTHING, Pairs, Told

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
    what each agent says of itself, it writes its `own` (kind, id) and reads that of `agents`. Home
    Assistant is told of single entities below `told`, (component, node), and of whole devices by `nodes`.
    """

    name: str
    parties: frozenset[Party]
    doors: Names = ()
    cameras: Names = ()
    agents: tuple[tuple[str, str], ...] = ()
    own: tuple[str, str] | None = None
    told: Pairs = ()
    nodes: Names = ()
    writes: tuple[Topic, ...] = ALL
    reads: tuple[Topic, ...] = ALL
    feeds: Mapping[str, Feed] = field(default_factory=dict)

    def rights(self, home: Household) -> Iterator[tuple[Access, str]]:
        """What it may do, topic by topic."""
        for topic in ALL:
            root = home.root(topic)
            if topic.writer in self.parties and topic in self.writes:
                yield from (("write", self._at(topic, root, names)) for names in self._names(topic, "write"))
            if self.parties.intersection(topic.readers) and topic in self.reads:
                yield from (("read", self._at(topic, root, names)) for names in self._names(topic, "read"))

    def _at(self, topic: Topic, root: str, names: Names) -> str:
        """Frames may come from somebody else's topic."""
        feed = self.feeds.get(names[0]) if topic is FRAME else None
        return topic.at(root, *names) if feed is None else feed.topic(root)

    def _names(self, topic: Topic, access: Access) -> Sequence[Names]:
        """What the topic's placeholders may stand for. There are wildcards in the topics of answers, as a
        door does not know beforehand who will ask, and only the asker knows its word; and in the names of
        what an agent tells Home Assistant of its own devices.
        """
        placeholders = tuple(level for level in topic.path.split("/") if level.startswith("<"))
        own = [self.own] if self.own else []
        return {
            ("<camera>",): [(camera,) for camera in self.cameras],
            ("<door>",): [(door,) for door in self.doors],
            ("<agent>", "<id>"): own if access == "write" else self.agents,
            ("<id>",): [(id_,) for kind, id_ in (*own, *self.agents) if kind == "scheduler"],
            ("<client>", "<word>"): [("+" if access == "write" else self.name, "+")],
            ("<component>", "<node>", "<object>"): [(component, node, "+") for component, node in self.told],
            ("<node>",): [(node,) for node in self.nodes],
            (): [()],
        }[placeholders]


def users(house: House, clients: Mapping[str, Client], told: Told = NOTHING) -> list[User]:
    """Everybody who may connect: the house's programs, its commands and its clients. `told` is what Home
    Assistant was told so far, some of which is to be taken back.
    """
    agents = [_telling(house, user, told) for user in _agents(house)]
    everybody = [*agents, *_commands(house), *(_client(house, *item, told) for item in clients.items())]
    return [replace(user, feeds=house.feeds) for user in everybody]


def _telling(house: House, user: User, told: Told) -> User:
    if user.own is None:
        return user
    pairs, nodes = telling.by_agent(house, user.own, told)
    return replace(user, told=pairs, nodes=nodes)


def text(everybody: Sequence[User], home: Household) -> str:
    """The ACL file."""
    parts = [HEAD]
    for user in everybody:
        lines = [f"topic {access} {topic}\n" for access, topic in user.rights(home)]
        parts.append(f"\nuser {user.name}\n{''.join(lines)}")
    return "".join(parts)


def _agents(house: House) -> Iterator[User]:
    """A user each, named as `Session` names it."""
    doors, cameras = tuple(house.doors), tuple(house.cameras)
    yield from (_agent("door", door, doors=(door,)) for door in doors)
    yield _agent("recognizer", house.recognizer.id, doors, cameras)
    watched, cameras_served = tuple(("door", door) for door in doors), _cameras_of(house, doors)
    scheduler = _agent("scheduler", house.scheduler.id, doors, cameras_served, watched)
    yield replace(scheduler, reads=tuple(topic for topic in ALL if topic is not EVENT))
    # its second connection, for which the broker keeps what it has not heard yet
    yield User(
        JOURNAL_USER, frozenset(("scheduler",)), doors, (), tuple(house.agents), writes=(), reads=(EVENT, AVAILABILITY)
    )
    yield from (_agent("camera", camera, cameras=(camera,)) for camera, feed in house.feeds.items() if feed.ours)


def _agent(
    kind: Party, id_: str, doors: Names = (), cameras: Names = (), agents: tuple[tuple[str, str], ...] = ()
) -> User:
    return User(f"{kind}-{id_}", frozenset((kind, "each agent")), doors, cameras, agents, own=(kind, id_))


_PEOPLE: frozenset[Party] = frozenset(("people",))
_CAMERA: frozenset[Party] = frozenset(("camera",))
_HOME_ASSISTANT: frozenset[Party] = frozenset(("Home Assistant",))


def _commands(house: House) -> Iterator[User]:
    doors = tuple(house.doors)
    yield User("unlock", _PEOPLE, doors, writes=(COMMAND,), reads=(SESSION, REPLY))
    yield User("enroll", _PEOPLE, cameras=tuple(house.cameras), writes=(), reads=(FRAME,))
    yield User("watch", _PEOPLE, doors, tuple(house.cameras), tuple(house.agents), writes=())


def _client(house: House, name: str, client: Client, told: Told) -> User:
    """Sees its doors, the cameras that look for people at them, and the agents that serve them. Or it is a camera."""
    if client.camera is not None:
        camera = publishes(client, house)
        return User(name, _CAMERA, cameras=() if camera is None else (camera,), writes=(FRAME,), reads=())
    doors = tuple(door for door in house.doors if client.doors is None or door in client.doors)
    cameras = _cameras_of(house, doors)
    seen = {"door": doors, "camera": cameras}
    agents = tuple((kind, id_) for kind, id_ in house.agents if kind not in seen or id_ in seen[kind])
    writes = tuple(topic for topic in ALL if topic is not AWAY_SET or client.doors is None)  # it is for all doors
    user = User(name, _PEOPLE, doors, cameras, agents, writes=() if client.read_only else writes)
    return _home_assistant(house, user, told) if client.home_assistant else user


def _home_assistant(house: House, user: User, told: Told) -> User:
    """Is told of what it may see, and says when it was born, whatever else it may not write."""
    seen = [*(("door", door) for door in user.doors), *(("camera", camera) for camera in user.cameras), *user.agents]
    nodes = telling.to_home_assistant(house, seen, told)
    pairs, writes = tuple(("+", node) for node in nodes), tuple(dict.fromkeys((*user.writes, BIRTH)))
    return replace(user, parties=_PEOPLE | _HOME_ASSISTANT, told=pairs, nodes=nodes, writes=writes)


def _cameras_of(house: House, doors: Names) -> Names:
    served = {camera for door in doors for camera in house.scheduler.doors[door].cameras}
    return tuple(camera for camera in house.cameras if camera in served)
