"""The whole house on real photographs: the demo's story, and what may break in the middle of it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from agents.wire.messages import EventType
from agents.wire.topics import STATE
from demo.follower import Follower, following
from demo.house import PERSON, DemoHouse, Tuning, temporary_house
from demo.story import known_person, leave, wait_until_ready
from tests.live.tools import alive, descendants, wait_until

QUICK = Tuning(hold_s=0.5, cool_down_s=0.5, visit_gap_s=0.5)


@dataclass
class Demo:
    process: subprocess.Popen[bytes]
    _out: Path
    folder: Path = Path("/")

    @property
    def told(self) -> str:
        return self._out.read_text(encoding="utf-8")

    def family(self) -> Sequence[int]:
        """All its processes, once somebody comes to the door; `folder` is the house's from then on."""
        here = "comes to the door"
        wait_until("the first visit", lambda: here in self.told or self.process.poll() is not None, 120)
        found = descendants(self.process.pid)
        assert len(found) >= 6, self.told  # facelatch up, supervisor, broker, four agents
        words = Path(f"/proc/{found[0]}/cmdline").read_text(encoding="utf-8").split("\0")
        self.folder = Path(words[words.index("--config") + 1]).parent
        assert self.folder.is_dir()
        return found


@contextlib.contextmanager
def running_demo(tmp_path: Path, *arguments: str) -> Iterator[Demo]:
    out = tmp_path / "told"
    with out.open("wb") as file:
        process = subprocess.Popen([sys.executable, "-m", "demo", *arguments], stdout=file, stderr=file)
    try:
        yield Demo(process, out)
    finally:
        process.terminate()
        process.wait(60)


def test_the_demo_tells_its_story_and_leaves_nothing_behind(photos: dict[str, Path], tmp_path: Path) -> None:
    with running_demo(tmp_path, "--once") as demo:
        family = demo.family()
        assert demo.process.wait(300) == 0, demo.told
        assert alive(family) == []
        assert not demo.folder.exists()
    stdout = demo.told
    figures = json.loads(stdout.splitlines()[-1])
    assert (figures["granted"], figures["denied"], figures["pulses"]) == (3, 4, 4)
    assert figures["frame_to_relay_ms"]["p95"] >= figures["deciding_frame_to_relay_ms"]["p50"] > 0
    for words in (
        "GRANTED",
        "nobody here knows this face",
        "outside the hours of this person",
        "RELAY ON",
        "RELAY OFF",
    ):
        assert words in stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_leaves_no_process(number: signal.Signals, photos: dict[str, Path], tmp_path: Path) -> None:
    with running_demo(tmp_path) as demo:
        family = demo.family()
        demo.process.send_signal(number)
        assert demo.process.wait(60) == 130
        wait_until("no process left", lambda: not alive(family))
        assert not demo.folder.exists()


@pytest.fixture(scope="module")
def house(photos: dict[str, Path]) -> Iterator[DemoHouse]:
    """One house for all the tests: what each of them breaks has to be whole again for the next."""
    with temporary_house(photos, print, QUICK) as made, made.running():
        yield made


@pytest.fixture
def follower(house: DemoHouse) -> Iterator[Follower]:
    house.show("hallway")
    with following(house, print) as made:
        wait_until_ready(house, made)
        made.wait("an empty picture", lambda story: not story.identities[-1].faces, 60)
        yield made


def pid_of(house: DemoHouse, program: str) -> int:
    return int(house.supervisor("pid", program))


@pytest.mark.parametrize("program", ["door-front", "scheduler", "recognizer", "camera-front", "broker"])
def test_whatever_is_killed_comes_back_and_the_next_visit_opens_the_door(
    program: str, house: DemoHouse, follower: Follower
) -> None:
    known_person(house, follower, "known")
    victim = pid_of(house, program)
    follower.story.online.clear()
    os.kill(victim, signal.SIGKILL)
    wait_until("a new process", lambda: pid_of(house, program) not in (0, victim), 60)
    wanted = {agent for agent in house.settings.agents if program == "broker" or program.startswith(agent[0])}
    follower.wait(f"{program} back", lambda story: wanted <= story.online, 60)
    seen = len(follower.story.identities)
    follower.wait("pictures looked at", lambda story: len(story.identities) > seen, 60)
    known_person(house, follower, "known")  # a busy machine may take one visit for two
    assert {e.person for e in follower.story.events if e.event_type is EventType.UNLOCKED} == {PERSON}


def test_a_broker_restarted_while_somebody_stands_there_costs_no_more_than_a_moment(
    house: DemoHouse, follower: Follower
) -> None:
    house.show("stranger")
    follower.wait("somebody in view", lambda story: bool(story.identities[-1].faces), 60)
    house.supervisor("restart", "broker")
    house.show("hallway")
    follower.wait("an empty picture", lambda story: not story.identities[-1].faces, 60)
    known_person(house, follower, "known")
    assert [e.event_type for e in follower.story.events] == [EventType.UNLOCKED, EventType.LOCKED]


def up(house: DemoHouse) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "agents.cli", "up", "--config", str(house.config)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_a_broker_restarted_during_a_pulse_does_not_keep_the_door_open(house: DemoHouse, follower: Follower) -> None:
    house.show("known")
    follower.wait("the door unlocked", lambda _: follower.state(STATE, "front") == b"UNLOCKED", 60)
    house.show("hallway")
    house.supervisor("restart", "broker")
    follower.wait("the door locked, and said so", lambda _: follower.state(STATE, "front") == b"LOCKED", 60)
    leave(house, follower)
    known_person(house, follower, "known")


def test_a_house_is_up_only_once(house: DemoHouse, follower: Follower) -> None:
    second = up(house)
    assert second.returncode == 1
    assert "this house is up already" in second.stderr
    known_person(house, follower, "known")


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    house = DemoHouse(tmp_path)
    port = house.settings.mqtt.port
    with socket.create_server(("127.0.0.1", port)):
        refused = up(house)
    assert refused.returncode == 1
    assert f"mqtt.port: port {port} on 127.0.0.1 can't be used" in refused.stderr
    assert "--no-broker" in refused.stderr
