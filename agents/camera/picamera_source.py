"""A camera on a Raspberry Pi's ribbon cable, through Picamera2."""

from __future__ import annotations

import contextlib
from importlib import import_module
from typing import Any

from agents.camera.picture import Image
from agents.camera.source import PICAMERA, SourceError


class PicameraSource:
    """The first camera, at `size_px` (width, height). Raises SourceError when it can't be had.

    A picture that doesn't come within `timeout_s` is an error, so that the camera is opened anew.
    """

    live = True

    def __init__(self, size_px: tuple[int, int], timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._camera = _make()
        try:
            # the format's name tells the order in a word, least byte last: in memory it is BGR
            main = {"size": size_px, "format": "RGB888"}
            self._camera.configure(self._camera.create_video_configuration(main=main))
            self._camera.start()
        except Exception as error:  # libcamera and Picamera2 each raise their own kinds
            self.close()
            raise SourceError(f"{PICAMERA}: can't be started: {error}") from error

    def grab(self) -> None:
        try:
            self._image: Image = self._camera.capture_array("main", wait=self._timeout_s)
        except Exception as error:
            raise SourceError(f"{PICAMERA}: gives no picture any more: {str(error) or type(error).__name__}") from error

    def retrieve(self) -> Image:
        return self._image  # comes decoded

    def close(self) -> None:
        with contextlib.suppress(Exception):  # a camera in trouble may not stop in good order either
            self._camera.close()


def _make() -> Any:
    try:
        picamera2 = import_module("picamera2")
    except ImportError as error:
        raise SourceError(
            f"{PICAMERA}: the library is missing: on Raspberry Pi OS, sudo apt install python3-picamera2, "
            "and make the virtual environment with --system-site-packages"
        ) from error
    try:
        return picamera2.Picamera2()
    except Exception as error:  # IndexError when there is no camera, RuntimeError when it is in use
        raise SourceError(f"{PICAMERA}: no camera, or it is in use: {error}") from error
