"""What nobody can know beforehand: which action is asked for."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Protocol

from agents.wire.liveness import HeadAction


class Chance(Protocol):
    def action(self, actions: Sequence[HeadAction]) -> HeadAction:
        """One of them."""

    def word(self) -> str:
        """One that never comes twice."""


class Secret:
    """From the operating system's generator."""

    def action(self, actions: Sequence[HeadAction]) -> HeadAction:
        return secrets.choice(actions)

    def word(self) -> str:
        return secrets.token_hex(8)
