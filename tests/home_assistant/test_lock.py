"""What people do with the door from Home Assistant's interface, and what comes of it."""

from __future__ import annotations

import time
from functools import partial

from tests.home_assistant.conftest import Site
from tests.home_assistant.house import GUEST, PERSON
from tests.live.tools import wait_until

STRIKE_GRACE_S = 1.2  # who opens the leaf so shortly after the strike was released had a right to
SUBSCRIBES_S = 1.0  # Home Assistant puts off what it subscribes to a little
LONG_GONE_S = 10.5  # who comes back sooner has not appeared anew
LOCK, ACTIVITY, ACCESS = "lock.front_door", "event.front_door_activity", "event.front_door_access"


def test_unlock_moves_the_relay_and_the_state_comes_back(site: Site) -> None:
    before = site.house.pulses()
    site.hass.call("lock.unlock", LOCK)
    wait_until("unlocked, and locked again", lambda: states(site, LOCK)[-2:] == ["unlocked", "locked"])
    assert site.house.pulses() == before + 1
    event = site.wait_event(ACTIVITY, event_type="locked")
    assert event["cause"] == "timeout"


def states(site: Site, entity: str) -> list[str]:
    return [state["state"] for state in site.hass.went_through(entity, site.since)]


def test_the_door_can_be_opened_and_locked_before_its_time(site: Site) -> None:
    before = site.house.pulses()
    site.hass.call("number.set_value", "number.front_door_hold_time", value=20)
    site.hass.wait("number.front_door_hold_time", "20", "20.0")
    site.hass.call("lock.open", LOCK)
    site.wait_event(ACTIVITY, event_type="unlocked", source="homeassistant")
    site.hass.call("lock.lock", LOCK)
    site.wait_event(ACTIVITY, event_type="locked", cause="command", source="homeassistant")
    site.hass.wait(LOCK, "locked")
    assert site.house.pulses() == before + 1
    site.hass.call("number.set_value", "number.front_door_hold_time", value=1)
    site.hass.wait("number.front_door_hold_time", "1", "1.0")


def test_the_hold_time_has_the_doors_own_bounds(site: Site) -> None:
    bounds = site.hass.attributes("number.front_door_hold_time")
    assert (bounds["min"], bounds["max"]) == (0.5, 30)


def test_the_button_gives_a_test_pulse(site: Site) -> None:
    before = site.house.pulses()
    site.hass.call("button.press", "button.front_door_test_pulse")
    wait_until("a pulse", lambda: site.house.pulses() == before + 1)
    site.wait_event(ACTIVITY, event_type="locked")


def test_a_known_person_is_told_of_and_let_in(site: Site) -> None:
    site.somebody_comes("known")
    granted = site.wait_event(ACCESS, event_type="granted", person=PERSON)
    unlocked = site.wait_event(ACTIVITY, cause="grant", person=PERSON)
    assert (unlocked["id"], granted["reason"]) == (granted["id"], "confirmed")
    site.hass.wait("sensor.front_camera_person", PERSON)
    site.hass.wait("sensor.front_door_last_person", PERSON)
    site.hass.wait("sensor.front_door_last_decision", "granted")
    site.everybody_leaves()


def test_a_stranger_is_told_of_and_stays_outside(site: Site) -> None:
    before = site.house.pulses()
    site.somebody_comes("stranger")
    site.wait_event(ACCESS, event_type="denied", reason="unknown_person", person=None)
    site.hass.wait("sensor.front_door_last_decision", "denied")
    site.everybody_leaves()
    assert site.house.pulses() == before


def test_who_comes_in_is_a_tag_that_is_scanned_and_fires_the_doors_triggers(site: Site) -> None:
    tags, fired = list[str](), list[str]()
    site.hass.listen("tag_scanned", lambda event: tags.append(event["data"]["tag_id"]))
    for trigger in site.hass.triggers("Front door"):
        site.hass.watch(trigger, partial(lambda subtype, _: fired.append(subtype), str(trigger["subtype"])))
    time.sleep(SUBSCRIBES_S)
    site.somebody_comes("known")
    wait_until("granted, and unlocked", lambda: {"granted", "unlocked"} <= set(fired))
    wait_until("a tag", lambda: tags == [PERSON])
    site.everybody_leaves()
    assert set(fired) == {"granted", "unlocked"}


def test_each_appearance_before_a_camera_is_told_of(site: Site) -> None:
    for scene, event in (("known", ("recognised", PERSON)), ("stranger", ("unknown", None))):
        time.sleep(LONG_GONE_S)
        site.somebody_comes(scene)
        site.wait_event("event.front_camera_recognition", event_type=event[0], person=event[1])
        site.everybody_leaves()


def test_with_face_unlock_off_or_away_on_nobody_is_let_in(site: Site) -> None:
    for switch, service, reason in (
        ("switch.front_door_face_unlock", ("turn_off", "turn_on"), "switched_off"),
        ("switch.facelatch_scheduler_away", ("turn_on", "turn_off"), "away"),
    ):
        before = site.house.pulses()
        site.hass.call(f"switch.{service[0]}", switch)
        site.hass.wait(switch, service[0].removeprefix("turn_"))
        site.somebody_comes("known")
        site.wait_event(ACCESS, event_type="denied", reason=reason, person=PERSON)
        site.everybody_leaves()
        assert site.house.pulses() == before
        site.hass.call(f"switch.{service[1]}", switch)
        site.hass.wait(switch, service[1].removeprefix("turn_"))


def test_somebody_is_let_in_for_once_by_a_text(site: Site) -> None:
    text = "text.front_door_let_in"
    site.hass.call("text.set_value", text, value=f"{GUEST} until 23:59")
    site.hass.wait(text, GUEST)
    site.house.onlooker.say("facelatch/scheduler/front/let_in/set", f'{{"person":"{GUEST}","until":null}}')
    site.hass.wait(text, "nobody")


def test_a_question_shows_who_asks_and_a_button_answers_it(site: Site) -> None:
    before = site.house.pulses()
    site.somebody_comes("guest")
    asked = site.wait_event("event.front_door_question", event_type="asked", person=GUEST)
    pictures = site.house.onlooker
    wait_until("a picture", lambda: pictures.on("facelatch/scheduler/front/question/snapshot") != [])
    wait_until("its picture", lambda: site.hass.state("image.front_door_who_asks") not in ("unknown", "unavailable"))
    newest = pictures.on("facelatch/scheduler/front/question/snapshot")[-1]
    assert site.hass.picture("image.front_door_who_asks") == newest
    wait_until("time to look at it", lambda: time.time() - asked["asked_at"] > 1.2)
    site.hass.call("button.press", "button.front_door_let_in_who_asks")
    site.wait_event(ACCESS, event_type="granted", person=GUEST, id=asked["id"])
    site.everybody_leaves()
    assert site.house.pulses() == before + 1


def test_a_forced_and_a_held_open_door_are_told_of(site: Site) -> None:
    time.sleep(STRIKE_GRACE_S)
    site.house.open_leaf()
    site.wait_event(ACTIVITY, event_type="forced", cause="contact")
    site.hass.wait("binary_sensor.front_door_contact", "on")
    site.wait_event(ACTIVITY, event_type="held_open")
    site.house.close_leaf()
    site.hass.wait("binary_sensor.front_door_contact", "off")
