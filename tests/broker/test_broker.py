"""The files mosquitto is run with."""

from __future__ import annotations

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


@pytest.mark.parametrize(
    "setting",
    ["set_tcp_nodelay true", "max_packet_size 2100000", "max_queued_messages 100", "max_queued_bytes 8388608"],
)
def test_no_client_can_fill_the_brokers_memory_or_make_an_unlock_wait(setting: str) -> None:
    assert setting in settings(development_conf(1883))


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
