"""What an agent tells Home Assistant, and takes back: over restarts, with other forms, for others that are gone."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from agents.discovery.device import Device, Entity
from agents.discovery.household import Form, Household
from agents.runtime.announcer import SETTLE_S, Announcer
from agents.runtime.settings import MqttSettings, Site
from tests.fakes import FakeSession, after

FORMS_AND_BACK: tuple[Form, ...] = ("single", "device", "single")
LOG = logging.getLogger("test")


def device(node: str = "facelatch-door-front", *keys: str) -> Device:
    entities = tuple(
        Entity("sensor", key, {"name": key.title()}, ("x/availability",)) for key in keys or ("lock", "bell")
    )
    return Device(node, {"identifiers": [node], "name": "Front door"}, entities)


class Broker:
    """What a broker retains, and Home Assistant heard of it: (topic, payload), in order."""

    def __init__(self) -> None:
        self.retained: dict[str, bytes] = {}
        self.heard: list[tuple[str, bytes]] = []

    def take(self, topic: str, payload: bytes) -> None:
        self.heard.append((topic, payload))
        if payload:
            self.retained[topic] = payload
        else:
            self.retained.pop(topic, None)


class Line(FakeSession):
    def __init__(self, broker: Broker, data: Path, form: Form, prefix: str) -> None:
        super().__init__()
        self._broker = broker
        self.site = Site(MqttSettings(), data, data, home=Household(form=form, prefix=prefix))

    def publish(self, topic, *names, payload, properties=()):  # type: ignore[no-untyped-def]
        self._broker.take(topic.at(self.site.root(topic), *names), payload)
        return 1

    def withdraw(self, topic: str) -> None:
        self._broker.take(topic, b"")


class Agent:
    """An agent's life: each call is a start of it, with what its file says by then."""

    def __init__(self, data: Path) -> None:
        self.data, self.broker = data, Broker()

    def live(
        self,
        devices: Sequence[Device],
        form: Form = "single",
        prefix: str = "homeassistant",
        others: Sequence[Device] = (),
        name: tuple[str, str] = ("door", "front"),
    ) -> list[tuple[str, bytes]]:
        """Returns what Home Assistant heard."""
        before = len(self.broker.heard)
        announcer = Announcer(
            Line(self.broker, self.data, form, prefix), name, devices, {one.node: [one] for one in others}, LOG
        )
        announcer.begin(after(0))
        announcer.tick(after(0))
        announcer.tick(after(SETTLE_S))
        return self.broker.heard[before:]


@pytest.fixture
def agent(tmp_path: Path) -> Agent:
    return Agent(tmp_path / "data")


SINGLE = {
    "homeassistant/sensor/facelatch-door-front/lock/config",
    "homeassistant/sensor/facelatch-door-front/bell/config",
}
WHOLE = {"homeassistant/device/facelatch-door-front/config"}


def test_a_message_for_each_entity_or_for_each_device(agent: Agent) -> None:
    agent.live([device()])
    assert set(agent.broker.retained) == SINGLE


@pytest.mark.parametrize(
    ("first", "then"), [("single", "device"), ("device", "single"), ("single", "off"), ("device", "off")]
)
def test_another_form_leaves_nothing_of_the_one_before(agent: Agent, first: Form, then: Form) -> None:
    agent.live([device()], first)
    heard = agent.live([device()], then)
    assert set(agent.broker.retained) == {"single": SINGLE, "device": WHOLE, "off": set()}[then]
    taken_back = [topic for topic, payload in heard if not payload]
    assert [topic for topic, _ in heard][: len(taken_back)] == taken_back  # never both at once


def test_between_taking_back_and_telling_home_assistant_is_given_time(tmp_path: Path) -> None:
    agent = Agent(tmp_path)
    agent.live([device()])
    announcer = Announcer(
        Line(agent.broker, tmp_path, "device", "homeassistant"), ("door", "front"), [device()], {}, LOG
    )
    announcer.begin(after(0))
    announcer.tick(after(0))
    announcer.tick(after(SETTLE_S - 0.01))
    assert agent.broker.retained == {}
    announcer.tick(after(SETTLE_S))
    assert set(agent.broker.retained) == WHOLE


def test_another_prefix_leaves_nothing_below_the_one_before(agent: Agent) -> None:
    agent.live([device()])
    agent.live([device()], prefix="ha")
    assert set(agent.broker.retained) == {topic.replace("homeassistant", "ha") for topic in SINGLE}


def test_an_entity_that_is_gone_is_taken_back(agent: Agent) -> None:
    agent.live([device()])
    heard = agent.live([device("facelatch-door-front", "lock")])
    assert ("homeassistant/sensor/facelatch-door-front/bell/config", b"") in heard
    assert set(agent.broker.retained) == {"homeassistant/sensor/facelatch-door-front/lock/config"}


def test_an_entity_that_is_gone_from_a_whole_device_is_named_once_more_and_then_never_again(agent: Agent) -> None:
    agent.live([device()], "device")
    ((_, farewell),) = agent.live([device("facelatch-door-front", "lock")], "device")
    components = json.loads(farewell)["components"]
    assert components["bell"] == {"platform": "sensor"}
    assert components["lock"]["name"] == "Lock"
    ((_, later),) = agent.live([device("facelatch-door-front", "lock")], "device")
    assert list(json.loads(later)["components"]) == ["lock"]


def test_an_entity_that_becomes_one_of_another_kind_is_told_of_as_what_it_is(agent: Agent) -> None:
    agent.live([device()], "device")
    other = device("facelatch-door-front", "lock", "bell")
    changed = replace(other, entities=(other.entities[0], Entity("event", "bell", {"name": "Bell"}, ("x",))))
    ((_, payload),) = agent.live([changed], "device")
    assert json.loads(payload)["components"]["bell"]["name"] == "Bell"


def test_what_was_taken_back_while_home_assistant_was_away_is_taken_back_again_at_its_birth_once(
    tmp_path: Path,
) -> None:
    agent = Agent(tmp_path)
    agent.live([device()])
    agent.live([device()], "device")  # restarted together with the broker: nobody heard it
    line = Line(agent.broker, tmp_path, "device", "homeassistant")
    announcer = Announcer(line, ("door", "front"), [device()], {}, LOG)  # and once more
    for expected in ([*sorted(SINGLE)], []):
        before = len(agent.broker.heard)
        announcer.born(after(0))
        announcer.tick(after(0))
        announcer.tick(after(SETTLE_S))
        heard = agent.broker.heard[before:]
        assert sorted(topic for topic, payload in heard if not payload) == expected
        assert [topic for topic, payload in heard if payload] == [*WHOLE]
        assert heard[-1][1]  # told after it was taken back


def test_what_is_told_again_is_not_taken_back_at_a_birth(tmp_path: Path) -> None:
    agent = Agent(tmp_path)
    for form in FORMS_AND_BACK:
        agent.live([device()], form)
    announcer = Announcer(
        Line(agent.broker, tmp_path, "single", "homeassistant"), ("door", "front"), [device()], {}, LOG
    )
    announcer.born(after(0))
    announcer.tick(after(0))
    announcer.tick(after(SETTLE_S))
    assert set(agent.broker.retained) == SINGLE


def test_what_is_as_it_was_is_told_again_and_nothing_taken_back(agent: Agent) -> None:
    first = agent.live([device()])
    assert agent.live([device()]) == first


def test_the_scheduler_takes_back_what_an_agent_told_that_is_gone(agent: Agent) -> None:
    own, yard = device("facelatch-scheduler-main", "away"), device("facelatch-camera-yard", "camera")
    agent.live([yard], name=("camera", "yard"))
    agent.live([own], others=[yard], name=("scheduler", "main"))
    assert len(agent.broker.retained) == 2
    heard = agent.live([own], name=("scheduler", "main"))
    assert ("homeassistant/sensor/facelatch-camera-yard/camera/config", b"") in heard
    assert set(agent.broker.retained) == {"homeassistant/sensor/facelatch-scheduler-main/away/config"}
    assert not any(payload == b"" for _, payload in agent.live([own], name=("scheduler", "main")))  # once is enough


def test_the_scheduler_leaves_alone_what_an_agent_tells_that_is_there(agent: Agent) -> None:
    """In the other form it has the same entities' names: taken back twice, it would take the new ones."""
    own, yard = device("facelatch-scheduler-main", "away"), device("facelatch-camera-yard", "camera", "person")
    agent.live([own], others=[yard], name=("scheduler", "main"))
    fewer = replace(yard, entities=yard.entities[:1])
    for form in ("single", "device", "off"):
        heard = agent.live([own], form=form, others=[fewer], name=("scheduler", "main"))
        assert not any("camera-yard" in topic for topic, _ in heard)


def test_what_one_that_is_there_tells_no_more_is_its_own_affair(agent: Agent) -> None:
    """The recognizer takes back what it told of a camera that is gone; twice, Home Assistant would be puzzled."""
    own, recognizer = device("facelatch-scheduler-main", "away"), device("facelatch-recognizer-main", "people")
    yard = device("facelatch-recognizer-main-yard", "person")
    line = Line(agent.broker, agent.data, "device", "homeassistant")
    for told in ([recognizer, yard], [recognizer]):
        announcer = Announcer(line, ("scheduler", "main"), [own], {recognizer.node: told}, LOG)
        announcer.begin(after(0))
        announcer.tick(after(0))
    assert not any(payload == b"" for _, payload in agent.broker.heard)


def test_under_another_id_the_scheduler_takes_back_what_it_told_under_the_one_before(agent: Agent) -> None:
    agent.live([device("facelatch-scheduler-main", "away")], name=("scheduler", "main"))
    agent.live([device("facelatch-scheduler-roof", "away")], name=("scheduler", "roof"))
    assert set(agent.broker.retained) == {"homeassistant/sensor/facelatch-scheduler-roof/away/config"}


class NarrowLine(Line):
    """Takes so many messages in a turn."""

    room = 30

    def publish(self, topic, *names, payload, properties=()):  # type: ignore[no-untyped-def]
        if self.room == 0:
            return None
        self.room -= 1
        self._broker.take(topic.at(self.site.root(topic), *names), payload)
        return 1


def test_a_big_house_is_told_of_whole_though_the_line_takes_little_at_once(tmp_path: Path) -> None:
    broker, keys = Broker(), [f"k{i}" for i in range(250)]
    line = NarrowLine(broker, tmp_path, "single", "homeassistant")
    announcer = Announcer(line, ("scheduler", "main"), [device("facelatch-scheduler-main", *keys)], {}, LOG)
    announcer.begin(after(0))
    for turn in range(20):
        line.room = 30
        announcer.tick(after(turn))
    assert len(broker.retained) == len(broker.heard) == len(keys)


@pytest.mark.parametrize("damage", [b"", b"[]", b'{"a": 1}', b'{"a": {"b": 1}}', b"\xff", b"[" * 100_000, b"null"])
def test_a_damaged_memory_costs_a_ghost_at_most(agent: Agent, damage: bytes) -> None:
    agent.live([device()])
    (agent.data / "announced-door-front.json").write_bytes(damage)
    agent.live([device()])
    assert set(agent.broker.retained) == SINGLE


def test_a_disk_that_can_not_be_written_keeps_nobody_from_telling(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    agent = Agent(tmp_path / "data")
    agent.live([device()])
    assert set(agent.broker.retained) == SINGLE


def test_nothing_is_told_before_there_is_anybody_to_tell(tmp_path: Path) -> None:
    broker = Broker()
    announcer = Announcer(Line(broker, tmp_path, "single", "homeassistant"), ("door", "front"), [device()], {}, LOG)
    announcer.tick(after(0))
    assert broker.heard == []
