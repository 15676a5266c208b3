"""What each printed recipe for the scheduler has to do: switches, who is let in, questions."""

from __future__ import annotations

import json
import time

import pytest

from tests.live.recipe_checks import checks
from tests.live.recipe_stand import AWAY, ENABLED, LET_IN, Stand

TO_SCHEDULER = "mosquitto_pub -t facelatch/scheduler/front"


@checks(f"{TO_SCHEDULER}/enabled/set -m OFF")
def faces_off(stand: Stand, recipe: str) -> None:
    stand.switch(ENABLED, "ON")
    assert stand.hears(recipe, ENABLED, lambda heard: heard.text == "OFF").retain
    stand.switch(ENABLED, "ON")


@checks(f"{TO_SCHEDULER}/enabled/set -m ON")
def faces_on(stand: Stand, recipe: str) -> None:
    stand.switch(ENABLED, "OFF")
    stand.hears(recipe, ENABLED, lambda heard: heard.text == "ON")


@checks("mosquitto_sub -t facelatch/scheduler/front/enabled -C 1 -W 5")
def are_faces_on(stand: Stand, recipe: str) -> None:
    stand.switch(ENABLED, "OFF")
    assert stand.run(recipe) == "OFF\n"
    stand.switch(ENABLED, "ON")
    assert stand.run(recipe) == "ON\n"


@checks("mosquitto_pub -t facelatch/scheduler/main/away/set -m ON")
def away_on(stand: Stand, recipe: str) -> None:
    stand.switch(AWAY, "OFF")
    stand.hears(recipe, AWAY, lambda heard: heard.text == "ON")
    stand.switch(AWAY, "OFF")


@checks("mosquitto_pub -t facelatch/scheduler/main/away/set -m OFF")
def away_off(stand: Stand, recipe: str) -> None:
    stand.switch(AWAY, "ON")
    stand.hears(recipe, AWAY, lambda heard: heard.text == "OFF")


@checks(
    f"{TO_SCHEDULER}/let_in/set -m 'Petra until 22:00'",
    TO_SCHEDULER + """/let_in/set -m '{"source":"Ana, shell","person":"Petra","until":'$(date -d '+2 hours' +%s)'}'""",
)
def let_in(stand: Stand, recipe: str) -> None:
    (entry,) = stand.hears(recipe, LET_IN, lambda heard: bool(heard.json["people"])).json["people"]
    assert (entry["person"], entry["source"]) == ("Petra", "Ana, shell" if "source" in recipe else None)
    assert time.time() < entry["until"]
    if "22:00" in recipe:
        assert time.strftime("%H:%M", time.gmtime(entry["until"])) == "22:00"
    else:
        assert entry["until"] - entry["asked_at"] == pytest.approx(7200, abs=10)
    stand.ear.say(f"{LET_IN}/set", '{"person": "Petra", "until": null}')


@checks(
    TO_SCHEDULER + """/let_in/set -m '{"person":"Petra","until":null}'""",
    TO_SCHEDULER + """/let_in/set -m '{"person": "Petra", "until": null}'""",
)
def let_in_no_more(stand: Stand, recipe: str) -> None:
    mark = stand.ear.mark()
    stand.ear.say(f"{LET_IN}/set", "Petra until 23:00")
    stand.ear.wait(LET_IN, lambda heard: bool(heard.json["people"]), mark)
    stand.hears(recipe, LET_IN, lambda heard: heard.json["people"] == [])


@checks("mosquitto_sub -t facelatch/scheduler/front/let_in -C 1 -W 5")
def who_is_let_in(stand: Stand, recipe: str) -> None:
    mark = stand.ear.mark()
    stand.ear.say(f"{LET_IN}/set", "Petra until 23:00")
    stand.ear.wait(LET_IN, lambda heard: bool(heard.json["people"]), mark)
    assert [entry["person"] for entry in json.loads(stand.run(recipe))["people"]] == ["Petra"]
    stand.ear.say(f"{LET_IN}/set", '{"person": "Petra", "until": null}')


@checks("mosquitto_sub -t facelatch/scheduler/front/question")
def questions(stand: Stand, recipe: str) -> None:
    stand.follow(recipe, lambda: stand.refuse(stand.ask()), '"person":"Visitor ', '"expires_at":')


@checks(f"{TO_SCHEDULER}/answer -m YES")
def yes(stand: Stand, recipe: str) -> None:
    mark = stand.ear.mark()
    question = stand.ask()
    assert stand.decide(question, lambda: stand.run(recipe))["reason"] == "confirmed"
    stand.ear.event("unlocked", mark, person=question["person"])


@checks(f"{TO_SCHEDULER}/answer -m NO")
def no(stand: Stand, recipe: str) -> None:
    assert stand.decide(stand.ask(), lambda: stand.run(recipe))["reason"] == "declined"


@checks(
    TO_SCHEDULER + """/answer -m '{"answer":"YES","source":"Ana, shell","id":"front-1800000000.120-4711"}'""",
)
def yes_to_one_question(stand: Stand, recipe: str) -> None:
    mark = stand.ear.mark()
    question = stand.ask(id_="front-1800000000.120-4711")
    assert stand.decide(question, lambda: stand.run(recipe))["reason"] == "confirmed"
    stand.ear.event("unlocked", mark, person=question["person"])
