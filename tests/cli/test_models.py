"""`facelatch models`, and a house that changes its encoder."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
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
def test_the_networks_for_liveness_are_installed_together_and_once(facelatch: Facelatch, folder: Path) -> None:
    install = ("models", "install", "liveness", "--from", str(SHARED))
    done = facelatch(*install)
    assert done.status == 0
    assert done.out[0] == f"minifas-v2: installed, {folder}/data/models/minifas-v2.onnx"
    assert [line.split(",")[0] for line in facelatch(*install).out] == ["minifas-v2: present", "minifas-v1se: present"]
    listed = facelatch("models")
    assert listed.status == 0
    assert {"minifas-v2: liveness, present, in use", "minifas-v1se: liveness, present, in use"} <= set(listed.out)


@pytest.mark.skipif(not SHARED.exists(), reason="needs the networks of ../shared/models")
def test_half_of_the_networks_is_told_by_text_and_exit_status_with_what_helps(facelatch: Facelatch) -> None:
    """A recognizer that finds some of them wants them all."""
    assert facelatch("models", "install", "minifas-v1se", "--from", str(SHARED)).status == 0
    done = facelatch("models")
    assert done.status == 1
    assert "minifas-v2: liveness, absent, in use; to fetch it: facelatch models install liveness" in done.out


def test_a_wrong_network_is_told_by_text_and_exit_status_with_what_helps(facelatch: Facelatch, folder: Path) -> None:
    (folder / "data/models").mkdir(parents=True)
    (folder / "data/models/minifas-v2.onnx").write_bytes(b"wrong")
    done = facelatch("models")
    assert done.status == 1
    (told,) = (line for line in done.out if line.startswith("minifas-v2: "))
    assert told.startswith("minifas-v2: liveness, refused: ")
    assert told.endswith(", in use; to fetch it: facelatch models install liveness")


def test_one_file_can_not_be_several_models(facelatch: Facelatch, folder: Path) -> None:
    done = facelatch("models", "install", "liveness", "--from", str(folder / "facelatch.yaml"))
    assert done.status == 1
    assert "is one file, and these are 2 models" in done.err[0]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("minifas-v2", "no file in this folder is minifas-v2"),
        ("minifas", "there is no model 'minifas'"),
        ("yunet", "in no need of being fetched"),
    ],
)
def test_what_can_not_be_installed_is_named(facelatch: Facelatch, folder: Path, name: str, said: str) -> None:
    done = facelatch("models", "install", name, "--from", str(folder))
    assert done.status == 1
    assert said in done.err[0]
    assert not (folder / "data").exists()


def test_a_network_of_the_houses_own_in_the_place_of_ours_is_not_fetched(facelatch: Facelatch, folder: Path) -> None:
    own = "{{ kind: minifas, file: mine/{0}.onnx, sha256: {1}, crop_scale: 3 }}".format
    places = "".join(f"    {name}: {own(name, 'a' * 64)}\n" for name in ("minifas-v2", "minifas-v1se"))
    with (folder / "facelatch.yaml").open("a") as file:
        file.write(f"recognizer:\n  models:\n{places}")
    assert "minifas-v2: liveness, absent" in facelatch("models").out
    done = facelatch("models", "install", "liveness")
    assert done.status == 1
    assert "are all files of its own" in done.err[0]


def test_no_command_loads_the_recognizers_libraries_before_it_needs_them() -> None:
    """A door's computer does not have them."""
    told = (
        "import sys, agents.cli.main; print(sorted({'cv2', 'dlib', 'numpy', 'onnx', 'onnxruntime'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", told], check=True, capture_output=True, text=True).stdout == "[]\n"
