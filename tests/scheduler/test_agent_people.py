"""What the scheduler agent makes of people's orders and answers, and what it writes down."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agents.scheduler.journal import FILE
from agents.wire.messages import Cause, DoorEvent, EventType
from agents.wire.scheduling import Answer, YesNo
from agents.wire.topics import (
    ANSWER,
    AVAILABILITY,
    AWAY,
    AWAY_SET,
    ENABLED,
    ENABLED_SET,
    EVENT,
    LET_IN,
    LET_IN_SET,
    QUESTION,
    QUESTION_SNAPSHOT,
    SNAPSHOT,
)
from tests.fakes import T0
from tests.scheduler.house import ASKING, JUNK, House


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


# What people tell it


def test_who_switched_is_kept_in_the_journal(house: House) -> None:
    house.hear(ENABLED_SET, "front", payload='{"state":"OFF","source":"Ana, phone"}')
    house.hear(AWAY_SET, "main", payload="ON")
    house.hear(LET_IN_SET, "back", payload="Petra until 22:00")
    assert (house.last(ENABLED), house.last(AWAY, "main")) == ("OFF", "ON")
    assert house.records() == [
        ("switch", {"what": "enabled", "state": "OFF", "source": "Ana, phone", "door": "front"}),
        ("switch", {"what": "away", "state": "ON", "source": None}),
        ("switch", {"what": "let_in", "person": "Petra", "until": T0 + 13 * 3600, "source": None, "door": "back"}),
    ]


def test_in_away_mode_nobody_gets_in_but_who_is_let_in_for_once_also_after_a_restart(tmp_path: Path) -> None:
    first = House(tmp_path)
    first.hear(AWAY_SET, "main", payload="ON")
    first.hear(LET_IN_SET, "front", payload="Petra until 22:00")
    first.agent.close()
    house = House(tmp_path)
    assert (house.last(AWAY, "main"), json.loads(house.last(LET_IN))["people"][0]["person"]) == ("ON", "Petra")
    for person in ("Ana", "Petra"):
        house.see(person)
        house.see(person)
    assert house.decisions() == [("away", "Ana"), ("confirmed", "Petra")]
    house.seq = 14 * 36_000  # the evening has come
    house.wait(2)
    assert json.loads(house.last(LET_IN))["people"] == []


@pytest.mark.parametrize("payload", ["Petra", "until 22:00", "Petra until 25:00", '{"person":"Petra","until":1}', "ON"])
def test_what_lets_nobody_in_is_refused_and_answered_with_the_truth(payload: str, house: House) -> None:
    house.session.said.clear()
    house.hear(LET_IN_SET, "front", payload=payload)
    assert [(s.topic.path, s.text) for s in house.session.said] == [(LET_IN.path, '{"people":[]}')]
    assert house.refused == 1


# The second factor


def test_people_are_asked_and_a_yes_opens_at_the_next_frame(tmp_path: Path) -> None:
    house = House(tmp_path, front_windows=ASKING)
    house.see("Ana")
    house.see("Ana")
    question = json.loads(house.last(QUESTION))
    assert (question["person"], question["id"], house.grants) == ("Ana", "frame-2", [])
    house.hear(ANSWER, "front", payload=Answer(answer=YesNo.YES, id="frame-2", source="Iva").encode())
    assert house.grants == []
    house.see("Ana")
    assert [(grant["id"], grant["person"]) for grant in house.grants] == [("frame-2", "Ana")]
    kinds = [(kind, body.get("what"), body.get("source"), body.get("detail")) for kind, body in house.records()]
    assert kinds == [("switch", "answer", "Iva", None), ("decision", None, None, "confirmed by Iva")]


def test_an_answer_that_is_retained_or_for_another_door_or_frame_opens_nothing(tmp_path: Path) -> None:
    house = House(tmp_path, front_windows=ASKING)
    house.see("Ana")
    house.see("Ana")
    yes = Answer(answer=YesNo.YES, id="frame-2").encode()
    house.hear(ANSWER, "front", payload=yes, retain=True)
    house.hear(ANSWER, "back", payload=yes)
    house.hear(ANSWER, "front", payload=Answer(answer=YesNo.YES, id="frame-1").encode())
    house.see("Ana")
    assert (house.grants, house.refused) == ([], 3)


def test_a_question_comes_with_the_picture_of_that_visit_and_no_older_one(tmp_path: Path) -> None:
    house = House(tmp_path, front_windows=ASKING)
    snapshot = [s for s in house.agent.subscriptions() if s.topic is SNAPSHOT]
    assert {s.names for s in snapshot} == {("porch",), ("hall",), ("yard",)}
    house.snapshot(b"yesterday", T0 - 86_400)
    house.see("Ana")
    house.see("Ana")
    assert [s.payload for s in house.session.said if s.topic is QUESTION_SNAPSHOT] == []
    house.snapshot(b"now", house.clock.now().utc)
    assert [s.payload for s in house.session.said if s.topic is QUESTION_SNAPSHOT] == [b"now"]


# The journal


def test_every_decision_is_in_the_journal_before_the_door_hears_of_it(house: House) -> None:
    house.see("Ana")
    house.see("Ana")
    ((kind, body),) = house.records()
    assert (kind, body["person"], body["reason"], body["id"]) == ("decision", "Ana", "confirmed", "frame-2")
    assert house.grants[0]["id"] == body["id"]


def test_what_can_not_be_written_down_does_not_open_the_door_and_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("no journal at all, but some text that is long enough to be looked at" * 9)
    house = House(tmp_path)
    house.see("Ana")
    house.see("Ana")
    assert (house.grants, house.decisions()) == ([], [("no_journal", "Ana")])
    problem = house.agent.report().problem or ""
    assert FILE in problem
    assert "nobody is let in" in problem


def test_a_journal_that_can_be_written_again_is_written_again(tmp_path: Path) -> None:
    in_the_way = tmp_path / FILE
    in_the_way.mkdir()
    house = House(tmp_path)
    house.tell(AVAILABILITY, "camera", "porch", payload="online", mid=1)
    assert house.ears.acknowledged == []
    in_the_way.rmdir()
    house.wait(5)
    assert house.ears.acknowledged == [1]
    house.see("Ana")
    house.see("Ana")
    assert [grant["person"] for grant in house.grants] == ["Ana"]
    assert house.agent.report().problem is None


def event(seq: int | None, kind: EventType = EventType.UNLOCKED) -> bytes:
    return DoorEvent(seq=seq, event_type=kind, at=T0, cause=Cause.COMMAND).encode()


def test_the_doors_events_are_acknowledged_once_they_are_in_the_journal(house: House) -> None:
    for mid, seq in enumerate((7, 8, 8, 7, None, 12), 1):
        house.tell(EVENT, "front", payload=event(seq), mid=mid)
    assert house.ears.acknowledged == [1, 2, 3, 4, 5, 6]
    found = [(kind, body.get("seq"), body.get("first"), body.get("last")) for kind, body in house.records()]
    assert found == [
        ("event", 7, None, None),
        ("event", 8, None, None),
        ("event", None, None, None),
        ("gap", None, 9, 11),
        ("event", 12, None, None),
    ]


def test_an_event_that_nobody_can_read_is_acknowledged_and_not_written(house: House) -> None:
    for mid, payload in enumerate(JUNK, 1):
        house.tell(EVENT, "front", payload=payload, mid=mid)
        house.tell(AVAILABILITY, "door", "front", payload=payload, mid=100 + mid)
    assert (len(house.ears.acknowledged), house.records()) == (2 * len(JUNK), [])


def test_agents_that_come_and_go_are_told_once_each_time_over_restarts_too(tmp_path: Path) -> None:
    first = House(tmp_path)
    for mid, state in enumerate(("online", "online", "offline", "online")):
        first.tell(AVAILABILITY, "camera", "porch", payload=state, mid=mid)
    first.agent.close()
    second = House(tmp_path)
    second.tell(AVAILABILITY, "camera", "porch", payload="online", mid=1)
    states = [body["state"] for kind, body in second.records() if kind == "agent"]
    assert states == ["online", "offline", "online"]


def test_a_second_connection_that_stays_away_is_a_problem(house: House) -> None:
    house.ears.there = False
    house.wait(1)
    house.wait(30)
    assert "journal" in (house.agent.report().problem or "")
    house.ears.there = True
    house.wait(2)
    assert house.agent.report().problem is None


def test_who_stands_there_when_the_scheduler_ends_is_decided_on(house: House) -> None:
    house.see(None)
    house.see(None)
    house.agent.close()
    assert [body["reason"] for _, body in house.records()] == ["unknown_person"]


@pytest.mark.parametrize("wanted", [True, False])
def test_a_picture_of_a_decision_is_kept_where_that_is_wanted(wanted: bool, tmp_path: Path) -> None:
    house = House(tmp_path, journal={"snapshots": wanted})
    house.see("Ana")
    house.see("Ana")
    if wanted:
        house.snapshot(b"\xff\xd8 a picture", house.clock.now().utc)
    kept = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and b"a picture" in path.read_bytes()]
    assert kept == [b"\xff\xd8 a picture"] * wanted
