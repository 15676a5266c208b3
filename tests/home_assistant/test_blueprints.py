"""The blueprints, as people use them: each is loaded, triggered by the real house, and does its work."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.home_assistant.conftest import Site
from tests.home_assistant.hass import BLUEPRINTS
from tests.home_assistant.house import PERSON
from tests.home_assistant.phone import CLEAR, Phone, button
from tests.live.production import Guest
from tests.live.tools import wait_until

ACCESS, ACTIVITY, LOCK = "event.front_door_access", "event.front_door_activity", "lock.front_door"
PICTURE, FACE_UNLOCK = "image.front_camera_last_recognition", "switch.front_door_face_unlock"
ANSWER_S, STRIKE_GRACE_S, WAITS_S, OLD_S = 10, 1.2, 0.5, 11
PICTURE_OLD_S = 16.0  # the blueprint shows no recognition that is older than 15 s
HAPPENED = "facelatch_test"


def using(blueprint: str, **inputs: object) -> dict[str, object]:
    path = f"facelatch/{blueprint}.yaml"
    return {"alias": blueprint, "use_blueprint": {"path": path, "input": inputs}}


def stranger(phone: Phone) -> dict[str, object]:
    inputs = {"access": ACCESS, "lock": LOCK, "picture": PICTURE, "phone": phone.device}
    return using("stranger", **inputs, doorbells=["input_button.bell"], answer_within_s=ANSWER_S)


def welcome(**more: object) -> dict[str, object]:
    told = {"event": HAPPENED, "event_data": {"person": "{{ person }}", "id": "{{ decision.id }}"}}
    return using("welcome", access=ACCESS, actions=[told], **more)


def alarm(**more: object) -> dict[str, object]:
    told = {"event": HAPPENED, "event_data": {"kind": "{{ kind }}", "what": "{{ what }}"}}
    return using("alarm", activity=ACTIVITY, actions=[told], **more)


class Happened:
    """What the automations under test have done."""

    def __init__(self, site: Site) -> None:
        self.data: list[dict[str, Any]] = []
        site.hass.listen(HAPPENED, lambda event: self.data.append(event["data"]))

    def wait(self, **wanted: object) -> None:
        wait_until(f"{wanted} among {self.data}", lambda: any(wanted.items() <= one.items() for one in self.data))


@pytest.fixture
def phone(site: Site) -> Iterator[Phone]:
    made = Phone(site.hass, "Telephone")
    yield made
    site.hass.automate()
    made.close()


def test_every_blueprint_is_one_for_home_assistant(site: Site) -> None:
    listed = site.hass.ask("blueprint/list", domain="automation")
    files = {f"facelatch/{path.name}" for path in (BLUEPRINTS / "automation" / "facelatch").glob("*.yaml")}
    assert len(files) == 6
    assert {path for path in listed if path.startswith("facelatch/") and "error" not in listed[path]} == files


def test_of_a_stranger_the_phone_shows_the_picture_and_its_button_unlocks(site: Site, phone: Phone) -> None:
    site.hass.automate(stranger(phone))
    before = site.house.pulses()
    site.somebody_comes("stranger")
    told = phone.next()
    site.everybody_leaves()
    assert told["title"] == "Front door"
    assert "nobody here knows" in told["message"]
    assert site.hass.rest_bytes(told["data"]["image"]) == site.hass.picture(PICTURE)
    (action,) = told["data"]["actions"]
    assert action["authenticationRequired"] is True
    phone.press(action["action"])
    site.wait_event(ACTIVITY, event_type="unlocked", source="homeassistant")
    assert phone.next()["message"] == CLEAR
    assert site.house.pulses() == before + 1


def test_a_button_that_is_pressed_too_late_opens_nothing(site: Site, phone: Phone) -> None:
    site.hass.automate(stranger(phone))
    before = site.house.pulses()
    site.hass.call("input_button.press", "input_button.bell")
    told = phone.next()
    assert told["message"] == "The doorbell rings."
    assert phone.next()["message"] == CLEAR  # nobody answered
    phone.press(button(told))
    time.sleep(STRIKE_GRACE_S)
    assert site.house.pulses() == before


def test_who_rings_is_not_shown_as_who_was_seen_before(site: Site, phone: Phone) -> None:
    """The last recognition is kept for ever: an old face beside the button would be taken for who rings."""
    site.hass.automate(stranger(phone))
    site.somebody_comes("known")
    site.wait_event("event.front_door_access", event_type="granted")
    site.everybody_leaves()
    site.hass.call("input_button.press", "input_button.bell")
    assert "image" in phone.next()["data"]
    assert phone.next()["message"] == CLEAR
    time.sleep(PICTURE_OLD_S)
    site.hass.call("input_button.press", "input_button.bell")
    told = phone.next()
    assert (told["message"], "image" in told["data"]) == ("The doorbell rings.", False)
    assert phone.next()["message"] == CLEAR


def test_the_button_of_the_visit_before_opens_nothing(site: Site, phone: Phone) -> None:
    site.hass.automate(stranger(phone))
    before = site.house.pulses()
    site.hass.call("input_button.press", "input_button.bell")
    old = phone.next()
    time.sleep(WAITS_S)
    site.hass.call("input_button.press", "input_button.bell")
    new = phone.next()
    assert old["data"]["tag"] == new["data"]["tag"]  # it replaces the one before
    time.sleep(WAITS_S)
    phone.press(button(old))
    phone.press("FACELATCH_UNLOCK_")
    time.sleep(STRIKE_GRACE_S)
    assert site.house.pulses() == before
    phone.press(button(new))
    site.wait_event(ACTIVITY, event_type="unlocked", source="homeassistant")
    assert phone.next()["message"] == CLEAR


def test_of_a_known_person_the_phone_says_nothing(site: Site, phone: Phone) -> None:
    site.hass.automate(stranger(phone))
    site.somebody_comes("known")
    site.wait_event(ACCESS, event_type="granted", person=PERSON)
    site.everybody_leaves()
    assert phone.silent()


def test_who_comes_in_is_welcomed_and_nobody_else(site: Site) -> None:
    happened = Happened(site)
    site.hass.automate(welcome())
    site.somebody_comes("stranger")
    site.wait_event(ACCESS, event_type="denied")
    site.everybody_leaves()
    site.somebody_comes("known")
    granted = site.wait_event(ACCESS, event_type="granted", person=PERSON)
    happened.wait(person=PERSON, id=granted["id"])
    site.everybody_leaves()
    assert len(happened.data) == 1
    site.hass.automate(welcome(people=["Somebody Else"]))
    site.somebody_comes("known")
    site.hass.wait_state_since(ACCESS, site.hass.mark())
    site.everybody_leaves()
    assert len(happened.data) == 1
    site.hass.automate()


def test_two_who_come_in_at_once_are_both_welcomed(site: Site) -> None:
    site.somebody_comes("known")
    site.wait_event(ACCESS, event_type="granted")
    site.everybody_leaves()
    decision = json.loads(site.house.onlooker.on("facelatch/scheduler/front/decision")[-1])
    happened = Happened(site)
    site.hass.automate(welcome())
    with instead_of_the_scheduler(site) as guest:
        both = [json.dumps({**decision, "person": name}) for name in ("Ana", "Ivan")]
        guest.say_all([("facelatch/scheduler/front/decision", payload) for payload in both])
        happened.wait(person="Ana")
        happened.wait(person="Ivan")
    site.hass.automate()


@contextlib.contextmanager
def instead_of_the_scheduler(site: Site) -> Iterator[Guest]:
    site.house.stop_agents(("scheduler",))
    site.hass.wait(ACCESS, "unavailable")
    guest = site.house.broker.guest("scheduler-main")
    guest.say("facelatch/scheduler/main/availability", "online", retain=True)
    wait_until("events can come", lambda: site.hass.state(ACCESS) != "unavailable")
    yield guest
    guest.close()
    site.house.start_agents(("scheduler",))


def test_a_forced_and_a_held_open_door_raise_the_alarm(site: Site, phone: Phone) -> None:
    happened = Happened(site)
    site.hass.automate(alarm(notifier="notify.mobile_app_telephone"))
    time.sleep(STRIKE_GRACE_S)
    site.house.open_leaf()
    happened.wait(kind="forced", what="Front door: opened by force")
    happened.wait(kind="held_open", what="Front door: is held open")
    site.house.close_leaf()
    told = [phone.next(), phone.next()]
    assert {one["title"] for one in told} == {"Front door"}
    assert len(happened.data) == 2


def test_face_unlock_is_on_only_while_somebody_is_home(site: Site) -> None:
    person = "person.ana"
    site.hass.pretend(person, "home")
    site.hass.automate(using("somebody_home", face_unlock=[FACE_UNLOCK], who=[person]))
    for state, switch in (("not_home", "off"), ("home", "on"), ("unknown", "off"), ("home", "on"), ("Work", "off")):
        site.hass.pretend(person, state)
        site.hass.wait(FACE_UNLOCK, switch)
    site.house.stop_agents(("scheduler",))
    site.hass.wait(FACE_UNLOCK, "unavailable")
    site.hass.pretend(person, "home")
    site.house.start_agents(("scheduler",))
    site.hass.wait(FACE_UNLOCK, "on")  # it learnt of it when it came back
    site.hass.automate()


def test_after_a_restart_no_automation_does_its_work_again(site: Site, phone: Phone) -> None:
    """Home Assistant restores the last events, and each agent that comes back shows them anew."""
    everything = [stranger(phone), welcome(), alarm(notifier="notify.mobile_app_telephone")]
    site.hass.automate(*everything)
    site.somebody_comes("known")
    site.wait_event(ACCESS, event_type="granted")
    site.everybody_leaves()
    site.hass.wait(LOCK, "locked")
    time.sleep(STRIKE_GRACE_S)
    site.house.open_leaf()
    site.wait_event(ACTIVITY, event_type="held_open")
    assert [phone.next()["title"], phone.next()["title"]] == ["Front door"] * 2
    site.hass.restart()
    happened = Happened(site)
    site.hass.wait(LOCK, "locked")
    away_and_back(site)
    site.house.close_leaf()
    assert (happened.data, phone.silent()) == ([], True)
    assert site.hass.state(ACCESS) not in ("unknown", "unavailable")  # an old event is there, and did nothing


def test_an_old_event_is_no_news_for_an_automation_that_was_made_later(site: Site) -> None:
    site.somebody_comes("known")
    site.wait_event(ACCESS, event_type="granted")
    site.everybody_leaves()
    time.sleep(OLD_S)
    happened = Happened(site)
    site.hass.automate(welcome() | {"alias": "made later", "id": "made-later"})
    away_and_back(site)
    assert happened.data == []
    site.hass.automate()


def away_and_back(site: Site) -> None:
    """The agents whose events the automations go by."""
    site.house.stop_agents(("door", "front"), ("scheduler",))
    site.hass.wait(ACCESS, "unavailable")
    site.hass.wait(ACTIVITY, "unavailable")
    site.house.start_agents(("door", "front"), ("scheduler",))
    site.hass.wait(LOCK, "locked")
    site.hass.wait(FACE_UNLOCK, "on")
