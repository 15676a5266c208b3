"""The stamp a frame carries beside its JPEG, in MQTT 5 user properties."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from agents.wire.messages import BadMessage, Refusal

CAPTURED_AT, SEQ = "captured_at", "seq"


@dataclass(frozen=True)
class Stamp:
    """When a frame was captured (UTC seconds) and its number since the camera started."""

    captured_at: float
    seq: int

    def properties(self) -> tuple[tuple[str, str], ...]:
        return ((CAPTURED_AT, f"{self.captured_at:.6f}"), (SEQ, str(self.seq)))

    @classmethod
    def of(cls, properties: Sequence[tuple[str, str]]) -> Stamp | None:
        """From a frame's user properties; None where it has none. Raises BadMessage."""
        found = {key: value for key, value in properties if key in (CAPTURED_AT, SEQ)}
        if not found:
            return None
        try:
            stamp = cls(float(found[CAPTURED_AT]), int(found[SEQ]))
        except (KeyError, ValueError):
            raise BadMessage(
                Refusal.MALFORMED, f"user properties {found!s:.100} are no {CAPTURED_AT} and {SEQ}"
            ) from None
        if not (math.isfinite(stamp.captured_at) and 0 <= stamp.captured_at < 1e11 and 0 <= stamp.seq < 2**53):
            raise BadMessage(Refusal.MALFORMED, f"user properties {found!s:.100} are out of range")
        return stamp
