"""Whether a face did what it was asked to do, and nothing else before. Pure.

The tip of the nose tells turns and nods (see `depth`): a picture that is tilted does not move it as far. The
person's own left is on the right of a picture that is not mirrored.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from agents.recognizer.liveness.blink import blinks
from agents.recognizer.liveness.look import Look, Shape
from agents.wire.liveness import Challenge, ChallengeResult, ChallengeState, HeadAction

TURN, NOD = 0.1, 0.08  # how far the tip of the nose goes, in distances of the outer corners of the eyes
ASIDE = 0.05  # and where a turned head's is, whichever way it was held before
REST_LOOKS = 3  # say how the head was held before
REACTION_S = 0.25  # who moves sooner did not wait to be asked
UNBROKEN_S = 0.5  # between two looks; a longer gap hides what happened in it


class Trial:
    """One challenge of one track. `before` are the looks before it was asked. Times are monotonic seconds."""

    def __init__(self, challenge: Challenge, before: Sequence[Look], now_s: float) -> None:
        self.id, self._action = challenge.id, challenge.action
        self._asked_s, self._until_s = now_s, now_s + challenge.expires_at - challenge.asked_at
        self._rest = [look.shape for look in before if look.shape is not None][-REST_LOOKS:]
        self._shapes: list[Shape] = []
        self._last_s = now_s
        self.state = ChallengeState.PENDING
        self.seen: HeadAction | None = None

    @property
    def result(self) -> ChallengeResult:
        return ChallengeResult(id=self.id, state=self.state, seen=self.seen)

    def add(self, look: Look) -> None:
        """The next look at the face. Once it has ended, a challenge stays as it ended."""
        if self.state is not ChallengeState.PENDING:
            return
        gap_s, self._last_s = look.at_s - self._last_s, look.at_s
        if gap_s > UNBROKEN_S or look.at_s > self._until_s:
            self.state = ChallengeState.FAILED
        elif look.shape is not None:
            self._follow(look.shape, look.at_s)

    def _follow(self, shape: Shape, at_s: float) -> None:
        if len(self._rest) < REST_LOOKS:
            self._rest.append(shape)
            return
        self._shapes.append(shape)
        self.seen = self._moved() or self._blinked()
        if self.seen is not None:
            passed = self.seen is self._action and at_s - self._asked_s >= REACTION_S
            self.state = ChallengeState.PASSED if passed else ChallengeState.FAILED

    def _moved(self) -> HeadAction | None:
        """What the head did in two looks one after the other."""
        x, y = median(s.nose_x for s in self._rest), median(s.nose_y for s in self._rest)
        did = [_movement(shape, x, y) for shape in self._shapes[-2:]]
        return did[0] if len(did) == 2 and did[0] is did[1] else None

    def _blinked(self) -> HeadAction | None:
        """Everybody blinks now and then: it is something that was done only where it was asked for."""
        if self._action is not HeadAction.BLINK_TWICE:
            return None
        return HeadAction.BLINK_TWICE if blinks([shape.eyes for shape in self._shapes]) >= 2 else None


def _movement(shape: Shape, rest_x: float, rest_y: float) -> HeadAction | None:
    """How the head is held now, against how it was held before."""
    across, down = shape.nose_x - rest_x, shape.nose_y - rest_y
    if across >= TURN and shape.nose_x >= ASIDE:
        return HeadAction.TURN_LEFT
    if across <= -TURN and shape.nose_x <= -ASIDE:
        return HeadAction.TURN_RIGHT
    return HeadAction.NOD if abs(down) >= NOD and abs(across) < TURN else None
