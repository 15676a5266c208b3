"""Where the printed recipes are tried: a shell beside a house, with a broker that asks nothing, and with a real door's.

Door, scheduler and camera are real; the test plays the recognizer.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from tests.live.production import ProductionBroker
from tests.live.tools import PATIENCE_S, Broker, Ear, Heard, Home, wait_until

HOUSE = """\
mqtt: {{ port: {port} }}
clock: trust
doors:
  front: {{ relay: {{ pin: 17, pin_factory: mock }}, hold_s: 0.5 }}
cameras:
  front: {{ source: camera, rate_fps: 10, stalled_after_s: 1 }}
scheduler:
  timezone: UTC
  doors:
    front:
      cameras: [front]
      liveness: off
      windows: [{{ who: everybody, days: mon-sun, from: 00:00, to: 24:00, confirm: phone }}]
      evidence: {{ frames: 1, of: 1 }}
      confirm_within_s: 60
      visit_gap_s: 20
      cool_down_s: 0
      lock_out: null
"""
COMMAND, EVENT, HOLD = "door/front/command", "door/front/event", "door/front/hold_s"
PERSON, SNAPSHOT = "recognizer/front/person", "recognizer/front/snapshot"
ENABLED, AWAY, LET_IN = "scheduler/front/enabled", "scheduler/main/away", "scheduler/front/let_in"
QUESTION, DECISION = "scheduler/front/question", "scheduler/front/decision"
JPEG = bytes(
    [0xFF, 0xD8, *range(256), 10, 13, 10, 0xFF, 0xD9]
)  # every byte, line ends at the end too: none may be lost


def environment(folder: Path, **more: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return {**kept, "HOME": str(folder), "PWD": str(folder), **more}


def shell(command: str, folder: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    arguments = ["bash", "-uo", "pipefail", "-c", command]
    return subprocess.run(
        arguments, cwd=folder, env=env, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )


@contextlib.contextmanager
def following(command: str, folder: Path, env: dict[str, str]) -> Iterator[Callable[[], str]]:
    """The command goes on in the background; gives what it has said so far."""
    with (folder / "followed.txt").open("wb") as said:
        # `exec`: bash makes room for the command, so that ending the one ends the other
        process = subprocess.Popen(["bash", "-c", f"exec {command}"], cwd=folder, env=env, stdout=said)
    try:
        yield lambda: (folder / "followed.txt").read_text(encoding="utf-8")
    finally:
        process.kill()
        process.wait(PATIENCE_S)


class Stand:
    """A broker without passwords, a house, and a shell in an empty folder."""

    def __init__(self, folder: Path) -> None:
        self.broker = Broker(folder)
        self.broker.start()
        self.home, self.seq = Home(folder, self.broker.port), itertools.count(1)
        self.home.config.write_text(HOUSE.format(port=self.broker.port), encoding="utf-8")
        self.folder = folder / "shell"
        (self.folder / "options").mkdir(parents=True)
        for tool in ("pub", "sub", "rr"):
            (self.folder / "options" / f"mosquitto_{tool}").write_text(f"-p {self.broker.port}\n")
        self.env = environment(self.folder, XDG_CONFIG_HOME=str(self.folder / "options"))
        self.ear = Ear(self.broker.port)
        self.ear.wait_until_listening()
        self._start_agents()

    def _start_agents(self) -> None:
        (self.home.folder / "camera").mkdir()
        for seed in range(6):
            noise = np.random.default_rng(seed).integers(0, 255, (120, 160, 3), np.uint8)
            cv2.imwrite(str(self.home.folder / "camera" / f"{seed}.jpg"), noise)
        for agent in ("door", "scheduler", "camera"):
            self.home.start(agent)
        for who in ("door/front", "scheduler/main", "camera/front"):
            self.ear.wait(f"{who}/availability", lambda heard: heard.text == "online")

    def close(self) -> None:
        self.home.stop_all()
        self.ear.close()
        self.broker.stop()

    def run(self, recipe: str, *, until_time_is_over: bool = False) -> str:
        """What the recipe printed."""
        done = shell(recipe, self.folder, self.env)
        # mosquitto_sub ends with 27 when its -W is over, mostly
        assert done.returncode in ((0, 27) if until_time_is_over else (0,)), done.stderr
        return done.stdout

    def hears(self, recipe: str, topic: str, wanted: Callable[[Heard], bool]) -> Heard:
        """The recipe makes somebody say this."""
        mark = self.ear.mark()
        self.run(recipe)
        return self.ear.wait(topic, wanted, mark)

    def follow(self, recipe: str, cause: Callable[[], object], *wanted: str) -> None:
        """The recipe goes on printing; when `cause` has happened (often enough), it has printed what is wanted."""
        with following(recipe, self.folder, self.env) as said:

            def printed() -> bool:
                cause()
                return all(word in said() for word in wanted)

            wait_until(f"{recipe} prints {wanted}", printed)

    def locked(self) -> None:
        """Until what the recipe before has opened is shut again."""

        def times(kind: str) -> int:
            return [heard.json["event_type"] for heard in self.ear.all(EVENT)].count(kind)

        wait_until("the door is locked", lambda: times("locked") == times("unlocked"))

    def pulse(self) -> None:
        mark = self.ear.mark()
        self.ear.say(COMMAND, "UNLOCK")
        self.ear.event("unlocked", mark)
        self.ear.event("locked", mark)

    def switch(self, topic: str, word: str) -> None:
        mark = self.ear.mark()
        self.ear.say(f"{topic}/set", word)
        self.ear.wait(topic, lambda heard: heard.text == word, mark)

    def see(self, person: str, id_: str | None = None) -> None:
        """As the recognizer would say it."""
        seq, box = next(self.seq), {"left": 0, "top": 0, "width": 90, "height": 90}
        face = {"person": person, "distance": 0.3, "margin": None, "box": box, "sharpness": 99.0}
        identity = {"id": id_ or f"front-{seq}", "camera": "front", "captured_at": time.time(), "seq": seq}
        self.ear.say("recognizer/front/identity", json.dumps({**identity, "faces": [face]}))

    def ask(self, id_: str | None = None) -> dict[str, Any]:
        """Somebody new comes, and the scheduler asks about them."""
        mark, person = self.ear.mark(), f"Visitor {next(self.seq)}"

        def asked() -> bool:
            self.see(person, id_)
            time.sleep(0.2)
            return bool(self.ear.all(QUESTION, mark))

        wait_until(f"the question about {person}", asked)
        return self.ear.all(QUESTION, mark)[0].json

    def decide(self, question: dict[str, Any], answer: Callable[[], object]) -> dict[str, Any]:
        """How the visit ends when this is answered; the person stays."""

        def decided() -> list[Heard]:
            return [heard for heard in self.ear.all(DECISION) if heard.json["person"] == question["person"]]

        def happens() -> bool:
            answer()
            self.see(question["person"])
            time.sleep(0.3)  # an answer counts from one second after the question on
            return bool(decided())

        wait_until("the decision", happens)
        return decided()[-1].json

    def refuse(self, question: dict[str, Any]) -> None:
        self.decide(question, lambda: self.ear.say("scheduler/front/answer", "NO"))

    def show(self) -> None:
        """The recognizer's snapshot of this moment."""
        mark = self.ear.mark()
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.UserProperty = [("captured_at", f"{time.time():.6f}"), ("seq", str(next(self.seq)))]
        self.ear.client.publish(f"facelatch/{SNAPSHOT}", JPEG, 0, True, properties)
        self.ear.wait(SNAPSHOT, since=mark)  # so the broker has it


class Site:
    """A real door's broker, with TLS, passwords and an ACL; and a shell beside copies of what it takes."""

    def __init__(self, folder: Path) -> None:
        self.broker = ProductionBroker(folder)
        self.broker.facelatch("broker", "add-client", "ana", "--door", "front")
        self.broker.facelatch("broker", "add-client", "ana-looks", "--door", "front", "--read-only")
        self.broker.start()
        self.broker.home.start("door")
        self.watch = self.broker.guest("watch")
        self.watch.listen("facelatch/#")
        self.watch.wait("facelatch/door/front/availability", "online")
        self.folder = folder / "shell"
        self.folder.mkdir()
        (self.folder / "secrets").symlink_to(folder / "secrets")
        self.env = environment(self.folder, BROKER="127.0.0.1", PORT=str(self.broker.port))

    def close(self) -> None:
        self.watch.close()
        self.broker.home.stop_all()
        self.broker.stop()

    def run(self, recipe: str) -> str:
        done = shell(recipe, self.folder, self.env)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    def unlocks(self, recipe: str) -> None:
        mark = len(self.watch.heard)
        self.run(recipe)
        wait_until("the door opened", lambda: self._opened(mark))

    def _opened(self, since: int) -> bool:
        said = self.watch.heard[since:]
        events = [json.loads(payload)["event_type"] for topic, payload in said if topic.endswith("door/front/event")]
        return "unlocked" in events or "extended" in events

    def follows(self, recipe: str, unlock: str) -> None:
        """The recipe shows what happens, also while the other user opens the door."""
        with following(recipe, self.folder, self.env) as said:

            def is_shown() -> bool:
                self.unlocks(unlock)
                return said().count('"cause":"command"') >= 2

            wait_until("both are shown", is_shown)
