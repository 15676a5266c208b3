"""`facelatch up`: broker and agents on one machine, under supervisor."""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import itertools
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
from configparser import RawConfigParser
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import TextIO

import broker
from agents.cli.broker import prepare
from agents.cli.common import CommandError, add_command, load_house
from agents.house import House

SOCKET, CONF = "supervisor.sock", "supervisord.conf"
LONGEST_SOCKET_PATH = 90  # the kernel's limit is 108 and supervisor appends to it


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = add_command(
        commands,
        "up",
        _up,
        "run the broker and all agents on this machine, restart what dies, until Ctrl-C",
        "facelatch up\nfacelatch up --no-broker   # a broker is running already",
    )
    parser.add_argument(
        "--no-broker",
        action="store_true",
        help="use the broker that runs at mqtt.host; the default where that is another machine",
    )


def _up(args: argparse.Namespace) -> int:
    house, folder = load_house(args)
    if find_spec("supervisor") is None:
        raise CommandError("supervisor is not installed; it is in requirements/all.txt")
    run = folder / house.data / "run"
    run.mkdir(parents=True, exist_ok=True)
    with _claim(run):
        return _supervise(_write(args, house, folder, run))


def _write(args: argparse.Namespace, house: House, folder: Path, run: Path) -> Path:
    """The supervisor's file, and with it the broker's. It holds a password of its own."""
    programs = _programs(args.config.resolve(), house)
    if not args.no_broker and (command := _broker_command(args, house, run)):
        programs = {"broker": command, **programs}
    conf = run / CONF
    conf.touch(mode=0o600)
    with conf.open("w", encoding="utf-8") as file:
        supervisor_conf(run, folder, programs).write(file)
    return conf


def _claim(run: Path) -> TextIO:
    """Held open as long as the house is up, so that it is up once. Raises CommandError."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
        probe.connect(str(run / SOCKET))  # the supervisor lives on when `facelatch up` was killed
        stop = f"{Path(sys.executable).with_name('supervisorctl')} -c {run / CONF} shutdown"
        raise CommandError(f"this house is up already; to stop it: {stop}")
    lock = (run / "up.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise CommandError(f"this house is up already: {lock.name} is held") from None
    return lock


def _programs(config: Path, house: House) -> dict[str, list[str]]:
    """Name → command line, in the order of the way a picture takes."""
    agents = [("door", name) for name in house.doors] + [("scheduler", ""), ("recognizer", "")]
    agents += [("camera", name) for name, feed in house.feeds.items() if feed.ours]
    facelatch = [sys.executable, "-m", "agents.cli"]
    return {
        "-".join(filter(None, (kind, name))): [*facelatch, kind, *filter(None, [name]), "--config", str(config)]
        for kind, name in agents
    }


def _broker_command(args: argparse.Namespace, house: House, run: Path) -> list[str] | None:
    """The broker that belongs on this machine, if any does. Raises CommandError."""
    try:
        conf = _broker_conf(args, house, run)
        return None if conf is None else [broker.program(), "-c", str(conf)]
    except broker.BrokerError as error:
        raise CommandError(
            f"{args.config}: mqtt.port: {error}\nIs a broker running already? Then use it: facelatch up --no-broker"
        ) from None


def _broker_conf(args: argparse.Namespace, house: House, run: Path) -> Path | None:
    """Where the house has passwords, the broker made by `facelatch broker init`, if it was made on this
    machine; where it has none, one that listens to this machine only.
    """
    local = house.mqtt.local
    if house.mqtt.credentials is None:
        return broker.write_development_conf(run, house.mqtt.port) if local else None
    folder = prepare(args, house)
    if folder is not None:
        broker.check_port(house.mqtt.port, "127.0.0.1" if local else "")
        return folder.conf
    if local:
        raise CommandError(
            f"{args.config}: mqtt.credentials: no broker with passwords was made here yet: facelatch broker init\n"
            "Is one running already? Then use it: facelatch up --no-broker"
        )
    return None


def supervisor_conf(run: Path, folder: Path, programs: dict[str, list[str]]) -> RawConfigParser:
    """Every program in the foreground of one terminal, restarted whenever it ends.

    The broker has the lowest priority number: first to start, last to stop.
    """
    address = run / SOCKET
    if len(os.fsencode(address)) > LONGEST_SOCKET_PATH:
        raise CommandError(f"{run}: this folder's path is too long for a Unix socket; choose a shorter one for data")
    if any(re.search(r"\s[;#]", word) for word in (str(folder), *itertools.chain(*programs.values()))):
        raise CommandError(f"{folder}: supervisor takes what follows ' ;' or ' #' in a path for a comment")
    conf = RawConfigParser()
    conf["supervisord"] = {
        "nodaemon": "true",
        "logfile": "/dev/null",
        "logfile_maxbytes": "0",
        "loglevel": "warn",
        "pidfile": _escaped(str(run / "supervisord.pid")),
        **({"user": "root"} if os.geteuid() == 0 else {}),
    }
    login = {"username": "facelatch", "password": secrets.token_hex(16)}
    conf["unix_http_server"] = {"file": _escaped(str(address)), "chmod": "0700", **login}
    conf["supervisorctl"] = {"serverurl": _escaped(f"unix://{address}"), **login}
    conf["rpcinterface:supervisor"] = {
        "supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"
    }
    for priority, (name, command) in enumerate(programs.items(), start=1):
        conf[f"program:{name}"] = {
            "command": " ".join(map(_quoted, command)),
            "directory": _escaped(str(folder)),
            "priority": str(priority),
            "autorestart": "true",
            "startretries": "1000000",
            "stopwaitsecs": "5",
            "redirect_stderr": "true",
            "stdout_logfile": "/dev/fd/1",
            "stdout_logfile_maxbytes": "0",
        }
    return conf


def _quoted(word: str) -> str:
    return '"' + _escaped(word).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _escaped(text: str) -> str:
    return text.replace("%", "%%")  # supervisor expands %(name)s


def _supervise(conf: Path) -> int:
    """Run supervisord as a child: a closed terminal must end the house, and supervisord would take
    SIGHUP for an order to read its file again."""
    child: subprocess.Popen[bytes] | None = None
    stopped = False

    def stop(_number: int, _frame: FrameType | None) -> None:
        nonlocal stopped
        stopped = True
        if child is not None:
            child.terminate()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, stop)
    child = subprocess.Popen([sys.executable, "-m", "supervisor.supervisord", "-c", str(conf)])
    if stopped:  # while it was being started
        child.terminate()
    return child.wait()
