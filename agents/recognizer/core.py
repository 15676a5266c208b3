"""Who a face is, and whether a frame may be looked at. Pure: encodings and time in, answers out."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from agents.recognizer.matcher import Encoding, Match
from agents.runtime.clock import Now
from agents.wire.messages import Box, Face, Identity
from agents.wire.stamp import Stamp
from agents.wire.values import NOBODY, UNKNOWN

MAX_FACES = 32  # an identity message holds no more
FUTURE_S = 1.0  # how far ahead a camera's clock may be
WRONG_PROBLEM_S = 5.0
WRONG_FORGET_S = 30.0


@dataclass(frozen=True)
class Seen:
    """A face found in a frame, not yet compared with anybody. `encoding` is float64 (d,)."""

    box: Box
    encoding: Encoding
    sharpness: float


@dataclass(frozen=True)
class Known:
    """A face that was compared with everybody; `track` is the number of the face it is, over several frames."""

    seen: Seen
    match: Match
    track: int


class Boxed(Protocol):
    """Something in a picture."""

    @property
    def box(self) -> Box: ...


BoxedT = TypeVar("BoxedT", bound=Boxed)


def choose(found: Sequence[BoxedT], min_face_px: int) -> list[BoxedT]:
    """The faces worth a look: wide enough, the largest first, no more than a message holds."""
    wide = [face for face in found if face.box.width >= min_face_px]
    return sorted(wide, key=lambda face: face.box.width * face.box.height, reverse=True)[:MAX_FACES]


def judge(camera: str, stamp: Stamp, known: Sequence[Known]) -> Identity:
    """Who is in a frame. The faces keep their order."""
    return Identity(
        id=f"{camera}-{stamp.captured_at:.3f}-{stamp.seq}",
        camera=camera,
        captured_at=stamp.captured_at,
        seq=stamp.seq,
        faces=tuple(map(_face, known)),
    )


def in_a_word(identity: Identity) -> str:
    """What the person topic says: the largest known face's name, else `unknown` or `none`."""
    known = (face.person for face in identity.faces if face.person is not None)
    return next(known, UNKNOWN if identity.faces else NOBODY)


def _face(known: Known) -> Face:
    return Face(
        person=known.match.person,
        distance=known.match.distance,
        margin=known.match.margin,
        box=known.seen.box,
        sharpness=known.seen.sharpness,
        track=known.track,
    )


@dataclass
class Arrivals:
    """The frames of one camera: their stamps, and which of them are news."""

    camera: str
    max_age_s: float
    stale: int = 0
    repeated: int = 0
    _count: int = 0
    _digest: bytes = b""
    _why: str = ""  # what is wrong with the frames
    _wrong_since: float | None = None  # monotonic; None after a good one
    _wrong_at: float = 0.0

    def stamp(self, stamp: Stamp | None, received_at: float) -> Stamp:
        """The camera's own stamp, or for a camera that gives none, one made on arrival."""
        self._count += stamp is None
        return stamp or Stamp(received_at, self._count - 1)

    def news(self, payload: bytes, stamp: Stamp, now: Now) -> bool:
        """Whether a frame is young enough to be looked at, and not the one before once more.

        The same picture byte by byte is a frozen camera's, whatever its stamp claims: a sensor's
        noise never comes twice. It is no evidence that anybody stands there now.
        """
        age_s = now.utc - stamp.captured_at
        if not -FUTURE_S <= age_s <= self.max_age_s:
            self.stale += 1
            return self._wrong(f"{_age(age_s)}: do the clocks agree?", now)
        digest = hashlib.sha256(payload).digest()
        if digest == self._digest:
            self.repeated += 1
            return self._wrong("always the same: is the picture frozen?", now)
        self._digest, self._wrong_since = digest, None
        return True

    def problem(self, now: Now) -> str | None:
        """Said when for seconds no frame was news, until one is or no more come."""
        if self._wrong_since is None or now.mono - self._wrong_at > WRONG_FORGET_S:
            return None
        if self._wrong_at - self._wrong_since < WRONG_PROBLEM_S:
            return None
        return f"frames of camera {self.camera} are {self._why}"

    def _wrong(self, why: str, now: Now) -> bool:
        self._why, self._wrong_at = why, now.mono
        self._wrong_since = now.mono if self._wrong_since is None else self._wrong_since
        return False


def _age(age_s: float) -> str:
    return f"{age_s:.0f} s old" if age_s > 0 else f"{-age_s:.0f} s ahead"
