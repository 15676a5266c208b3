"""The broker: mosquitto, and the files it is run with.

`development.conf` is for one machine and lets everybody in. The rest of this package makes what a
house needs that others can reach: see README.md.
"""

from __future__ import annotations

import os
import shutil
import socket
from importlib.resources import files
from pathlib import Path

SBIN = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin", "/opt/homebrew/opt/mosquitto/sbin")


class BrokerError(Exception):
    """The broker can't be run, or its files can't be made; its text says why."""


def program() -> str:
    """The path of mosquitto; Debian puts it where only root looks. Raises BrokerError."""
    found = shutil.which("mosquitto", path=os.pathsep.join([os.environ.get("PATH", ""), *SBIN]))
    if found is None:
        raise BrokerError("mosquitto is not installed: apt install mosquitto, or brew install mosquitto")
    return found


def development_conf(port: int) -> str:
    """The text of development.conf for another port."""
    text = files("broker").joinpath("development.conf").read_text(encoding="utf-8")
    return text.replace("listener 1883 ", f"listener {port} ")


def write_development_conf(folder: Path, port: int) -> Path:
    """Write mosquitto.conf into `folder`. Raises BrokerError when something listens on the port already."""
    check_port(port)
    path = folder / "mosquitto.conf"
    path.write_text(development_conf(port), encoding="utf-8")
    return path


def check_port(port: int, address: str = "127.0.0.1") -> None:
    """Raises BrokerError when a broker could not listen there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            where = f" on {address}" if address else ""
            raise BrokerError(f"port {port}{where} can't be used: {error.strerror}") from None
