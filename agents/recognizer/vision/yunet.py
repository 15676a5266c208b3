"""The only file that touches OpenCV's YuNet: W. Wu et al., "YuNet: A Tiny Millisecond-level Face Detector", 2023."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np

from agents.recognizer.errors import ModelError
from agents.recognizer.vision.boxes import hog_box
from agents.recognizer.vision.found import Found, Pixels
from agents.wire.identity import Box

SCORE, OVERLAP, MOST = 0.6, 0.3, 50
SMALLEST_PX = 30
"""Width of the smallest face looked for, in the picture that YuNet sees: of 200 news photos, made smaller
until the face was so wide, it found it in 99.5 %; at 24 px in 99, at 20 px in 98, at 16 px in 82 %."""
LEAST_PX = 32  # of a side; below that there is nothing for its strides of 8, 16 and 32


class YuNet:
    """Finds faces of `min_face_px` and more: a picture is made so small that those are SMALLEST_PX wide.

    Raises ModelError.
    """

    def __init__(self, model: Path, min_face_px: int) -> None:
        self._scale = SMALLEST_PX / min_face_px
        if "OPENCV_LOG_LEVEL" not in os.environ:  # OpenCV 5 warns of a setting that it makes itself
            cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
        try:
            self._net = cv2.FaceDetectorYN.create(str(model), "", (320, 320), SCORE, OVERLAP, MOST)
        except cv2.error as error:
            raise ModelError(f"{model}: can't be used: {error.err}") from None

    def find(self, image: Pixels, upsample: int) -> list[Found]:
        scale = min(1.0, self._scale * 2**upsample)
        height, width = (max(LEAST_PX, round(side * scale)) for side in image.shape[:2])
        small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
        self._net.setInputSize((width, height))
        faces = self._net.detect(cv2.cvtColor(small, cv2.COLOR_RGB2BGR))[1]
        if faces is None:
            return []
        back = np.array([image.shape[1] / width, image.shape[0] / height])
        return [_found(row, back) for row in np.asarray(faces, np.float64) if np.isfinite(row).all()]


def _found(row: np.typing.NDArray[np.float64], back: np.typing.NDArray[np.float64]) -> Found:
    """From a row of YuNet's: left, top, width, height, five points, score."""
    left, top, width, height = (round(float(v)) for v in row[:4] * np.tile(back, 2))
    points = row[4:14].reshape(5, 2) * back
    outline = Box(left=left, top=top, width=max(1, width), height=max(1, height))
    return Found(hog_box(outline, points), outline, points)
