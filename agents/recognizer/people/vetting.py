"""Whether new photos of a person are of that person, and of nobody else who is enrolled. Pure.

Fails closed: where it can't be told whose a face is, it is not enrolled.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto

import numpy as np

from agents.recognizer.matcher import CANDIDATES, Encoding, Enrolled, Match, Matcher, unit
from agents.recognizer.rule import Rule

UNLIKE = 0.42
"""For dlib's network. Of the genuine photos of Labeled Faces in the Wild 1.7 % are farther than this from
one other photo of the same person, and 0.8 % from half of five others; of strangers 99.3 and 99.6 %."""

DUPLICATE = 0.08
"""For dlib's network. Of 6,878 pairs of photos of one person on LFW two are nearer. The same photo cut,
made smaller or compressed again is at a median of 0.02 to 0.06, the next frame of a webcam at 0.07."""

UNRELATED = math.sqrt(2)  # the distance between directions that have nothing in common


class Verdict(Enum):
    GOOD = auto()
    DUPLICATE = auto()  # nothing wrong, and nothing new
    REFUSED = auto()


@dataclass(frozen=True)
class Vetted:
    verdict: Verdict
    reason: str = ""


GOOD = Vetted(Verdict.GOOD)


@dataclass(frozen=True)
class Limits:
    """Distances between encodings of length 1: farther than `unlike` is another face, nearer than `duplicate`
    the same picture.
    """

    unlike: float
    duplicate: float

    @classmethod
    def of(cls, threshold: float | None) -> Limits:
        """Half way from an encoder's own threshold to what has nothing in common; None: dlib's."""
        if threshold is None:
            return cls(UNLIKE, DUPLICATE)
        return cls((threshold + UNRELATED) / 2, threshold / 6)


class Vetting:
    """Holds photos against the enrolled people, by the recognizer's own rule. They may be like those of
    the people in `although_like`, an identical twin's say.
    """

    def __init__(self, enrolled: Enrolled, rule: Rule, limits: Limits, although_like: Collection[str] = ()) -> None:
        self._names, self._encodings = np.array(enrolled.names, dtype=object), enrolled.encodings
        self._rule, self._limits, self._although_like = rule, limits, although_like
        self._never = enrolled.ignored
        self._people, whose = np.unique(self._names, return_inverse=True)
        sums = np.zeros((len(self._people), self._encodings.shape[1]))
        np.add.at(sums, whose, unit(self._encodings))
        self._templates = sums / np.bincount(whose, minlength=len(self._people))[:, None]

    def of_person(self, name: str, photos: Sequence[Encoding]) -> list[Vetted]:
        """What is to be said of each new photo, in their order."""
        own, others = list(self._of(name)), [self._somebody_else(name, photo) for photo in photos]
        among = [photo for photo, other in zip(photos, others, strict=True) if other is None]
        verdicts = [
            other or self._unlike(name, photo, own or _without(photo, among))
            for photo, other in zip(photos, others, strict=True)
        ]
        return self._duplicates(photos, verdicts, own)

    def of_ignored(self, name: str, photos: Sequence[Encoding]) -> list[Vetted]:
        """The same of a face on the ignore list, which may well be like somebody."""
        return self._duplicates(photos, [GOOD] * len(photos), list(self._of(name)))

    def _of(self, name: str) -> Encoding:
        return np.asarray(self._encodings[self._names == name])

    def _somebody_else(self, name: str, photo: Encoding) -> Vetted | None:
        """Whoever is nearest is asked for alone: a margin between two who are alike must not let in a third."""
        distance, person, is_them = min(self._near(name, photo), default=(math.inf, "", False))
        if is_them:
            state = "disabled or on the ignore list" if person in self._never else "enrolled already"
            return _refused(f"this is {person}, who is {state}: distance {distance:.2f}")
        own = self._alone(name, photo).distance
        if own is not None and distance < own:
            return _refused(f"looks more like {person} (distance {distance:.2f}) than like {name} ({own:.2f})")
        return None

    def _near(self, name: str, photo: Encoding) -> Iterator[tuple[float, str, bool]]:
        """The others with the nearest templates: how far they are, and whether it were them with nobody else there."""
        others = np.array([person != name and person not in self._although_like for person in self._people], bool)
        if not others.any():
            return
        distances = np.linalg.norm(self._templates[others] - unit(photo[None]), axis=1)
        for person in self._people[others][np.argsort(distances)[:CANDIDATES]]:
            match = self._alone(person, photo)
            if match.distance is not None:
                yield match.distance, person, match.person is not None

    def _alone(self, person: str, photo: Encoding) -> Match:
        rows = self._of(person)
        return Matcher(Enrolled((person,) * len(rows), rows), self._rule).match(photo)

    def _unlike(self, name: str, photo: Encoding, others: Sequence[Encoding]) -> Vetted:
        """Refused where a photo is far from more than half of the person's others."""
        if not len(others):
            return GOOD
        distances = sorted(_distance(other, photo) for other in others)
        distance, limit = distances[(len(distances) - 1) // 2], self._limits.unlike
        if distance <= limit:
            return GOOD
        return _refused(f"does not look like {name}'s other photos: distance {distance:.2f}, at most {limit:.2f}")

    def _duplicates(self, photos: Sequence[Encoding], verdicts: Sequence[Vetted], own: list[Encoding]) -> list[Vetted]:
        kept, found = own, []
        for photo, vetted in zip(photos, verdicts, strict=True):
            nearest = min((_distance(other, photo) for other in kept), default=math.inf)
            if vetted is GOOD and nearest < self._limits.duplicate:
                text = f"nearly the same picture as one that is enrolled: distance {nearest:.2f}"
                found.append(Vetted(Verdict.DUPLICATE, text))
                continue
            kept += [photo] if vetted is GOOD else []
            found.append(vetted)
        return found


def _refused(reason: str) -> Vetted:
    return Vetted(Verdict.REFUSED, reason)


def _distance(one: Encoding, other: Encoding) -> float:
    return float(np.linalg.norm(unit(one[None]) - unit(other[None])))


def _without(photo: Encoding, photos: Sequence[Encoding]) -> list[Encoding]:
    return [other for other in photos if other is not photo]
