"""When a face is somebody."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """When a face is somebody. All are distances between encodings of length 1, but for `margin_weight`.

    The score is the distance less `margin_weight` of the margin, of which no more than `max_margin`
    counts; it has to be at most `threshold`, and the margin at least `min_margin`. The margin says a
    little about whether somebody is a stranger: one is often as near to a second person.

    The defaults are for dlib's network, mirrored, and were chosen on Labeled Faces in the Wild: 79 people,
    600 strangers, one photo a decision, many random enrolments (benchmarks/accuracy.py). With 5 photos
    each 0.5 of 600 strangers are let in on average (2 at most), 96.7 % of the enrolled people's other
    photos (95.3 % in the worst enrolment), and 1 of 25,000 as somebody else; with 2 photos each 0.1
    strangers and 89.6 %. With fewer people fewer strangers: 0.2 where 5 are enrolled, 0.03 with one.

    These are the photos that the rule was chosen on, so others may do worse. Cross-validation tells by how
    much for the threshold alone, not for the rule's form, which was picked from dozens on the same photos:
    chosen on half of the people and strangers to let in 0.25 of 600, it let in 0.6 of the other half.
    """

    threshold: float = 0.31
    min_margin: float = 0.03
    margin_weight: float = 0.25
    max_margin: float = 0.1

    def score(self, distance: float, margin: float | None) -> float:
        """With nobody to be mistaken for (None) the margin is as large as it can count."""
        counted = self.max_margin if margin is None else min(margin, self.max_margin)
        return distance - self.margin_weight * counted

    def accepts(self, distance: float, margin: float | None) -> bool:
        clear = margin is None or margin >= self.min_margin
        return clear and self.score(distance, margin) <= self.threshold

    def scaled(self, threshold: float) -> Rule:
        """The same for another encoder, whose threshold is known: margins in proportion."""
        factor = threshold / self.threshold
        return Rule(threshold, self.min_margin * factor, self.margin_weight, self.max_margin * factor)
