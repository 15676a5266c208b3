"""What is asked for, and how it is said."""

from __future__ import annotations

from agents.runtime.clock import Now
from agents.scheduler.challenges import Asks
from agents.scheduler.chance import Secret
from agents.scheduler.liveness_config import ChallengeTexts, Liveness
from agents.wire.identity import Identity
from agents.wire.liveness import Challenge, HeadAction
from tests.scheduler.gates import Loaded, face

TEXTS = ChallengeTexts(nod="Bitte nicken")
ANA = face("Ana", track=3)
FRAME = Identity(id="hall-1", camera="hall", captured_at=1000.0, seq=1, faces=(ANA,))


def ask(asks: Asks, door: str = "front", s: float = 0.0, person: str = "Ana", track: int = 3) -> Challenge:
    who, now = face(person, track=track), Now(1000.0 + s, 50.0 + s)
    return asks.challenge(door, FRAME, who, Liveness(actions=["nod", "turn_left"]), now)


def test_a_challenge_says_who_is_to_do_what_where_and_until_when() -> None:
    chance = Loaded()
    chance.next = HeadAction.NOD
    assert ask(Asks(chance, TEXTS)) == Challenge(
        id="challenge-1", door="front", camera="hall", track=3, person="Ana", action=HeadAction.NOD,
        text="Bitte nicken", asked_at=1000.0, expires_at=1008.0,
    )  # fmt: skip


def test_chance_draws_every_action_of_the_policy_and_no_other_and_no_word_twice() -> None:
    asks = Asks(Secret(), TEXTS)
    made = [ask(asks, track=track) for track in range(200)]
    assert {one.action for one in made} == {HeadAction.NOD, HeadAction.TURN_LEFT}
    assert len({one.id for one in made}) == 200


def test_two_doors_that_see_a_face_by_one_camera_ask_for_the_same() -> None:
    """The recognizer follows one challenge of a face: the second would take the first one's place."""
    asks = Asks(Loaded(), TEXTS)
    front, back = ask(asks), ask(asks, "back", s=1.0)
    assert (front.id, front.action, back.door) == (back.id, back.action, "back")
    assert (back.asked_at, back.expires_at) == (1001.0, 1008.0)
    again = ask(asks, s=3.0)
    assert again.id != front.id
    assert ask(asks, "back", s=3.0).id == again.id


def test_what_is_over_and_what_another_face_was_asked_is_not_asked_again() -> None:
    asks = Asks(Loaded(), TEXTS)
    ids = [ask(asks).id, ask(asks, track=4).id, ask(asks, "back", s=8.0).id]
    assert len(set(ids)) == 3


def test_what_somebody_did_is_not_asked_of_somebody_else_nor_by_the_same_door_again() -> None:
    """Its result is known: whoever is asked for it now has passed."""
    asks = Asks(Loaded(), TEXTS)
    ids = [ask(asks).id, ask(asks, s=1.0).id, ask(asks, "back", s=2.0, person="Bob").id]
    assert len(set(ids)) == 3
