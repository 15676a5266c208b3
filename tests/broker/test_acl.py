"""The ACL's text, for any house. What mosquitto makes of it is in tests/live."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.house import House
from agents.runtime import yamlfile
from agents.wire.topics import Topic
from broker import acl
from broker.clients import Client
from tests.broker import houses

NAMES = st.from_regex(r"\A[a-z0-9][a-z0-9_-]{0,5}\Z") | st.sampled_from(["front", "door-front", "main", "unlock"])
CLIENTS = {
    "phone": Client(doors=("front",)),
    "panel": Client(doors=None, read_only=True),
    "ha": Client(doors=None, home_assistant=True),
}


def parsed(text: str) -> dict[str, set[tuple[str, str]]]:
    """User → (access, topic), from the only two kinds of lines there may be."""
    found: dict[str, set[tuple[str, str]]] = {}
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        if line.startswith("user "):
            user = line.removeprefix("user ")
            assert user not in found, "mosquitto would put two users of one name together"
            found[user] = set()
        else:
            word, access, topic = line.split(" ")
            assert (word, access in ("read", "write")) == ("topic", True)
            found[user].add((access, topic))
    return found


def rights_in(house: House, base: str = "facelatch") -> dict[str, set[tuple[str, str]]]:
    return parsed(acl.text(acl.users(house, CLIENTS), base))


@st.composite
def any_house(draw: st.DrawFn) -> House:
    cameras = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    doors = draw(st.lists(NAMES, max_size=4, unique=True))
    return House.model_validate(houses.sections(doors, cameras))


@given(any_house())
def test_in_any_house_each_topic_has_one_writing_program_or_only_people(house: House) -> None:
    writers: dict[str, set[str]] = {}
    for user, pairs in rights_in(house).items():
        for access, topic in pairs:
            if access == "write":
                writers.setdefault(topic, set()).add(user)
    for topic, users in writers.items():
        if topic == "facelatch/reply/+/+":
            assert all(user.startswith("door-") for user in users)
        elif topic.endswith(("/command", "/enabled/set", "/let_in/set", "/answer")):
            assert users <= {"unlock", *CLIENTS} - {"panel"}
        else:
            assert len(users) == 1


@given(any_house())
def test_in_any_house_grants_are_the_schedulers_and_away_mode_is_for_who_may_open_all_doors(house: House) -> None:
    for user, pairs in rights_in(house).items():
        written = {topic for access, topic in pairs if access == "write"}
        assert user == "scheduler-main" or not any(topic.endswith("/grant") for topic in written)
        assert user == "ha" or not any(topic.endswith("/away/set") for topic in written)


@given(any_house())
def test_in_any_house_wildcards_are_for_answers_only(house: House) -> None:
    for user, pairs in rights_in(house).items():
        for access, topic in pairs:
            answers = "facelatch/reply/+/+" if access == "write" else f"facelatch/reply/{user}/+"
            assert topic == answers or not set("+#") & set(topic)


@given(any_house())
def test_in_any_house_every_program_has_a_user_by_the_name_it_connects_with(house: House) -> None:
    users = [user.name for user in acl.users(house, {})]
    assert sorted(users) == sorted(
        ["unlock", "enroll", "watch", "journal", *("-".join(agent) for agent in house.agents)]
    )


def test_a_camera_that_serves_no_door_is_seen_by_watch_and_enroll_only() -> None:
    rights = rights_in(House.model_validate(houses.sections(("front",), ("porch", "garden"))))
    readers = {user for user, pairs in rights.items() if ("read", "facelatch/camera/garden/frame") in pairs}
    assert readers == {"recognizer-main", "watch", "enroll"}
    assert ("read", "facelatch/recognizer/garden/identity") not in rights["scheduler-main"]


def test_the_journals_connection_hears_every_door_and_agent_and_says_nothing() -> None:
    rights = rights_in(House.model_validate(houses.sections(("front", "back"), ("porch", "yard"))))
    heard = {topic for _, topic in rights["journal"]}
    assert {access for access, _ in rights["journal"]} == {"read"}
    assert {topic for topic in heard if topic.endswith("/event")} == {
        "facelatch/door/front/event",
        "facelatch/door/back/event",
    }
    assert sum(topic.endswith("/availability") for topic in heard) == len(heard) - 2 == 6
    assert not any(topic.endswith("/event") for _, topic in rights["scheduler-main"])


def test_the_houses_own_base_and_ids_are_used() -> None:
    content = houses.sections(("front",), ("porch",)) | {"recognizer": {"id": "r2"}}
    content["scheduler"]["id"] = "s2"
    rights = rights_in(House.model_validate(content), "home/lock")
    assert ("write", "home/lock/door/front/grant") in rights["scheduler-s2"]
    assert ("write", "home/lock/recognizer/r2/health") in rights["recognizer-r2"]
    assert all(topic.startswith("home/lock/") for pairs in rights.values() for _, topic in pairs)


def test_a_client_of_a_door_that_is_gone_keeps_its_answers_and_nothing_of_doors() -> None:
    rights = rights_in(House.model_validate(houses.sections(("back",), ("yard",))))["phone"]
    assert {topic for access, topic in rights if access == "write"} == set()
    assert not any("/back/" in topic or "yard" in topic for _, topic in rights)


def test_a_topic_of_a_new_shape_ends_with_an_error_instead_of_a_guess(monkeypatch: pytest.MonkeyPatch) -> None:
    odd = Topic("door/<door>/key/<key>", "door", ("people",), qos=0, retain=False)
    user = acl.User("door-front", frozenset(("door",)), ("front",), writes=(odd,))
    monkeypatch.setattr(acl, "ALL", (odd,))
    with pytest.raises(KeyError):
        list(user.rights("facelatch"))


def test_the_house_of_the_example_has_an_acl() -> None:
    house, _ = yamlfile.load(Path(__file__).parents[2] / "facelatch.example.yaml", House)
    assert ("write", "facelatch/door/front/grant") in rights_in(house)["scheduler-main"]
