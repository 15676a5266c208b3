"""Whether new photos of a person are of that person, and of nobody else who is enrolled. Pure.

Fails closed: where it can't be told whose a face is, it is not enrolled.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from enum import Enum, auto

import numpy as np

from agents.recognizer.matcher import Encoding, Enrolled, Matcher

UNLIKE = 0.6
"""For dlib's network. Of the genuine photos of Labeled Faces in the Wild 1.3 % are farther than this from
one other photo of the same person, and 0.7 % from half of five others; of strangers 99.2 and 99.6 %."""

DUPLICATE = 0.1
"""For dlib's network. Of 6,878 pairs of photos of one person on LFW one is nearer. The same photo made
smaller or compressed again is at a median of 0.05 to 0.09, the next frame of a webcam at 0.1."""

UNRELATED = math.sqrt(2)  # the distance between encodings of length 1 that have nothing in common


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
    """Euclidean distances between encodings: farther than `unlike` is another face, nearer than `duplicate`
    the same picture.
    """

    unlike: float
    duplicate: float

    @classmethod
    def of(cls, threshold: float | None) -> Limits:
        """For an encoder whose encodings have length 1, half way from its own threshold to strangers; None: dlib's."""
        if threshold is None:
            return cls(UNLIKE, DUPLICATE)
        return cls((threshold + UNRELATED) / 2, threshold / 6)


class Vetting:
    """Holds photos against the enrolled people. `rule` decides as the recognizer will; photos may be
    like those of the people in `although_like`, an identical twin's say.
    """

    def __init__(
        self,
        enrolled: Enrolled,
        rule: Callable[[Enrolled], Matcher],
        limits: Limits,
        although_like: Collection[str] = (),
    ) -> None:
        self._names, self._encodings = np.array(enrolled.names, dtype=object), enrolled.encodings
        self._rule, self._limits, self._although_like = rule, limits, although_like
        self._never = enrolled.ignored
        self._people, whose = np.unique(self._names, return_inverse=True)
        sums = np.zeros((len(self._people), self._encodings.shape[1]))
        np.add.at(sums, whose, self._encodings)
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
        """The nearest other person is asked for alone: a margin between two who are alike must not let in a third."""
        others = np.array([person != name and person not in self._although_like for person in self._people], bool)
        if not others.any():
            return None
        distances = np.linalg.norm(self._templates[others] - photo, axis=1)
        person, distance = str(self._people[others][distances.argmin()]), float(distances.min())
        rows = self._of(person)
        if self._rule(Enrolled((person,) * len(rows), rows)).match(photo).person is not None:
            state = "disabled or on the ignore list" if person in self._never else "enrolled already"
            return _refused(f"this is {person}, who is {state}: distance {distance:.2f}")
        own = self._of(name)
        if len(own) and distance < (own_distance := float(np.linalg.norm(own.mean(axis=0) - photo))):
            return _refused(f"looks more like {person} (distance {distance:.2f}) than like {name} ({own_distance:.2f})")
        return None

    def _unlike(self, name: str, photo: Encoding, others: Sequence[Encoding]) -> Vetted:
        """Refused where a photo is far from more than half of the person's others."""
        if not len(others):
            return GOOD
        distances = sorted(float(np.linalg.norm(other - photo)) for other in others)
        distance, limit = distances[(len(distances) - 1) // 2], self._limits.unlike
        if distance <= limit:
            return GOOD
        return _refused(f"does not look like {name}'s other photos: distance {distance:.2f}, at most {limit:.2f}")

    def _duplicates(self, photos: Sequence[Encoding], verdicts: Sequence[Vetted], own: list[Encoding]) -> list[Vetted]:
        kept, found = own, []
        for photo, vetted in zip(photos, verdicts, strict=True):
            nearest = min((float(np.linalg.norm(other - photo)) for other in kept), default=math.inf)
            if vetted is GOOD and nearest < self._limits.duplicate:
                text = f"nearly the same picture as one that is enrolled: distance {nearest:.2f}"
                found.append(Vetted(Verdict.DUPLICATE, text))
                continue
            kept += [photo] if vetted is GOOD else []
            found.append(vetted)
        return found


def _refused(reason: str) -> Vetted:
    return Vetted(Verdict.REFUSED, reason)


def _without(photo: Encoding, photos: Sequence[Encoding]) -> list[Encoding]:
    return [other for other in photos if other is not photo]
