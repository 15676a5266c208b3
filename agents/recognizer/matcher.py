"""Who a face is: encodings in, a name or nobody out. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Encoding = npt.NDArray[np.float64]

ENCODER = "dlib-resnet-v1/5-point"
"""What the encodings in a gallery were made with; others can't be compared with them."""

ENCODING_SIZE = 128


@dataclass(frozen=True)
class Enrolled:
    """One name for each row of `encodings`, float64 (n, 128); a person may have several rows.

    `ignored` are compared with like everybody, and never let in.
    """

    names: tuple[str, ...]
    encodings: Encoding
    ignored: frozenset[str] = frozenset()


NOBODY_ENROLLED = Enrolled((), np.empty((0, ENCODING_SIZE)))


@dataclass(frozen=True)
class Match:
    """`distance` to the nearest person, `margin` how much farther the second one is."""

    person: str | None
    distance: float | None
    margin: float | None


class Matcher:
    """Compares a face with one template a person: the mean of the person's encodings.

    An open set: a face is somebody only if it is within `threshold` of the nearest template, and
    the second person's template at least `min_margin` farther off than that. With one person
    enrolled there is no margin (None) and the threshold alone decides.
    """

    def __init__(self, enrolled: Enrolled, threshold: float, min_margin: float) -> None:
        self.people = tuple(dict.fromkeys(enrolled.names))
        self._threshold, self._min_margin = threshold, min_margin
        names = np.array(enrolled.names)
        means = [enrolled.encodings[names == person].mean(axis=0) for person in self.people]
        self._templates = np.array(means).reshape(-1, ENCODING_SIZE)

    def match(self, encoding: Encoding) -> Match:
        """Who the face with this encoding, float64 (128,), is."""
        if not self.people:
            return Match(None, None, None)
        distances = np.linalg.norm(self._templates - encoding, axis=1)
        nearest, *others = np.argsort(distances)[:2]
        distance = float(distances[nearest])
        margin = float(distances[others[0]]) - distance if others else None
        near = distance <= self._threshold and (margin is None or margin >= self._min_margin)
        return Match(self.people[nearest] if near else None, distance, margin)
