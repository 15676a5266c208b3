"""`facelatch up`: the file that supervisor gets means what was meant, when supervisor itself reads it."""

from __future__ import annotations

import argparse
import shlex
import socket
import sys
import tempfile
from collections.abc import Iterator
from configparser import RawConfigParser
from dataclasses import dataclass
from pathlib import Path

import pytest
from supervisor.options import ServerOptions

from agents import house
from agents.cli.common import CommandError
from agents.cli.main import main
from agents.cli.up import _programs, _write, supervisor_conf

HOUSE = """\
doors:
  front: { relay: { pin: 17, pin_factory: mock } }
  back: { relay: { pin: 18, pin_factory: mock } }
cameras:
  porch: { source: 0 }
scheduler:
  timezone: UTC
  doors:
    front: { cameras: [porch] }
    back: { cameras: [porch] }
"""


@pytest.fixture
def shallow() -> Iterator[Path]:
    """A folder for a socket: the path of `tmp_path` may be too long for one."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield Path(folder)


@dataclass(frozen=True)
class Program:
    """What supervisor would run."""

    words: list[str]
    directory: str
    priority: int
    restarts: bool


def read_back(folder: Path, programs: dict[str, list[str]]) -> tuple[dict[str, Program], ServerOptions]:
    """Through the file and supervisor's own parser, split into words as supervisor splits them."""
    path = folder / "supervisord.conf"
    with path.open("w", encoding="utf-8") as file:
        supervisor_conf(folder, folder, programs).write(file)
    options = ServerOptions()
    options.realize(["-c", str(path)])
    found = [process for group in options.process_group_configs for process in group.process_configs]
    return {
        p.name: Program(shlex.split(p.command), p.directory, p.priority, bool(p.autorestart)) for p in found
    }, options


@pytest.mark.parametrize(
    "name",
    ["plain", "my house", 'the "house"', "it's", "100%", "%(here)s", "%(ENV_HOME)s", "$HOME", "back\\slash", "kuća;#"],
)
def test_command_lines_survive_whatever_is_in_a_path(name: str, shallow: Path) -> None:
    folder = shallow / name
    folder.mkdir()
    programs = {"broker": ["mosquitto", "-c", str(folder / "mosquitto.conf")], "door-front": [name, "", "-x", "a b"]}
    found, options = read_back(folder, programs)
    assert {key: program.words for key, program in found.items()} == programs
    assert {program.directory for program in found.values()} == {str(folder)}
    assert options.pidfile == str(folder / "supervisord.pid")
    assert [server["file"] for server in options.server_configs] == [str(folder / "supervisor.sock")]


def test_the_broker_is_first_to_start_and_last_to_stop_and_everything_is_restarted(shallow: Path) -> None:
    found, options = read_back(shallow, {"broker": ["b"], "door-front": ["d"], "camera-porch": ["c"]})
    assert sorted(found, key=lambda name: found[name].priority) == ["broker", "door-front", "camera-porch"]
    assert all(program.restarts for program in found.values())
    assert options.nodaemon


def test_supervisor_listens_to_nobody_over_the_network_and_only_to_this_user(shallow: Path) -> None:
    _, options = read_back(shallow, {"broker": ["b"]})
    assert [server["section"] for server in options.server_configs] == ["unix_http_server"]
    assert [server["chmod"] for server in options.server_configs] == [0o700]


def test_every_agent_of_the_house_is_run_with_this_python_and_this_file(tmp_path: Path) -> None:
    path = tmp_path / "house.yaml"
    path.write_text(HOUSE)
    programs = _programs(path, house.load(path))
    assert list(programs) == ["door-front", "door-back", "scheduler", "recognizer", "camera-porch"]
    python, config = [sys.executable, "-m", "agents.cli"], ["--config", str(path)]
    assert programs["door-back"] == [*python, "door", "back", *config]
    assert programs["scheduler"] == [*python, "scheduler", *config]
    assert programs["camera-porch"] == [*python, "camera", "porch", *config]


def test_a_camera_that_publishes_by_itself_is_not_run(tmp_path: Path) -> None:
    path = tmp_path / "facelatch.yaml"
    path.write_text(HOUSE.replace("scheduler:", "  yard: { source: mqtt }\nscheduler:"), encoding="utf-8")
    cameras = [name for name in _programs(path, house.load(path)) if name.startswith("camera-")]
    assert cameras == ["camera-porch"]


def test_a_folder_too_deep_for_a_socket_is_told(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="too long for a Unix socket"):
        supervisor_conf(tmp_path / ("deep" * 25), tmp_path, {})


def test_a_port_in_use_is_told_with_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        path = tmp_path / "house.yaml"
        path.write_text(f"mqtt: {{ port: {port} }}\n" + HOUSE)
        assert main(["up", "-c", str(path)]) == 1
    told = capsys.readouterr().err
    assert f"port {port} on 127.0.0.1 can't be used" in told
    assert "facelatch up --no-broker" in told


TLS = "tls: { ca_file: secrets/ca.crt }, credentials: secrets"


def which_broker(config: Path, *options: str) -> list[str] | None:
    """The command line of the broker that `facelatch up` would run."""
    args = argparse.Namespace(config=config, no_broker="--no-broker" in options)
    run = config.parent / "run"
    run.mkdir(exist_ok=True)
    conf = RawConfigParser()
    conf.read(_write(args, house.load(config), config.parent, run))
    return shlex.split(conf["program:broker"]["command"]) if "program:broker" in conf else None


@pytest.fixture
def config(shallow: Path) -> Path:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    path = shallow / "house.yaml"
    path.write_text(f"mqtt: {{ host: 127.0.0.1, port: {port} }}\nclock: trust\n" + HOUSE)
    return path


def with_passwords(config: Path, host: str = "127.0.0.1") -> Path:
    text = config.read_text().replace("host: 127.0.0.1", f"host: {host}, {TLS}")
    config.write_text(text)
    return config


def test_a_house_without_passwords_gets_the_broker_of_this_machine_only(config: Path) -> None:
    command = which_broker(config)
    assert command is not None
    assert command[1:] == ["-c", str(config.parent / "run" / "mosquitto.conf")]
    assert "allow_anonymous true" in Path(command[2]).read_text()
    assert which_broker(config, "--no-broker") is None


@pytest.mark.parametrize("host", ["127.0.0.1", "lock.local"])
def test_a_house_with_passwords_gets_its_own_broker_where_that_was_made(
    config: Path, host: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["broker", "init", "-c", str(with_passwords(config, host))]) == 0
    capsys.readouterr()
    command = which_broker(config)
    assert command is not None
    assert command[1:] == ["-c", str(config.parent / "data" / "broker" / "mosquitto.conf")]
    assert capsys.readouterr().out == ""
    assert which_broker(config, "--no-broker") is None


def test_its_files_are_brought_in_line_with_the_house_first(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["broker", "init", "-c", str(with_passwords(config))])
    capsys.readouterr()
    config.write_text(config.read_text().replace("  porch: {", "  yard: { source: 1 }\n  porch: {"))
    assert which_broker(config) is not None
    assert capsys.readouterr().out == "camera-yard: added\n"
    assert (config.parent / "secrets" / "camera-yard").exists()


def test_a_house_whose_broker_is_on_another_machine_gets_none(config: Path) -> None:
    assert which_broker(with_passwords(config, "lock.local")) is None


def test_a_house_with_passwords_never_gets_a_broker_that_lets_anybody_in(config: Path) -> None:
    with pytest.raises(CommandError, match="no broker with passwords was made here yet: facelatch broker init"):
        which_broker(with_passwords(config))


def test_a_damaged_broker_ends_up_with_the_name_of_the_file(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["broker", "init", "-c", str(with_passwords(config))])
    (config.parent / "data" / "broker" / "ca.crt").write_text("junk")
    with pytest.raises(CommandError, match=r"data/broker/ca\.crt is no certificate"):
        which_broker(config)


@pytest.mark.parametrize("name", ["a ;b", "a #b"])
def test_a_path_that_supervisor_would_cut_is_refused(name: str, shallow: Path) -> None:
    with pytest.raises(CommandError, match="for a comment"):
        supervisor_conf(shallow, shallow / name, {"door": ["facelatch"]})
