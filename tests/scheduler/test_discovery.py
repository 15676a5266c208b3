"""What Home Assistant is told of challenges and pictures."""

from __future__ import annotations

from typing import Any

import pytest

from agents.discovery.household import Household
from agents.scheduler import discovery
from agents.scheduler.config import SchedulerSettings


def entities(liveness: Any) -> dict[str, dict[str, Any]]:
    """Of the door, by their component and key."""
    door = {"cameras": ["porch"], "liveness": liveness}
    settings = SchedulerSettings.model_validate({"timezone": "UTC", "doors": {"front": door}})
    _, told = discovery.devices(settings, Household("facelatch"))
    return {f"{entity.component}.{entity.key}": dict(entity.config) for entity in told.entities}


def test_what_is_asked_for_is_shown_for_as_long_as_somebody_may_do_it() -> None:
    found = entities({"within_s": 7.5})
    sensor, event = found["sensor.challenge"], found["event.challenge_asked"]
    assert (sensor["value_template"], sensor["expire_after"]) == ("{{ value_json.text }}", 8)
    assert sensor["state_topic"] == event["state_topic"] == "facelatch/scheduler/front/challenge"


@pytest.mark.parametrize("liveness", ["off", {"challenge": "never"}])
def test_where_nothing_is_asked_for_nothing_is_shown(liveness: Any) -> None:
    assert not [key for key in entities(liveness) if "challenge" in key]


def test_a_picture_that_is_held_up_is_a_trigger_beside_the_outcomes() -> None:
    triggers = {key: config for key, config in entities("required").items() if key.startswith("device_automation.")}
    assert {(one["subtype"], one["value_template"], one["payload"]) for one in triggers.values()} == {
        ("granted", "{{ value_json.outcome }}", "granted"),
        ("denied", "{{ value_json.outcome }}", "denied"),
        ("spoof", "{{ value_json.reason }}", "spoof"),
    }
