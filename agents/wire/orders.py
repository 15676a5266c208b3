"""What people send beside commands: a word, or a JSON object that also says who sends it."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Self

from pydantic import Field, ValidationError

from agents.wire.messages import MAX_COMMAND_BYTES, BadMessage, Payload, Refusal, check_size
from agents.wire.values import Text

PLAIN_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")


class Order(Payload):
    """A word, or a JSON object that also says who sends it."""

    source: Text | None = None

    @classmethod
    def read(cls, payload: bytes) -> Self:
        """Raises BadMessage."""
        check_size(payload, MAX_COMMAND_BYTES)
        text = payload.strip()
        if text.startswith(b"{"):
            return cls.decode(text)
        try:
            return cls._of_words(text.decode())
        except (ValidationError, ValueError):
            raise BadMessage(Refusal.MALFORMED, f"expected {cls._expected()}, or a JSON object") from None

    @classmethod
    def _of_words(cls, words: str) -> Self:
        """Raises ValueError."""
        raise NotImplementedError

    @classmethod
    def _expected(cls) -> str:
        raise NotImplementedError


class HoldOrder(Order):
    """How long one unlock is to keep the strike released, in seconds; the door has bounds of its own."""

    hold_s: Annotated[float, Field(gt=0)]

    @classmethod
    def _of_words(cls, words: str) -> Self:
        if PLAIN_NUMBER.fullmatch(words) is None:  # Python would also read "1_0", "nan" and other scripts' digits
            raise ValueError(words)
        return cls(hold_s=float(words))

    @classmethod
    def _expected(cls) -> str:
        return "a number of seconds such as 4.5"


def plain_number(value: float) -> str:
    """The shortest decimal text that is read as this number again: `3`, `4.5`, never `1e-05`."""
    return f"{Decimal(repr(value)).normalize():f}"
