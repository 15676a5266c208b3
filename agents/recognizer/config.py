"""Settings of the recognizer."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from agents.runtime.settings import Seconds, Section
from agents.wire.values import Name


class RecognizerSettings(Section):
    """`gallery` is relative to the house's file.

    `threshold` is the largest Euclidean distance between a face's encoding and a person's
    template at which the two count as the same person.
    """

    id: Name = "main"
    gallery: Annotated[str, StringConstraints(min_length=1)] = "data/gallery.sqlite"
    threshold: Annotated[float, Field(gt=0, le=0.6)] = 0.45
    min_margin: Annotated[float, Field(ge=0, le=0.5)] = 0.05
    min_face_px: Annotated[int, Field(ge=20, le=2000)] = 60
    upsample: Literal[0, 1, 2] = 0
    max_age_s: Seconds = 2.0
    max_pixels: Annotated[int, Field(ge=10_000, le=50_000_000)] = 12_000_000
    snapshot: bool = True
