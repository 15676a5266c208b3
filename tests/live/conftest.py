from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.tools import Broker, Ear, Home


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """A real mosquitto, running."""
    made = Broker(tmp_path)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def home(tmp_path: Path, broker: Broker) -> Iterator[Home]:
    made = Home(tmp_path, broker.port)
    yield made
    made.stop_all()


@pytest.fixture
def ear(broker: Broker) -> Iterator[Ear]:
    made = Ear(broker.port)
    made.wait_until_listening()
    yield made
    made.close()
