"""Settings of one camera."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from agents.runtime.settings import Seconds, SecretInFile, Section

IDLE_MIN_FPS = 0.5  # a visit ends when no face was seen for two seconds; nobody's does for standing still
SECRET = "secret:"  # noqa: S105 - the word before a file's name
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


UsbIndex = Annotated[int, Field(ge=0, le=63)]
Address = Annotated[str, StringConstraints(min_length=1), AfterValidator(_without_password)]


class CameraSettings(Section):
    """`source` is a USB index (0), an address OpenCV opens (rtsp://, http://), a video file, a folder
    of stills, `picamera2`, or `secret:FILE` for an address that stands in a file because of the
    password in it. Files and folders are relative to the house's file.

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
