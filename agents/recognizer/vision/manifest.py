"""The manifest of models: what each file is. Reads no model; importing it loads no library for them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from agents.runtime import yamlfile
from agents.runtime.settings import FilePath, Section
from agents.wire.values import Name

Kind = Literal["yunet", "dlib-5-point", "dlib-resnet", "arcface", "sface"]
PURPOSES: dict[Kind, str] = {
    "yunet": "detector",
    "dlib-5-point": "landmarks",
    "dlib-resnet": "encoder",
    "arcface": "encoder",
    "sface": "encoder",
}
AUTO, HOG = "auto", "hog"  # detectors without a file: yunet where it is present; dlib's own
DLIB = "dlib-resnet"  # the default encoder, and the one that the rule's defaults are for
ALIGNED = ("arcface", "sface")  # by the five points of a face

Sha256 = Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]


class Model(Section):
    """One model file. `file` is PACKAGE:PATH, or a path relative to the house's file.

    `kind` says how it is used. `arcface`: an ONNX network that takes faces of 112×112 px, aligned by
    eyes, nose and mouth, RGB, (pixel - 127.5) / 127.5. `sface`: the same with the pixels as they are.
    Their encodings are brought to length 1; `threshold` is theirs, as no two networks share one.
    """

    kind: Kind
    file: FilePath
    sha256: Sha256
    adds: str = ""
    licence: str = "not stated"
    source: str = "your own"
    threshold: Annotated[float, Field(gt=0, lt=2)] | None = None

    @model_validator(mode="after")
    def _has_a_threshold(self) -> Self:
        if self.kind in ALIGNED and self.threshold is None:
            raise ValueError(f"an encoder of kind {self.kind} needs its threshold, a distance between 0 and 2")
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


def needs_threshold(model: Model) -> bool:
    """Whether it is a network that the shipped threshold was not chosen for, and none is given."""
    return model.purpose == "encoder" and model.threshold is None and model.sha256 != shipped()[DLIB].sha256


def merged(own: Manifest) -> Manifest:
    """The shipped models and a house's own, which may replace some by their name."""
    return {**shipped(), **own}
