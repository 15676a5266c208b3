"""A camera as Home Assistant is told of it."""

from __future__ import annotations

from agents.discovery.common import counter, link
from agents.discovery.device import Device, Entity
from agents.discovery.household import Household
from agents.wire.topics import FRAME


def devices(name: str, home: Household) -> list[Device]:
    live = {"name": None, "topic": FRAME.at(home.base, name)}
    passed_over = counter(
        home,
        "camera",
        name,
        "passed_over",
        "Frames passed over",
        "value_json.counters.dropped",
        "mdi:image-off-outline",
    )
    entities = (Entity("camera", "camera", live, (link(home, "camera", name),)), passed_over)
    return [Device(home.node("camera", name), home.camera(name), entities)]
