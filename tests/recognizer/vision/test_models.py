"""The manifest of models: what is named in it, what is refused, and what the house may add."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from pydantic import ValidationError

from agents.recognizer.config import RecognizerSettings
from agents.recognizer.errors import ModelError
from agents.recognizer.vision.manifest import AUTO, HOG, PURPOSES, Model, merged, shipped
from agents.recognizer.vision.models import Models, check_file

CONTENT = b"weights of my own"
OWN = Model(kind="arcface", file="mine.onnx", sha256=hashlib.sha256(CONTENT).hexdigest(), threshold=1.1)


@pytest.mark.parametrize("name", [name for name, model in shipped().items() if model.url is None])
def test_every_model_of_a_package_is_installed_is_the_measured_file_and_says_whose_it_is(name: str) -> None:
    models = Models(shipped(), Path("/nowhere"))
    assert models.is_present(name)
    assert models.path(name).is_file()
    model = shipped()[name]
    assert model.purpose in PURPOSES.values()
    assert all((model.adds, model.licence, model.source))


def test_a_file_that_is_not_the_measured_one_is_refused_by_name(tmp_path: Path) -> None:
    file = tmp_path / "shape.dat"
    with pytest.raises(ModelError, match=r"shape\.dat: No such file"):
        check_file(file, "0" * 64)
    file.write_bytes(b"other weights")
    with pytest.raises(ModelError, match=r"shape\.dat: is another file than expected"):
        check_file(file, "0" * 64)


def test_a_house_adds_a_model_of_its_own_beside_its_file(tmp_path: Path) -> None:
    models = Models(merged({"mine": OWN}), tmp_path)
    assert not models.is_present("mine")
    with pytest.raises(ModelError, match=r"mine\.onnx: No such file"):
        models.path("mine")
    (tmp_path / "mine.onnx").write_bytes(CONTENT)
    assert models.path("mine") == tmp_path / "mine.onnx"
    assert set(models.manifest) == {*shipped(), "mine"}


def test_a_model_of_a_package_that_is_not_installed_is_absent(tmp_path: Path) -> None:
    absent = OWN.model_copy(update={"file": "no_such_package_of_models:face.onnx"})
    models = Models({"yunet": absent}, tmp_path)
    assert not models.is_present("yunet")
    with pytest.raises(ModelError, match="no_such_package_of_models"):
        models.path("yunet")


def test_a_name_that_no_manifest_has_is_told_with_those_there_are() -> None:
    with pytest.raises(ModelError, match=r"no model 'facenet'; there are yunet, dlib-5-point, dlib-resnet"):
        Models(shipped(), Path()).entry("facenet")


def test_without_another_wish_faces_are_found_by_yunet_where_it_is_present_else_by_dlib() -> None:
    assert Models(shipped(), Path()).detector(AUTO) == "yunet"
    absent = shipped()["yunet"].model_copy(update={"file": "nowhere.onnx"})
    assert Models({"yunet": absent}, Path("/nowhere")).detector(AUTO) == HOG
    assert Models(shipped(), Path()).detector(HOG) == HOG


@pytest.mark.parametrize("kind", ["arcface", "sface"])
def test_an_encoder_of_ones_own_needs_its_own_threshold(kind: str) -> None:
    with pytest.raises(ValidationError, match="needs its threshold"):
        Model.model_validate({"kind": kind, "file": "mine.onnx", "sha256": "0" * 64})


@pytest.mark.parametrize("sha256", ["", "0" * 63, "0" * 65, "G" * 64, "A" * 64])
def test_a_sha256_is_64_small_hexadecimal_digits(sha256: str) -> None:
    with pytest.raises(ValidationError, match="sha256"):
        Model.model_validate({"kind": "yunet", "file": "mine.onnx", "sha256": sha256})


PROBLEMS = {
    "no such encoder": ({"encoder": "facenet"}, "encoder", "no encoder 'facenet'; there are dlib-resnet, mine"),
    "a detector as encoder": ({"encoder": "yunet"}, "encoder", "no encoder 'yunet'"),
    "no such detector": ({"detector": "mtcnn"}, "detector", "no detector 'mtcnn'; there are auto, hog, yunet"),
    "an encoder as detector": ({"detector": "mine"}, "detector", "no detector 'mine'"),
    "points that nobody gives": ({"encoder": "mine", "detector": "hog"}, "detector", "needs the five points"),
}


@pytest.mark.parametrize("case", PROBLEMS)
def test_settings_that_name_a_model_which_does_not_fit_are_told_with_their_key(case: str) -> None:
    settings, key, text = PROBLEMS[case]
    problems = list(RecognizerSettings.model_validate({"models": {"mine": OWN}, **settings}).model_problems())
    assert [found for found, _ in problems] == [key]
    assert text in problems[0][1]


def test_a_shipped_model_may_be_replaced_only_by_one_of_its_kind() -> None:
    settings = RecognizerSettings(models={"yunet": OWN})
    assert ("models", "yunet has to be of kind yunet") in list(settings.model_problems())


def test_other_weights_in_the_shipped_network_need_a_threshold_of_their_own() -> None:
    other = shipped()["dlib-resnet"].model_copy(update={"sha256": "0" * 64})
    for name in ("dlib-resnet", "mine"):
        ((key, problem),) = RecognizerSettings(models={name: other}).model_problems()
        assert key == "models"
        assert f"{name} has other weights" in problem
    fitted = other.model_copy(update={"threshold": 0.2})
    settings = RecognizerSettings(models={"dlib-resnet": fitted})
    assert list(settings.model_problems()) == []
    assert settings.rule.threshold == 0.2


def test_the_defaults_are_without_a_problem() -> None:
    assert list(RecognizerSettings().model_problems()) == []
