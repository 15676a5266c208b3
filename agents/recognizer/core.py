"""Who a face is, and whether a frame may be looked at. Pure: encodings and time in, answers out."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from agents.runtime.clock import Now
from agents.wire.messages import Box, Face, Identity, Stamp
from agents.wire.values import NOBODY, UNKNOWN

Encoding = npt.NDArray[np.float64]

ENCODER = "dlib-resnet-v1/5-point"
"""What the encodings in a gallery were made with; others can't be compared with them."""

ENCODING_SIZE = 128
MAX_FACES = 32  # an identity message holds no more
FUTURE_S = 1.0  # how far ahead a camera's clock may be
STALE_PROBLEM_S = 5.0
STALE_FORGET_S = 30.0


@dataclass(frozen=True)
class Enrolled:
    """One name for each row of `encodings`, float64 (n, 128); a person may have several rows."""

    names: tuple[str, ...]
    encodings: Encoding

    @property
    def people(self) -> int:
        return len(set(self.names))


NOBODY_ENROLLED = Enrolled((), np.empty((0, ENCODING_SIZE)))


@dataclass(frozen=True)
class Seen:
    """A face found in a frame, not yet compared with anybody. `encoding` is float64 (128,)."""

    box: Box
    encoding: Encoding
    sharpness: float


@dataclass(frozen=True)
class Match:
    """`distance` to the nearest person, `margin` how much farther the second one is."""

    person: str | None
    distance: float | None
    margin: float | None


class Matcher:
    """Compares a face with one template a person: the mean of the person's encodings.

    An open set: a face is somebody only if it is within `threshold` of the nearest template, and
    the second person's template at least `min_margin` farther off than that. With one person
    enrolled there is no margin (None) and the threshold alone decides.
    """

    def __init__(self, enrolled: Enrolled, threshold: float, min_margin: float) -> None:
        self.people = tuple(dict.fromkeys(enrolled.names))
        self._threshold, self._min_margin = threshold, min_margin
        names = np.array(enrolled.names)
        means = [enrolled.encodings[names == person].mean(axis=0) for person in self.people]
        self._templates = np.array(means).reshape(-1, ENCODING_SIZE)

    def match(self, encoding: Encoding) -> Match:
        """Who the face with this encoding, float64 (128,), is."""
        if not self.people:
            return Match(None, None, None)
        distances = np.linalg.norm(self._templates - encoding, axis=1)
        nearest, *others = np.argsort(distances)[:2]
        distance = float(distances[nearest])
        margin = float(distances[others[0]]) - distance if others else None
        near = distance <= self._threshold and (margin is None or margin >= self._min_margin)
        return Match(self.people[nearest] if near else None, distance, margin)


def choose(boxes: Sequence[Box], min_face_px: int) -> list[Box]:
    """The faces worth a look: wide enough, the largest first, no more than a message holds."""
    wide = [box for box in boxes if box.width >= min_face_px]
    return sorted(wide, key=lambda box: box.width * box.height, reverse=True)[:MAX_FACES]


def judge(camera: str, stamp: Stamp, seen: Sequence[Seen], matcher: Matcher) -> Identity:
    """Who is in a frame. The faces keep their order."""
    return Identity(
        id=f"{camera}-{stamp.captured_at:.3f}-{stamp.seq}",
        camera=camera,
        captured_at=stamp.captured_at,
        seq=stamp.seq,
        faces=tuple(_face(face, matcher.match(face.encoding)) for face in seen),
    )


def in_a_word(identity: Identity) -> str:
    """What the person topic says: the largest known face's name, else `unknown` or `none`."""
    known = (face.person for face in identity.faces if face.person is not None)
    return next(known, UNKNOWN if identity.faces else NOBODY)


def _face(seen: Seen, match: Match) -> Face:
    return Face(
        person=match.person,
        distance=match.distance,
        margin=match.margin,
        box=seen.box,
        sharpness=seen.sharpness,
    )


@dataclass
class Arrivals:
    """The frames of one camera: their stamps, and whether they are fresh."""

    camera: str
    max_age_s: float
    stale: int = 0
    _count: int = 0
    _last: tuple[bytes, Stamp] | None = None
    _stale_since: float | None = field(default=None)
    _stale_at: float = 0.0
    _age_s: float = 0.0

    def stamp(self, payload: bytes, stamp: Stamp | None, received_at: float) -> Stamp:
        """The camera's own stamp, or for a camera that gives none, one made on arrival.

        Such a camera's frame keeps its first stamp when it comes again, so that a frozen
        picture grows old instead of being seen as new evidence.
        """
        if stamp is not None:
            return stamp
        digest = hashlib.sha256(payload).digest()
        if self._last is None or self._last[0] != digest:
            self._last = digest, Stamp(received_at, self._count)
            self._count += 1
        return self._last[1]

    def fresh(self, stamp: Stamp, now: Now) -> bool:
        """Whether a frame is young enough to be looked at."""
        age_s = now.utc - stamp.captured_at
        if -FUTURE_S <= age_s <= self.max_age_s:
            self._stale_since = None
            return True
        self.stale += 1
        self._age_s, self._stale_at = age_s, now.mono
        self._stale_since = now.mono if self._stale_since is None else self._stale_since
        return False

    def problem(self, now: Now) -> str | None:
        """Said when for seconds every frame was stale, and until a fresh one comes or no more come."""
        if self._stale_since is None or now.mono - self._stale_at > STALE_FORGET_S:
            return None
        if self._stale_at - self._stale_since < STALE_PROBLEM_S:
            return None
        age = f"{self._age_s:.0f} s old" if self._age_s > 0 else f"{-self._age_s:.0f} s ahead"
        return f"frames of camera {self.camera} are {age}: do the clocks agree, is the picture frozen?"
