"""Pictures and challenges as topics, counters and health."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agents.wire.identity import Face
from agents.wire.liveness import ChallengeResult, ChallengeState, Doubt, Liveness, Verdict
from agents.wire.topics import CHALLENGE, DECISION
from tests.scheduler.gates import face
from tests.scheduler.house import ALWAYS, House
from tests.scheduler.records import records

SPOOF = Liveness(verdict=Verdict.SPOOF, doubt=Doubt.TEXTURE, frames=9, texture=0.03)
DOUBTFUL = Liveness(verdict=Verdict.UNSURE, doubt=Doubt.DOUBTFUL, frames=9, texture=0.4)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def ana(liveness: Liveness, track: int = 3) -> Face:
    return face("Ana", track=track, liveness=liveness)


def stay(house: House, s: float, *people: Face) -> None:
    for _ in range(round(s * 10)):
        house.see(*people)


def challenges(house: House) -> list[dict[str, Any]]:
    return [json.loads(s.payload) for s in house.session.said if s.topic is CHALLENGE]


def passed(house: House) -> Liveness:
    result = ChallengeResult(id=challenges(house)[-1]["id"], state=ChallengeState.PASSED)
    return DOUBTFUL.model_copy(update={"challenge": result})


def test_who_is_doubted_is_asked_on_the_doors_topic_and_let_in_for_doing_it(house: House) -> None:
    stay(house, 1.5, ana(DOUBTFUL))
    (asked,) = challenges(house)
    assert [s.names for s in house.session.said if s.topic is CHALLENGE] == [("front",)]
    assert (asked["door"], asked["camera"], asked["track"], asked["person"]) == ("front", "porch", 3, "Ana")
    assert asked["action"] in ("turn_left", "turn_right", "nod")
    assert asked["text"].startswith("Please ")
    assert house.grants == []
    house.see(ana(passed(house)))
    assert house.decisions() == [("confirmed", "Ana")]
    assert [grant["person"] for grant in house.grants] == ["Ana"]
    told = json.loads(house.last(DECISION))
    assert told["liveness"]["challenge"] == {"id": asked["id"], "state": "passed", "seen": None}


def test_what_is_said_to_people_is_the_houses_own_words(tmp_path: Path) -> None:
    words = {action: f"{action}, bitte" for action in ("turn_left", "turn_right", "nod")}
    house = House(tmp_path, challenge_texts=words)
    stay(house, 1.5, ana(DOUBTFUL))
    (asked,) = challenges(house)
    assert asked["text"] == f"{asked['action']}, bitte"


def test_two_doors_of_one_camera_ask_for_the_same_and_both_take_the_answer(tmp_path: Path) -> None:
    door = {"cameras": ["porch"], "windows": ALWAYS}
    house = House(tmp_path, doors={"front": door, "back": door})
    stay(house, 1.5, ana(DOUBTFUL))
    front, back = challenges(house)
    assert (front["door"], back["door"]) == ("front", "back")
    assert {key: front[key] for key in ("id", "action", "text")} == {key: back[key] for key in ("id", "action", "text")}
    house.see(ana(passed(house)))
    assert [grant["door"] for grant in house.grants] == ["front", "back"]


def test_pictures_and_challenges_are_counted_and_a_picture_is_in_the_journal(house: House, tmp_path: Path) -> None:
    stay(house, 4, ana(SPOOF))
    stay(house, 0.2, ana(DOUBTFUL, track=4))
    counters = house.agent.report().counters
    assert (counters["spoofs"], counters["challenges"], counters["denied"]) == (1, 1, 1)
    house.agent.close()
    (kept,) = [record for kind, record in records(tmp_path / "journal.sqlite") if kind == "decision"][:1]
    assert (kept["reason"], kept["detail"]) == ("spoof", "texture (texture 0.03)")
    assert kept["liveness"]["texture"] == 0.03


def test_a_door_where_a_photograph_is_enough_is_a_problem_for_as_long(tmp_path: Path) -> None:
    off = House(tmp_path, front_windows=[{**ALWAYS[0], "liveness": "off"}])
    assert off.agent.report().problem == "liveness is off: a photograph can open front"
    assert House(tmp_path).agent.report().problem is None
