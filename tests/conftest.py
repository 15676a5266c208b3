from __future__ import annotations

import signal
from pathlib import Path
from types import FrameType

import hypothesis
import pytest

from demo import photos as demo_photos

hypothesis.settings.register_profile("facelatch", deadline=None)  # how long something takes is for benchmarks
hypothesis.settings.load_profile("facelatch")


def _interrupt(number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt(signal.Signals(number).name)


def pytest_sessionstart() -> None:
    """A test run that is told to end, or whose terminal is closed, stops what its fixtures started."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)


@pytest.fixture(scope="session")
def photos() -> dict[str, Path]:
    """Photographs by name, fetched once into the user's cache."""
    return demo_photos.photos()
