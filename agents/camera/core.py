"""What a camera makes of its source's pictures. Pure: pictures and time in, decisions out.

The core sees no picture, only its digest. The agent opens the source when the core says so, reports
how that went, and publishes the pictures to which the core gives a stamp.
"""

from __future__ import annotations

from dataclasses import dataclass

from agents.camera.config import CameraSettings
from agents.runtime.clock import Now
from agents.wire.messages import Availability
from agents.wire.stamp import Stamp

FIRST_BACKOFF_S, LAST_BACKOFF_S = 1.0, 30.0
OPENING_S = 30.0  # a Raspberry Pi takes seconds to load a camera library, a network camera to answer
EARLY = 0.5  # of a period: how much before its time a picture is taken, as sources are never punctual
CLOCK_STEP_S = 2.0  # the clock going back further than this was set, not adjusted


@dataclass
class Counters:
    """`published` pictures; `repeated`: the same as the one before, to the last bit; `dropped`: more
    than the rate asks for; `source_failures`: opening or reading failed; `reopened` after a failure;
    `skipped`: stills that can't be read.
    """

    published: int = 0
    repeated: int = 0
    dropped: int = 0
    source_failures: int = 0
    reopened: int = 0
    skipped: int = 0


class Camera:
    """One camera. `source` is what its source is called in texts for people."""

    def __init__(self, settings: CameraSettings, source: str) -> None:
        self._settings, self._source = settings, source
        self._period_s = 1 / settings.rate_fps
        self.counters = Counters()
        self._flows = False
        self._lost: str | None = None
        self._unfit: str | None = None
        self._open_at: float | None = float("-inf")  # monotonic; None while the source is open
        self._backoff_s = FIRST_BACKOFF_S
        self._was_open = False
        self._waiting_since, self._patience_s = 0.0, 0.0
        self._due_at = float("-inf")
        self._digest: bytes | None = None
        self._same_since = 0.0
        self._captured_at = 0.0

    @property
    def availability(self) -> Availability:
        return Availability.ONLINE if self._flows and self.problem is None else Availability.OFFLINE

    @property
    def problem(self) -> str | None:
        return self._lost or self._unfit

    def should_open(self, now: Now) -> bool:
        return self._open_at is not None and now.mono >= self._open_at

    def opening(self, now: Now) -> None:
        """The source is being opened."""
        self._open_at = None
        self._wait(OPENING_S, now)

    def opened(self, now: Now) -> None:
        """The source is open; its first picture is awaited."""
        self.counters.reopened += self._was_open
        self._was_open = True
        # a folder shown slower than one picture in `stalled_after_s` is slow, not stalled
        self._wait(max(self._settings.stalled_after_s, 2 * self._period_s), now)

    def failed(self, text: str, now: Now) -> None:
        """The source is lost; `text` says why and names it. It is opened anew after a while."""
        self.counters.source_failures += 1
        self._lost, self._flows = text, False
        self._open_at = now.mono + self._backoff_s
        self._backoff_s = min(2 * self._backoff_s, LAST_BACKOFF_S)

    def stalls(self, now: Now) -> bool:
        """Whether the open source has been silent for too long. It then counts as failed."""
        silent_s = now.mono - self._waiting_since
        if self._open_at is not None or silent_s < self._patience_s:
            return False
        self.failed(f"stalled: no picture from {self._source} for {silent_s:.0f} s", now)
        return True

    def due_s(self, now: Now) -> float:
        """Seconds until `should_open` or `stalls` will have something to say."""
        due_at = self._waiting_since + self._patience_s if self._open_at is None else self._open_at
        return due_at - now.mono

    def wants(self, now: Now) -> bool:
        """Whether the picture that just came is due; else it is surplus.

        The generic cell rate algorithm (ITU-T I.371): each picture moves the next one's time on by a
        period, and may itself be early by a share of one. So no error adds up: over any time T, at
        most rate × T + 1 + `EARLY` pictures are wanted.
        """
        self._waiting_since = now.mono
        if now.mono < self._due_at - EARLY * self._period_s:
            self.counters.dropped += 1
            return False
        self._due_at = max(self._due_at, now.mono) + self._period_s
        return True

    def stamp(self, digest: bytes, captured: Now) -> Stamp | None:
        """The stamp to publish a picture under, or None when it may not be published.

        A picture that equals the one before is not evidence of anything new: it never gets a stamp.
        Stamps strictly rise in `captured_at`, unless the computer's clock was set back.
        """
        if digest == self._digest:
            self._repeat(captured)
            return None
        self._digest, self._same_since = digest, captured.mono
        self._lost, self._flows = None, True
        self._backoff_s = FIRST_BACKOFF_S
        captured_at = round(captured.utc, 6)  # as it is written on the wire
        if 0 <= self._captured_at - captured_at <= CLOCK_STEP_S:
            self.counters.dropped += 1
            return None
        self._captured_at = captured_at
        return Stamp(captured_at, seq=self.counters.published)

    def published(self) -> None:
        """The picture with the last stamp is on its way."""
        self.counters.published += 1
        self._unfit = None

    def unfit(self, text: str) -> None:
        """The picture with the last stamp can't be published; `text` says why."""
        self._unfit = text

    def _wait(self, patience_s: float, now: Now) -> None:
        self._waiting_since, self._patience_s = now.mono, patience_s

    def _repeat(self, captured: Now) -> None:
        self.counters.repeated += 1
        same_s = captured.mono - self._same_since
        if same_s >= self._settings.frozen_after_s:
            limit_s = self._settings.frozen_after_s
            self._lost = f"frozen: the picture of {self._source} has not changed for more than {limit_s:g} s"
            self._flows = False
