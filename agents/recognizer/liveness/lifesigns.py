"""What is remembered of one tracked face's liveness. Pure: looks and time in."""

from __future__ import annotations

from collections import deque

from agents.recognizer.liveness.challenge import Trial
from agents.recognizer.liveness.look import Look, within
from agents.recognizer.liveness.rule import LEAST_FRAMES, LivenessRule, judge
from agents.wire.liveness import Challenge, Liveness

RECENT_S = 1.0
LONGER_S = 3.0  # in which somebody turns their head
MOST_LOOKS = 90
DEFAULT = LivenessRule()


class Lifesigns:
    """Of one track, from its first frame on. Times are monotonic seconds."""

    def __init__(self, rule: LivenessRule = DEFAULT) -> None:
        self._rule = rule
        self._looks: deque[Look] = deque(maxlen=MOST_LOOKS)
        self._trial: Trial | None = None
        self._since_s = float("inf")

    def add(self, look: Look) -> Liveness:
        """With one more look: what all of them say, and how far the challenge is."""
        self._looks.append(look)
        self._since_s = min(self._since_s, look.at_s)
        if self._trial is not None:
            self._trial.add(look)
        longer = within(self._looks, LONGER_S)
        recent = within(longer, RECENT_S)
        if len(recent) < LEAST_FRAMES:  # a slow machine
            recent = longer[-LEAST_FRAMES:]
        liveness = judge(self._rule, recent, longer, look.at_s - self._since_s)
        result = None if self._trial is None else self._trial.result
        return liveness.model_copy(update={"challenge": result})

    def ask(self, challenge: Challenge, now_s: float) -> None:
        """From now on the face has to do this; it replaces an earlier challenge. The same one counts once."""
        if self._trial is None or self._trial.id != challenge.id:
            self._trial = Trial(challenge, within(self._looks, RECENT_S), now_s)
