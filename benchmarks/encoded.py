"""Photos as encodings, through the recognizer's own engine."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from agents.recognizer.config import RecognizerSettings
from agents.recognizer.vision.engine import BLANK, SOMEWHERE, Engine
from agents.recognizer.vision.found import Found, Pixels

TELL_EVERY = 200


@dataclass(frozen=True)
class Encoded:
    """The face nearest the middle of a photo: `mirrored` is the mean with its mirror image's, as the
    recognizer encodes; `plain` without. Numbers that are none where no face is found.
    """

    mirrored: npt.NDArray[np.float64]
    plain: npt.NDArray[np.float64]

    @property
    def found(self) -> bool:
        return bool(np.isfinite(self.mirrored).all())


def encoder(settings: RecognizerSettings | None = None) -> Callable[[Path], Encoded]:
    """Each file is read once. Raises ModelError; SystemExit for a file that is no picture."""
    engine = Engine(settings or RecognizerSettings(), Path())
    nothing = np.full(engine.encode([engine.chip(BLANK, SOMEWHERE)]).shape[1], np.nan)
    read: list[Path] = []

    @cache
    def encode(path: Path) -> Encoded:
        read.append(path)
        if len(read) % TELL_EVERY == 0:
            print(f"accuracy: {len(read)} photos encoded ...", file=sys.stderr, flush=True)
        image = _image(path)
        faces = engine.find(image)
        if not faces:
            return Encoded(nothing, nothing)
        chip = engine.chip(image, min(faces, key=lambda face: _off_middle(face, image)))
        plain = engine.network.run(np.ascontiguousarray(chip)[None])[0].astype(np.float64)
        return Encoded(engine.encode([chip])[0], plain)

    return encode


def _image(path: Path) -> Pixels:
    bgr = cv2.imread(str(path))
    if bgr is None:
        raise SystemExit(f"{path}: is no picture")
    return np.ascontiguousarray(bgr[..., ::-1], dtype=np.uint8)


def _off_middle(face: Found, image: Pixels) -> float:
    height, width = image.shape[:2]
    box = face.box
    return float(np.hypot(box.left + (box.width - width) / 2, box.top + (box.height - height) / 2))
