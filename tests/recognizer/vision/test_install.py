"""Model files that are fetched: only the right one gets to its place, wherever it comes from."""

from __future__ import annotations

import functools
import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request

import numpy as np
import pytest
from onnx import TensorProto, helper

from agents.recognizer.errors import ModelError
from agents.recognizer.vision import install as module
from agents.recognizer.vision.install import install
from agents.recognizer.vision.manifest import Model, merged, shipped
from agents.recognizer.vision.models import Models
from agents.recognizer.vision.probe import _pattern

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


class Site(BaseHTTPRequestHandler):
    """Serves `files`; what is in `moved` is to be found elsewhere; from `short` comes half of what is promised."""

    files: dict[str, bytes] = {}
    moved: dict[str, str] = {}
    short: set[str] = set()

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
        sent = content or b""
        self.wfile.write(sent[: len(sent) // 2] if self.path in self.short else sent)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name in ("files", "moved", "short"):
        monkeypatch.setattr(Site, name, type(getattr(Site, name))())
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_it_comes_from_a_mirror_under_the_name_it_has_at_its_source(models: Models, mirror: str) -> None:
    Site.files["/pub/net.onnx"] = network()
    path = install("net", models, f"{mirror}/pub/")
    assert path == models.fetched / "net.onnx"
    assert path.read_bytes() == network()
    assert models.path("net") == path


def test_a_mirror_may_send_on(models: Models, mirror: str) -> None:
    Site.files["/store/77"], Site.moved["/net.onnx"] = network(), "/store/77"
    assert install("net", models, f"{mirror}/net.onnx").read_bytes() == network()


def test_another_export_of_the_same_weights_is_as_good(models: Models, mirror: str) -> None:
    Site.files["/net.onnx"] = network("exported anew")
    assert install("net", models, mirror) == models.path("net")


def test_it_comes_from_a_folder_whatever_it_is_called_there(models: Models, tmp_path: Path) -> None:
    (tmp_path / "stick").mkdir()
    (tmp_path / "stick/a.onnx").write_bytes(b"something else")
    (tmp_path / "stick/b.bin").write_bytes(network())
    assert install("net", models, str(tmp_path / "stick")).read_bytes() == network()


def test_it_comes_from_a_file(models: Models, tmp_path: Path) -> None:
    (tmp_path / "b.bin").write_bytes(network())
    assert install("net", models, str(tmp_path / "b.bin")).read_bytes() == network()


def test_what_is_there_stays_and_nobody_is_asked(models: Models) -> None:
    (models.fetched).mkdir(parents=True)
    (models.fetched / "net.onnx").write_bytes(network())
    assert install("net", models, "http://127.0.0.1:9/") == models.fetched / "net.onnx"


def test_what_is_there_and_wrong_is_replaced_by_what_is_right_and_by_nothing_else(models: Models, mirror: str) -> None:
    models.fetched.mkdir(parents=True)
    (models.fetched / "net.onnx").write_bytes(b"wrong")
    Site.files["/bad/net.onnx"], Site.files["/good/net.onnx"] = b"wrong too", network()
    with pytest.raises(ModelError, match="another file than expected"):
        install("net", models, f"{mirror}/bad")
    assert (models.fetched / "net.onnx").read_bytes() == b"wrong"
    assert install("net", models, f"{mirror}/good").read_bytes() == network()


def test_a_file_that_does_not_compute_the_same_is_refused_even_where_its_hash_is_known(tmp_path: Path) -> None:
    """A hash that somebody wrote down is no proof that it is the network that was measured."""
    (tmp_path / "net.onnx").write_bytes(network())
    models = Models({"net": entry(probe=[100.0, 120.0, 140.0])}, tmp_path, tmp_path / "models")
    with pytest.raises(ModelError, match="does not compute what the measured network does"):
        install("net", models, str(tmp_path))
    assert not models.fetched.exists()


def test_what_is_no_network_is_refused(tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(b"not a network")
    models = Models({"net": entry(sha256=sha256(b"not a network"))}, tmp_path, tmp_path / "models")
    with pytest.raises(ModelError, match="can't be used"):
        install("net", models, str(tmp_path))


def test_half_a_file_is_none(models: Models, mirror: str) -> None:
    Site.files["/net.onnx"] = network()
    Site.short.add("/net.onnx")
    with pytest.raises(ModelError, match=f"{mirror}/net.onnx"):
        install("net", models, mirror)
    assert not models.fetched.exists()


def test_what_is_too_large_is_not_read_to_its_end(models: Models, mirror: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", 100)
    Site.files["/net.onnx"] = network()
    with pytest.raises(ModelError, match="more than 100 bytes"):
        install("net", models, mirror)


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
        install("net", models, source.format(mirror=mirror, folder=tmp_path))
    assert not models.fetched.exists()


def test_over_tls_nobody_is_sent_on_to_where_there_is_none() -> None:
    request, to = Request("https://models.invalid/net.onnx"), "http://models.invalid/net.onnx"
    with pytest.raises(URLError, match="without TLS"):
        module._NoDowngrade().redirect_request(request, None, 302, "Found", {}, to)  # type: ignore[no-untyped-call]


def test_what_comes_in_a_package_is_not_fetched(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="in no need of being fetched"):
        install("yunet", Models(shipped(), tmp_path), str(tmp_path))


@pytest.mark.skipif(not SHARED.exists(), reason="needs the networks of ../shared/models")
def test_the_measured_networks_pass_their_probes(tmp_path: Path) -> None:
    models = Models(merged({}), tmp_path, tmp_path / "models")
    for name in ("minifas-v2", "minifas-v1se"):
        assert sha256(install(name, models, str(SHARED)).read_bytes()) == models.entry(name).sha256


def test_the_probe_has_something_of_every_level() -> None:
    assert len(np.unique(_pattern())) == 256
