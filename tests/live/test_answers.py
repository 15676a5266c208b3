"""Who may say yes, switch and let in, at the very broker that `facelatch broker init` makes, with a real scheduler.

The test plays the recognizer and the telephones. At the front door somebody has to agree to everybody.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.live.production import ProductionBroker
from tests.live.test_journal import events, heard, pulse
from tests.live.tools import PATIENCE_S, Ear, Home, wait_until

HOUSE = """\
clock: trust
doors:
  front: { relay: { pin: 17, pin_factory: mock }, hold_s: 0.3 }
  back: { relay: { pin: 18, pin_factory: mock } }
cameras:
  porch: { source: 0 }
  yard: { source: 1 }
scheduler:
  timezone: UTC
  doors:
    front:
      cameras: [porch]
      liveness: off
      windows: [{ who: everybody, days: mon-sun, from: 00:00, to: 24:00, confirm: phone }]
      confirm_within_s: 60
      visit_gap_s: 20
    back: { cameras: [yard] }
"""
FRONT = "facelatch/scheduler/front"
ORDERS = {
    f"{FRONT}/answer": "YES",
    f"{FRONT}/enabled/set": "OFF",
    f"{FRONT}/let_in/set": "Ana until 23:59",
    "facelatch/scheduler/main/away/set": "ON",
}
THIEVES = ("camera-porch", "camera-yard", "door-back", "journal", "unlock", "watch", "enroll", "panel", "phone-back")


class Site:
    def __init__(self, folder: Path) -> None:
        self.broker, self.seq = ProductionBroker(folder, HOUSE), itertools.count(1)
        self.broker.facelatch("broker", "add-client", "phone", "--door", "front")
        self.broker.facelatch("broker", "add-client", "phone-back", "--door", "back")
        self.broker.facelatch("broker", "add-client", "panel", "--door", "front", "--read-only")
        self.broker.start()
        self.phone, self.recognizer = self.broker.guest("phone"), self.broker.guest("recognizer-main")
        self.phone.listen("facelatch/#")
        self.broker.home.start("door", "front")
        self.start()

    def start(self) -> None:
        mark = len(self.phone.heard)
        self.scheduler = self.broker.home.start("scheduler")
        self.wait("main/availability", lambda text: text == "online", mark)

    def kill(self) -> None:
        self.scheduler.kill()
        self.scheduler.wait(PATIENCE_S)

    def close(self) -> None:
        for guest in (self.phone, self.recognizer):
            guest.close()
        self.broker.home.stop_all()
        self.broker.stop()

    def see(self, person: str) -> None:
        """One more frame of the person, whom the scheduler has seen when this returns."""
        seq, at, box = next(self.seq), time.time(), {"left": 0, "top": 0, "width": 9, "height": 9}
        face = {"person": person, "distance": 0.3, "margin": None, "box": box, "sharpness": 9.0}
        identity = {"id": f"porch-{seq}", "camera": "porch", "captured_at": at, "seq": seq, "faces": [face]}
        assert self.recognizer.say("facelatch/recognizer/porch/identity", json.dumps(identity))
        mark = len(self.phone.heard)
        assert self.phone.say(f"{FRONT}/enabled/set", "ON")
        self.wait("front/enabled", lambda text: text == "ON", mark)

    def ask(self, person: str) -> str:
        """Have the scheduler ask about the person, as soon as it knows of the door. Returns the question's id."""
        mark = len(self.phone.heard)
        while not (asked := [q for q in self.said("front/question", mark) if q["person"] == person]):
            self.see(person)
        return str(asked[0]["id"])

    def answer(self, word: str, id_: str) -> None:
        mark = len(self.phone.heard)
        assert self.phone.say(f"{FRONT}/answer", json.dumps({"answer": word, "id": id_}))
        if word == "NO":
            self.wait("front/decision", lambda text: json.loads(text)["id"] == id_, mark)

    def said(self, what: str, since: int = 0) -> list[dict[str, Any]]:
        topic = f"facelatch/scheduler/{what}"
        return [json.loads(payload) for heard, payload in self.phone.heard[since:] if heard == topic]

    def last(self, what: str) -> str:
        return [payload for heard, payload in self.phone.heard if heard == f"facelatch/scheduler/{what}"][-1]

    def wait(self, what: str, wanted: Any, since: int = 0) -> None:
        topic = f"facelatch/scheduler/{what}"
        wait_until(
            f"{what} is said",
            lambda: any(heard == topic and wanted(payload) for heard, payload in self.phone.heard[since:]),
        )

    @property
    def reasons(self) -> list[tuple[str, str]]:
        return [(decision["person"], decision["reason"]) for decision in self.said("front/decision")]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("answers"))
    yield made
    made.close()


def test_who_may_not_command_a_door_can_neither_say_yes_nor_switch_nor_let_in(site: Site) -> None:
    id_ = site.ask("Ana")
    yes = json.dumps({"answer": "YES", "id": id_})
    for thief in (site.recognizer, *map(site.broker.guest, THIEVES)):
        for retain in (False, True):
            assert thief.say_all([*ORDERS.items(), (f"{FRONT}/answer", yes)], retain=retain) == set()
        if thief is not site.recognizer:
            thief.close()
    site.see("Ana")
    assert site.reasons == []
    site.answer("YES", id_)
    site.see("Ana")
    assert site.reasons == [("Ana", "confirmed")]
    standing = [site.last(what) for what in ("front/enabled", "front/let_in", "main/away")]
    assert standing == ["ON", '{"people":[]}', "OFF"]


def test_a_telephone_of_one_door_may_not_set_the_whole_house_away(site: Site) -> None:
    assert not site.phone.say("facelatch/scheduler/main/away/set", "ON")


def test_an_answer_that_the_broker_keeps_opens_nothing_now_nor_after_a_restart(site: Site) -> None:
    id_ = site.ask("Borut")
    assert site.phone.say(f"{FRONT}/answer", json.dumps({"answer": "YES", "id": id_}), retain=True)
    site.see("Borut")
    site.kill()
    site.start()
    again = site.ask("Borut")
    assert site.phone.say(f"{FRONT}/answer", "", retain=True)  # the broker forgets it
    site.answer("NO", again)
    assert [reason for person, reason in site.reasons if person == "Borut"] == ["declined"]


def test_an_answer_that_was_sent_while_the_scheduler_was_away_is_not_obeyed_later(site: Site) -> None:
    id_ = site.ask("Cene")
    site.kill()
    for payload in ("YES", json.dumps({"answer": "YES", "id": id_})):
        assert site.phone.say(f"{FRONT}/answer", payload)  # QoS 1
    site.start()
    again = site.ask("Cene")
    site.see("Cene")
    site.answer("NO", again)
    assert [reason for person, reason in site.reasons if person == "Cene"] == ["declined"]


def was_taken(home: Home, times: int) -> bool:
    return home.log_of("scheduler").read_text().count("lost broker") >= times


def test_two_schedulers_of_one_name_lose_no_record(home: Home, ear: Ear) -> None:
    """They take the connection of the journal from each other, over and over."""
    home.start("door")
    ear.wait("door/front/availability", lambda h: h.text == "online")
    twins = [home.start("scheduler"), home.start("scheduler")]
    for times in (2, 4, 6, 8):
        wait_until("they take it from each other", partial(was_taken, home, times))
        pulse(ear, 1)
    for twin in twins:
        twin.terminate()
        assert twin.wait(PATIENCE_S) == 0
        pulse(ear, 1)
    home.start("scheduler")
    wait_until("all events are in the journal", lambda: events(home) == heard(ear))
    assert home.run("log", "verify").returncode == 0
