"""The house's file: one YAML file that every machine may have a copy of."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Literal

from pydantic import StringConstraints

from agents.camera.config import SECRET, CameraSettings
from agents.door.config import DoorSettings
from agents.recognizer.config import RecognizerSettings
from agents.runtime import yamlfile
from agents.runtime.settings import LogLevel, MqttSettings, Section, Site
from agents.runtime.yamlfile import ConfigError, Lines, Loc
from agents.scheduler.config import SchedulerSettings
from agents.scheduler.holiday_calendar import CalendarError, HolidayCalendar
from agents.wire.values import Name

__all__ = ["ConfigError", "House", "load", "load_with_lines"]


class BrokerSettings(Section):
    """The broker that `facelatch broker init` makes. `names` are the names and addresses by which
    clients reach it, beside mqtt.host; its certificate is made out to them.
    """

    names: list[Annotated[str, StringConstraints(min_length=1, max_length=253)]] = []


class House(Section):
    """All sections. Paths inside are relative to the folder the file is in."""

    mqtt: MqttSettings = MqttSettings()
    broker: BrokerSettings = BrokerSettings()
    log_level: LogLevel = "INFO"
    clock: Literal["check", "trust"] = "check"
    data: str = "data"
    doors: dict[Name, DoorSettings]
    cameras: dict[Name, CameraSettings]
    recognizer: RecognizerSettings = RecognizerSettings()
    scheduler: SchedulerSettings

    def site(self, folder: Path) -> Site:
        """What every agent is told; `folder` is the one that the file is in."""
        return Site(self.mqtt, folder, folder / self.data, self.clock == "trust")

    @property
    def agents(self) -> list[tuple[str, str]]:
        """(kind, id) of every agent."""
        found = [("recognizer", self.recognizer.id), ("scheduler", self.scheduler.id)]
        return [("door", d) for d in self.doors] + found + [("camera", c) for c in self.cameras]

    def missing_secrets(self, folder: Path) -> Iterator[tuple[Loc, str]]:
        """Files with secrets that can't be read. Each machine has only those of its own agents."""
        files: list[tuple[Loc, str]] = [
            (("cameras", name, "source"), camera.source.removeprefix(SECRET))
            for name, camera in self.cameras.items()
            if isinstance(camera.source, str) and camera.source.startswith(SECRET)
        ]
        files += [((*loc, key), file) for loc, key, file in self._mqtt_files() if file is not None]
        for loc, file in files:
            if (folder / file).is_dir():  # credentials, of which each program reads its own
                continue
            try:
                (folder / file).read_text(encoding="utf-8-sig")
            except (OSError, ValueError) as error:  # a NUL in the path, or not UTF-8
                yield loc, f"{folder / file} can't be read: {error}"

    def missing_holidays(self) -> Iterator[tuple[Loc, str]]:
        """A country that nobody knows. A machine without the scheduler has no list of them."""
        if find_spec("holidays") is not None:
            try:
                HolidayCalendar(self.scheduler.holidays)
            except CalendarError as error:
                yield ("scheduler", "holidays"), str(error)

    def _mqtt_files(self) -> Iterator[tuple[Loc, str, str | None]]:
        yield ("mqtt",), "credentials", self.mqtt.credentials
        if self.mqtt.tls is not None:
            for key in ("ca_file", "cert_file", "key_file"):
                yield ("mqtt", "tls"), key, getattr(self.mqtt.tls, key)

    def conflicts(self) -> Iterator[tuple[Loc, str]]:
        """What is right by itself but does not fit together."""
        for key, problem in self.recognizer.model_problems():
            yield ("recognizer", key), problem
        for loc, problem in self.scheduler.conflicts():
            yield ("scheduler", *loc), problem
        for door in self.doors:
            if door not in self.scheduler.doors:
                yield ("doors", door), "no scheduler serves this door: add it under scheduler.doors"
        yield from self._misplaced_doors()

    def _misplaced_doors(self) -> Iterator[tuple[Loc, str]]:
        for door, policy in self.scheduler.doors.items():
            if door not in self.doors:
                yield ("scheduler", "doors", door), "there is no such door under doors"
            for i, camera in enumerate(policy.cameras):
                if camera not in self.cameras:
                    yield ("scheduler", "doors", door, "cameras", i), f"there is no camera {camera!r} under cameras"


def load(path: Path) -> House:
    """Read and check the house's file. Raises ConfigError."""
    return load_with_lines(path)[0]


def load_with_lines(path: Path) -> tuple[House, Lines]:
    """As `load`, with the line of each key."""
    house, lines = yamlfile.load(path, House)
    yamlfile.complain(path, lines, house.conflicts())
    return house, lines


def check(path: Path) -> House:
    """As `load`; and the files with secrets that it names must be there, its holidays known. Raises ConfigError."""
    house, lines = yamlfile.load(path, House)
    problems = [*house.conflicts(), *house.missing_holidays(), *house.missing_secrets(path.resolve().parent)]
    yamlfile.complain(path, lines, problems)
    return house
