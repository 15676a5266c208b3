"""The model files themselves: where they are, and whether they are the ones that were measured."""

from __future__ import annotations

import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path

from agents.recognizer.errors import ModelError
from agents.recognizer.vision.manifest import AUTO, FETCHED, HOG, Manifest, Model


@dataclass(frozen=True)
class Models:
    """The manifest's entries by name, and `folder`, which their paths are relative to. Those that were fetched are
    in `fetched`.
    """

    manifest: Manifest
    folder: Path
    fetched: Path = Path("data", FETCHED)

    def entry(self, name: str) -> Model:
        """Raises ModelError for a name that no manifest has."""
        if name not in self.manifest:
            raise ModelError(f"there is no model {name!r}; there are {', '.join(self.manifest)}")
        return self.manifest[name]

    def path(self, name: str) -> Path:
        """Where the file is, after its SHA-256 was compared. Raises ModelError."""
        return check_file(self.where(name), *self.entry(name).digests)

    def is_present(self, name: str) -> bool:
        """Whether there is a file; perhaps another one than it should be."""
        return self.where(name).is_file()

    def detector(self, wanted: str) -> str:
        """What `wanted` means on this machine: AUTO is yunet where that is present, else HOG."""
        if wanted != AUTO:
            return wanted
        return "yunet" if self.is_present("yunet") else HOG

    def where(self, name: str) -> Path:
        """Where the file is, or should be; of a package that is not installed, its own words. Raises ModelError."""
        model = self.entry(name)
        if model.url is not None:
            return self.fetched / model.file
        package, colon, path = model.file.partition(":")
        if not colon:
            return self.folder / model.file
        found = importlib.util.find_spec(package) if package.isidentifier() else None
        folders = found.submodule_search_locations if found else None
        return Path(next(iter(folders))) / path if folders else Path(model.file)


def check_file(path: Path, *sha256: str) -> Path:
    """The path, if the file is the one that was measured, or one that is as good. Raises ModelError."""
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}") from None
    if found not in sha256:
        raise ModelError(f"{path}: is another file than expected (SHA-256 {found}, expected {' or '.join(sha256)})")
    return path
