"""The photographs of the demo and the tests: fetched once by pip, by hash, and kept in the user's cache.

They come from two packages on the configured package index: the source archive of face_recognition
(portraits of two presidents, from its tests) and a wheel of scikit-image (the astronaut, from its
data). Neither is installed: to us they are archives with pictures in them.

    python -m demo.photos       fetch what is missing, and print where the pictures are
"""

from __future__ import annotations

import hashlib
import importlib.util
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from demo import cache


class PhotosError(Exception):
    """The photographs can't be had; its text says which and why, for people."""


@dataclass(frozen=True)
class _Package:
    """A package with photographs in it: the folder they are in, and the SHA-256 of each."""

    what: str
    requirement: str
    options: tuple[str, ...]
    folder: str
    photos: Mapping[str, str]


_PRESIDENTS = _Package(
    what="six photographs (3 MB)",
    requirement="face_recognition==1.3.0"
    " --hash=sha256:5e5efdd1686aa566af0d3cc1313b131e4b197657a8ffd03669e6d3fad92705ec",
    options=("--no-binary", "face_recognition"),
    folder="face_recognition-1.3.0/tests/test_images",
    photos={
        "obama.jpg": "0930e3aa8cae5920329c0c8cbc6a2ab70f47b0e67b432875beaa95cbf7e741f6",
        "obama2.jpg": "a7efcc907375274796f39646510704aa86672d59f6d5469d69af3c85590976a6",
        "obama3.jpg": "76ac6bf97c36dc2da0ad16a537d6a5ac1b10f48d49aac29a0cca9a17cdbc3ca3",
        "biden.jpg": "3c17508bb91554c637a2eabddfae790e5bb1caba93130814fc2ac50be9760c4c",
        "obama_partial_face.jpg": "c2d1f09e7ef3042352b41e41286e6eb0522f64f88308be13886991b95db52117",
        "obama_partial_face2.jpg": "9a812347f97633542b8cd9992de22def11b74f79d82056bc3ee830f13878e028",
    },
)
_ASTRONAUT = _Package(
    what="one photograph (14 MB, with the library around it)",
    requirement="scikit-image==0.26.0 --hash=sha256:74aa5518ccea28121f57a95374581d3b979839adc25bb03f289b1bc9b99c58af",
    # one wheel for everybody, whatever this machine is: it is only unzipped
    options=(
        *("--only-binary", ":all:", "--platform", "manylinux_2_28_x86_64"),
        *("--python-version", "3.11", "--implementation", "cp", "--abi", "cp311"),
    ),
    folder="skimage/data",
    photos={"astronaut.png": "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5"},
)


def photos(progress: cache.Progress = cache.to_stderr) -> dict[str, Path]:
    """Local paths of the photographs by name, each checked against its SHA-256.

    Fetches what is not in the cache, telling `progress` so. Any number of processes may call this
    at once. Raises PhotosError when a photograph can't be fetched or kept.
    """
    folder = cache.folder("photos")
    for package in (_PRESIDENTS, _ASTRONAUT):
        if not all(cache.is_good(folder / name, sha256) for name, sha256 in package.photos.items()):
            progress(f"fetching {package.what} …")
            try:
                _fetch(package, folder)
            except OSError as error:
                raise PhotosError(f"can't keep {package.what} in {folder}: {error}") from error
    return {name: folder / name for package in (_PRESIDENTS, _ASTRONAUT) for name in package.photos}


def _fetch(package: _Package, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="facelatch-") as work:
        archive = _download(package, Path(work))
        for name, sha256 in package.photos.items():
            picture = _member(archive, f"{package.folder}/{name}")
            if hashlib.sha256(picture).hexdigest() != sha256:
                raise PhotosError(f"{name} in {archive.name} is not the photograph it was")
            cache.keep(picture, folder / name)


def _download(package: _Package, work: Path) -> Path:
    """Let pip fetch the package, so that the index is the one this machine is set up for."""
    requirements, folder = work / "requirements.txt", work / "download"
    requirements.write_text(package.requirement + "\n")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"]
    command += ["--no-deps", "--require-hashes", *package.options, *_build_options()]
    command += ["--dest", str(folder), "--requirement", str(requirements)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=cache.FETCH_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        raise PhotosError(f"can't fetch {package.what}: pip took longer than {cache.FETCH_TIMEOUT_S:.0f} s") from None
    if done.returncode != 0:
        raise PhotosError(f"can't fetch {package.what}; pip says:\n{cache.last_lines(done.stderr)}")
    return next(folder.iterdir())


def _build_options() -> list[str]:
    """pip asks a source archive for its metadata; with setuptools at hand it need not fetch one for that."""
    return ["--no-build-isolation"] if importlib.util.find_spec("setuptools") else []


def _member(archive: Path, name: str) -> bytes:
    """The bytes of one file in a .whl or .tar.gz; nothing else is unpacked."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return wheel.read(name)
    with tarfile.open(archive) as sdist:
        member = sdist.extractfile(name)
        if member is None:
            raise PhotosError(f"{name} in {archive.name} is not a file")
        return member.read()


def main() -> None:
    try:
        paths = photos()
    except PhotosError as error:
        sys.exit(f"error: {error}")
    for path in paths.values():
        print(path)


if __name__ == "__main__":
    main()
