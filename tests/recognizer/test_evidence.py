"""What several frames of one face say together."""

from __future__ import annotations

from math import cos, nan, pi, sin

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.recognizer.evidence import MAX_AGE_S, MAX_FRAMES, Evidence
from agents.recognizer.matcher import Encoding, Enrolled, Matcher
from agents.recognizer.rule import Rule

RULE = Rule(threshold=0.3, min_margin=0.05, margin_weight=0.0)
OTHER_FACE = 0.5


def at(distance: float, aside: float = 0.0) -> Encoding:
    """A face of length 1: so far along a circle from `at(0)`, and turned aside by an angle."""
    angle = 2 * np.arcsin(distance / 2)
    return np.array([cos(angle) * cos(aside), sin(angle) * cos(aside), sin(aside)])


ANA = Matcher(Enrolled(("Ana", "Ivan"), np.array([at(0.0), at(1.5)])), RULE)


@pytest.fixture
def evidence() -> Evidence:
    return Evidence(OTHER_FACE)


def test_one_frame_is_judged_as_if_it_were_alone(evidence: Evidence) -> None:
    for face in (at(0.2), at(0.29), at(0.31)):
        alone = ANA.match(3 * face)
        assert ANA.match_mean(Evidence(OTHER_FACE).add(3 * face, 20.0, 5.0)) == alone


@given(st.lists(st.floats(-0.4, 0.4), min_size=1, max_size=MAX_FRAMES))
def test_the_distance_is_the_root_of_the_mean_square_of_the_frames(asides: list[float]) -> None:
    evidence, alone = Evidence(2.0), Matcher(Enrolled(("Ana",), at(0.0)[None]), RULE)
    frames = [at(0.2, aside) for aside in asides]
    for frame in frames:
        mean = evidence.add(frame, 20.0, 5.0)
    squares = [float(np.sum((frame - at(0.0)) ** 2)) for frame in frames]
    assert alone.match_mean(mean).distance == pytest.approx(np.mean(squares) ** 0.5, abs=1e-5)


def test_a_stranger_is_no_nearer_for_being_seen_from_two_sides(evidence: Evidence) -> None:
    """Averaged and brought to length 1 again, these two would be 0.25 away: let in."""
    sides = at(0.25, 0.2), at(0.25, -0.2)
    assert [ANA.match(side).person for side in sides] == [None, None]
    assert ANA.match(sides[0] + sides[1]).person == "Ana"
    for side in sides:
        match = ANA.match_mean(evidence.add(side, 20.0, 5.0))
    assert match.person is None


def test_one_bad_frame_among_good_ones_keeps_nobody_out_and_one_good_one_lets_nobody_in() -> None:
    for usual, once, person in ((0.25, 0.33, "Ana"), (0.33, 0.25, None)):
        evidence = Evidence(OTHER_FACE)
        for i in range(4):
            evidence.add(at(usual), 20.0, 0.1 * i)
        assert ANA.match_mean(evidence.add(at(once), 20.0, 0.4)).person == person


def test_a_sharp_frame_says_more_than_a_blurred_one(evidence: Evidence) -> None:
    evidence.add(at(0.25), 40.0, 0.0)
    assert ANA.match_mean(evidence.add(at(0.34), 5.0, 0.1)).person == "Ana"
    evidence = Evidence(OTHER_FACE)
    evidence.add(at(0.25), 5.0, 0.0)
    assert ANA.match_mean(evidence.add(at(0.34), 40.0, 0.1)).person is None


def test_frames_without_any_sharpness_count_equally(evidence: Evidence) -> None:
    evidence.add(at(0.1), 0.0, 0.0)
    np.testing.assert_allclose(evidence.add(at(0.3), 0.0, 0.1), (at(0.1) + at(0.3)) / 2)


def test_another_face_in_the_same_place_does_not_inherit_what_was_known(evidence: Evidence) -> None:
    for i in range(MAX_FRAMES):
        evidence.add(at(0.0), 20.0, 0.05 * i)
    mean = evidence.add(at(0.6), 20.0, 0.5)
    assert len(evidence) == 1
    np.testing.assert_allclose(mean, at(0.6))


def test_an_encoding_that_is_none_is_nobody_and_does_not_stay(evidence: Evidence) -> None:
    evidence.add(at(0.0), 20.0, 0.0)
    assert ANA.match_mean(evidence.add(np.array([nan, 0.0, 0.0]), 20.0, 0.1)).person is None
    assert ANA.match_mean(evidence.add(at(0.0), 20.0, 0.2)).person == "Ana"
    assert len(evidence) == 1


def test_old_frames_are_forgotten(evidence: Evidence) -> None:
    evidence.add(at(0.3), 20.0, 0.0)
    evidence.add(at(0.1), 20.0, MAX_AGE_S / 2)
    np.testing.assert_allclose(evidence.add(at(0.1), 20.0, MAX_AGE_S + 0.01), at(0.1))
    assert len(evidence) == 2


def test_no_more_than_so_many_frames_are_remembered(evidence: Evidence) -> None:
    for i in range(3 * MAX_FRAMES):
        evidence.add(at(0.1), 20.0, 0.001 * i)
    assert len(evidence) == MAX_FRAMES


@given(st.floats(0, 2 * pi), st.floats(0, 2 * pi))
def test_a_mean_is_never_longer_than_a_face(one: float, other: float) -> None:
    evidence = Evidence(2.0)
    evidence.add(np.array([cos(one), sin(one)]), 20.0, 0.0)
    assert np.linalg.norm(evidence.add(np.array([cos(other), sin(other)]), 10.0, 0.1)) <= 1 + 1e-9
