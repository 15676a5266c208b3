"""Folders, video files, addresses that nobody answers: generated, opened for real."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import pytest

from agents.camera import folder_source
from agents.camera.config import CameraSettings
from agents.camera.folder_source import FolderSource
from agents.camera.source import Source, SourceError, label, open_source, wanted_px

SHADES = {"a": 40, "b": 90, "c": 140, "d": 190}


@pytest.fixture
def warnings() -> list[str]:
    return []


@pytest.fixture
def source(tmp_path: Path, warnings: list[str]) -> Callable[[int | str], Source]:
    def make(what: int | str) -> Source:
        return open_source(CameraSettings(source=what), tmp_path, warnings.append)

    return make


def still(folder: Path, *names: str, suffix: str = ".png") -> None:
    folder.mkdir(exist_ok=True)
    for name in names:
        assert cv2.imwrite(str(folder / (name + suffix)), np.full((24, 32, 3), SHADES[name], np.uint8))


def read(source: Source) -> Any:
    source.grab()
    return source.retrieve()


def shown(source: Source, count: int) -> str:
    """The names of the next pictures."""
    return "".join(_name(read(source)) for _ in range(count))


def _name(image: Any) -> str:
    assert image.dtype == np.uint8
    assert image.ndim == 3
    return min(SHADES, key=lambda name: abs(SHADES[name] - float(image.mean())))


class TestFolder:
    def test_shows_stills_by_name_over_and_over(self, tmp_path: Path, source: Callable[[str], Source]) -> None:
        still(tmp_path / "stills", "c", "a", "b")
        folder = source("stills")
        assert not folder.live
        assert shown(folder, 7) == "abcabca"

    def test_takes_jpeg_and_png_in_capitals_too_and_nothing_else(
        self, tmp_path: Path, source: Callable[[str], Source], warnings: list[str]
    ) -> None:
        still(tmp_path, "a", suffix=".JPG")
        still(tmp_path, "b", suffix=".jpeg")
        still(tmp_path, "c", suffix=".bmp")
        (tmp_path / "notes.txt").write_text("not a picture")
        assert shown(source("."), 4) == "abab"
        assert warnings == []

    def test_shows_at_once_what_is_added_and_misses_nothing_when_one_is_removed(
        self, tmp_path: Path, source: Callable[[str], Source]
    ) -> None:
        still(tmp_path, "a", "c")
        folder = source(".")
        assert shown(folder, 1) == "a"
        still(tmp_path, "b")
        assert shown(folder, 1) == "b"
        (tmp_path / "b.png").unlink()
        assert shown(folder, 2) == "ca"

    def test_shows_what_a_still_was_overwritten_with(self, tmp_path: Path, source: Callable[[str], Source]) -> None:
        still(tmp_path, "a", "b")
        folder = source(".")
        assert shown(folder, 4) == "abab"
        (tmp_path / "a.png").write_bytes((tmp_path / "b.png").read_bytes())
        assert shown(folder, 2) == "bb"

    def test_keeps_no_more_decoded_than_it_may(
        self, tmp_path: Path, source: Callable[[str], Source], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        two = 2 * 24 * 32 * 3
        monkeypatch.setattr(folder_source, "KEPT_BYTES", two)
        still(tmp_path, "a", "b", "c", "d")
        folder = source(".")
        assert isinstance(folder, FolderSource)
        for expected in "abcdabcd":
            assert shown(folder, 1) == expected
            assert sum(image.nbytes for _, image in folder._kept.values()) <= two

    def test_follows_a_symlink_that_is_swapped(self, tmp_path: Path, source: Callable[[str], Source]) -> None:
        still(tmp_path / "day", "a", "b")
        still(tmp_path / "night", "c", "d")
        link = tmp_path / "now"
        link.symlink_to("day")
        folder = source("now")
        assert shown(folder, 2) == "ab"
        fresh = tmp_path / "fresh"
        fresh.symlink_to("night")
        fresh.replace(link)
        assert shown(folder, 3) == "cdc"

    def test_follows_a_still_that_is_a_swapped_symlink(self, tmp_path: Path, source: Callable[[str], Source]) -> None:
        still(tmp_path / "visitors", "a", "b")
        still(tmp_path / "shown")
        link, fresh = tmp_path / "shown" / "now.png", tmp_path / "fresh"
        link.symlink_to("../visitors/a.png")
        folder = source("shown")
        assert shown(folder, 2) == "aa"
        fresh.symlink_to("../visitors/b.png")
        fresh.replace(link)
        assert shown(folder, 2) == "bb"

    def test_skips_broken_stills_and_names_each_once(
        self, tmp_path: Path, source: Callable[[str], Source], warnings: list[str]
    ) -> None:
        still(tmp_path, "a", "c")
        (tmp_path / "b.jpg").write_bytes(b"\xff\xd8\xff\xe0 no picture")
        (tmp_path / "empty.png").touch()
        (tmp_path / "folder.jpg").mkdir()
        assert shown(source("."), 5) == "acaca"
        assert sorted(text.split(": ")[1].split()[0] for text in warnings) == ["b.jpg", "empty.png", "folder.jpg"]

    @pytest.mark.parametrize("content", [None, b"no picture"])
    def test_without_a_readable_still_is_an_error(
        self, tmp_path: Path, source: Callable[[str], Source], content: bytes | None
    ) -> None:
        (tmp_path / "stills").mkdir()
        if content is not None:
            (tmp_path / "stills" / "a.jpg").write_bytes(content)
        with pytest.raises(SourceError, match=r"^stills: no picture in this folder can be read"):
            read(source("stills"))

    def test_that_is_gone_is_an_error(self, tmp_path: Path, source: Callable[[str], Source]) -> None:
        still(tmp_path / "stills", "a")
        folder = source("stills")
        assert shown(folder, 1) == "a"
        (tmp_path / "stills").rename(tmp_path / "away")
        with pytest.raises(SourceError, match=r"^stills: No such file"):
            read(folder)


OPENED = """
import pathlib, sys
from agents.camera.config import CameraSettings
from agents.camera.source import SourceError, open_source
try:
    open_source(CameraSettings(source="secret:front"), pathlib.Path(sys.argv[1]), print)
except SourceError as error:
    print(error)
"""


class TestOpenCv:
    def test_plays_a_video_file_over_and_over(self, tmp_path: Path, source: Callable[[str], Source]) -> None:
        writer = cv2.VideoWriter(str(tmp_path / "v.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 10, (32, 24))
        for shade in SHADES.values():
            writer.write(np.full((24, 32, 3), shade, np.uint8))
        writer.release()
        with contextlib.closing(source("v.avi")) as video:
            assert not video.live
            assert shown(video, 10) == "abcdabcdab"

    def test_names_a_file_that_is_not_there(self, tmp_path: Path, source: Callable[[str], Source]) -> None:
        with pytest.raises(SourceError) as error:
            source("visitors.avi")
        assert str(error.value) == f"visitors.avi: can't be opened: there is no {tmp_path / 'visitors.avi'}"

    def test_names_a_file_that_is_no_video(self, tmp_path: Path, source: Callable[[str], Source]) -> None:
        (tmp_path / "v.avi").write_bytes(b"no video" * 100)
        with pytest.raises(SourceError, match=r"^v\.avi: can't be opened$"):
            source("v.avi")

    def test_names_a_usb_camera_that_is_not_there(self, source: Callable[[int], Source]) -> None:
        with pytest.raises(SourceError, match=r"^USB camera 63: can't be opened$"):
            source(63)

    @pytest.mark.parametrize("scheme", ["rtsp", "http"])
    def test_tells_nobody_the_password_of_an_address_that_does_not_answer(self, tmp_path: Path, scheme: str) -> None:
        """In a process of its own, as every camera is: FFmpeg asks once how much it may tell."""
        with socket.socket() as unheard:  # bound but not listening: refused at once
            unheard.bind(("127.0.0.1", 0))
            port = unheard.getsockname()[1]
            (tmp_path / "front").write_text(f"{scheme}://jane:s3cret@127.0.0.1:{port}/live?token=s3cret\n")
            done = subprocess.run(
                [sys.executable, "-c", OPENED, str(tmp_path)], capture_output=True, text=True, check=True
            )
        assert done.stdout.startswith(f"{scheme}://***@127.0.0.1:{port}/***: can't be opened")
        assert done.stderr == "", "the libraries tell nothing at all"

    def test_names_the_file_an_address_should_be_in(self, source: Callable[[str], Source], tmp_path: Path) -> None:
        with pytest.raises(SourceError, match=r"front: can't be read: "):
            source("secret:front")
        (tmp_path / "front").write_text("\n")
        with pytest.raises(SourceError, match=r"front: its first line is empty"):
            source("secret:front")

    def test_makes_no_path_of_an_address(self, source: Callable[[str], Source]) -> None:
        with pytest.raises(SourceError, match=r"^rtsp://127\.0\.0\.1:1/\*\*\*: can't be opened"):
            source("rtsp://127.0.0.1:1/" + "x" * 5000)


class StandInPicamera:
    """Says yes to all that is asked of it, but fails at the step named in `broken`."""

    broken = ""
    made: list[StandInPicamera] = []

    def __init__(self) -> None:
        self.done: list[str] = []
        self.made.append(self)

    def __getattr__(self, step: str) -> Callable[..., Any]:
        def call(*_: object, **__: object) -> Any:
            if step == self.broken:
                raise TimeoutError
            self.done.append(step)
            return np.zeros((24, 32, 3), np.uint8) if step == "capture_array" else {}

        return call


class TestPicamera:
    """Its own library runs only on a Raspberry Pi: what is tested is what happens when it fails."""

    @pytest.fixture
    def library(self, monkeypatch: pytest.MonkeyPatch) -> type[StandInPicamera]:
        module = ModuleType("picamera2")
        module.Picamera2 = StandInPicamera  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "picamera2", module)
        monkeypatch.setattr(StandInPicamera, "made", [])
        return StandInPicamera

    def test_without_its_library_says_what_to_install(
        self, source: Callable[[str], Source], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "picamera2", None)
        with pytest.raises(SourceError, match=r"^picamera2: .*apt install python3-picamera2"):
            source("picamera2")

    @pytest.mark.parametrize("step", ["configure", "start"])
    def test_that_does_not_start_is_let_go_of(
        self,
        source: Callable[[str], Source],
        library: type[StandInPicamera],
        monkeypatch: pytest.MonkeyPatch,
        step: str,
    ) -> None:
        monkeypatch.setattr(library, "broken", step)
        with pytest.raises(SourceError, match=r"^picamera2: can't be started"):
            source("picamera2")
        assert library.made[0].done[-1] == "close"

    def test_that_gives_no_picture_in_time_is_an_error(
        self, source: Callable[[str], Source], library: type[StandInPicamera], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        camera = source("picamera2")
        assert camera.live
        assert read(camera).shape == (24, 32, 3)
        monkeypatch.setattr(library, "broken", "capture_array")
        with pytest.raises(SourceError, match=r"^picamera2: gives no picture any more: TimeoutError$"):
            read(camera)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (0, "USB camera 0"),
        ("stills/front", "stills/front"),
        ("rtsp://10.0.0.5", "rtsp://10.0.0.5"),
        ("rtsp://10.0.0.5:554/", "rtsp://10.0.0.5:554"),
        ("rtsp://10.0.0.5:554/live", "rtsp://10.0.0.5:554/***"),
        ("rtsp://jane:s3cret@cam/live", "rtsp://***@cam/***"),
        ("rtsp://s3cret@cam", "rtsp://***@cam"),
        ("rtsp://jane:s3@cret@cam:554/live", "rtsp://***@cam:554/***"),
        ("rtsp://jane:s3/cret@cam/live", "rtsp://***"),
        ("rtsp://jane:s3?cret@cam", "rtsp://***"),
        ("rtsp://jane:s3#cret@cam", "rtsp://***"),
        ("http://cam/video.cgi?user=jane&pwd=s3cret", "http://cam/***"),
        ("http://cam?pwd=s3cret", "http://cam/***"),
        ("rtsp://cam/user=jane_password=s3cret_channel=1.sdp", "rtsp://cam/***"),
        ("rtspsrc user-pw=s3cret location=rtsp://cam/live ! appsink", "rtsp://cam/***"),
    ],
)
def test_what_a_source_is_called_never_tells_a_password(source: int | str, expected: str) -> None:
    assert label(source) == expected


def test_a_camera_is_asked_for_what_is_left_after_cropping_and_turning() -> None:
    settings = CameraSettings.model_validate(
        {"source": 0, "width_px": 360, "height_px": 640, "rotate_deg": 90, "crop": {"left": 0.25, "right": 0.25}}
    )
    assert wanted_px(settings) == (1280, 360)
