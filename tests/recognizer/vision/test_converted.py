"""dlib's network, converted: the same numbers as dlib's own, from a cache that can't be tampered with unseen."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import face_recognition
import numpy as np
import numpy.typing as npt
import pytest

from agents.recognizer.errors import ModelError
from agents.recognizer.vision import converted
from agents.recognizer.vision.convert import to_onnx
from agents.recognizer.vision.converted import cache_folder, dlib_network
from agents.recognizer.vision.dlib_faces import Chips, Hog, Reference
from agents.recognizer.vision.found import Pixels
from agents.recognizer.vision.manifest import shipped
from agents.recognizer.vision.models import Models
from agents.recognizer.vision.onnx_network import OnnxNetwork

PHOTOS = ("obama.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg", "astronaut.png")
SAME = 1e-5
MODELS = Models(shipped(), Path())
WEIGHTS = MODELS.path("dlib-resnet")
SHA256 = shipped()["dlib-resnet"].sha256

Chip = npt.NDArray[np.uint8]


def read(path: Path) -> Pixels:
    image = cv2.imread(str(path))
    assert image is not None
    return np.ascontiguousarray(image[..., ::-1], dtype=np.uint8)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache") / "models"


@pytest.fixture(scope="module")
def network(cache: Path) -> converted.Network:
    return dlib_network(WEIGHTS, SHA256, cache)


@pytest.fixture(scope="module")
def chips(photos: dict[str, Path]) -> Chip:
    """Real faces, upright and mirrored, and noise."""
    hog, chips = Hog(), Chips(MODELS.path("dlib-5-point"))
    images = [read(photos[name]) for name in PHOTOS]
    upright = [chips.chip(image, hog.find(image, 0)[0].box) for image in images]
    noise = np.random.default_rng(0).integers(0, 256, (150, 150, 3), np.uint8)
    return np.stack([*upright, *(chip[:, ::-1] for chip in upright), noise])


def test_it_gives_the_same_encodings_as_dlib(network: converted.Network, chips: Chip) -> None:
    assert isinstance(network, OnnxNetwork)
    ours, theirs = network.run(chips), Reference(WEIGHTS).run(chips)
    assert ours.shape == theirs.shape == (len(chips), 128)
    assert np.abs(ours - theirs).max() < SAME
    assert np.linalg.norm(theirs[0] - theirs[3]) > 0.5  # they would be the same if both gave nonsense


@pytest.mark.parametrize("name", PHOTOS)
def test_it_gives_the_encoding_that_face_recognition_gives_for_the_same_landmarks(
    name: str, network: converted.Network, photos: dict[str, Path]
) -> None:
    image = read(photos[name])
    box = Hog().find(image, 0)[0].box
    right, bottom = box.left + box.width - 1, box.top + box.height - 1
    (theirs,) = face_recognition.face_encodings(image, [(box.top, right, bottom, box.left)], model="small")
    chip = Chips(MODELS.path("dlib-5-point")).chip(image, box)
    assert np.abs(network.run(chip[None])[0] - theirs).max() < SAME


def test_a_face_has_the_same_encoding_alone_and_among_others(network: converted.Network, chips: Chip) -> None:
    together = network.run(chips)
    alone = np.concatenate([network.run(chip[None]) for chip in chips])
    assert np.abs(together - alone).max() < SAME


def test_it_is_converted_once_and_then_read(network: converted.Network, cache: Path, chips: Chip) -> None:
    (kept,) = cache.iterdir()
    before = kept.stat()
    again = dlib_network(WEIGHTS, SHA256, cache)
    np.testing.assert_array_equal(again.run(chips[:1]), network.run(chips[:1]))
    assert (kept.stat().st_mtime_ns, kept.stat().st_ino) == (before.st_mtime_ns, before.st_ino)
    assert kept.stat().st_mode & 0o077 == cache.stat().st_mode & 0o077 == 0


def spoil(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


def open_to_others(file: Path) -> None:
    file.chmod(0o666)


@pytest.mark.parametrize("change", [spoil, open_to_others])
def test_a_cached_network_that_somebody_may_have_changed_is_made_anew(
    change: object, network: converted.Network, cache: Path, tmp_path: Path, chips: Chip
) -> None:
    (kept,) = cache.iterdir()
    copy = tmp_path / kept.name
    copy.write_bytes(kept.read_bytes())
    copy.chmod(0o600)
    assert callable(change)
    change(copy)
    again = dlib_network(WEIGHTS, SHA256, tmp_path)
    np.testing.assert_array_equal(again.run(chips[:1]), network.run(chips[:1]))
    assert copy.read_bytes() == kept.read_bytes()
    assert copy.stat().st_mode & 0o077 == 0


def test_a_new_converter_or_other_weights_do_not_use_what_the_old_one_left(
    network: converted.Network, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (kept,) = cache.iterdir()
    (tmp_path / kept.name).write_bytes(kept.read_bytes())
    newer = tmp_path / "convert.py"
    newer.write_bytes(converted.CONVERTER.read_bytes() + b"\n# newer\n")
    monkeypatch.setattr(converted, "CONVERTER", newer)
    dlib_network(WEIGHTS, SHA256, tmp_path)
    assert len(list(tmp_path.glob("*.onnx"))) == 2


def test_where_nothing_can_be_kept_it_is_converted_all_the_same(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, chips: Chip
) -> None:
    (tmp_path / "file").touch()
    network = dlib_network(WEIGHTS, SHA256, tmp_path / "file" / "models")
    assert isinstance(network, OnnxNetwork)
    assert "can't be kept" in caplog.text


@pytest.mark.parametrize("missing", ["onnx", "onnxruntime"])
def test_without_its_libraries_dlib_itself_encodes_and_that_is_said(
    missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("agents.recognizer.vision.convert", "agents.recognizer.vision.onnx_network"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, missing, None)
    assert isinstance(dlib_network(WEIGHTS, SHA256, tmp_path), Reference)
    assert "many times slower" in caplog.text
    assert missing in caplog.text


@pytest.mark.parametrize("cut", [0, 1000, 20_000, 22_000_000])
def test_weights_that_end_too_early_are_refused(cut: int) -> None:
    with pytest.raises(ModelError, match="weights"):
        to_onnx(WEIGHTS.read_bytes()[:cut])


def test_the_cache_is_where_systemd_or_the_user_wants_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CACHE_DIRECTORY", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "facelatch/models"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cache_folder() == Path.home() / ".cache/facelatch/models"
    monkeypatch.setenv("CACHE_DIRECTORY", f"{tmp_path}/a:{tmp_path}/b")
    assert cache_folder() == tmp_path / "a/models"
