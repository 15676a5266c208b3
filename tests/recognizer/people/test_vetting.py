"""Whose face a new photo shows, told from encodings alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from agents.recognizer.matcher import NOBODY_ENROLLED, Encoding, Enrolled, Matcher
from agents.recognizer.people.vetting import Limits, Verdict, Vetted, Vetting
from agents.recognizer.rule import Rule

LIMITS = Limits.of(None)
RULE = Rule(threshold=0.31, min_margin=0.03, margin_weight=0.0)


def at(angle_deg: float, other_deg: float = 0.0) -> Encoding:
    """An encoding so many degrees from the one at 0, in two ways; 20 degrees are a distance of 0.35."""
    a, b = np.radians([angle_deg, other_deg])
    made = np.zeros(128)
    made[:3] = np.cos(a) * np.cos(b), np.sin(a) * np.cos(b), np.sin(b)
    return made * 1.4  # their length tells nothing


def house(people: dict[str, Sequence[Encoding]], ignored: Sequence[str] = ()) -> Enrolled:
    names = tuple(name for name, photos in people.items() for _ in photos)
    return Enrolled(names, np.array([photo for photos in people.values() for photo in photos]), frozenset(ignored))


def vet(enrolled: Enrolled, name: str, *photos: Encoding, like: Sequence[str] = ()) -> list[Vetted]:
    return Vetting(enrolled, RULE, LIMITS, like).of_person(name, photos)


def verdicts(found: Sequence[Vetted]) -> list[str]:
    return [vetted.verdict.name.lower() for vetted in found]


ANA = [at(0, 4), at(0, -4)]


def test_the_first_person_needs_to_be_like_nobody() -> None:
    assert verdicts(vet(NOBODY_ENROLLED, "Ana", at(10))) == ["good"]


def test_who_would_be_taken_for_somebody_else_is_refused_with_name_and_distance() -> None:
    (found,) = vet(house({"Ana": ANA}), "Ivan", at(15))
    assert (found.verdict, found.reason) == (Verdict.REFUSED, "this is Ana, who is enrolled already: distance 0.27")
    assert verdicts(vet(house({"Ana": ANA}), "Ivan", at(50))) == ["good"]


def test_it_is_no_way_in_to_look_like_two_enrolled_people_at_once() -> None:
    """Between two who are alike the matcher knows nobody; a third one in their midst is still one of them."""
    twins = house({"Ana": [at(0)], "Eva": [at(1)]})
    assert Matcher(twins, RULE).match(at(0.5)).person is None
    assert verdicts(vet(twins, "Ivan", at(0.5))) == ["refused"]


def test_who_is_disabled_or_ignored_is_not_enrolled_under_another_name() -> None:
    (found,) = vet(house({"Ana": ANA}, ignored=["Ana"]), "Ivan", at(15))
    assert found.reason == "this is Ana, who is disabled or on the ignore list: distance 0.27"


def test_a_photo_nearer_to_somebody_else_than_to_ones_own_is_refused() -> None:
    enrolled = house({"Ana": [at(0)], "Eva": [at(42)]})
    (found,) = vet(enrolled, "Ana", at(22))
    assert found.reason == "looks more like Eva (distance 0.35) than like Ana (0.38)"
    assert verdicts(vet(enrolled, "Ana", at(20))) == ["good"]


def test_a_twin_is_enrolled_when_that_is_said_and_only_as_a_twin_of_those_who_are_named() -> None:
    assert verdicts(vet(house({"Ana": ANA}), "Eva", at(15), like=["Ana"])) == ["good"]
    assert verdicts(vet(house({"Ana": ANA, "Iva": [at(10)]}), "Eva", at(15), like=["Ana"])) == ["refused"]


def test_a_photo_unlike_the_persons_earlier_ones_is_refused() -> None:
    (found,) = vet(house({"Ana": ANA}), "Ana", at(30))
    assert found.reason == "does not look like Ana's other photos: distance 0.52, at most 0.42"
    assert verdicts(vet(house({"Ana": ANA}), "Ana", at(20))) == ["good"]


def test_earlier_photos_are_not_outvoted_by_many_new_ones() -> None:
    new = [at(50, 6 * number) for number in range(5)]
    assert verdicts(vet(house({"Ana": ANA}), "Ana", *new)) == ["refused"] * 5


@pytest.mark.parametrize("place", range(4))
def test_of_new_photos_the_wrong_one_is_refused_wherever_it_stands(place: int) -> None:
    photos = [at(0, 10), at(0, 0), at(0, -10)]
    photos.insert(place, at(50))
    expected = ["good"] * 3
    expected.insert(place, "refused")
    assert verdicts(vet(NOBODY_ENROLLED, "Ana", *photos)) == expected


def test_where_it_can_not_be_told_who_is_meant_nobody_is_enrolled() -> None:
    assert verdicts(vet(NOBODY_ENROLLED, "Ana", at(0), at(50))) == ["refused", "refused"]
    pairs = [at(0, 0), at(0, 10), at(50, 0), at(50, 10)]
    assert verdicts(vet(NOBODY_ENROLLED, "Ana", *pairs)) == ["refused"] * 4


def test_somebody_elses_photo_has_no_vote_among_new_ones() -> None:
    new = [at(90), at(100), at(0)]
    assert verdicts(vet(house({"Ana": ANA}), "Ivan", *new)) == ["good", "good", "refused"]


def test_nearly_the_same_picture_is_no_news_of_the_enrolled_and_of_one_another() -> None:
    found = vet(house({"Ana": ANA}), "Ana", at(2, 4), at(12), at(14), at(20))
    assert verdicts(found) == ["duplicate", "good", "duplicate", "good"]
    assert found[0].reason == "nearly the same picture as one that is enrolled: distance 0.03"


def test_a_face_on_the_ignore_list_may_be_like_somebody() -> None:
    vetting = Vetting(house({"Ana": ANA}), RULE, LIMITS)
    assert verdicts(vetting.of_ignored("poster", [at(10), at(50), at(51)])) == ["good", "good", "duplicate"]


def test_another_encoders_limits_follow_from_its_threshold() -> None:
    limits = Limits.of(1.0)
    assert 1.0 < limits.unlike < np.sqrt(2)
    assert limits.duplicate < 0.2


def test_one_is_found_among_ten_thousand_people() -> None:
    encodings = np.random.default_rng(0).normal(size=(20_000, 128))
    encodings[9_001] = encodings[9_000] + 0.1
    vetting = Vetting(Enrolled(tuple(f"P{number // 2}" for number in range(20_000)), encodings), RULE, LIMITS)
    (found,) = vetting.of_person("new", [encodings[9_000] - 0.1])
    assert found.reason.startswith("this is P4500, who is enrolled already")
