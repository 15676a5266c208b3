"""Who is in one frame: the recognizer's message to the scheduler."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from agents.wire.liveness import Liveness, Verdict
from agents.wire.messages import Payload
from agents.wire.values import CorrelationId, Name, PersonName, Pixels, Seq, UtcSeconds

MOST_MEASURED = 4
"""Faces of a frame whose liveness is told: the largest."""


class Box(Payload):
    """A face's place in the picture, in pixels; it may reach over the edge."""

    left: Pixels
    top: Pixels
    width: Annotated[Pixels, Field(gt=0)]
    height: Annotated[Pixels, Field(gt=0)]


class Face(Payload):
    """One face of a frame.

    `distance` is that to the nearest person, between encodings of length 1, and `margin` how much
    farther the second person is; both null where there is nobody to compare with. `person` is null
    for a stranger. `sharpness` is the variance of the Laplacian of the face at 150 px. `track` is the
    face's number over several frames. `liveness` is null where nothing was measured.
    """

    person: PersonName | None
    distance: Annotated[float, Field(ge=0)] | None
    margin: Annotated[float, Field(ge=0)] | None
    box: Box
    sharpness: Annotated[float, Field(ge=0)]
    liveness: Liveness | None = None
    track: Seq | None = None

    @property
    def is_spoof(self) -> bool:
        """Whether it is known to be a picture of a face."""
        return self.liveness is not None and self.liveness.verdict is Verdict.SPOOF

    @model_validator(mode="after")
    def _a_name_has_a_distance(self) -> Self:
        if self.person is not None and self.distance is None:
            raise ValueError("a person without a distance was compared with nobody")
        return self


class Identity(Payload):
    """Who is in one frame. `id` follows the frame to the decision, the grant and the door's event."""

    id: CorrelationId
    camera: Name
    captured_at: UtcSeconds
    seq: Seq
    faces: Annotated[tuple[Face, ...], Field(max_length=32)]

    @model_validator(mode="after")
    def _few_are_measured(self) -> Self:
        if sum(face.liveness is not None for face in self.faces) > MOST_MEASURED:
            raise ValueError(f"the liveness of at most {MOST_MEASURED} faces is told")
        return self
