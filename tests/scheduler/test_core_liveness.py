"""Whether somebody lives: nobody is let in whom the recognizer takes for a picture, or of whom it can't tell."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.scheduler.proof import ASK_AFTER_S, MOST_SPOOFS
from agents.wire.identity import Face
from agents.wire.liveness import ChallengeResult, ChallengeState, Doubt, HeadAction, Liveness, Verdict
from agents.wire.why import Why
from tests.scheduler.gates import ALIVE, STRANGER, Scene, face

SPOOF = Liveness(verdict=Verdict.SPOOF, doubt=Doubt.TEXTURE, frames=9, texture=0.02)
DOUBTFUL = Liveness(verdict=Verdict.UNSURE, doubt=Doubt.DOUBTFUL, frames=9, texture=0.4)
NO_EVIDENCE = Liveness(verdict=Verdict.UNSURE, doubt=Doubt.NO_EVIDENCE, frames=9)
PASSED, FAILED, PENDING = ChallengeState.PASSED, ChallengeState.FAILED, ChallengeState.PENDING
ON_A_CHALLENGE: dict[str, Any] = {"liveness": "challenge"}


def ana(liveness: Liveness | None, track: int = 3) -> Face:
    return face("Ana", track=track, liveness=liveness)


def unsure(doubt: Doubt) -> Liveness:
    return Liveness(verdict=Verdict.UNSURE, doubt=doubt, frames=9)


def told(scene: Scene, state: ChallengeState, of: Liveness = DOUBTFUL, id_: str | None = None, **more: Any) -> Liveness:
    """What the recognizer says, with the result of the newest challenge."""
    result = ChallengeResult(id=id_ or scene.challenges[-1].id, state=state, **more)
    return of.model_copy(update={"challenge": result})


def doubted(**policy: Any) -> Scene:
    """Ana has stood there for so long that she is asked for an action."""
    scene = Scene(**policy)
    scene.stay(ASK_AFTER_S + 0.3, ana(DOUBTFUL))
    assert len(scene.challenges) == 1
    return scene


def test_who_lives_is_let_in_and_the_decision_says_by_what() -> None:
    scene = Scene()
    scene.watch(ana(ALIVE))
    assert scene.let_in == ["Ana"]
    assert scene.decisions[0].liveness == ALIVE


def test_a_picture_is_not_let_in_and_is_told_once_with_what_was_measured() -> None:
    scene = Scene()
    scene.stay(6, ana(SPOOF))
    assert scene.told == [("Ana", Why.SPOOF)]
    assert scene.decisions[0].detail == "texture (texture 0.02)"
    assert scene.decisions[0].liveness == SPOOF
    assert scene.grants == []
    assert scene.challenges == []


def test_a_picture_that_is_shown_for_a_moment_is_told_when_it_is_gone() -> None:
    scene = Scene()
    scene.stay(1, ana(SPOOF))
    scene.leave()
    assert scene.told == [("Ana", Why.SPOOF)]


def test_a_first_bad_look_keeps_nobody_out() -> None:
    scene = Scene()
    scene.stay(1, ana(SPOOF))
    scene.watch(ana(ALIVE))
    assert scene.told == [("Ana", Why.CONFIRMED)]


def test_the_man_himself_is_let_in_after_his_picture_was_put_away() -> None:
    scene = Scene()
    scene.stay(4, ana(SPOOF, track=3))
    scene.stay(1, ana(ALIVE, track=4))
    assert scene.told == [("Ana", Why.SPOOF), ("Ana", Why.CONFIRMED)]


def test_a_face_that_was_told_to_be_a_picture_stays_one() -> None:
    scene = Scene()
    scene.stay(4, ana(SPOOF))
    scene.stay(4, ana(ALIVE))
    assert scene.told == [("Ana", Why.SPOOF)]


def test_what_was_not_measured_is_no_pass() -> None:
    scene = Scene()
    scene.stay(5, ana(None))
    assert scene.told == [("Ana", Why.NOT_LIVE)]
    assert scene.decisions[0].detail == "not_measured"


@pytest.mark.parametrize(
    "doubt", [Doubt.FEW_FRAMES, Doubt.TOO_DARK, Doubt.TOO_BRIGHT, Doubt.TOO_SMALL, Doubt.TOO_BLURRED, Doubt.AT_THE_EDGE]
)
def test_who_can_not_be_seen_is_not_asked_for_what_could_not_be_seen_either(doubt: Doubt) -> None:
    scene = Scene()
    scene.stay(5, ana(unsure(doubt)))
    assert scene.challenges == []
    assert scene.told == [("Ana", Why.NOT_LIVE)]
    assert scene.decisions[0].detail == doubt


def test_only_off_lets_a_picture_in_and_nothing_is_asked_then() -> None:
    scene = Scene(liveness="off")
    scene.watch(ana(SPOOF))
    assert scene.let_in == ["Ana"]
    assert scene.challenges == []


def test_who_is_let_in_for_once_has_to_live_too() -> None:
    scene = Scene()
    scene.admit("Ana")
    scene.stay(5, ana(SPOOF))
    assert scene.told == [("Ana", Why.SPOOF)]


# challenges


@pytest.mark.parametrize("liveness", [DOUBTFUL, NO_EVIDENCE])
def test_who_is_doubted_for_a_while_is_asked_for_an_action(liveness: Liveness) -> None:
    scene = Scene()
    scene.stay(ASK_AFTER_S - 0.1, ana(liveness))
    assert scene.challenges == []
    scene.stay(1.0, ana(liveness))
    (challenge,) = scene.challenges
    assert (challenge.person, challenge.camera, challenge.track) == ("Ana", "front", 3)
    assert (challenge.action, challenge.text) == (HeadAction.TURN_LEFT, "Please turn your head to your left")
    assert challenge.expires_at - challenge.asked_at == 8
    assert scene.decisions == []


def test_who_does_it_is_let_in() -> None:
    scene = doubted()
    scene.see(ana(told(scene, PENDING)))
    assert scene.grants == []
    scene.see(ana(told(scene, PASSED)))
    assert scene.told == [("Ana", Why.CONFIRMED)]


def test_what_was_passed_is_not_asked_again_of_the_same_face() -> None:
    scene = Scene(asking=True, **ON_A_CHALLENGE)
    scene.watch(ana(ALIVE))
    assert scene.questions == []
    scene.see(ana(told(scene, PASSED, ALIVE)))
    assert len(scene.questions) == 1
    scene.answer("YES", scene.questions[0].id)
    scene.see(ana(ALIVE))
    assert len(scene.challenges) == 1
    assert scene.told == [("Ana", Why.CONFIRMED)]


def test_always_asks_those_too_who_live() -> None:
    scene = Scene(**ON_A_CHALLENGE)
    scene.watch(ana(ALIVE))
    assert len(scene.challenges) == 1
    assert scene.grants == []
    scene.see(ana(told(scene, PASSED, ALIVE)))
    assert scene.let_in == ["Ana"]


def test_a_picture_that_passes_is_a_picture() -> None:
    scene = Scene(**ON_A_CHALLENGE)
    scene.watch(ana(ALIVE))
    scene.stay(5, ana(told(scene, PASSED, SPOOF)))
    assert scene.told == [("Ana", Why.SPOOF)]


def test_never_asks_nobody() -> None:
    scene = Scene(liveness={"challenge": "never"})
    scene.stay(5, ana(DOUBTFUL))
    assert scene.challenges == []
    assert scene.told == [("Ana", Why.NOT_LIVE)]


def test_a_second_chance_and_no_third_one() -> None:
    scene = doubted()
    scene.chance.next = HeadAction.NOD
    scene.see(ana(told(scene, FAILED, seen=HeadAction.TURN_RIGHT)))
    assert [challenge.action for challenge in scene.challenges] == [HeadAction.TURN_LEFT, HeadAction.NOD]
    assert scene.decisions == []
    scene.see(ana(told(scene, FAILED, seen=HeadAction.TURN_RIGHT)))
    assert scene.told == [("Ana", Why.CHALLENGE_FAILED)]
    assert scene.decisions[0].detail == "asked to nod: it was turn_right"
    scene.stay(5, ana(ALIVE, track=9))
    assert len(scene.told) == 1, "as long as they stay"


def test_time_goes_by_and_nothing_happens() -> None:
    scene = doubted(liveness={"attempts": 1, "within_s": 5})
    scene.stay(7, ana(told(scene, PENDING)))
    assert scene.told == [("Ana", Why.CHALLENGE_FAILED)]


def test_time_goes_by_while_the_face_is_not_known() -> None:
    scene = doubted(liveness={"attempts": 1})
    scene.stay(10, face(STRANGER, track=3))
    scene.see(ana(told(scene, PASSED)))
    assert ("Ana", Why.CONFIRMED) not in scene.told


def test_a_result_of_another_challenge_counts_nothing() -> None:
    scene = doubted()
    scene.stay(1, ana(told(scene, PASSED, id_="somebody-elses")))
    assert scene.grants == []


def test_a_result_of_another_face_counts_nothing() -> None:
    """One unbroken track: the one that was asked."""
    scene = doubted(liveness={"attempts": 1})
    scene.stay(1, ana(told(scene, PASSED), track=4))
    assert scene.told == [("Ana", Why.CHALLENGE_FAILED)]


def test_a_result_that_comes_when_all_is_over_counts_nothing() -> None:
    scene = doubted(liveness={"attempts": 1, "within_s": 3})
    scene.stay(3.5, ana(told(scene, PENDING)))
    scene.wait(1.0)
    scene.see(ana(told(scene, PASSED)))
    assert scene.grants == []


def test_who_leaves_without_doing_it_has_failed() -> None:
    scene = doubted()
    scene.leave()
    assert scene.told == [("Ana", Why.CHALLENGE_FAILED)]
    assert scene.decisions[0].detail == "they left"


def test_who_turns_out_to_live_need_not_do_it() -> None:
    scene = doubted()
    scene.see(ana(told(scene, PENDING, ALIVE)))
    assert scene.let_in == ["Ana"]


@pytest.mark.parametrize(("shown", "counts"), [(SPOOF, True), (unsure(Doubt.TOO_DARK), False)])
def test_pictures_lock_a_camera_out_and_darkness_does_not(shown: Liveness, counts: bool) -> None:
    scene = Scene(lock_out={"after": 2, "within_s": 300, "for_s": 60, "at_most_s": 60})
    for _ in range(2):
        scene.stay(1, ana(shown))
        scene.leave()
    scene.watch(ana(ALIVE))
    assert scene.told[-1] == (("Ana", Why.LOCKED_OUT) if counts else ("Ana", Why.CONFIRMED))


def test_picture_after_picture_and_nobody_is_believed_any_more_in_this_visit() -> None:
    scene = Scene()
    for track in range(MOST_SPOOFS):
        scene.stay(4, ana(SPOOF, track=track))
    scene.stay(4, ana(ALIVE, track=99))
    assert scene.told == [("Ana", Why.SPOOF)]
    scene.leave()
    scene.watch(ana(ALIVE, track=100))
    assert scene.let_in == ["Ana"]


# whatever comes

verdicts = st.sampled_from([None, ALIVE, SPOOF, DOUBTFUL, NO_EVIDENCE, unsure(Doubt.TOO_DARK)])
results = st.none() | st.tuples(st.sampled_from(list(ChallengeState)), st.booleans())
steps = st.lists(
    st.tuples(verdicts, results, st.integers(0, 2), st.sampled_from([0.1, 0.1, 0.1, 1.0, 5.0])), max_size=60
)


@settings(max_examples=150, deadline=None)
@given(steps, st.sampled_from(["never", "doubtful", "always"]))
def test_nobody_is_let_in_without_life(moments: list[tuple[Any, ...]], challenge: str) -> None:
    """A grant's newest frame is live, or unsure and our challenge was passed by that very face in time."""
    scene = Scene(liveness={"challenge": challenge}, cool_down_s=0)
    passed: set[int] = set()
    for liveness, result, track, wait_s in moments:
        if liveness is not None and result is not None and scene.challenges:
            state, ours = result
            liveness = told(scene, state, liveness, None if ours else "forged")
            last = scene.challenges[-1]
            if ours and state is PASSED and last.track == track and scene.utc + wait_s <= last.expires_at + 1.2:
                passed.add(track)
        scene.wait(wait_s - 0.1)
        grants = len(scene.grants)
        scene.see(ana(liveness, track))
        scene.tick()
        if len(scene.grants) > grants:
            assert liveness is not None
            assert liveness.verdict is not Verdict.SPOOF
            assert track in passed or (liveness.verdict is Verdict.LIVE and challenge != "always")
