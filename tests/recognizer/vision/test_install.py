"""Model files that are fetched: only the right one gets to its place, wherever it comes from."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from agents.recognizer.errors import ModelError
from agents.recognizer.vision.install import install
from agents.recognizer.vision.manifest import liveness, merged, shipped
from agents.recognizer.vision.models import Models
from agents.recognizer.vision.onnx_network import OnnxNetwork
from agents.recognizer.vision.probe import _pattern, probe
from tests.recognizer.vision.mirror import Site, entry, installed, network, nothing_is_there, sha256

SHARED = Path(__file__).parents[4] / "shared/models"


def test_another_export_of_the_same_weights_is_as_good(models: Models, mirror: str) -> None:
    Site.files["/net.onnx"] = network("exported anew")
    assert installed(models, mirror) == network("exported anew")
    assert models.path("net").is_file()


def test_it_comes_from_a_folder_whatever_it_is_called_there(models: Models, tmp_path: Path) -> None:
    (tmp_path / "stick").mkdir()
    (tmp_path / "stick/a.onnx").write_bytes(b"something else")
    (tmp_path / "stick/b.bin").write_bytes(network())
    assert installed(models, str(tmp_path / "stick")) == network()


def test_it_comes_from_a_file(models: Models, tmp_path: Path) -> None:
    (tmp_path / "b.bin").write_bytes(network())
    assert installed(models, str(tmp_path / "b.bin")) == network()


def test_what_is_there_stays_and_nobody_is_asked(models: Models) -> None:
    (models.fetched).mkdir(parents=True)
    (models.fetched / "net.onnx").write_bytes(network())
    assert install(["net"], models, "http://127.0.0.1:9/") == []
    assert models.path("net").read_bytes() == network()


def test_what_is_there_and_wrong_is_replaced_by_what_is_right_and_by_nothing_else(models: Models, mirror: str) -> None:
    models.fetched.mkdir(parents=True)
    (models.fetched / "net.onnx").write_bytes(b"wrong")
    Site.files["/bad/net.onnx"], Site.files["/good/net.onnx"] = b"wrong too", network()
    with pytest.raises(ModelError, match="another file than expected"):
        install(["net"], models, f"{mirror}/bad")
    assert (models.fetched / "net.onnx").read_bytes() == b"wrong"
    assert installed(models, f"{mirror}/good") == network()


def test_a_file_that_does_not_compute_the_same_is_refused_even_where_its_hash_is_known(tmp_path: Path) -> None:
    """A hash that somebody wrote down is no proof that it is the network that was measured."""
    (tmp_path / "net.onnx").write_bytes(network())
    models = Models({"net": entry(probe=[100.0, 120.0, 140.0])}, tmp_path, tmp_path / "models")
    with pytest.raises(ModelError, match="does not compute what the measured network does"):
        install(["net"], models, str(tmp_path))
    assert not models.fetched.exists()


def test_what_is_no_network_is_refused(tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(b"not a network")
    models = Models({"net": entry(sha256=sha256(b"not a network"))}, tmp_path, tmp_path / "models")
    with pytest.raises(ModelError, match="can't be used"):
        install(["net"], models, str(tmp_path))


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{mirror}/nothing/here", "404"),
        ("http://127.0.0.1:9/", "refused"),
        ("{folder}/absent", "No such file"),
        ("{folder}", "no file in this folder is net"),
        ("http://127.0.0.1:nonsense/", "can't be fetched"),
    ],
)
def test_what_is_not_to_be_had_is_named(models: Models, mirror: str, tmp_path: Path, source: str, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        install(["net"], models, source.format(mirror=mirror, folder=tmp_path))
    assert not models.fetched.exists()


def test_an_address_may_be_that_of_a_folder(models: Models, tmp_path: Path) -> None:
    (tmp_path / "a stick").mkdir()
    (tmp_path / "a stick/b.bin").write_bytes(network())
    assert installed(models, (tmp_path / "a stick").as_uri()) == network()


@pytest.mark.parametrize("source", ["ftp://127.0.0.1/net.onnx", "http://[/net.onnx"])
def test_what_is_no_address_of_ours_is_named(models: Models, source: str) -> None:
    with pytest.raises(ModelError, match=re.escape(source)):
        install(["net"], models, source)


def test_only_its_owner_reads_it_and_the_folders_made_for_it(models: Models, tmp_path: Path) -> None:
    (tmp_path / "b.bin").write_bytes(network())
    install(["net"], models, str(tmp_path))
    made = [models.fetched.parent, models.fetched, models.fetched / "net.onnx"]
    assert [stat.S_IMODE(path.stat().st_mode) for path in made] == [0o700, 0o700, 0o600]


def test_a_disk_that_fails_leaves_what_was_there_and_no_draft(
    models: Models, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "b.bin").write_bytes(network())
    models.fetched.mkdir(parents=True)
    (models.fetched / "net.onnx").write_bytes(b"wrong")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ModelError, match=r"net\.onnx: can't be written: No space left"):
        install(["net"], models, str(tmp_path))
    assert [path.read_bytes() for path in models.fetched.iterdir()] == [b"wrong"]


def test_where_no_folder_can_be_made_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "b.bin").write_bytes(network())
    (tmp_path / "data").write_text("a file")
    with pytest.raises(ModelError, match=r"/data/models: (Not a directory|File exists)"):
        install(["net"], Models({"net": entry()}, tmp_path, tmp_path / "data/models"), str(tmp_path))


def test_one_that_is_not_to_be_had_keeps_the_others_away(tmp_path: Path, mirror: str) -> None:
    """The networks are used together: a recognizer that has half of them does not start."""
    two = {"net": entry(), "other": entry(file="other.onnx", url="https://models.invalid/other.onnx")}
    models = Models(two, tmp_path, tmp_path / "models")
    Site.files["/net.onnx"] = network()
    with pytest.raises(ModelError, match=r"other\.onnx"):
        install(two, models, mirror)
    assert nothing_is_there(models)
    Site.files["/other.onnx"] = network()
    assert install([*two, "net"], models, mirror) == ["net", "other"]


def test_one_file_is_not_two_models_but_for_those_that_are_there_already(tmp_path: Path, mirror: str) -> None:
    two = {"net": entry(), "other": entry(file="other.onnx")}
    models = Models(two, tmp_path, tmp_path / "models")
    (tmp_path / "b.bin").write_bytes(network())
    for source in (str(tmp_path / "b.bin"), f"{mirror}/net.onnx"):
        with pytest.raises(ModelError, match=r"is one file, and these are 2 models: net, other"):
            install(two, models, source)
    assert nothing_is_there(models)
    install(["net"], models, str(tmp_path / "b.bin"))
    assert install(two, models, str(tmp_path / "b.bin")) == ["other"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"file": "../gallery.sqlite"}, "a mere name"),
        ({"file": "some_package:net.onnx"}, "a mere name"),
        ({"file": ".."}, "a mere name"),
        ({"url": "http://models.invalid/net.onnx"}, "url"),
        ({"kind": "yunet", "crop_scale": None}, "only what is of kind minifas is fetched"),
        ({"kind": "yunet"}, "crop_scale"),
        ({"crop_scale": None}, "crop_scale"),
        ({"crop_scale": 0.9}, "crop_scale"),
        ({"crop_scale": 6.1}, "crop_scale"),
        ({"probe": [1.0, 2.0]}, "probe"),
        ({"also": ["0" * 63]}, "also"),
    ],
)
def test_what_a_manifest_may_not_say_of_a_network(changes: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        entry(**changes)


def test_a_network_of_the_houses_own_needs_neither_address_nor_probe() -> None:
    own = entry(url=None, also=[], probe=None, file="models/mine.onnx")
    assert (own.purpose, own.digests) == ("liveness", (own.sha256,))


def test_what_comes_in_a_package_is_not_fetched(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="in no need of being fetched"):
        install(["yunet"], Models(shipped(), tmp_path), str(tmp_path))


@pytest.mark.skipif(not SHARED.exists(), reason="needs the networks of ../shared/models")
def test_the_measured_networks_pass_their_probes(tmp_path: Path) -> None:
    models = Models(merged({}), tmp_path, tmp_path / "models")
    names = liveness(models.manifest)
    assert install(names, models, str(SHARED)) == names == ["minifas-v2", "minifas-v1se"]
    assert [sha256(models.path(name).read_bytes()) for name in names] == [shipped()[name].sha256 for name in names]


@pytest.mark.skipif(not SHARED.exists(), reason="needs the networks of ../shared/models")
def test_the_probe_tells_the_measured_networks_from_each_other() -> None:
    contents = {sha256(path.read_bytes()): path.read_bytes() for path in SHARED.glob("*.onnx")}
    ours = {name: shipped()[name] for name in liveness(shipped())}
    for name, model in ours.items():
        for other in ours.values():
            if other is model:
                probe(contents[other.sha256], model)
                continue
            with pytest.raises(ModelError, match="does not compute"):
                probe(contents[other.sha256], ours[name])


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_a_network_that_gives_no_numbers_is_refused_though_nothing_is_known_of_its_answers(
    broken: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OnnxNetwork, "run", lambda *_: np.full((1, 3), broken, np.float32))
    with pytest.raises(ModelError, match="does not compute"):
        probe(network(), entry(probe=None))


def test_the_probe_has_something_of_every_level() -> None:
    assert len(np.unique(_pattern())) == 256
