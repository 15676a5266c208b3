"""Words the challenges of one house. Pure: chance is a parameter."""

from __future__ import annotations

from dataclasses import dataclass

from agents.runtime.clock import Now
from agents.scheduler.chance import Chance
from agents.scheduler.liveness_config import ChallengeTexts, Liveness
from agents.wire.identity import Face, Identity
from agents.wire.liveness import Challenge, HeadAction


@dataclass(frozen=True)
class Asks:
    """`chance` draws what is asked for, `texts` say it."""

    chance: Chance
    texts: ChallengeTexts

    def challenge(self, door: str, identity: Identity, face: Face, policy: Liveness, now: Now) -> Challenge:
        """An action of somebody who is known and followed."""
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
