"""Which of a source's pictures are taken, and which are surplus. Pure."""

from __future__ import annotations

EARLY = 0.5  # of a period: how much before its time a picture is taken, as sources are never punctual


class Pace:
    """At most `rate_fps` pictures a second; `surplus` counts the others."""

    def __init__(self, rate_fps: float) -> None:
        self.period_s = 1 / rate_fps
        self.surplus = 0
        self._due_at = float("-inf")

    def takes(self, mono: float) -> bool:
        """Whether the picture that comes now is taken.

        The generic cell rate algorithm (ITU-T I.371): each picture moves the next one's time on by a
        period, and may itself be early by a share of one. So no error adds up: over any time T, at
        most rate × T + 1 + `EARLY` pictures are taken.
        """
        if mono < self._due_at - EARLY * self.period_s:
            self.surplus += 1
            return False
        self._due_at = max(self._due_at, mono) + self.period_s
        return True
