from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from agents.recognizer.vision.models import Models
from tests.recognizer.vision.mirror import Site, entry


@pytest.fixture
def models(tmp_path: Path) -> Models:
    return Models({"net": entry()}, tmp_path, tmp_path / "data/models")


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name in ("files", "moved", "short", "slow", "closed"):
        monkeypatch.setattr(Site, name, type(getattr(Site, name))())
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    yield f"http://127.0.0.1:{server.server_port}"
    Site.closed.set()
    server.shutdown()
    server.server_close()
