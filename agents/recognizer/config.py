"""Settings of the recognizer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from agents.recognizer.vision.manifest import ALIGNED, AUTO, HOG, Model, merged, shipped
from agents.runtime.settings import Seconds, Section
from agents.wire.values import Name


class KeepUnknown(Section):
    """For how long, and how many, faces of people who are not enrolled are kept."""

    max_age_days: Annotated[float, Field(gt=0, le=365)] = 7.0
    max_count: Annotated[int, Field(ge=1, le=10_000)] = 200


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
    detector: Name = AUTO
    encoder: Name = "dlib-resnet"
    models: dict[Name, Model] = {}
    min_face_px: Annotated[int, Field(ge=20, le=2000)] = 60
    upsample: Literal[0, 1, 2] = 0
    max_age_s: Seconds = 2.0
    max_pixels: Annotated[int, Field(ge=10_000, le=50_000_000)] = 12_000_000
    snapshot: bool = True
    keep_crops: bool = False
    keep_unknown: KeepUnknown | None = None

    def model_problems(self) -> Iterator[tuple[str, str]]:
        """The keys that name a model which is none or does not fit, and what is wrong."""
        models = merged(self.models)
        encoders = [name for name, model in models.items() if model.purpose == "encoder"]
        if self.encoder not in encoders:
            yield "encoder", f"there is no encoder {self.encoder!r}; there are {', '.join(encoders)}"
        elif self.detector == HOG and models[self.encoder].kind in ALIGNED:
            yield "detector", f"encoder {self.encoder!r} needs the five points of a face, which only yunet gives"
        detectors = [AUTO, HOG, *(name for name, model in models.items() if model.purpose == "detector")]
        if self.detector not in detectors:
            yield "detector", f"there is no detector {self.detector!r}; there are {', '.join(detectors)}"
        for name, model in self.models.items():
            if name in shipped() and model.kind != shipped()[name].kind:
                yield "models", f"{name} has to be of kind {shipped()[name].kind}"
