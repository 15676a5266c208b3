"""dlib's network, converted at first use and kept in the user's cache."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import stat
import tempfile
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from agents.recognizer.errors import ModelError

LOG = logging.getLogger("models")
CONVERTER = Path(__file__).with_name("convert.py")
OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH


class Network(Protocol):
    def run(self, batch: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """One row of numbers for each chip of a batch."""


def dlib_network(weights: Path, sha256: str, cache: Path | None = None) -> Network:
    """The fastest way through dlib's network that this machine has; `sha256` is that of the weights.

    Without onnxruntime, or onnx to convert with, it is dlib's own, which is said in the log.
    """
    try:
        from agents.recognizer.vision.onnx_network import OnnxNetwork

        return OnnxNetwork(_converted(weights, sha256, cache or cache_folder()))
    except (ImportError, ModelError) as error:
        from agents.recognizer.vision.dlib_faces import Reference

        LOG.warning("faces are encoded by dlib itself, many times slower: %s", error)
        return Reference(weights)


def cache_folder() -> Path:
    """Where converted models are kept: what systemd gives the unit, else the user's cache."""
    given = os.environ.get("CACHE_DIRECTORY", "").split(":")[0]
    if given:
        return Path(given) / "models"
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (base if base.is_absolute() else Path.home() / ".cache") / "facelatch" / "models"


def _converted(weights: Path, sha256: str, cache: Path) -> bytes:
    """The network as ONNX. A file's name ends in its own SHA-256, so that a damaged one is no hit."""
    key = hashlib.sha256(sha256.encode() + CONVERTER.read_bytes()).hexdigest()[:16]
    for file in cache.glob(f"{weights.stem}-{key}-*.onnx"):
        kept = _read(file)
        if kept is not None:
            return kept
    from agents.recognizer.vision.convert import to_onnx  # here, as onnx takes a second to load

    made = to_onnx(weights.read_bytes())
    try:
        _keep(made, cache, f"{weights.stem}-{key}-{hashlib.sha256(made).hexdigest()}.onnx")
    except OSError as error:
        LOG.warning("the converted network can't be kept, and is made anew at every start: %s", error)
    return made


def _read(file: Path) -> bytes | None:
    """The file, if nobody else can have changed it and its bytes are those it was written with."""
    try:
        state, data = file.stat(), file.read_bytes()
    except OSError:
        return None
    private = state.st_uid in (os.geteuid(), 0) and not state.st_mode & OTHERS_MAY_WRITE
    return data if private and file.stem.endswith(hashlib.sha256(data).hexdigest()) else None


def _keep(data: bytes, cache: Path, name: str) -> None:
    """Write whole or not at all, whoever else is writing the same."""
    cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, part = tempfile.mkstemp(dir=cache)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(part).replace(cache / name)
    except OSError:
        with contextlib.suppress(OSError):
            Path(part).unlink()
        raise
