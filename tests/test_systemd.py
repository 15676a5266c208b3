"""The units in systemd/, held against the code that they start."""

from __future__ import annotations

import re
import shutil
import subprocess
from configparser import ConfigParser, SectionProxy
from pathlib import Path

import pytest

import broker
from agents.cli import run
from agents.cli.main import _parser
from agents.door.config import DoorSettings
from agents.runtime.agent import IDLE_S, STALL_S

ROOT = Path(__file__).resolve().parents[1]
SYSTEMD = ROOT / "systemd"
COMMON = SYSTEMD / "facelatch-.service.d" / "common.conf"
UNITS = sorted(SYSTEMD.glob("*.service"))
KINDS = sorted(core.parent.name for core in ROOT.glob("agents/*/core.py"))


def read(unit: Path) -> ConfigParser:
    """The unit and what all have in common, which systemd reads last. Of a repeated key the last counts."""
    parser = ConfigParser(strict=False, interpolation=None, delimiters="=", comment_prefixes="#")
    parser.read([unit, COMMON], encoding="utf-8")
    return parser


def service(unit: Path) -> SectionProxy:
    return read(unit)["Service"]


def unit_of(kind: str) -> Path:
    (found,) = (unit for unit in UNITS if re.fullmatch(rf"facelatch-{kind}@?", unit.stem))
    return found


every_unit = pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
every_agent = pytest.mark.parametrize("kind", KINDS)


def test_every_kind_of_agent_has_a_unit_and_so_has_the_broker() -> None:
    assert sorted(unit.stem.removeprefix("facelatch-").removesuffix("@") for unit in UNITS) == sorted(
        [*KINDS, "broker"]
    )


@every_agent
def test_what_a_unit_starts_is_a_command_of_this_version(kind: str) -> None:
    unit = unit_of(kind)
    program, *arguments = service(unit)["ExecStart"].replace("%i", "front").split()
    args = _parser().parse_args(arguments)
    assert program == "/opt/facelatch/.venv/bin/facelatch"
    assert args.run is getattr(run, f"_{kind}")
    assert args.config == Path("/etc/facelatch/facelatch.yaml")
    assert getattr(args, "name", None) == ("front" if unit.stem.endswith("@") else None)


def test_the_broker_starts_with_what_broker_init_made() -> None:
    program, option, conf = service(unit_of("broker"))["ExecStart"].split()
    assert str(Path(program).parent) in broker.SBIN
    assert (option, conf) == ("-c", "/etc/facelatch/data/broker/mosquitto.conf")


@every_unit
def test_a_service_waits_for_nothing_and_is_started_for_ever(unit: Path) -> None:
    parser = read(unit)
    assert dict(parser["Unit"]) == {"description": parser["Unit"]["Description"], "startlimitintervalsec": "0"}
    assert parser["Service"]["Restart"] == "always"
    assert parser["Install"]["WantedBy"] == "multi-user.target"


@every_agent
def test_an_agent_that_only_idles_or_stalls_is_not_killed(kind: str) -> None:
    settings = service(unit_of(kind))
    assert (settings["Type"], settings["NotifyAccess"]) == ("notify", "main")
    assert int(settings["WatchdogSec"]) / 2 > IDLE_S + STALL_S  # half of it passes between two pets


def test_a_hung_door_is_replaced_before_an_unlock_would_have_to_end() -> None:
    settings = service(unit_of("door"))
    longest_s = sum(int(settings[key]) for key in ("WatchdogSec", "TimeoutAbortSec", "RestartSec"))
    assert longest_s < DoorSettings.model_fields["max_hold_s"].default


@every_unit
def test_a_service_is_nobody_and_writes_only_what_the_house_keeps(unit: Path) -> None:
    settings = service(unit)
    wanted = {"User": "facelatch", "StateDirectory": "facelatch", "ProtectSystem": "strict", "NoNewPrivileges": "yes"}
    assert {key: settings[key] for key in wanted} == wanted
    assert settings["CapabilityBoundingSet"] == settings["AmbientCapabilities"] == ""
    assert "ReadWritePaths" not in settings


@every_unit
def test_a_service_may_ask_whether_the_clock_is_set(unit: Path) -> None:
    settings = service(unit)
    assert {"@system-service", "adjtimex", "clock_adjtime"} <= set(settings["SystemCallFilter"].split())
    assert "ProtectClock" not in settings


@every_unit
def test_the_installer_is_told_of_every_unit_and_path(unit: Path) -> None:
    text = (SYSTEMD / "README.md").read_text(encoding="utf-8")
    assert unit.stem in text
    for word in ("/opt/facelatch", "/etc/facelatch/facelatch.yaml", "/etc/facelatch/data", "/var/lib/facelatch"):
        assert word in text


def verify(folder: Path) -> list[str]:
    """What systemd has to say about the units in `folder`."""
    units = sorted(map(str, folder.glob("*.service")))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True, check=False
    )
    return [line for line in done.stderr.splitlines() if "facelatch" in line]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")
def test_systemd_itself_finds_no_fault(tmp_path: Path) -> None:
    shutil.copytree(SYSTEMD, tmp_path, dirs_exist_ok=True)
    for unit in tmp_path.glob("*.service"):  # what they run is not installed here
        unit.write_text(re.sub(r"(?m)^(Exec\w+)=\S+", r"\1=/bin/true", unit.read_text(encoding="utf-8")))
    assert verify(tmp_path) == []
    common = tmp_path / COMMON.relative_to(SYSTEMD)
    common.write_text(common.read_text(encoding="utf-8") + "WatchdogSecs=1\n")
    assert "WatchdogSecs" in "".join(verify(tmp_path)), "faults in the common part must be seen"
