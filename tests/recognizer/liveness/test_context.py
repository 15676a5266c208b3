"""What moves with a face."""

from __future__ import annotations

import numpy as np
import pytest

from agents.recognizer.liveness.context import LEAST_MOTIONS, Motion, context


def motions(along: float, size: float = 0.02, count: int = 20, seed: int = 0) -> list[Motion]:
    """A face that sways, and surroundings that go with it by this share; both measured with some noise."""
    random = np.random.default_rng(seed)
    faces, noise = size * random.standard_normal((count, 2)), 0.0005 * random.standard_normal((2, count, 2))
    return [Motion(tuple(face + noise[0, i]), tuple(along * face + noise[1, i])) for i, face in enumerate(faces)]


def test_behind_a_person_the_wall_stands_still() -> None:
    assert context(motions(along=0)) == pytest.approx(1, abs=0.05)


def test_in_a_picture_it_moves_along() -> None:
    assert context(motions(along=1)) == pytest.approx(0, abs=0.05)


def test_what_moves_against_the_face_does_not_move_along() -> None:
    """As it does behind a head that a camera follows."""
    assert context(motions(along=-1)) == 1


@pytest.mark.parametrize("along", [0, 1])
def test_of_what_holds_still_nothing_is_known(along: float) -> None:
    assert context(motions(along, size=0.0005)) is None


def test_a_few_frames_tell_nothing() -> None:
    assert context(motions(along=1, count=LEAST_MOTIONS - 1)) is None
