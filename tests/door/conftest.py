from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agents.door import pins
from tests.door.house import Build, House


@pytest.fixture(autouse=True)
def fresh_pins() -> Iterator[None]:
    """Every test has a computer of its own."""
    pins.factory.cache_clear()
    yield
    pins.factory.cache_clear()


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Build]:
    """Makes houses on one disk, one after the other: when the next is made, the last loses its power."""
    built: list[House] = []

    def build(data: Path = tmp_path / "data", **settings: Any) -> House:
        for house in built:
            house.pull_the_plug()
        built.append(House(data, **settings))
        return built[-1]

    yield build
    for house in built:
        house.pull_the_plug()


@pytest.fixture
def house(build: Build) -> House:
    """Started and connected at 0."""
    made = build().start()
    made.connect()
    return made
