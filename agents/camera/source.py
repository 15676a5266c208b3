"""Where pictures come from: what every source can do, and which one the settings mean."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from agents.camera.config import SECRET, CameraSettings
from agents.runtime.agent import HardwareError

if TYPE_CHECKING:
    from agents.camera.picture import Image

PICAMERA = "picamera2"


class SourceError(HardwareError):
    """The source gives no pictures; its text names the source and says why, for people."""


class Source(Protocol):
    """Something that gives pictures, already open.

    A `live` source gives them at its own rate and has to be read without pause, or what it gives
    is old; any other gives one whenever it is asked.
    """

    live: bool

    def grab(self) -> None:
        """Wait for the next picture. Raises SourceError."""

    def retrieve(self) -> Image:
        """The picture that was grabbed: BGR, uint8, (height, width, 3). Raises SourceError.

        This is where it is decoded: a picture that nobody wants is only grabbed.
        """

    def close(self) -> None:
        """Let go of it."""


def open_source(settings: CameraSettings, folder: Path, warn: Callable[[str], None]) -> Source:
    """Open the source that `settings` name, files relative to `folder`. Raises SourceError.

    `warn` is told of what the source gets over by itself. Each library is loaded only if it is needed.
    """
    settings = reveal(settings, folder)
    source = settings.source
    if source == PICAMERA:
        from agents.camera.picamera_source import PicameraSource

        return PicameraSource(wanted_px(settings), settings.stalled_after_s)
    if isinstance(source, str) and not is_address(source) and (folder / source).is_dir():
        from agents.camera.folder_source import FolderSource

        return FolderSource(folder / source, label(source), warn)
    from agents.camera.opencv_source import OpenCvSource

    return OpenCvSource(settings, folder)


def reveal(settings: CameraSettings, folder: Path) -> CameraSettings:
    """With `secret:FILE` replaced by the file's first line. Raises SourceError."""
    if not isinstance(settings.source, str) or not settings.source.startswith(SECRET):
        return settings
    path = folder / settings.source.removeprefix(SECRET)
    try:
        address = path.read_text(encoding="utf-8-sig").split("\n")[0].strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{path}: can't be read: {error}") from None
    if not address:
        raise SourceError(f"{path}: its first line is empty; it should be the camera's address")
    return settings.model_copy(update={"source": address})


def label(source: int | str) -> str:
    """What a source is called in logs, health and errors.

    Of an address only scheme, host and port are told: cameras take passwords before the host, in
    the path and in the query.
    """
    if isinstance(source, int):
        return f"USB camera {source}"
    if not is_address(source):
        return source
    before, rest = source.split("://", 1)
    scheme = re.split(r"[^\w+.-]", before)[-1]
    authority, *tail = re.split(r"[/?#]", rest, maxsplit=1)
    if "@" in "".join(tail):  # a password with a slash in it would look like the host
        return f"{scheme}://***"
    _, at, host = authority.rpartition("@")
    return f"{scheme}://{'***@' if at else ''}{host}{'/***' if any(tail) else ''}"


def is_address(source: int | str) -> bool:
    """Whether it is nothing on this machine. No path is made of one: an error would tell it whole."""
    return isinstance(source, str) and "://" in source


def wanted_px(settings: CameraSettings) -> tuple[int, int]:
    """Width and height to ask a camera for, so that what is cropped and turned has the right size."""
    width, height = settings.width_px, settings.height_px
    if settings.rotate_deg in (90, 270):
        width, height = height, width
    crop = settings.crop
    return round(width / (1 - crop.left - crop.right)), round(height / (1 - crop.top - crop.bottom))
