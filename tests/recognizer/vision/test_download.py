"""What comes over the web: whole, from where it may come, and in time; or not at all, and it is said why."""

from __future__ import annotations

import io
import socket
from pathlib import Path
from urllib.request import Request

import pytest

from agents.recognizer.errors import ModelError
from agents.recognizer.vision import download
from agents.recognizer.vision.install import install
from agents.recognizer.vision.models import Models
from tests.recognizer.vision.mirror import URL, Site, entry, installed, network, nothing_is_there


def test_it_comes_from_a_mirror_under_the_name_it_has_at_its_source(models: Models, mirror: str) -> None:
    Site.files["/pub/net.onnx"] = network()
    assert install(["net"], models, f"{mirror}/pub/") == ["net"]
    path = models.fetched / "net.onnx"
    assert path.read_bytes() == network()
    assert models.path("net") == path


def test_a_mirror_may_send_on(models: Models, mirror: str) -> None:
    Site.files["/store/77"], Site.moved["/net.onnx"] = network(), "/store/77"
    assert installed(models, f"{mirror}/net.onnx") == network()


def test_half_a_file_is_none(models: Models, mirror: str) -> None:
    Site.files["/net.onnx"] = network()
    Site.short.add("/net.onnx")
    with pytest.raises(ModelError, match=f"{mirror}/net.onnx: can't be fetched: it broke off"):
        install(["net"], models, mirror)
    assert nothing_is_there(models)


def test_what_is_too_large_is_not_read_to_its_end(models: Models, mirror: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "MAX_BYTES", 100)
    Site.files["/net.onnx"] = network()
    with pytest.raises(ModelError, match="more than 100 bytes"):
        install(["net"], models, mirror)


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
