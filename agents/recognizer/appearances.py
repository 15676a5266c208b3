"""Tells an appearance of somebody from the frames in which they are seen. Pure: identities and time in.

For people's screens and telephones: what opens a door is decided by the scheduler, by rules of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from agents.wire.identity import Face, Identity
from agents.wire.liveness import ChallengeState
from agents.wire.recognition import Recognition, RecognitionType

AGREEING = 2  # frames of one track in which it is the same person, or a picture
UNKNOWN_FRAMES, UNKNOWN_S = 3, 1.0  # of a track in which it was nobody: a stranger may be known in a moment
GONE_S = 10.0  # who was not seen for so long appears anew
ANYBODY = None


Told = tuple[RecognitionType, str | None]


@dataclass
class _Track:
    """One face that is followed. Times are monotonic."""

    since: float
    seen_at: float
    frames: int = 0  # as unknown, since it was last somebody
    person: str | None = ANYBODY
    agreeing: int = 0
    settled: bool = False  # whether it was somebody already: then it is no stranger
    spoofs: int = 0  # in a row
    picture: Told | None = None  # it stays one, whatever is made of its next frames


class Appearances:
    """Before one camera. Each person is told once a stay, and so are strangers, together, and a picture of
    each. A face is often known before it is known to be a picture: then it is told as both.
    """

    def __init__(self) -> None:
        self._tracks: dict[int, _Track] = {}
        self._seen_at: dict[Told, float] = {}

    def see(self, identity: Identity, mono: float) -> list[Recognition]:
        """Who has appeared, with this frame. `mono` is when it was looked at."""
        self._forget(mono)
        return [told for face in identity.faces for told in self._follow(face, identity, mono)]

    def _follow(self, face: Face, identity: Identity, mono: float) -> Iterator[Recognition]:
        if face.track is None:
            return
        track = self._tracks.setdefault(face.track, _Track(mono, mono))
        track.seen_at = mono
        known = RecognitionType.RECOGNISED, track.person
        if track.settled and track.picture is None and known in self._seen_at:  # who turns away is still there
            self._seen_at[known] = mono
        told = self._picture(track, face) or self._somebody(track, face.person, mono)
        if told is None:
            return
        news = told not in self._seen_at
        self._seen_at[told] = mono
        if news:
            kind, person = told
            yield Recognition(
                event_type=kind,
                id=identity.id,
                camera=identity.camera,
                person=person,
                captured_at=identity.captured_at,
            )

    def _picture(self, track: _Track, face: Face) -> Told | None:
        """Whether it is clear by now that it is a picture, and whose."""
        track.spoofs = track.spoofs + 1 if _looks_like_a_picture(face) else 0
        if track.picture is None and track.spoofs >= AGREEING:
            track.picture = RecognitionType.SPOOF, face.person or (track.person if track.settled else ANYBODY)
        return track.picture

    def _somebody(self, track: _Track, person: str | None, mono: float) -> Told | None:
        """Whether it is clear by now who it is."""
        if person is ANYBODY:
            track.frames += 1
            stranger = not track.settled and track.frames >= UNKNOWN_FRAMES and mono - track.since >= UNKNOWN_S
            return (RecognitionType.UNKNOWN, ANYBODY) if stranger else None
        track.agreeing = track.agreeing + 1 if person == track.person else 1
        track.person, track.frames, track.since = person, 0, mono
        track.settled = track.settled or track.agreeing >= AGREEING
        return (RecognitionType.RECOGNISED, person) if track.agreeing >= AGREEING else None

    def _forget(self, mono: float) -> None:
        self._tracks = {n: track for n, track in self._tracks.items() if mono - track.seen_at <= GONE_S}
        self._seen_at = {told: at for told, at in self._seen_at.items() if mono - at <= GONE_S}


def _looks_like_a_picture(face: Face) -> bool:
    """Not while the head turns because it was asked to, and not after it did: that confuses the networks."""
    result = face.liveness.challenge if face.liveness is not None else None
    return face.is_spoof and (result is None or result.state is ChallengeState.FAILED)
