"""The people's telephones, dashboards and Home Assistant: those who connect and are no program of the house."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from agents.house import House
from agents.scheduler.config import JOURNAL_USER
from agents.wire.messages import first_error
from agents.wire.values import Name
from broker import BrokerError

PROGRAMS = ("unlock", "enroll", "watch", JOURNAL_USER)
KINDS = ("door", "camera", "recognizer", "scheduler")


class Client(BaseModel):
    """What somebody may command, and see: these `doors`, or all with None, those of later years included.
    Or it is a `camera` without an agent, which publishes its frames, and may do nothing else.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    doors: tuple[Name, ...] | None
    read_only: bool = False
    home_assistant: bool = False
    camera: Name | None = None


_FILE: TypeAdapter[dict[Name, Client]] = TypeAdapter(dict[Name, Client])
_NAME: TypeAdapter[str] = TypeAdapter(Name)


def decode(data: bytes, where: str) -> dict[str, Client]:
    """The clients in the file `where`. Raises BrokerError."""
    try:
        found = dict(_FILE.validate_json(data))
    except ValidationError as error:
        raise BrokerError(f"{where} can't be read: {first_error(error)}") from None
    for name in found:
        _check_name(name)
    return found


def encode(clients: Mapping[str, Client]) -> bytes:
    return _FILE.dump_json(dict(clients), indent=2) + b"\n"


def check_new(name: str, client: Client, known: Mapping[str, Client], house: House) -> None:
    """Raises BrokerError when there can be no such client."""
    _check_name(name)
    if name in known:
        raise BrokerError(f"there is a client {name!r} already")
    for door in lost_doors(client, house):
        raise BrokerError(f"there is no door {door!r}: {', '.join(house.doors) or 'none'}")
    if client.camera is not None:
        _check_camera(client.camera, house)


def lost_doors(client: Client, house: House) -> list[str]:
    """The client's doors that the house does not have, or not any more."""
    return [door for door in client.doors or () if door not in house.doors]


def publishes(client: Client, house: House) -> str | None:
    """The camera whose frames it publishes, unless the house has none of that name, or makes them itself."""
    feed = house.feeds.get(client.camera or "")
    return None if feed is None or feed.ours else feed.camera


def _check_camera(name: str, house: House) -> None:
    if name not in house.cameras:
        raise BrokerError(f"there is no camera {name!r}: {', '.join(house.cameras) or 'none'}")
    if house.feeds[name].ours:
        raise BrokerError(
            f"camera {name!r} has an agent, which is a user of its own: camera-{name}. For a camera that publishes "
            "its frames itself, write source: mqtt into the house's file"
        )


def _check_name(name: str) -> None:
    try:
        _NAME.validate_python(name)
    except ValidationError as error:
        raise BrokerError(f"{name!r:.60} can't be a client's name: {first_error(error)}") from None
    if name in PROGRAMS or name.partition("-")[0] in KINDS:
        raise BrokerError(f"{name!r} can't be a client's name: the house's programs are called like that")
