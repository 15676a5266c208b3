"""What every section of the house's file is built on, and the section about the broker."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from agents.discovery.household import Form, Household
from agents.wire.topics import Topic

LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
Seconds = Annotated[float, Field(gt=0, le=86_400)]
LOOPBACK = ("127.0.0.1", "localhost")


class SecretInFile(ValueError):
    """A setting holds what belongs in a file of its own; its value is not shown."""


class Section(BaseModel):
    """A part of the house's file: unknown keys and wrong types are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


FilePath = Annotated[str, StringConstraints(min_length=1)]


class TlsSettings(Section):
    """TLS 1.2 or newer. Without `ca_file` the system's certificate authorities count; a certificate
    of the agent's own is for brokers that ask for one.
    """

    ca_file: FilePath | None = None
    cert_file: FilePath | None = None
    key_file: FilePath | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.cert_file is None) is not (self.key_file is None):
            raise ValueError("cert_file and key_file need each other")
        return self


class MqttSettings(Section):
    """Where the broker is and who connects.

    `credentials` is a file with a password, named like the broker's user; or a folder of such files,
    where every program is a user of its own (`door-front`, `unlock`).
    """

    host: Annotated[str, StringConstraints(min_length=1, max_length=253)] = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65_535)] = 1883
    base: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$")] = "facelatch"
    tls: TlsSettings | None = None
    credentials: FilePath | None = None

    @property
    def local(self) -> bool:
        """Whether the broker is on this machine."""
        return self.host in LOOPBACK

    @property
    def anonymous(self) -> bool:
        """Whether clients tell the broker nothing of who they are: neither a password nor a certificate."""
        return self.credentials is None and (self.tls is None or self.tls.cert_file is None)

    def login(self, user: str, folder: Path) -> tuple[str, str] | None:
        """The name and password to connect with; `user` is the program's own name. Raises OSError."""
        if self.credentials is None:
            return None
        path = folder / self.credentials
        file = path / user if path.is_dir() else path
        return file.name, _first_line(file)


Title = Annotated[str, StringConstraints(min_length=1, max_length=64, strip_whitespace=True, pattern=r"^[^\n\r]+$")]


class HomeAssistantSettings(Section):
    """How the agents make themselves known to Home Assistant.

    `discovery` is the form: a message for each entity, which every version understands; one for each
    device, for newer ones; or none. `prefix` is Home Assistant's own. `doors` and `cameras` are names
    to be shown instead of those made from their keys.
    """

    discovery: Form = "single"
    prefix: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$")] = "homeassistant"
    doors: dict[str, Title] = {}
    cameras: dict[str, Title] = {}


@dataclass(frozen=True)
class Site:
    """What an agent needs to know of the house around it.

    Paths in settings are relative to `folder`; `data` is where the house keeps what it must not
    forget. With `trusts_clock` the computer's clock is right even where the system can't say so.
    `home` is what Home Assistant is told of the house.
    """

    mqtt: MqttSettings
    folder: Path
    data: Path
    trusts_clock: bool = False
    home: Household = field(default_factory=Household)

    def root(self, topic: Topic) -> str:
        """What the topic stands below."""
        return self.mqtt.base if topic.below == "house" else self.home.prefix


def _first_line(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig").split("\n")[0]
    except UnicodeDecodeError:
        raise OSError(f"{path} is not UTF-8 text") from None
