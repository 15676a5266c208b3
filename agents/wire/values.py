"""The small values that payloads and settings are made of, each with its bounds."""

from __future__ import annotations

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

# What the `person` topic says when there is no name to say.
UNKNOWN, NOBODY = "unknown", "none"
MOST_LETTERS = 64  # of a name


def _person_name(name: str) -> str:
    if name != name.strip() or not name.isprintable():
        raise ValueError("a name has no control characters and no space at its ends")
    if name.casefold() in (UNKNOWN, NOBODY):
        raise ValueError(f"{name!r} is what the person topic says when nobody is known")
    composed = unicodedata.normalize("NFC", name)  # the same name is the same text, however it was typed
    if len(composed) > MOST_LETTERS:  # some letters have no composed form, and become two or three
        raise ValueError(f"a name has at most {MOST_LETTERS} letters")
    return composed


def one_line(text: str) -> str:
    """The text with a space for whatever can't be shown: it ends up in logs and on terminals."""
    return "".join(char if char.isprintable() else " " for char in text)


def _one_line(value: object) -> object:
    return one_line(value) if isinstance(value, str) else value


Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")]
"""A door, camera or agent: one topic level, so lower-case letters, digits, `_` and `-`."""

PersonName = Annotated[str, StringConstraints(min_length=1, max_length=MOST_LETTERS), AfterValidator(_person_name)]
CorrelationId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]
UtcSeconds = Annotated[float, Field(ge=0, lt=1e11)]
"""Seconds since 1970 in UTC. The upper bound refuses milliseconds."""

Seq = Annotated[int, Field(ge=0, lt=2**53)]
Pixels = Annotated[int, Field(ge=-100_000, le=100_000)]
Text = Annotated[str, StringConstraints(max_length=200), BeforeValidator(_one_line)]
"""A line for people. Control characters become spaces, so that nobody's text forges a log line."""
