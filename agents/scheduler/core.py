"""Who may open a door, and when. Pure: identities and time in, decisions and grants out.

A visit begins with the first frame with a face and ends when no face was seen for `visit_gap_s`.
A person counts as seen when agreeing, distinct, fresh frames say so. In one visit a person is
granted at most once, and each denial is told once, not once a frame. Where somebody else stays in
view (a receptionist, a poster), a person who was out of view for `visit_gap_s` begins anew.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from agents.runtime.clock import Now
from agents.scheduler.config import DoorPolicy
from agents.wire.messages import Decision, Face, Grant, Identity, Outcome, Why

GRANT_VALID_S = 5.0
FUTURE_S = 1.0  # how far ahead a camera's clock may be

Effect = Decision | Grant


@dataclass(frozen=True)
class Sighting:
    """What one frame with faces says: the nearest face of each known person."""

    identity: Identity
    known: dict[str, Face]

    @classmethod
    def of(cls, identity: Identity) -> Sighting:
        known: dict[str, Face] = {}
        for face in identity.faces:
            if face.person is not None and _nearer(face, known.get(face.person)):
                known[face.person] = face
        return cls(identity, known)

    def track(self, person: str) -> int | None:
        """Which face the person is, where the recognizer follows faces."""
        return self.known[person].track


@dataclass
class Visit:
    """Somebody stands before one camera."""

    began_at: float  # UTC, by the camera's clock
    recent: deque[Sighting]
    last_face_at: float  # monotonic
    frames: int = 0
    told: set[tuple[str | None, Why]] = field(default_factory=set)
    seen_at: dict[str, float] = field(default_factory=dict)  # person: monotonic
    back_at: dict[str, float] = field(default_factory=dict)  # person who was away: UTC, as began_at

    def add(self, sighting: Sighting, now: Now, gap_s: float) -> None:
        for person in sighting.known:
            if now.mono - self.seen_at.get(person, now.mono) > gap_s:
                self.told = {about for about in self.told if about[0] != person}
                self.back_at[person] = sighting.identity.captured_at
            self.seen_at[person] = now.mono
        self.recent.append(sighting)
        self.frames += 1
        self.last_face_at = now.mono

    def votes(self, person: str, now: Now, within_s: float) -> int:
        """In how many distinct frames the person was lately, whatever the clocks did since.

        Only frames of the face that is in the newest one count: two strangers who each look a little
        like somebody are not that person twice.
        """
        track = self.recent[-1].track(person)
        seen = [s.identity for s in self.recent if person in s.known and s.track(person) == track]
        return len({identity.captured_at for identity in seen if _fresh(identity, now, within_s)})

    @property
    def granted(self) -> set[str | None]:
        return {person for person, why in self.told if why is Why.CONFIRMED}

    @property
    def only_strangers(self) -> bool:
        """Whether as many frames as count have passed and none knew anybody."""
        return len(self.recent) == self.recent.maxlen and not any(s.known for s in self.recent)


class Gate:
    """One door's policy at work.

    `session` is the door's nonce while the door is there, else None. `enabled` is the switch for
    face unlock.
    """

    def __init__(self, door: str, policy: DoorPolicy, zone: ZoneInfo, enabled: bool = True) -> None:
        self._door, self._policy, self._zone = door, policy, zone
        self.enabled = enabled
        self.session: str | None = None
        self.stale = self.repeated = 0
        self._visits: dict[str, Visit] = {}
        self._newest: dict[str, tuple[float, int]] = {}  # camera: captured_at, seq
        self._granted_at: dict[str, float] = {}  # person: monotonic
        self._ahead_s: dict[str, float] = {}  # camera: its clock, where that is too far ahead

    @property
    def disagreement_s(self) -> float | None:
        """How far a camera's clock is ahead; None while all are right."""
        return max(self._ahead_s.values(), default=None)

    def open_now(self, now: Now) -> bool:
        """Whether the working-hours window is open."""
        local = datetime.fromtimestamp(now.utc, UTC).astimezone(self._zone)
        return any(hours.contains(local) for hours in self._policy.hours)

    def seen(self, identity: Identity, now: Now) -> list[Effect]:
        """What one frame leads to. Frames that are not fresh and new lead to nothing."""
        if not self._counts(identity, now):
            return []
        visit = self._visits.get(identity.camera)
        if visit is not None and now.mono - visit.last_face_at > self._policy.visit_gap_s:
            ended = self._end(identity.camera, now)
            return ended + self._attend(identity, None, now)
        return self._attend(identity, visit, now)

    def tick(self, now: Now) -> list[Effect]:
        """End the visits whose people have left."""
        gap_s = self._policy.visit_gap_s
        over = [camera for camera, visit in self._visits.items() if now.mono - visit.last_face_at > gap_s]
        return [effect for camera in over for effect in self._end(camera, now)]

    def _counts(self, identity: Identity, now: Now) -> bool:
        """Whether a frame is fresh and newer than the one before: a repeated frame proves nothing."""
        self._compare_clocks(identity, now)
        if not _fresh(identity, now, self._policy.max_age_s):
            self.stale += 1
            return False
        captured_at, seq = self._newest.get(identity.camera, (float("-inf"), -1))
        clock_went_back = captured_at > now.utc + FUTURE_S
        if not clock_went_back and (identity.captured_at <= captured_at or identity.seq == seq):
            self.repeated += 1
            return False
        self._newest[identity.camera] = (identity.captured_at, identity.seq)
        return True

    def _compare_clocks(self, identity: Identity, now: Now) -> None:
        ahead_s = identity.captured_at - now.utc
        if ahead_s > FUTURE_S:
            self._ahead_s[identity.camera] = ahead_s
        else:
            self._ahead_s.pop(identity.camera, None)

    def _attend(self, identity: Identity, visit: Visit | None, now: Now) -> list[Effect]:
        if not identity.faces:
            return []
        if visit is None:
            visit = Visit(identity.captured_at, deque(maxlen=self._policy.confirm.of), now.mono)
            self._visits[identity.camera] = visit
        sighting = Sighting.of(identity)
        visit.add(sighting, now, self._policy.visit_gap_s)
        confirmed = [p for p in sighting.known if self._confirmed(visit, p, now)]
        if confirmed:
            return [e for person in confirmed for e in self._decide(visit, sighting, person, now)]
        if visit.only_strangers:
            return self._deny(visit, sighting, None, Why.UNKNOWN_PERSON, now)
        return []

    def _confirmed(self, visit: Visit, person: str, now: Now) -> bool:
        confirm = self._policy.confirm
        return visit.votes(person, now, confirm.within_s) >= confirm.frames

    def _decide(self, visit: Visit, sighting: Sighting, person: str, now: Now) -> list[Effect]:
        if person in visit.granted:
            return []
        why = self._objection(person, now)
        if why is not None:
            return self._deny(visit, sighting, person, why, now)
        assert self.session is not None
        visit.told.add((person, Why.CONFIRMED))
        self._granted_at[person] = now.mono
        decision = self._decision(visit, sighting, person, Why.CONFIRMED, now)
        grant = Grant(id=decision.id, session=self.session, person=person, expires_at=now.utc + GRANT_VALID_S)
        return [decision, grant]

    def _objection(self, person: str, now: Now) -> Why | None:
        """The first rule that is against it."""
        if not self.enabled:
            return Why.SWITCHED_OFF
        if not self.open_now(now):
            return Why.OUTSIDE_HOURS
        if now.mono - self._granted_at.get(person, float("-inf")) < self._policy.cool_down_s:
            return Why.COOL_DOWN
        if self.session is None:
            return Why.DOOR_AWAY
        return None

    def _deny(self, visit: Visit, sighting: Sighting, person: str | None, why: Why, now: Now) -> list[Effect]:
        if (person, why) in visit.told:
            return []
        visit.told.add((person, why))
        return [self._decision(visit, sighting, person, why, now)]

    def _end(self, camera: str, now: Now) -> list[Effect]:
        """A visit of several frames that led to no decision is denied; a single frame is no visit."""
        visit = self._visits.pop(camera)
        if visit.told or visit.frames < 2:
            return []
        return self._deny(visit, visit.recent[-1], None, Why.NOT_CONFIRMED, now)

    def _decision(self, visit: Visit, sighting: Sighting, person: str | None, why: Why, now: Now) -> Decision:
        identity = sighting.identity
        face = sighting.known.get(person) if person else min(identity.faces, key=_distance)
        return Decision(
            id=identity.id,
            door=self._door,
            camera=identity.camera,
            outcome=Outcome.GRANTED if why is Why.CONFIRMED else Outcome.DENIED,
            reason=why,
            person=person,
            distance=face.distance if face else None,
            began_at=visit.back_at.get(person or "", visit.began_at),
            captured_at=identity.captured_at,
            decided_at=now.utc,
        )


def _fresh(identity: Identity, now: Now, max_age_s: float) -> bool:
    """Whether it was captured within `max_age_s`, and not in the future."""
    return -FUTURE_S <= now.utc - identity.captured_at <= max_age_s


def _distance(face: Face) -> float:
    return float("inf") if face.distance is None else face.distance


def _nearer(face: Face, other: Face | None) -> bool:
    return other is None or _distance(face) < _distance(other)
