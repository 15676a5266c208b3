"""Files with faces in them: only their owner reads them."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from agents.recognizer.errors import StoreError

OTHERS = stat.S_IRWXG | stat.S_IRWXO


def make_folder(path: Path) -> None:
    """Make a folder where it is missing. Raises OSError."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)


def shut(path: Path) -> str | None:
    """Shut a file to everybody but its owner. Returns what is to be said where that can't be done."""
    with contextlib.suppress(OSError):
        if _is_open(path):
            with contextlib.suppress(OSError):  # somebody else's
                path.chmod(stat.S_IMODE(path.stat().st_mode) & ~OTHERS)
            if _is_open(path):
                return f"{path}: others on this machine can read it; its owner changes that: chmod go= {path}"
    return None


@contextlib.contextmanager
def new_file(path: Path, force: bool) -> Iterator[BinaryIO]:
    """A file to be written: there whole in the end, or not at all. Raises StoreError.

    Without `force` a file that is there already is left alone.
    """
    if os.path.lexists(path) and not force:
        raise StoreError(f"{path}: is there already; --force writes over it")
    draft = path.with_name(f".{path.name[:200]}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        raise StoreError(f"{path}: can't be written: {error.strerror}") from None
    finally:
        with contextlib.suppress(OSError):
            draft.unlink()


def _is_open(path: Path) -> bool:
    mode = path.stat().st_mode
    return stat.S_ISREG(mode) and bool(mode & OTHERS)
