"""The recognizer as Home Assistant is told of it, and what it says of each camera."""

from __future__ import annotations

from collections.abc import Sequence

from agents.discovery.common import counter, link
from agents.discovery.device import Device, Entity
from agents.discovery.household import Household
from agents.wire.feed import Feed
from agents.wire.recognition import RecognitionType
from agents.wire.topics import PERSON, RECOGNITION, SNAPSHOT
from agents.wire.values import NOBODY, UNKNOWN


def devices(id_: str, feeds: Sequence[Feed], snapshot: bool, home: Household) -> list[Device]:
    """`snapshot` says whether there are pictures of recognitions."""
    counters = (
        ("passed_over", "Frames passed over", "passed_over", "mdi:image-off-outline"),
        ("queue", "Queue", "waiting", "mdi:tray-full"),
        ("people", "People enrolled", "people", "mdi:account-multiple"),
    )
    own = tuple(
        counter(home, "recognizer", id_, key, title, f"value_json.counters.{value}", icon)
        for key, title, value, icon in counters
    )
    node = home.node("recognizer", id_)
    return [Device(node, home.the_recognizer(), own), *(_camera(id_, feed, snapshot, home) for feed in feeds)]


def _camera(id_: str, feed: Feed, snapshot: bool, home: Household) -> Device:
    """One that has no agent has nobody else to tell of its frames."""
    camera, recognizer = feed.camera, (link(home, "recognizer", id_),)
    both = (*recognizer, link(home, "camera", camera)) if feed.ours else recognizer
    entities = [
        Entity("sensor", "person", _person(camera, home), both),
        Entity("event", "recognition", _recognition(camera, home), both),
    ]
    if snapshot:
        entities.append(Entity("image", "last_recognition", _last_recognition(camera, home), recognizer))
    if not feed.ours:
        entities.append(Entity("camera", "camera", {"name": None, "topic": feed.topic(home.base)}, recognizer))
    return Device(home.node("recognizer", id_, camera), home.camera(camera), tuple(entities))


def _person(camera: str, home: Household) -> dict[str, object]:
    """To Home Assistant a state of `unknown` means that there is none."""
    return {
        "name": "Person",
        "icon": "mdi:face-recognition",
        "state_topic": PERSON.at(home.base, camera),
        "value_template": f"{{{{ {{'{UNKNOWN}': 'stranger', '{NOBODY}': 'nobody'}}.get(value, value) }}}}",
    }


def _recognition(camera: str, home: Household) -> dict[str, object]:
    return {
        "name": "Recognition",
        "icon": "mdi:face-recognition",
        "state_topic": RECOGNITION.at(home.base, camera),
        "event_types": list(RecognitionType),
    }


def _last_recognition(camera: str, home: Household) -> dict[str, object]:
    return {"name": "Last recognition", "image_topic": SNAPSHOT.at(home.base, camera), "content_type": "image/jpeg"}
