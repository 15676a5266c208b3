"""`facelatch up`: the file that supervisor gets means what was meant, when supervisor itself reads it."""

from __future__ import annotations

import shlex
import socket
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from supervisor.options import ServerOptions

from agents import house
from agents.cli.common import CommandError
from agents.cli.main import main
from agents.cli.up import _programs, supervisor_conf

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


@pytest.mark.parametrize("name", ["a ;b", "a #b"])
def test_a_path_that_supervisor_would_cut_is_refused(name: str, shallow: Path) -> None:
    with pytest.raises(CommandError, match="for a comment"):
        supervisor_conf(shallow, shallow / name, {"door": ["facelatch"]})
