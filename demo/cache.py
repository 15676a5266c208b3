"""The user's cache: what was fetched once is kept there, and is known by its SHA-256."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

Progress = Callable[[str], None]

FETCH_TIMEOUT_S = 600.0


def to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def folder(name: str) -> Path:
    """Where things of a kind are kept, whether or not there are any."""
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (base if base.is_absolute() else Path.home() / ".cache") / "facelatch" / name


def is_good(path: Path, sha256: str) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256


def keep(content: bytes, path: Path) -> None:
    """Write whole or not at all, whoever else is writing the same. Raises OSError."""
    handle, part = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(part).replace(path)
    except OSError:
        Path(part).unlink(missing_ok=True)
        raise


def last_lines(text: str, count: int = 4) -> str:
    """What a program said last, for people."""
    return "\n".join(f"  {line[:200]}" for line in text.strip().splitlines()[-count:])
