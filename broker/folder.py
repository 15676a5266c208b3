"""Where the files of a house's broker are, and whether the house's file is made for having one."""

from __future__ import annotations

import json
import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path

from agents.camera.config import SECRET
from agents.house import House
from broker import BrokerError, clients, passwords
from broker.clients import Client
from broker.telling import Told

TLS_PORT = 8883
NODE = re.compile(r"[A-Za-z0-9_-]+")


def conf_of(house: House, config: Path) -> Path:
    """Where mosquitto.conf is, if the house's broker was made on this machine."""
    return config.resolve().parent / house.data / "broker" / "mosquitto.conf"


class Folder:
    """The files of one house's broker. Raises BrokerError where the house's file lacks what it takes."""

    def __init__(self, house: House, config: Path) -> None:
        self.house, self.config = house, config
        self.base = config.resolve().parent
        self.conf = conf_of(house, config)
        self.path = self.conf.parent
        if house.mqtt.credentials is None or house.mqtt.tls is None or house.mqtt.tls.ca_file is None:
            raise BrokerError(f"{config}: a broker of the house's own needs these lines:\n\n{wanted_lines(house)}")
        self.secrets = self.base / house.mqtt.credentials
        self.ca_copy = self.base / house.mqtt.tls.ca_file

    def clients(self) -> dict[str, Client]:
        path = self.path / "clients.json"
        return clients.decode(path.read_bytes(), str(path)) if path.exists() else {}

    def told(self) -> Told:
        """What the house told Home Assistant so far. A damaged file is made anew."""
        try:
            found = json.loads((self.path / "told.json").read_bytes())
            pairs = [(component, node) for component, node in found["entities"]]
            good = tuple(pair for pair in pairs if all(NODE.fullmatch(level) for level in pair))
            return Told(good, found["whole"] is True)
        except (FileNotFoundError, ValueError, TypeError, KeyError, RecursionError):
            return Told()

    def hashes(self) -> dict[str, str]:
        path = self.path / "passwords"
        return passwords.decode(path.read_bytes(), str(path)) if path.exists() else {}

    def password(self, user: str) -> str:
        """As its program reads it. Raises OSError, BrokerError."""
        login = self.house.mqtt.login(user, self.base)
        if login is None or not login[1]:
            raise BrokerError(f"{self.secrets / user}: its first line should be a password")
        return login[1]

    def check(self) -> None:
        """The folder with the passwords has to hold nothing else that matters. Raises BrokerError."""
        if self.base.is_relative_to(self.secrets.resolve()):
            raise BrokerError(f"{self.config}: mqtt.credentials: the passwords need a folder of their own")
        if self.secrets.exists() and not self.secrets.is_dir():
            raise BrokerError(f"{self.config}: mqtt.credentials: {self.secrets} is no folder")
        if "\n" in str(self.path):
            raise BrokerError(f"{self.path}: mosquitto can't read a path with a line break in it")

    def check_user(self, user: str) -> None:
        """Raises BrokerError where the file with its password would be another file of the house."""
        if os.path.realpath(self.secrets / user) in (os.path.realpath(self.base / file) for file in self._named()):
            raise BrokerError(
                f"{self.config}: {self.secrets / user} is where the password of user {user} has to be: "
                "give the file that is there another name"
            )

    def _named(self) -> Iterator[str]:
        tls = self.house.mqtt.tls
        yield from filter(None, (tls.ca_file, tls.cert_file, tls.key_file) if tls else ())
        sources = (str(camera.source) for camera in self.house.cameras.values())
        yield from (source.removeprefix(SECRET) for source in sources if source.startswith(SECRET))


def wanted_lines(house: House) -> str:
    """The section `mqtt` as it has to be, to be copied into the house's file."""
    mqtt = house.mqtt
    given = mqtt.model_fields_set
    secrets = mqtt.credentials or f"{house.data}/secrets"  # where the account that runs the house can write
    ca_file = (mqtt.tls.ca_file if mqtt.tls else None) or f"{secrets}/ca.crt"
    lines = ["mqtt:"]
    lines.append(f"  host: {mqtt.host if 'host' in given else own_names()[-1]} # this machine, as all others call it")
    lines.append(f"  port: {mqtt.port if mqtt.port != 1883 else TLS_PORT}")
    lines += [f"  base: {mqtt.base}"] if "base" in given else []
    lines.append(f"  tls: {{ ca_file: {ca_file} }}")
    lines.append(f"  credentials: {secrets}")
    return "\n".join(lines)


def own_names() -> list[str]:
    """What this machine calls itself: its host name, and that in the local network's .local."""
    name = socket.gethostname()
    return [name, f"{name.partition('.')[0]}.local"]
