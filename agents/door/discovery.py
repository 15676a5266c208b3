"""A door as Home Assistant is told of it."""

from __future__ import annotations

from collections.abc import Iterator

from agents.discovery.common import link
from agents.discovery.device import Device, Entity
from agents.discovery.household import Household
from agents.door.config import DoorSettings
from agents.wire.messages import Action, EventType, LockState, Switch
from agents.wire.topics import COMMAND, CONTACT, EVENT, HOLD, HOLD_SET, STATE

# A command carries its age, so that one that waited somewhere opens nothing.
ORDER = '{"action":"{{ value }}","ts":{{ now().timestamp() }},"source":"homeassistant"}'
HOLD_ORDER = '{"hold_s":{{ value }},"source":"homeassistant"}'
HOLD_STEP_S = 0.5
TRIGGERS = (EventType.UNLOCKED, EventType.REJECTED, EventType.FORCED, EventType.HELD_OPEN, EventType.JAMMED)


def devices(name: str, settings: DoorSettings, home: Household) -> list[Device]:
    entities = [
        Entity("lock", "lock", _lock(name, home)),
        Entity("event", "activity", _activity(name, home)),
        *_what_it_has(name, settings, home),
    ]
    links = (link(home, "door", name),)
    told = [Entity(one.component, one.key, one.config, links) for one in entities]
    return [Device(home.node("door", name), home.door(name), (*told, *_triggers(name, home)))]


def _lock(name: str, home: Household) -> dict[str, object]:
    """Named like its device. QoS 0: what can't be delivered now must not be delivered later."""
    return {
        "name": None,
        "state_topic": STATE.at(home.base, name),
        "state_locked": LockState.LOCKED,
        "state_unlocked": LockState.UNLOCKED,
        "state_jammed": LockState.JAMMED,
        "command_topic": COMMAND.at(home.base, name),
        "command_template": ORDER,
        "payload_lock": Action.LOCK,
        "payload_unlock": Action.UNLOCK,
        "payload_open": Action.OPEN,
        "qos": 0,
        "retain": False,
        "optimistic": False,
    }


def _activity(name: str, home: Household) -> dict[str, object]:
    """The door's events are such messages as Home Assistant wants: with an event_type among the rest."""
    return {
        "name": "Activity",
        "icon": "mdi:door",
        "state_topic": EVENT.at(home.base, name),
        "event_types": list(EventType),
    }


def _hold(name: str, settings: DoorSettings, home: Household) -> dict[str, object]:
    least_s, most_s = settings.hold_bounds_s
    return {
        "name": "Hold time",
        "icon": "mdi:timer-lock-open-outline",
        "entity_category": "config",
        "device_class": "duration",
        "unit_of_measurement": "s",
        "mode": "box",
        "state_topic": HOLD.at(home.base, name),
        "command_topic": HOLD_SET.at(home.base, name),
        "command_template": HOLD_ORDER,
        "min": least_s,
        "max": most_s,
        "step": HOLD_STEP_S,
    }


def _what_it_has(name: str, settings: DoorSettings, home: Household) -> Iterator[Entity]:
    least_s, most_s = settings.hold_bounds_s
    if least_s < most_s:  # Home Assistant 2024.3 takes no number that can't be changed
        yield Entity("number", "hold", _hold(name, settings, home))
    if settings.contact is not None:
        contact = {
            "name": "Contact",
            "device_class": "door",
            "state_topic": CONTACT.at(home.base, name),
            "payload_on": Switch.ON,
            "payload_off": Switch.OFF,
        }
        yield Entity("binary_sensor", "contact", contact)
    if settings.test_pulse_s is not None:
        pulse = {
            "name": "Test pulse",
            "icon": "mdi:electric-switch",
            "entity_category": "config",
            "command_topic": COMMAND.at(home.base, name),
            "command_template": ORDER,
            "payload_press": Action.TEST,
        }
        yield Entity("button", "test_pulse", pulse)


def _triggers(name: str, home: Household) -> Iterator[Entity]:
    """For automations that are made in the interface."""
    for kind in TRIGGERS:
        trigger = {
            "automation_type": "trigger",
            "type": "door",
            "subtype": str(kind),
            "topic": EVENT.at(home.base, name),
            "value_template": "{{ value_json.event_type }}",
            "payload": str(kind),
        }
        yield Entity("device_automation", f"trigger_{kind}", trigger)
