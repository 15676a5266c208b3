"""Settings of the recognizer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from agents.recognizer.rule import Rule
from agents.recognizer.vision.manifest import ALIGNED, AUTO, DLIB, HOG, Model, merged, needs_threshold, shipped
from agents.runtime.settings import Seconds, Section
from agents.wire.values import Name


class KeepUnknown(Section):
    """For how long, and how many, faces of people who are not enrolled are kept."""

    max_age_days: Annotated[float, Field(gt=0, le=365)] = 7.0
    max_count: Annotated[int, Field(ge=1, le=10_000)] = 200


class RecognizerSettings(Section):
    """`gallery` is relative to the house's file.

    `threshold` is the largest score at which a face is somebody: its distance from them (between
    encodings of length 1), less a little for being far from everybody else. `min_margin` is how much
    farther the second person must be. What the defaults were chosen on is told in `rule.py`: of 600
    strangers 0.5 are let in where 79 people are enrolled, 0.03 where one is, and of the enrolled 97 %
    with 5 photos each, 90 % with 2. A threshold of 0.305 gave 0.15 strangers and 96.5 %, 0.28 none and
    92 %. They are for dlib's network: of another encoder its own threshold counts (`models`), and the
    margins in proportion.
    """

    id: Name = "main"
    gallery: Annotated[str, StringConstraints(min_length=1)] = "data/gallery.sqlite"
    threshold: Annotated[float, Field(gt=0, le=0.5)] = Rule.threshold
    min_margin: Annotated[float, Field(ge=0, le=0.5)] = Rule.min_margin
    detector: Name = AUTO
    encoder: Name = DLIB
    models: dict[Name, Model] = {}
    min_face_px: Annotated[int, Field(ge=20, le=2000)] = 60
    upsample: Literal[0, 1, 2] = 0
    max_age_s: Seconds = 2.0
    max_pixels: Annotated[int, Field(ge=10_000, le=50_000_000)] = 12_000_000
    snapshot: bool = True
    keep_crops: bool = False
    keep_unknown: KeepUnknown | None = None

    @property
    def rule(self) -> Rule:
        """How faces are compared, for the encoder in use."""
        rule = Rule(self.threshold, self.min_margin)
        own = merged(self.models)[self.encoder].threshold
        return rule if own is None else rule.scaled(own)

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
            if needs_threshold(model):
                yield "models", f"{name} has other weights than the shipped encoder, and needs its threshold"
            if name in shipped() and model.kind != shipped()[name].kind:
                yield "models", f"{name} has to be of kind {shipped()[name].kind}"
