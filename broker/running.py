"""The mosquitto that runs with a house's files."""

from __future__ import annotations

import os
import signal
import subprocess

from broker.folder import Folder


def pid(folder: Folder) -> int | None:
    """Its process id; None where it does not run.

    The file with the number outlives a broker that was killed. Whatever process has that number by
    then would be ended by the signal that makes mosquitto read its files.
    """
    try:
        number = int((folder.path / "mosquitto.pid").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    return number if _command_line(number).endswith(f"mosquitto -c {folder.conf}") else None


def reload(number: int) -> bool:
    """Have it read passwords, ACL and certificate again. Returns whether this account may."""
    try:
        os.kill(number, signal.SIGHUP)
    except OSError:
        return False
    return True


def _command_line(number: int) -> str:
    try:
        found = subprocess.run(["ps", "-ww", "-o", "args=", "-p", str(number)], capture_output=True, check=False)
    except OSError:  # no ps here
        return ""
    return found.stdout.decode(errors="replace").strip()
