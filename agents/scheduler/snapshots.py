"""Pictures of who stands there: beside a question to people, and beside the journal where that is wanted."""

from __future__ import annotations

import logging

from agents.runtime.clock import Now
from agents.runtime.events import Message
from agents.runtime.session import Session
from agents.scheduler.album import Album
from agents.scheduler.pictures import Pictures, PicturesError
from agents.wire.messages import BadMessage, Refusal
from agents.wire.scheduling import Decision, Question
from agents.wire.stamp import Stamp
from agents.wire.topics import QUESTION_SNAPSHOT

PRUNE_S = 600.0


class Snapshots:
    """Gets the recognizer's snapshots. `pictures` is where those of decisions are kept, or None."""

    def __init__(self, session: Session, pictures: Pictures | None, log: logging.Logger) -> None:
        self._session, self._pictures, self._log = session, pictures, log
        self._album: Album[Decision | Question] = Album()
        self._prune_at = float("-inf")
        self.problem: str | None = None

    def arrived(self, message: Message, now: Now) -> None:
        """Raises BadMessage."""
        stamp = Stamp.of(message.properties)
        if stamp is None:
            raise BadMessage(Refusal.MALFORMED, "a snapshot that does not say when it was taken")
        for about, jpeg in self._album.add(message.names[0], stamp.captured_at, message.payload, now):
            self._use(about, jpeg)

    def wanted(self, about: Decision | Question, began_at: float, now: Now) -> None:
        """A picture of the visit that began then goes with this, at once or as soon as there is one."""
        if isinstance(about, Decision) and self._pictures is None:
            return
        jpeg = self._album.ask(about.camera, began_at, about, now)
        if jpeg is not None:
            self._use(about, jpeg)

    def tick(self, now: Now) -> None:
        if self._pictures is None or now.mono < self._prune_at or not now.utc_is_set:
            return
        self._prune_at = now.mono + PRUNE_S
        try:
            self._pictures.prune(now.utc)
        except PicturesError as error:
            self._fail(error)

    def _use(self, about: Decision | Question, jpeg: bytes) -> None:
        if isinstance(about, Question):
            self._session.publish(QUESTION_SNAPSHOT, about.door, payload=jpeg)
            return
        assert self._pictures is not None
        try:
            self._pictures.save(about.id, about.door, about.decided_at, jpeg)
            self.problem = None
        except PicturesError as error:
            self._fail(error)

    def _fail(self, error: PicturesError) -> None:
        if self.problem is None:
            self._log.error("%s", error)
        self.problem = str(error)
