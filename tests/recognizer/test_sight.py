"""From frames to identities: which pictures are searched, where, and what is remembered of a camera."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import cv2
import numpy as np
import pytest

from agents.recognizer.core import Seen
from agents.recognizer.liveness.look import Look
from agents.recognizer.matcher import NOBODY_ENROLLED, Matcher
from agents.recognizer.rule import Rule
from agents.recognizer.sight import FACE_S, LOOK_ANYWAY_S, Sight, Sighting
from agents.recognizer.vision.engine import Engine
from agents.recognizer.vision.found import Pixels
from agents.runtime.clock import Now
from agents.wire.identity import Box
from agents.wire.liveness import Challenge, ChallengeState, HeadAction, Verdict
from agents.wire.messages import BadMessage
from agents.wire.stamp import Stamp

T0 = 1_800_000_000.0
HALLWAY = np.tile(np.linspace(40, 200, 640, dtype=np.uint8)[None, :, None], (360, 1, 3))
FACE = Box(left=200, top=100, width=120, height=120)


class Eyes:
    """In place of the models: finds what it is told to, and notes where it was asked to look."""

    encoder = "eyes"

    def __init__(self) -> None:
        self.asked: list[Sequence[Box] | None] = []
        self.boxes: list[Box] = []

    def look(self, image: Pixels, regions: Sequence[Box] | None = None) -> list[Seen]:
        self.asked.append(regions)
        return [Seen(box, box, np.zeros(128), 50.0) for box in self.boxes]

    def examine(self, image: Pixels, before: Pixels | None, face: Seen, at_s: float) -> Look:
        return Look(at_s, texture=1.0)


class House:
    """Two cameras that send a frame every tenth of a second."""

    def __init__(self) -> None:
        self.eyes = Eyes()
        self.sight = Sight(cast(Engine, self.eyes), Matcher(NOBODY_ENROLLED, Rule()), 1_000_000)
        self.mono, self.seq = 1000.0, 0
        self.random = np.random.default_rng(3)

    def show(self, scene: Pixels = HALLWAY, camera: str = "front", after_s: float = 0.1) -> Sighting:
        self.mono += after_s
        self.seq += 1
        noisy = np.clip(scene + 2.5 * self.random.standard_normal(scene.shape), 0, 255).astype(np.uint8)
        jpeg = cv2.imencode(".jpg", noisy)[1].tobytes()
        return self.sight.see(camera, jpeg, Stamp(T0 + self.mono, self.seq), Now(T0 + self.mono, self.mono))

    @property
    def searched(self) -> int:
        return len(self.eyes.asked)


def with_somebody(left_px: int = 200) -> Pixels:
    scene = HALLWAY.copy()
    scene[100:300, left_px : left_px + 120] = (60, 120, 180)
    return scene


@pytest.fixture
def house() -> House:
    return House()


def test_the_first_picture_is_searched(house: House) -> None:
    assert house.show().image is not None
    assert house.eyes.asked == [None]


def test_a_still_empty_scene_is_searched_only_from_time_to_time_and_told_of_every_time(house: House) -> None:
    told = [house.show() for _ in range(100)]
    assert all(sighting.identity.faces == () for sighting in told)
    assert len({sighting.identity.seq for sighting in told}) == 100
    assert 10 / LOOK_ANYWAY_S - 1 <= house.searched <= 10 / LOOK_ANYWAY_S + 2
    assert house.sight.skipped == 100 - house.searched
    assert [sighting.image is None for sighting in told].count(True) == house.sight.skipped


def test_the_very_picture_in_which_something_moves_is_searched(house: House) -> None:
    for _ in range(10):
        house.show()
    before = house.searched
    assert house.show(with_somebody()).image is not None
    assert house.searched == before + 1


def test_while_a_face_is_there_every_picture_is_searched_however_still_it_is(house: House) -> None:
    house.eyes.boxes = [FACE]
    told = [house.show(with_somebody()) for _ in range(100)]
    assert house.searched == 100
    assert {face.track for sighting in told for face in sighting.identity.faces} == {0}


def test_some_time_after_the_face_has_gone_still_pictures_are_passed_over_again(house: House) -> None:
    house.eyes.boxes = [FACE]
    house.show(with_somebody())
    house.eyes.boxes = []
    house.show()
    for _ in range(round(10 * FACE_S) + 60):  # what was there is forgotten in a few seconds
        house.show()
    before = house.searched
    for _ in range(10):
        house.show()
    assert house.searched <= before + 1


def test_a_followed_face_is_looked_for_where_it_was(house: House) -> None:
    house.eyes.boxes = [FACE]
    house.show(with_somebody())
    house.show(with_somebody())
    assert house.eyes.asked[0] is None
    (regions,) = house.eyes.asked[1:]
    assert regions is not None
    (region,) = regions
    assert region.left < FACE.left < FACE.left + FACE.width < region.left + region.width


def test_cameras_are_remembered_apart(house: House) -> None:
    house.eyes.boxes = [FACE]
    house.show(with_somebody(), "front")
    house.show(with_somebody(), "back")
    assert house.eyes.asked == [None, None]


@pytest.mark.parametrize("jpeg", [b"", b"no picture", b"\xff\xd8\xff\xd9"])
def test_what_is_no_picture_is_refused_and_searched_for_nothing(jpeg: bytes, house: House) -> None:
    with pytest.raises(BadMessage):
        house.sight.see("front", jpeg, Stamp(T0, 1), Now(T0, 0))
    assert house.searched == 0


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 1), (20, 20), (9, 640), (720, 1280)])
def test_pictures_of_any_size_are_looked_at(shape: tuple[int, int], house: House) -> None:
    assert house.show(np.full((*shape, 3), 90, np.uint8)).image is not None


def challenge(track: int, camera: str = "front") -> Challenge:
    return Challenge(
        id="c1", door="front", camera=camera, track=track, person="Ana", action=HeadAction.NOD, text="Please nod",
        asked_at=T0, expires_at=T0 + 8,
    )  # fmt: skip


def test_the_two_largest_faces_are_measured_and_the_others_not(house: House) -> None:
    house.eyes.boxes = [FACE.model_copy(update={"left": left}) for left in (0, 200, 400)]
    measured = [known.liveness is not None for known in house.show(with_somebody()).known]
    assert measured == [True, True, False]


def test_a_face_lives_as_soon_as_enough_frames_of_its_track_say_so(house: House) -> None:
    house.eyes.boxes = [FACE]
    told = [house.show(with_somebody()).identity.faces[0].liveness for _ in range(12)]
    verdicts = [liveness.verdict for liveness in told if liveness is not None]
    assert (verdicts[0], verdicts[-1], len(verdicts)) == (Verdict.UNSURE, Verdict.LIVE, 12)


def test_a_face_that_takes_a_live_ones_place_does_not_inherit_its_life(house: House) -> None:
    house.eyes.boxes = [FACE]
    for _ in range(12):
        house.show(with_somebody())
    house.eyes.boxes = [FACE.model_copy(update={"left": 450})]
    (face,) = house.show(with_somebody(450)).identity.faces
    assert face.liveness is not None
    assert face.liveness.verdict is Verdict.UNSURE


def test_a_challenge_goes_to_the_face_of_its_track_and_to_no_other(house: House) -> None:
    house.eyes.boxes = [FACE, FACE.model_copy(update={"left": 400})]
    tracks = [known.track for known in house.show(with_somebody()).known]
    assert house.sight.ask(challenge(tracks[1]), Now(T0 + house.mono, house.mono))
    results = [known.liveness.challenge for known in house.show(with_somebody()).known if known.liveness is not None]
    assert results[0] is None
    assert results[1] is not None
    assert (results[1].id, results[1].state) == ("c1", ChallengeState.PENDING)


@pytest.mark.parametrize(("track", "camera", "wait_s"), [(99, "front", 0.0), (0, "yard", 0.0), (0, "front", 2.0)])
def test_a_challenge_to_nobody_who_is_there_is_told(house: House, track: int, camera: str, wait_s: float) -> None:
    house.eyes.boxes = [FACE]
    house.show(with_somebody())
    assert not house.sight.ask(challenge(track, camera), Now(T0 + house.mono + wait_s, house.mono + wait_s))
