"""Who a face is: encodings in, a name or nobody out. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from agents.recognizer.rule import Rule

Encoding = npt.NDArray[np.float64]
Row = npt.NDArray[np.float32]

CANDIDATES = 10
"""Only the photos of so many people, those with the nearest templates, are looked at one by one."""


@dataclass(frozen=True)
class Enrolled:
    """One name for each row of `encodings`, float64 (n, d); a person may have several rows.

    `ignored` are compared with like everybody, and never let in.
    """

    names: tuple[str, ...]
    encodings: Encoding
    ignored: frozenset[str] = frozenset()


NOBODY_ENROLLED = Enrolled((), np.empty((0, 0)))


@dataclass(frozen=True)
class Match:
    """`distance` to the nearest person, `margin` how much farther the second one is."""

    person: str | None
    distance: float | None
    margin: float | None


class Matcher:
    """Compares a face with everybody; the rule says whether the nearest person is who it is.

    Every encoding is brought to length 1 first: how long it was says how clear the photo was, not whose
    it is. (At 1 of 600 strangers that lets 97 instead of 94 % of the enrolled in.) The distance to a
    person is half that to their template, the mean of their photos, and half the mean of those to the
    two photos nearest the face: of a template alone too little is known where photos differ much.
    """

    def __init__(self, enrolled: Enrolled, rule: Rule) -> None:
        self.people = tuple(dict.fromkeys(enrolled.names))
        self._rule, self._ignored = rule, enrolled.ignored
        self.threshold = rule.threshold
        photos = unit(enrolled.encodings).astype(np.float32)
        number = {person: i for i, person in enumerate(self.people)}
        whose = np.array([number[name] for name in enrolled.names], np.intp)
        order = np.argsort(whose, kind="stable")
        self._photos = photos[order]
        counts = np.bincount(whose, minlength=len(self.people))
        self._ends = np.cumsum(counts)
        self._starts = self._ends - counts
        self._templates = _means(self._photos, self._starts, counts)
        self._squares = np.einsum("ij,ij->i", self._templates, self._templates)

    def match(self, encoding: Encoding) -> Match:
        """Who the face with this encoding, float64 (d,), is. One that is none (NaN) is compared with nobody."""
        return self.match_mean(unit(encoding[None])[0])

    def match_mean(self, mean: Encoding) -> Match:
        """Who it is of whom several encodings, of length 1 each, have this mean (see `evidence`).

        The distance is the root of their mean square; what the mean lacks to length 1 is how much they differ.
        """
        found = self.nearest(mean)
        if not found:
            return Match(None, None, None)
        distance, person = found[0]
        margin = found[1][0] - distance if len(found) > 1 else None
        known = person not in self._ignored and self._rule.accepts(distance, margin)
        return Match(person if known else None, distance, margin)

    def nearest(self, mean: Encoding) -> list[tuple[float, str]]:
        """How far the people are who are looked at one by one, and who they are: the nearest first."""
        if not self.people or not np.isfinite(mean).all():
            return []
        face, spread = mean.astype(np.float32), max(0.0, 1.0 - float(mean @ mean))
        return sorted((self._distance(i, face, spread), self.people[i]) for i in self._candidates(face))

    def _candidates(self, face: Row) -> npt.NDArray[np.intp]:
        """|t - f|² without |f|², which is the same for all."""
        # not with @: BLAS takes a thread for every core, and waits 8 ms for one that is busy
        squares = self._squares - 2 * np.einsum("ij,j->i", self._templates, face)
        if len(squares) <= CANDIDATES:
            return np.arange(len(squares))
        return np.argpartition(squares, CANDIDATES)[:CANDIDATES]

    def _distance(self, person: int, face: Row, spread: float) -> float:
        photos = _distances(self._photos[self._starts[person] : self._ends[person]], face, spread)
        template = _distances(self._templates[person : person + 1], face, spread)[0]
        return float(template + np.sort(photos)[:2].mean()) / 2


def _distances(rows: Row, face: Row, spread: float) -> Row:
    differences = rows - face
    return np.asarray(np.sqrt(np.einsum("ij,ij->i", differences, differences) + spread), np.float32)


def unit(encodings: Encoding) -> Encoding:
    """The rows at length 1; a row of zeros, or with numbers that are none, stays what it is."""
    lengths = np.linalg.norm(encodings, axis=1, keepdims=True)
    good = (lengths > 0) & np.isfinite(lengths)
    return np.asarray(encodings / np.where(good, lengths, 1.0), np.float64)


def _means(photos: Row, starts: npt.NDArray[np.intp], counts: npt.NDArray[np.intp]) -> Row:
    if not len(starts):
        return photos
    sums = np.add.reduceat(photos.astype(np.float64), starts, axis=0)
    return np.asarray(sums / counts[:, None], np.float32)
