"""Who a face is, and whether a frame may be looked at. Pure: encodings and time in, answers out."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from agents.recognizer.matcher import Encoding, Match
from agents.runtime.clock import Now
from agents.runtime.events import Message
from agents.wire.feed import Feed
from agents.wire.identity import Box, Face, Identity
from agents.wire.liveness import Challenge, Liveness
from agents.wire.messages import BadMessage, Refusal
from agents.wire.stamp import Stamp
from agents.wire.values import NOBODY, UNKNOWN

MAX_FACES = 32  # an identity message holds no more
FUTURE_S = 1.0  # how far ahead a camera's clock may be
WRONG_PROBLEM_S = 5.0
WRONG_FORGET_S = 30.0
SILENT_S = 60.0  # a camera without an agent has nobody else who tells that it is silent
EVENTS_REMEMBERED = 1000  # pictures


@dataclass(frozen=True)
class Seen:
    """A face found in a frame, not yet compared with anybody. `encoding` is float64 (d,). `box` is dlib's,
    `outline` reaches to the top of the forehead (see `Found`).
    """

    box: Box
    outline: Box
    encoding: Encoding
    sharpness: float


@dataclass(frozen=True)
class Known:
    """A face that was compared with everybody; `track` is the number of the face it is, over several frames.
    `liveness` is None where it was not measured.
    """

    seen: Seen
    match: Match
    track: int
    liveness: Liveness | None = None


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


def read_challenge(message: Message, now: Now) -> Challenge:
    """What a face is asked to do. Raises BadMessage: for one that is retained, over, or of another door."""
    if message.retain:
        raise BadMessage(Refusal.RETAINED, "a retained challenge was for somebody else")
    challenge = Challenge.decode(message.payload)
    if challenge.door != message.names[0]:
        raise BadMessage(Refusal.MALFORMED, "it is of another door")
    if not challenge.asked_at - FUTURE_S <= now.utc < challenge.expires_at:
        raise BadMessage(Refusal.STALE, "it is over, or of the future: do the clocks agree?")
    return challenge


def in_a_word(identity: Identity) -> str:
    """What the person topic says: the largest known face's name, else `unknown` or `none`.

    Somebody in a picture that is held up is not there.
    """
    known = (face.person for face in identity.faces if face.person is not None and not face.is_spoof)
    return next(known, UNKNOWN if identity.faces else NOBODY)


def _face(known: Known) -> Face:
    return Face(
        person=known.match.person,
        distance=known.match.distance,
        margin=known.match.margin,
        box=known.seen.box,
        sharpness=known.seen.sharpness,
        track=known.track,
        liveness=known.liveness,
    )


@dataclass
class Arrivals:
    """The frames of one camera: their stamps, and which of them are news.

    Of a steady feed the picture before is remembered; of one that tells of events many, for the best of
    an event comes again when the person has long gone.
    """

    feed: Feed
    max_age_s: float
    stale: int = 0
    repeated: int = 0
    _count: int = 0
    _heard_at: float | None = None  # monotonic; None until there is a broker
    _digests: deque[bytes] = field(init=False)
    _why: str = ""  # what is wrong with the frames
    _wrong_since: float | None = None  # monotonic; None after a good one
    _wrong_at: float = 0.0

    def __post_init__(self) -> None:
        self._digests = deque(maxlen=1 if self.feed.steady else EVENTS_REMEMBERED)

    def listen(self, now: Now) -> None:
        """From now on frames can arrive."""
        self._heard_at = now.mono

    def stamp(self, stamp: Stamp | None, received_at: float) -> Stamp:
        """The camera's own stamp, or for a camera that gives none, one made on arrival."""
        self._count += stamp is None
        return stamp or Stamp(received_at, self._count - 1)

    def news(self, payload: bytes, stamp: Stamp, now: Now) -> bool:
        """Whether a frame is young enough to be looked at, and not the one before once more.

        The same picture byte by byte is a frozen camera's, whatever its stamp claims: a sensor's
        noise never comes twice. It is no evidence that anybody stands there now.
        """
        self._heard_at = now.mono
        age_s = now.utc - stamp.captured_at
        if not -FUTURE_S <= age_s <= self.max_age_s:
            self.stale += 1
            return self.wrong(f"{_age(age_s)}: do the clocks agree?", now)
        digest = hashlib.sha256(payload).digest()
        if digest in self._digests:
            self.repeated += 1
            return self.feed.steady and self.wrong("always the same: is the picture frozen?", now)
        self._digests.append(digest)
        self._wrong_since = None
        return True

    def problem(self, now: Now) -> str | None:
        """Said when for seconds no frame was news, until one is or no more come; or when none at all came
        from where they have to come all the time, and no agent is there to say so.
        """
        if self._silent(now):
            return f"no frame of camera {self.feed.camera} for more than {SILENT_S:g} s: does it publish?"
        if self._wrong_since is None or now.mono - self._wrong_at > WRONG_FORGET_S:
            return None
        if self._wrong_at - self._wrong_since < WRONG_PROBLEM_S:
            return None
        return f"frames of camera {self.feed.camera} are {self._why}"

    def _silent(self, now: Now) -> bool:
        awaited = self.feed.steady and not self.feed.ours and self._heard_at is not None
        return awaited and now.mono - (self._heard_at or 0.0) > SILENT_S

    def wrong(self, why: str, now: Now) -> bool:
        """Note that a frame is none to be looked at; `why` follows "frames of camera NAME are". Returns False."""
        self._why, self._wrong_at, self._heard_at = why, now.mono, now.mono
        self._wrong_since = now.mono if self._wrong_since is None else self._wrong_since
        return False


def _age(age_s: float) -> str:
    return f"{age_s:.0f} s old" if age_s > 0 else f"{-age_s:.0f} s ahead"
