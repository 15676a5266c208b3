"""Switches and limits at the gate: who is kept out although the rules let them in, and the other way round."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from agents.scheduler.config import Evidence
from agents.wire.why import Why
from tests.scheduler.gates import STRANGER, Scene, Told, face

LOCK_OUT = {"after": 3, "within_s": 300.0, "for_s": 60.0, "at_most_s": 900.0}

# Cool-down


def test_a_person_who_comes_back_within_the_cool_down_is_denied_and_later_let_in() -> None:
    scene = Scene(cool_down_s=10.0)
    for _ in range(3):
        scene.watch("Ana")
        scene.leave(5.0)
    assert scene.told == [("Ana", Why.CONFIRMED), ("Ana", Why.COOL_DOWN), ("Ana", Why.CONFIRMED)]


def test_who_comes_back_and_waits_out_the_cool_down_is_let_in() -> None:
    scene = Scene(cool_down_s=10.0)
    scene.watch("Ana")
    scene.leave()
    scene.watch("Ana", frames=100)
    assert scene.told == [("Ana", Why.CONFIRMED), ("Ana", Why.COOL_DOWN), ("Ana", Why.CONFIRMED)]


def test_the_cool_down_is_a_persons_own_and_holds_at_every_camera_of_the_door() -> None:
    scene = Scene()
    scene.watch("Ana", camera="front")
    scene.leave()
    for person, camera in (("Bob", "front"), ("Ana", "back")):
        scene.watch(person, camera=camera)
    assert scene.told == [("Ana", Why.CONFIRMED), ("Bob", Why.CONFIRMED), ("Ana", Why.COOL_DOWN)]


def test_a_jump_of_the_wall_clock_does_not_shorten_the_cool_down() -> None:
    scene = Scene()
    scene.watch("Ana")
    scene.leave()
    scene.utc += 3600
    scene.watch("Ana")
    assert scene.told == [("Ana", Why.CONFIRMED), ("Ana", Why.COOL_DOWN)]


# Grants a minute


def test_a_crowd_is_let_in_only_so_fast() -> None:
    scene = Scene(grants_per_minute=2)
    scene.watch("Ana", "Bob", "Cem", frames=580)
    assert scene.told == [("Ana", Why.CONFIRMED), ("Bob", Why.CONFIRMED), ("Cem", Why.TOO_MANY)]
    scene.watch("Ana", "Bob", "Cem", frames=40)
    assert scene.told[3:] == [("Cem", Why.CONFIRMED)]


# Lock-out


def strangers_come(scene: Scene, times: int, camera: str = "front") -> None:
    for _ in range(times):
        scene.watch(STRANGER, camera=camera)
        scene.leave()


def test_after_too_many_strangers_their_camera_opens_nothing_and_the_other_one_does() -> None:
    scene = Scene(lock_out=LOCK_OUT)
    strangers_come(scene, 3)
    scene.watch("Ana", camera="front")
    assert scene.told[-1] == ("Ana", Why.LOCKED_OUT)
    assert "camera front saw too many strangers" in scene.decisions[-1].detail
    scene.leave()
    scene.watch("Ana", camera="back")
    assert scene.let_in == ["Ana"]


def test_who_stands_before_a_locked_camera_gets_in_when_the_lock_out_is_over() -> None:
    scene = Scene(lock_out=LOCK_OUT)
    strangers_come(scene, 3)
    scene.watch("Ana", frames=610)
    assert scene.told[3:] == [("Ana", Why.LOCKED_OUT), ("Ana", Why.CONFIRMED)]


def test_a_stay_of_a_stranger_counts_once_however_long_it_is() -> None:
    scene = Scene(lock_out=LOCK_OUT)
    for _ in range(2):
        scene.watch(STRANGER, frames=200)
        scene.leave()
    assert scene.gate.limits.locked_out(scene.now) == []
    scene.watch(STRANGER, frames=31)
    assert scene.gate.limits.locked_out(scene.now) == ["front"], "at the decision, not when they leave"


def test_a_face_that_is_sometimes_taken_for_somebody_counts_as_a_stranger() -> None:
    scene = Scene(lock_out={**LOCK_OUT, "after": 1})
    for track, person in enumerate(["Ana", "Bob", "Ana", "Bob"]):
        scene.see(face(person, track=track))
    scene.leave()
    assert scene.told == [("Ana", Why.NOT_CONFIRMED), ("Bob", Why.NOT_CONFIRMED)]
    assert scene.gate.limits.locked_out(scene.now) == ["front"]


def test_denials_of_known_people_lock_nobody_out() -> None:
    scene = Scene(lock_out={**LOCK_OUT, "after": 1})
    scene.rules.closed = True
    scene.watch("Ana")
    scene.leave()
    scene.watch("Bob")
    scene.leave()
    assert scene.told == [("Ana", Why.OUTSIDE_WINDOW), ("Bob", Why.OUTSIDE_WINDOW)]
    assert scene.gate.limits.locked_out(scene.now) == []


def test_somebody_let_in_makes_up_for_the_strangers_before() -> None:
    scene = Scene(lock_out=LOCK_OUT)
    strangers_come(scene, 2)
    scene.watch("Ana")
    scene.leave()
    strangers_come(scene, 2)
    assert scene.gate.limits.locked_out(scene.now) == []


# Away mode, and who is let in all the same


def test_in_away_mode_nobody_is_let_in_and_afterwards_who_still_stands_there_is() -> None:
    scene = Scene()
    scene.away()
    scene.watch("Ana")
    assert scene.told == [("Ana", Why.AWAY)]
    scene.away(False)
    scene.see("Ana")
    assert scene.let_in == ["Ana"]


@pytest.mark.parametrize("source", [None, "Petra's phone"])
def test_who_is_let_in_for_once_needs_no_window_and_no_away_mode_off(source: str | None) -> None:
    scene = Scene()
    scene.away()
    scene.rules.closed = scene.rules.asking = True
    scene.admit("Ana", source=source)
    scene.watch("Ana", "Bob")
    assert scene.told == [("Ana", Why.CONFIRMED), ("Bob", Why.AWAY)]
    assert scene.decisions[0].rule == "let in by an order" + (f", by {source}" if source else "")


def test_let_in_until_then_and_no_longer() -> None:
    scene = Scene()
    scene.rules.closed = True
    scene.admit("Ana", for_s=10.0)
    scene.wait(10.0)
    scene.watch("Ana")
    assert scene.told == [("Ana", Why.OUTSIDE_WINDOW)]


def switch_off(scene: Scene) -> None:
    scene.switch(False)


def lose_the_clock(scene: Scene) -> None:
    scene.utc_is_set = False


def lose_the_door(scene: Scene) -> None:
    scene.gate.session = None


def grant_just_now(scene: Scene) -> None:
    scene.gate.limits.granted("Ana", "back", scene.now)


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (switch_off, Why.SWITCHED_OFF),
        (lose_the_clock, Why.CLOCK_NOT_SET),
        (grant_just_now, Why.COOL_DOWN),
        (lose_the_door, Why.DOOR_AWAY),
    ],
)
def test_whoever_is_let_in_for_once_is_bound_by_all_the_rest(spoil: Callable[[Scene], None], why: Why) -> None:
    scene = Scene(patience_s=0.0)
    scene.admit("Ana")
    spoil(scene)
    scene.watch("Ana")
    assert scene.told == [("Ana", why)]
    assert scene.let_in == []


def test_whoever_is_let_in_for_once_shows_the_evidence_the_door_asks_for() -> None:
    scene = Scene(evidence={"frames": 4, "of": 6, "faces": "single"}, patience_s=0.0)
    scene.rules.evidence = Evidence(frames=1, of=1)
    scene.admit("Ana")
    scene.watch("Ana", frames=3)
    assert scene.effects == []
    scene.see("Ana", STRANGER)
    expected: list[Told] = [("Ana", Why.NOT_ALONE)]
    assert scene.told == expected
