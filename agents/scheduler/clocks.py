"""Which frames are fresh and new, and whose clock is wrong where they are not. Pure."""

from __future__ import annotations

from agents.runtime.clock import Now
from agents.scheduler.objection import Objection
from agents.scheduler.visits import FUTURE_S, fresh
from agents.wire.identity import Identity
from agents.wire.why import Why

# The recognizer passes over what is older than its max_age_s, and the broker what waited for 5 s:
# an identity that says more than this was made by another clock.
BEHIND_S = 10.0


class Frames:
    """One door's look at each frame's age. `stale` and `repeated` count those that do not count."""

    def __init__(self, max_age_s: float) -> None:
        self._max_age_s = max_age_s
        self._newest: dict[str, tuple[float, int]] = {}  # camera: captured_at, seq
        self._ahead_s: dict[str, float] = {}
        self.stale = self.repeated = 0

    @property
    def disagreements(self) -> list[str]:
        """The cameras whose clock is not this machine's, in words."""
        return [_disagreement(camera, ahead_s) for camera, ahead_s in sorted(self._ahead_s.items())]

    def doubt(self, identity: Identity, now: Now) -> Objection | None:
        """Why the frame proves nothing; None for a fresh one."""
        ahead_s = identity.captured_at - now.utc
        if now.utc_is_set and (ahead_s > FUTURE_S or ahead_s < -BEHIND_S):
            self._ahead_s[identity.camera] = ahead_s
        else:
            self._ahead_s.pop(identity.camera, None)
        if fresh(identity, now, self._max_age_s):
            return None
        self.stale += 1
        if not now.utc_is_set:
            return Objection(Why.CLOCK_NOT_SET)
        if identity.camera in self._ahead_s:
            return Objection(Why.CAMERA_CLOCK, detail=_disagreement(identity.camera, ahead_s))
        return Objection(Why.STALE, detail=f"the frames of camera {identity.camera} were {-ahead_s:.1f} s old")

    def is_new(self, identity: Identity, now: Now) -> bool:
        """Whether it is newer than the one before: a repeated frame proves nothing."""
        frame = identity.captured_at, identity.seq
        newest = self._newest.get(identity.camera, (float("-inf"), -1))
        clock_went_back = newest[0] > now.utc + FUTURE_S
        if frame == newest or (not clock_went_back and (frame[0] <= newest[0] or frame[1] == newest[1])):
            self.repeated += 1
            return False
        self._newest[identity.camera] = frame
        return True


def _disagreement(camera: str, ahead_s: float) -> str:
    where = "ahead of" if ahead_s > 0 else "behind"
    return f"the clock of camera {camera} is {abs(ahead_s):.0f} s {where} this machine's"
