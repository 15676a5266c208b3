"""The files mosquitto is run with."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest

import broker
from broker import BrokerError, development_conf, write_development_conf


def settings(conf: str) -> list[str]:
    return [line for line in conf.splitlines() if line and not line.startswith("#")]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_the_development_broker_listens_on_the_asked_port_of_this_machine_only() -> None:
    lines = settings(development_conf(2345))
    assert [line for line in lines if line.startswith(("listener", "port", "bind"))] == ["listener 2345 127.0.0.1"]
    assert development_conf(1883) == (Path(broker.__file__).parent / "development.conf").read_text(encoding="utf-8")


BOUNDS = ["set_tcp_nodelay true", "max_packet_size 2100000", "max_queued_messages 1000", "max_queued_bytes 8388608"]


@pytest.mark.parametrize("setting", BOUNDS)
def test_no_client_can_fill_the_brokers_memory_or_make_an_unlock_wait(setting: str) -> None:
    assert setting in settings(development_conf(1883))


PRODUCTION = [
    "allow_anonymous false",
    "use_username_as_clientid true",
    "check_retain_source true",
    "tls_version tlsv1.2",
    "max_connections 200",
    "memory_limit 268435456",
    "persistence true",
    "autosave_interval 60",
    "sys_interval 0",
    "log_type notice",
]


def production_conf() -> str:
    return (Path(broker.__file__).parent / "production.conf").read_text(encoding="utf-8")


@pytest.mark.parametrize("setting", [*BOUNDS, *PRODUCTION])
def test_a_production_broker_lets_nobody_in_unknown_and_bounds_everybody(setting: str) -> None:
    assert settings(production_conf()).count(setting) == 1


def test_the_readme_says_of_every_setting_why_it_is_there() -> None:
    readme = (Path(broker.__file__).parent / "README.md").read_text(encoding="utf-8")
    table = [line for line in readme.partition("## The settings")[2].splitlines() if line.startswith("| `")]
    told = {word.split()[0] for line in table for word in re.findall(r"`([^`]+)`", line.split("|")[1])}
    made = {line.split()[0] for line in settings(production_conf() + development_conf(1883))}
    assert made - told == {"$user", "$clients"}
    assert told - made == {"user"}


def test_the_file_is_written_for_the_port(tmp_path: Path) -> None:
    port = free_port()
    path = write_development_conf(tmp_path, port)
    assert path.parent == tmp_path
    assert path.read_text(encoding="utf-8") == development_conf(port)


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])
def test_a_port_in_use_is_told_by_its_number_and_nothing_is_written(address: str, tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind((address, 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(BrokerError, match=f"port {port} on 127.0.0.1 can't be used: "):
            write_development_conf(tmp_path, port)
    assert list(tmp_path.iterdir()) == []


def test_mosquitto_is_found_where_only_root_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "mosquitto"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(broker, "SBIN", (str(tmp_path),))
    assert broker.program() == str(program)


def test_a_missing_mosquitto_is_told_with_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PATH")
    monkeypatch.setattr(broker, "SBIN", ())
    with pytest.raises(BrokerError, match="apt install mosquitto"):
        broker.program()
