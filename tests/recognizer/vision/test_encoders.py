"""Encoders by name: dlib's network, and networks of people's own."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from agents.recognizer.errors import ModelError
from agents.recognizer.vision.encoders import ALIGNED_POINTS, ALIGNED_PX, load_encoder, similarity
from agents.recognizer.vision.engine import Engine
from agents.recognizer.vision.found import Found, Pixels
from agents.recognizer.vision.manifest import Kind, Model, merged
from agents.recognizer.vision.models import Models
from agents.recognizer.vision.onnx_network import OnnxNetwork
from agents.wire.identity import Box

SIZE = 8


def made(batch: int | str = 1, output_rank: int = 2, size: int = SIZE) -> bytes:
    """A small network in the shape of ArcFace's: (n, 3, 112, 112) to (n, `size`)."""
    random = np.random.default_rng(7)
    weights = random.standard_normal((3 * 14 * 14, size)).astype(np.float32)
    nodes = [
        helper.make_node("AveragePool", ["face"], ["pooled"], kernel_shape=[8, 8], strides=[8, 8]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["encoding"]),
    ]
    shape = [batch, 3, ALIGNED_PX, ALIGNED_PX]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("face", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("encoding", TensorProto.FLOAT, [batch, size])],
        [numpy_helper.from_array(weights, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def models(folder: Path, kind: Kind = "arcface", network: bytes | None = None) -> Models:
    data = made() if network is None else network
    (folder / "mine.onnx").write_bytes(data)
    entry = Model(kind=kind, file="mine.onnx", sha256=hashlib.sha256(data).hexdigest(), threshold=1.1)
    return Models(merged({"mine": entry}), folder)


def image(photos: dict[str, Path], name: str) -> Pixels:
    read = cv2.imread(str(photos[name]))
    assert read is not None
    return np.ascontiguousarray(read[..., ::-1], dtype=np.uint8)


def noise(seed: int = 0, side_px: int = ALIGNED_PX) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (side_px, side_px, 3), np.uint8)


@pytest.mark.parametrize("kind", ["arcface", "sface"])
@pytest.mark.parametrize("batch", [1, "n"])
def test_a_network_of_ones_own_gives_encodings_of_length_one_whatever_batch_it_takes(
    kind: Kind, batch: int | str, tmp_path: Path
) -> None:
    encoder = load_encoder("mine", models(tmp_path, kind, made(batch)))
    encodings = encoder.encode([noise(1), noise(2), noise(3)])
    assert encodings.shape == (3, SIZE)
    assert encodings.dtype == np.float64
    assert np.linalg.norm(encodings, axis=1) == pytest.approx(1.0)
    np.testing.assert_allclose(encodings[1], encoder.encode([noise(2)])[0])


def test_the_two_kinds_differ_in_how_they_take_the_pixels(tmp_path: Path) -> None:
    chip = noise(1)
    pair = np.stack([chip, chip[:, ::-1]]).astype(np.float32).transpose(0, 3, 1, 2)
    network = OnnxNetwork(made("n"))
    for kind, planes in (("arcface", (pair - 127.5) / 127.5), ("sface", pair)):
        rows = network.run(np.ascontiguousarray(planes)).astype(np.float64)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        mean = rows.mean(axis=0)
        (found,) = load_encoder("mine", models(tmp_path, kind)).encode([chip])  # type: ignore[arg-type]
        np.testing.assert_allclose(found, mean / np.linalg.norm(mean), rtol=1e-4)


@pytest.mark.parametrize("name", ["dlib-resnet", "mine"])
def test_a_face_and_its_mirror_image_are_encoded_alike(name: str, tmp_path: Path) -> None:
    encoder = load_encoder(name, models(tmp_path))
    chip = noise(4, 150 if name == "dlib-resnet" else ALIGNED_PX)
    upright, mirrored = encoder.encode([chip, np.ascontiguousarray(chip[:, ::-1])])
    np.testing.assert_allclose(upright, mirrored, atol=1e-6)


def test_nobody_gives_no_encodings(engine: Engine) -> None:
    assert engine.encode([]).shape[0] == 0


def test_its_name_tells_apart_two_networks_of_one_name(tmp_path: Path) -> None:
    one = load_encoder("mine", models(tmp_path, network=made()))
    other = load_encoder("mine", models(tmp_path, network=made(size=9)))
    assert one.name != other.name
    assert one.name.startswith("mine-")


def test_other_weights_of_dlibs_network_do_not_pass_for_the_shipped_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a gallery of the one would be compared with faces encoded by the other."""
    monkeypatch.setenv("CACHE_DIRECTORY", str(tmp_path))
    shipped_name = load_encoder("dlib-resnet", models(tmp_path)).name
    whole = models(tmp_path)
    data = bytearray(whole.path("dlib-resnet").read_bytes())
    data[-1] ^= 1  # in the last weight
    (tmp_path / "other.dat").write_bytes(data)
    sha256 = hashlib.sha256(data).hexdigest()
    other = whole.entry("dlib-resnet").model_copy(update={"file": "other.dat", "sha256": sha256, "threshold": 0.3})
    renamed = load_encoder("mine", Models(merged({"mine": other}), tmp_path)).name
    replaced = load_encoder("dlib-resnet", Models(merged({"dlib-resnet": other}), tmp_path)).name
    assert shipped_name == "dlib-resnet-v1/mirrored"
    assert len({shipped_name, renamed, replaced}) == 3


def test_a_face_is_aligned_by_its_points(tmp_path: Path, photos: dict[str, Path], engine: Engine) -> None:
    picture = image(photos, "obama.jpg")
    (face,) = engine.find(picture)
    encoder = load_encoder("mine", models(tmp_path))
    chip = encoder.chip(picture, face)
    assert chip.shape == (ALIGNED_PX, ALIGNED_PX, 3)
    assert face.points is not None
    turn = similarity(face.points, ALIGNED_POINTS)
    placed = face.points @ turn[:, :2].T + turn[:, 2]
    assert np.abs(placed - ALIGNED_POINTS).max() < 6  # of 112 px: no two faces are alike
    turned = np.ascontiguousarray(cv2.rotate(picture, cv2.ROTATE_180), np.uint8)
    upside_down = Found(face.box, face.outline, np.array(picture.shape[1::-1]) - 1 - face.points)
    again = encoder.chip(turned, upside_down)
    assert np.abs(again.astype(int) - chip).mean() < 2


def test_a_detector_without_points_is_not_enough_for_it(tmp_path: Path) -> None:
    encoder, box = load_encoder("mine", models(tmp_path)), Box(left=0, top=0, width=100, height=100)
    with pytest.raises(ModelError, match="needs eyes, nose and mouth"):
        encoder.chip(noise(0), Found(box, box))


@pytest.mark.parametrize(
    ("content", "text"),
    [(b"", "can't be used"), (b"no network at all", "can't be used"), (made()[:-200], "can't be used")],
    ids=["empty", "text", "cut off"],
)
def test_a_file_that_is_no_network_is_told_by_name(content: bytes, text: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=rf"mine\.onnx: {text}"):
        load_encoder("mine", models(tmp_path, network=content))


def test_a_network_of_another_shape_is_an_error_and_no_crash() -> None:
    with pytest.raises(ModelError, match="the network failed"):
        OnnxNetwork(made()).run(np.zeros((1, 3, 50, 50), np.float32))


def test_an_entry_that_is_no_encoder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="'yunet' is no encoder"):
        load_encoder("yunet", models(tmp_path))


numbers = st.floats(-500, 500)


@given(st.floats(0.2, 5), st.floats(-3.1, 3.1), numbers, numbers)
def test_similarity_finds_the_turn_that_was_made(scale: float, angle: float, x: float, y: float) -> None:
    c, s = scale * np.cos(angle), scale * np.sin(angle)
    expected: Any = np.array([[c, -s, x], [s, c, y]])
    moved = ALIGNED_POINTS @ expected[:, :2].T + expected[:, 2]
    np.testing.assert_allclose(similarity(ALIGNED_POINTS, moved), expected, atol=1e-6 * max(1, abs(x), abs(y)))
