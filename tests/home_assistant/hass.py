"""A real Home Assistant in a folder of its own.

It is started and driven by ha_probe.py, which stands beside the machines that build this project and is
no part of it: in ../shared/ha, or where FACELATCH_SHARED says.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import urllib.request
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from tests.live.tools import wait_until

ROOT = Path(__file__).parents[2]
SHARED = Path(os.environ.get("FACELATCH_SHARED") or ROOT.parent / "shared")
BLUEPRINTS = ROOT / "home-assistant" / "blueprints"
VERSIONS = ("2024", "2025")
PATIENCE_S = 60.0
NONE_YET = "automation: []\n"
MORE = f"mobile_app:\nzone:\nperson:\ninput_button:\n  bell:\n    name: Bell\n{NONE_YET}"
LOUD = re.compile(r"\S+ \S+ (WARNING|ERROR|CRITICAL) ")
OF_THE_MACHINE = ("zlib_ng and isal are not available", "Error loading libturbojpeg")
RESTARTS = 100  # the status with which Home Assistant asks to be started again


def program(version: str) -> str | None:
    """The `hass` to test with, where there is one."""
    return os.environ.get(f"HASS_{version}") or None


@cache
def probe_module() -> Any:
    spec = importlib.util.spec_from_file_location("ha_probe", SHARED / "ha" / "ha_probe.py")
    assert spec is not None
    assert spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.CONFIGURATION += MORE
    return module


class Hass:
    """Give `close` a turn at the end. `log` is what it warned of, until then."""

    def __init__(self, path: str) -> None:
        self._module = probe_module()
        self._probe = self._module.HomeAssistant(path, verbose=False)
        try:
            self._probe.start()
            shutil.copytree(BLUEPRINTS, Path(self._probe.dir) / "blueprints", dirs_exist_ok=True)
        except BaseException:
            self._probe.stop()
            raise
        self.folder = Path(self._probe.dir)
        self._history: list[dict[str, Any]] = []
        self._listen()

    def close(self) -> None:
        self._probe.stop()

    @property
    def url(self) -> str:
        return str(self._probe.url)

    @property
    def version(self) -> str:
        return str(self._probe.version)

    @property
    def timings(self) -> Mapping[str, float]:
        """Seconds from the start, by what was reached then."""
        return dict(self._probe.timings)

    def rest(self, method: str, path: str, body: object = None) -> Any:
        return self._probe.rest(method, path, body)

    def ask(self, command: str, **data: object) -> Any:
        """A command of the WebSocket API."""
        return self._probe.ws.command(command, **data)

    def call(self, service: str, entity: str | None = None, **data: object) -> None:
        """As a person does it in the interface."""
        status, answer = self._probe.call(service, entity, data)
        assert status == 200, f"{service} of {entity}: {answer}"

    # -- what it makes of the house --------------------------------------------

    def states(self) -> dict[str, dict[str, Any]]:
        """Of every entity, by its id."""
        return dict(self._probe.states())

    def state(self, entity: str) -> str | None:
        found = self._probe.state(entity)
        return None if found is None else str(found)

    def attributes(self, entity: str) -> dict[str, Any]:
        return dict(self.states()[entity]["attributes"])

    def wait(self, entity: str, *wanted: str) -> str:
        """Until the entity has one of these states."""
        wait_until(f"{entity} {wanted}, not {self.state(entity)}", lambda: self.state(entity) in wanted, PATIENCE_S)
        return self.state(entity) or ""

    def mark(self) -> int:
        """A place in what the entities went through; `since` of the other calls."""
        return len(self._history)

    def went_through(self, entity: str, since: int = 0) -> list[dict[str, Any]]:
        """All states of the entity, with their attributes."""
        return [state for state in self._history[since:] if state["entity_id"] == entity]

    def wait_state_since(self, entity: str, since: int) -> None:
        """Until the entity has another state, or attributes, than at that place in its history."""
        wait_until(f"news of {entity}", lambda: bool(self.went_through(entity, since)), PATIENCE_S)

    def listen(self, event: str, heard: Callable[[dict[str, Any]], None]) -> None:
        """Until the next restart."""
        self._probe.ws.command("subscribe_events", on_event=heard, event_type=event)

    def watch(self, trigger: Mapping[str, Any], fired: Callable[[dict[str, Any]], None]) -> None:
        """A trigger as an automation would use it, until the next restart."""
        config = {key: value for key, value in trigger.items() if key != "metadata"}
        self._probe.ws.command("subscribe_trigger", on_event=fired, trigger=config)

    def pretend(self, entity: str, state: str) -> None:
        """An entity of another's, such as a person, in this state; made where there is none."""
        self.rest("POST", f"/api/states/{entity}", {"state": state})

    def rest_bytes(self, path: str) -> bytes:
        """What the telephone's app gets when it is told to fetch something."""
        return bytes(self._probe._request("GET", path, raw=True)[2])

    def picture(self, entity: str) -> bytes:
        return bytes(self._probe.image(entity)[1])

    def entities(self) -> dict[str, dict[str, Any]]:
        """The registry's entries of all that came by MQTT."""
        listed = self.ask("config/entity_registry/list")
        return {entry["entity_id"]: entry for entry in listed if entry["platform"] == "mqtt"}

    def devices(self) -> dict[str, dict[str, Any]]:
        """Those that came by MQTT, by name."""
        listed = self.ask("config/device_registry/list")
        return {device["name"]: device for device in listed if device["manufacturer"] == "Facelatch"}

    def triggers(self, device: str) -> list[dict[str, Any]]:
        """The device's triggers that its MQTT messages make."""
        listed = self.ask("device_automation/trigger/list", device_id=self.devices()[device]["id"])
        return [trigger for trigger in listed if trigger["domain"] == "mqtt"]

    def warnings(self) -> list[str]:
        """All that it complained of so far, but for the way it was started."""
        text = re.sub(r"\x1b\[[0-9;]*m", "", Path(self._probe.log_path).read_text(errors="replace"))
        records = re.split(r"^(?=\d{4}-\d\d-\d\d [\d:.]+ [A-Z]+ \()", text, flags=re.MULTILINE)
        loud = [record.strip() for record in records if LOUD.match(record)]
        harmless = (*self._module.HARMLESS, *OF_THE_MACHINE)
        return [record for record in loud if not any(words in record for words in harmless)]

    # -- its settings ------------------------------------------------------------

    def connect(self, port: int, user: str, password: str, authority: Path) -> None:
        """The dialogue that a person goes through: user and password, TLS with the house's own authority."""
        broker = {"broker": "127.0.0.1", "port": port, "username": user, "password": password}
        flow = self.rest("POST", "/api/config/config_entries/flow", {"handler": "mqtt", "show_advanced_options": True})
        step = f"/api/config/config_entries/flow/{flow['flow_id']}"
        self.rest("POST", step, {**broker, "advanced_options": True})
        with_tls = {**broker, "set_client_cert": False, "set_ca_cert": "custom", "tls_insecure": False}
        self.rest("POST", step, with_tls)
        done = self.rest("POST", step, {**with_tls, "certificate": self._upload(authority)})
        assert done["type"] == "create_entry", done
        self._wait_loaded(done["result"]["entry_id"])

    def automate(self, *automations: Mapping[str, object]) -> None:
        """These automations, and no others. JSON is YAML too."""
        text = json.dumps([{"id": f"test-{i}", **one} for i, one in enumerate(automations)])
        (self.folder / "automations.yaml").write_text(text, encoding="utf-8")
        configuration = self.folder / "configuration.yaml"
        settings = configuration.read_text(encoding="utf-8")
        configuration.write_text(settings.replace(NONE_YET, "automation: !include automations.yaml\n"))
        self.call("automation.reload")

    def restart(self) -> None:
        """From its own interface, as after an update."""
        self.call("homeassistant.restart")
        self._probe.ws.close()
        assert self._probe._proc.wait(PATIENCE_S) == RESTARTS, "Home Assistant ended, and did not ask to be restarted"
        self._start_again()

    def _start_again(self) -> None:
        env = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "PYTHONHOME")}
        with Path(self._probe.log_path).open("ab") as log:
            self._probe._proc = subprocess.Popen(
                [self._probe.hass, "-c", str(self.folder), "--skip-pip"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                env=env,
                start_new_session=True,
                preexec_fn=self._module._die_with_parent,
            )
        wait_until("Home Assistant is there again", self._runs, PATIENCE_S)
        self._probe.ws = self._module.WebSocket(self._probe.port, self._probe.token)
        self._listen()

    def _listen(self) -> None:
        def changed(event: dict[str, Any]) -> None:
            state = event["data"]["new_state"]
            self._history.append(state or {"entity_id": event["data"]["entity_id"], "state": None, "attributes": {}})

        self.listen("state_changed", changed)

    def _runs(self) -> bool:
        try:
            return bool(self.rest("GET", "/api/config")["state"] == "RUNNING")
        except (OSError, self._module.ProbeError):
            return False

    def _wait_loaded(self, entry: str) -> None:
        def loaded() -> bool:
            return any(e["entry_id"] == entry and e["state"] == "loaded" for e in self.ask("config_entries/get"))

        wait_until("Home Assistant has the broker", loaded, PATIENCE_S)

    def _upload(self, path: Path) -> str:
        """As a browser uploads a file. Returns its id."""
        edge = "facelatch-upload"
        head = f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="{path.name}"\r\n'
        body = f"{head}Content-Type: application/x-x509-ca-cert\r\n\r\n".encode()
        body += path.read_bytes() + f"\r\n--{edge}--\r\n".encode()
        request = urllib.request.Request(f"{self.url}/api/file_upload", body)
        request.add_header("Authorization", f"Bearer {self._probe.token}")
        request.add_header("Content-Type", f"multipart/form-data; boundary={edge}")
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return str(json.load(answer)["file_id"])
