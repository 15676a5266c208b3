from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from agents.recognizer.config import RecognizerSettings
from agents.recognizer.vision.engine import Engine
from demo import scenes

Scene = Callable[..., bytes]


@pytest.fixture(scope="session")
def engine() -> Engine:
    return Engine(RecognizerSettings(), Path())


@pytest.fixture(scope="session")
def scene(photos: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """A camera's JPEG, 640×360, of the hallway with these photos' people in it."""
    made: dict[tuple[str, ...], bytes] = {}

    def make(*names: str) -> bytes:
        if names not in made:
            folder = tmp_path_factory.mktemp("scene")
            if names:
                scenes.visit(folder, [photos[name] for name in names], count=1)
            else:
                scenes.hallway(folder, count=1)
            made[names] = next(folder.iterdir()).read_bytes()
        return made[names]

    return make
