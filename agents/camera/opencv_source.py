"""Whatever OpenCV's VideoCapture opens: a USB camera, an address, a video file."""

from __future__ import annotations

import os
from pathlib import Path

import cv2

from agents.camera.config import CameraSettings
from agents.camera.picture import Image
from agents.camera.source import SourceError, is_address, label, wanted_px

OPEN_TIMEOUT_S = 5.0


class OpenCvSource:
    """One VideoCapture. A file is played over and over; everything else is live.

    Raises SourceError when it can't be opened.
    """

    def __init__(self, settings: CameraSettings, folder: Path) -> None:
        self._settings, self._name = settings, label(settings.source)
        self._target = settings.source
        self.live = True
        if isinstance(self._target, str) and not is_address(self._target):
            path = folder / self._target
            self._target, self.live = str(path), not path.is_file()  # /dev/video0 is live
        quieten()
        self._capture = self._open()

    def grab(self) -> None:
        good = self._grab()
        if not good and not self.live:  # the end of the file; not every kind can be wound back
            self.close()
            self._capture = self._open()
            good = self._grab()
        if not good:
            raise self._lost()

    def retrieve(self) -> Image:
        try:
            good, image = self._capture.retrieve()
        except cv2.error:
            raise self._lost() from None
        if not good:
            raise self._lost()
        return image  # type: ignore[return-value]  # VideoCapture gives uint8

    def close(self) -> None:
        self._capture.release()

    def _grab(self) -> bool:
        try:
            return self._capture.grab()
        except cv2.error:
            return False

    def _lost(self) -> SourceError:
        return SourceError(f"{self._name}: gives no picture any more")

    def _open(self) -> cv2.VideoCapture:
        try:
            capture = self._capture_of(self._target)
        except cv2.error:  # its text may hold the address
            raise SourceError(f"{self._name}: can't be opened") from None
        if not capture.isOpened():
            raise SourceError(f"{self._name}: can't be opened{self._hint()}")
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        return capture

    def _capture_of(self, target: int | str) -> cv2.VideoCapture:
        if isinstance(target, int):
            capture = cv2.VideoCapture(target)
            width_px, height_px = wanted_px(self._settings)
            capture.set(cv2.CAP_PROP_FRAME_WIDTH, width_px)
            capture.set(cv2.CAP_PROP_FRAME_HEIGHT, height_px)
            return capture
        if not is_address(target):
            return cv2.VideoCapture(target)
        open_ms, read_ms = round(1000 * OPEN_TIMEOUT_S), round(1000 * self._settings.stalled_after_s)
        timeouts = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, open_ms, cv2.CAP_PROP_READ_TIMEOUT_MSEC, read_ms]
        # FFmpeg by name: other backends take the address for a file name and print it
        return cv2.VideoCapture(target, cv2.CAP_FFMPEG, timeouts)

    def _hint(self) -> str:
        if is_address(self._target):
            return " (with OPENCV_FFMPEG_LOGLEVEL=16 in the environment FFmpeg says why)"
        if isinstance(self._target, str) and not Path(self._target).exists():
            return f": there is no {self._target}"
        return ""


def quieten() -> None:
    """Keep the libraries' own lines out of the log: they may hold an address with its password.

    What the environment asks for comes first.
    """
    if "OPENCV_LOG_LEVEL" not in os.environ:
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # AV_LOG_QUIET
