"""How often somebody is let in, and what too many strangers lead to. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from agents.runtime.clock import Now
from agents.scheduler.config import DoorPolicy, LockOut
from agents.scheduler.objection import Objection
from agents.wire.why import Why

NEVER = float("-inf")
A_MINUTE_S = 60.0
REMEMBERED_PEOPLE = 1000  # beyond, those whose cool-down is over are forgotten


@dataclass
class _Camera:
    """`strangers` are the times of their visits, `until` is the end of the lock-out, `rounds` how many there were."""

    strangers: deque[float] = field(default_factory=deque)
    until: float = NEVER
    rounds: int = 0


class Limits:
    """One door's. All times are monotonic: nobody shortens them by setting a clock."""

    def __init__(self, policy: DoorPolicy) -> None:
        self._policy = policy
        self._granted: dict[str, float] = {}
        self._recent: deque[float] = deque(maxlen=policy.grants_per_minute)
        self._cameras: dict[str, _Camera] = {}

    def objection(self, person: str, camera: str, now: Now) -> Objection | None:
        """What is against letting the person in."""
        locked_s = self._cameras.get(camera, _Camera()).until - now.mono
        if locked_s > 0:
            return Objection(
                Why.LOCKED_OUT, detail=f"camera {camera} saw too many strangers; for {locked_s:.0f} s more"
            )
        cool_s = self._granted.get(person, NEVER) + self._policy.cool_down_s - now.mono
        if cool_s > 0:
            return Objection(Why.COOL_DOWN, detail=f"for {cool_s:.0f} s more")
        if len(self._recent) == self._recent.maxlen and now.mono - self._recent[0] < A_MINUTE_S:
            return Objection(Why.TOO_MANY, detail=f"{len(self._recent)} in the last minute")
        return None

    def granted(self, person: str, camera: str, now: Now) -> None:
        if len(self._granted) > REMEMBERED_PEOPLE:
            self._granted = {p: at for p, at in self._granted.items() if now.mono - at < self._policy.cool_down_s}
        self._granted[person] = now.mono
        self._recent.append(now.mono)
        self._cameras.pop(camera, None)

    def stranger(self, camera: str, now: Now) -> None:
        """A visit of strangers ended. What comes during a lock-out does not prolong it."""
        rule = self._policy.lock_out
        state = self._cameras.setdefault(camera, _Camera())
        if rule is None or now.mono < state.until:
            return
        state.strangers.append(now.mono)
        while now.mono - state.strangers[0] > rule.within_s:
            state.strangers.popleft()
        if len(state.strangers) >= rule.after:
            state.strangers.clear()
            if now.mono - state.until > rule.at_most_s:
                state.rounds = 0  # the last one is long over
            state.until = now.mono + _length_s(rule, state.rounds)
            state.rounds += 1

    def locked_out(self, now: Now) -> list[str]:
        """The cameras that open nothing at present."""
        return sorted(camera for camera, state in self._cameras.items() if now.mono < state.until)


def _length_s(rule: LockOut, rounds: int) -> float:
    return min(rule.at_most_s, rule.for_s * 2.0 ** min(rounds, 60))
