"""What is said of a visit: the question to people, and the decision. Pure."""

from __future__ import annotations

from agents.runtime.clock import Now
from agents.scheduler.objection import Objection
from agents.scheduler.visits import Visit
from agents.wire.messages import Outcome
from agents.wire.scheduling import Decision, Question, Votes
from agents.wire.why import Why


def question(door: str, visit: Visit, within_s: float, now: Now) -> Question:
    """Whether the visit's person, who is known, may come in."""
    assert visit.person is not None
    identity = visit.last.identity
    return Question(
        id=identity.id,
        door=door,
        camera=identity.camera,
        person=visit.person,
        asked_at=now.utc,
        expires_at=now.utc + within_s,
    )


def decision(door: str, visit: Visit, needed: int, objection: Objection, now: Now) -> Decision:
    """How the visit ended; `needed` agreeing frames are enough."""
    identity, face = visit.last.identity, visit.last.face(visit.person)
    granted = objection.why is Why.CONFIRMED
    return Decision(
        id=visit.question.id if visit.question else identity.id,
        door=door,
        camera=identity.camera,
        outcome=Outcome.GRANTED if granted else Outcome.DENIED,
        reason=objection.why,
        person=visit.person,
        distance=face.distance,
        evidence=Votes(agreeing=visit.votes, needed=needed, frames=visit.frames, faces=len(identity.faces)),
        began_at=visit.began_at,
        captured_at=identity.captured_at,
        decided_at=now.utc,
        rule=objection.rule[:200],
        detail=objection.detail[:200],
        liveness=face.liveness,
    )
