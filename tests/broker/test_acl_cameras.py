"""Cameras that publish their frames themselves: who may write them, and who reads them where."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.house import House
from broker import BrokerError, acl, clients
from broker.clients import Client
from tests.broker import houses

OWN, ELSEWHERE = "facelatch/camera/porch/frame", "frigate/yard/person/snapshot"
CLIENTS = {
    "esp32": Client(doors=(), camera="porch"),
    "frigate": Client(doors=(), camera="yard"),
    "phone": Client(doors=("front",)),
    "gone": Client(doors=(), camera="garden"),
    "replaced": Client(doors=(), camera="hall"),
}
Rights = dict[str, set[tuple[str, str]]]


def house_with(**sources: object) -> House:
    content = houses.sections(("front", "back"), ("porch", "yard", "hall"))
    for camera, source in sources.items():
        content["cameras"][camera] = {"source": source}
    return House.model_validate(content)


@pytest.fixture
def house() -> House:
    return house_with(porch="mqtt", yard=f"mqtt:{ELSEWHERE}")


@pytest.fixture
def rights(house: House) -> Rights:
    return {user.name: set(user.rights(house.home)) for user in acl.users(house, CLIENTS)}


def test_such_a_camera_writes_its_frames_and_that_is_all(rights: Rights) -> None:
    assert rights["esp32"] == {("write", OWN)}
    assert rights["frigate"] == {("write", ELSEWHERE)}
    for topic in (OWN, ELSEWHERE):
        assert len([user for user, may in rights.items() if ("write", topic) in may]) == 1


def test_it_has_no_agent_and_no_agents_user(rights: Rights) -> None:
    assert {user for user in rights if user.startswith("camera-")} == {"camera-hall"}
    told = {topic for may in rights.values() for _, topic in may}
    assert not any(topic.startswith("facelatch/camera/porch/") and topic != OWN for topic in told)
    assert not any(topic.startswith("facelatch/camera/yard/") for topic in told)


def test_its_frames_are_read_where_they_are_by_those_who_may_see_the_camera(rights: Rights) -> None:
    readers = {user for user, may in rights.items() if ("read", ELSEWHERE) in may}
    assert readers == {"recognizer-main", "enroll", "watch"}, "the phone is for the other door"
    assert ("read", OWN) in rights["phone"]


def test_of_a_camera_that_is_gone_or_has_an_agent_now_nothing_is_left(rights: Rights) -> None:
    assert rights["gone"] == rights["replaced"] == set()


@pytest.mark.parametrize(
    ("camera", "error"),
    [("garden", "there is no camera 'garden': porch, yard, hall"), ("hall", "camera 'hall' has an agent.*camera-hall")],
)
def test_a_client_is_for_a_camera_that_publishes_by_itself(house: House, camera: str, error: str) -> None:
    clients.check_new("esp32", CLIENTS["esp32"], {}, house)
    with pytest.raises(BrokerError, match=error):
        clients.check_new("esp32", Client(doors=(), camera=camera), {}, house)


def test_clients_of_before_there_were_cameras_among_them_are_read(tmp_path: Path) -> None:
    old = b'{"phone": {"doors": ["front"], "read_only": false, "home_assistant": false}}'
    assert clients.decode(old, "clients.json") == {"phone": Client(doors=("front",))}
    assert clients.decode(clients.encode(CLIENTS), "clients.json") == CLIENTS
