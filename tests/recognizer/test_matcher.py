"""Who a face is, told from encodings alone. All people stand on a circle: distances are chords of it."""

from __future__ import annotations

from math import cos, inf, nan, pi, sin

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.recognizer.matcher import CANDIDATES, NOBODY_ENROLLED, Encoding, Enrolled, Match, Matcher, unit
from agents.recognizer.rule import Rule

RULE = Rule(threshold=0.3, min_margin=0.05, margin_weight=0.2, max_margin=0.1)


def at(distance: float, length: float = 1.0) -> Encoding:
    """Where the circle of radius 1 is so far from where `at(0)` is; negative: on the other side."""
    angle = 2 * np.arcsin(distance / 2)
    return length * np.array([cos(angle), sin(angle), 0.0, 0.0])


def matcher(*enrolled: tuple[str, Encoding], ignored: str = "", rule: Rule = RULE) -> Matcher:
    names, encodings = zip(*enrolled, strict=True)
    return Matcher(Enrolled(names, np.array(encodings), frozenset(ignored.split())), rule)


ANA_AND_IVAN = matcher(("Ana", at(0.0)), ("Ivan", at(1.0)))


def test_a_face_near_one_person_and_far_from_the_other_is_that_person() -> None:
    match = ANA_AND_IVAN.match(at(0.3))
    assert match.person == "Ana"
    assert match.distance == pytest.approx(0.3)
    assert match.margin is not None
    assert match.margin > 0.3


def test_a_stranger_is_a_stranger_however_clear_the_nearest_person_is() -> None:
    assert ANA_AND_IVAN.match(at(-0.31)).person == "Ana", "a clear margin counts a little"
    match = ANA_AND_IVAN.match(at(-0.33))
    assert match.person is None
    assert match.margin is not None
    assert match.margin > 0.6, "but no more than so much of it"


def test_a_face_between_two_people_is_neither() -> None:
    alike = matcher(("Ana", at(0.0)), ("Eva", at(0.4)))
    assert alike.match(at(0.19)).person is None
    assert alike.match(at(0.17)).person == "Ana"


def test_with_one_person_enrolled_there_is_no_margin_and_the_score_is_that_of_a_clear_one() -> None:
    alone = matcher(("Ana", at(0.0)))
    for away, person in ((0.31, "Ana"), (0.33, None)):
        match = alone.match(at(away))
        assert (match.person, match.margin) == (person, None)
        assert match.distance == pytest.approx(away, abs=1e-6)


def test_with_nobody_enrolled_everybody_is_a_stranger() -> None:
    assert Matcher(NOBODY_ENROLLED, RULE).match(at(0.0)) == Match(None, None, None)


@pytest.mark.parametrize("wrong", [nan, inf])
def test_an_encoding_that_is_none_is_nobody(wrong: float) -> None:
    assert ANA_AND_IVAN.match(np.array([1.0, wrong, 0.0, 0.0])) == Match(None, None, None)


def test_an_encoding_of_zeros_is_nobody() -> None:
    assert ANA_AND_IVAN.match(np.zeros(4)).person is None


def test_a_person_is_half_their_template_and_half_the_two_photos_nearest_the_face() -> None:
    photos = [at(0.0), at(0.2), at(0.6)]
    people = matcher(("Ana", photos[0]), ("Ivan", at(1.9)), ("Ana", photos[1]), ("Ana", photos[2]))
    assert people.people == ("Ana", "Ivan")
    template = np.mean(photos, axis=0)
    expected = (np.linalg.norm(at(0.1) - template) + (0.1 + np.linalg.norm(at(0.1) - at(0.2))) / 2) / 2
    assert people.match(at(0.1)).distance == pytest.approx(float(expected), abs=1e-6)


def test_how_long_an_encoding_is_does_not_matter() -> None:
    photos = ("Ana", at(0.0)), ("Ana", at(0.4)), ("Ivan", at(1.2))
    longer = ("Ana", at(0.0, 1.4)), ("Ana", at(0.4, 0.9)), ("Ivan", at(1.2, 3.0))
    assert matcher(*photos).match(at(0.1)) == matcher(*longer).match(at(0.1, 1.7))


def test_who_is_ignored_is_compared_with_and_never_let_in() -> None:
    poster = matcher(("Ana", at(0.0)), ("poster", at(0.3)), ignored="poster")
    assert poster.match(at(0.3)).person is None, "nearest to the poster"
    assert poster.match(at(0.14)).person is None, "too near to tell"
    assert poster.match(at(-0.1)).person == "Ana"
    assert poster.match(at(0.3)).distance == pytest.approx(0.0, abs=1e-6)


def test_where_two_people_are_equal_nobody_is_meant() -> None:
    assert matcher(("Ana", at(0.0)), ("Eva", at(0.0))).match(at(0.0)).person is None


@pytest.mark.parametrize("size", [2, 128, 512])
def test_encodings_may_be_of_any_length(size: int) -> None:
    photos = np.eye(size)
    assert Matcher(Enrolled(("Ana", "Ivan"), photos[:2]), RULE).match(photos[1]).person == "Ivan"


def test_in_a_crowd_the_person_is_the_one_that_a_look_at_every_photo_finds() -> None:
    rng = np.random.default_rng(1)
    people, photos_each = 40 * CANDIDATES, 3
    centres = rng.normal(size=(people, 16))
    photos = np.repeat(centres, photos_each, axis=0) + 0.3 * rng.normal(size=(people * photos_each, 16))
    names = tuple(f"p{i // photos_each}" for i in range(len(photos)))
    crowd = Matcher(Enrolled(names, photos), RULE)
    for face in centres[:30] + 0.3 * rng.normal(size=(30, 16)):
        nearest, second = sorted(by_hand(names, photos, face))[:2]
        match = crowd.match(face)
        assert match.distance == pytest.approx(nearest[0], abs=1e-5)
        assert match.margin == pytest.approx(second[0] - nearest[0], abs=1e-5)
        assert match.person in (nearest[1], None)


@given(
    rows=st.lists(st.tuples(st.sampled_from("ABC"), st.floats(0, 2 * pi)), min_size=1, max_size=9),
    angle=st.floats(0, 2 * pi),
)
def test_a_person_is_named_only_by_a_small_score_and_clear_of_the_second(
    rows: list[tuple[str, float]], angle: float
) -> None:
    names, photos = tuple(name for name, _ in rows), np.array([[cos(a), sin(a)] for _, a in rows])
    face = np.array([cos(angle), sin(angle)])
    match = Matcher(Enrolled(names, photos), RULE).match(face)
    found = sorted(by_hand(names, photos, face))
    margin = found[1][0] - found[0][0] if len(found) > 1 else None
    assert match.distance == pytest.approx(found[0][0], abs=1e-5)
    assert match.margin == (pytest.approx(margin, abs=1e-5) if margin is not None else None)
    assert (match.margin or 0) >= 0
    if match.person is not None:
        assert next(d for d, name in found if name == match.person) == pytest.approx(found[0][0], abs=1e-5)
        assert found[0][0] <= RULE.threshold + RULE.margin_weight * RULE.max_margin + 1e-5
        assert margin is None or margin >= RULE.min_margin - 1e-5


@given(st.floats(0, 2), st.floats(0, 2), st.floats(0, 0.5))
def test_the_rule_never_takes_a_farther_or_less_clear_face_for_a_better_one(
    distance: float, margin: float, worse: float
) -> None:
    if RULE.accepts(distance + worse, margin):
        assert RULE.accepts(distance, margin)
        assert RULE.accepts(distance + worse, margin + worse)
        assert RULE.accepts(distance + worse, None)


def test_another_encoders_rule_has_its_threshold_and_margins_in_proportion() -> None:
    rule = RULE.scaled(0.9)
    assert (rule.threshold, rule.min_margin, rule.max_margin) == pytest.approx((0.9, 0.15, 0.3))
    assert rule.accepts(0.95, None)
    assert not rule.accepts(0.97, None)


def by_hand(names: tuple[str, ...], photos: Encoding, face: Encoding) -> list[tuple[float, str]]:
    """The distance to every person, each photo looked at."""
    found = []
    for person in dict.fromkeys(names):
        own = unit(photos)[np.array(names) == person]
        away = np.sort(np.linalg.norm(own - unit(face[None]), axis=1))[:2].mean()
        found.append((float(np.linalg.norm(own.mean(axis=0) - unit(face[None])[0]) + away) / 2, person))
    return found
