"""Who was in view of one camera, by topics.md: which frames count, and who stays how long."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.fuzz import contract
from tests.fuzz.scheduler_rules import EVIDENCE, Ruling

MAX_AGE_S, AHEAD_S, BEHIND_S, GAP_S = 2.0, 1.0, 10.0, 2.0
WITHIN_S = float(EVIDENCE["within_s"])
MOST_FRAMES = 3  # the largest `of` of the house


class Frame:
    """What one identity says that was neither refused nor seen before."""

    def __init__(self, read: dict[str, Any]) -> None:
        self.id, self.captured_at, self.seq = read["id"], read["captured_at"], read["seq"]
        self.faces: list[dict[str, Any]] = read["faces"]

    def tracks(self, person: str) -> set[int | None]:
        return {face.get("track") for face in self.faces if face["person"] == person}

    def nearest(self, person: str) -> int | None:
        """The track of the face that looks most like the person."""
        found: int | None = min(self._of(person), key=lambda face: face["distance"]).get("track")
        return found

    def known(self) -> list[str]:
        return list(dict.fromkeys(face["person"] for face in self.faces if face["person"] is not None))

    def distances(self, person: str | None) -> list[float | None]:
        return [face["distance"] for face in self._of(person)]

    def fits(self, faces: str) -> bool:
        if faces == "single":
            return len(self.faces) == 1
        return faces == "any_known" or not self._of(None)

    def _of(self, person: str | None) -> list[dict[str, Any]]:
        return [face for face in self.faces if face["person"] == person]


class Eye:
    """Reads what is said of one camera."""

    def __init__(self, camera: str) -> None:
        self.camera = camera
        self.newest: Frame | None = None

    def read(self, content: bytes, retain: bool) -> Frame | None:
        """What is not refused."""
        read = contract.identity(content)
        return None if read is None or retain or read["camera"] != self.camera else Frame(read)

    def is_new(self, frame: Frame, utc: float) -> bool:
        before = self.newest
        if before is not None:
            same_seq, clock_went_back = frame.seq == before.seq, before.captured_at > utc + AHEAD_S
            repeated = same_seq and frame.captured_at == before.captured_at
            if repeated or (not clock_went_back and (same_seq or frame.captured_at <= before.captured_at)):
                return False
        self.newest = frame
        return True


def why_late(frame: Frame, utc: float, utc_is_set: bool) -> str | None:
    """Why a frame does not count; None for one that does."""
    if utc - MAX_AGE_S <= frame.captured_at <= utc + AHEAD_S:
        return None
    if not utc_is_set:
        return "clock_not_set"
    return "stale" if utc - BEHIND_S <= frame.captured_at <= utc + AHEAD_S else "camera_clock"


@dataclass(eq=False)
class Stay:
    """One person's in view of a camera, or that of strangers (None), or of people in frames that do not
    count (`late`). `stood` is all that stood against them so far.
    """

    camera: str
    person: str | None
    last: Frame
    seen_s: float
    late: bool = False
    frames: int = 0
    named: list[Frame] = field(default_factory=list)
    tracks: set[int | None] = field(default_factory=set)
    stood: set[str] = field(default_factory=set)
    decisions: int = 0
    denials: int = 0
    asked: int = 0
    granted: bool = False
    closed: bool = False
    question: dict[str, Any] | None = None
    asked_s: float = 0.0
    waits_until_s: float = 0.0
    answered: bool = False
    declined: bool = False

    @property
    def is_owed_a_decision(self) -> bool:
        return self.frames >= 2 and not self.decisions and not self.closed


class View:
    """One camera's people, for one door."""

    def __init__(self, camera: str) -> None:
        self.camera = camera
        self.stays: dict[str | None, Stay] = {}
        self.late: Stay | None = None
        self.recent: list[Frame] = []

    def end(self, s: float) -> list[Stay]:
        """Those who were not seen for too long."""
        over = [stay for stay in self.stays.values() if s - stay.seen_s > GAP_S]
        self.stays = {person: stay for person, stay in self.stays.items() if stay not in over}
        if self.late is not None and s - self.late.seen_s > GAP_S:
            over.append(self.late)
            self.late = None
        return over

    def add_late(self, frame: Frame, why: str, s: float) -> None:
        if self.late is None:
            self.late = Stay(self.camera, None, frame, s, late=True)
        self.late.last, self.late.seen_s, self.late.stood = frame, s, {why}
        self.late.frames += 1

    def add(self, frame: Frame, s: float) -> None:
        """Who is named once stays that person while the face is followed."""
        self.late, self.recent = None, [*self.recent, frame][-MOST_FRAMES:]
        for person in frame.known():
            self._add_known(person, frame, s)
        strangers = [face.get("track") for face in frame.faces if face["person"] is None]
        strangers = [track for track in strangers if not self._follow(track, frame, s)]
        if strangers:
            self._stay(None, frame, s).tracks.update(strangers)

    def votes(self, person: str, rule: Ruling, utc: float, faces: str, sure: bool = False) -> int:
        """In how many of the last frames the person was, at most, with a face that was followed.

        Or at least (`sure`): nobody can doubt which face is meant, and they did not leave in between.
        """
        seen = [frame for frame in self.recent[-rule.of :] if _is_fresh(frame, utc) and frame.fits(faces)]
        if sure:
            track, named = self.recent[-1].nearest(person), self.stays[person].named
            return len({f.captured_at for f in seen if f in named and f.nearest(person) == track})
        tracks = self.recent[-1].tracks(person)
        return max(len({f.captured_at for f in seen if track in f.tracks(person)}) for track in tracks)

    def _add_known(self, person: str, frame: Frame, s: float) -> None:
        track = frame.nearest(person)
        for other in self.stays.values():
            if track is not None and other.person not in (None, person):
                other.tracks.discard(track)
        stay = self._stay(person, frame, s)
        stay.tracks.add(track)
        stay.named = [*stay.named, frame][-MOST_FRAMES:]
        strangers = self.stays.get(None)
        if strangers is not None and track is not None and track in strangers.tracks:
            strangers.tracks.discard(track)  # what was seen of a face before it was named is the person's
            if not strangers.tracks:
                del self.stays[None]

    def _follow(self, track: int | None, frame: Frame, s: float) -> bool:
        for stay in self.stays.values():
            if track is not None and stay.person is not None and track in stay.tracks:
                stay.seen_s = s
                stay.frames += stay.last is not frame
                return True
        return False

    def _stay(self, person: str | None, frame: Frame, s: float) -> Stay:
        stay = self.stays.setdefault(person, Stay(self.camera, person, frame, s))
        stay.last, stay.seen_s = frame, s
        stay.frames += 1
        return stay


def _is_fresh(frame: Frame, utc: float) -> bool:
    oldest, latest = utc - WITHIN_S, utc + AHEAD_S
    return bool(oldest <= frame.captured_at <= latest)
