"""The manifest of models: what each file is. Reads no model; importing it loads no library for them."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from agents.runtime import yamlfile
from agents.runtime.settings import FilePath, Section
from agents.wire.values import Name

Kind = Literal["yunet", "dlib-5-point", "dlib-68-point", "dlib-resnet", "arcface", "sface", "minifas"]
PURPOSES: dict[Kind, str] = {
    "yunet": "detector",
    "dlib-5-point": "landmarks",
    "dlib-68-point": "landmarks",
    "dlib-resnet": "encoder",
    "arcface": "encoder",
    "sface": "encoder",
    "minifas": "liveness",
}
LIVENESS = "minifas"
FETCHED = "models"  # the folder of what was fetched, in the house's data
AUTO, HOG = "auto", "hog"  # detectors without a file: yunet where it is present; dlib's own
DLIB = "dlib-resnet"  # the default encoder, and the one that the rule's defaults are for
ALIGNED = ("arcface", "sface")  # by the five points of a face

Sha256 = Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]


class Model(Section):
    """One model file. `file` is PACKAGE:PATH, or a path relative to the house's file.

    `kind` says how it is used. `arcface`: an ONNX network that takes faces of 112×112 px, aligned by
    eyes, nose and mouth, RGB, (pixel - 127.5) / 127.5. `sface`: the same with the pixels as they are.
    Their encodings are brought to length 1; `threshold` is theirs, as no two networks share one. `minifas`:
    see `minifas.py`; `crop_scale` is how much larger than the face the part of the picture is that it takes.

    A model with a `url` is in no package: `facelatch models install` fetches it, and `file` is its name among the
    house's own models. What is there may be another export of the same weights, with another SHA-256
    (`also`); it is taken if it answers a fixed input as the measured file did (`probe`: the logits).
    """

    kind: Kind
    file: FilePath
    sha256: Sha256
    adds: str = ""
    licence: str = "not stated"
    source: str = "your own"
    threshold: Annotated[float, Field(gt=0, lt=2)] | None = None
    crop_scale: Annotated[float, Field(ge=1, le=6)] | None = None
    url: Annotated[str, StringConstraints(pattern="^https://")] | None = None
    also: Annotated[list[Sha256], Field(max_length=20)] = []
    probe: Annotated[list[float], Field(min_length=3, max_length=3)] | None = None

    @property
    def digests(self) -> tuple[str, ...]:
        """The SHA-256 of every file that may take this place."""
        return (self.sha256, *self.also)

    @model_validator(mode="after")
    def _has_a_threshold(self) -> Self:
        if self.kind in ALIGNED and self.threshold is None:
            raise ValueError(f"an encoder of kind {self.kind} needs its threshold, a distance between 0 and 2")
        if (self.kind == LIVENESS) is (self.crop_scale is None):
            raise ValueError(f"crop_scale is what a network of kind {LIVENESS} needs, and no other has")
        return self

    @model_validator(mode="after")
    def _is_fetched_to_its_place(self) -> Self:
        if self.url is None:
            return self
        if self.kind != LIVENESS:  # others have no probe
            raise ValueError(f"only what is of kind {LIVENESS} is fetched: leave out url")
        if not re.fullmatch(r"\w[\w.-]*", self.file):
            raise ValueError("what is fetched has a mere name as its file, without a folder")
        return self

    @property
    def purpose(self) -> str:
        return PURPOSES[self.kind]


class _Manifest(Section):
    models: dict[Name, Model]


Manifest = dict[str, Model]


@cache
def shipped() -> Manifest:
    """The models that Facelatch was measured with."""
    return yamlfile.load(Path(__file__).with_name("models.yaml"), _Manifest)[0].models


def liveness(models: Manifest) -> list[str]:
    """The names of the networks that tell a face from a picture of one."""
    return [name for name, model in models.items() if model.kind == LIVENESS]


def needs_threshold(model: Model) -> bool:
    """Whether it is a network that the shipped threshold was not chosen for, and none is given."""
    return model.purpose == "encoder" and model.threshold is None and model.sha256 != shipped()[DLIB].sha256


def merged(own: Manifest) -> Manifest:
    """The shipped models and a house's own, which may replace some by their name."""
    return {**shipped(), **own}
