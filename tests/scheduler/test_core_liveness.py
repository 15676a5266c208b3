"""Whether somebody lives: nobody is let in whom the recognizer takes for a picture, or of whom it can't tell."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.scheduler.proof import ASK_AFTER_S, MOST_SPOOFS, ON_ITS_WAY_S, REST_S
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
    scene.stay(REST_S, ana(told(scene, FAILED, seen=HeadAction.TURN_RIGHT)))
    assert len(scene.challenges) == 1, "the head turns back first"
    scene.see(ana(DOUBTFUL))
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


def test_who_failed_is_told_so_when_they_leave_before_they_are_asked_again() -> None:
    scene = doubted()
    scene.see(ana(told(scene, FAILED)))
    scene.leave()
    assert scene.told == [("Ana", Why.CHALLENGE_FAILED)]
    assert scene.decisions[0].detail == "asked to turn_left: not done in time"


def test_a_head_that_is_turned_away_is_seen_to_do_it_though_nobody_knows_it_then() -> None:
    scene = doubted(liveness={"within_s": 3})
    scene.see(face(STRANGER, track=3, liveness=told(scene, PASSED)))
    scene.stay(6, face(STRANGER, track=3, liveness=DOUBTFUL))
    scene.watch(ana(DOUBTFUL))
    assert scene.told == [("Ana", Why.CONFIRMED)]


def test_what_one_face_has_done_does_not_count_for_another() -> None:
    scene = doubted()
    scene.see(face(STRANGER, track=3, liveness=told(scene, PASSED)))
    scene.stay(1, ana(DOUBTFUL, track=4))
    assert scene.grants == []


def test_a_face_that_is_somebody_else_on_the_way_does_not_do_it_for_her() -> None:
    scene = doubted(liveness={"attempts": 1})
    scene.see(face("Bob", track=3, liveness=told(scene, PENDING)))
    scene.stay(1, ana(told(scene, PASSED)))
    assert ("Ana", Why.CONFIRMED) not in scene.told
    (failed,) = [decision for decision in scene.decisions if decision.person == "Ana"]
    assert (failed.reason, failed.detail) == (Why.CHALLENGE_FAILED, "asked to turn_left: the face was Bob's on the way")


def test_a_head_that_looks_flat_while_it_turns_is_not_called_a_picture_for_that() -> None:
    scene = doubted()
    scene.stay(5, ana(told(scene, PENDING, SPOOF)))
    assert scene.decisions == []
    scene.see(ana(told(scene, PASSED, SPOOF)))
    assert scene.grants == []
    scene.see(ana(told(scene, PASSED)))
    assert scene.told == [("Ana", Why.CONFIRMED)]


def test_what_looked_flat_while_it_turned_is_believed_only_when_it_has_done_it() -> None:
    scene = doubted()
    scene.see(ana(told(scene, PENDING, SPOOF)))
    scene.stay(1, ana(told(scene, PENDING, ALIVE)))
    assert scene.grants == []
    scene.stay(0.2, ana(told(scene, PASSED, ALIVE)))
    assert scene.let_in == ["Ana"]


def test_a_picture_that_did_it_is_told_when_the_head_is_at_rest() -> None:
    scene = doubted(patience_s=0.0, lock_out={"after": 1})
    scene.stay(1 + REST_S, ana(told(scene, PASSED, SPOOF)))
    assert scene.told[-1] == ("Ana", Why.SPOOF)
    assert scene.gate.limits.locked_out(scene.now) == ["front"]


def test_one_is_asked_at_a_time_where_everybody_hears_it() -> None:
    scene = Scene()
    bob = face("Bob", track=4, liveness=DOUBTFUL)
    scene.stay(3, ana(DOUBTFUL), bob)
    assert [challenge.person for challenge in scene.challenges] == ["Ana"]
    scene.see(ana(told(scene, PASSED)), bob)
    scene.watch(ana(DOUBTFUL), bob)
    assert [challenge.person for challenge in scene.challenges] == ["Ana", "Bob"]
    assert scene.let_in == ["Ana"]


def test_who_lives_after_all_is_not_kept_out_by_an_action_nobody_wanted_any_more() -> None:
    scene = doubted(asking=True, liveness={"attempts": 1, "within_s": 3})
    scene.stay(6, ana(ALIVE))
    scene.answer("YES", scene.questions[0].id)
    scene.see(ana(ALIVE))
    assert scene.told == [("Ana", Why.CONFIRMED)]


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


# what is told of pictures


def test_a_picture_beside_whoever_holds_it_is_told_as_one_where_nobody_else_may_be_in_view() -> None:
    scene = Scene(evidence={"faces": "single"}, lock_out={"after": 1})
    scene.stay(5, ana(SPOOF), STRANGER)
    assert ("Ana", Why.SPOOF) in scene.told
    assert ("Ana", Why.NOT_ALONE) not in scene.told


def test_a_picture_that_too_few_frames_agreed_on_is_told_as_one() -> None:
    scene = Scene()
    for track in (1, 2, 3):
        scene.see(ana(SPOOF, track))
    scene.leave()
    assert scene.told == [("Ana", Why.SPOOF)]
    scene = Scene(liveness="off")
    for track in (1, 2, 3):
        scene.see(ana(SPOOF, track))
    scene.leave()
    assert scene.told == [("Ana", Why.NOT_CONFIRMED)]


def test_a_picture_is_told_also_where_it_was_too_dark_before() -> None:
    scene = Scene(lock_out={"after": 1})
    scene.stay(4, ana(unsure(Doubt.TOO_DARK)))
    scene.stay(4, ana(SPOOF))
    assert scene.told == [("Ana", Why.NOT_LIVE), ("Ana", Why.SPOOF)]
    assert scene.gate.limits.locked_out(scene.now) == ["front"]


def test_one_visit_counts_once_towards_the_lock_out_whatever_is_tried_in_it() -> None:
    scene = Scene(lock_out={"after": 2})
    scene.stay(4, ana(SPOOF, track=1))
    scene.stay(ASK_AFTER_S, ana(DOUBTFUL, track=2))
    assert len(scene.challenges) == 1
    scene.leave()
    assert scene.told == [("Ana", Why.SPOOF), ("Ana", Why.CHALLENGE_FAILED)]
    assert scene.gate.limits.locked_out(scene.now) == []


# whatever comes

VERDICTS = st.sampled_from([None, ALIVE, SPOOF, DOUBTFUL, DOUBTFUL, NO_EVIDENCE, unsure(Doubt.TOO_DARK)])
RESULTS = st.none() | st.tuples(st.sampled_from([PASSED, PASSED, FAILED, PENDING]), st.sampled_from([1, 1, 1, 2, 0]))
WHO = st.sampled_from(["Ana", "Ana", "Ana", STRANGER, "Bob"])
LOOKS = st.tuples(WHO, VERDICTS, RESULTS, st.integers(0, 1))
MOMENTS = st.tuples(LOOKS, LOOKS | st.none(), st.sampled_from([1, 1, 5, 12]), st.sampled_from([0.1, 0.1, 0.5, 9.0]))


class Lives:
    """What was truly passed: by which tracks, as the frames that were delivered say."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.passed = scene, set[tuple[str, int]]()
        self.asked_at: dict[str, float] = {}

    def face(self, look: tuple[Any, ...]) -> Face:
        """`back` counts challenges from the newest; 0 is one that was never asked."""
        person, liveness, result, track = look
        if liveness is not None and result is not None and self.scene.challenges:
            state, back = result
            asked = self.scene.challenges[-back:][0] if back else None
            liveness = told(self.scene, state, liveness, asked.id if asked else "forged")
            if asked is not None and state is PASSED and asked.track == track and person in (None, asked.person):
                in_time = self.scene.mono + 0.1 <= self.asked_at[asked.id] + 8.0 + ON_ITS_WAY_S + 0.01
                self.passed |= {(asked.person, track)} if in_time else set()
        return face(person, track=track, liveness=liveness)

    def see(self, faces: list[Face]) -> None:
        before = len(self.scene.grants)
        self.scene.see(*faces)
        self.scene.tick()
        for challenge in self.scene.challenges:
            self.asked_at.setdefault(challenge.id, self.scene.mono)
        for grant in self.scene.grants[before:]:
            self._check(grant.person, faces)

    def _check(self, person: str, faces: list[Face]) -> None:
        """Two faces may be hers: the first one counts, as they are equally near."""
        deciding = next(face for face in faces if face.person == person)
        assert deciding.liveness is not None
        assert deciding.track is not None
        assert deciding.liveness.verdict is not Verdict.SPOOF
        believed = deciding.liveness.verdict is Verdict.LIVE and self.scene.policy.liveness.challenge != "always"
        assert believed or (person, deciding.track) in self.passed


@settings(max_examples=300, deadline=None)
@given(
    st.lists(MOMENTS, max_size=25),
    st.sampled_from(["never", "doubtful", "always"]),
    st.booleans(),
    st.sampled_from([2.0, 60.0]),
)
def test_nobody_is_let_in_without_life(
    moments: list[tuple[Any, ...]], challenge: str, admitted: bool, gap_s: float
) -> None:
    """A grant's newest face is live, or unsure and our challenge was passed by that very face in time."""
    scene = Scene(liveness={"challenge": challenge}, cool_down_s=0, patience_s=0.5, visit_gap_s=gap_s)
    if admitted:
        scene.admit("Ana")
    lives = Lives(scene)
    for look, other, frames, wait_s in moments:
        for _ in range(frames):
            lives.see([lives.face(one) for one in (look, other) if one is not None])
        scene.wait(wait_s)
