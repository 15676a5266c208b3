"""Who is away is shown as away; and what comes back is as it was."""

from __future__ import annotations

import pytest

from tests.home_assistant.conftest import Site, wrong
from tests.live.tools import wait_until

DOOR = [
    "lock.front_door",
    "number.front_door_hold_time",
    "event.front_door_activity",
    "binary_sensor.front_door_contact",
]
SCHEDULER = [
    "switch.front_door_face_unlock",
    "binary_sensor.front_door_working_hours",
    "switch.facelatch_scheduler_away",
]
RECOGNIZER = ["sensor.front_camera_person", "event.yard_camera_recognition", "image.front_camera_last_recognition"]
YARD = ["camera.yard_camera", "sensor.yard_camera_person", "event.yard_camera_recognition"]


@pytest.mark.parametrize(
    ("agent", "lost", "left"),
    [
        (("door", "front"), DOOR, [*SCHEDULER, *RECOGNIZER]),
        (("scheduler",), SCHEDULER, [*DOOR, *RECOGNIZER]),
        (("recognizer",), RECOGNIZER, [*DOOR, *SCHEDULER, "camera.front_camera"]),
        (("camera", "yard"), YARD, [*DOOR, *SCHEDULER, "camera.front_camera", "sensor.front_camera_person"]),
    ],
    ids=["door", "scheduler", "recognizer", "camera"],
)
def test_what_a_killed_agent_did_is_unavailable_until_it_is_back(
    site: Site, agent: tuple[str, ...], lost: list[str], left: list[str]
) -> None:
    site.house.stop_agents(agent, kill=True)
    wait_until(f"{lost} unavailable", lambda: all(site.hass.state(e) == "unavailable" for e in lost))
    assert [entity for entity in left if site.hass.state(entity) == "unavailable"] == []
    site.house.start_agents(agent)
    wait_until("all as before", lambda: not wrong(site.hass))


def test_without_a_broker_all_is_unavailable_until_it_is_back(site: Site) -> None:
    site.may_complain_of = ("MQTT server", "Error talking to MQTT")  # of what else
    entities = set(site.hass.entities())
    site.house.broker.stop()
    wait_until("all unavailable", lambda: all(site.hass.state(entity) == "unavailable" for entity in entities))
    site.house.start_broker()
    wait_until("all as before", lambda: not wrong(site.hass) and not unavailable(site))


def test_after_a_restart_of_home_assistant_all_is_as_before(site: Site) -> None:
    entities, before = set(site.hass.entities()), states(site)
    site.hass.restart()
    wait_until("all as before", lambda: not wrong(site.hass) and not unavailable(site))
    assert set(site.hass.entities()) == entities
    wait_until("the same states", lambda: states(site) == before)


def unavailable(site: Site) -> list[str]:
    return [entity for entity in site.hass.entities() if site.hass.state(entity) == "unavailable"]


def states(site: Site) -> dict[str, str | None]:
    """Of all that does not change by itself. Nobody remembers a picture for Home Assistant but the broker."""
    now = site.hass.states()
    moving = ("_latency_p50", "_latency_p95", "_frames_passed_over", "_cpu_temperature", "_queue")
    return {e: now[e]["state"] for e in site.hass.entities() if not e.endswith(moving) and not e.startswith("image.")}
