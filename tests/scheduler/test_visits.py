"""Who is in view: the faces of a frame, and those that are followed from frame to frame."""

from __future__ import annotations

import pytest

from agents.runtime.clock import Now
from agents.scheduler.config import Evidence
from agents.scheduler.visits import MOST_FRAMES, REMEMBERED_TRACKS, Sighting, View
from agents.wire.identity import Box, Face, Identity
from agents.wire.scheduling import Votes
from agents.wire.why import Why
from tests.scheduler.gates import STRANGER, Scene, face

T = 1_800_000_000.0
EVIDENCE = Evidence(frames=2, of=3, within_s=5.0)


def identity(*faces: Face, at_s: float = 0.0) -> Identity:
    return Identity(id="i", camera="front", captured_at=T + at_s, seq=0, faces=faces)


def now(s: float = 0.0) -> Now:
    return Now(T + s, 5000.0 + s)


def nobody_like() -> Face:
    """A face where nobody is enrolled."""
    box = Box(left=0, top=0, width=100, height=100)
    return Face(person=None, distance=None, margin=None, box=box, sharpness=50.0)


# One frame


def test_of_several_faces_with_one_name_the_nearest_is_that_person() -> None:
    sighting = Sighting.of(identity(face("Ana", 0.4, 1), face("Ana", 0.2, 2), face("Ana", 0.3, 3), face("Bob", 0.1)))
    assert {person: found.distance for person, found in sighting.known.items()} == {"Ana": 0.2, "Bob": 0.1}
    assert sighting.face("Ana").track == 2
    assert sighting.strangers == ()


def test_the_strangers_face_is_the_nearest_of_them_and_not_a_known_persons() -> None:
    sighting = Sighting.of(identity(nobody_like(), face("Ana", 0.1), face(STRANGER, 0.9), face(STRANGER, 0.7)))
    assert sighting.face(None).distance == 0.7
    assert Sighting.of(identity(nobody_like())).face(None).distance is None


@pytest.mark.parametrize(
    ("faces", "fits"),
    [
        ([face("Ana")], {"any_known", "all_known", "single"}),
        ([face("Ana"), face("Bob")], {"any_known", "all_known"}),
        ([face("Ana"), face(STRANGER)], {"any_known"}),
    ],
)
def test_under_which_policies_a_frame_counts(faces: list[Face], fits: set[str]) -> None:
    sighting = Sighting.of(identity(*faces))
    assert {policy for policy in ("any_known", "all_known", "single") if sighting.fits(policy)} == fits


# Several frames


def votes(view: View, at_s: float, evidence: Evidence = EVIDENCE, faces: str = "any_known") -> int:
    return view.votes("Ana", evidence, now(at_s), faces)


def test_only_the_last_frames_within_the_time_count() -> None:
    view = View()
    for at_s in (0.0, 1.0, 2.0, 3.0):
        view.add(identity(face("Ana"), at_s=at_s), now(at_s))
    assert votes(view, 3.0) == 3
    assert votes(view, 3.0, Evidence(frames=4, of=4)) == 4
    assert votes(view, 6.0, Evidence(frames=4, of=4)) == 3, "three seconds old, but it was not five yet"
    assert votes(view, 7.1, Evidence(frames=4, of=4)) == 1


def test_as_many_frames_are_remembered_as_any_evidence_asks_for() -> None:
    view = View()
    for i in range(MOST_FRAMES + 5):
        view.add(identity(face("Ana"), at_s=i / 10), now(i / 10))
    assert votes(view, 3.4, Evidence(frames=30, of=30, within_s=30.0)) == MOST_FRAMES == 30


def test_when_all_have_left_nothing_is_remembered_of_their_frames() -> None:
    view = View()
    view.add(identity(face("Ana")), now())
    assert [visit.person for visit in view.take_over(now(2.1), 2.0)] == ["Ana"]
    view.add(identity(face("Ana"), at_s=2.2), now(2.2))
    assert votes(view, 2.2) == 1


def test_a_visit_is_over_after_the_gap_and_not_at_it() -> None:
    view = View()
    view.add(identity(face("Ana"), face(STRANGER)), now())
    assert list(view.take_over(now(2.0), 2.0)) == []
    view.add(identity(face("Bob"), at_s=2.0), now(2.0))
    assert [visit.person for visit in view.take_over(now(2.5), 2.0)] == ["Ana", None]
    assert list(view.visits) == ["Bob"]


def test_the_tracks_of_somebody_who_is_there_for_days_do_not_pile_up() -> None:
    view = View()
    for track in range(1000):
        view.add(
            identity(face("Ana", track=track), face(STRANGER, track=5000 + track), at_s=track / 10), now(track / 10)
        )
    assert [len(visit.tracks) for visit in view.visits.values()] == [REMEMBERED_TRACKS] * 2


# Faces that are followed, and what comes of it at the gate


def test_two_faces_that_each_look_like_ana_once_are_not_ana_twice() -> None:
    scene = Scene()
    scene.see(face("Ana", track=1), None)
    scene.see(None, face("Ana", track=2))
    assert scene.let_in == []
    scene.see(None, face("Ana", track=2))
    assert scene.let_in == ["Ana"]


def test_a_face_that_turns_away_is_still_that_persons() -> None:
    scene = Scene(cool_down_s=0.0)
    for _ in range(3):
        scene.watch(face("Ana", track=1), frames=2)
        scene.watch(face(STRANGER, track=1), frames=50)
    assert scene.told == [("Ana", Why.CONFIRMED)]
    scene.leave()
    assert scene.told == [("Ana", Why.CONFIRMED)]


def test_who_was_named_once_and_never_again_is_told_when_they_leave() -> None:
    """A stranger who looked like somebody for a moment is no way around the journal and the lock-out."""
    scene = Scene(lock_out={"after": 1})
    scene.see(face("Ana", track=1))
    scene.watch(face(STRANGER, track=1), frames=50)
    assert scene.effects == []
    scene.leave()
    assert scene.told == [("Ana", Why.NOT_CONFIRMED)]
    assert scene.decisions[0].evidence == Votes(agreeing=1, needed=2, frames=51, faces=1)
    assert scene.gate.limits.locked_out(scene.now) == ["front"]


def test_what_was_a_stranger_before_it_was_known_belongs_to_the_persons_visit() -> None:
    scene = Scene()
    scene.see(face(STRANGER, track=1))
    began_at = scene.utc
    scene.see(face(STRANGER, track=1))
    scene.watch(face("Ana", track=1))
    scene.leave()
    assert scene.told == [("Ana", Why.CONFIRMED)]
    assert scene.decisions[0].began_at == began_at
    assert scene.decisions[0].evidence.frames == 4


def test_the_other_stranger_stays_one_when_the_first_is_known() -> None:
    scene = Scene()
    scene.watch(face(STRANGER, track=1), face(STRANGER, track=2))
    scene.watch(face("Ana", track=1), face(STRANGER, track=2))
    scene.leave()
    assert scene.told == [("Ana", Why.CONFIRMED), (None, Why.UNKNOWN_PERSON)]
    assert scene.decisions[1].evidence.frames == 4


def test_a_frame_counts_once_for_a_person_who_turned_away_and_stands_beside_a_mirror() -> None:
    scene = Scene()
    scene.see(face("Ana", track=1))
    scene.see(face("Ana", track=2), face(STRANGER, track=1))
    scene.leave()
    assert scene.told == [("Ana", Why.NOT_CONFIRMED)]
    assert scene.decisions[0].evidence.frames == 2


def test_who_was_denied_as_a_stranger_and_is_then_known_begins_a_visit_of_their_own() -> None:
    scene = Scene()
    scene.watch(face(STRANGER, track=1), frames=40)
    assert scene.told == [(None, Why.UNKNOWN_PERSON)]
    scene.see(face("Ana", track=1))
    began_at = scene.utc
    scene.see(face("Ana", track=1))
    scene.leave()
    assert scene.told == [(None, Why.UNKNOWN_PERSON), ("Ana", Why.CONFIRMED)]
    assert scene.decisions[1].began_at == began_at


def test_a_face_that_is_bob_now_is_no_longer_ana_who_turned_away() -> None:
    scene = Scene(cool_down_s=0.0)
    scene.watch(face("Ana", track=1))
    scene.watch(face("Bob", track=1))
    scene.watch(face(STRANGER, track=1), frames=25)  # Bob turns away; Ana has left
    scene.watch(face("Ana", track=2))
    assert scene.let_in == ["Ana", "Bob", "Ana"]
