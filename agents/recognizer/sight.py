"""From a frame to who is in it: decode, find, follow, encode, compare, and whether it lives. One for all cameras."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

from agents.recognizer import picture
from agents.recognizer.core import Known, Seen, judge
from agents.recognizer.matcher import Matcher
from agents.recognizer.tracks import Track, Tracks
from agents.recognizer.vision.engine import Engine
from agents.recognizer.vision.found import Pixels
from agents.runtime.clock import Now
from agents.sight.motion import Scene
from agents.wire.identity import Identity
from agents.wire.liveness import Challenge, Liveness
from agents.wire.stamp import Stamp

LOOK_ANYWAY_S = 2.0  # between searches of a still picture: nobody is overlooked for longer
FACE_S = 2.0  # after a face was seen every picture is searched
BEFORE_S = 0.5  # motion is measured against no older picture
MEASURED = 2  # faces of a frame, the largest, whose liveness is measured: each takes its time


@dataclass(frozen=True)
class Sighting:
    """What was made of a frame. `image` is None where nothing had changed, so that it was not decoded."""

    identity: Identity
    image: Pixels | None
    known: Sequence[Known] = ()


@dataclass
class _View:
    """What is remembered of one camera. Times are monotonic."""

    tracks: Tracks
    scene: Scene = field(default_factory=Scene)
    searched_at: float = float("-inf")
    face_at: float = float("-inf")
    before: tuple[Pixels, float] | None = None  # the last picture, where it had a face


class Sight:
    """`matcher` knows who is enrolled; it may be replaced at any time."""

    def __init__(self, engine: Engine, matcher: Matcher, max_pixels: int) -> None:
        self._engine, self.matcher, self._max_pixels = engine, matcher, max_pixels
        self._views: dict[str, _View] = defaultdict(self._view)
        self.encoder = engine.encoder
        self.skipped = 0

    def see(self, camera: str, jpeg: bytes, stamp: Stamp, now: Now) -> Sighting:
        """Who is in a frame. Raises BadMessage."""
        view = self._views[camera]
        if not self._worth_a_search(view, jpeg, now.mono):
            self.skipped += 1
            return Sighting(judge(camera, stamp, ()), None)
        image = picture.decode_frame(jpeg, self._max_pixels)
        known = self._known(image, view, now.mono)
        return Sighting(judge(camera, stamp, known), image, known)

    def ask(self, challenge: Challenge, now: Now) -> bool:
        """Watch whether a face does what it is asked to. Returns whether that face is followed."""
        track = self._views[challenge.camera].tracks.find(challenge.track, now.mono)
        if track is not None:
            track.lifesigns.ask(challenge, now.mono)
        return track is not None

    def _worth_a_search(self, view: _View, jpeg: bytes, now_s: float) -> bool:
        """Whether a face was there, something has changed since the last search, or it is time anyway."""
        if now_s - view.face_at > FACE_S:
            moved = view.scene.moved(picture.cells(jpeg, self._max_pixels), now_s)
            if not moved and now_s - view.searched_at < LOOK_ANYWAY_S:
                return False
        view.searched_at = now_s
        return True

    def _known(self, image: Pixels, view: _View, now_s: float) -> list[Known]:
        height_px, width_px = image.shape[:2]
        seen = self._engine.look(image, view.tracks.regions(width_px, height_px, now_s))
        if seen:
            view.face_at = now_s
        followed = list(zip(seen, view.tracks.follow(seen, now_s), strict=True))
        before = view.before[0] if view.before is not None and now_s - view.before[1] <= BEFORE_S else None
        measured = [self._measure(image, before, face, track, now_s) for face, track in followed[:MEASURED]]
        view.before = (image, now_s) if seen else None
        found = zip_longest(followed, measured)
        return [self._compare(face, track, liveness) for (face, track), liveness in found]

    def _measure(self, image: Pixels, before: Pixels | None, face: Seen, track: Track, now_s: float) -> Liveness:
        return track.lifesigns.add(self._engine.examine(image, before, face, now_s))

    def _view(self) -> _View:
        return _View(Tracks(other_face=self.matcher.threshold))

    def _compare(self, face: Seen, track: Track, liveness: Liveness | None) -> Known:
        return Known(face, self.matcher.match_mean(track.mean), track.number, liveness)
