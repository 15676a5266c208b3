"""Settings of one camera."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from agents.runtime.settings import Seconds, SecretInFile, Section
from agents.wire.feed import Feed

IDLE_MIN_FPS = 0.5  # a visit ends when no face was seen for two seconds; nobody's does for standing still
SECRET = "secret:"  # noqa: S105 - the word before a file's name
MQTT, MQTT_TOPIC = "mqtt", "mqtt:"  # the source that is somebody else's, and the word before its own topic
MAX_TOPIC_CHARS = 200
Pixels = Annotated[int, Field(ge=16, le=8192)]
Share = Annotated[float, Field(ge=0, lt=1)]


class Crop(Section):
    """What to cut off, as shares of the picture's sides, before anything else is done to it."""

    left: Share = 0.0
    top: Share = 0.0
    right: Share = 0.0
    bottom: Share = 0.0

    @model_validator(mode="after")
    def _something_is_left(self) -> Self:
        if self.left + self.right >= 1 or self.top + self.bottom >= 1:
            raise ValueError("left and right, or top and bottom, together cut off the whole picture")
        return self


def _without_password(address: str) -> str:
    if re.search(r"://[^/?#]*:[^/?#]*@", address):
        raise SecretInFile(f"a password stands here: put the address into a file, and here {SECRET}FILE")
    return address


def _with_a_topic(address: str) -> str:
    """What follows `mqtt:` stands in the broker's ACL, a line each, and is one topic for sure."""
    if not address.startswith(MQTT_TOPIC):
        return address
    topic = address.removeprefix(MQTT_TOPIC)
    if topic.startswith("//"):
        raise ValueError("after mqtt: comes a topic at the house's own broker, not the address of another")
    if not topic or topic[0] == "$" or set("+# ") & set(topic) or not topic.isprintable():
        raise ValueError("after mqtt: comes one topic, without + and # and spaces, that does not begin with $")
    if len(topic) > MAX_TOPIC_CHARS:
        raise ValueError(f"the topic after mqtt: has {len(topic)} characters, at most {MAX_TOPIC_CHARS} are read")
    return address


UsbIndex = Annotated[int, Field(ge=0, le=63)]
Address = Annotated[
    str, StringConstraints(min_length=1), AfterValidator(_without_password), AfterValidator(_with_a_topic)
]


class CameraSettings(Section):
    """`source` is a USB index (0), an address OpenCV opens (rtsp://, http://), a video file, a folder
    of stills, `picamera2`, or `secret:FILE` for an address that stands in a file because of the
    password in it. Files and folders are relative to the house's file. Where somebody else publishes
    the frames there is no agent, and no other setting: `mqtt` for the house's own topic of this camera,
    `mqtt:TOPIC` for any other at the house's broker.

    `idle_fps` frames a second are published when nothing moved for `active_s`, which is a few times
    what people can stand still for. As many as `rate_fps`, or more, and nothing is saved.
    """

    source: UsbIndex | Address
    rate_fps: Annotated[float, Field(gt=0, le=60)] = 10.0
    idle_fps: Annotated[float, Field(ge=IDLE_MIN_FPS, le=60)] = 1.0
    active_s: Seconds = 10.0
    width_px: Pixels = 640
    height_px: Pixels = 360
    quality: Annotated[int, Field(ge=30, le=100)] = 85
    crop: Crop = Crop()
    rotate_deg: Literal[0, 90, 180, 270] = 0
    flip: Literal["none", "horizontal", "vertical"] = "none"
    frozen_after_s: Seconds = 30.0
    stalled_after_s: Seconds = 5.0

    @property
    def ours(self) -> bool:
        """Whether an agent makes the frames."""
        return self.source != MQTT and not str(self.source).startswith(MQTT_TOPIC)

    @property
    def idle_keys(self) -> list[str]:
        """Settings that were written down and say how an agent, which there is not, makes frames."""
        return [] if self.ours else sorted(self.model_fields_set - {"source"})

    def feed(self, name: str) -> Feed:
        """The frames, for those who read them; `name` is the camera's."""
        _, _, topic = str(self.source).partition(MQTT_TOPIC)
        return Feed(name) if self.ours else Feed(name, ours=False, at=topic or None)


def conflicts(cameras: Mapping[str, CameraSettings], *roots: str) -> Iterator[tuple[tuple[str, str], str]]:
    """What does not fit together of cameras whose frames somebody else publishes: place, and why.
    `roots` are what the topics of the house, and those of Home Assistant, stand below.
    """
    feeds = {name: camera.feed(name) for name, camera in cameras.items()}
    for name, camera in cameras.items():
        for key in camera.idle_keys:
            yield (name, key), f"has no effect where source is {camera.source}: no agent makes the frames"
        topic = feeds[name].at
        if topic is None:
            continue
        for root in roots:
            if f"{topic}/".startswith(f"{root}/"):
                yield (name, "source"), f"{topic} is below {root}/, where no camera of somebody else's publishes"
        for other, feed in feeds.items():
            if other != name and feed.at == topic:
                yield (name, "source"), f"camera {other!r} has the same topic: everybody would be seen twice"
