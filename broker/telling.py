"""Which agent may tell Home Assistant of what. Does no I/O.

Where each entity has a message of its own, an agent may tell of the kinds that it has, and of no other: who
has a camera's password can't put a button into the interface that opens a door when somebody presses it. A
message for a whole device can hold anything, so that form is allowed only to who chose it; and once more to
who chose another since, for taking back what was told. A door may tell of a lock, and nothing keeps it from
telling of one that commands another door: that is Home Assistant's to refuse, or its user's at the broker.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agents.discovery.device import Device
from agents.house import House

Pairs = tuple[tuple[str, str], ...]
"""(component, node): levels of discovery topics. `+` is any component."""


@dataclass(frozen=True)
class Told:
    """What the house told Home Assistant when the broker's files were last made: of which entities ever,
    and whether by messages for whole devices.
    """

    entities: Pairs = ()
    whole: bool = False

    def with_(self, house: House) -> Told:
        """As it is to be remembered."""
        now = [pair for devices in house.devices().values() for pair in _pairs(devices)]
        return Told(tuple(dict.fromkeys([*self.entities, *now])), _whole(house))

    def departed(self, house: House) -> list[str]:
        """Nodes of what the house has no more."""
        known = set(nodes(house))
        return list(dict.fromkeys(node for _, node in self.entities if node not in known))


NOTHING = Told()


def nodes(house: House) -> list[str]:
    """Below which the house's agents tell Home Assistant of their devices."""
    return [device.node for devices in house.devices().values() for device in devices]


def by_agent(house: House, agent: tuple[str, str], told: Told) -> tuple[Pairs, tuple[str, ...]]:
    """What an agent (kind, id) may write: single entities; and the nodes of whole devices.

    What is gone from the house is taken back by who told it, where it is still there, and by the scheduler.
    """
    devices = house.devices()[agent]
    own, departed = house.home.node(*agent), told.departed(house)
    below = [device.node for device in devices]
    below += [node for node in departed if agent[0] in ("recognizer", "scheduler") and node.startswith(f"{own}-")]
    before = [(component, node) for component, node in told.entities if node in below]
    others = departed if agent[0] == "scheduler" else []
    pairs = [*_pairs(devices), *before, *(("+", node) for node in others)]
    whole = [*below, *others] if _whole(house) or told.whole else []
    return tuple(dict.fromkeys(pairs)), tuple(dict.fromkeys(whole))


def to_home_assistant(house: House, agents: Sequence[tuple[str, str]], told: Told) -> tuple[str, ...]:
    """The nodes of what it may see: the devices of these agents (kind, id), and what is taken back."""
    seen = {house.home.node(*agent) for agent in agents}
    devices = [device for devices in house.devices().values() for device in devices]
    return (*(d.node for d in devices if seen.issuperset(d.info["identifiers"])), *told.departed(house))


def _pairs(devices: Sequence[Device]) -> Pairs:
    found = {(entity.component, device.node): None for device in devices for entity in device.entities}
    return tuple(found)


def _whole(house: House) -> bool:
    return house.home_assistant.discovery == "device"
