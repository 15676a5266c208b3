"""What the scheduler asks people before this door to do: read, and passed on to the door's prompt."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence

from agents.door.config import PromptSettings
from agents.door.prompt import Prompt, Said
from agents.runtime.clock import Clock, Now
from agents.runtime.events import Message, Subscription
from agents.runtime.flood import Flood
from agents.wire.liveness import Challenge
from agents.wire.topics import CHALLENGE

AHEAD_S = 2.0  # between the scheduler's clock and this one
AT_MOST_S = 30.0  # whatever it says itself, a challenge is not good for longer
REMEMBERED = 100  # ids


class PromptOrders:
    """Nothing that it does or refuses concerns the lock. Without `settings` it reads nothing."""

    def __init__(self, name: str, settings: PromptSettings | None, clock: Clock, log: logging.Logger) -> None:
        self._name, self._log = name, log
        self._prompt = Prompt(settings, clock, log) if settings is not None else None
        self._said: deque[str] = deque(maxlen=REMEMBERED)
        self._flood = Flood()
        self._refused = 0

    def subscriptions(self) -> Sequence[Subscription]:
        return (Subscription(CHALLENGE, (self._name,)),) if self._prompt is not None else ()

    def start(self) -> None:
        if self._prompt is not None:
            self._prompt.start()

    def obey(self, message: Message, now: Now) -> None:
        """A challenge that came before is passed over."""
        if self._prompt is None:
            return
        if not self._flood.admits(now):
            self._refused += 1
            return
        try:
            said = self._read(message, now)
        except ValueError as error:
            self._refused += 1
            self._log.warning("refused a challenge: %s", error)
            return
        if said is not None:
            self._prompt.say(said)

    @property
    def problem(self) -> str | None:
        return self._prompt.problem if self._prompt is not None else None

    @property
    def counters(self) -> dict[str, int]:
        return {**self._prompt.counters, "prompts_refused": self._refused} if self._prompt is not None else {}

    def close(self) -> None:
        if self._prompt is not None:
            self._prompt.close()

    def _read(self, message: Message, now: Now) -> Said | None:
        """None for one that came before. Raises ValueError for what is not to be said, BadMessage among them."""
        if message.retain:
            raise ValueError("it is retained")
        challenge = Challenge.decode(message.payload)
        if challenge.door != self._name:
            raise ValueError(f"it is for door {challenge.door}")
        good_for_s = challenge.expires_at - challenge.asked_at
        if now.utc_is_set:
            good_for_s = challenge.expires_at - now.utc
            if good_for_s <= 0 or challenge.asked_at > now.utc + AHEAD_S:
                raise ValueError("it is too old, or from the future")
        if challenge.id in self._said:
            return None
        self._said.append(challenge.id)
        return Said(str(challenge.action), challenge.text, now.mono + min(good_for_s, AT_MOST_S))
