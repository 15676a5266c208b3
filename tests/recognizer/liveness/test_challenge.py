"""Challenges: the action that was asked for, and not another, in one unbroken track."""

from __future__ import annotations

import pytest

from agents.recognizer.liveness.challenge import UNBROKEN_S
from agents.recognizer.liveness.lifesigns import Lifesigns
from agents.recognizer.liveness.look import Look, Marks
from agents.wire.liveness import Challenge, ChallengeResult, ChallengeState, HeadAction
from tests.recognizer.liveness.heads import OPEN, SHUT, Pose, head, looks, photograph

PASSED, FAILED, PENDING = ChallengeState.PASSED, ChallengeState.FAILED, ChallengeState.PENDING
LEFT, RIGHT, NOD, BLINK = HeadAction.TURN_LEFT, HeadAction.TURN_RIGHT, HeadAction.NOD, HeadAction.BLINK_TWICE
WITHIN_S = 6.0
STILL = [head()] * 10


def asked(action: HeadAction, id_: str = "c1") -> Challenge:
    return Challenge(
        id=id_, door="front", camera="front", track=3, person="Ana", action=action, text="Please", asked_at=1e9,
        expires_at=1e9 + WITHIN_S,
    )  # fmt: skip


def after(
    action: HeadAction, marks: list[Marks], before: list[Marks] = STILL, wait: int = 5, noise_px: float = 0.3
) -> ChallengeResult:
    """How it ends when the face is asked after some frames, waits for `wait` more, and then does this."""
    signs, seen = Lifesigns(), looks([*before, *[before[-1]] * wait, *marks], noise_px=noise_px)
    for look in seen[: len(before)]:
        signs.add(look)
    signs.ask(asked(action), seen[len(before) - 1].at_s + 0.05)
    result = [signs.add(look) for look in seen[len(before) :]][-1].challenge
    assert result is not None
    return result


def turned(left: float = 0, down: float = 0) -> list[Marks]:
    """There and back in a second, and a rest."""
    way = [0.3, 0.7, 1, 1, 1, 0.7, 0.3, 0, 0, 0]
    return [head((left * share, down * share)) for share in way]


MOVES = {LEFT: turned(left=20), RIGHT: turned(left=-20), NOD: turned(down=18)}


@pytest.mark.parametrize("action", MOVES)
def test_who_does_what_was_asked_passes(action: HeadAction) -> None:
    found = after(action, MOVES[action])
    assert (found.state, found.seen) == (PASSED, action)


@pytest.mark.parametrize("action", [LEFT, RIGHT, NOD, BLINK])
@pytest.mark.parametrize("done", MOVES)
def test_who_does_something_else_fails(action: HeadAction, done: HeadAction) -> None:
    if action is not done:
        found = after(action, MOVES[done])
        assert (found.state, found.seen) == (FAILED, done)


def test_what_was_asked_for_does_not_help_after_something_else() -> None:
    assert after(LEFT, [*MOVES[RIGHT], *MOVES[LEFT]]).state is FAILED


def test_up_is_a_nod_as_well_as_down() -> None:
    assert after(NOD, turned(down=-18)).state is PASSED


def test_two_blinks_pass_and_one_does_not() -> None:
    eyes = [*[OPEN] * 3, SHUT, SHUT, *[OPEN] * 4, SHUT, *[OPEN] * 3]
    assert after(BLINK, [head(eyes=one) for one in eyes], noise_px=0.05).state is PASSED
    assert after(BLINK, [head(eyes=one) for one in eyes[:9]], noise_px=0.05).state is PENDING


def test_blinks_do_not_spoil_another_action() -> None:
    blinking = [head(eyes=one) for one in [OPEN, SHUT, OPEN, OPEN, SHUT, OPEN]]
    assert after(LEFT, [*blinking, *MOVES[LEFT]]).state is PASSED


@pytest.mark.parametrize("action", [LEFT, RIGHT, NOD])
@pytest.mark.parametrize("pose", [(35, 0), (-35, 0), (0, 35), (0, -35), (25, 25)])
def test_a_photograph_that_is_tilted_passes_nothing(action: HeadAction, pose: Pose) -> None:
    way = [0.3, 0.7, 1, 1, 1, 0.7, 0.3, 0, 0, 0]
    tilted = [photograph((pose[0] * share, pose[1] * share)) for share in way]
    assert after(action, tilted, before=[photograph()] * 10).state is not PASSED


def test_who_holds_still_is_waited_for_until_the_time_is_over() -> None:
    assert after(LEFT, STILL * 4).state is PENDING
    assert after(LEFT, STILL * 7).state is FAILED


def test_who_had_begun_before_being_asked_fails() -> None:
    """A video that plays does not wait to be asked."""
    moving = [head((angle, 0)) for angle in (0, 0, 0, 0, 2, 8)]
    found = after(LEFT, [head((16, 0)), head((22, 0)), *MOVES[LEFT]], before=moving, wait=0)
    assert found.state is FAILED


def test_who_looks_back_from_the_side_has_not_turned_to_the_other() -> None:
    aside = [head((25, 0))] * 10
    assert after(RIGHT, STILL, before=aside).state is PENDING


def test_a_gap_breaks_the_track() -> None:
    signs, seen = Lifesigns(), looks([*STILL, *MOVES[LEFT]])
    for look in seen[:10]:
        signs.add(look)
    signs.ask(asked(LEFT), seen[9].at_s)
    late = [Look(look.at_s + UNBROKEN_S + 0.1, look.texture, look.shape) for look in seen[10:]]
    ended = [signs.add(look) for look in late][-1].challenge
    assert ended is not None
    assert (ended.state, ended.seen) == (FAILED, None)


def test_a_challenge_that_is_heard_twice_is_not_begun_anew_and_another_one_is() -> None:
    signs, seen = Lifesigns(), looks([*STILL, *[head()] * 5, *MOVES[RIGHT]])
    for look in seen[:10]:
        signs.add(look)
    signs.ask(asked(LEFT), seen[9].at_s)
    failed = [signs.add(look) for look in seen[10:]][-1].challenge
    signs.ask(asked(LEFT), seen[-1].at_s)
    again = signs.add(Look(seen[-1].at_s + 0.1, None, seen[-1].shape)).challenge
    assert failed is not None
    assert again == failed
    signs.ask(asked(LEFT, "c2"), seen[-1].at_s + 0.1)
    anew = signs.add(Look(seen[-1].at_s + 0.2, None, seen[-1].shape)).challenge
    assert anew is not None
    assert (anew.id, anew.state) == ("c2", PENDING)
