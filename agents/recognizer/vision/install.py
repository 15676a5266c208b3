"""Fetches the model files that are in no package, and puts them where they are looked for once they are known good."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from agents.recognizer.errors import ModelError, StoreError
from agents.recognizer.people.private import make_folder, new_file
from agents.recognizer.vision.download import MAX_BYTES, SCHEMES, NotThere, download
from agents.recognizer.vision.manifest import Model
from agents.recognizer.vision.models import Models
from agents.recognizer.vision.probe import probe

TIMEOUT_S = 30.0

Copy = tuple[str, bytes]  # where it comes from, for people, and what is in it


def install(names: Iterable[str], models: Models, source: str | None = None, timeout_s: float = TIMEOUT_S) -> list[str]:
    """Returns which of the models were not there, and are now. Raises ModelError.

    `source` is a folder, a file, or the address of a mirror; without it they come from where the manifest says.
    A good file that is there already stays. All are fetched before the first gets to its place: half of the
    networks is worse than none.
    """
    wanted = [name for name in dict.fromkeys(names) if not _is_there(name, models)]
    if source is not None and len(wanted) > 1 and _is_one_file(source):
        raise ModelError(f"{source} is one file, and these are {len(wanted)} models: {', '.join(wanted)}")
    fetched = [(models.where(name), _fetched(name, models.entry(name), source, timeout_s)) for name in wanted]
    for path, content in fetched:
        _put(path, content)
    return wanted


def _is_there(name: str, models: Models) -> bool:
    """Raises ModelError for what is not fetched at all."""
    model = models.entry(name)
    if model.url is None:
        raise ModelError(f"{name} is in no need of being fetched: it is {model.file}, from {model.source}")
    with suppress(ModelError):
        return bool(models.path(name))
    return False


def _fetched(name: str, model: Model, source: str | None, timeout_s: float) -> bytes:
    """Raises ModelError, also for what is known by its hash but does not compute what it should."""
    origin, content = _copy(name, model, source, timeout_s)
    try:
        probe(content, model)
    except ModelError as error:
        raise ModelError(f"{origin}: {error}") from None
    return content


def _copy(name: str, model: Model, source: str | None, timeout_s: float) -> Copy:
    """Raises ModelError."""
    if source is None:
        return _from_web([model.url or ""], model, timeout_s)
    path = _as_path(source)
    if path is None:
        return _from_web(_at_mirror(source, model), model, timeout_s)
    try:
        if not path.is_file():
            return _from_folder(name, model, path)
        if path.stat().st_size > MAX_BYTES:
            raise ModelError(f"{path}: more than {MAX_BYTES:,} bytes is no model")
        return _checked(str(path), path.read_bytes(), model)
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}") from None


def _as_path(source: str) -> Path | None:
    """None for an address on the web. Raises ModelError."""
    if "://" not in source:
        return Path(source)
    try:
        parts = urlsplit(source)
    except ValueError as error:
        raise ModelError(f"{source}: is no address: {error}") from None
    if parts.scheme not in (*SCHEMES, "file"):
        raise ModelError(f"{source}: is to be a folder, a file, or an address with https, http or file")
    return Path(url2pathname(parts.path)) if parts.scheme == "file" else None


def _is_one_file(source: str) -> bool:
    path = _as_path(source)
    return _names_a_file(source) if path is None else path.is_file()


def _names_a_file(address: str) -> bool:
    return urlsplit(address).path.endswith(".onnx")


def _at_mirror(source: str, model: Model) -> list[str]:
    """Under a mirror's address a file has the name that it has at its source, or here."""
    if _names_a_file(source):
        return [source]
    parts = urlsplit(source)
    return [parts._replace(path=f"{parts.path.rstrip('/')}/{name}").geturl() for name in _usual_names(model)]


def _usual_names(model: Model) -> list[str]:
    return list(dict.fromkeys([(model.url or "").rpartition("/")[2], model.file]))


def _from_web(addresses: list[str], model: Model, timeout_s: float) -> Copy:
    """From the first address that has it. Raises ModelError."""
    nowhere: list[str] = []
    for address in addresses:
        try:
            return _checked(address, download(address, timeout_s), model)
        except NotThere as error:
            nowhere.append(str(error))
    raise ModelError("\n".join(nowhere))


def _from_folder(name: str, model: Model, folder: Path) -> Copy:
    """The file that is known by its hash, whatever it is called. Raises ModelError and OSError."""
    for path in _files(folder, _usual_names(model)):
        with suppress(OSError):  # somebody else's
            content = path.read_bytes()
            if _digest(content) in model.digests:
                return str(path), content
    raise ModelError(f"{folder}: no file in this folder is {name} (SHA-256 {' or '.join(model.digests)})")


def _files(folder: Path, first: list[str]) -> Iterator[Path]:
    for path in sorted(folder.iterdir(), key=lambda path: (path.name not in first, path.name)):
        if path.is_file() and path.stat().st_size <= MAX_BYTES:
            yield path


def _checked(origin: str, content: bytes, model: Model) -> Copy:
    found = _digest(content)
    if found not in model.digests:
        expected = " or ".join(model.digests)
        raise ModelError(
            f"{origin}: is another file than expected (SHA-256 {found}, expected {expected}); from a copy: --from PLACE"
        )
    return origin, content


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _put(path: Path, content: bytes) -> None:
    """Whole, or not at all, and only its owner's. Raises ModelError; then what was there is there still."""
    try:
        for folder in (path.parent.parent, path.parent):  # the house's data, which may be made here
            make_folder(folder)
        with new_file(path, force=True) as file:
            file.write(content)
    except OSError as error:
        raise ModelError(f"{path.parent}: {error.strerror}") from None
    except StoreError as error:
        raise ModelError(str(error)) from None
