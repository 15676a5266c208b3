"""What each printed recipe has to do. Who prints a new one writes its check here."""

from __future__ import annotations

import json
from collections.abc import Callable

import cv2
import numpy as np

from tests.live.recipe_stand import (
    COMMAND,
    HOLD,
    JPEG,
    PERSON,
    SNAPSHOT,
    Stand,
    following,
)
from tests.live.tools import wait_until

CHECKS: dict[str, Callable[[Stand, str], None]] = {}
Check = Callable[[Stand, str], None]


def checks(*commands: str) -> Callable[[Check], Check]:
    def note(check: Check) -> Check:
        CHECKS.update(dict.fromkeys(commands, check))
        return check

    return note


TO_DOOR = "mosquitto_pub -t facelatch/door/front/command"


@checks(f"{TO_DOOR} -m UNLOCK")
def unlock(stand: Stand, recipe: str) -> None:
    mark = stand.ear.mark()
    stand.run(recipe)
    stand.ear.event("unlocked", mark, cause="command", source=None)


@checks(f"{TO_DOOR} -m LOCK")
def lock(stand: Stand, recipe: str) -> None:
    mark = stand.ear.mark()
    stand.ear.say(COMMAND, "UNLOCK")
    stand.ear.event("unlocked", mark)
    stand.run(recipe)
    assert stand.ear.event("locked", mark)["cause"] in ("command", "timeout")
    assert not stand.ear.wait(COMMAND, lambda heard: heard.text == "LOCK", mark).retain


@checks(
    TO_DOOR + """ -m '{"action":"UNLOCK","source":"Ana, shell","ts":'$(date +%s)'}'""",
    TO_DOOR + """ -m '{"action":"UNLOCK","source":"Ana, shell","session":"'"""
    """$(mosquitto_sub -t facelatch/door/front/session -C 1 -W 5)'"}'""",
    TO_DOOR + """ -m '{"action":"UNLOCK","ts":'$(date +%s)',"source":"Ana, shell","id":"shell-'$(date +%s)-$$'"}'""",
)
def unlock_and_say_who(stand: Stand, recipe: str) -> None:
    mark = stand.ear.mark()
    stand.run(recipe)
    event = stand.ear.event("unlocked", mark, cause="command", source="Ana, shell")
    assert (event["id"] or "").startswith("shell-") == ('"id"' in recipe)


@checks("mosquitto_rr -t facelatch/door/front/command -e facelatch/reply/shell/1 -m UNLOCK -W 5")
def unlock_and_wait(stand: Stand, recipe: str) -> None:
    mark = stand.ear.mark()
    answer = json.loads(stand.run(recipe))
    assert answer == stand.ear.event("unlocked", mark, cause="command")


@checks(f"{TO_DOOR} -r -n")
def forget(stand: Stand, recipe: str) -> None:
    mark = stand.ear.mark()
    stand.ear.say(COMMAND, "UNLOCK", qos=1, retain=True)
    stand.ear.event("rejected", mark, reason="retained")
    mark = stand.ear.mark()
    stand.run(recipe)
    stand.ear.event("rejected", mark)
    kept = "mosquitto_sub --retained-only -t facelatch/door/front/command -W 1"
    assert stand.run(kept, until_time_is_over=True) == ""


@checks("mosquitto_sub -t facelatch/door/front/state -C 1 -W 5")
def state(stand: Stand, recipe: str) -> None:
    assert stand.run(recipe) == "LOCKED\n"


@checks("mosquitto_sub -t facelatch/door/front/event")
def events(stand: Stand, recipe: str) -> None:
    stand.follow(recipe, stand.pulse, '"unlocked"', '"locked"')


@checks("mosquitto_sub -t 'facelatch/door/front/#' -v")
def the_door(stand: Stand, recipe: str) -> None:
    stand.follow(recipe, stand.pulse, "door/front/state LOCKED", "door/front/state UNLOCKED", 'event {"seq":')


@checks("mosquitto_sub -t facelatch/scheduler/front/decision")
def decisions(stand: Stand, recipe: str) -> None:
    stand.follow(recipe, lambda: stand.refuse(stand.ask()), '"denied"', '"declined"')


@checks("mosquitto_sub -t facelatch/scheduler/front/last -C 1 -W 5")
def last_decision(stand: Stand, recipe: str) -> None:
    question = stand.ask()
    stand.refuse(question)
    assert json.loads(stand.run(recipe))["person"] == question["person"]


@checks("mosquitto_sub -t facelatch/scheduler/front/challenge")
def challenges(stand: Stand, recipe: str) -> None:
    """Said in the scheduler's place: the doors here do not ask."""
    text = '{"action":"nod","text":"Please nod"}'
    stand.follow(recipe, lambda: stand.ear.say("scheduler/front/challenge", text), text)


@checks("mosquitto_sub -t facelatch/recognizer/front/person -C 1 -W 5")
def person(stand: Stand, recipe: str) -> None:
    stand.ear.say(PERSON, "Ana Kovač", qos=1, retain=True)
    assert stand.run(recipe) == "Ana Kovač\n"


@checks("mosquitto_sub -t 'facelatch/+/+/availability' -F '%t %p' -W 2")
def who_is_there(stand: Stand, recipe: str) -> None:
    agents = ("camera/front", "door/front", "scheduler/main")
    said = stand.run(recipe, until_time_is_over=True)
    assert sorted(said.splitlines()) == [f"facelatch/{agent}/availability online" for agent in agents]


@checks(
    "mosquitto_sub -v -t 'facelatch/#' -T 'facelatch/camera/+/frame' -T 'facelatch/+/+/snapshot'"
    " -T 'facelatch/+/+/question/snapshot'"
)
def all_but_pictures(stand: Stand, recipe: str) -> None:
    def something_of_all() -> None:
        stand.show()
        stand.pulse()

    stand.follow(recipe, something_of_all, "facelatch/door/front/event ", "facelatch/scheduler/main/health ")
    # what it printed is text; a picture would not have been readable
    assert "/frame" not in (stand.folder / "followed.txt").read_text(encoding="utf-8")


@checks("mosquitto_sub -t facelatch/camera/front/frame -C 1 -W 10 -N > frame.jpg")
def frame(stand: Stand, recipe: str) -> None:
    stand.run(recipe)
    saved = (stand.folder / "frame.jpg").read_bytes()
    wait_until("the same frame", lambda: saved in [heard.payload for heard in stand.ear.all("camera/front/frame")])
    assert cv2.imdecode(np.frombuffer(saved, np.uint8), cv2.IMREAD_COLOR) is not None


@checks("mosquitto_pub -t facelatch/camera/yard/frame -f picture.jpg")
def publish_a_frame(stand: Stand, recipe: str) -> None:
    """What a recognizer makes of such a frame is in test_foreign_cameras.py."""
    (stand.folder / "picture.jpg").write_bytes(JPEG)
    mark = stand.ear.mark()
    stand.run(recipe)
    heard = stand.ear.wait("camera/yard/frame", since=mark)
    assert (heard.payload, heard.retain) == (JPEG, False)


@checks("mosquitto_pub -t facelatch/camera/yard/frame -f picture.jpg")
def be_a_camera(stand: Stand, recipe: str) -> None:
    """That it arrives as a camera's frame would; what a recognizer makes of such a one is tested with the cameras."""
    (stand.folder / "picture.jpg").write_bytes(JPEG)
    assert not stand.hears(recipe, "camera/yard/frame", lambda heard: heard.payload == JPEG).retain


@checks("mosquitto_sub -t facelatch/recognizer/front/snapshot -C 1 -W 10 -N > snapshot.jpg")
def snapshot(stand: Stand, recipe: str) -> None:
    stand.show()
    stand.run(recipe)
    assert (stand.folder / "snapshot.jpg").read_bytes() == JPEG


@checks("mosquitto_sub -t facelatch/scheduler/front/question/snapshot -C 1 -N > question.jpg")
def picture_of_who_asks(stand: Stand, recipe: str) -> None:
    def somebody_asks() -> None:
        question = stand.ask()
        stand.show()
        stand.refuse(question)

    with following(recipe, stand.folder, stand.env):
        saved = stand.folder / "question.jpg"

        def is_saved() -> bool:
            somebody_asks()
            return saved.exists() and saved.read_bytes() == JPEG

        wait_until("the picture is saved", is_saved)


@checks("mosquitto_pub -t facelatch/door/front/hold_s/set -m 4.5")
def hold(stand: Stand, recipe: str) -> None:
    assert stand.hears(recipe, HOLD, lambda heard: heard.text == "4.5").retain
    stand.ear.say(f"{HOLD}/set", "0.5")


@checks("mosquitto_sub -t facelatch/door/front/hold_s -C 1 -W 5")
def how_long(stand: Stand, recipe: str) -> None:
    mark = stand.ear.mark()
    stand.ear.say(f"{HOLD}/set", "0.5")
    stand.ear.wait(HOLD, lambda heard: heard.text == "0.5", mark)
    assert stand.run(recipe) == "0.5\n"


@checks("mosquitto_sub -t 'facelatch/#' -W 2 -F '%r %t %l bytes' | grep ^1")
def what_is_kept(stand: Stand, recipe: str) -> None:
    stand.show()
    listed = stand.run(recipe, until_time_is_over=True)
    assert "1 facelatch/door/front/state 6 bytes\n" in listed
    assert f"1 facelatch/{SNAPSHOT} {len(JPEG)} bytes\n" in listed
    assert not {line.split()[1].rpartition("/")[2] for line in listed.splitlines()} & {
        "command",
        "answer",
        "set",
        "frame",
    }
