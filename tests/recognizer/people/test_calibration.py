"""What the photos of the enrolled tell about the threshold. People are directions; their photos lie around them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.recognizer.matcher import Encoding, Enrolled, Matcher
from agents.recognizer.people.calibration import (
    HEADROOM,
    STRANGERS,
    WITHIN,
    Bound,
    Calibration,
    House,
    Misfit,
    look_at,
    strangers_let_in,
    threshold_for,
)
from agents.recognizer.people.vetting import Limits
from agents.recognizer.rule import Rule

LIMITS = Limits.of(None)
MIN_MARGIN = Rule.min_margin


def direction(number: int) -> Encoding:
    """Of everybody another one, at right angles to all others."""
    return np.asarray(np.eye(128)[number])


def photos(centre: Encoding, count: int = 5, spread: float = 0.2, seed: int = 0) -> list[Encoding]:
    """At about this distance from the centre, and from one another half as far again; their length tells nothing."""
    away = np.random.default_rng(seed).normal(size=(count, 128))
    return list(1.4 * (centre + spread * away / np.linalg.norm(away, axis=1, keepdims=True)))


def between(one: Encoding, other: Encoding, distance: float) -> Encoding:
    """So far from one, on the way to the other."""
    angle = 2 * np.arcsin(distance / 2)
    return np.asarray(np.cos(angle) * one + np.sin(angle) * other)


ANA, EVA, IVAN, MAJA = (direction(number) for number in range(4))
FOUR = {
    "Ana": photos(ANA, seed=1),
    "Eva": photos(EVA, seed=2),
    "Ivan": photos(IVAN, seed=3),
    "Maja": photos(MAJA, seed=4),
}
LIKE_ANA = {**FOUR, "Iva": photos(between(ANA, direction(9), 0.15), seed=5)}


def calibrate(
    people: dict[str, list[Encoding]], never: Sequence[str] = (), listed: Sequence[str] = (), rule: Rule | None = None
) -> Calibration:
    names = tuple(name for name, own in people.items() for _ in own)
    encodings = np.array([photo for own in people.values() for photo in own])
    enrolled = Enrolled(names, encodings, frozenset([*never, *listed]))
    return Calibration(House(enrolled, rule or Rule(), LIMITS, frozenset(listed)))


def test_people_who_differ_and_photos_that_agree_leave_everything_as_it_is() -> None:
    found = calibrate(FOUR)
    assert (found.conflicts, found.misfits) == ([], [])
    assert [(s.person, s.photos, s.recognized) for s in found.spreads] == [(name, 5, 5) for name in FOUR]
    assert all(0.1 < s.median <= s.largest < 0.3 for s in found.spreads if s.median and s.largest)
    assert found.propose().threshold == Rule.threshold
    assert found.propose().bound is Bound.CEILING
    assert found.recognized(Rule.threshold) == 1.0
    assert found.recognized(0.1) == 0.0


def test_each_photo_is_told_as_by_a_matcher_that_never_saw_it() -> None:
    rng = np.random.default_rng(0)
    centres = 0.3 * rng.normal(size=(30, 128)) + rng.normal(size=128)  # all of a family, larger than is looked at
    names = tuple(f"p{i // 4}" for i in range(120))
    encodings = np.repeat(centres, 4, axis=0) + 0.28 * rng.normal(size=(120, 128))
    rule, recognized = Rule(), 0
    for row, look in enumerate(look_at(Enrolled(names, encodings), rule)):
        rest = Enrolled(names[:row] + names[row + 1 :], np.delete(encodings, row, axis=0))
        match = Matcher(rest, rule).match(encodings[row])
        assert (look.person, look.number) == (names[row], row % 4 + 1)
        assert look.recognized(rule) == (match.person == names[row])
        nearest = min((look.own or 9.0), look.others[0][0])
        assert match.distance == pytest.approx(nearest, abs=1e-6)
        recognized += look.recognized(rule)
    assert 0 < recognized < 120


def test_a_photo_of_somebody_else_is_told_with_its_number_and_whose_it_may_be() -> None:
    wrong = photos(EVA, count=1, seed=9)
    found = calibrate({**FOUR, "Ana": [*FOUR["Ana"][:2], *wrong, *FOUR["Ana"][2:]]})
    (misfit,) = found.misfits
    assert (misfit.person, misfit.number, misfit.other) == ("Ana", 3, "Eva")
    assert misfit.away is not None
    assert misfit.away < 0.3 < misfit.distance
    assert found.propose().bound is Bound.PAIR, "until it is settled"
    settled = found.without_misfits()
    assert (settled.misfits, settled.propose().threshold) == ([], Rule.threshold)
    assert len(settled.looks) == 20


def test_a_photo_of_somebody_nobody_knows_is_told_too() -> None:
    found = calibrate({**FOUR, "Ana": [*FOUR["Ana"], 0.8 * ANA + direction(9)]})
    assert [(m.person, m.number, m.other) for m in found.misfits] == [("Ana", 6, None)]
    assert found.misfits[0].distance > LIMITS.unlike


def test_what_is_surely_wrong_comes_before_what_is_only_unclear() -> None:
    unclear = 0.5 * IVAN + 0.7 * MAJA + direction(9)
    found = calibrate({**FOUR, "Ivan": [unclear, *FOUR["Ivan"]], "Eva": [*FOUR["Eva"], *photos(ANA, 1, seed=9)]})
    assert [(m.person, m.number, m.other) for m in found.misfits] == [("Eva", 6, "Ana"), ("Ivan", 1, "Maja")]
    assert Misfit("Ana", 1, 0.5).surely == 0.0


def test_of_a_single_photo_nothing_is_told_and_it_is_no_misfit() -> None:
    found = calibrate({**FOUR, "Iva": photos(direction(9), 1)})
    assert [s for s in found.spreads if s.recognized is None] == [replace(found.spreads[-1], person="Iva", photos=1)]
    assert found.misfits == []
    assert found.recognized(Rule.threshold) == 1.0, "of those of whom it can be told"
    assert calibrate({"Iva": photos(direction(9), 1)}).recognized(Rule.threshold) is None


def test_two_who_are_alike_are_a_conflict_and_the_proposal_keeps_them_apart() -> None:
    found = calibrate(LIKE_ANA)
    closest, proposal = found.pairs[0], found.propose()
    assert {closest.person, closest.other} == {"Ana", "Iva"}
    assert found.conflicts == [closest]
    assert proposal.bound is Bound.PAIR
    assert proposal.threshold is not None
    assert closest.score - HEADROOM - 0.001 < proposal.threshold <= closest.score - HEADROOM
    share = found.recognized(proposal.threshold)
    assert share is not None
    assert share < 1.0, "it has its price"


def test_that_somebody_is_like_one_who_is_never_let_in_is_told_and_does_no_harm() -> None:
    """The other way round it would: the disabled one may come in as her."""
    people = {**FOUR, "Iva": [between(ANA, direction(9), 0.2)]}
    found = calibrate(people, never=["Iva"])
    (conflict,) = found.conflicts
    assert (conflict.person, conflict.other, conflict.let_in) == ("Iva", "Ana", True)
    found = calibrate(people, never=["Iva", "Ana"])
    assert found.conflicts == []
    assert {found.pairs[0].person, found.pairs[0].other} == {"Ana", "Iva"}
    assert not found.pairs[0].let_in
    assert found.propose().threshold == Rule.threshold


def test_harm_is_told_before_what_is_nearer_and_does_none() -> None:
    twin = between(ANA, direction(9), 0.2)
    found = calibrate({**FOUR, "Ana": [*FOUR["Ana"], twin], "Iva": [twin]}, never=["Iva"])
    (conflict,) = found.conflicts
    assert (conflict.person, conflict.let_in) == ("Iva", True)
    assert conflict.score > 0.05, "Ana's photo is at no distance from Iva, who is not let in"


def test_what_is_on_the_ignore_list_may_be_like_anybody() -> None:
    found = calibrate({**FOUR, "posters": [direction(20), direction(21), direction(22)]}, listed=["posters"])
    assert found.misfits == []


def test_what_is_on_the_ignore_list_is_no_conflict_once_its_own_photos_catch_it() -> None:
    poster = photos(between(ANA, direction(9), 0.24), 4, spread=0.05)
    (conflict,) = calibrate({**FOUR, "poster": poster[:1]}, listed=["poster"]).conflicts
    assert (conflict.person, conflict.other) == ("poster", "Ana")
    found = calibrate({**FOUR, "poster": poster}, listed=["poster"])
    assert (found.conflicts, found.misfits) == ([], [])
    assert calibrate({**FOUR, "poster": poster}, never=["poster"]).conflicts, "as a person it might lose its photos"


def test_where_no_threshold_keeps_two_people_apart_none_is_proposed() -> None:
    found = calibrate({**FOUR, "Iva": [direction(9)], "Twin": [direction(9)]})
    assert {pair.person for pair in found.conflicts} | {pair.other for pair in found.conflicts} == {"Iva", "Twin"}
    assert (found.propose().threshold, found.propose().bound) == (None, Bound.PAIR)


def test_one_person_alone_is_never_taken_for_another() -> None:
    found = calibrate({"Ana": FOUR["Ana"]})
    assert (found.pairs, found.misfits) == ([], [])
    assert found.spreads[0].recognized == 5
    assert found.propose().threshold == Rule.threshold


@settings(max_examples=60, deadline=None)
@given(
    away=st.lists(st.floats(0.0, 1.0), min_size=1, max_size=4),
    counts=st.lists(st.integers(1, 4), min_size=5, max_size=5),
    spread=st.floats(0.01, 0.4),
    threshold=st.floats(0.05, 0.5),
    min_margin=st.floats(0.0, 0.1),
    states=st.lists(st.sampled_from(["", "disabled", "ignored"]), min_size=5, max_size=5),
    seed=st.integers(0, 1000),
)
def test_a_proposal_is_never_looser_than_the_default_nor_than_a_conflict_allows(
    away: list[float],
    counts: list[int],
    spread: float,
    threshold: float,
    min_margin: float,
    states: list[str],
    seed: int,
) -> None:
    centres = [ANA] + [between(ANA, direction(i + 9), distance) for i, distance in enumerate(away)]
    people = {f"p{i}": photos(c, counts[i], spread, seed + i) for i, c in enumerate(centres)}
    never = [f"p{i}" for i in range(len(centres)) if states[i] == "disabled"]
    listed = [f"p{i}" for i in range(len(centres)) if states[i] == "ignored"]
    found = calibrate(people, never, listed, Rule(threshold, min_margin))
    proposed = found.propose().threshold
    if proposed is None:
        assert found.pairs[0].score < 0.02
        return
    assert 0 < proposed <= Rule.threshold
    assert all(pair.score > proposed for pair in found.pairs if pair.let_in)
    share = found.strangers_at(proposed)
    assert share is not None
    assert share <= STRANGERS
    strict = calibrate(people, never, listed, Rule(proposed, min_margin))
    assert strict.conflicts == []
    for person, own in people.items():
        others = {name: photos for name, photos in people.items() if name != person}
        gone = calibrate(others, never, listed).house.enrolled if others else Enrolled((), np.empty((0, 128)))
        matcher = Matcher(gone, Rule(proposed, min_margin))
        if person not in listed:
            assert all(matcher.match(photo).person is None for photo in own)


# --- strangers ---


def test_strangers_grow_with_people_and_threshold_and_there_are_none_where_nobody_may_come_in() -> None:
    assert strangers_let_in(0.31, 1) < strangers_let_in(0.31, 5) < strangers_let_in(0.33, 5) < 0.01
    assert strangers_let_in(0.31, 0) == 0.0
    assert calibrate(FOUR, never=list(FOUR)).strangers == 0.0
    assert strangers_let_in(0.1, 5) == strangers_let_in(0.28, 5) > 0, "what was never seen is not reckoned"
    assert strangers_let_in(0.5, 10**9) == 1.0


COUNTED = {(0.31, 1): 5.7e-5, (0.31, 79): 6.1e-4, (0.33, 1): 4.1e-4, (0.33, 79): 7.7e-3, (0.35, 10): 1.2e-2}


@pytest.mark.parametrize(("threshold", "people"), COUNTED)
def test_what_is_reckoned_is_what_was_counted_on_labeled_faces_in_the_wild(threshold: float, people: int) -> None:
    counted = COUNTED[threshold, people]
    assert counted / WITHIN < strangers_let_in(threshold, people) < counted * WITHIN


@given(st.integers(0, 20_000), st.sampled_from([0.7, 1.0]))
def test_the_threshold_for_a_share_of_strangers_is_the_loosest_that_keeps_it(people: int, growth: float) -> None:
    threshold = threshold_for(STRANGERS, people, growth)
    assert threshold <= 0.38
    if 0.28 < threshold < 0.38:
        assert strangers_let_in(threshold, people, growth) == pytest.approx(STRANGERS)


def test_in_a_crowd_the_strangers_bound_the_threshold() -> None:
    rng = np.random.default_rng(0)
    crowd = {
        f"p{i}": photos(centre / np.linalg.norm(centre), 2, 0.1, i)
        for i, centre in enumerate(rng.normal(size=(200, 128)))
    }
    proposal = calibrate(crowd).propose()
    assert proposal.bound is Bound.STRANGERS
    assert proposal.threshold is not None
    assert 0.29 < proposal.threshold < 0.31


def test_a_smaller_margin_than_was_measured_is_reckoned_with_on_the_safe_side() -> None:
    careful, careless = (calibrate(FOUR, rule=Rule(min_margin=m)).strangers for m in (MIN_MARGIN, 0.0))
    assert careful is not None
    assert careless is not None
    assert careful < careless
    assert careless == pytest.approx(4 * strangers_let_in(0.31, 1))


def test_for_another_encoder_nothing_is_known_of_strangers_and_its_own_threshold_is_the_loosest() -> None:
    house = replace(calibrate(LIKE_ANA).house, rule=Rule().scaled(0.5), ceiling=0.5, measured=False)
    found = Calibration(house)
    assert found.strangers is None
    assert found.strangers_at(0.1) is None
    proposal = found.propose()
    assert proposal.bound is Bound.PAIR
    assert proposal.threshold is not None
    assert proposal.threshold <= found.pairs[0].score - HEADROOM * 0.5 / 0.31
    apart = Calibration(replace(calibrate(FOUR).house, rule=Rule().scaled(0.5), ceiling=0.5, measured=False))
    assert apart.propose().threshold == 0.5
