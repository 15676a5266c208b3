"""The house's file: one YAML file that every machine may have a copy of."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Literal

from pydantic import StringConstraints

from agents.camera import config as camera_config
from agents.camera import discovery as camera_discovery
from agents.camera.config import SECRET, CameraSettings
from agents.discovery.common import with_diagnostics
from agents.discovery.device import Device
from agents.discovery.household import Household
from agents.door import discovery as door_discovery
from agents.door.config import DoorSettings
from agents.recognizer import discovery as recognizer_discovery
from agents.recognizer.config import RecognizerSettings
from agents.runtime import yamlfile
from agents.runtime.settings import HomeAssistantSettings, LogLevel, MqttSettings, Section, Site
from agents.runtime.yamlfile import ConfigError, Lines, Loc
from agents.scheduler import discovery as scheduler_discovery
from agents.scheduler.config import SchedulerSettings
from agents.scheduler.holiday_calendar import CalendarError, HolidayCalendar
from agents.wire.feed import Feed
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
    home_assistant: HomeAssistantSettings = HomeAssistantSettings()
    log_level: LogLevel = "INFO"
    clock: Literal["check", "trust"] = "check"
    data: str = "data"
    doors: dict[Name, DoorSettings]
    cameras: dict[Name, CameraSettings]
    recognizer: RecognizerSettings = RecognizerSettings()
    scheduler: SchedulerSettings

    def site(self, folder: Path) -> Site:
        """What every agent is told; `folder` is the one that the file is in."""
        return Site(self.mqtt, folder, folder / self.data, self.clock == "trust", self.home)

    @property
    def home(self) -> Household:
        """What Home Assistant is told of the house as a whole."""
        told = self.home_assistant
        ids = {"recognizer": self.recognizer.id, "scheduler": self.scheduler.id}
        return Household(self.mqtt.base, told.prefix, told.discovery, doors=told.doors, cameras=told.cameras, **ids)

    def devices(self) -> dict[tuple[str, str], list[Device]]:
        """What each agent (kind, id) tells it of; an agent on a computer that has no thermometer tells less."""
        home, feeds = self.home, list(self.feeds.values())
        told = {("door", name): door_discovery.devices(name, door, home) for name, door in self.doors.items()}
        told |= {("camera", f.camera): camera_discovery.devices(f.camera, home) for f in feeds if f.ours}
        recognizer, scheduler = self.recognizer, self.scheduler
        seen = recognizer_discovery.devices(recognizer.id, feeds, recognizer.snapshot, home)
        told |= {
            ("recognizer", recognizer.id): seen,
            ("scheduler", scheduler.id): scheduler_discovery.devices(scheduler, home),
        }
        return {agent: with_diagnostics(devices, home, *agent, cpu=True) for agent, devices in told.items()}

    @property
    def agents(self) -> list[tuple[str, str]]:
        """(kind, id) of every agent."""
        found = [("recognizer", self.recognizer.id), ("scheduler", self.scheduler.id)]
        cameras = [("camera", camera) for camera, feed in self.feeds.items() if feed.ours]
        return [("door", d) for d in self.doors] + found + cameras

    @property
    def feeds(self) -> dict[str, Feed]:
        """Where the frames of each camera come from."""
        return {name: camera.feed(name) for name, camera in self.cameras.items()}

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
        yield from self._misnamed()
        for place, problem in camera_config.conflicts(self.cameras, self.mqtt.base, self.home_assistant.prefix):
            yield ("cameras", *place), problem
        yield from self._thin_evidence()
        for door in self.doors:
            if door not in self.scheduler.doors:
                yield ("doors", door), "no scheduler serves this door: add it under scheduler.doors"
        yield from self._misplaced_doors()

    def _misnamed(self) -> Iterator[tuple[Loc, str]]:
        told = self.home_assistant
        if f"{told.prefix}/".startswith(f"{self.mqtt.base}/"):
            yield ("home_assistant", "prefix"), f"is below {self.mqtt.base}, the house's own base"
        for section, names, known in (("doors", told.doors, self.doors), ("cameras", told.cameras, self.cameras)):
            for name in names:
                if name not in known:
                    yield ("home_assistant", section, name), f"there is no such {section[:-1]} under {section}"

    def _thin_evidence(self) -> Iterator[tuple[Loc, str]]:
        """A picture of an event may be older than its arrival: alone it must open nothing."""
        doubtful = {name for name, feed in self.feeds.items() if not feed.steady}
        for loc, cameras in self.scheduler.single_frames():
            for camera in doubtful.intersection(cameras):
                text = f"one frame is too few for camera {camera!r}: on its topic an old one may come"
                yield ("scheduler", *loc), text

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
