"""The ACL's text, for any house. What mosquitto makes of it is in tests/live."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.discovery.household import Household
from agents.house import House
from agents.runtime import yamlfile
from agents.wire.topics import Topic
from broker import acl, telling
from broker.clients import Client
from broker.telling import NOTHING, Told
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


def rights_in(house: House, told: Told = NOTHING) -> dict[str, set[tuple[str, str]]]:
    return parsed(acl.text(acl.users(house, CLIENTS, told), house.home))


def told_by(rights: dict[str, set[tuple[str, str]]], user: str, access: str = "write") -> set[str]:
    """The nodes of which a user may tell Home Assistant, or is told."""
    found = [topic.split("/") for how, topic in rights[user] if how == access and topic.endswith("/config")]
    return {levels[2] for levels in found}


def commanding(rights: dict[str, set[tuple[str, str]]], user: str) -> set[str]:
    """Of what a user may tell Home Assistant, the kinds that make it publish something when somebody uses them."""
    kinds = {topic.split("/")[1] for how, topic in rights[user] if how == "write" and topic.endswith("/config")}
    return kinds - {"sensor", "binary_sensor", "camera", "image", "event", "device_automation", "tag"}


@st.composite
def any_house(draw: st.DrawFn) -> House:
    cameras = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    doors = draw(st.lists(NAMES, max_size=4, unique=True))
    return House.model_validate(houses.sections(doors, cameras))


@settings(max_examples=30)
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
        elif topic.endswith(("/command", "/enabled/set", "/let_in/set", "/answer", "/hold_s/set")):
            assert users <= {"unlock", *CLIENTS} - {"panel"}
        elif topic == "homeassistant/status":
            assert users == {"ha"}
        else:
            assert len(users) == 1


@settings(max_examples=30)
@given(any_house())
def test_in_any_house_grants_are_the_schedulers_and_away_mode_is_for_who_may_open_all_doors(house: House) -> None:
    for user, pairs in rights_in(house).items():
        written = {topic for access, topic in pairs if access == "write"}
        assert user == "scheduler-main" or not any(topic.endswith("/grant") for topic in written)
        assert user == "ha" or not any(topic.endswith("/away/set") for topic in written)


@settings(max_examples=30)
@given(any_house())
def test_in_any_house_wildcards_are_for_answers_and_below_a_node_of_ones_own(house: House) -> None:
    for user, pairs in rights_in(house).items():
        for access, topic in pairs:
            if topic.startswith("homeassistant/") and topic.endswith("/+/config"):
                assert "+" not in topic.split("/")[2]
                assert access == "read" or topic.count("+") == 1
                continue
            answers = "facelatch/reply/+/+" if access == "write" else f"facelatch/reply/{user}/+"
            assert topic == answers or not set("+#") & set(topic)


@settings(max_examples=30)
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
    rights = rights_in(
        House.model_validate(content | {"mqtt": {"base": "home/lock"}, "home_assistant": {"prefix": "ha"}})
    )
    assert ("write", "home/lock/door/front/grant") in rights["scheduler-s2"]
    assert ("write", "home/lock/recognizer/r2/health") in rights["recognizer-r2"]
    assert ("write", "ha/switch/home-lock-scheduler-s2-front/+/config") in rights["scheduler-s2"]
    assert all(topic.startswith(("home/lock/", "ha/")) for pairs in rights.values() for _, topic in pairs)


def test_a_client_of_a_door_that_is_gone_keeps_its_answers_and_nothing_of_doors() -> None:
    rights = rights_in(House.model_validate(houses.sections(("back",), ("yard",))))["phone"]
    assert {topic for access, topic in rights if access == "write"} == set()
    assert not any("/back/" in topic or "yard" in topic for _, topic in rights)


def test_each_agent_tells_home_assistant_of_its_own_devices_and_of_no_other() -> None:
    rights = rights_in(House.model_validate(houses.sections(("front", "back"), ("porch", "yard"))))
    assert told_by(rights, "door-front") == {"facelatch-door-front"}
    assert told_by(rights, "camera-yard") == {"facelatch-camera-yard"}
    assert told_by(rights, "recognizer-main") == {f"facelatch-recognizer-main{c}" for c in ("", "-porch", "-yard")}
    assert told_by(rights, "scheduler-main") == {f"facelatch-scheduler-main{d}" for d in ("", "-front", "-back")}
    assert not any(told_by(rights, user) for user in ("unlock", "watch", "journal", *CLIENTS))


def test_home_assistant_is_told_of_what_it_may_see_and_no_other_client_is() -> None:
    house = House.model_validate(houses.sections(("front", "back"), ("porch", "yard")))
    everything = told_by(rights_in(house), "ha", "read")
    assert everything == set(telling.nodes(house))
    assert not told_by(rights_in(house), "phone", "read")
    one = acl.users(house, {"hall": Client(doors=("front",), read_only=True, home_assistant=True)})[-1]
    told = {topic for _, topic in one.rights(house.home) if topic.startswith("homeassistant/device/")}
    assert not any("back" in topic for topic in told)
    assert ("write", "homeassistant/status") in set(one.rights(house.home))


def test_what_departed_is_taken_back_by_who_stays_and_home_assistant_hears_it() -> None:
    house = House.model_validate(houses.sections(("front",), ("porch",)))
    departed = ("facelatch-camera-yard", "facelatch-recognizer-main-yard", "facelatch-scheduler-main-back")
    rights = rights_in(house, Told(tuple(("sensor", node) for node in departed)).with_(house))
    assert set(departed) <= told_by(rights, "scheduler-main") & told_by(rights, "ha", "read")
    assert "facelatch-recognizer-main-yard" in told_by(rights, "recognizer-main")
    assert not any("yard" in node for user in ("camera-porch", "door-front") for node in told_by(rights, user))


@settings(max_examples=30)
@given(any_house())
def test_a_cameras_password_puts_nothing_into_home_assistant_that_commands(house: House) -> None:
    rights = rights_in(house)
    for user in rights:
        if user.startswith(("camera-", "recognizer-")):
            assert commanding(rights, user) == set()
    assert commanding(rights, "scheduler-main") <= {"switch", "button", "text"}


@pytest.mark.parametrize(
    ("before", "now", "may"), [("single", "single", False), ("device", "single", True), ("single", "device", True)]
)
def test_a_whole_device_is_told_by_who_chose_that_form_and_taken_back_by_who_did(
    before: str, now: str, may: bool
) -> None:
    content = houses.sections(("front",), ("porch",))
    earlier, house = (House.model_validate(content | {"home_assistant": {"discovery": form}}) for form in (before, now))
    rights = rights_in(house, Told().with_(earlier))
    whole = ("write", "homeassistant/device/facelatch-camera-porch/config")
    assert (whole in rights["camera-porch"]) is may
    assert ("write", "homeassistant/camera/facelatch-camera-porch/+/config") in rights["camera-porch"]
    assert (whole in rights_in(house, Told().with_(earlier).with_(house))["camera-porch"]) is (now == "device")


def test_what_a_door_had_may_be_taken_back_by_it() -> None:
    content = houses.sections(("front",), ("porch",))
    content["doors"]["front"]["test_pulse_s"] = 0.5
    before = House.model_validate(content)
    del content["doors"]["front"]["test_pulse_s"]
    house = House.model_validate(content)
    button = ("write", "homeassistant/button/facelatch-door-front/+/config")
    assert button not in rights_in(house)["door-front"]
    assert button in rights_in(house, NOTHING.with_(before))["door-front"]


def test_a_topic_of_a_new_shape_ends_with_an_error_instead_of_a_guess(monkeypatch: pytest.MonkeyPatch) -> None:
    odd = Topic("door/<door>/key/<key>", "door", ("people",), qos=0, retain=False)
    user = acl.User("door-front", frozenset(("door",)), ("front",), writes=(odd,))
    monkeypatch.setattr(acl, "ALL", (odd,))
    with pytest.raises(KeyError):
        list(user.rights(Household()))


def test_the_house_of_the_example_has_an_acl() -> None:
    house, _ = yamlfile.load(Path(__file__).parents[2] / "facelatch.example.yaml", House)
    assert ("write", "facelatch/door/front/grant") in rights_in(house)["scheduler-main"]
