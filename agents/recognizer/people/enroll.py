"""From a picture to what the gallery keeps of the face in it, or to the reason why not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from agents.recognizer import picture
from agents.recognizer.errors import PhotoRefused
from agents.recognizer.matcher import Encoding
from agents.recognizer.people.gates import Flaw, Measures, flaw, light_of, number_flaw, pose_of
from agents.recognizer.people.photo import MAX_PHOTO_PIXELS, Photo
from agents.recognizer.people.records import Sample
from agents.recognizer.vision.engine import Engine, sharpness
from agents.recognizer.vision.found import Found, Pixels
from agents.wire.messages import BadMessage


@dataclass(frozen=True, eq=False)
class Portrait:
    """The one face of an RGB picture, and what was measured of it."""

    image: Pixels
    face: Found
    chip: Pixels
    measures: Measures

    def sample(self, engine: Engine, sha256: str, keep_crop: bool) -> Sample:
        """For the gallery; `sha256` is that of the picture's file."""
        crop = picture.face_crop(self.image, self.face.box) if keep_crop else None
        return Sample(engine.encode([self.chip])[0], engine.encoder, sha256, crop)


def portray(image: Pixels, engine: Engine) -> Portrait | Flaw:
    """The good face of a picture, or what is wrong with it."""
    # faces that are too small to be found at once are looked for to be able to say so
    faces = engine.find(image) or engine.find(image, upsample=1)
    wrong = number_flaw(len(faces))
    if wrong is not None:
        return wrong
    (face,) = faces
    chip = engine.chip(image, face)
    pose = None if face.points is None else pose_of(face.points)
    measures = Measures(face.box.width, light_of(chip), sharpness(chip), pose)
    return flaw(measures) or Portrait(image, face, chip, measures)


def take_sample(photo: Photo, engine: Engine, keep_crop: bool) -> Sample:
    """What the gallery keeps of the one good face. Raises PhotoRefused."""
    found = portray(photo.image, engine)
    if isinstance(found, Flaw):
        raise PhotoRefused(found.reason)
    return found.sample(engine, photo.sha256, keep_crop)


def encode_photo(photo: Photo, engine: Engine) -> Encoding:
    """The encoding of the one good face, float64 (d,). Raises PhotoRefused."""
    return take_sample(photo, engine, keep_crop=False).encoding


def encode_crop(jpeg: bytes, engine: Engine) -> Encoding:
    """The encoding, float64 (d,), of the face that a kept crop was made around. Raises PhotoRefused.

    It went through the gates when it was enrolled; there may be a part of another face at the edge.
    """
    try:
        image = picture.decode_frame(jpeg, MAX_PHOTO_PIXELS)
    except BadMessage as error:
        raise PhotoRefused(str(error)) from None
    faces = engine.find(image) or engine.find(image, upsample=1)
    if not faces:
        raise PhotoRefused("no face found")
    face = max(faces, key=lambda face: face.box.width)
    return np.asarray(engine.encode([engine.chip(image, face)])[0])
