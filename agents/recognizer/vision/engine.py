"""Detector and encoder, as the settings name them: from a picture to faces and their encodings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from agents.recognizer.config import RecognizerSettings
from agents.recognizer.core import Seen, choose
from agents.recognizer.liveness.look import Look
from agents.recognizer.matcher import Encoding
from agents.recognizer.vision.encoders import load_encoder
from agents.recognizer.vision.examiner import load_examiner
from agents.recognizer.vision.found import Detector, Found, Pixels
from agents.recognizer.vision.manifest import FETCHED, HOG, merged
from agents.recognizer.vision.models import Models
from agents.wire.identity import Box

BLANK = np.zeros((360, 640, 3), np.uint8)
SOMEWHERE = Found(
    Box(left=270, top=130, width=100, height=100),
    Box(left=275, top=114, width=90, height=117),
    np.array([[295, 165], [345, 165], [320, 190], [300, 210], [340, 210]], np.float64),
)


class Engine:
    """The models in use, loaded when made. `encoder` names the encoder as the gallery records it.

    `folder` is what paths of the house's own models are relative to; those that were fetched are in `data`.
    Raises ModelError.
    """

    def __init__(self, settings: RecognizerSettings, folder: Path, data: Path | None = None) -> None:
        models = Models(merged(settings.models), folder, (data or folder / "data") / FETCHED)
        self._upsample, self._min_face_px = settings.upsample, settings.min_face_px
        self._detector = _load_detector(settings, models)
        self._encoder = load_encoder(settings.encoder, models)
        self._examiner = load_examiner(models)
        self.tells_liveness = self._examiner.tells_texture
        self.encoder, self.network = self._encoder.name, self._encoder.network

    def warm_up(self) -> None:
        """Everything once, so that the first visitor does not wait."""
        self.find(BLANK)
        encoding = self.encode([self.chip(BLANK, SOMEWHERE)])[0]
        self.examine(BLANK, BLANK, Seen(SOMEWHERE.box, SOMEWHERE.outline, encoding, 0.0), 0.0)

    def find(self, image: Pixels, upsample: int | None = None) -> list[Found]:
        """The faces in an RGB picture, shape (height, width, 3). A box may reach over the edge."""
        return self._detector.find(image, self._upsample if upsample is None else upsample)

    def look(self, image: Pixels, regions: Sequence[Box] | None = None) -> list[Seen]:
        """The faces that are wide enough, encoded, the largest first; looked for in these parts of the
        picture, or everywhere.
        """
        faces = self.find(image) if regions is None else self._find_in(image, regions)
        faces = choose(faces, self._min_face_px)
        chips = [self.chip(image, face) for face in faces]
        encodings = self.encode(chips)
        return [Seen(f.box, f.outline, e, sharpness(c)) for f, e, c in zip(faces, encodings, chips, strict=True)]

    def examine(self, image: Pixels, before: Pixels | None, face: Seen, at_s: float) -> Look:
        """What this frame, and the one before, tell of the face's liveness. `at_s` is monotonic."""
        return self._examiner.look(image, before, face, at_s)

    def chip(self, image: Pixels, face: Found) -> Pixels:
        """The face turned upright and scaled: RGB, square, as large as the encoder wants it."""
        return self._encoder.chip(image, face)

    def encode(self, chips: Sequence[Pixels]) -> Encoding:
        """float64 (n, d): one row for each chip."""
        return self._encoder.encode(chips)

    def _find_in(self, image: Pixels, regions: Sequence[Box]) -> list[Found]:
        parts = [(r, image[r.top : r.top + r.height, r.left : r.left + r.width]) for r in regions]
        return [face.moved(r.left, r.top) for r, part in parts for face in self.find(np.ascontiguousarray(part))]


def sharpness(chip: Pixels) -> float:
    """Variance of the Laplacian of an RGB face chip.

    After J. L. Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy", ICPR 2000.
    Chips have one size, so that the numbers compare.
    """
    return float(cv2.Laplacian(cv2.cvtColor(chip, cv2.COLOR_RGB2GRAY), cv2.CV_64F).var())


def _load_detector(settings: RecognizerSettings, models: Models) -> Detector:
    name = models.detector(settings.detector)
    if name == HOG:
        from agents.recognizer.vision.dlib_faces import Hog

        return Hog()
    from agents.recognizer.vision.yunet import YuNet

    return YuNet(models.path(name), settings.min_face_px)
