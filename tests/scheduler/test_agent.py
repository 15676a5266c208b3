"""The scheduler agent with its sessions in the test's hands: topics in, topics out."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.runtime.events import Disconnected
from agents.scheduler import switches
from agents.wire.identity import Identity
from agents.wire.topics import AVAILABILITY, DECISION, ENABLED, ENABLED_SET, GRANT, IDENTITY, LAST, SESSION
from tests.fakes import T0, after
from tests.scheduler.house import ALWAYS, JUNK, House


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_it_hears_its_cameras_its_doors_and_its_switches_and_nothing_else(house: House) -> None:
    heard = {subscription.topic.at("f", *subscription.names) for subscription in house.agent.subscriptions()}
    cameras = {f"f/recognizer/{camera}/identity" for camera in ("porch", "hall", "yard")}
    doors = {f"f/door/{door}/{what}" for door in ("front", "back") for what in ("session", "availability")}
    orders = {f"f/scheduler/{d}/{what}" for d in ("front", "back") for what in ("enabled/set", "let_in/set", "answer")}
    assert heard == cameras | doors | orders | {"f/scheduler/main/away/set"}


def test_a_known_person_is_granted_at_the_doors_of_the_camera_and_nowhere_else(house: House) -> None:
    house.see("Ana")
    house.see("Ana")
    expires_at = house.clock.now().utc + 5
    grant = {"id": "frame-2", "session": "session-front", "person": "Ana", "expires_at": expires_at}
    assert house.grants == [{**grant, "door": "front"}]
    assert (house.decisions("front"), house.decisions("back")) == ([("confirmed", "Ana")], [])


def test_the_decision_is_told_before_the_door_is_ordered(house: House) -> None:
    house.see("Ana")
    house.see("Ana")
    assert [s.topic.path for s in house.session.said][-3:] == [DECISION.path, GRANT.path, LAST.path]


def test_the_last_decision_is_told_anew_to_who_comes_later(house: House) -> None:
    house.see("Ana")
    house.see("Ana")
    told = house.last(DECISION)
    house.session.said.clear()
    house.agent.publish_all(house.clock.now())
    assert house.last(LAST) == told


def test_a_camera_can_not_speak_for_another(house: House) -> None:
    """A broken-into camera at the yard claims to be the one at the porch."""
    for _ in range(5):
        house.see("Ana", camera="porch", topic_camera="yard")
        house.see("Ana", camera="porch", topic_camera="hall")
    assert (house.grants, house.decisions(), house.decisions("back")) == ([], [], [])
    assert house.refused == 10


def test_a_retained_identity_counts_for_nothing(house: House) -> None:
    for _ in range(5):
        house.see("Ana", retain=True)
    assert (house.grants, house.decisions(), house.refused) == ([], [], 5)


@pytest.mark.parametrize("payload", JUNK, ids=range(len(JUNK)))
@pytest.mark.parametrize("retain", [False, True])
def test_junk_on_any_topic_is_survived_and_changes_nothing(payload: bytes, retain: bool, house: House) -> None:
    for subscription in house.agent.subscriptions():
        if subscription.topic is not AVAILABILITY:
            house.hear(subscription.topic, *subscription.names, payload=payload, retain=retain)
    assert house.refused == 3 + 2 + 2 * 3 + 1
    house.see("Ana")
    house.see("Ana")
    assert [grant["session"] for grant in house.grants] == ["session-front"]


@pytest.mark.parametrize("payload", ["offline", "", "ONLINE", "online ", b"\xff"])
def test_a_door_that_does_not_say_online_is_away(payload: bytes | str, house: House) -> None:
    house.hear(AVAILABILITY, "door", "front", payload=payload)
    for _ in range(3):
        house.see("Ana")
    house.wait(5)
    assert (house.grants, house.decisions()) == ([], [("door_away", "Ana")])


def test_a_door_of_which_only_one_half_is_known_is_away(tmp_path: Path) -> None:
    for topic, names, payload in ((SESSION, ("front",), "n1"), (AVAILABILITY, ("door", "front"), "online")):
        house = House(tmp_path, doors_there=False)
        house.hear(topic, *names, payload=payload)
        house.see("Ana")
        house.see("Ana")
        house.wait(5)
        assert (house.grants, house.decisions()) == ([], [("door_away", "Ana")])


def test_a_grant_carries_the_session_the_door_has_now(house: House) -> None:
    house.hear(SESSION, "front", payload="session-new")
    house.see("Ana")
    house.see("Ana")
    assert [grant["session"] for grant in house.grants] == ["session-new"]


def test_a_new_connection_forgets_the_doors_until_they_are_heard_again(house: House) -> None:
    house.agent.on_event(Disconnected("gone"), house.clock.now())
    house.agent.on_connect(house.clock.now())
    house.agent.publish_all(house.clock.now())
    house.see("Ana")
    house.see("Ana")
    house.wait(5)
    assert (house.grants, house.decisions()) == ([], [("door_away", "Ana")])


def test_a_grant_that_can_not_be_sent_now_is_not_sent_later(house: House) -> None:
    house.session.there = False
    house.see("Ana")
    house.see("Ana")
    house.session.there = True
    house.see("Ana")
    assert house.grants == []


# Switches


def test_a_new_house_has_face_unlock_on_and_says_so(house: House) -> None:
    assert [house.last(ENABLED, door) for door in ("front", "back")] == ["ON", "ON"]


def test_switched_off_is_said_obeyed_and_remembered_by_the_next_process(house: House, tmp_path: Path) -> None:
    house.hear(ENABLED_SET, "front", payload="OFF")
    assert (house.last(ENABLED), house.last(ENABLED, "back")) == ("OFF", "ON")
    again = House(tmp_path)
    assert (again.last(ENABLED), again.last(ENABLED, "back")) == ("OFF", "ON")
    again.see("Ana")
    again.see("Ana")
    assert (again.grants, again.decisions()) == ([], [("switched_off", "Ana")])


@pytest.mark.parametrize(
    ("payload", "retain"), [("ON", True), ("on", False), ("TRUE", False), ("1", False), (b"\xff", False), ("", False)]
)
def test_what_is_no_order_to_switch_changes_nothing_and_is_answered_with_the_truth(
    payload: bytes | str, retain: bool, house: House, tmp_path: Path
) -> None:
    house.hear(ENABLED_SET, "front", payload="OFF")
    house.session.said.clear()
    house.hear(ENABLED_SET, "front", payload=payload, retain=retain)
    assert [(s.topic.path, s.names, s.text) for s in house.session.said] == [(ENABLED.path, ("front",), "OFF")]
    assert switches.load(tmp_path).enabled == {"front": False}


@pytest.mark.parametrize("content", ["", "{", '{"enabled": {"front": "ON"}}', "\0\0\0"])
def test_a_damaged_file_switches_every_door_off_until_a_person_switches_it_on(content: str, tmp_path: Path) -> None:
    (tmp_path / switches.NAME).write_text(content)
    house = House(tmp_path)
    assert [house.last(ENABLED, door) for door in ("front", "back")] == ["OFF", "OFF"]
    assert switches.NAME in (house.agent.report().problem or "")
    house.see("Ana")
    house.see("Ana")
    assert (house.grants, house.decisions()) == ([], [("switched_off", "Ana")])
    house.hear(ENABLED_SET, "front", payload="ON")
    assert house.agent.report().problem is None
    assert switches.load(tmp_path).enabled == {"front": True, "back": False}


def test_switching_off_holds_even_when_it_can_not_be_remembered_and_that_is_a_problem(tmp_path: Path) -> None:
    in_the_way = tmp_path / "switches.new"
    in_the_way.mkdir()
    house = House(tmp_path)
    house.hear(ENABLED_SET, "front", payload="OFF")
    assert house.last(ENABLED) == "OFF"
    assert str(in_the_way) in (house.agent.report().problem or "")
    house.see("Ana")
    house.see("Ana")
    assert house.grants == []


# What it says of itself


def test_the_window_is_told_when_it_changes_and_to_every_new_connection(tmp_path: Path) -> None:
    house = House(
        tmp_path, front_windows=[{**ALWAYS[0], "days": "fri", "from": "09:30", "to": "10:00"}]
    )  # T0 is 09:00 on a Friday
    for s in (1, 1799, 1800, 1801):
        house.clock.at = after(s)
        house.agent.on_tick(house.clock.now())
    assert house.windows == [("front", "OFF"), ("back", "ON"), ("front", "ON")]
    house.agent.on_connect(house.clock.now())
    house.agent.publish_all(house.clock.now())
    house.agent.on_tick(house.clock.now())
    assert house.windows[3:] == [("front", "ON"), ("back", "ON")]


def test_a_visit_that_is_over_is_told_by_the_tick(house: House) -> None:
    house.see("Ana")
    house.see(None)
    house.see(None)
    house.wait(10)
    assert house.decisions() == [("unknown_person", None)]


def test_it_counts_what_it_saw_and_decided_and_tells_a_clock_that_is_ahead(house: House) -> None:
    house.see("Ana")
    house.see("Ana")
    for _ in range(3):
        house.see(None, camera="yard")
    counters = house.agent.report().counters
    assert {key: counters[key] for key in ("identities", "granted", "denied")} == {
        "identities": 5,
        "granted": 1,
        "denied": 0,
    }
    assert house.agent.report().problem is None
    house.see("Ana")
    house.clock.at = after(-60)
    house.hear(IDENTITY, "porch", payload=Identity(id="x", camera="porch", captured_at=T0, seq=9, faces=()).encode())
    assert house.agent.report().problem == "the clock of camera porch is 60 s ahead of this machine's"
