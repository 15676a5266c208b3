"""A real scheduler (and door) on a real mosquitto; the test plays the recognizer."""

from __future__ import annotations

import itertools
import json
import time
from typing import Any

import pytest

from tests.live.tools import Broker, Ear, Home

DECISION, GRANT = "scheduler/front/decision", "door/front/grant"
SEQ = itertools.count()


def identity(*people: str | None, age_s: float = 0.0) -> str:
    seq, at = next(SEQ), time.time() - age_s
    box = {"left": 10, "top": 10, "width": 100, "height": 100}
    faces = [
        {"person": p, "distance": 0.3 if p else 0.8, "margin": None, "box": box, "sharpness": 200.0} for p in people
    ]
    return json.dumps({"id": f"front-{seq}", "camera": "front", "captured_at": at, "seq": seq, "faces": faces})


def see(ear: Ear, *people: str | None, frames: int = 2, age_s: float = 0.0) -> None:
    for _ in range(frames):
        ear.say("recognizer/front/identity", identity(*people, age_s=age_s))


@pytest.fixture
def house(home: Home, ear: Ear) -> Home:
    home.start("door")
    home.start("scheduler")
    ear.wait("door/front/availability", lambda h: h.text == "online")
    ear.wait("scheduler/main/availability", lambda h: h.text == "online")
    return home


def other_day() -> str:
    """A weekday that is neither today nor tomorrow, wherever on earth."""
    return ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[(time.gmtime().tm_wday + 3) % 7]


def decision(ear: Ear, since: int = 0) -> dict[str, Any]:
    return ear.wait(DECISION, since=since).json


def test_one_id_runs_from_the_frame_to_the_doors_event(house: Home, ear: Ear) -> None:
    see(ear, "Ana")
    opened = ear.event("unlocked", cause="grant", person="Ana")
    made = decision(ear)
    grant = ear.wait(GRANT)
    last = ear.all("recognizer/front/identity")[-1].json
    assert opened["id"] == made["id"] == grant.json["id"] == last["id"]
    assert (made["outcome"], made["reason"], made["person"]) == ("granted", "confirmed", "Ana")
    assert not grant.retain
    assert grant.expiry_s == 5
    assert grant.json["session"] == ear.wait("door/front/session").text


def test_a_stranger_is_denied_once_and_nothing_opens(house: Home, ear: Ear) -> None:
    see(ear, None, frames=8)
    made = decision(ear)
    assert (made["outcome"], made["reason"], made["person"]) == ("denied", "unknown_person", None)
    see(ear, "Ana")  # a grant after it shows that no second denial was on its way
    ear.event("unlocked", person="Ana")
    assert [h.json["outcome"] for h in ear.all(DECISION)] == ["denied", "granted"]


def test_old_frames_and_repeated_frames_open_nothing(house: Home, ear: Ear) -> None:
    see(ear, "Ana", frames=5, age_s=3.0)
    same = identity("Ana")
    for _ in range(5):
        ear.say("recognizer/front/identity", same)
    see(ear, "Ben")
    ear.event("unlocked", person="Ben")
    assert [h.json["person"] for h in ear.all(GRANT)] == ["Ben"]


def test_a_retained_identity_counts_for_nothing(house: Home, ear: Ear) -> None:
    for _ in range(3):
        ear.say("recognizer/front/identity", identity("Ana"), retain=True)
    see(ear, "Ben")
    ear.event("unlocked", person="Ben")
    assert [h.json["person"] for h in ear.all(GRANT)] == ["Ben"]


def test_bad_messages_change_nothing(house: Home, ear: Ear) -> None:
    for payload in (b"", b"\xff", b"{", b"[]", b'{"id":1}', b"x" * 20_000):
        ear.say("recognizer/front/identity", payload)
        ear.say("scheduler/front/enabled/set", payload)
        ear.say("door/front/session", payload, 1)
    mark = ear.mark()
    see(ear, "Ana")
    assert decision(ear, mark)["outcome"] == "granted"  # by the nonce that was there before the junk


def test_the_switch_holds_over_a_restart(home: Home, ear: Ear) -> None:
    first = home.start("scheduler")
    ear.wait("scheduler/front/enabled", lambda h: h.text == "ON")
    ear.say("scheduler/front/enabled/set", "OFF")
    ear.wait("scheduler/front/enabled", lambda h: h.text == "OFF")
    first.terminate()
    assert first.wait(10) == 0
    mark = ear.mark()
    home.start("scheduler")
    ear.wait("scheduler/front/enabled", lambda h: h.text == "OFF", mark)
    home.start("door")
    ear.wait("door/front/availability", lambda h: h.text == "online")
    see(ear, "Ana")
    assert decision(ear)["reason"] == "switched_off"


def test_a_retained_order_to_switch_is_not_obeyed(house: Home, ear: Ear) -> None:
    mark = ear.mark()
    ear.say("scheduler/front/enabled/set", "OFF", 1, retain=True)
    ear.wait("scheduler/front/enabled", lambda h: h.text == "ON", mark)


def test_outside_a_window_is_a_denial_with_the_rule_that_decided(home: Home, ear: Ear) -> None:
    home.edit("days: mon-sun, from: 00:00, to: 24:00 }]", f"days: {other_day()}, from: 00:00, to: 24:00 }}]")
    home.start("scheduler")
    ear.wait("scheduler/front/window", lambda h: h.text == "OFF")
    see(ear, "Ana")
    made = decision(ear)
    assert (made["reason"], made["person"]) == ("outside_window", "Ana")
    assert "front" in made["rule"]


def test_people_are_asked_where_the_window_wants_it(home: Home, ear: Ear) -> None:
    home.edit("to: 24:00 }]", "to: 24:00, confirm: phone }]")
    home.start("door")
    home.start("scheduler")
    ear.wait("door/front/availability", lambda h: h.text == "online")
    ear.wait("scheduler/main/availability", lambda h: h.text == "online")
    see(ear, "Ana")
    question = ear.wait("scheduler/front/question")
    assert (question.json["person"], question.retain, question.expiry_s) == ("Ana", False, 60)
    ear.say("scheduler/front/answer", json.dumps({"answer": "YES", "id": question.json["id"], "source": "Iva"}))
    see(ear, "Ana", frames=1)
    opened = ear.event("unlocked", cause="grant", person="Ana")
    assert opened["id"] == question.json["id"] == decision(ear)["id"]


def test_away_and_who_is_let_in_for_once(house: Home, ear: Ear) -> None:
    ear.say("scheduler/main/away/set", "ON")
    ear.wait("scheduler/main/away", lambda h: h.text == "ON")
    see(ear, "Ana")
    assert decision(ear)["reason"] == "away"
    ear.say("scheduler/front/let_in/set", f'{{"person":"Petra","until":{time.time() + 60},"source":"Ana"}}')
    ear.wait("scheduler/front/let_in", lambda h: [p["person"] for p in h.json["people"]] == ["Petra"])
    see(ear, "Petra")
    ear.event("unlocked", cause="grant", person="Petra")


def test_no_grant_for_a_door_that_is_away(house: Home, ear: Ear, broker: Broker) -> None:
    ear.say("door/front/availability", "offline", 1, retain=True)
    see(ear, "Ana")
    assert decision(ear)["reason"] == "door_away"
    ear.say("door/front/availability", "online", 1, retain=True)
    see(ear, "Ben")
    assert [ear.wait(GRANT).json["person"]] == [h.json["person"] for h in ear.all(GRANT)] == ["Ben"]
