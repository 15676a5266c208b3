"""What a Home Assistant that is merely connected to the broker shows of the house."""

from __future__ import annotations

import pytest

from tests.home_assistant.conftest import TABLES, Site
from tests.home_assistant.house import PERSON
from tests.live.tools import wait_until

AGENT = {"problem": "binary_sensor", "latency_p50": "sensor", "latency_p95": "sensor", "version": "sensor"}
ENTITIES = {
    "front_door": {
        "lock": [""],
        "binary_sensor": ["contact", "working_hours"],
        "button": ["let_in_who_asks", "test_pulse", "turn_away_who_asks"],
        "event": ["access", "activity", "question"],
        "image": ["who_asks"],
        "number": ["hold_time"],
        "sensor": ["last_decision", "last_decision_time", "last_person"],
        "switch": ["face_unlock"],
        "text": ["let_in"],
    },
    "facelatch_scheduler": {"switch": ["away"]},
    "facelatch_recognizer": {"sensor": ["frames_passed_over", "people_enrolled", "queue"]},
    **{
        camera: {
            "camera": [""],
            "event": ["recognition"],
            "image": ["last_recognition"],
            "sensor": ["frames_passed_over", "person"],
        }
        for camera in ("front_camera", "yard_camera")
    },
}
# nobody has pressed them, asked anything, or stood before the camera in the yard
NOTHING_YET = ("button.", "event.front_door_question", "image.front_door_who_asks", "event.yard_", "image.yard_")
ON_A_PI = "_cpu_temperature"  # and on other machines that know how warm they are
DOOR_TRIGGERS = {"forced", "held_open", "jammed", "rejected", "unlocked", "granted", "denied"}


def expected() -> set[str]:
    found = {f"{kind}.{device}_{key}" for device in ENTITIES for key, kind in AGENT.items()}
    for device, kinds in ENTITIES.items():
        found |= {f"{kind}.{device}_{key}".rstrip("_") for kind, keys in kinds.items() for key in keys}
    return found


def test_every_entity_is_there_and_no_other(site: Site) -> None:
    wait_until("all entities", lambda: expected() <= site.hass.entities().keys())
    others = site.hass.entities().keys() - expected()
    assert {entity for entity in others if not entity.endswith(ON_A_PI)} == set()


def test_after_a_visit_every_entity_has_a_state(site: Site, pytestconfig: pytest.Config) -> None:
    site.somebody_comes("known")
    site.wait_event("event.front_door_access", event_type="granted", person=PERSON)
    site.wait_event("event.front_door_activity", event_type="locked")
    site.everybody_leaves()
    wait_until("a state of each", lambda: [e for e in missing(site) if not e.startswith(NOTHING_YET)] == [])
    pytestconfig.stash[TABLES][site.hass.version] = table(site)


def missing(site: Site) -> list[str]:
    states = site.hass.states()
    return [entity for entity in site.hass.entities() if states[entity]["state"] in ("unknown", "unavailable", "")]


def test_the_entities_of_a_door_are_one_device_and_the_devices_hang_together(site: Site) -> None:
    devices = site.hass.devices()
    ids = {device["id"]: name for name, device in devices.items()}
    assert {name: ids.get(device["via_device_id"]) for name, device in devices.items()} == {
        "Facelatch scheduler": None,
        "Facelatch recognizer": "Facelatch scheduler",
        "Front door": "Facelatch scheduler",
        "Front camera": "Facelatch recognizer",
        "Yard camera": "Facelatch recognizer",
    }
    for entity, entry in site.hass.entities().items():
        name = ids[entry["device_id"]]
        assert entity.partition(".")[2].startswith(name.lower().replace(" ", "_"))


def test_the_door_has_triggers_for_automations(site: Site) -> None:
    assert {trigger["subtype"] for trigger in site.hass.triggers("Front door")} == DOOR_TRIGGERS


def table(site: Site) -> str:
    """As Markdown, device by device."""
    states, entities = site.hass.states(), site.hass.entities()
    lines = ["| entity | name | state | category |", "|---|---|---|---|"]
    for entity in sorted(entities, key=lambda entity: (entity.partition(".")[2].split("_")[:2], entity)):
        shown, category = states[entity], entities[entity]["entity_category"] or ""
        unit = shown["attributes"].get("unit_of_measurement", "")
        state = f"{shown['state']} {unit}".strip()
        lines.append(f"| `{entity}` | {shown['attributes']['friendly_name']} | {state} | {category} |")
    return "\n".join(lines)
