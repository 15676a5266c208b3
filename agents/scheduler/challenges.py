"""Words the challenges of one house. Pure: chance is a parameter."""

from __future__ import annotations

from dataclasses import dataclass, field

from agents.runtime.clock import Now
from agents.scheduler.chance import Chance
from agents.scheduler.liveness_config import ChallengeTexts, Liveness
from agents.wire.identity import Face, Identity
from agents.wire.liveness import Challenge, HeadAction

Place = tuple[str, int]
"""A camera, and the track of a face there."""


@dataclass(frozen=True)
class _Running:
    """A challenge until a time (monotonic), and the `doors` that have asked for it."""

    challenge: Challenge
    until: float
    doors: set[str]


@dataclass
class Asks:
    """`chance` draws what is asked for, `texts` say it. A face does one thing at a time: two doors that see
    it by one camera ask for the same. No door asks for the same twice.
    """

    chance: Chance
    texts: ChallengeTexts
    _running: dict[Place, _Running] = field(default_factory=dict)

    def challenge(self, door: str, identity: Identity, face: Face, policy: Liveness, now: Now) -> Challenge:
        """An action of somebody who is known and followed."""
        assert face.track is not None
        self._running = {place: one for place, one in self._running.items() if now.mono < one.until}
        place = identity.camera, face.track
        running = self._running.get(place)
        if running is None or not _fits(running, door, face, policy):
            running = _Running(self._new(door, identity, face, policy, now), now.mono + policy.within_s, set())
            self._running[place] = running
        running.doors.add(door)
        within_s = min(policy.within_s, running.until - now.mono)
        return running.challenge.model_copy(
            update={"door": door, "asked_at": now.utc, "expires_at": now.utc + within_s}
        )

    def _new(self, door: str, identity: Identity, face: Face, policy: Liveness, now: Now) -> Challenge:
        assert face.person is not None
        assert face.track is not None
        action = self.chance.action([HeadAction(name) for name in policy.actions])
        return Challenge(
            id=self.chance.word(),
            door=door,
            camera=identity.camera,
            track=face.track,
            person=face.person,
            action=action,
            text=self.texts.of(action),
            asked_at=now.utc,
            expires_at=now.utc + policy.within_s,
        )


def _fits(running: _Running, door: str, face: Face, policy: Liveness) -> bool:
    """Whether another door may ask for it as well."""
    challenge = running.challenge
    return door not in running.doors and challenge.person == face.person and challenge.action in policy.actions
