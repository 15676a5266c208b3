"""The door's prompt at the agent: which challenges are said, and that nothing of it concerns the lock."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agents.door.config import PromptSettings
from agents.runtime.flood import BURST
from agents.wire.topics import CHALLENGE
from tests.door.house import Build, House
from tests.door.orders import HOLD_S
from tests.door.test_prompt import WRITE, until
from tests.fakes import T0, after


def challenge(id_: str = "c1", **keys: object) -> str:
    known = {"id": id_, "door": "front", "camera": "front", "track": 3, "person": "Ana", "action": "nod"}
    return json.dumps({**known, "text": f"Nod {id_}", "asked_at": T0, "expires_at": T0 + 8, **keys})


Talking = tuple[House, Callable[[], list[str]]]


@pytest.fixture
def talking(build: Build, tmp_path: Path) -> Talking:
    """A door with a prompt, and what was said so far."""
    path = tmp_path / "heard"
    command = ["sh", "-c", WRITE, str(path), "{text}", "{action}"]
    house = build(prompt=PromptSettings(command=command)).start()
    house.connect()
    return house, lambda: path.read_text().splitlines() if path.exists() else []


def counters(house: House) -> dict[str, int]:
    return {key: n for key, n in house.agent.report().counters.items() if key.startswith("prompts")}


def test_a_door_without_a_prompt_does_not_read_challenges(house: House) -> None:
    assert CHALLENGE not in {one.topic for one in house.agent.subscriptions()}
    assert counters(house) == {}
    house.order(challenge(), CHALLENGE)
    assert house.events == []
    house.agent.close()


def test_a_challenge_is_said_once(talking: Talking) -> None:
    house, heard = talking
    assert [one.names for one in house.agent.subscriptions() if one.topic is CHALLENGE] == [("front",)]
    for id_ in ("c1", "c1"):
        house.order(challenge(id_), CHALLENGE)
        until(heard)
    house.order(challenge("c2"), CHALLENGE)
    until(lambda: len(heard()) == 2)
    assert heard() == ["Nod c1|nod", "Nod c2|nod"]
    house.agent.close()
    assert counters(house)["prompts_refused"] == 0


REFUSED: dict[str, dict[str, Any]] = {
    "too old": {"payload": challenge(asked_at=T0 - 9, expires_at=T0 - 1)},
    "from the future": {"payload": challenge(asked_at=T0 + 3, expires_at=T0 + 11)},
    "for another door": {"payload": challenge(door="back")},
    "retained": {"payload": challenge(), "retain": True},
    "no JSON": {"payload": "nod"},
    "empty": {"payload": ""},
    "another action": {"payload": challenge(action="jump")},
    "a stranger's key": {"payload": challenge(command="reboot")},
    "milliseconds": {"payload": challenge(expires_at=(T0 + 8) * 1000)},
}


@pytest.mark.parametrize("said", REFUSED.values(), ids=REFUSED)
def test_what_is_refused_is_counted_and_told_in_the_log_and_the_door_goes_on(
    talking: Talking, said: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    house, heard = talking
    with caplog.at_level(logging.WARNING):
        house.order(said["payload"], CHALLENGE, retain=said.get("retain", False))
    assert [record.getMessage()[:21] for record in caplog.records] == ["refused a challenge: "]
    assert counters(house)["prompts_refused"] == 1
    house.order(challenge("good"), CHALLENGE)
    until(heard)
    assert heard() == ["Nod good|nod"]
    assert house.events == []
    house.agent.close()


def test_without_the_time_nothing_is_too_old(talking: Talking) -> None:
    """The broker throws it away in time; a door's clock that was never set says nothing."""
    house, heard = talking
    house.clock.at = after(0, utc_jump_s=86_400.0, utc_is_set=False)
    house.order(challenge(), CHALLENGE)
    until(heard)
    house.agent.close()


def test_a_flood_is_not_looked_at_one_by_one(talking: Talking, caplog: pytest.LogCaptureFixture) -> None:
    house, _ = talking
    with caplog.at_level(logging.WARNING):
        for _ in range(BURST + 500):
            house.say("junk", CHALLENGE)
        house.settle()
    assert len([record for record in caplog.records if "challenge" in record.getMessage()]) == BURST
    assert counters(house)["prompts_refused"] == BURST + 500
    house.agent.close()


@pytest.mark.parametrize("script", ["sleep 1000", "while :; do :; done"], ids=["hangs", "eats the processor"])
def test_a_prompt_that_never_ends_changes_nothing_of_a_pulse(build: Build, tmp_path: Path, script: str) -> None:
    """The clock is the test's: time passes only where the door waits for something, and it never waits for this."""
    started = tmp_path / "started"
    command = ["sh", "-c", f'touch "$0"; {script}', str(started)]
    house = build(prompt=PromptSettings(command=command, timeout_s=30)).start()
    house.connect()
    house.order(challenge(), CHALLENGE)
    until(started.exists)
    house.order("UNLOCK")
    assert house.relay_is_on
    house.order(challenge("c2"), CHALLENGE)
    house.until(HOLD_S - 0.01)
    assert house.relay_is_on
    house.until(HOLD_S)
    assert not house.relay_is_on
    assert house.told == ["unlocked", "locked"]
    house.agent.close()


def test_a_program_that_is_missing_is_the_doors_problem_and_it_opens_all_the_same(build: Build) -> None:
    house = build(prompt=PromptSettings(command=["no-such-program", "{text}"])).start()
    house.connect()
    until(lambda: house.problem == "prompt: there is no program no-such-program")
    house.order("UNLOCK")
    assert house.relay_is_on
    house.agent.close()
