"""The only file that touches dlib and its model files: finds faces and encodes them.

The convention is that of `face_recognition.face_encodings(..., num_jitters=1, model="small")`:
HOG box, 5-point landmarks, a 150 px chip with a quarter of padding, dlib's ResNet.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import cv2
import dlib
import face_recognition_models
import numpy as np
import numpy.typing as npt

from agents.recognizer.core import Seen, choose
from agents.recognizer.errors import ModelError
from agents.recognizer.matcher import Encoding
from agents.wire.messages import Box

Pixels = npt.NDArray[np.uint8]

CHIP_PX = 150
CHIP_PADDING = 0.25
MODELS = {
    "shape_predictor_5_face_landmarks.dat": "c4b1e9804792707d3a405c2c16a80a20269e6675021f64a41d30fffafbc41888",
    "dlib_face_recognition_resnet_model_v1.dat": "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
}


class FaceEngine:
    """dlib's detector, landmarks and network, loaded when made: about 0.3 s and 100 MB.

    `upsample` is how many times a picture is doubled before faces are looked for: each time finds
    faces half as large and takes four times as long. Raises ModelError.
    """

    def __init__(self, upsample: int = 0) -> None:
        landmarks, network = _checked_models()
        self._upsample = upsample
        self._detect = dlib.get_frontal_face_detector()
        self._landmarks = dlib.shape_predictor(str(landmarks))
        self._network = dlib.face_recognition_model_v1(str(network))

    def find(self, image: Pixels, upsample: int | None = None) -> list[Box]:
        """The faces in an RGB picture, shape (height, width, 3). A box may reach over the edge."""
        gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)  # 640 by 360 in 20 ms, where RGB takes 29
        return [_box(found) for found in self._detect(gray, self._upsample if upsample is None else upsample)]

    def chip(self, image: Pixels, box: Box) -> Pixels:
        """The face turned upright and scaled: RGB (150, 150, 3), from RGB (height, width, 3)."""
        shape = self._landmarks(image, _rectangle(box))
        chip: Pixels = dlib.get_face_chip(image, shape, CHIP_PX, CHIP_PADDING)
        return chip

    def encode_chip(self, chip: Pixels) -> Encoding:
        """The 128 numbers of a face, from its chip."""
        return np.array(self._network.compute_face_descriptor(chip), dtype=np.float64)

    def look(self, image: Pixels, min_face_px: int) -> list[Seen]:
        """The faces of an RGB picture that are wide enough, encoded, the largest first."""
        chips = [(box, self.chip(image, box)) for box in choose(self.find(image), min_face_px)]
        return [Seen(box, self.encode_chip(chip), sharpness(chip)) for box, chip in chips]

    def encode(self, image: Pixels, box: Box) -> Encoding:
        """The 128 numbers of the face in `box` of an RGB picture, shape (height, width, 3)."""
        return self.encode_chip(self.chip(image, box))


def sharpness(chip: Pixels) -> float:
    """Variance of the Laplacian of an RGB face chip.

    After J. L. Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy", ICPR 2000.
    Chips have one size, so that the numbers compare.
    """
    return float(cv2.Laplacian(cv2.cvtColor(chip, cv2.COLOR_RGB2GRAY), cv2.CV_64F).var())


def check_model(path: Path, sha256: str) -> Path:
    """The path, if the file is the one that was measured. Raises ModelError."""
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}") from None
    if found != sha256:
        raise ModelError(f"{path}: is another file than expected (SHA-256 {found}, expected {sha256})")
    return path


def _checked_models() -> list[Path]:
    folder = Path(face_recognition_models.face_recognition_model_location()).parent
    return [check_model(folder / name, sha256) for name, sha256 in MODELS.items()]


def _box(rectangle: Any) -> Box:
    return Box(left=rectangle.left(), top=rectangle.top(), width=rectangle.width(), height=rectangle.height())


def _rectangle(box: Box) -> Any:
    """dlib's rectangles include their last row and column."""
    return dlib.rectangle(box.left, box.top, box.left + box.width - 1, box.top + box.height - 1)
