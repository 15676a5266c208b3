"""The payloads on the scheduler's topics: what it decided, what it asks, and what people tell it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, StringConstraints

from agents.wire.liveness import Liveness
from agents.wire.messages import Outcome, Payload, Switch
from agents.wire.orders import Order
from agents.wire.values import CorrelationId, Name, PersonName, Seq, Text, UtcSeconds
from agents.wire.why import Why

MAX_LET_IN = 12  # people at one door: their list fits in a message

ClockTime = Annotated[str, StringConstraints(pattern=r"^([01]?[0-9]|2[0-3]):[0-5][0-9]$")]
"""A time of day in the house's time zone."""


class Votes(Payload):
    """What a decision rests on: in `agreeing` of the last frames it was this person, and `needed` are
    enough. The visit had `frames` with a face, and the deciding frame `faces` of them.
    """

    agreeing: Seq
    needed: Seq
    frames: Seq
    faces: Seq


class Decision(Payload):
    """How a visit ended.

    `id`, `camera` and `captured_at` are those of the deciding frame; `began_at` is when the visit's
    first frame was captured. `rule` is the line of the rules that decided, where it was one. `liveness`
    is that of the deciding face, null where none was measured.
    """

    id: CorrelationId
    door: Name
    camera: Name
    outcome: Outcome
    reason: Why
    person: PersonName | None
    distance: Annotated[float, Field(ge=0)] | None
    evidence: Votes
    began_at: UtcSeconds
    captured_at: UtcSeconds
    decided_at: UtcSeconds
    rule: Text = ""
    detail: Text = ""
    liveness: Liveness | None = None


class Question(Payload):
    """Whether somebody may come in, asked of people. `id` is that of the frame it is asked for."""

    id: CorrelationId
    door: Name
    camera: Name
    person: PersonName
    asked_at: UtcSeconds
    expires_at: UtcSeconds


class YesNo(StrEnum):
    YES = "YES"
    NO = "NO"


class Answer(Order):
    """To a question; without `id`, to the only one that is open. `ts` is when it was given."""

    answer: YesNo
    id: CorrelationId | None = None
    ts: UtcSeconds | None = None

    @classmethod
    def _of_words(cls, words: str) -> Self:
        return cls(answer=YesNo(words))

    @classmethod
    def _expected(cls) -> str:
        return "YES or NO"


class SwitchOrder(Order):
    """To switch something on or off."""

    state: Switch

    @classmethod
    def _of_words(cls, words: str) -> Self:
        return cls(state=Switch(words))

    @classmethod
    def _expected(cls) -> str:
        return "ON or OFF"


class LetInOrder(Order):
    """To let somebody in until a time of day or a UTC time; with `until` null, not any more."""

    person: PersonName
    until: UtcSeconds | ClockTime | None

    @classmethod
    def _of_words(cls, words: str) -> Self:
        person, _, until = words.rpartition(" until ")
        return cls(person=person.strip(), until=until.strip())

    @classmethod
    def _expected(cls) -> str:
        return "NAME until 22:00"


class LetIn(Payload):
    """Somebody who is let in until then, whatever the windows say. `source` is who asked for it."""

    person: PersonName
    until: UtcSeconds
    source: Text | None
    asked_at: UtcSeconds


class LetInList(Payload):
    """All who are let in like this at one door."""

    people: Annotated[tuple[LetIn, ...], Field(max_length=MAX_LET_IN)]
