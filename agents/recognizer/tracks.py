"""Follows faces from frame to frame, and says where to look for them next. Pure: boxes and time in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from agents.recognizer.core import Seen
from agents.recognizer.evidence import MAX_AGE_S, Evidence
from agents.recognizer.liveness.lifesigns import Lifesigns
from agents.recognizer.matcher import Encoding
from agents.wire.identity import Box

FORGET_S = MAX_AGE_S  # a face not seen for so long is a new one when it comes back
OVERLAP = 0.2  # of intersection over union: heads move by a third of their width in a tenth of a second
LOOK_EVERYWHERE_S = 0.4  # between full searches: whoever comes beside a followed face waits so long
REACH = 0.75  # of a face's width, around its box: where it may be in the next frame


@dataclass
class Track:
    """One face over time: `mean` is what its last frames say together (see `evidence`), `lifesigns` whether it
    lives. Times are monotonic.
    """

    number: int
    box: Box
    evidence: Evidence
    mean: Encoding
    seen_at: float
    lifesigns: Lifesigns = field(default_factory=Lifesigns)


@dataclass
class Tracks:
    """The faces before one camera. `other_face`: farther than this from the frames before is another face."""

    other_face: float
    searched_at: float = float("-inf")
    _tracks: list[Track] = field(default_factory=list)
    _count: int = 0

    def follow(self, seen: Sequence[Seen], now_s: float) -> list[Track]:
        """The track of each face of a frame, in their order; new ones for faces that none fits."""
        self._tracks = [track for track in self._tracks if now_s - track.seen_at <= FORGET_S]
        if not seen:  # whoever was followed may have gone anywhere
            self.searched_at = float("-inf")
        free = list(self._tracks)
        return [self._take(face, free, now_s) for face in seen]

    def find(self, number: int, now_s: float) -> Track | None:
        """The track of this number, while it is followed."""
        return next((t for t in self._tracks if t.number == number and now_s - t.seen_at <= FORGET_S), None)

    def regions(self, width_px: int, height_px: int, now_s: float) -> list[Box] | None:
        """Where the faces of a moment ago may be, clipped to the picture; None: everywhere."""
        boxes = [track.box for track in self._tracks if now_s - track.seen_at <= FORGET_S]
        if not boxes or now_s - self.searched_at >= LOOK_EVERYWHERE_S:
            self.searched_at = now_s
            return None
        return _apart([_around(box, width_px, height_px) for box in boxes])

    def _take(self, face: Seen, free: list[Track], now_s: float) -> Track:
        """Of the free tracks that look alike the one that overlaps most, or a new one."""
        near = [track for track in free if self._may_be(face, track, now_s)]
        if near:
            track = max(near, key=lambda track: _overlap(face.box, track.box))
            free.remove(track)
        else:
            track = Track(self._count, face.box, Evidence(self.other_face), face.encoding, now_s)
            self._tracks.append(track)
            self._count += 1
        track.mean = track.evidence.add(face.encoding, face.sharpness, now_s)
        track.box, track.seen_at = face.box, now_s
        return track

    def _may_be(self, face: Seen, track: Track, now_s: float) -> bool:
        return _overlap(face.box, track.box) >= OVERLAP and track.evidence.fits(face.encoding, now_s)


def _overlap(a: Box, b: Box) -> float:
    """Intersection over union, 0 to 1."""
    width = min(a.left + a.width, b.left + b.width) - max(a.left, b.left)
    height = min(a.top + a.height, b.top + b.height) - max(a.top, b.top)
    shared = max(0, width) * max(0, height)
    return shared / (a.width * a.height + b.width * b.height - shared)


def _around(box: Box, width_px: int, height_px: int) -> Box | None:
    """The face's neighbourhood, as far as it is in the picture."""
    reach = round(REACH * box.width)
    left, top = max(0, box.left - reach), max(0, box.top - reach)
    right = min(width_px, box.left + box.width + reach)
    bottom = min(height_px, box.top + box.height + reach)
    if right <= left or bottom <= top:
        return None
    return Box(left=left, top=top, width=right - left, height=bottom - top)


def _apart(regions: list[Box | None]) -> list[Box]:
    """Regions that overlap become one, so that no face is found twice."""
    apart: list[Box] = []
    for region in filter(None, regions):
        merged = region
        while touching := [other for other in apart if _overlap(merged, other) > 0]:
            apart = [other for other in apart if other not in touching]
            merged = _hull([merged, *touching])
        apart.append(merged)
    return apart


def _hull(boxes: Sequence[Box]) -> Box:
    left, top = min(b.left for b in boxes), min(b.top for b in boxes)
    right, bottom = max(b.left + b.width for b in boxes), max(b.top + b.height for b in boxes)
    return Box(left=left, top=top, width=right - left, height=bottom - top)
