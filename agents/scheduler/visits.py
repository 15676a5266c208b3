"""Who is in view of one camera, since when, and in how many frames. Pure.

A visit is one person's stay in view of a camera, or that of strangers. It ends when they were not
seen for a while. A face that the recognizer follows (`track`) and has named once stays that person's
while it turns away, and what was seen of it before it was named belongs to the person's visit.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from agents.runtime.clock import Now
from agents.scheduler.config import Evidence
from agents.scheduler.objection import Objection
from agents.scheduler.proof import Proof
from agents.wire.identity import Face, Identity
from agents.wire.scheduling import Question
from agents.wire.why import Why

FUTURE_S = 1.0  # how far ahead a camera's clock may be
MOST_FRAMES = 30  # the largest `of` of Evidence
REMEMBERED_TRACKS = 32


def fresh(identity: Identity, now: Now, max_age_s: float) -> bool:
    """Whether it was captured within `max_age_s`, and not in the future."""
    return -FUTURE_S <= now.utc - identity.captured_at <= max_age_s


@dataclass(frozen=True)
class Sighting:
    """What one frame with faces says: the nearest face of each known person, and the strangers'."""

    identity: Identity
    known: dict[str, Face]
    strangers: tuple[Face, ...]

    @classmethod
    def of(cls, identity: Identity) -> Sighting:
        known: dict[str, Face] = {}
        for face in identity.faces:
            if face.person is not None and _nearer(face, known.get(face.person)):
                known[face.person] = face
        return cls(identity, known, tuple(face for face in identity.faces if face.person is None))

    def face(self, person: str | None) -> Face:
        """The person's face, or the nearest stranger's."""
        return self.known[person] if person is not None else min(self.strangers or self.identity.faces, key=_distance)

    def fits(self, faces: str) -> bool:
        """Whether the frame counts under this policy (`Evidence.faces`)."""
        if faces == "single":
            return len(self.identity.faces) == 1
        return faces == "any_known" or not self.strangers


@dataclass
class Visit:
    """`person` is None for strangers. Durations are monotonic; `began_at` is the first frame's UTC.

    `told` is its decision, and `counted` whether one counted towards a lock-out. One that is `closed`
    gets no other while they stay; else a grant may still follow a denial, as a visit of its own.
    `pending` is what stands against it but may pass. With a `question`, the person is waited for until
    `wait_until`. `proof` is what is known of whether they live.
    """

    person: str | None
    began_at: float
    began: float
    last: Sighting
    seen: float
    frames: int = 0
    votes: int = 0
    needed: int = 0
    tracks: deque[int | None] = field(default_factory=lambda: deque(maxlen=REMEMBERED_TRACKS))
    told: Why | None = None
    counted: bool = False
    closed: bool = False
    pending: Objection | None = None
    question: Question | None = None
    asked: float = 0.0
    wait_until: float = 0.0
    approved_by: str | None = None
    proof: Proof = field(default_factory=Proof)

    @property
    def face(self) -> Face:
        """The person's, or the nearest stranger's, in the last frame."""
        return self.last.face(self.person)

    def add(self, sighting: Sighting, tracks: list[int | None], now: Now) -> None:
        self.last, self.seen = sighting, now.mono
        self.frames += 1
        self.tracks.extend(track for track in tracks if track not in self.tracks)

    def begin_anew(self, now: Now) -> None:
        """What stood against it has passed: this is another visit."""
        self.began_at, self.began, self.frames = self.last.identity.captured_at, now.mono, 1
        self.told = self.pending = None


class View:
    """One camera's frames and visits, for one door."""

    def __init__(self) -> None:
        self.visits: dict[str | None, Visit] = {}
        self._late: Visit | None = None  # of people of whom only frames came that do not count
        self._recent: deque[Sighting] = deque(maxlen=MOST_FRAMES)

    def add(self, identity: Identity, now: Now) -> Sighting:
        """A frame with faces."""
        sighting = Sighting.of(identity)
        self._recent.append(sighting)
        self._late = None
        for person, face in sighting.known.items():
            self._claim(face.track, person)
            self._visit(person, sighting, now).add(sighting, [face.track], now)
            self._absorb_strangers(self.visits[person], face.track)
        strangers = [face.track for face in sighting.strangers if not self._stays(face.track, sighting, now)]
        if strangers:
            self._visit(None, sighting, now).add(sighting, strangers, now)
        return sighting

    def add_late(self, identity: Identity, doubt: Objection, now: Now) -> None:
        """A frame with faces that does not count."""
        sighting = Sighting.of(identity)
        if self._late is None:
            self._late = Visit(None, identity.captured_at, now.mono, sighting, now.mono)
        self._late.pending = doubt
        self._late.add(sighting, [], now)

    def take_over(self, now: Now, gap_s: float) -> Iterator[Visit]:
        """The visits that are over. They are forgotten."""
        for person, visit in list(self.visits.items()):
            if now.mono - visit.seen > gap_s:
                yield self.visits.pop(person)
        if self._late is not None and now.mono - self._late.seen > gap_s:
            late, self._late = self._late, None
            yield late
        if not self.visits:
            self._recent.clear()

    def votes(self, person: str, evidence: Evidence, now: Now, faces: str) -> int:
        """In how many distinct frames of the last `of` the person was, `within_s`.

        Only frames of the face that is in the newest one count: two strangers who each look a little
        like somebody are not that person twice.
        """
        last = list(self._recent)[-evidence.of :]
        track = last[-1].known[person].track
        seen = [s.identity for s in last if person in s.known and s.known[person].track == track and s.fits(faces)]
        return len({identity.captured_at for identity in seen if fresh(identity, now, evidence.within_s)})

    def _visit(self, person: str | None, sighting: Sighting, now: Now) -> Visit:
        if person not in self.visits:
            self.visits[person] = Visit(person, sighting.identity.captured_at, now.mono, sighting, now.mono)
        return self.visits[person]

    def _claim(self, track: int | None, person: str) -> None:
        """A face that is somebody now is nobody else any more."""
        for visit in self.visits.values():
            if track is not None and visit.person not in (None, person) and track in visit.tracks:
                visit.tracks.remove(track)

    def _absorb_strangers(self, visit: Visit, track: int | None) -> None:
        """The stranger was this person, not known yet."""
        strangers = self.visits.get(None)
        if strangers is None or track is None or track not in strangers.tracks:
            return
        strangers.tracks.remove(track)
        if strangers.told is None:
            visit.began_at, visit.began = min(visit.began_at, strangers.began_at), min(visit.began, strangers.began)
            visit.frames = max(visit.frames, strangers.frames + 1)
        if not strangers.tracks:
            del self.visits[None]

    def _stays(self, track: int | None, sighting: Sighting, now: Now) -> bool:
        """Whether the face was named before: who it was is still there."""
        for visit in self.visits.values():
            if track is not None and visit.person is not None and track in visit.tracks:
                visit.seen = now.mono
                visit.frames += visit.last is not sighting
                return True
        return False


def _distance(face: Face) -> float:
    return float("inf") if face.distance is None else face.distance


def _nearer(face: Face, other: Face | None) -> bool:
    return other is None or _distance(face) < _distance(other)
