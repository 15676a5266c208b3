"""Fetches the model files that are in no package, and puts them where they are looked for once they are known good."""

from __future__ import annotations

import hashlib
import http.client
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from agents.recognizer.errors import ModelError
from agents.recognizer.vision.manifest import Model
from agents.recognizer.vision.models import Models
from agents.recognizer.vision.probe import probe
from agents.runtime import atomic

MAX_BYTES = 50_000_000
TIMEOUT_S = 30.0
SCHEMES = ("https", "http")


def install(name: str, models: Models, source: str | None = None, timeout_s: float = TIMEOUT_S) -> Path:
    """Where the file is now. `source` is a folder, a file, or the address of a mirror; without it, where the
    manifest says. What is there already stays, if it is good. Raises ModelError; then nothing has changed.
    """
    model, path = models.entry(name), models.where(name)
    if model.url is None:
        raise ModelError(f"{name} is in no need of being fetched: it is {model.file}, from {model.source}")
    if path.is_file() and _digest(path.read_bytes()) in model.digests:
        return path
    content = _fetched(name, model, source, timeout_s)
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / path.name
        draft.write_bytes(content)
        probe(draft, model)
    try:
        atomic.write(path, content)
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}") from None
    return path


def _fetched(name: str, model: Model, source: str | None, timeout_s: float) -> bytes:
    """Raises ModelError."""
    if source is None or urlsplit(source).scheme in SCHEMES:
        address = model.url if source is None else _at_mirror(source, model)
        assert address is not None
        return _checked(address, _download(address, timeout_s), model)
    return _from_disk(name, model, Path(source))


def _at_mirror(source: str, model: Model) -> str:
    """Under a mirror's address a file has the name that it has at its source."""
    file = (model.url or "").rpartition("/")[2]
    return source if source.endswith(".onnx") else f"{source.rstrip('/')}/{file}"


def _from_disk(name: str, model: Model, source: Path) -> bytes:
    """The file itself, or of a folder the one that is known by its hash, whatever it is called."""
    try:
        if source.is_file():
            return _checked(str(source), _read(source), model)
        found = (content for content in _files(source) if _digest(content) in model.digests)
        content = next(found, None)
    except OSError as error:
        raise ModelError(f"{source}: {error.strerror}") from None
    if content is None:
        raise ModelError(f"{source}: no file in this folder is {name} (SHA-256 {' or '.join(model.digests)})")
    return content


def _files(folder: Path) -> Iterator[bytes]:
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.stat().st_size <= MAX_BYTES:
            yield path.read_bytes()


def _read(path: Path) -> bytes:
    if path.stat().st_size > MAX_BYTES:
        raise ModelError(f"{path}: more than {MAX_BYTES:,} bytes is no model")
    return path.read_bytes()


class _NoDowngrade(HTTPRedirectHandler):
    """What was asked for over TLS is not fetched without."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):  # type: ignore[no-untyped-def]
        if req.type == "https" and urlsplit(newurl).scheme != "https":
            raise URLError(f"it is redirected to {newurl}, without TLS")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _download(address: str, timeout_s: float) -> bytes:
    """Raises ModelError. Proxies are as the environment says."""
    request = Request(address, headers={"User-Agent": "facelatch"})  # noqa: S310 - https, or what the user named
    try:
        with build_opener(_NoDowngrade).open(request, timeout=timeout_s) as answer:
            content: bytes = answer.read(MAX_BYTES + 1)
    except (OSError, http.client.HTTPException, ValueError) as error:
        why = getattr(error, "reason", error)
        if isinstance(error, HTTPError):
            error.close()
            why = error
        raise ModelError(f"{address}: can't be fetched: {why}; from a copy: --from PLACE") from None
    if len(content) > MAX_BYTES:
        raise ModelError(f"{address}: more than {MAX_BYTES:,} bytes is no model")
    return content


def _checked(origin: str, content: bytes, model: Model) -> bytes:
    found = _digest(content)
    if found not in model.digests:
        expected = " or ".join(model.digests)
        raise ModelError(f"{origin}: is another file than expected (SHA-256 {found}, expected {expected})")
    return content


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
