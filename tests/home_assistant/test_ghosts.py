"""What was announced and is no longer true is taken back: no dead entity stays behind."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.home_assistant.conftest import Site, wrong
from tests.live.tools import wait_until

SINGLE, DEVICE, OFF = ("discovery: single", "discovery: device", "discovery: off")
YARD = """\
  yard: { source: scenes/hallway, rate_fps: 1, active_s: 1 }
"""
BOTH, ONE = "cameras: [front, yard]", "cameras: [front]"


@pytest.fixture
def changing(site: Site) -> Iterator[Site]:
    """The house's file is as before when the test ends."""
    text = site.house.home.config.read_text(encoding="utf-8")
    yield site
    if site.house.home.config.read_text(encoding="utf-8") != text:
        site.house.home.config.write_text(text, encoding="utf-8")
        site.house.stop_agents()
        site.house.broker.facelatch("broker", "init")
        site.house.start_agents()
        wait_until("all as before", lambda: not wrong(site.hass))


def restart(site: Site, *changes: tuple[str, str]) -> None:
    """All agents, with another file."""
    site.house.stop_agents()
    for old, new in changes:
        site.house.home.edit(old, new)
    site.house.broker.facelatch("broker", "init")
    site.house.start_agents()


def test_another_form_of_discovery_leaves_no_ghost(changing: Site) -> None:
    site = changing
    if site.hass.version.startswith("2024.3"):
        pytest.skip("Home Assistant knows the form for a whole device from 2024.12 on")
    before, ids = site.hass.entities(), unique_ids(site)
    single = set(site.house.announced())
    restart(site, (SINGLE, DEVICE))
    wait_until("announced as devices", lambda: forms(site) == {"device"})
    wait_until("all as before", lambda: not wrong(site.hass) and unique_ids(site) == ids)
    restart(site, (DEVICE, SINGLE))
    wait_until("announced one by one", lambda: set(site.house.announced()) == single)
    wait_until("all as before", lambda: not wrong(site.hass) and unique_ids(site) == ids)
    assert site.hass.entities().keys() == before.keys()


def test_discovery_switched_off_takes_everything_back(changing: Site) -> None:
    site = changing
    restart(site, (SINGLE, OFF))
    wait_until("nothing is announced", lambda: not site.house.announced())
    wait_until("no entity left", lambda: not site.hass.entities())
    wait_until("no device left", lambda: not site.hass.devices())


def test_a_camera_that_is_gone_is_taken_back_by_the_others(changing: Site) -> None:
    site = changing
    restart(site, (YARD, ""), (BOTH, ONE))
    wait_until("its messages are gone", lambda: not [topic for topic in site.house.announced() if "yard" in topic])
    wait_until("its device is gone", lambda: "Yard camera" not in site.hass.devices())
    assert not [entity for entity in site.hass.entities() if "yard" in entity]
    site.hass.wait("camera.front_camera", "idle")


def test_what_is_gone_when_home_assistant_was_away_is_taken_back_when_it_is_back(changing: Site) -> None:
    """`facelatch up` starts the broker anew too, and is back before Home Assistant has noticed."""
    site = changing
    site.may_complain_of = ("MQTT server", "Error talking to MQTT")  # of what else
    site.house.stop_agents()
    site.house.broker.stop()
    for old, new in ((YARD, ""), (BOTH, ONE)):
        site.house.home.edit(old, new)
    site.house.broker.facelatch("broker", "init")
    site.house.start_broker()
    site.house.start_agents()
    wait_until("its messages are gone", lambda: not [topic for topic in site.house.announced() if "yard" in topic])
    wait_until("its device is gone", lambda: "Yard camera" not in site.hass.devices())
    site.hass.wait("camera.front_camera", "idle")


def unique_ids(site: Site) -> dict[str, str]:
    return {entry["unique_id"]: entity for entity, entry in site.hass.entities().items()}


def forms(site: Site) -> set[str]:
    """`device`, or the components that are announced."""
    return {topic.split("/")[1] for topic in site.house.announced()}
