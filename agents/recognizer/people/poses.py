"""Guides a person at a camera through a few head positions, and keeps the best frame of each. Pure.

What was made of each frame comes in, with its time; what to say comes out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from agents.recognizer.people.gates import Flaw, Pose
from agents.runtime.clock import Now

Item = TypeVar("Item")

ENOUGH = 5  # frames to choose a position's best from
HOLD_S, LEAST = 2.0, 2  # or as many as come in so long, if at least so many
SETTLE_S = 0.5  # after a position is asked for, until a frame counts: the head is still on its way
BLIND_SETTLE_S = 2.0  # the same where a detector tells no pose, and nobody can see when it is there
PATIENCE_S = 15.0  # for one position, if nobody says else; then it goes on with the next
MIN_KEPT = 3
AHEAD = Pose(0.0, 0.0)

STRAIGHT_DEG, LEVEL_DEG = 10.0, 12.0
"""How far from the middle, across and up or down, is straight. People differ by 8 degrees up and down
(1 to 99 % of news photos), so that later positions are measured from one's own straight one."""
TURN_DEG = (10.0, 30.0)
NOD_DEG = (5.0, 15.0)
OTHERWISE_DEG = 10.0  # how far off the other angle may be


@dataclass(frozen=True)
class Position:
    """`turn` is 1 for the person's left, -1 for the right; `nod` 1 for chin down, -1 for up."""

    name: str
    ask: str
    turn: int = 0
    nod: int = 0


STRAIGHT = Position("straight", "look straight at the camera")
POSITIONS = (
    STRAIGHT,
    Position("left", "turn your head a little to the left", turn=1),
    Position("right", "turn your head a little to the right", turn=-1),
    Position("up", "chin up a little", nod=-1),
    Position("down", "chin down a little", nod=1),
)


@dataclass(frozen=True)
class Shot(Generic[Item]):
    """A good frame. `pose` is None where the detector does not tell; `item` is whatever is to be kept."""

    pose: Pose | None
    sharpness: float
    item: Item


@dataclass(frozen=True)
class Kept(Generic[Item]):
    """The sharpest of `frames` in a position."""

    position: Position
    frames: int
    shot: Shot[Item]


@dataclass(frozen=True)
class Missed:
    """A position that could not be had; `why` was the last hint."""

    position: Position
    why: str


@dataclass
class Guide(Generic[Item]):
    """`mirrored` is whether the camera's picture is: there left is right. `patience_s` is for one position."""

    mirrored: bool = False
    patience_s: float = PATIENCE_S
    hint: str = ""
    kept: list[Kept[Item]] = field(default_factory=list)
    _next: Iterator[Position] = field(default_factory=lambda: iter(POSITIONS))
    _asked: Position | None = None
    _asked_at: float = 0.0
    _first_at: float | None = None
    _frames: int = 0
    _best: Shot[Item] | None = None
    _own: Pose = AHEAD

    def start(self, now: Now) -> None:
        self._ask(now)

    @property
    def asked(self) -> Position | None:
        """The position that is asked for; None when it is over."""
        return self._asked

    @property
    def enough(self) -> bool:
        return len(self.kept) >= MIN_KEPT

    def see(self, seen: Shot[Item] | Flaw, now: Now) -> Kept[Item] | Missed | None:
        """Take in a frame. Says when that ends a position."""
        if self._asked is None:
            return None
        off = seen.hint if isinstance(seen, Flaw) else self._off(self._asked, seen.pose)
        if isinstance(seen, Flaw) or off is not None:
            self.hint = off or ""
        elif now.mono - self._asked_at >= (SETTLE_S if seen.pose else BLIND_SETTLE_S):
            self._take(seen, now)
        return self.tick(now)

    def tick(self, now: Now) -> Kept[Item] | Missed | None:
        """Say when the time for a position is up."""
        if self._asked is None:
            return None
        held = self._first_at is not None and now.mono - self._first_at >= HOLD_S
        if self._best is not None and (self._frames >= ENOUGH or (held and self._frames >= LEAST)):
            return self._keep(self._asked, self._best, now)
        if now.mono - self._asked_at < self.patience_s:
            return None
        missed = Missed(self._asked, self.hint or "no face in view")
        self._ask(now)
        return missed

    def _ask(self, now: Now) -> None:
        self._asked, self._asked_at = next(self._next, None), now.mono
        self._first_at, self._frames, self._best, self.hint = None, 0, None, ""

    def _take(self, shot: Shot[Item], now: Now) -> None:
        self._first_at = now.mono if self._first_at is None else self._first_at
        self._frames += 1
        self.hint = f"hold still ({self._frames}/{ENOUGH})"
        if self._best is None or shot.sharpness > self._best.sharpness:
            self._best = shot

    def _keep(self, position: Position, shot: Shot[Item], now: Now) -> Kept[Item]:
        kept = Kept(position, self._frames, shot)
        self.kept.append(kept)
        if position is STRAIGHT and shot.pose is not None:
            self._own = shot.pose
        self._ask(now)
        return kept

    def _off(self, position: Position, pose: Pose | None) -> str | None:
        """What to do to get into the position; None there."""
        if pose is None:
            return None
        side = -1 if self.mirrored else 1
        turned, nodded = side * (pose.yaw_deg - self._own.yaw_deg), pose.pitch_deg - self._own.pitch_deg
        if position is STRAIGHT:
            return None if abs(turned) <= STRAIGHT_DEG and abs(nodded) <= LEVEL_DEG else STRAIGHT.ask
        if position.turn:
            return _short_of(position.turn * turned, TURN_DEG, "turn") or _beside(nodded, "keep your chin level")
        return _short_of(position.nod * nodded, NOD_DEG, "move") or _beside(turned, "do not turn to the side")


def _short_of(angle_deg: float, wanted_deg: tuple[float, float], verb: str) -> str | None:
    least, most = wanted_deg
    if angle_deg < -least:
        return "the other way"
    if angle_deg < least:
        return f"{verb} a little more"
    return "not so far" if angle_deg > most else None


def _beside(angle_deg: float, hint: str) -> str | None:
    return hint if abs(angle_deg) > OTHERWISE_DEG else None
