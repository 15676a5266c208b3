"""Model files that are fetched: only the right one gets to its place, wherever it comes from."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import io
import os
import re
import socket
import stat
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.request import Request

import numpy as np
import pytest
from onnx import TensorProto, helper
from pydantic import ValidationError

from agents.recognizer.errors import ModelError
from agents.recognizer.vision import download
from agents.recognizer.vision.install import install
from agents.recognizer.vision.manifest import Model, liveness, merged, shipped
from agents.recognizer.vision.models import Models
from agents.recognizer.vision.onnx_network import OnnxNetwork
from agents.recognizer.vision.probe import _pattern, probe

URL = "https://models.invalid/weights/net.onnx"
SHARED = Path(__file__).parents[4] / "shared/models"


@functools.cache
def network(note: str = "") -> bytes:
    """Three numbers from a picture: the mean of each colour. `note` changes the file and not what it computes."""
    graph = helper.make_graph(
        [helper.make_node("GlobalAveragePool", ["x"], ["mean"]), helper.make_node("Flatten", ["mean"], ["y"])],
        "means",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 80, 80])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 3])],
        doc_string=note,
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    return bytes(made.SerializeToString())


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def entry(**changes: object) -> Model:
    told = {
        "kind": "minifas", "file": "net.onnx", "sha256": sha256(network()), "crop_scale": 2.7, "url": URL,
        "also": [sha256(network("exported anew"))], "probe": _pattern().mean((0, 2, 3)).tolist(),
    } | changes  # fmt: skip
    return Model.model_validate(told)


@pytest.fixture
def models(tmp_path: Path) -> Models:
    return Models({"net": entry()}, tmp_path, tmp_path / "data/models")


def installed(models: Models, source: str) -> bytes:
    assert install(["net"], models, source) == ["net"]
    return (models.fetched / "net.onnx").read_bytes()


def nothing_is_there(models: Models) -> bool:
    return not models.fetched.exists() or not list(models.fetched.iterdir())


class Site(BaseHTTPRequestHandler):
    """Serves `files`; what is in `moved` is to be found elsewhere; from `short` comes half of what is promised; of
    `slow` a byte now and then, until `closed`.
    """

    files: dict[str, bytes] = {}
    moved: dict[str, str] = {}
    short: set[str] = set()
    slow: set[str] = set()
    closed = threading.Event()

    def do_GET(self) -> None:
        if self.path in self.moved:
            self.send_response(302)
            self.send_header("Location", self.moved[self.path])
            self.end_headers()
            return
        content = self.files.get(self.path)
        self.send_response(404 if content is None else 200)
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()
        if self.path in self.slow:
            self.drip()
            return
        sent = content or b""
        self.wfile.write(sent[: len(sent) // 2] if self.path in self.short else sent)

    def drip(self) -> None:
        with contextlib.suppress(OSError):
            while not self.closed.wait(0.01):
                self.wfile.write(b".")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name in ("files", "moved", "short", "slow", "closed"):
        monkeypatch.setattr(Site, name, type(getattr(Site, name))())
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    yield f"http://127.0.0.1:{server.server_port}"
    Site.closed.set()
    server.shutdown()
    server.server_close()


def test_it_comes_from_a_mirror_under_the_name_it_has_at_its_source(models: Models, mirror: str) -> None:
    Site.files["/pub/net.onnx"] = network()
    assert install(["net"], models, f"{mirror}/pub/") == ["net"]
    path = models.fetched / "net.onnx"
    assert path.read_bytes() == network()
    assert models.path("net") == path


def test_a_mirror_may_send_on(models: Models, mirror: str) -> None:
    Site.files["/store/77"], Site.moved["/net.onnx"] = network(), "/store/77"
    assert installed(models, f"{mirror}/net.onnx") == network()


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


def test_half_a_file_is_none(models: Models, mirror: str) -> None:
    Site.files["/net.onnx"] = network()
    Site.short.add("/net.onnx")
    with pytest.raises(ModelError, match=f"{mirror}/net.onnx"):
        install(["net"], models, mirror)
    assert not models.fetched.exists()


def test_what_is_too_large_is_not_read_to_its_end(models: Models, mirror: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "MAX_BYTES", 100)
    Site.files["/net.onnx"] = network()
    with pytest.raises(ModelError, match="more than 100 bytes"):
        install(["net"], models, mirror)


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


@pytest.mark.parametrize("to", ["http://models.invalid/net.onnx", "ftp://models.invalid/net.onnx"])
def test_over_tls_nobody_is_sent_on_to_where_there_is_none(to: str) -> None:
    request = Request("https://models.invalid/net.onnx")
    with pytest.raises(OSError, match="without TLS"):
        download._Redirects().redirect_request(request, io.BytesIO(), 302, "Found", {}, to)  # type: ignore[no-untyped-call]


def test_over_tls_one_may_be_sent_on_over_tls() -> None:
    request, to = Request("https://models.invalid/net.onnx"), "https://store.invalid/77"
    sent = download._Redirects().redirect_request(request, io.BytesIO(), 302, "Found", {}, to)  # type: ignore[no-untyped-call]
    assert sent.full_url == to


@pytest.mark.parametrize("to", ["ftp://127.0.0.1:9/net.onnx", "file:///etc/hostname", "/net.onnx"])
def test_a_mirror_sends_on_only_to_the_web_and_not_in_circles(models: Models, mirror: str, to: str) -> None:
    Site.moved["/net.onnx"] = to
    with pytest.raises(ModelError, match=f"{mirror}/net.onnx: can't be fetched"):
        install(["net"], models, mirror)
    assert nothing_is_there(models)


def test_a_mirror_may_call_it_as_we_do(mirror: str, tmp_path: Path) -> None:
    models = Models({"net": entry(file="ours.onnx")}, tmp_path, tmp_path / "models")
    Site.files["/pub/ours.onnx"] = network()
    install(["net"], models, f"{mirror}/pub")
    assert models.path("net") == tmp_path / "models/ours.onnx"
    with pytest.raises(ModelError, match=r"(?s)/net\.onnx.*404.*/ours\.onnx.*404"):
        install(["net"], Models(models.manifest, tmp_path, tmp_path / "other"), f"{mirror}/elsewhere")


def test_without_a_mirror_it_comes_from_its_source_by_the_proxy_of_the_environment(
    models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    with pytest.raises(ModelError, match=rf"{URL}: can't be fetched: .*refused.*--from PLACE"):
        install(["net"], models)


def test_an_address_may_be_that_of_a_folder(models: Models, tmp_path: Path) -> None:
    (tmp_path / "a stick").mkdir()
    (tmp_path / "a stick/b.bin").write_bytes(network())
    assert installed(models, (tmp_path / "a stick").as_uri()) == network()


@pytest.mark.parametrize("source", ["ftp://127.0.0.1/net.onnx", "http://[/net.onnx"])
def test_what_is_no_address_of_ours_is_named(models: Models, source: str) -> None:
    with pytest.raises(ModelError, match=re.escape(source)):
        install(["net"], models, source)


def test_a_server_that_is_silent_is_given_up(models: Models) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}/"
        with pytest.raises(ModelError, match=f"{address}net.onnx: can't be fetched: timed out"):
            install(["net"], models, address, timeout_s=0.2)
    assert nothing_is_there(models)


def test_a_server_that_sends_a_byte_now_and_then_is_given_up(
    models: Models, mirror: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "IN_ALL_S", 0.1)
    Site.files["/net.onnx"] = bytes(1_000_000)
    Site.slow.add("/net.onnx")
    with pytest.raises(ModelError, match="can't be fetched: not there after"):
        install(["net"], models, mirror)
    assert nothing_is_there(models)


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
