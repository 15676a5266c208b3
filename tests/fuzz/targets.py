"""What is fuzzed: every place where somebody else's bytes are read, and what is decided on them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module

SHARES = {"door": 15, "scheduler": 10, "commands": 25, "topics": 27, "recognizer": 17, "gallery": 3, "house_file": 3}
"""Percent of a long run's inputs, more for what can open a door and less for what is slow."""


@dataclass(frozen=True)
class Target:
    """`run` takes any bytes and returns in words what they led to.

    It raises AssertionError when a promise is broken; any other exception is a broken promise, too.
    `seeds` are inputs to begin with: what somebody thought of, and what once broke something.
    """

    run: Callable[[bytes], set[str]]
    seeds: Sequence[bytes]


def load(name: str) -> Target:
    """Imports what the target needs, and nothing that others need."""
    target = import_module(f"tests.fuzz.{name}").TARGET
    assert isinstance(target, Target)
    return target
