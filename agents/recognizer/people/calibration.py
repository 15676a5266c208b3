"""What the photos of the enrolled people tell about the threshold. Pure.

Each is looked at as if it were a new one, itself left out of the gallery, with the recognizer's own
distance and rule. Whether people can be taken for each other is asked more strictly: as if whoever the
photo shows were a stranger, all their photos left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from statistics import median

import numpy as np

from agents.recognizer.matcher import Encoding, Enrolled, Matcher, unit
from agents.recognizer.people.vetting import Limits
from agents.recognizer.rule import Rule

HEADROOM = 0.01
"""For dlib's network, others' in proportion: a threshold stays so far below the score of two people's
nearest photos, as a photo not yet taken may be a little nearer. Of strangers half as many have a score
that is less by so much."""

STRANGERS = 1 / 600  # of whom more than one let in is too many
GROWTH = 0.7
TAIL = (-4.23, 45.4, -197.0)
KNOWN_FROM, KNOWN_TO = 0.28, 0.38
WITHIN = 3.0  # times more, or fewer


@dataclass(frozen=True)
class Look:
    """One photo, itself left out; `number` counts a person's photos from 1.

    `own` is the distance to the person by their other photos, `typical` one that half of these are no
    farther from it; both None where it is the only one. `others` are the two nearest other people.
    """

    person: str
    number: int
    own: float | None
    typical: float | None
    others: tuple[tuple[float, str], ...]

    def score(self, rule: Rule) -> float | None:
        """As who they are."""
        return None if self.own is None else rule.score(self.own, self._margin(self.own))

    def recognized(self, rule: Rule) -> bool:
        return self.own is not None and rule.accepts(self.own, self._margin(self.own))

    def _margin(self, own: float) -> float | None:
        return self.others[0][0] - own if self.others else None


@dataclass(frozen=True)
class Spread:
    """A person's photos. `recognized` of them are at the threshold in force; scores as the rule's.

    None with a single photo: nothing can be told.
    """

    person: str
    photos: int
    recognized: int | None
    median: float | None
    largest: float | None


@dataclass(frozen=True)
class Pair:
    """`person`, by this photo of theirs, against `other`, by the score they had if they were not enrolled.

    `let_in` is false where `other` is disabled or ignored, so that no harm comes of it.
    """

    person: str
    number: int
    other: str
    score: float
    let_in: bool


@dataclass(frozen=True)
class Misfit:
    """A photo at this distance from the person's others that is nearer to somebody else (`other`, `away`), or
    farther than genuine photos are (None).
    """

    person: str
    number: int
    distance: float
    other: str | None = None
    away: float | None = None

    @property
    def surely(self) -> float:
        """How much nearer somebody else is: the more, the likelier it is them."""
        return 0.0 if self.away is None else self.distance - self.away


class Bound(StrEnum):
    """What keeps the proposed threshold from being looser."""

    CEILING = "ceiling"
    PAIR = "pair"
    STRANGERS = "strangers"


@dataclass(frozen=True)
class Proposal:
    """`threshold` is None where none keeps two people, `pair`, apart; `pair` is who may come in nearest to another."""

    threshold: float | None
    bound: Bound
    pair: Pair | None


@dataclass(frozen=True)
class House:
    """Who is enrolled, and how they are told. `listed` is the ignore list; `ceiling` what the proposal never
    exceeds; `measured` whether it is known how many strangers the encoder lets in.
    """

    enrolled: Enrolled
    rule: Rule
    limits: Limits
    listed: frozenset[str] = frozenset()
    ceiling: float = Rule.threshold
    measured: bool = True


class Calibration:
    """All there is to say. Takes a millisecond a photo with a thousand people."""

    def __init__(self, house: House) -> None:
        self.house, self.looks = house, list(look_at(house.enrolled, house.rule))
        self.pairs = _pairs(self.looks, house)
        misfits = (_misfit(look, house) for look in self.looks)
        self.misfits = sorted(filter(None, misfits), key=lambda misfit: misfit.surely, reverse=True)

    @property
    def spreads(self) -> list[Spread]:
        """Everybody, by name, however many."""
        people: dict[str, list[Look]] = {}
        for look in self.looks:
            people.setdefault(look.person, []).append(look)
        return [_spread(looks, self.house.rule) for looks in people.values()]

    @property
    def conflicts(self) -> list[Pair]:
        """Who would be taken for somebody else at the threshold in force, the nearest first."""
        return [pair for pair in self.pairs if pair.let_in and pair.score <= self.house.rule.threshold]

    @property
    def strangers(self) -> float | None:
        """The share of strangers to expect whom one photo lets in; None: not known for this encoder."""
        return self.strangers_at(self.house.rule.threshold)

    def strangers_at(self, threshold: float) -> float | None:
        return strangers_let_in(threshold, *self._crowd) if self.house.measured else None

    def recognized(self, threshold: float) -> float | None:
        """Of the photos of those who may come in, the share at a threshold; None: nobody has two."""
        rule = replace(self.house.rule, threshold=threshold)
        told = [look for look in self.looks if look.own is not None and look.person not in self.house.enrolled.ignored]
        return sum(look.recognized(rule) for look in told) / len(told) if told else None

    def propose(self) -> Proposal:
        bounds = {Bound.CEILING: self.house.ceiling}
        if self.house.measured:
            bounds[Bound.STRANGERS] = threshold_for(STRANGERS, *self._crowd)
        nearest = next((pair for pair in self.pairs if pair.let_in), None)
        if nearest is not None:
            bounds[Bound.PAIR] = nearest.score - HEADROOM * self.house.ceiling / Rule.threshold
        bound = min(bounds, key=lambda each: bounds[each])
        threshold = math.floor(bounds[bound] * 1000 + 1e-6) / 1000
        return Proposal(threshold if threshold > 0 else None, bound, nearest)

    def without_misfits(self) -> Calibration:
        """What there is to say when these photos are taken out."""
        enrolled = self.house.enrolled
        rows = _rows(enrolled.names)
        bad = {rows[misfit.person][misfit.number - 1] for misfit in self.misfits}
        good = [row for row in range(len(enrolled.names)) if row not in bad]
        names = tuple(enrolled.names[row] for row in good)
        return Calibration(
            replace(self.house, enrolled=replace(enrolled, names=names, encodings=enrolled.encodings[good]))
        )

    @property
    def _crowd(self) -> tuple[int, float]:
        """How many may come in, and how the share of strangers grows with them."""
        people = len(set(self.house.enrolled.names) - self.house.enrolled.ignored)
        return people, GROWTH if self.house.rule.min_margin >= Rule.min_margin else 1.0


def look_at(enrolled: Enrolled, rule: Rule) -> Iterator[Look]:
    """Every photo, by person and number."""
    matcher = Matcher(enrolled, rule)
    for person, own in _rows(enrolled.names).items():
        photos = unit(enrolled.encodings[own])
        for number, photo in enumerate(photos):
            others = [found for found in matcher.nearest(photo) if found[1] != person]
            distances = _own(person, photo, np.delete(photos, number, axis=0), rule)
            yield Look(person, number + 1, *distances, tuple(others[:2]))


def _rows(names: Sequence[str]) -> dict[str, list[int]]:
    """Each person's rows, in their order."""
    rows: dict[str, list[int]] = {}
    for row, person in enumerate(names):
        rows.setdefault(person, []).append(row)
    return rows


def _own(person: str, photo: Encoding, rest: Encoding, rule: Rule) -> tuple[float | None, float | None]:
    if not len(rest):
        return None, None
    one_by_one = np.sort(np.linalg.norm(rest - photo, axis=1))
    own = Matcher(Enrolled((person,) * len(rest), rest), rule).nearest(photo)[0][0]
    return own, float(one_by_one[(len(rest) - 1) // 2])


def _spread(looks: Sequence[Look], rule: Rule) -> Spread:
    scores = [score for look in looks if (score := look.score(rule)) is not None]
    if not scores:
        return Spread(looks[0].person, len(looks), None, None, None)
    recognized = sum(look.recognized(rule) for look in looks)
    return Spread(looks[0].person, len(looks), recognized, median(scores), max(scores))


def _pairs(looks: Iterable[Look], house: House) -> list[Pair]:
    """Of every two people the nearest photo, the nearest two first; one that harm could come of goes before."""
    nearest: dict[frozenset[str], Pair] = {}
    for look in looks:
        pair = _pair(look, house)
        if pair is None:
            continue
        two = frozenset((pair.person, pair.other))
        if two not in nearest or _worse(pair) < _worse(nearest[two]):
            nearest[two] = pair
    return sorted(nearest.values(), key=lambda pair: pair.score)


def _worse(pair: Pair) -> tuple[bool, float]:
    return not pair.let_in, pair.score


def _pair(look: Look, house: House) -> Pair | None:
    """An entry of the ignore list is there because it is like somebody: it counts when it would not catch itself."""
    if not look.others:
        return None
    away, other = look.others[0]
    if look.person in house.listed and look.own is not None and look.own <= away:
        return None
    margin = look.others[1][0] - away if len(look.others) > 1 else None
    return Pair(look.person, look.number, other, house.rule.score(away, margin), other not in house.enrolled.ignored)


def _misfit(look: Look, house: House) -> Misfit | None:
    """The ignore list's may be like anybody."""
    if look.own is None or look.typical is None or look.person in house.listed:
        return None
    if look.others and look.others[0][0] < look.own:
        return Misfit(look.person, look.number, look.own, look.others[0][1], look.others[0][0])
    if look.typical > house.limits.unlike:
        return Misfit(look.person, look.number, look.typical)
    return None


def strangers_let_in(threshold: float, people: int, growth: float = GROWTH) -> float:
    """The share of strangers whom one photo lets in, with dlib's network and the rule's margins.

    log10 of it is TAIL[0] + TAIL[1]·x + TAIL[2]·x² with x = threshold - 0.31, for one person enrolled, and
    it grows with `people` to the power `growth`, and not in proportion: the more there are, the likelier
    it is that a second one is too near. A smaller margin takes that away, and 1 is on the safe side.

    Fitted to Labeled Faces in the Wild: 600 strangers, 80 random enrolments of 79 people with 5 photos
    each, and 480 random galleries each of 2 to 60 of them; thresholds of 0.31 to 0.38. There what was
    counted is 0.4 to 1.6 times what this gives, at 0.30 less, and at 0.28 there was nobody. Galleries of up
    to 500 people with one photo each grow by the same power. With 2 photos half as many are let in, with
    14 twice as many. Only 4 of the 600 strangers were ever let in at 0.31, so that it is not known any
    better than within three times more or fewer. Below 0.28 it is no more than this, above 0.38 more.
    """
    x = min(max(threshold, KNOWN_FROM), KNOWN_TO) - Rule.threshold
    of_one = math.pow(10, TAIL[0] + TAIL[1] * x + TAIL[2] * x * x)
    return min(1.0, of_one * math.pow(people, growth))


def threshold_for(share: float, people: int, growth: float = GROWTH) -> float:
    """The loosest threshold, but 0.38, at which no more than this share of strangers is let in."""
    if strangers_let_in(KNOWN_TO, people, growth) <= share:
        return KNOWN_TO
    a, b, c = TAIL[2], TAIL[1], TAIL[0] - math.log10(share / math.pow(people, growth))
    return Rule.threshold + (-b + math.sqrt(b * b - 4 * a * c)) / (2 * a)
