"""Settings of the recognizer."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from agents.recognizer.vision.manifest import Model
from agents.runtime.settings import Seconds, Section
from agents.wire.values import Name


class RecognizerSettings(Section):
    """`gallery` is relative to the house's file.

    `threshold` is the largest Euclidean distance between a face's encoding and a person's
    template at which the two count as the same person; `min_margin` is how much farther the
    second person's template must be.

    The defaults were chosen on Labeled Faces in the Wild, one photo a decision: in each of 560
    random enrolments (1 to 79 people, 2 or 5 photos each) at most 1 of 599 strangers was let in,
    on average 0.05. Of the enrolled people's other photos 91 % were recognized with 79 people and
    5 photos each, 74 % with 2 photos each. A threshold of 0.45 gave 96 % and 86 %, and let in up
    to 4 strangers.
    """

    id: Name = "main"
    gallery: Annotated[str, StringConstraints(min_length=1)] = "data/gallery.sqlite"
    threshold: Annotated[float, Field(gt=0, le=0.6)] = 0.42
    min_margin: Annotated[float, Field(ge=0, le=0.5)] = 0.05
    detector: Literal["auto", "yunet", "hog"] = "auto"
    encoder: Name = "dlib-resnet"
    models: dict[Name, Model] = {}
    min_face_px: Annotated[int, Field(ge=20, le=2000)] = 60
    upsample: Literal[0, 1, 2] = 0
    max_age_s: Seconds = 2.0
    max_pixels: Annotated[int, Field(ge=10_000, le=50_000_000)] = 12_000_000
    snapshot: bool = True
