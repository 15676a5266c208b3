"""Which of a camera's snapshots goes with what. Pure.

The recognizer publishes one a second at most, after the identity it belongs to: where there is none
of this visit yet, the next one is waited for.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from agents.runtime.clock import Now

WAIT_S = 3.0  # no longer is a snapshot waited for
BEFORE_S = 1.0  # of who walked up a moment before
MOST_WAITING = 100
T = TypeVar("T")


@dataclass(frozen=True)
class _Waiting(Generic[T]):
    camera: str
    began_at: float  # UTC, by the camera's clock
    since: float  # monotonic
    what: T


class Album(Generic[T]):
    """The newest snapshot of each camera, and what waits for one."""

    def __init__(self) -> None:
        self._newest: dict[str, tuple[float, bytes]] = {}
        self._waiting: deque[_Waiting[T]] = deque(maxlen=MOST_WAITING)

    def add(self, camera: str, captured_at: float, jpeg: bytes, now: Now) -> Iterator[tuple[T, bytes]]:
        """A snapshot came: with what it goes."""
        self._newest[camera] = captured_at, jpeg
        waiting, self._waiting = self._waiting, deque(maxlen=MOST_WAITING)
        for one in waiting:
            if now.mono - one.since > WAIT_S:
                continue
            if one.camera == camera and _shows(captured_at, one.began_at):
                yield one.what, jpeg
            else:
                self._waiting.append(one)

    def ask(self, camera: str, began_at: float, what: T, now: Now) -> bytes | None:
        """The snapshot of a visit that began then; where there is none yet, `add` will tell."""
        captured_at, jpeg = self._newest.get(camera, (float("-inf"), b""))
        if _shows(captured_at, began_at):
            return jpeg
        self._waiting.append(_Waiting(camera, began_at, now.mono, what))
        return None


def _shows(captured_at: float, began_at: float) -> bool:
    return captured_at >= began_at - BEFORE_S
