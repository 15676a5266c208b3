"""Who may do what, at the very broker that `facelatch broker init` makes.

What is expected stands here in full, topic by topic, and comes from nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product

import pytest
from paho.mqtt.enums import MQTTProtocolVersion

from agents.wire.topics import ALL
from tests.live.production import Guest, ProductionBroker
from tests.live.tools import PATIENCE_S, wait_until

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
    front: { cameras: [porch] }
    back: { cameras: [yard] }
"""

GROUPS = {
    "COMMANDERS-OF-FRONT": {"unlock", "phone-1", "home"},
    "COMMANDERS-OF-BACK": {"unlock", "home"},
    "SWITCHERS-OF-FRONT": {"phone-1", "home"},
    "SWITCHERS-OF-BACK": {"home"},
    "SEE-FRONT": {"watch", "phone-1", "panel", "home"},
    "SEE-BACK": {"watch", "home"},
    "DOORS": {"door-front", "door-back"},
}

# topic | who may write it | who may read it; nobody else may
MATRIX = """
camera/porch/frame                | camera-porch        | recognizer-main enroll SEE-FRONT
camera/yard/frame                 | camera-yard         | recognizer-main enroll SEE-BACK
recognizer/porch/identity         | recognizer-main     | scheduler-main SEE-FRONT
recognizer/yard/identity          | recognizer-main     | scheduler-main SEE-BACK
recognizer/porch/person           | recognizer-main     | SEE-FRONT
recognizer/yard/person            | recognizer-main     | SEE-BACK
recognizer/porch/snapshot         | recognizer-main     | scheduler-main SEE-FRONT
recognizer/yard/snapshot          | recognizer-main     | scheduler-main SEE-BACK
recognizer/porch/event            | recognizer-main     | SEE-FRONT
recognizer/yard/event             | recognizer-main     | SEE-BACK
scheduler/front/decision          | scheduler-main      | SEE-FRONT
scheduler/back/decision           | scheduler-main      | SEE-BACK
scheduler/front/last              | scheduler-main      | SEE-FRONT
scheduler/back/last               | scheduler-main      | SEE-BACK
scheduler/front/window            | scheduler-main      | SEE-FRONT
scheduler/back/window             | scheduler-main      | SEE-BACK
scheduler/front/enabled           | scheduler-main      | SEE-FRONT
scheduler/back/enabled            | scheduler-main      | SEE-BACK
scheduler/front/enabled/set       | SWITCHERS-OF-FRONT  | scheduler-main
scheduler/back/enabled/set        | SWITCHERS-OF-BACK   | scheduler-main
scheduler/front/let_in            | scheduler-main      | SEE-FRONT
scheduler/front/let_in/set        | SWITCHERS-OF-FRONT  | scheduler-main
scheduler/front/question          | scheduler-main      | SEE-FRONT
scheduler/front/question/snapshot | scheduler-main      | SEE-FRONT
scheduler/front/challenge         | scheduler-main      | recognizer-main door-front SEE-FRONT
scheduler/front/answer            | SWITCHERS-OF-FRONT  | scheduler-main
scheduler/back/let_in             | scheduler-main      | SEE-BACK
scheduler/back/let_in/set         | SWITCHERS-OF-BACK   | scheduler-main
scheduler/back/question           | scheduler-main      | SEE-BACK
scheduler/back/question/snapshot  | scheduler-main      | SEE-BACK
scheduler/back/challenge          | scheduler-main      | recognizer-main door-back SEE-BACK
scheduler/back/answer             | SWITCHERS-OF-BACK   | scheduler-main
scheduler/main/away               | scheduler-main      | SEE-FRONT
scheduler/main/away/set           | home                | scheduler-main
door/front/grant                  | scheduler-main      | door-front
door/back/grant                   | scheduler-main      | door-back
door/front/command                | COMMANDERS-OF-FRONT | door-front
door/back/command                 | COMMANDERS-OF-BACK  | door-back
door/front/session                | door-front          | scheduler-main unlock SEE-FRONT
door/back/session                 | door-back           | scheduler-main unlock SEE-BACK
door/front/state                  | door-front          | SEE-FRONT
door/back/state                   | door-back           | SEE-BACK
door/front/contact                | door-front          | SEE-FRONT
door/back/contact                 | door-back           | SEE-BACK
door/front/hold_s                 | door-front          | SEE-FRONT
door/back/hold_s                  | door-back           | SEE-BACK
door/front/hold_s/set             | SWITCHERS-OF-FRONT  | door-front
door/back/hold_s/set              | SWITCHERS-OF-BACK   | door-back
door/front/event                  | door-front          | journal SEE-FRONT
door/back/event                   | door-back           | journal SEE-BACK
reply/unlock/word                 | DOORS               | unlock
reply/enroll/word                 | DOORS               |
reply/watch/word                  | DOORS               | watch
reply/phone-1/word                | DOORS               | phone-1
reply/panel/word                  | DOORS               | panel
reply/home/word                   | DOORS               | home
reply/camera-porch/word           | DOORS               |
door/front/availability           | door-front          | journal scheduler-main SEE-FRONT
door/back/availability            | door-back           | journal scheduler-main SEE-BACK
camera/porch/availability         | camera-porch        | journal SEE-FRONT
camera/yard/availability          | camera-yard         | journal SEE-BACK
recognizer/main/availability      | recognizer-main     | journal SEE-FRONT
scheduler/main/availability       | scheduler-main      | journal SEE-FRONT
door/front/health                 | door-front          | SEE-FRONT
door/back/health                  | door-back           | SEE-BACK
camera/porch/health               | camera-porch        | SEE-FRONT
camera/yard/health                | camera-yard         | SEE-BACK
recognizer/main/health            | recognizer-main     | SEE-FRONT
scheduler/main/health             | scheduler-main      | SEE-FRONT
"""
# What Home Assistant is told of: node | the kinds of entities | who tells
TOLD = """
door-front            | lock number event sensor binary_sensor device_automation  | door-front
door-back             | lock number event sensor binary_sensor device_automation  | door-back
camera-porch          | camera sensor binary_sensor                               | camera-porch
camera-yard           | camera sensor binary_sensor                               | camera-yard
recognizer-main       | sensor binary_sensor                                      | recognizer-main
recognizer-main-porch | sensor event image                                        | recognizer-main
recognizer-main-yard  | sensor event image                                        | recognizer-main
scheduler-main        | switch sensor binary_sensor                               | scheduler-main
scheduler-main-front  | switch sensor event text binary_sensor device_automation tag | scheduler-main
scheduler-main-back   | switch sensor event text binary_sensor device_automation tag | scheduler-main
"""
# Near what somebody may write, and nobody's.
ELSEWHERE = [
    "facelatch",
    "facelatch/door/front",
    "facelatch/door/side/command",
    "facelatch/door/front/command/now",
    "facelatch/door/front/availability/x",
    "facelatch/reply/phone-1",
    "facelatch/reply/phone-1/word/more",
    "facelatch/recognizer/main/frame",
    "Facelatch/door/front/command",
    "other/door/front/command",
    "door/front/command",
    "$SYS/broker/uptime",
    "$CONTROL/dynamic-security/v1",
    "homeassistant/lock/door/front/config",
    "homeassistant/button/facelatch-camera-porch/x/config",
    "homeassistant/switch/facelatch-recognizer-main/x/config",
    "homeassistant/device/facelatch-door-front/config",
    "homeassistant/lock/facelatch-door-front/config",
    "homeassistant/lock/facelatch-door-side/x/config",
    "homeassistant/sensor/zigbee2mqtt/x/config",
]
EVERYTHING = ("#", "$SYS/#", "$CONTROL/#", "$share/thieves/#", "facelatch/+/+/+", "facelatch/reply/+/+")
PROGRAMS = ("door-front", "door-back", "camera-porch", "camera-yard", "recognizer-main", "scheduler-main")
PEOPLE = ("unlock", "enroll", "watch", "phone-1", "panel", "home")
USERS = (*PROGRAMS, "journal", *PEOPLE)


def members(words: str) -> set[str]:
    return set().union(*(GROUPS.get(word, {word}) for word in words.split()), set())


@dataclass(frozen=True)
class Row:
    writers: set[str]
    readers: set[str]


def rows() -> dict[str, Row]:
    split = [[part.strip() for part in line.split("|")] for line in MATRIX.strip().splitlines()]
    assert all(len(parts) == 3 for parts in split)
    house = {f"facelatch/{topic}": Row(members(writers), members(readers)) for topic, writers, readers in split}
    told = [[part.strip() for part in line.split("|")] for line in TOLD.strip().splitlines()]
    entities = {
        f"homeassistant/{kind}/facelatch-{node}/x/config": Row({writer}, {"home"})
        for node, kinds, writer in told
        for kind in kinds.split()
    }
    return house | entities | {"homeassistant/status": Row({"home"}, set(PROGRAMS))}


ROWS = rows()


def test_the_table_has_every_topic_with_every_name() -> None:
    names = {"<camera>": ("porch", "yard"), "<door>": ("front", "back"), "<client>": (*PEOPLE, "camera-porch")}
    names["<id>"] = ("main",)
    agents = [tuple(user.split("-")) for user in PROGRAMS]
    found = set()
    for topic in (topic for topic in ALL if topic.below == "house"):
        first, *rest = [level for level in topic.path.split("/") if level.startswith("<")]
        fillings = agents if first == "<agent>" else product(names[first], *(["word"] for _ in rest))
        found |= {topic.at("facelatch", *filling) for filling in fillings}
    assert found == {topic for topic in ROWS if topic.startswith("facelatch/")}
    assert all(row.writers | row.readers <= set(USERS) for row in ROWS.values())


def test_the_table_says_what_a_lock_must_keep() -> None:
    """Only the scheduler grants, only people command, and a camera reads nothing and writes its own."""
    for topic, row in ROWS.items():
        assert not topic.endswith("/grant") or row.writers == {"scheduler-main"}
        assert not topic.endswith(("/command", "/set")) or not row.writers & {*PROGRAMS, "enroll", "watch", "panel"}
        assert topic == "homeassistant/status" or not row.readers & {"camera-porch", "camera-yard"}
        assert "camera-porch" not in row.writers or "camera/porch/" in topic or "camera-porch/" in topic


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProductionBroker]:
    made = ProductionBroker(tmp_path_factory.mktemp("production"), HOUSE)
    made.facelatch("broker", "add-client", "phone-1", "--door", "front")
    made.facelatch("broker", "add-client", "panel", "--door", "front", "--read-only")
    made.facelatch("broker", "add-client", "home", "--home-assistant")
    made.start()
    yield made
    made.home.stop_all()
    made.stop()


@dataclass
class Seen:
    """What really happened when everybody wrote everywhere and listened to everything."""

    taken: set[tuple[str, str]] = field(default_factory=set)  # (writer, topic)
    heard: set[tuple[str, str, str]] = field(default_factory=set)  # (reader, topic, writer)


def everybody_everywhere(broker: ProductionBroker, *, retain: bool) -> Seen:
    """Everybody publishes on every topic, a message that says by whom it is. Where it is retained, those
    who listen come only then.
    """
    seen, topics = Seen(), [*ROWS, *ELSEWHERE]
    guests = {user: broker.guest(user) for user in USERS}
    if not retain:
        for guest in guests.values():
            guest.listen(*EVERYTHING)
    for user, guest in guests.items():
        taken = guest.say_all([(topic, f"by {user}") for topic in topics], retain=retain)
        seen.taken |= {(user, topic) for topic in taken}
    for user, guest in guests.items():
        if retain:
            guest.listen(*EVERYTHING)
        guest.settle()
        seen.heard |= {(user, topic, payload.removeprefix("by ")) for topic, payload in guest.heard}
        guest.close()
    return seen


@pytest.fixture(scope="module")
def live(broker: ProductionBroker) -> Seen:
    return everybody_everywhere(broker, retain=False)


def expected_takings() -> set[tuple[str, str]]:
    return {(writer, topic) for topic, row in ROWS.items() for writer in row.writers}


def expected_hearings(last_only: bool = False) -> set[tuple[str, str, str]]:
    return {
        (reader, topic, writer)
        for topic, row in ROWS.items()
        for reader in row.readers
        for writer in (row.writers if not last_only else [max(row.writers, key=USERS.index)])
    }


def test_everybody_may_write_their_own_topics_and_nothing_else(live: Seen) -> None:
    assert live.taken - expected_takings() == set()
    assert expected_takings() - live.taken == set()


def test_everybody_hears_what_is_meant_for_them_and_nothing_else_whatever_they_subscribe_to(live: Seen) -> None:
    assert live.heard - expected_hearings() == set()
    assert expected_hearings() - live.heard == set()


def test_the_same_goes_for_what_the_broker_keeps(broker: ProductionBroker) -> None:
    kept = everybody_everywhere(broker, retain=True)
    assert kept.taken == expected_takings()
    assert kept.heard - expected_hearings(last_only=True) == set()
    assert expected_hearings(last_only=True) - kept.heard == set()


@pytest.mark.parametrize(
    ("user", "wishes"),
    [
        (None, {}),
        ("", {"password": ""}),
        ("door-front", {"password": None}),
        ("door-front", {"password": ""}),
        ("door-front", {"password": "wrong"}),
        ("stranger", {"password": "wrong"}),
        (None, {"client_id": "door-front"}),
        ("Door-Front", {"password": "door-front's own"}),
        ("camera-porch", {"password": "door-front's own"}),
    ],
)
@pytest.mark.parametrize("protocol", [MQTTProtocolVersion.MQTTv311, MQTTProtocolVersion.MQTTv5])
def test_nobody_gets_in_without_the_password_of_that_user(
    broker: ProductionBroker, user: str | None, wishes: dict[str, str], protocol: MQTTProtocolVersion
) -> None:
    if wishes.get("password") == "door-front's own":
        wishes = {"password": broker.password("door-front")}
    assert Guest(broker, user, protocol=protocol, **wishes).code == "Not authorized"  # type: ignore[arg-type]


def test_nobody_gets_in_without_tls(broker: ProductionBroker) -> None:
    assert Guest(broker, "watch", password=broker.password("watch"), tls=False).code is None


def test_a_last_will_is_published_only_where_its_owner_may_write(broker: ProductionBroker) -> None:
    """A broken-into camera leaves wills behind: an unlock, and the news that the door is gone."""
    door, watch = broker.guest("door-front"), broker.guest("watch")
    for ear in (door, watch):
        ear.listen(*EVERYTHING)
    for topic in ("door/front/command", "door/front/availability", "door/front/grant", "scheduler/front/enabled/set"):
        for retain in (False, True):
            will = (f"facelatch/{topic}", "a stranger's will", retain)
            thief = Guest(broker, "camera-porch", password=broker.password("camera-porch"), will=will)
            if thief.code == "Success":
                thief.vanish()
    broker.guest("camera-porch", will=("facelatch/camera/porch/availability", "its own will", False)).vanish()
    watch.wait("facelatch/camera/porch/availability", "its own will")  # as those before it were dealt with
    door.settle()
    late = broker.guest("scheduler-main")
    late.listen(*EVERYTHING)
    late.settle()
    for guest in (door, watch, late):
        assert "a stranger's will" not in {payload for _, payload in guest.heard}
        guest.close()


@pytest.mark.parametrize("client_id", ["door-front", "facelatch-door-front"])
@pytest.mark.parametrize("protocol", [MQTTProtocolVersion.MQTTv311, MQTTProtocolVersion.MQTTv5])
def test_nobody_takes_a_doors_place_with_its_client_id(
    broker: ProductionBroker, client_id: str, protocol: MQTTProtocolVersion
) -> None:
    door = broker.guest("door-front", client_id="facelatch-door-front")
    door.listen("facelatch/door/front/command")
    phone = broker.guest("phone-1", client_id=client_id, protocol=protocol)
    phone.say("facelatch/door/front/command", f"from {client_id}")
    door.wait("facelatch/door/front/command", f"from {client_id}")
    assert not door.lost.is_set()
    for guest in (phone, door):
        guest.close()


@pytest.fixture
def door(broker: ProductionBroker) -> Iterator[Guest]:
    """A real door agent at that broker; what is said about it is heard."""
    ear = broker.guest("home")
    ear.listen("facelatch/door/front/#")
    process = broker.home.start("door", "front")
    ear.wait("facelatch/door/front/availability", "online")
    ear.heard.clear()  # other tests left retained messages
    yield ear
    process.terminate()
    process.wait(PATIENCE_S)
    ear.close()


def test_a_real_door_is_opened_by_those_who_may(broker: ProductionBroker, door: Guest) -> None:
    for user in ("unlock", "phone-1"):
        opened = broker.home.run("unlock", "front", "--as", user)
        assert opened.returncode == 0, opened.stderr
        assert opened.stdout.startswith("front: unlocked")


def test_a_real_door_stays_shut_for_a_camera_and_for_those_who_only_watch(
    broker: ProductionBroker, door: Guest
) -> None:
    for user in ("camera-porch", "door-back", "watch", "panel", "recognizer-main", "scheduler-main"):
        thief = broker.guest(user)
        assert not thief.say("facelatch/door/front/command", "UNLOCK")
        assert not thief.say("facelatch/door/front/command", "UNLOCK", retain=True)
        thief.close()
    assert broker.home.run("unlock", "front", "--as", "camera-porch", "--timeout", "0.5").returncode == 1
    assert broker.home.run("unlock", "front", "--lock").returncode == 0  # the door has read all before it
    door.settle()
    events = [payload for topic, payload in door.heard if topic == "facelatch/door/front/event"]
    assert [('"locked"' in event, '"unlocked"' in event) for event in events] == [(True, False)]
    assert ("facelatch/door/front/state", "UNLOCKED") not in door.heard


@pytest.mark.parametrize(("user", "hears"), [("enroll", True), ("unlock", False)])
def test_who_enrolls_sees_the_camera_and_who_unlocks_does_not(broker: ProductionBroker, user: str, hears: bool) -> None:
    command = ("enroll", "Ana", "--camera", "porch", "--timeout", "2", "--as", user)
    process, camera = broker.home.start(*command), broker.guest("camera-porch")
    said = broker.home.log_of(*command)
    wait_until("it waits for the camera", lambda: "waiting for camera porch" in said.read_text())
    assert camera.say("facelatch/camera/porch/frame", "no picture at all")
    assert process.wait(PATIENCE_S) == 1
    assert ("its frames are refused: is not a JPEG" in said.read_text()) is hears
    camera.close()
