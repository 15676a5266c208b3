from __future__ import annotations

from collections.abc import Iterator

import pytest

from agents.door import pins


@pytest.fixture(autouse=True)
def fresh_pins() -> Iterator[None]:
    """Every test has a computer of its own."""
    pins.factory.cache_clear()
    yield
    pins.factory.cache_clear()
