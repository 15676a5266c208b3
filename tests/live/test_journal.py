"""The journal of a real scheduler: what the doors did while it was killed, stopped or cut off is in there."""

from __future__ import annotations

import json
import signal
from typing import Any

import pytest

from tests.live.test_scheduler import see
from tests.live.tools import Broker, Ear, Home, wait_until


@pytest.fixture
def house(home: Home, ear: Ear) -> Home:
    home.start("door")
    ear.wait("door/front/availability", lambda h: h.text == "online")
    return home


def journal(home: Home, *options: str) -> list[dict[str, Any]]:
    done = home.run("log", "--json", "--number", "10000", *options)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def events(home: Home) -> list[int]:
    """The numbers of the door's events in the journal."""
    return [record["body"]["seq"] for record in journal(home, "--kind", "event")]


def heard(ear: Ear) -> list[int]:
    """The numbers of the events that the door published."""
    return sorted({h.json["seq"] for h in ear.all("door/front/event")})


def pulse(ear: Ear, n: int) -> None:
    for _ in range(n):
        mark = ear.mark()
        ear.say("door/front/command", "UNLOCK")
        ear.event("unlocked", mark)
        ear.say("door/front/command", "LOCK")
        ear.event("locked", mark)


def start(home: Home, ear: Ear) -> Any:
    mark = ear.mark()
    process = home.start("scheduler")
    ear.wait("scheduler/main/availability", lambda h: h.text == "online", mark)
    return process


def test_what_the_door_does_while_the_scheduler_is_killed_is_in_the_journal(house: Home, ear: Ear) -> None:
    for _ in range(4):
        scheduler = start(house, ear)
        pulse(ear, 1)
        scheduler.send_signal(signal.SIGKILL)
        scheduler.wait()
        pulse(ear, 2)
    start(house, ear)
    wait_until("all events are in the journal", lambda: events(house) == heard(ear))
    assert len(heard(ear)) == 24
    assert house.run("log", "verify").returncode == 0


def test_one_id_leads_through_the_journal_from_the_decision_to_the_relay(house: Home, ear: Ear) -> None:
    start(house, ear)
    see(ear, "Ana")
    opened = ear.event("unlocked", cause="grant", person="Ana")
    wait_until("both are in the journal", lambda: len(of(house, opened["id"])) == 2)
    assert [record["kind"] for record in of(house, opened["id"])] == ["decision", "event"]


def of(home: Home, id_: str) -> list[dict[str, Any]]:
    return [record for record in journal(home, "--person", "Ana") if record["body"]["id"] == id_]


def test_agents_that_come_and_go_are_in_the_journal_also_when_the_broker_goes(
    house: Home, ear: Ear, broker: Broker
) -> None:
    scheduler = start(house, ear)
    broker.stop(signal.SIGKILL)
    mark = ear.mark()
    broker.start()
    ear.wait("scheduler/main/availability", lambda h: h.text == "online", mark)
    scheduler.terminate()
    scheduler.wait()
    start(house, ear)

    def told() -> list[str]:
        found = [record["body"] for record in journal(house, "--kind", "agent")]
        return [body["state"] for body in found if body["agent"] == "scheduler"]

    wait_until("its own coming and going is there", lambda: told() == ["online", "offline", "online"])
    pulse(ear, 1)
    wait_until("events arrive after the broker was away", lambda: events(house)[-2:] == heard(ear)[-2:])
