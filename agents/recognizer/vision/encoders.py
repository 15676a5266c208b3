"""Encoders: from a face in a picture to the numbers it is told by. Which one is a setting."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from agents.recognizer.errors import ModelError
from agents.recognizer.matcher import Encoding
from agents.recognizer.vision.converted import Network, dlib_network
from agents.recognizer.vision.found import Found, Pixels, Points
from agents.recognizer.vision.manifest import DLIB, Model, shipped
from agents.recognizer.vision.models import Models

SHIPPED = "dlib-resnet-v1/mirrored"  # what the gallery records of the default encoder
ALIGNED_PX = 112
ALIGNED_POINTS: Points = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)
"""Where the five points of a face of 112×112 px are, as ArcFace's authors align them (InsightFace,
`arcface_dst`; J. Deng et al., "ArcFace", 2019), and OpenCV's SFace after them."""


class Encoder(Protocol):
    """`name` is what the gallery records: encodings of different names can't be compared."""

    name: str
    network: Network

    def chip(self, image: Pixels, face: Found) -> Pixels:
        """The face turned upright and scaled: RGB, square. Raises ModelError where it can't be."""

    def encode(self, chips: Sequence[Pixels]) -> Encoding:
        """float64 (n, d), one row for each chip: the mean of the encodings of it and of its mirror image."""


class DlibResnet:
    """The convention of `face_recognition.face_encodings(..., model="small")`, averaged with the mirrored face's.

    Other weights in the same network make other encodings, and have another name.
    """

    def __init__(self, name: str, network: Network, chip: Callable[[Pixels, Found], Pixels]) -> None:
        self.name, self.network, self._chip = name, network, chip

    @classmethod
    def load(cls, name: str, models: Models) -> DlibResnet:
        """Raises ModelError."""
        from agents.recognizer.vision.dlib_faces import Chips

        chips = Chips(models.path("dlib-5-point"))
        sha256 = models.entry(name).sha256
        network = dlib_network(models.path(name), sha256)
        recorded = SHIPPED if sha256 == shipped()[DLIB].sha256 else _recorded(name, sha256)
        return cls(recorded, network, lambda image, face: chips.chip(image, face.box))

    def chip(self, image: Pixels, face: Found) -> Pixels:
        return self._chip(image, face)

    def encode(self, chips: Sequence[Pixels]) -> Encoding:
        return _mirrored(chips, self.network.run)


class Aligned:
    """Any network that takes faces of 112×112 px, aligned by five points."""

    def __init__(self, name: str, model: Model, network: Network) -> None:
        self.name = _recorded(name, model.sha256)
        self._mean, self._scale = (127.5, 127.5) if model.kind == "arcface" else (0.0, 1.0)
        self.network = network

    @classmethod
    def load(cls, name: str, models: Models) -> Aligned:
        """Raises ModelError."""
        path = models.path(name)
        try:
            from agents.recognizer.vision.onnx_network import OnnxNetwork
        except ImportError as error:
            raise ModelError(f"{path}: needs onnxruntime: {error}") from None
        return cls(name, models.entry(name), OnnxNetwork(path))

    def chip(self, image: Pixels, face: Found) -> Pixels:
        if face.points is None:
            raise ModelError(f"{self.name} needs eyes, nose and mouth, which only the detector yunet gives")
        turn = similarity(face.points, ALIGNED_POINTS)
        return np.asarray(cv2.warpAffine(image, turn, (ALIGNED_PX, ALIGNED_PX)), np.uint8)

    def encode(self, chips: Sequence[Pixels]) -> Encoding:
        encodings = _mirrored(chips, self._run)
        lengths = np.linalg.norm(encodings, axis=1, keepdims=True)
        if not np.all(lengths > 0):
            raise ModelError(f"{self.name}: the network gave an encoding of length 0")
        return np.asarray(encodings / lengths)

    def _run(self, chips: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """One by one, as many such files are made for a single face; each encoding at length 1."""
        planes = ((chips.astype(np.float32) - self._mean) / self._scale).transpose(0, 3, 1, 2)
        rows = np.concatenate([self.network.run(np.ascontiguousarray(plane[None])) for plane in planes])
        flat = rows.reshape(len(chips), -1)
        return np.asarray(flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-12), np.float32)


LOADERS: dict[str, Callable[[str, Models], Encoder]] = {
    "dlib-resnet": DlibResnet.load,
    "arcface": Aligned.load,
    "sface": Aligned.load,
}


def load_encoder(name: str, models: Models) -> Encoder:
    """Raises ModelError."""
    kind = models.entry(name).kind
    if kind not in LOADERS:
        raise ModelError(f"{name!r} is no encoder but of kind {kind}")
    return LOADERS[kind](name, models)


def similarity(points: Points, to: Points) -> npt.NDArray[np.float64]:
    """The rotation, scale and shift, (2, 3), that bring `points` nearest `to`.

    S. Umeyama, "Least-squares estimation of transformation parameters between two point patterns", 1991;
    in the plane, without reflection, a complex number does it.
    """
    a, b = (p[:, 0] + 1j * p[:, 1] for p in (points, to))
    centred = a - a.mean()
    turn = np.vdot(centred, b - b.mean()) / max(np.vdot(centred, centred).real, 1e-12)
    shift = b.mean() - turn * a.mean()
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def _recorded(name: str, sha256: str) -> str:
    return f"{name}-{sha256[:16]}/mirrored"


def _mirrored(chips: Sequence[Pixels], run: Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.float32]]) -> Encoding:
    """Of two chips at a time: a network's memory grows with the batch, its speed hardly."""
    pairs = [run(np.stack([chip, chip[:, ::-1]])) for chip in chips]
    return np.array([pair.astype(np.float64).mean(axis=0) for pair in pairs])
