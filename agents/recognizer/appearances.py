"""Tells an appearance of somebody from the frames in which they are seen. Pure: identities and time in.

For people's screens and telephones: what opens a door is decided by the scheduler, by rules of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from agents.wire.identity import Face, Identity
from agents.wire.recognition import Recognition, RecognitionType

AGREEING = 2  # frames of one track in which it is the same person
UNKNOWN_FRAMES, UNKNOWN_S = 3, 1.0  # of a track in which it was nobody: a stranger may be known in a moment
GONE_S = 10.0  # who was not seen for so long appears anew
ANYBODY = None


@dataclass
class _Track:
    """One face that is followed. Times are monotonic."""

    since: float
    seen_at: float
    frames: int = 0  # as unknown, since it was last somebody
    person: str | None = ANYBODY
    agreeing: int = 0
    settled: bool = False  # whether it was somebody already: then it is no stranger


class Appearances:
    """Before one camera. Each person is told once a stay, and so are strangers, together."""

    def __init__(self) -> None:
        self._tracks: dict[int, _Track] = {}
        self._seen_at: dict[str | None, float] = {}  # those who were told, strangers as None

    def see(self, identity: Identity, mono: float) -> list[Recognition]:
        """Who has appeared, with this frame. `mono` is when it was looked at."""
        self._forget(mono)
        return [told for face in identity.faces for told in self._follow(face, identity, mono)]

    def _follow(self, face: Face, identity: Identity, mono: float) -> Iterator[Recognition]:
        if face.track is None:
            return
        track = self._tracks.setdefault(face.track, _Track(mono, mono))
        track.seen_at = mono
        if track.settled and track.person in self._seen_at:  # who turns away is still there
            self._seen_at[track.person] = mono
        if not self._settle(track, face.person, mono):
            return
        person = face.person
        news = person not in self._seen_at
        self._seen_at[person] = mono
        if news:
            kind = RecognitionType.UNKNOWN if person is ANYBODY else RecognitionType.RECOGNISED
            yield Recognition(
                event_type=kind,
                id=identity.id,
                camera=identity.camera,
                person=person,
                captured_at=identity.captured_at,
            )

    def _settle(self, track: _Track, person: str | None, mono: float) -> bool:
        """Whether it is clear by now who it is."""
        if person is ANYBODY:
            track.frames += 1
            return not track.settled and track.frames >= UNKNOWN_FRAMES and mono - track.since >= UNKNOWN_S
        track.agreeing = track.agreeing + 1 if person == track.person else 1
        track.person, track.frames, track.since = person, 0, mono
        track.settled = track.settled or track.agreeing >= AGREEING
        return track.agreeing >= AGREEING

    def _forget(self, mono: float) -> None:
        self._tracks = {n: track for n, track in self._tracks.items() if mono - track.seen_at <= GONE_S}
        self._seen_at = {person: at for person, at in self._seen_at.items() if mono - at <= GONE_S}
