"""The mosquitto that runs with a house's files."""

from __future__ import annotations

import os
import signal
import subprocess

from broker.folder import Folder


def pid(folder: Folder) -> int | None:
    """Its process id; None where it does not run, or can't be told from any other process."""
    try:
        number = int((folder.path / "mosquitto.pid").read_text(encoding="ascii"))
        line = subprocess.run(
            ["ps", "-o", "args=", "-p", str(number)], capture_output=True, text=True, check=False
        ).stdout
    except (OSError, ValueError):
        return None
    return number if str(folder.conf) in line else None  # the file outlives a broker that was killed


def reload(number: int) -> bool:
    """Have it read passwords, ACL and certificate again. Returns whether this account may."""
    try:
        os.kill(number, signal.SIGHUP)
    except OSError:
        return False
    return True
