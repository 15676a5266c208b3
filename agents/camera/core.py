"""What a camera makes of its source's pictures. Pure: pictures and time in, decisions out.

The core sees no picture, only whether something moved in it and whether it is the last one again. The
agent opens the source when the core says so, reports how that went, and publishes the pictures to
which the core gives a stamp.
"""

from __future__ import annotations

from dataclasses import dataclass

from agents.camera.config import CameraSettings
from agents.camera.pace import EARLY
from agents.runtime.clock import Now
from agents.wire.messages import Availability
from agents.wire.stamp import Stamp

FIRST_BACKOFF_S, LAST_BACKOFF_S = 1.0, 30.0
OPENING_S = 30.0  # a Raspberry Pi takes seconds to load a camera library, a network camera to answer
CLOCK_STEP_S = 2.0  # the clock going back further than this was set, not adjusted


@dataclass
class Counters:
    """`published` pictures; `still`: nothing moved in them; `repeated`: the same as the one before, to
    the last bit; `unsent`: the broker had not taken the one before; `dropped`: more than the rate asks
    for; `source_failures`: opening or reading failed; `reopened` after a failure; `skipped`: stills
    that can't be read.
    """

    published: int = 0
    still: int = 0
    repeated: int = 0
    unsent: int = 0
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
        self._moved_at = float("-inf")
        self._stamped_at = float("-inf")
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
        self._stamped_at = float("-inf")  # that there are pictures again is news
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

    @property
    def saves(self) -> bool:
        """Whether it makes a difference that nothing moves."""
        return self._settings.idle_fps < self._settings.rate_fps

    def wants(self, moved: bool, captured: Now) -> bool:
        """Whether to look at the picture that came more closely, and publish it if it gets a stamp.

        While something moves, and for `active_s` after that, every picture is wanted, the first of them
        too; then `idle_fps` a second. One without a stamp does not count: another is tried at once.
        """
        self._waiting_since = captured.mono
        if moved or not self.saves:
            self._moved_at = captured.mono
        idle_due_at = self._stamped_at + 1 / self._settings.idle_fps - EARLY * self._period_s
        if captured.mono - self._moved_at <= self._settings.active_s or captured.mono >= idle_due_at:
            return True
        self.counters.still += 1
        self._same_since = captured.mono  # nobody looked whether it is the same, so it is not held to be
        return False

    def stamp(self, repeated: bool, captured: Now) -> Stamp | None:
        """The stamp to publish a picture under, or None when it may not be published.

        A picture that is the last one again (`repeated`) is not evidence of anything new: it never gets
        a stamp. Stamps strictly rise in `captured_at`, unless the computer's clock was set back.
        """
        if repeated:
            self._repeat(captured)
            return None
        self._same_since = captured.mono
        self._lost, self._flows = None, True
        self._backoff_s = FIRST_BACKOFF_S
        captured_at = round(captured.utc, 6)  # as it is written on the wire
        if 0 <= self._captured_at - captured_at <= CLOCK_STEP_S:
            self.counters.dropped += 1
            return None
        self._captured_at, self._stamped_at = captured_at, captured.mono
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
