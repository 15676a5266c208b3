"""What a door wants to know of a face's liveness, as it stands in the house's file."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from agents.runtime.settings import Section
from agents.wire.liveness import HeadAction
from agents.wire.values import Text

Said = Annotated[Text, Field(min_length=1)]
ActionName = Literal["turn_left", "turn_right", "nod", "blink_twice"]

WORDS: dict[str, dict[str, str]] = {
    "off": {"check": "off", "challenge": "never"},
    "required": {"check": "required", "challenge": "doubtful"},
    "challenge": {"check": "required", "challenge": "always"},
}
TEXTS = {
    HeadAction.TURN_LEFT: "Please turn your head to your left",
    HeadAction.TURN_RIGHT: "Please turn your head to your right",
    HeadAction.NOD: "Please nod",
    HeadAction.BLINK_TWICE: "Please blink twice",
}


class Liveness(Section):
    """With `check: off` whoever holds up a photograph gets in; it has to be asked for by name. A word in
    place of the section is for `check` and `challenge` both.

    `challenge` says when somebody is asked for an action, drawn from `actions`: `always`, or where the
    recognizer can't tell (`doubtful`). They have `within_s` for it, and `attempts` of them a visit.
    `blink_twice` is weak: eyes cut out of a photograph blink.
    """

    check: Literal["required", "off"] = "required"
    challenge: Literal["never", "doubtful", "always"] = "doubtful"
    within_s: Annotated[float, Field(ge=3, le=30)] = 8.0
    attempts: Annotated[int, Field(ge=1, le=5)] = 2
    actions: Annotated[list[ActionName], Field(min_length=2)] = ["turn_left", "turn_right", "nod"]

    @model_validator(mode="before")
    @classmethod
    def _in_a_word(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        if value not in WORDS:
            raise ValueError(f"is {', '.join(WORDS)}, or a section of its own")
        return WORDS[value]

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if len(set(self.actions)) < len(self.actions):
            raise ValueError("actions: one of them is there twice")
        return self

    @property
    def contradictory(self) -> bool:
        """Whether an action is asked for and its result not wanted."""
        return self.check == "off" and self.challenge == "always"

    @property
    def asks(self) -> bool:
        """Whether an action may be asked for."""
        return self.check == "required" and self.challenge != "never"

    def changed_by(self, other: Liveness | None) -> Liveness:
        """This with what `other` says in the file."""
        said = {} if other is None else {key: getattr(other, key) for key in other.model_fields_set}
        return self.model_copy(update=said)


class ChallengeTexts(Section):
    """What is said to people, on the challenge's topic and by the door's prompt."""

    turn_left: Said = TEXTS[HeadAction.TURN_LEFT]
    turn_right: Said = TEXTS[HeadAction.TURN_RIGHT]
    nod: Said = TEXTS[HeadAction.NOD]
    blink_twice: Said = TEXTS[HeadAction.BLINK_TWICE]

    def of(self, action: HeadAction) -> str:
        return str(getattr(self, action.value))
