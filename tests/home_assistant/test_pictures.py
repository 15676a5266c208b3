"""Pictures arrive in Home Assistant as they were made."""

from __future__ import annotations

import hashlib

from tests.home_assistant.conftest import Site
from tests.home_assistant.house import PERSON
from tests.live.tools import wait_until


def test_the_cameras_picture_is_a_frame_byte_by_byte(site: Site) -> None:
    picture = hashlib.sha256(site.hass.picture("camera.front_camera")).hexdigest()
    wait_until("the frame was heard here too", lambda: picture in site.house.onlooker.frames())


def test_the_last_recognition_is_the_snapshot_byte_by_byte(site: Site) -> None:
    site.somebody_comes("known")
    site.hass.wait("sensor.front_camera_person", PERSON)
    site.everybody_leaves()
    topic = "facelatch/recognizer/front/snapshot"

    def same() -> bool:
        return site.hass.picture("image.front_camera_last_recognition") == site.house.onlooker.on(topic)[-1]

    wait_until("the snapshot", same)
