"""The rule that combines the checks. Pure.

    a spoof    where the networks say so; or where it moved as a plane, or what is around it moved along, and
               the networks do not say that it lives
    live       where the networks say so, and it did not move like that
    unsure     otherwise, and where the face could not be seen well enough, or not for long enough; a challenge
               can help then

A head that turns is no more than no evidence against it: a replayed video turns its head too. So without the
networks nobody is live, and everybody has to do what they are asked to. Doubt wins: a face that is too dark,
small or blurred in most frames is unsure whatever the checks say of the others. Blinks are told and decide
nothing: a replayed video blinks too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from agents.recognizer.liveness.blink import blinks
from agents.recognizer.liveness.context import context
from agents.recognizer.liveness.depth import depth
from agents.recognizer.liveness.look import Look
from agents.wire.liveness import Doubt, Liveness, Verdict

SPOOFS = (Doubt.TEXTURE, Doubt.FLAT, Doubt.CARRIED)
LEAST_FRAMES = 3
WATCHED_S = 1.0  # since its first frame: before, what moves with a face is not known


@dataclass(frozen=True)
class LivenessRule:
    """Scores from `live` on are a live face's, those below `spoof` a picture's: both of the networks' median.
    Below `carried` what is around the face moves along with it.

    Chosen on three clips of two men and 132 attacks made from them (benchmarks/liveness.py): the median of a live
    face's second is 0.9 and more in most frames, and reached 0.7 in each of 48 presentations of five seconds; of the
    attacks 18 ever reached 0.5 and 14 reached 0.7.
    """

    live: float = 0.7
    spoof: float = 0.3
    carried: float = 0.4


def judge(rule: LivenessRule, recent: Sequence[Look], longer: Sequence[Look], watched_s: float) -> Liveness:
    """What the looks at one track say: `recent` those of the last second, `longer` those that tell motion."""
    good = [look for look in recent if look.doubt is None]
    scores = [look.texture for look in good if look.texture is not None]
    shapes = [look.shape for look in longer if look.shape is not None]
    texture, solid = median(scores) if scores else None, depth(shapes)
    around = context([look.motion for look in longer if look.motion is not None])
    doubt = _seen_badly(recent)
    if doubt is None and (len(good) < LEAST_FRAMES or watched_s < WATCHED_S):
        doubt = Doubt.FEW_FRAMES
    doubt = doubt or _doubt(rule, texture, solid, around)
    return Liveness(
        verdict=_verdict(doubt),
        doubt=doubt,
        frames=len(good),
        texture=texture,
        depth=solid,
        context=around,
        blinks=blinks([shape.eyes for shape in shapes]),
    )


def _doubt(rule: LivenessRule, texture: float | None, solid: float | None, around: float | None) -> Doubt | None:
    """The first thing that is against a live face."""
    if texture is not None and texture < rule.spoof:
        return Doubt.TEXTURE
    moved = _moved_like_a_picture(rule, solid, around)
    if texture is None:
        return moved or Doubt.NO_EVIDENCE
    if texture < rule.live:
        return moved or Doubt.DOUBTFUL
    return Doubt.DOUBTFUL if moved else None


def _moved_like_a_picture(rule: LivenessRule, solid: float | None, around: float | None) -> Doubt | None:
    if solid is not None and solid <= 0:
        return Doubt.FLAT
    return Doubt.CARRIED if around is not None and around < rule.carried else None


def _seen_badly(looks: Sequence[Look]) -> Doubt | None:
    """What most of the frames suffer from, if they do."""
    doubts = [look.doubt for look in looks if look.doubt is not None]
    return Counter(doubts).most_common(1)[0][0] if 2 * len(doubts) > len(looks) else None


def _verdict(doubt: Doubt | None) -> Verdict:
    if doubt is None:
        return Verdict.LIVE
    return Verdict.SPOOF if doubt in SPOOFS else Verdict.UNSURE
