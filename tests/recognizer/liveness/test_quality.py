"""What is too dark, too small, too blurred or half outside can't be told."""

from __future__ import annotations

import pytest

from agents.recognizer.liveness.quality import Quality
from agents.wire.identity import Box
from agents.wire.liveness import Doubt

FACE = Box(left=200, top=100, width=100, height=120)


@pytest.mark.parametrize(
    ("outline", "grey", "sharpness", "doubt"),
    [
        (FACE, 120, 60, None),
        (FACE, 20, 60, Doubt.TOO_DARK),
        (FACE, 240, 60, Doubt.TOO_BRIGHT),
        (FACE, 120, 3, Doubt.TOO_BLURRED),
        (FACE.model_copy(update={"width": 30, "height": 36}), 120, 60, Doubt.TOO_SMALL),
        (FACE.model_copy(update={"left": -30}), 120, 60, Doubt.AT_THE_EDGE),
        (FACE.model_copy(update={"left": 570}), 120, 60, Doubt.AT_THE_EDGE),
        (FACE.model_copy(update={"top": 270}), 120, 60, Doubt.AT_THE_EDGE),
        (FACE.model_copy(update={"top": -10}), 120, 60, None),
    ],
)
def test_what_keeps_a_face_from_being_judged(outline: Box, grey: float, sharpness: float, doubt: Doubt | None) -> None:
    assert Quality(outline, grey, sharpness).doubt(640, 360) is doubt
