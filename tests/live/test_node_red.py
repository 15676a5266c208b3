"""`docs/node-red.json` in a real Node-RED, between a real mosquitto and real agents; the test plays the recognizer.

Needs `node-red` on the PATH (`npm install node-red` in some folder, and that folder's `node_modules/.bin`).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from demo.house import free_port
from tests.live.production import ProductionBroker
from tests.live.tools import PATIENCE_S, Broker, Ear, Home, wait_until

FLOW = Path(__file__).parents[2] / "docs" / "node-red.json"
PROGRAM = shutil.which("node-red")
SETTINGS = """\
module.exports = {{ uiHost: "127.0.0.1", uiPort: {port}, flowFile: "flows.json", telemetry: {{ enabled: false }},
                    logging: {{ console: {{ level: "info" }} }} }};
"""

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="node-red is not on the PATH")


class NodeRed:
    """A headless Node-RED, which works and keeps its files in the folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._url = folder, f"http://127.0.0.1:{(port := free_port())}"
        (folder / "settings.js").write_text(SETTINGS.format(port=port), encoding="utf-8")
        with (folder / "node-red.log").open("wb") as log:
            command = [str(PROGRAM), "--userDir", str(folder), "--settings", str(folder / "settings.js")]
            env = {**os.environ, "NODE_RED_DISABLE_TELEMETRY": "true"}
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, env=env)
        self.wait_for_log("Started flows")

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(PATIENCE_S)

    def import_flow(self, nodes: list[dict[str, Any]]) -> None:
        """As a person does in the editor, and deploys."""
        self._post("/flows", json.dumps(nodes).encode())
        self.wait_for_log("Connected to broker")

    def press(self, inject: str) -> None:
        self._post(f"/inject/{inject}", b"")

    def wait_for_log(self, text: str, times: int = 1) -> None:
        log = self.folder / "node-red.log"
        wait_until(f"Node-RED says {text!r}", lambda: log.read_text(encoding="utf-8").count(text) >= times)

    def _post(self, path: str, body: bytes) -> None:
        request = urllib.request.Request(self._url + path, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            assert answer.status in (200, 204)


@pytest.fixture
def node_red(tmp_path: Path) -> Iterator[NodeRed]:
    (tmp_path / "node-red").mkdir()
    made = NodeRed(tmp_path / "node-red")
    yield made
    made.stop()


def flow_for(broker: Broker) -> list[dict[str, Any]]:
    """The file as it is, but for the broker's port, and what it shows is shown in the log too."""
    nodes: list[dict[str, Any]] = json.loads(FLOW.read_text(encoding="utf-8"))
    for node in nodes:
        if node["type"] == "mqtt-broker":
            node["port"] = str(broker.port)
        if node["type"] == "debug":
            node["console"] = True
    return nodes


def test_the_flow_unlocks_shows_switches_and_saves(home: Home, ear: Ear, broker: Broker, node_red: NodeRed) -> None:
    home.start("door", "front")
    home.start("scheduler")
    ear.wait("door/front/availability", lambda h: h.text == "online")
    ear.wait("scheduler/front/enabled", lambda h: h.text == "ON")
    node_red.import_flow(flow_for(broker))

    node_red.press("unlock")
    unlocked = ear.event("unlocked", source="Node-RED", cause="command")
    node_red.press("lock")
    ear.event("locked")
    node_red.wait_for_log("[debug:the lock] UNLOCKED")
    node_red.wait_for_log("[debug:the lock] LOCKED")
    node_red.wait_for_log("[debug:what the door did, or refused]")
    node_red.wait_for_log(f"seq: {unlocked['seq']}")

    mark = ear.mark()
    node_red.press("faces-off")
    ear.wait("scheduler/front/enabled", lambda h: h.text == "OFF")
    node_red.wait_for_log("[debug:face unlock] OFF")
    node_red.press("faces-on")
    ear.wait("scheduler/front/enabled", lambda h: h.text == "ON", mark)

    ear.say("recognizer/front/person", "Ana Kovač", retain=True)
    node_red.wait_for_log("[debug:who is at the door] Ana Kovač")
    jpeg = bytes([0xFF, 0xD8, *range(256), 0xFF, 0xD9])  # every byte there is: nothing may take it for text
    ear.say("recognizer/front/snapshot", jpeg, retain=True)
    saved = node_red.folder / "facelatch-front.jpg"
    wait_until("the picture is saved as it is", lambda: saved.exists() and saved.read_bytes() == jpeg)
    for topic in ("door/front/command", "scheduler/front/enabled/set"):
        assert [heard.retain for heard in ear.all(topic)].count(True) == 0


def test_what_is_pressed_while_the_broker_is_away_is_not_sent_later(
    home: Home, ear: Ear, broker: Broker, node_red: NodeRed
) -> None:
    home.start("door", "front")
    ear.wait("door/front/availability", lambda h: h.text == "online")
    node_red.import_flow(flow_for(broker))
    broker.stop()
    node_red.wait_for_log("Disconnected from broker")
    node_red.press("unlock")
    mark = ear.mark()
    broker.start()
    ear.wait("door/front/availability", lambda h: h.text == "online", mark)
    node_red.wait_for_log("Connected to broker", times=2)
    node_red.press("lock")  # whatever was kept would have come before it
    ear.wait("door/front/command", lambda h: h.json["action"] == "LOCK", mark)
    assert [heard.json["action"] for heard in ear.all("door/front/command")] == ["LOCK"]
    assert ear.all("door/front/event") == []


def test_it_works_with_tls_and_a_password_as_the_page_says(tmp_path: Path, node_red: NodeRed) -> None:
    site = ProductionBroker(tmp_path)
    site.facelatch("broker", "add-client", "nodered", "--door", "front")
    site.start()
    try:
        site.home.start("door")
        watch = site.guest("watch")
        watch.listen("facelatch/door/front/#")
        watch.wait("facelatch/door/front/availability", "online")
        ca = {"id": "tls", "type": "tls-config", "cert": "", "key": "", "verifyservercert": True}
        ca["ca"] = str(tmp_path / "secrets" / "ca.crt")
        flow = flow_for(site)
        (server,) = (node for node in flow if node["type"] == "mqtt-broker")
        credentials = {"user": "nodered", "password": site.password("nodered")}
        server.update(broker="127.0.0.1", usetls=True, tls="tls", credentials=credentials)
        node_red.import_flow([*flow, ca])
        node_red.press("unlock")
        wait_until("the door opens", lambda: any('"source":"Node-RED"' in payload for _, payload in watch.heard))
        node_red.wait_for_log("[debug:the lock] UNLOCKED")
        watch.close()
    finally:
        site.home.stop_all()
        site.stop()
