"""`facelatch models`, and a house that changes its encoder."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from agents.recognizer.vision.manifest import shipped
from tests.cli.conftest import Facelatch
from tests.recognizer.vision.test_encoders import made

SHARED = Path(__file__).parents[3] / "shared/models"

OWN = """
recognizer:
  keep_crops: true
  encoder: {encoder}
  models:
    mine:
      kind: arcface
      file: mine.onnx
      sha256: {sha256}
      threshold: 1.2
      licence: ours
      adds: nothing but a test
"""


def configure(folder: Path, encoder: str, sha256: str) -> None:
    config = folder / "facelatch.yaml"
    house = config.read_text().partition("\nrecognizer:")[0]
    config.write_text(house + OWN.format(encoder=encoder, sha256=sha256))


@pytest.fixture
def own(folder: Path) -> str:
    """A network of the house's own beside its file; returns its SHA-256."""
    network = made(size=128)
    (folder / "mine.onnx").write_bytes(network)
    return hashlib.sha256(network).hexdigest()


def test_each_shipped_model_is_listed_with_what_it_adds_and_whose_it_is(facelatch: Facelatch) -> None:
    done = facelatch("models")
    assert done.status == 0
    for name, model in shipped().items():
        state = "absent; to fetch it: facelatch models install liveness" if model.url else "present, in use"
        assert f"{name}: {model.purpose}, {state}" in done.out
        assert f"  {model.adds}" in done.out
        assert f"  licence {model.licence}; from {model.source}" in done.out


def test_a_model_of_ones_own_is_listed_with_the_shipped_ones(facelatch: Facelatch, folder: Path, own: str) -> None:
    configure(folder, "mine", own)
    lines = {line["name"]: line for line in map(json.loads, facelatch("models", "--json").out)}
    assert set(lines) == {*shipped(), "mine"}
    assert (lines["mine"]["state"], lines["mine"]["in_use"], lines["mine"]["licence"]) == ("present", True, "ours")
    assert not lines["dlib-resnet"]["in_use"]


def test_a_file_in_use_that_is_not_there_or_another_one_is_said_by_text_and_exit_status(
    facelatch: Facelatch, folder: Path, own: str
) -> None:
    configure(folder, "mine", "0" * 63 + "a")
    done = facelatch("models")
    assert done.status == 1
    assert any(line.startswith("mine: encoder, refused: ") and "another file" in line for line in done.out)
    (folder / "mine.onnx").unlink()
    assert "mine: encoder, absent, in use" in facelatch("models").out


def test_with_another_encoder_nobody_is_known_until_all_are_encoded_anew_from_their_crops(
    facelatch: Facelatch, folder: Path, own: str, photos: dict[str, Path]
) -> None:
    configure(folder, "dlib-resnet", own)
    assert facelatch("enroll", "Barack", photos["obama.jpg"], photos["obama2.jpg"]).status == 0
    configure(folder, "mine", own)
    refused = facelatch("identify", photos["obama.jpg"])
    assert refused.status == 1
    assert "facelatch people reencode" in refused.err[0]
    assert facelatch("people", "reencode").status == 0
    shown = facelatch("people", "show", "Barack").out
    assert all("mine-" in line for line in shown[1:])
    assert facelatch("identify", photos["obama.jpg"]).out[0].split(": ")[1].startswith("Barack at distance")


@pytest.mark.skipif(not SHARED.exists(), reason="needs the networks of ../shared/models")
def test_the_networks_for_liveness_are_installed_together(facelatch: Facelatch) -> None:
    assert facelatch("models", "install", "liveness", "--from", str(SHARED)).status == 0
    assert "minifas-v2: liveness, present, in use" in facelatch("models").out


def test_one_file_can_not_be_several_models(facelatch: Facelatch, folder: Path) -> None:
    done = facelatch("models", "install", "liveness", "--from", str(folder / "facelatch.yaml"))
    assert done.status != 0
    assert "is one file, and these are 2 models" in done.err[0]


def test_what_can_not_be_installed_is_named(facelatch: Facelatch, folder: Path) -> None:
    done = facelatch("models", "install", "minifas-v2", "--from", str(folder))
    assert done.status != 0
    assert "no file in this folder is minifas-v2" in done.err[0]
