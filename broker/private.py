"""Files that only their owner reads, written whole or not at all."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pwd
import secrets
from collections.abc import Iterator
from pathlib import Path

from broker import BrokerError


def make_folder(path: Path) -> None:
    """Make the folder where it is missing, and shut it to everybody but its owner."""
    for missing in reversed([p for p in (path, *path.parents) if not p.exists()]):
        missing.mkdir(mode=0o700)
        _give_away(missing)
    if path.stat().st_mode & 0o077:
        path.chmod(0o700)


def write(path: Path, data: bytes, mode: int = 0o600) -> bool:
    """Replace the file. Returns whether there was anything to change in what it says."""
    if path.is_file() and path.read_bytes() == data:
        path.chmod(mode)
        return False
    made = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        made.chmod(mode)
        _give_away(made)
        made.replace(path)
    finally:
        made.unlink(missing_ok=True)
    return True


@contextlib.contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Raises BrokerError when another process is at work in the folder."""
    with (folder / ".lock").open("a") as lock:
        _give_away(folder / ".lock")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise BrokerError(f"another facelatch broker command is at work in {folder}") from None
        yield


def owner(path: Path) -> str | None:
    """The name of the account that a file belongs to, where it has one."""
    try:
        return pwd.getpwuid(path.stat().st_uid).pw_name
    except KeyError:
        return None


def _give_away(path: Path) -> None:
    """What root makes belongs to the owner of the folder it is in: programs without root's rights read it."""
    if os.geteuid() == 0:
        folder = path.parent.stat()
        os.chown(path, folder.st_uid, folder.st_gid)
