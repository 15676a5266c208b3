from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.home_assistant.hass import SHARED, VERSIONS, Hass, program
from tests.home_assistant.house import USER, House
from tests.live.tools import wait_until

VISIT_ENDS_S = 1.5  # longer than visit_gap_s
TABLES = pytest.StashKey[dict[str, str]]()
"""What each version shows of the house, as a table for the documentation."""


@dataclass
class Site:
    """A house, and a Home Assistant that is connected to its broker and knows nothing else."""

    house: House
    hass: Hass
    since: int = 0  # where the test began, in Home Assistant's history
    may_complain_of: tuple[str, ...] = ()  # what is in a warning that Home Assistant rightly gives

    _told: int = 0

    def begin(self) -> None:
        """Another test."""
        self.since, self.may_complain_of = self.hass.mark(), ()

    def complaints(self) -> list[str]:
        """Those that are new since this was asked last, or since Home Assistant was started."""
        warnings = self.hass.warnings()
        new, self._told = warnings[self._told :], len(warnings)
        return [text for text in new if not any(words in text for words in self.may_complain_of)]

    def somebody_comes(self, scene: str) -> None:
        self.house.show(scene)

    def everybody_leaves(self) -> None:
        """For long enough to end the visit."""
        self.house.show("hallway")
        self.hass.wait("sensor.front_camera_person", "nobody")
        time.sleep(VISIT_ENDS_S)

    def wait_event(self, entity: str, **wanted: object) -> dict[str, Any]:
        """The attributes of the event entity's first event since the test began that has these values."""

        def found() -> Iterator[dict[str, Any]]:
            for state in self.hass.went_through(entity, self.since):
                attributes = dict(state["attributes"])
                if all(attributes.get(key) == value for key, value in wanted.items()):
                    yield attributes

        wait_until(f"{entity} {wanted}", lambda: any(found()))
        return next(found())


def pytest_configure(config: pytest.Config) -> None:
    config.stash[TABLES] = {}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without Home Assistant there is nothing to test: one line a file says so."""
    probe = (SHARED / "ha" / "ha_probe.py").exists()
    for item in items:
        callspec = getattr(item, "callspec", None)
        version = callspec.params.get("whole_site") if callspec else None
        if version is not None and not (probe and program(version)):
            item.add_marker(pytest.mark.skip(reason="needs Home Assistant: scripts/test-home-assistant"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for version, table in config.stash[TABLES].items():
        terminalreporter.section(f"Home Assistant {version}")
        terminalreporter.write_line(table)


@pytest.fixture(scope="session", params=VERSIONS)
def whole_site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, photos: dict[str, Path]
) -> Iterator[Site]:
    version = str(request.param)
    path = program(version)
    assert path is not None
    house = House(tmp_path_factory.mktemp(f"house-{version}"), photos)
    try:
        house.start()
        hass = Hass(path)
        try:
            hass.connect(house.broker.port, USER, house.broker.password(USER), house.authority)
            yield Site(house, hass)
        finally:
            hass.close()
    finally:
        house.close()


@pytest.fixture
def site(whole_site: Site) -> Iterator[Site]:
    """One site for all the tests of a version: what each of them changes has to be as before for the next.

    Whatever is done to the house, Home Assistant must have nothing to complain of.
    """
    hass = whole_site.hass
    wait_until("the house is as always", lambda: not wrong(hass))
    whole_site.begin()
    yield whole_site
    assert whole_site.complaints() == []


def wrong(hass: Hass) -> dict[str, str | None]:
    """What is not as it is between two tests."""
    states = hass.states()
    found = {entity: states.get(entity, {}).get("state") for entity in AS_ALWAYS}
    return {entity: state for entity, state in found.items() if state != AS_ALWAYS[entity]}


AS_ALWAYS = {
    "lock.front_door": "locked",
    "switch.front_door_face_unlock": "on",
    "switch.facelatch_scheduler_away": "off",
    "sensor.front_camera_person": "nobody",
    "sensor.yard_camera_person": "nobody",
    "camera.front_camera": "idle",
    "camera.yard_camera": "idle",
    "binary_sensor.front_door_contact": "off",
}
