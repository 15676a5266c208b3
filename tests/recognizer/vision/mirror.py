"""A small network to be fetched, and a web server on this machine to fetch it from."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import threading
from http.server import BaseHTTPRequestHandler

from onnx import TensorProto, helper

from agents.recognizer.vision.install import install
from agents.recognizer.vision.manifest import Model
from agents.recognizer.vision.models import Models
from agents.recognizer.vision.probe import _pattern

URL = "https://models.invalid/weights/net.onnx"


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
