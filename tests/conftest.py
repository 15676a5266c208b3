from __future__ import annotations

from pathlib import Path

import pytest

from demo import photos as demo_photos


@pytest.fixture(scope="session")
def photos() -> dict[str, Path]:
    """Photographs by name, fetched once into the user's cache."""
    return demo_photos.photos()
