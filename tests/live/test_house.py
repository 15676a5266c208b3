"""The whole house on real photographs: the demo's story, and what may break in the middle of it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.wire.messages import EventType
from agents.wire.topics import STATE
from demo.follower import Follower, following
from demo.house import PERSON, DemoHouse, Tuning, temporary_house
from demo.story import known_person, wait_until_ready
from tests.live.tools import PATIENCE_S, alive, descendants, wait_until

QUICK = Tuning(hold_s=0.5, cool_down_s=0.5, visit_gap_s=0.5)


def test_the_demo_tells_its_story_and_leaves_nothing_behind(photos: dict[str, Path], tmp_path: Path) -> None:
    before = set(Path("/tmp").glob("facelatch-*"))
    told = tmp_path / "told"
    with told.open("wb") as out:
        demo = subprocess.Popen([sys.executable, "-m", "demo", "--once"], stdout=out, stderr=out)
    wait_until("the first visit", lambda: b"comes to the door" in told.read_bytes() or demo.poll() is not None)
    family = descendants(demo.pid)
    assert len(family) >= 6, told.read_text()  # facelatch up, supervisor, broker, four agents
    assert demo.wait(180) == 0, told.read_text()
    assert alive(family) == []
    assert set(Path("/tmp").glob("facelatch-*")) <= before
    stdout = told.read_text()
    figures = json.loads(stdout.splitlines()[-1])
    assert (figures["granted"], figures["denied"], figures["pulses"]) == (2, 2, 3)
    assert figures["frame_to_relay_ms"]["p95"] >= figures["deciding_frame_to_relay_ms"]["p50"] > 0
    for words in ("GRANTED", "nobody here knows this face", "outside working hours", "RELAY ON", "RELAY OFF"):
        assert words in stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_leaves_no_process(number: signal.Signals, photos: dict[str, Path], tmp_path: Path) -> None:
    said = tmp_path / "said"
    with said.open("wb") as out:
        demo = subprocess.Popen([sys.executable, "-m", "demo"], stdout=out, stderr=out)
    wait_until("the first visit", lambda: b"comes to the door" in said.read_bytes() or demo.poll() is not None)
    family = descendants(demo.pid)
    assert len(family) >= 6, said.read_text()  # facelatch up, supervisor, broker, four agents
    demo.send_signal(number)
    assert demo.wait(60) == 130
    wait_until("no process left", lambda: not alive(family))


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
        made.wait("an empty picture", lambda story: not story.identities[-1].faces, PATIENCE_S)
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
    wait_until("a new process", lambda: pid_of(house, program) not in (0, victim))
    wanted = {agent for agent in house.settings.agents if program == "broker" or program.startswith(agent[0])}
    follower.wait(f"{program} back", lambda story: wanted <= story.online, 60)
    seen = len(follower.story.identities)
    follower.wait("pictures looked at", lambda story: len(story.identities) > seen, 60)
    known_person(house, follower, "known")
    assert [e.person for e in follower.story.events if e.event_type is EventType.UNLOCKED] == [PERSON, PERSON]


def test_a_broker_restarted_while_somebody_stands_there_costs_no_more_than_a_moment(
    house: DemoHouse, follower: Follower
) -> None:
    house.show("stranger")
    follower.wait("somebody in view", lambda story: bool(story.identities[-1].faces), PATIENCE_S)
    house.supervisor("restart", "broker")
    house.show("hallway")
    follower.wait("an empty picture", lambda story: not story.identities[-1].faces, 60)
    known_person(house, follower, "known")
    assert [e.event_type for e in follower.story.events] == [EventType.UNLOCKED, EventType.LOCKED]


def up(house: DemoHouse) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "agents.cli", "up", "--config", str(house.config)]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)


def test_a_broker_restarted_during_a_pulse_does_not_keep_the_door_open(house: DemoHouse, follower: Follower) -> None:
    house.show("known")
    follower.wait("the door unlocked", lambda _: follower.state(STATE, "front") == b"UNLOCKED", PATIENCE_S)
    house.supervisor("restart", "broker")
    house.show("hallway")
    follower.wait("the door locked, and said so", lambda _: follower.state(STATE, "front") == b"LOCKED", PATIENCE_S)
    follower.wait("an empty picture", lambda story: not story.identities[-1].faces, 60)
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
