"""The entities that every agent has: how it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from agents.discovery.device import Device, Entity
from agents.discovery.household import Household
from agents.wire.topics import AVAILABILITY, HEALTH


def link(home: Household, kind: str, name: str) -> str:
    """The topic that says whether an agent is there."""
    return AVAILABILITY.at(home.base, kind, name)


def with_diagnostics(devices: Sequence[Device], home: Household, kind: str, name: str, cpu: bool) -> list[Device]:
    """How the agent `name` is, told with its own device, the first."""
    told = diagnostics(home, kind, name, cpu)
    return [replace(one, entities=(*one.entities, *told)) if one is devices[0] else one for one in devices]


def diagnostics(home: Household, kind: str, name: str, cpu: bool) -> tuple[Entity, ...]:
    """Of the agent `name`; `cpu` says whether its machine can tell its temperature."""
    health, links = HEALTH.at(home.base, kind, name), (link(home, kind, name),)
    problem = {
        "name": "Problem",
        "device_class": "problem",
        "entity_category": "diagnostic",
        "state_topic": health,
        "value_template": "{{ 'ON' if value_json.problem else 'OFF' }}",
        "json_attributes_topic": health,
        "json_attributes_template": "{{ {'problem': value_json.problem} | tojson }}",
    }
    found = [
        Entity("binary_sensor", "problem", problem, links),
        *(_latency(health, links, which, 1 if kind == "door" else 0) for which in ("p50", "p95")),
        Entity("sensor", "version", _sensor("Version", health, "value_json.version", icon="mdi:tag-outline"), links),
    ]
    return (*found, *([_temperature(health, links)] if cpu else []))


def counter(home: Household, kind: str, name: str, key: str, title: str, value: str, icon: str) -> Entity:
    """A number from the agent's health; `value` is the template's expression for it."""
    config = _sensor(title, HEALTH.at(home.base, kind, name), value, icon=icon)
    return Entity("sensor", key, config, (link(home, kind, name),))


def _latency(health: str, links: tuple[str, ...], which: str, digits: int) -> Entity:
    config = _sensor(
        f"Latency {which}",
        health,
        f"value_json.latency_ms.{which} if value_json.latency_ms else none",
        device_class="duration",
        unit_of_measurement="ms",
        state_class="measurement",
        suggested_display_precision=digits,
        icon="mdi:timer-outline",
    )
    return Entity("sensor", f"latency_{which}", config, links)


def _temperature(health: str, links: tuple[str, ...]) -> Entity:
    config = _sensor(
        "CPU temperature",
        health,
        "value_json.cpu_c",
        device_class="temperature",
        unit_of_measurement="°C",
        state_class="measurement",
        suggested_display_precision=0,
    )
    return Entity("sensor", "cpu_temperature", config, links)


def _sensor(title: str, topic: str, value: str, **more: object) -> dict[str, object]:
    return {
        "name": title,
        "state_topic": topic,
        "value_template": f"{{{{ {value} }}}}",
        "entity_category": "diagnostic",
        **more,
    }
