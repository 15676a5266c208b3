"""From a command on MQTT to the relay and to the door's word for it, beside a program that only echoes.

For each way to connect: a mosquitto, a `facelatch door` with mock pins, and the yardstick, a bare paho
client in a process of its own that publishes back at once what it gets. The same sender asks both in
turns, with the same payload and QoS, on topics that differ in the door's name only.

    plain      the development broker
    tls        the broker that `facelatch broker init` makes, but it lets everybody in
    tls_acl    the same with its passwords and its ACL

    relay       command sent -> relay on
    state       command sent -> state UNLOCKED heard
    echo        the same sent to the yardstick -> heard again
    above_echo  state less echo, percentile by percentile: what the door itself takes
    echo_qos1   a few times before, with the command at QoS 1: without TCP_NODELAY, some 40 ms

Targets (--check), for each way:

    above_echo_ms.p50 <= 2
    above_echo_ms.p99 <= 10
    echo_qos1_ms.p50 <= 10

    .venv/bin/python benchmarks/door.py [--commands 200] [--json] [--check]
"""

from __future__ import annotations

import contextlib
import os
import platform
import random
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from statistics import quantiles
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import broker
from agents import house
from agents.runtime.clock import Clock
from agents.runtime.flood import PER_S
from agents.runtime.settings import Site
from agents.wire.messages import LockState
from benchmarks import report
from benchmarks.clients import READY, BenchmarkFailed, Sender, echoing
from broker import provision
from broker.clients import Client
from broker.folder import Folder
from demo.house import free_port
from tests.live.bench import Bench

ROOT = Path(broker.__file__).parent.parent
WAYS = ("plain", "tls", "tls_acl")
FIGURES = ("relay", "state", "echo", "echo_qos1")
TARGETS = {"above_echo_ms.p50": 2.0, "above_echo_ms.p99": 10.0, "echo_qos1_ms.p50": 10.0}
DOOR, ECHO, SENDER = "front", "echo", "phone"
UNLOCKED, LOCKED = LockState.UNLOCKED.encode(), LockState.LOCKED.encode()
TURN_S = 1.05 / PER_S  # a door looks at no more commands than that
PROBES = 20
PATIENCE_S = 30.0

# The yardstick takes the place of the door `echo`: so it has as much of an ACL to get past as a door.
HOUSE = """\
mqtt: {{ port: {port}{more} }}
clock: trust
doors:
  front: {{ relay: {{ pin: 17, pin_factory: mock }}, hold_s: 0.05 }}
  echo: {{ relay: {{ pin: 17, pin_factory: mock }} }}
cameras:
  front: {{ source: 0 }}
scheduler:
  timezone: UTC
  doors:
    front: {{ cameras: [front] }}
    echo: {{ cameras: [front] }}
"""
TLS, CREDENTIALS = ", tls: { ca_file: secrets/ca.crt }", ", credentials: secrets"
ACCESS = re.compile(r"^(allow_anonymous|password_file|acl_file|use_username_as_clientid) .*\n", re.MULTILINE)


@dataclass
class Times:
    """What was measured on one way, in seconds; the first three have one for every command."""

    relay: list[float] = field(default_factory=list)
    state: list[float] = field(default_factory=list)
    echo: list[float] = field(default_factory=list)
    echo_qos1: list[float] = field(default_factory=list)


class Files:
    """A house's file and its broker's, below `folder`."""

    def __init__(self, way: str, folder: Path) -> None:
        self._port, self._folder = free_port(), folder
        self.config = folder / "facelatch.yaml"
        if way == "plain":
            self.conf = broker.write_development_conf(folder, self._port)
            self._write("")
        else:
            self.conf = self._production()
        if way == "tls":
            self._let_everybody_in()

    @property
    def site(self) -> Site:
        return house.load(self.config).site(self._folder)

    def _production(self) -> Path:
        self._write(TLS + CREDENTIALS)
        made, now = Folder(house.load(self.config), self.config), Clock(trusted=True).now()
        provision.init(made, now)
        provision.add_client(made, SENDER, Client(doors=None), now)
        return made.conf

    def _let_everybody_in(self) -> None:
        text = ACCESS.sub("", self.conf.read_text(encoding="utf-8"))
        self.conf.write_text(f"{text}\nallow_anonymous true\n", encoding="utf-8")
        self._write(TLS)

    def _write(self, more: str) -> None:
        self.config.write_text(HOUSE.format(port=self._port, more=more), encoding="utf-8")


@contextlib.contextmanager
def running(way: str) -> Iterator[tuple[Sender, Bench]]:
    """Broker, door and echo, all ready; at the end of the block they are gone."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="facelatch-")))
        files, bench = Files(way, folder), Bench(folder / "bench")
        site = files.site
        stack.enter_context(_process(folder / "broker.log", [broker.program(), "-c", str(files.conf)]))
        _wait_until_listening(site.mqtt.port)
        door = [sys.executable, "-m", "agents.cli", "door", DOOR, "--config", str(files.config)]
        path = os.pathsep.join([bench.env["PYTHONPATH"], str(ROOT)])  # this checkout, whatever is installed
        stack.enter_context(_process(folder / "door.log", door, {**bench.env, "PYTHONPATH": path}))
        stack.enter_context(echoing(site, ECHO))
        sender = stack.enter_context(contextlib.closing(Sender(site, SENDER, (DOOR, ECHO), PATIENCE_S)))
        sender.wait(ECHO, READY)
        sender.wait(DOOR, LOCKED)
        yield sender, bench


@contextlib.contextmanager
def _process(log: Path, command: list[str], env: Mapping[str, str] = {}) -> Iterator[None]:
    """Until the end of the block; when that fails, with the last that the process had to say."""
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file, env={**os.environ, **env})
    try:
        yield
    except BenchmarkFailed as error:
        tail = log.read_text(encoding="utf-8", errors="replace").splitlines()[-5:]
        raise BenchmarkFailed("\n  ".join([str(error), f"{log.name}:", *tail])) from None
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


def _wait_until_listening(port: int) -> None:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise BenchmarkFailed("mosquitto does not listen")


def measure(way: str, commands: int) -> Times:
    """Echo and door in turns. Raises BenchmarkFailed."""
    times, sent = Times(), []
    with running(way) as (sender, bench):
        times.echo_qos1 = [_echo_qos1(sender, number) for number in range(PROBES)]
        for number in range(commands):
            began = time.monotonic()
            sent.append(_turn(sender, number, times))
            time.sleep(max(0.0, began + TURN_S - time.monotonic()))
        pulses = bench.pulses()
    if len(pulses) != commands:
        raise BenchmarkFailed(f"the relay was on {len(pulses)} times for {commands} commands")
    times.relay = [pulse.on_at - at for pulse, at in zip(pulses, sent, strict=True)]
    return times


def _echo_qos1(sender: Sender, number: int) -> float:
    time.sleep(TURN_S / 2)
    order = sender.order(-number)
    sent_at, at = sender.ask(ECHO, order, order, qos=1)
    return at - sent_at


def _turn(sender: Sender, number: int, times: Times) -> float:
    """Returns when the door's command was sent."""
    order = sender.order(number)
    sent_at, at = sender.ask(ECHO, order, order)
    times.echo.append(at - sent_at)
    time.sleep(random.uniform(0.3, 0.4) * TURN_S)  # noqa: S311 - so as not to keep step with any timer
    sent_at, at = sender.ask(DOOR, order, UNLOCKED)
    times.state.append(at - sent_at)
    sender.wait(DOOR, LOCKED)
    return sent_at


def percentiles(seconds: list[float]) -> dict[str, float]:
    """In milliseconds."""
    cut = quantiles(seconds * 2 if len(seconds) == 1 else seconds, n=100, method="inclusive")
    return {"p50": round(cut[49] * 1000, 2), "p99": round(cut[98] * 1000, 2)}


def summary(times: Times) -> dict[str, dict[str, float]]:
    found = {f"{name}_ms": percentiles(getattr(times, name)) for name in FIGURES}
    above = {key: round(found["state_ms"][key] - found["echo_ms"][key], 2) for key in ("p50", "p99")}
    return found | {"above_echo_ms": above}


def conditions(commands: int) -> dict[str, Any]:
    mosquitto = subprocess.run([broker.program(), "-h"], capture_output=True, text=True, check=False).stdout
    versions = (
        f"{mosquitto.partition(chr(10))[0]}, paho-mqtt {version('paho-mqtt')}, Python {platform.python_version()}"
    )
    return {"machine": f"{platform.machine()}, {os.cpu_count()} cores, {versions}", "commands": commands}


def table(figures: dict[str, Any]) -> str:
    lines = [f"{figures['commands']} commands each way, on {figures['machine']}", ""]
    lines.append(f"{'milliseconds':<34}{'p50':>9}{'p99':>9}")
    for way in WAYS:
        for name, value in figures[way].items():
            what = f"{way.replace('_', ' + ')}: {name.removesuffix('_ms').replace('_', ' ')}"
            lines.append(f"{what:<34}{value['p50']:>9.2f}{value['p99']:>9.2f}")
    return "\n".join(lines)


def missed_targets(figures: dict[str, Any]) -> list[str]:
    """One line for each figure that is over its target."""
    lines = []
    for way in WAYS:
        for name, limit in TARGETS.items():
            key, _, part = name.partition(".")
            if (value := figures[way][key][part]) > limit:
                lines.append(f"{way}.{name} is {value}, the target is {limit:g}")
    return lines


def _measure_all(commands: int) -> dict[str, Any]:
    figures = conditions(commands)
    for way in WAYS:
        print(f"door: {commands} commands, {way} ...", file=sys.stderr, flush=True)
        figures[way] = summary(measure(way, commands))
    return figures


def main() -> int:
    parser = report.parser(__doc__)
    parser.add_argument("--commands", type=int, default=200, help="how many each way (default: 200)")
    args = parser.parse_args()
    try:
        figures = _measure_all(args.commands)
    except (BenchmarkFailed, broker.BrokerError) as error:
        print(f"door: {error}", file=sys.stderr)
        return 1
    return report.finish(args, figures, table(figures), missed_targets(figures))


if __name__ == "__main__":
    sys.exit(main())
