"""What Home Assistant is told of a camera depends on who makes its frames."""

from __future__ import annotations

from agents.discovery.household import Household
from agents.recognizer.discovery import devices
from agents.wire.feed import Feed

HOME = Household()
RECOGNIZER, CAMERA = "facelatch/recognizer/main/availability", "facelatch/camera/yard/availability"


def told(feed: Feed) -> dict[str, tuple[str, ...]]:
    """What each entity of the camera needs to be there."""
    (_, camera) = devices("main", [feed], True, HOME)
    return {entity.key: entity.links for entity in camera.entities}


def test_who_is_before_a_camera_is_known_while_its_agent_is_there() -> None:
    found = told(Feed("yard"))
    assert found["person"] == found["recognition"] == (RECOGNIZER, CAMERA)
    assert "camera" not in found, "that is its agent's to tell"


def test_a_camera_without_an_agent_waits_for_none_and_its_live_picture_is_told_by_the_recognizer() -> None:
    feed = Feed("yard", ours=False, at="frigate/yard/person/snapshot")
    assert set(told(feed).values()) == {(RECOGNIZER,)}
    (_, camera) = devices("main", [feed], False, HOME)
    (live,) = [entity.config for entity in camera.entities if entity.component == "camera"]
    assert live["topic"] == "frigate/yard/person/snapshot"
    assert camera.info["identifiers"] == ["facelatch-camera-yard"]
