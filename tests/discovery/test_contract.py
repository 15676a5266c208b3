"""What any house tells Home Assistant keeps to topics.md, and to what the oldest Home Assistant reads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.discovery.device import Announcement, Device, Entity, announcements
from agents.discovery.household import Form
from agents.house import House
from agents.wire.topics import ALL, Topic
from tests.broker import houses

NAMES = st.from_regex(r"\A[a-z0-9][a-z0-9_-]{0,5}\Z") | st.sampled_from(["front", "main", "camera-front", "main-front"])
FORMS: tuple[Form, ...] = ("single", "device")
DEVICE_KEYS = {"identifiers", "name", "manufacturer", "model", "sw_version", "via_device"}


@st.composite
def any_house(draw: st.DrawFn) -> House:
    doors = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    content = houses.sections(doors, draw(st.lists(NAMES, min_size=1, max_size=3, unique=True)))
    content["recognizer"] = {"id": draw(NAMES), "snapshot": draw(st.booleans())}
    content["scheduler"]["id"] = draw(NAMES)
    content["mqtt"] = {"base": draw(st.sampled_from(["facelatch", "home/lock"]))}
    for i, door in enumerate(doors):
        content["doors"][door] |= draw(
            st.sampled_from(
                [{}, {"contact": {"pin": 20 + i}}, {"test_pulse_s": 0.5}, {"hold_s": 0.5, "max_hold_s": 0.5}]
            )
        )
        windows = [{"who": "everybody", "days": "mon-fri", "from": "07:00", "to": "19:00"}]
        content["scheduler"]["doors"][door]["windows"] = [
            windows[0] | draw(st.sampled_from([{}, {"confirm": "phone"}]))
        ]
    return House.model_validate(content)


def devices(house: House) -> list[Device]:
    return [device for told in house.devices().values() for device in told]


def entities(house: House) -> Iterator[tuple[Device, Entity]]:
    for device in devices(house):
        yield from ((device, entity) for entity in device.entities)


def messages(house: House, form: Form) -> list[Announcement]:
    return list(announcements(devices(house), form))


def topic_of(house: House, text: str) -> Topic:
    """The row of the contract that a topic string is of."""
    (found,) = [topic for topic in ALL if topic.names_in(house.home.root(topic), text) is not None and text.count("/")]
    return found


def topics_in(config: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in config.items():
        if key == "topic" or key.endswith("_topic"):
            yield key, value


@settings(max_examples=30)
@given(any_house())
def test_home_assistant_may_do_what_it_is_told_to(house: House) -> None:
    for _, entity in entities(house):
        for key, text in topics_in(dict(entity.config)):
            topic = topic_of(house, text)
            if key == "command_topic":
                assert topic.writer == "people"
                assert entity.config.get("qos", 0) == 0
                assert not entity.config.get("retain", False)
            else:
                assert "people" in topic.readers


@settings(max_examples=30)
@given(any_house())
def test_every_entity_hangs_on_the_agents_that_make_it_work(house: House) -> None:
    everybody = {f"{house.mqtt.base}/{kind}/{name}/availability" for kind, name in house.agents}
    for _, entity in entities(house):
        if entity.component not in ("device_automation", "tag"):
            assert entity.links
        assert everybody.issuperset(entity.links)
        writers = {
            topic_of(house, text).writer for key, text in topics_in(dict(entity.config)) if key != "command_topic"
        }
        linked = {link.removeprefix(f"{house.mqtt.base}/").split("/")[0] for link in entity.links}
        assert not entity.links or writers - {"each agent"} <= linked


@settings(max_examples=30)
@given(any_house(), st.sampled_from(FORMS))
def test_no_two_entities_have_one_id_or_one_place(house: House, form: Form) -> None:
    told = messages(house, form)
    places = [one.topic.at(house.home.prefix, *one.names) for one in told]
    assert len(set(places)) == len(places)
    configs = [json.loads(one.payload) for one in told]
    parts = [part for config in configs for part in config.get("components", {"": config}).values()]
    ids = [part["unique_id"] for part in parts if "unique_id" in part]
    assert len(set(ids)) == len(ids)
    assert len(parts) == len(list(entities(house)))


@settings(max_examples=30)
@given(any_house())
def test_both_forms_say_the_same(house: House) -> None:
    single = {}
    for one in messages(house, "single"):
        config = json.loads(one.payload)
        single[one.names] = {key: value for key, value in config.items() if key not in ("device", "origin")}
    whole = {}
    for one in messages(house, "device"):
        for key, part in json.loads(one.payload)["components"].items():
            whole[(part.pop("platform"), one.names[0], key)] = part
    assert whole == single


@settings(max_examples=30)
@given(any_house())
def test_a_device_is_described_alike_by_all_who_tell_of_it_and_every_link_leads_to_one(house: House) -> None:
    described: dict[str, object] = {}
    for device in devices(house):
        (identifier,) = device.info["identifiers"]
        assert described.setdefault(identifier, device.info) == device.info
        assert set(device.info) <= DEVICE_KEYS  # Home Assistant 2024.3 drops what has any other key
    assert {device.info["via_device"] for device in devices(house) if "via_device" in device.info} <= set(described)


@settings(max_examples=30)
@given(any_house())
def test_keys_are_such_as_home_assistant_takes_for_topics_and_names_are_for_people(house: House) -> None:
    for device, entity in entities(house):
        for level in (entity.component, device.node, entity.key):
            assert level.replace("_", "").replace("-", "").isalnum()
        name = entity.config.get("name", "")
        assert name is None or name == "" or name[0].isupper()
        assert name is None or not name.lower().startswith(str(device.info["name"]).lower())


@settings(max_examples=30)
@given(any_house())
def test_no_config_category_on_what_only_tells(house: House) -> None:
    for _, entity in entities(house):
        if entity.component in ("sensor", "binary_sensor"):
            assert entity.config.get("entity_category") in (None, "diagnostic")


@settings(max_examples=30)
@given(any_house())
def test_a_number_has_room_between_its_bounds(house: House) -> None:
    for _, entity in entities(house):
        if entity.component == "number":
            assert entity.config["min"] < entity.config["max"]


@pytest.mark.parametrize(("prefix", "wrong"), [("facelatch", True), ("facelatch/ha", True), ("facelatch-ha", False)])
def test_home_assistants_prefix_is_none_of_the_houses_own_topics(prefix: str, wrong: bool) -> None:
    content = houses.sections(("front",), ("front",)) | {"home_assistant": {"prefix": prefix}}
    found = [loc for loc, _ in House.model_validate(content).conflicts()]
    assert (("home_assistant", "prefix") in found) is wrong


def test_off_says_nothing() -> None:
    assert messages(House.model_validate(houses.sections(("front",), ("front",))), "off") == []


@pytest.mark.parametrize(
    ("key", "title"),
    [
        ("front", "Front door"),
        ("back_door", "Back door"),
        ("garage-2", "Garage 2 door"),
        ("door", "Door"),
        ("_-", "_- door"),
    ],
)
def test_a_doors_name_is_made_from_its_key(key: str, title: str) -> None:
    house = House.model_validate(houses.sections(("front",), ("front",)))
    assert house.home.door(key)["name"] == title


def test_a_name_of_ones_own_is_shown_by_every_agent() -> None:
    content = houses.sections(("front",), ("porch",)) | {
        "home_assistant": {"doors": {"front": "Haustür"}, "cameras": {"porch": "Vordach"}}
    }
    names = {device.info["name"] for device in devices(House.model_validate(content))}
    assert names == {"Haustür", "Vordach", "Facelatch recognizer", "Facelatch scheduler"}
