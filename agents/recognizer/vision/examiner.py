"""Looks at a found face for its liveness: texture by the networks, shape by landmarks, and whether it can be told."""

from __future__ import annotations

from typing import Protocol

import cv2
import numpy as np

from agents.recognizer.core import Seen
from agents.recognizer.liveness.look import Look, Marks, Shape
from agents.recognizer.liveness.quality import Quality
from agents.recognizer.vision.flow import motion
from agents.recognizer.vision.found import Pixels
from agents.recognizer.vision.manifest import liveness
from agents.recognizer.vision.minifas import MiniFas
from agents.recognizer.vision.models import Models
from agents.wire.identity import Box


class Marks68(Protocol):
    def marks(self, image: Pixels, box: Box) -> Marks:
        """The 68 landmarks of a face, from an RGB picture and the box that dlib's detector gives."""


class Examiner:
    """`texture` is None where the networks are not installed."""

    def __init__(self, landmarks: Marks68, texture: MiniFas | None) -> None:
        self._landmarks, self._texture = landmarks, texture

    @property
    def tells_texture(self) -> bool:
        return self._texture is not None

    def look(self, image: Pixels, before: Pixels | None, face: Seen, at_s: float) -> Look:
        """At a face in an RGB picture, at this monotonic time; `before` is the picture before. Raises ModelError."""
        height_px, width_px = image.shape[:2]
        doubt = Quality(face.outline, _grey(image, face.box), face.sharpness).doubt(width_px, height_px)
        score = None if self._texture is None else self._texture.score(image, face.outline)
        moved = None if before is None else motion(before, image, face.outline)
        return Look(at_s, score, Shape.of(self._landmarks.marks(image, face.box)), moved, doubt)


def load_examiner(models: Models) -> Examiner:
    """With the networks that are present. Raises ModelError, also where only some of them can be used."""
    from agents.recognizer.vision.dlib_faces import Landmarks

    return Examiner(Landmarks(models.path("dlib-68-point")), _load_texture(models))


def _load_texture(models: Models) -> MiniFas | None:
    names = liveness(models.manifest)
    if not any(models.is_present(name) for name in names):
        return None
    from agents.recognizer.vision.onnx_network import OnnxNetwork

    return MiniFas([(OnnxNetwork(models.path(name)), models.entry(name).crop_scale or 1.0) for name in names])


def _grey(image: Pixels, box: Box) -> float:
    """The mean level of what of the box is in the picture; 0 where nothing is."""
    left, top = max(0, box.left), max(0, box.top)
    part = image[top : max(top, box.top + box.height), left : max(left, box.left + box.width)]
    return float(cv2.cvtColor(np.ascontiguousarray(part), cv2.COLOR_RGB2GRAY).mean()) if part.size else 0.0
