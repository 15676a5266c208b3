"""Devices and their entities, and the messages that announce them, in either form.

The keys are those of Home Assistant's MQTT integration: https://www.home-assistant.io/integrations/mqtt/
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from agents import __version__
from agents.discovery.household import Form, Info
from agents.wire.topics import DEVICE_DISCOVERY, DISCOVERY, Topic

ORIGIN = {"name": "Facelatch", "sw_version": __version__}
NO_ENTITY = ("device_automation", "tag")  # these have neither a name nor an id of their own


@dataclass(frozen=True)
class Entity:
    """One entity, trigger or tag of a device.

    `key` is its name in topics and ids, and must never change. `links` are the availability topics of
    all that it needs to work: with one of them away it is unavailable.
    """

    component: str
    key: str
    config: Mapping[str, Any]
    links: tuple[str, ...] = ()


@dataclass(frozen=True)
class Device:
    """What one agent tells of one device. Two agents may tell of the same, each from a node of its own."""

    node: str
    info: Info
    entities: tuple[Entity, ...]


@dataclass(frozen=True)
class Announcement:
    """One retained message. `parts` says which entities are in it, by key, where it is for a whole device."""

    topic: Topic
    names: tuple[str, ...]
    payload: bytes
    parts: Mapping[str, str]


def announcements(devices: Iterable[Device], form: Form) -> Iterator[Announcement]:
    """What to publish; nothing where Home Assistant is told nothing."""
    for device in devices if form != "off" else ():
        if form == "device":
            yield _whole(device)
        else:
            yield from (_alone(device, entity) for entity in device.entities)


def without(announcement: Announcement, gone: Mapping[str, str]) -> Announcement:
    """The message of a device that had more entities before: named once more, they are removed."""
    payload = json.loads(announcement.payload)
    payload["components"] |= {key: {"platform": component} for key, component in gone.items()}
    return Announcement(announcement.topic, announcement.names, _json(payload), announcement.parts)


def _alone(device: Device, entity: Entity) -> Announcement:
    config = {**_config(device, entity), "device": device.info, "origin": ORIGIN}
    return Announcement(DISCOVERY, (entity.component, device.node, entity.key), _json(config), {})


def _whole(device: Device) -> Announcement:
    components = {e.key: {"platform": e.component, **_config(device, e)} for e in device.entities}
    payload = {"device": device.info, "origin": ORIGIN, "components": components}
    parts = {entity.key: entity.component for entity in device.entities}
    return Announcement(DEVICE_DISCOVERY, (device.node,), _json(payload), parts)


def _config(device: Device, entity: Entity) -> dict[str, Any]:
    config = dict(entity.config)
    if entity.component in NO_ENTITY:
        return config
    config["unique_id"] = f"{device.node}-{entity.key}"
    config["availability"] = [{"topic": link} for link in entity.links]
    config["availability_mode"] = "all"
    return config


def _json(payload: Mapping[str, Any]) -> bytes:
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
