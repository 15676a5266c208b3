"""Houses for the broker's tests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from agents import house
from agents.house import House
from agents.runtime.clock import Now

NOW = Now(utc=1_800_000_000.0, mono=5000.0)  # in January 2027
DAY_S = 86_400.0

MQTT = "mqtt: { host: lock.local, port: 8883, tls: { ca_file: secrets/ca.crt }, credentials: secrets }\n"


def after(days: float) -> Now:
    return Now(NOW.utc + days * DAY_S, NOW.mono)


def sections(doors: Sequence[str] = ("front", "back"), cameras: Sequence[str] = ("porch", "yard")) -> dict[str, Any]:
    """A house's file without `mqtt`. The first camera serves the first door, and so on; the last one the rest."""
    return {
        "doors": {door: {"relay": {"pin": pin, "pin_factory": "mock"}} for pin, door in enumerate(doors, 2)},
        "cameras": {camera: {"source": index} for index, camera in enumerate(cameras)},
        "scheduler": {
            "timezone": "UTC",
            "doors": {door: {"cameras": [cameras[min(i, len(cameras) - 1)]]} for i, door in enumerate(doors)},
        },
    }


def text(doors: Sequence[str] = ("front", "back"), cameras: Sequence[str] = ("porch", "yard")) -> str:
    return str(yaml.safe_dump(sections(doors, cameras), sort_keys=False))


def write(folder: Path, content: str) -> tuple[House, Path]:
    path = folder / "facelatch.yaml"
    path.write_text(content, encoding="utf-8")
    return house.load(path), path
