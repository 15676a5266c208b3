"""The scheduler agent with a session in the test's hands: topics in, topics out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agents.runtime.events import Disconnected
from agents.runtime.inbox import Inbox
from agents.scheduler import switches
from agents.scheduler.agent import SchedulerAgent
from agents.scheduler.config import SchedulerSettings
from agents.wire.messages import Box, Face, Identity
from agents.wire.topics import AVAILABILITY, DECISION, ENABLED, ENABLED_SET, GRANT, IDENTITY, SESSION, WINDOW, Topic
from tests.fakes import T0, FakeClock, FakeSession, after, message

ALWAYS = [{"days": "mon-sun", "from": "00:00", "to": "24:00"}]


def settings(front_hours: list[dict[str, str]]) -> SchedulerSettings:
    front = {"cameras": ["porch", "hall"], "hours": front_hours}
    back = {"cameras": ["yard"], "hours": ALWAYS}
    return SchedulerSettings.model_validate({"timezone": "Europe/Zagreb", "doors": {"front": front, "back": back}})


class House:
    """A scheduler that was started and connected; both doors are there unless told otherwise."""

    def __init__(self, data: Path, doors_there: bool = True, front_hours: list[dict[str, str]] = ALWAYS) -> None:
        self.session, self.clock, self.seq = FakeSession(), FakeClock(), 0
        self.agent = SchedulerAgent(settings(front_hours), data, self.session, Inbox(), self.clock)
        self.agent.start()
        self.agent.on_connect(self.clock.now())
        self.agent.on_tick(self.clock.now())
        for door in ("front", "back") if doors_there else ():
            self.hear(SESSION, door, payload=f"session-{door}")
            self.hear(AVAILABILITY, "door", door, payload="online")

    def hear(self, topic: Topic, *names: str, payload: bytes | str, retain: bool = False) -> None:
        self.agent.on_event(message(topic, *names, payload=payload, retain=retain), self.clock.now())

    def see(self, *people: str | None, camera: str = "porch", topic_camera: str | None = None, **how: Any) -> None:
        self.seq += 1
        self.clock.at = after(self.seq / 10)
        box = Box(left=0, top=0, width=100, height=100)
        identity = Identity(
            id=f"frame-{self.seq}",
            camera=camera,
            captured_at=self.clock.now().utc,
            seq=self.seq,
            faces=tuple(Face(person=p, distance=0.3, margin=0.1, box=box, sharpness=9.0) for p in people),
        )
        self.hear(IDENTITY, topic_camera or camera, payload=identity.encode(), **how)

    def decisions(self, door: str = "front") -> list[tuple[str, str | None]]:
        found = [json.loads(s.payload) for s in self.session.said if s.topic is DECISION and s.names == (door,)]
        return [(decision["reason"], decision["person"]) for decision in found]

    @property
    def grants(self) -> list[dict[str, Any]]:
        return [{**json.loads(s.payload), "door": s.names[0]} for s in self.session.said if s.topic is GRANT]

    @property
    def windows(self) -> list[tuple[str, str]]:
        return [(s.names[0], s.text) for s in self.session.said if s.topic is WINDOW]

    def last(self, topic: Topic, door: str = "front") -> str:
        return [s.text for s in self.session.said if s.topic is topic and s.names == (door,)][-1]

    @property
    def refused(self) -> int:
        return self.agent.report().counters["refused"]


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_it_hears_its_cameras_its_doors_and_its_switches_and_nothing_else(house: House) -> None:
    heard = {subscription.topic.at("f", *subscription.names) for subscription in house.agent.subscriptions()}
    cameras = {f"f/recognizer/{camera}/identity" for camera in ("porch", "hall", "yard")}
    doors = {f"f/door/{door}/{what}" for door in ("front", "back") for what in ("session", "availability")}
    assert heard == cameras | doors | {"f/scheduler/front/enabled/set", "f/scheduler/back/enabled/set"}


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
    assert [s.topic.path for s in house.session.said][-2:] == [DECISION.path, GRANT.path]


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


JUNK = [b"", b"\xff\xfe", b"{", b'"null"', b"[]", b"\0" * 20_000, b"[" * 10_000, b'{"id":"x"}']


@pytest.mark.parametrize("payload", JUNK, ids=range(len(JUNK)))
@pytest.mark.parametrize("retain", [False, True])
def test_junk_on_any_topic_is_survived_and_changes_nothing(payload: bytes, retain: bool, house: House) -> None:
    for subscription in house.agent.subscriptions():
        if subscription.topic is not AVAILABILITY:
            house.hear(subscription.topic, *subscription.names, payload=payload, retain=retain)
    assert house.refused == 7
    house.see("Ana")
    house.see("Ana")
    assert [grant["session"] for grant in house.grants] == ["session-front"]


@pytest.mark.parametrize("payload", ["offline", "", "ONLINE", "online ", b"\xff"])
def test_a_door_that_does_not_say_online_is_away(payload: bytes | str, house: House) -> None:
    house.hear(AVAILABILITY, "door", "front", payload=payload)
    for _ in range(3):
        house.see("Ana")
    assert (house.grants, house.decisions()) == ([], [("door_away", "Ana")])


def test_a_door_of_which_only_one_half_is_known_is_away(tmp_path: Path) -> None:
    for topic, names, payload in ((SESSION, ("front",), "n1"), (AVAILABILITY, ("door", "front"), "online")):
        house = House(tmp_path, doors_there=False)
        house.hear(topic, *names, payload=payload)
        house.see("Ana")
        house.see("Ana")
        assert (house.grants, house.decisions()) == ([], [("door_away", "Ana")])


def test_a_grant_carries_the_session_the_door_has_now(house: House) -> None:
    house.hear(SESSION, "front", payload="session-new")
    house.see("Ana")
    house.see("Ana")
    assert [grant["session"] for grant in house.grants] == ["session-new"]


def test_a_new_connection_forgets_the_doors_until_they_are_heard_again(house: House) -> None:
    house.agent.on_event(Disconnected("gone"), house.clock.now())
    house.agent.on_connect(house.clock.now())
    house.see("Ana")
    house.see("Ana")
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
    assert switches.load(tmp_path)["front"] is False


@pytest.mark.parametrize("content", ["", "{", '{"front": "ON"}', "\0\0\0"])
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
    assert switches.load(tmp_path) == {"front": True, "back": False}


def test_switching_off_holds_even_when_it_can_not_be_remembered_and_that_is_a_problem(tmp_path: Path) -> None:
    in_the_way = tmp_path / "data"
    house = House(in_the_way)
    in_the_way.write_text("a file where the folder should be")
    house.hear(ENABLED_SET, "front", payload="OFF")
    assert house.last(ENABLED) == "OFF"
    assert str(in_the_way) in (house.agent.report().problem or "")
    house.see("Ana")
    house.see("Ana")
    assert house.grants == []


# What it says of itself


def test_the_window_is_told_when_it_changes_and_to_every_new_connection(tmp_path: Path) -> None:
    house = House(tmp_path, front_hours=[{"days": "fri", "from": "09:30", "to": "10:00"}])  # T0 is 09:00 on a Friday
    for s in (1, 1799, 1800, 1801):
        house.clock.at = after(s)
        house.agent.on_tick(house.clock.now())
    assert house.windows == [("front", "OFF"), ("back", "ON"), ("front", "ON")]
    house.agent.on_connect(house.clock.now())
    house.agent.on_tick(house.clock.now())
    assert house.windows[3:] == [("front", "ON"), ("back", "ON")]


def test_a_visit_that_is_over_is_told_by_the_tick(house: House) -> None:
    house.see("Ana")
    house.see(None)
    house.clock.at = after(10)
    house.agent.on_tick(house.clock.now())
    assert house.decisions() == [("not_confirmed", None)]


def test_it_counts_what_it_saw_and_decided_and_tells_a_clock_that_is_ahead(house: House) -> None:
    house.see("Ana")
    house.see("Ana")
    for _ in range(3):
        house.see(None, camera="yard")
    counters = house.agent.report().counters
    assert {key: counters[key] for key in ("identities", "granted", "denied")} == {
        "identities": 5,
        "granted": 1,
        "denied": 1,
    }
    assert house.agent.report().problem is None
    house.see("Ana")
    house.clock.at = after(-60)
    house.hear(IDENTITY, "porch", payload=Identity(id="x", camera="porch", captured_at=T0, seq=9, faces=()).encode())
    assert house.agent.report().problem == "a camera's clock is 60 s ahead of this machine's"
