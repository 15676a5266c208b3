"""A telephone with Home Assistant's app: what the app says to Home Assistant, and what it is told."""

from __future__ import annotations

import json
import queue
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.home_assistant.hass import PATIENCE_S, Hass

CLEAR = "clear_notification"
APP = {
    "device_id": "telephone-1",
    "app_id": "io.homeassistant.companion.android",
    "app_name": "Home Assistant",
    "app_version": "2024.1.1",
    "manufacturer": "Somebody",
    "model": "Telephone",
    "os_name": "Android",
    "os_version": "14",
    "supports_encryption": False,
}


class Phone:
    """Its notifications go over a service of the maker's; here that is a server on loopback."""

    def __init__(self, hass: Hass, name: str) -> None:
        self._hass, self._came = hass, queue.Queue[dict[str, Any]]()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        push = {"push_token": "a-token", "push_url": f"http://127.0.0.1:{self._server.server_port}/push"}
        app = {**APP, "device_name": name, "app_data": push}
        self._webhook = hass.rest("POST", "/api/mobile_app/registrations", app)["webhook_id"]
        self.device = next(d["id"] for d in hass.ask("config/device_registry/list") if d["name"] == name)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def next(self) -> dict[str, Any]:
        """The next notification."""
        return self._came.get(timeout=PATIENCE_S)

    def silent(self) -> bool:
        """Nothing came that was not looked at."""
        return self._came.empty()

    def press(self, action: str) -> None:
        """The button with this name, on whatever notification it is."""
        event = {"event_type": "mobile_app_notification_action", "event_data": {"action": action}}
        self._hass.rest("POST", f"/api/webhook/{self._webhook}", {"type": "fire_event", "data": event})

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        came = self._came

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                came.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(201)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Handler


def button(notification: dict[str, Any]) -> str:
    """What its only button says to Home Assistant."""
    (only,) = notification["data"]["actions"]
    return str(only["action"])
