"""What every section of the house's file is built on, and the section about the broker."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
Seconds = Annotated[float, Field(gt=0, le=86_400)]
LOOPBACK = ("127.0.0.1", "localhost")


class SecretInFile(ValueError):
    """A setting holds what belongs in a file of its own; its value is not shown."""


class Section(BaseModel):
    """A part of the house's file: unknown keys and wrong types are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class MqttSettings(Section):
    """Where the broker is and who connects."""

    host: Annotated[str, StringConstraints(min_length=1, max_length=253)] = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65_535)] = 1883
    base: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$")] = "facelatch"
    username: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None
    password_file: Annotated[str, StringConstraints(min_length=1)] | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.password_file is not None and self.username is None:
            raise ValueError("password_file without username: the broker would not be told who connects")
        return self

    @property
    def local(self) -> bool:
        """Whether the broker is on this machine."""
        return self.host in LOOPBACK

    def password(self, folder: Path) -> str | None:
        """The first line of `password_file`, relative to the house's `folder`. Raises OSError."""
        if self.password_file is None:
            return None
        path = folder / self.password_file
        try:
            return path.read_text(encoding="utf-8-sig").split("\n")[0]
        except UnicodeDecodeError:
            raise OSError(f"{path} is not UTF-8 text") from None
