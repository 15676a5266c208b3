"""The rule that combines the checks: what is live, a spoof, unsure, and why."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.recognizer.liveness.context import Motion
from agents.recognizer.liveness.lifesigns import LONGER_S, RECENT_S, Lifesigns
from agents.recognizer.liveness.look import Look
from agents.recognizer.liveness.rule import LEAST_FRAMES, WATCHED_S, LivenessRule
from agents.wire.liveness import Doubt, Liveness, Verdict
from tests.recognizer.liveness.heads import SHUT, head, looks, photograph, swing

RULE = LivenessRule()


def said(of: list[Look]) -> Liveness:
    signs = Lifesigns()
    return [signs.add(look) for look in of][-1]


def seen(
    *textures: float | None, doubt: Doubt | None = None, fps: float = 10, motion: Motion | None = None
) -> list[Look]:
    return [Look(i / fps, texture, None, motion, doubt) for i, texture in enumerate(textures)]


def test_a_face_that_the_networks_take_for_live_is_live_once_it_was_watched_for_a_while() -> None:
    frames = int(WATCHED_S * 10) + 1
    assert said(seen(*[0.98] * frames)).verdict is Verdict.LIVE
    too_soon = said(seen(*[0.98] * (frames - 1)))
    assert (too_soon.verdict, too_soon.doubt) == (Verdict.UNSURE, Doubt.FEW_FRAMES)


def test_a_slow_machine_needs_more_time_for_its_three_frames() -> None:
    assert said(seen(0.98, 0.98, fps=1.2)).doubt is Doubt.FEW_FRAMES
    assert said(seen(0.98, 0.98, 0.98, fps=1.2)).verdict is Verdict.LIVE


def test_what_they_take_for_a_picture_is_a_spoof() -> None:
    found = said(seen(*[0.01, 0.02, 0.05] * 5))
    assert (found.verdict, found.doubt, found.texture) == (Verdict.SPOOF, Doubt.TEXTURE, 0.02)


def test_between_the_two_it_is_doubtful() -> None:
    found = said(seen(*[0.4] * 15))
    assert (found.verdict, found.doubt) == (Verdict.UNSURE, Doubt.DOUBTFUL)


def test_some_frames_that_look_live_make_no_life_and_some_that_do_not_take_none() -> None:
    assert said(seen(*[0.01, 0.99, 0.02] * 5)).verdict is Verdict.SPOOF
    assert said(seen(*[0.99, 0.01, 0.98] * 5)).verdict is Verdict.LIVE


def test_what_was_live_counts_no_more_after_a_second() -> None:
    """So nobody can look into the camera and then hold up a picture."""
    frames = int(RECENT_S * 10) + 1
    assert said(seen(*[0.99] * 30, *[0.0] * frames)).verdict is Verdict.SPOOF


def test_without_networks_nobody_is_live_not_even_a_head_that_turns() -> None:
    """As the head in a video does."""
    for marks in ([head()] * 30, swing(head, 20)):
        found = said(looks(marks))
        assert (found.verdict, found.doubt) == (Verdict.UNSURE, Doubt.NO_EVIDENCE)


def test_without_networks_a_photograph_that_is_tilted_far_is_a_spoof() -> None:
    found = said(looks(swing(photograph, 40)))
    assert (found.verdict, found.doubt) == (Verdict.SPOOF, Doubt.FLAT)


MOVES = Motion((0.02, -0.01), (0.0, 0.0))
MOVES_ALONG = Motion((0.02, -0.01), (0.02, -0.01))
HOLDS_STILL = Motion((0.0005, 0.0), (0.0005, 0.0))


def test_where_the_wall_moves_with_the_face_it_is_a_picture() -> None:
    found = said(seen(*[None] * 15, motion=MOVES_ALONG))
    assert (found.verdict, found.doubt, found.context) == (Verdict.SPOOF, Doubt.CARRIED, 0)
    assert said(seen(*[0.4] * 15, motion=MOVES_ALONG)).verdict is Verdict.SPOOF


def test_then_it_is_not_live_even_where_the_networks_say_so() -> None:
    assert said(seen(*[0.99] * 15, motion=MOVES_ALONG)).verdict is Verdict.UNSURE
    assert said(seen(*[0.99] * 15, motion=MOVES)).verdict is Verdict.LIVE


def test_what_holds_still_is_not_told_by_its_surroundings() -> None:
    found = said(seen(*[0.99] * 15, motion=HOLDS_STILL))
    assert (found.verdict, found.context) == (Verdict.LIVE, None)


def test_a_head_that_turns_does_not_outweigh_the_networks() -> None:
    """A replayed video turns its head too."""
    assert said(looks(swing(head, 20), texture=0.05)).verdict is Verdict.SPOOF
    assert said(looks(swing(head, 20), texture=0.4)).verdict is Verdict.UNSURE


def test_what_moves_as_a_plane_is_not_live_even_where_the_networks_say_so() -> None:
    found = said(looks(swing(photograph, 40), texture=0.99))
    assert (found.verdict, found.doubt) == (Verdict.UNSURE, Doubt.DOUBTFUL)
    assert said(looks(swing(photograph, 40), texture=0.4)).doubt is Doubt.FLAT


@pytest.mark.parametrize("doubt", [Doubt.TOO_DARK, Doubt.TOO_SMALL, Doubt.TOO_BLURRED, Doubt.AT_THE_EDGE])
def test_a_face_that_can_not_be_seen_well_is_never_live(doubt: Doubt) -> None:
    found = said(seen(*[0.99] * 15, doubt=doubt))
    assert (found.verdict, found.doubt) == (Verdict.UNSURE, doubt)


def test_blinks_are_counted_and_decide_nothing() -> None:
    eyes = [0.3, 0.3, SHUT, 0.3, 0.3, 0.3, SHUT, SHUT, 0.3, 0.3]
    found = said(looks([head(eyes=one) for one in eyes], noise_px=0.05))
    assert (found.blinks, found.verdict) == (2, Verdict.UNSURE)


scores = st.none() | st.floats(0, 1)


steps_of = st.lists(st.tuples(scores, st.none() | st.sampled_from(list(Doubt)), st.floats(0.01, 2)), min_size=1)


@given(steps_of)
def test_nothing_is_live_without_evidence_of_the_last_second(
    steps: list[tuple[float | None, Doubt | None, float]],
) -> None:
    """Whatever comes: live means that most of the good frames of the last second scored that high."""
    at_s, all_looks = 0.0, []
    for score, doubt, gap_s in steps:
        at_s += gap_s
        all_looks.append(Look(at_s, score, None, None, doubt))
    found = said(all_looks)
    recent = [one for one in all_looks if at_s - one.at_s <= RECENT_S]
    if len(recent) < LEAST_FRAMES:
        recent = [one for one in all_looks[-LEAST_FRAMES:] if at_s - one.at_s <= LONGER_S]
    good = [one for one in recent if one.doubt is None]
    high = [one for one in good if one.texture is not None and one.texture >= RULE.live]
    if found.verdict is Verdict.LIVE:
        assert len(good) >= LEAST_FRAMES
        assert 2 * len(high) >= sum(one.texture is not None for one in good)
    assert (found.verdict is Verdict.LIVE) is (found.doubt is None)
