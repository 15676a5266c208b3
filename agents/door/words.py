"""The words on a door's session topic, by which an order proves that it is fresh. Pure.

The door makes a word at every connect and then every few seconds, and takes it back after a few
more, all by its own monotonic clock. So whatever carries a good word was made a moment ago, even
when every wall clock in the house is wrong; and what waited somewhere is refused.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from agents.runtime.clock import Now

RENEW_S = 4.0
GOOD_S = 2 * RENEW_S  # an order on its way may carry the word before
ANSWER_S = 3.0  # a broker that takes longer to acknowledge a word holds orders up as well


@dataclass(frozen=True)
class Word:
    text: str
    mid: int | None
    made_at: float  # monotonic


class Words:
    """Empty while the door has no connection that it trusts."""

    def __init__(self) -> None:
        self._words: deque[Word] = deque(maxlen=int(GOOD_S / RENEW_S) + 1)
        self._unanswered: deque[Word] = deque()

    @property
    def trusted(self) -> bool:
        """Whether there is a connection that was greeted and not given up."""
        return bool(self._words)

    def alive(self, now: Now) -> bool:
        """Whether an order that comes now without a proof of its age was sent a moment ago: the line was
        seen to work lately, whatever kept the agent from noticing that it does not any more.
        """
        return self.trusted and self.good(self._words[-1].text, now) and not self.silent(now)

    def add(self, text: str, mid: int | None, now: Now) -> None:
        """This word was published, as the message `mid`."""
        word = Word(text, mid, now.mono)
        self._words.append(word)
        self._unanswered.append(word)

    def acknowledged(self, mid: int) -> None:
        while self._unanswered and any(word.mid == mid for word in self._unanswered):
            self._unanswered.popleft()

    def lose(self) -> None:
        """The connection is gone, or not to be trusted: no word is good any more."""
        self._words.clear()
        self._unanswered.clear()

    def good(self, text: str, now: Now) -> bool:
        return any(word.text == text and now.mono - word.made_at <= GOOD_S for word in self._words)

    def silent(self, now: Now) -> bool:
        """Whether the broker has not acknowledged a word for too long."""
        return bool(self._unanswered) and now.mono - self._unanswered[0].made_at > ANSWER_S

    def due_s(self, now: Now) -> float:
        """Seconds until a new word is due."""
        return self._words[-1].made_at + RENEW_S - now.mono if self._words else float("inf")
