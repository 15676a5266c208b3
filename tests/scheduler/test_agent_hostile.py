"""The scheduler agent and what nobody should send: odd names, odd orders, more of them than anybody needs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from agents.runtime.events import Message
from agents.scheduler import switches
from agents.scheduler.journal import FILE, Journal, JournalError
from agents.wire.identity import MOST_MEASURED
from agents.wire.stamp import Stamp
from agents.wire.topics import (
    ANSWER,
    AVAILABILITY,
    AWAY,
    AWAY_SET,
    ENABLED,
    ENABLED_SET,
    IDENTITY,
    LET_IN,
    LET_IN_SET,
    QUESTION_SNAPSHOT,
    SNAPSHOT,
    Topic,
)
from agents.wire.values import PersonName
from tests.fakes import T0, after
from tests.scheduler.house import ASKING, House

GROWS = "\ufb2c"  # a Hebrew letter with two points: composed it is three characters
ORDERS = ((ENABLED_SET, "front"), (AWAY_SET, "main"), (LET_IN_SET, "front"))
PERSON: TypeAdapter[str] = TypeAdapter(PersonName)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def let_in(house: House) -> list[str]:
    return [one["person"] for one in json.loads(house.last(LET_IN))["people"]]


def identity(house: House, people: list[str | None]) -> bytes:
    """The next frame of the porch, as somebody may send it who does not ask our classes."""
    house.seq += 1
    house.clock.at = after(house.seq / 10)
    box = {"left": 0, "top": 0, "width": 9, "height": 9}
    alive = {"verdict": "live", "frames": 9}
    faces = [
        {"person": p, "distance": 0.3, "margin": 0.1, "box": box, "sharpness": 9.0}
        | ({"liveness": alive} if i < MOST_MEASURED else {})
        for i, p in enumerate(people)
    ]
    frame = {"id": f"frame-{house.seq}", "camera": "porch", "captured_at": house.clock.now().utc, "seq": house.seq}
    return json.dumps({**frame, "faces": faces}, ensure_ascii=False).encode()


# Names


@given(st.text(st.sampled_from([GROWS, "\u0344", "\u0958", "e", "\u0301", "č", " ", "\u212a", "ß"]), max_size=70))
def test_a_name_that_was_read_is_the_same_when_it_is_read_again(name: str) -> None:
    try:
        read = PERSON.validate_python(name)
    except ValidationError:
        return
    assert PERSON.validate_python(read) == read


def test_a_name_that_is_too_long_when_it_is_composed_is_refused_wherever_it_comes(house: House) -> None:
    for _ in range(3):
        house.hear(IDENTITY, "porch", payload=identity(house, [GROWS * 30]))
    house.hear(LET_IN_SET, "front", payload=f"{GROWS * 30} until 22:00")
    house.hear(LET_IN_SET, "front", payload=json.dumps({"person": GROWS * 30, "until": None}))
    assert (house.refused, house.decisions(), let_in(house)) == (5, [], [])


@pytest.mark.parametrize(
    "name", ["מרים", "فاطمة", "Zoe\u0308", "z\u0335\u0315\u0301o", "🚪", "a until b", "č" * 64, "{", '"']
)
def test_people_are_called_as_they_like_and_each_is_one_person(name: str, house: House) -> None:
    house.hear(AWAY_SET, "main", payload="ON")
    house.hear(LET_IN_SET, "front", payload=json.dumps({"person": name, "until": "22:00", "source": name}))
    for _ in range(2):
        house.hear(IDENTITY, "porch", payload=identity(house, [name]))
    composed = PERSON.validate_python(name)
    assert house.decisions() == [("confirmed", composed)]
    assert (house.grants[0]["person"], let_in(house)) == (composed, [composed])


@pytest.mark.parametrize(
    "name", ["\u202eanA", "Ana\u2066", "A\u200bna", "\ufeffAna", "Ana\x1b[2J", "Ana\u2028", "Ana\u00a0", "uNknown"]
)
def test_a_name_that_would_show_as_another_is_nobodys(name: str, house: House) -> None:
    for _ in range(2):
        house.hear(IDENTITY, "porch", payload=identity(house, [name]))
    house.hear(LET_IN_SET, "front", payload=json.dumps({"person": name, "until": "22:00"}))
    assert (house.refused, house.decisions(), let_in(house)) == (3, [], [])


# Orders

UNTILS = (b"-1", b"0", b"1e400", b"NaN", b"1800000000000", b'"7"', b'"24:00"', b'"22:00\\n"', b"true", b'"22:00:00"')
PEOPLE = (b"null", b'""', b'" "', b'"\\ud800"', b'["Ana"]', b"1", b'"Ana "', b'"none"')
ODD = (
    *(
        b"O" * 1025,
        b" " * 1024 + b"ON",
        b"\x00",
        b"ON\x00",
        "ＯＮ".encode(),
        b"\xef\xbb\xbfON",
        b"ON,OFF",
        b"ONOFF",
        b"null",
    ),
    *(
        b"true",
        b'"ON"',
        b'["ON"]',
        b'{"state":true}',
        b'{"state":null}',
        b'{"state":["ON"]}',
        b'{"state":"ON",}',
        b"YES\x00",
    ),
    *(
        b'{"state":"ON"}{}',
        b'{"state":"ON","x":1}',
        b'{"STATE":"ON"}',
        b'{"answer":"yes"}',
        b'{"answer":"YES","id":""}',
    ),
    *(
        b'{"answer":"YES","id":1}',
        b'{"answer":"YES","id":"' + b"a" * 65 + b'"}',
        b'{"answer":["YES"]}',
        b'"YES"',
        b"YES YES",
    ),
    *(b'{"state":"ON","source":"' + b"x" * 201 + b'"}', b'{"answer":"YES","source":1}', b'{"source":"me"}', b"{}"),
    *(b'{"person":"Ana"}', b'{"until":"22:00"}', *(b'{"person":"Ana","until":%s}' % until for until in UNTILS)),
    *(
        *(b'{"person":%s,"until":"22:00"}' % person for person in PEOPLE),
        b'{"person":"Ana","until":null',
        b"Ana until 22.00",
    ),
    *(b'{"state":' + b"[" * 400, b"{" * 1000, "Ana until ٢٢:٠٠".encode()),
)


@pytest.mark.parametrize(("topic", "name"), ORDERS, ids=lambda value: getattr(value, "path", value))
def test_odd_orders_change_nothing_and_each_is_counted(topic: Topic, name: str, house: House) -> None:
    for payload in ODD:
        house.hear(topic, name, payload=payload)
        house.wait(0.2)
    assert house.refused == len(ODD)
    assert (house.last(ENABLED), house.last(AWAY, "main"), let_in(house), house.records()) == ("ON", "OFF", [], [])


def test_odd_answers_are_neither_a_yes_nor_a_no(tmp_path: Path) -> None:
    house = House(tmp_path, front_windows=ASKING)
    house.see("Ana")
    house.see("Ana")
    house.wait(1.5)
    for payload in ODD:
        house.hear(ANSWER, "front", payload=payload)
        house.see("Ana")
        house.see("Ana")
    assert (house.refused, house.grants, house.decisions()) == (len(ODD), [], [])
    house.hear(ANSWER, "front", payload="YES")
    house.see("Ana")
    assert house.decisions() == [("confirmed", "Ana")]


def test_in_a_flood_of_orders_the_house_goes_on_and_can_be_switched_off(house: House, tmp_path: Path) -> None:
    """Each order that is obeyed waits for the disk."""
    for n in range(5000):
        house.hear(ENABLED_SET, "front", payload=("OFF", "ON")[n % 2])
    assert len(house.records()) <= 40
    assert house.refused >= 4960
    house.hear(ENABLED_SET, "front", payload="ON")
    house.wait(10)
    house.hear(ENABLED_SET, "front", payload="ON")
    for _ in range(100):
        house.hear(ENABLED_SET, "front", payload="junk")
    house.hear(ENABLED_SET, "front", payload="OFF")
    assert (house.last(ENABLED), switches.load(tmp_path).is_enabled("front")) == ("OFF", False)


def test_who_is_let_in_by_an_order_can_be_kept_out_again_in_any_flood(house: House) -> None:
    house.hear(LET_IN_SET, "front", payload="Petra until 22:00")
    for _ in range(100):
        house.hear(LET_IN_SET, "front", payload="Ana until 22:00")
    house.hear(LET_IN_SET, "front", payload='{"person":"Petra","until":null}')
    assert let_in(house) == ["Ana"]


def test_an_agent_that_comes_and_goes_thousands_of_times_does_not_fill_the_journal(house: House) -> None:
    """A camera's password is enough to say so. The last of it is recorded in any case."""
    for mid in range(5000):
        house.tell(AVAILABILITY, "camera", "porch", payload=("online", "offline")[mid % 2], mid=mid)
    house.tell(AVAILABILITY, "camera", "yard", payload="online", mid=5000)
    assert len(house.ears.acknowledged) == 5001
    house.wait(2)
    told = [(body["id"], body["state"]) for kind, body in house.records() if kind == "agent"]
    assert len(told) <= 30
    assert dict(told) == {"porch": "offline", "yard": "online"}


def test_what_comes_twice_while_it_can_not_be_written_is_written_once(tmp_path: Path) -> None:
    """The journal's own connection is lost, and the broker sends anew what was not acknowledged."""
    in_the_way = tmp_path / FILE
    in_the_way.mkdir()
    house = House(tmp_path)
    for _ in range(3):
        for mid, state in enumerate(("online", "offline"), 1):
            house.tell(AVAILABILITY, "camera", "porch", payload=state, mid=mid)
    in_the_way.rmdir()
    house.wait(5)
    assert [body["state"] for kind, body in house.records() if kind == "agent"] == ["online", "offline"]
    assert house.ears.acknowledged == [1, 2]


def test_a_flood_at_one_door_does_not_stand_in_the_way_of_another(house: House) -> None:
    for _ in range(100):
        house.hear(ENABLED_SET, "front", payload="junk")
    house.hear(ENABLED_SET, "back", payload="OFF")
    house.hear(LET_IN_SET, "front", payload="Petra until 22:00")
    assert (house.last(ENABLED, "back"), let_in(house)) == ("OFF", ["Petra"])


def test_of_a_key_given_twice_the_last_counts(house: House) -> None:
    house.hear(ENABLED_SET, "front", payload='{"state":"ON","state":"OFF"}')
    house.hear(LET_IN_SET, "front", payload='{"person":"Ana","until":"22:00","person":"Petra"}')
    assert (house.last(ENABLED), let_in(house)) == ("OFF", ["Petra"])


def test_who_is_let_in_fits_in_a_message_and_in_a_small_file_however_many_are_asked_for(tmp_path: Path) -> None:
    house = House(tmp_path)
    for n in range(40):
        house.wait(0.2)
        name = "".join(("\N{LOCK WITH INK PEN}" * 60, f"{n:04d}"))
        order = {"person": name, "until": "22:00", "source": '"' * 200}
        payload = json.dumps(order, ensure_ascii=False).encode()
        house.hear(LET_IN_SET, "front", payload=payload)
    assert (len(let_in(house)), house.refused) == (12, 28)
    assert len(house.last(LET_IN).encode()) <= 16_384
    assert (tmp_path / switches.NAME).stat().st_size <= 16_384
    assert let_in(House(tmp_path)) == let_in(house)


# Crowds and pictures


def test_of_a_crowd_in_one_picture_each_is_decided_on_once_and_no_more_get_in_than_may(tmp_path: Path) -> None:
    house = House(tmp_path, liveness="off")
    crowd: list[str | None] = [f"Person {n}" for n in range(32)]
    for _ in range(100):
        house.hear(IDENTITY, "porch", payload=identity(house, crowd))
        house.agent.on_tick(house.clock.now())
    told = house.decisions()
    assert sorted(person or "" for _, person in told) == sorted(map(str, crowd))
    assert [reason for reason, _ in told].count("confirmed") == len(house.grants) == 30
    assert {reason for reason, _ in told} == {"confirmed", "too_many"}


def test_of_a_crowd_where_somebody_has_to_agree_one_is_asked_about(tmp_path: Path) -> None:
    house = House(tmp_path, front_windows=ASKING, liveness="off")
    for _ in range(40):
        house.hear(IDENTITY, "porch", payload=identity(house, [f"Person {n}" for n in range(32)]))
    assert len([s for s in house.session.said if s.topic.path.endswith("/question")]) == 1
    assert (house.grants, {reason for reason, _ in house.decisions()}) == ([], {"unanswered"})


def test_an_order_to_let_somebody_in_counts_also_while_people_are_asked_about_them(tmp_path: Path) -> None:
    house = House(tmp_path, front_windows=ASKING)
    house.see("Ana")
    house.see("Ana")
    house.see("Ana")
    house.hear(LET_IN_SET, "front", payload="Ana until 22:00")
    house.see("Ana")
    assert (house.decisions(), [grant["id"] for grant in house.grants]) == ([("confirmed", "Ana")], ["frame-2"])
    house.hear(ANSWER, "front", payload='{"answer":"NO","id":"frame-2"}')
    assert (house.refused, len(house.decisions())) == (1, 1)


def test_what_waits_for_the_journal_does_not_try_it_one_by_one(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another program holds the file, and each try waits a second for it."""
    tried = []

    def hold(*_: object) -> None:
        tried.append(1)
        raise JournalError("another program holds it")

    monkeypatch.setattr(Journal, "append", hold)
    for mid in range(1, 21):
        house.tell(AVAILABILITY, "camera", "porch", payload=("online", "offline")[mid % 2], mid=mid)
    assert len(tried) == 1
    monkeypatch.undo()
    house.wait(5)
    assert house.ears.acknowledged == list(range(1, 21))
    assert (len(house.records()), house.agent.report().problem) == (20, None)


def test_a_picture_as_large_as_may_be_goes_with_a_question_and_one_without_a_time_does_not(tmp_path: Path) -> None:
    house = House(tmp_path, front_windows=ASKING)
    house.see("Ana")
    house.see("Ana")
    jpeg = b"\xff\xd8" + bytes(1_999_998)
    for stamp in ((), (("captured_at", "nan"), ("seq", "1")), (("captured_at", str(T0 + 1)),)):
        snapshot(house, jpeg, stamp)
    assert house.refused == 3
    snapshot(house, jpeg, Stamp(T0 + 1, 7).properties())
    assert [s.payload for s in house.session.said if s.topic is QUESTION_SNAPSHOT] == [jpeg]


def snapshot(house: House, jpeg: bytes, properties: Any) -> None:
    house.agent.on_event(Message(SNAPSHOT, ("porch",), jpeg, True, properties, T0), house.clock.now())
