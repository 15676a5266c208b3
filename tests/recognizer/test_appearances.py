"""When people are told that somebody has appeared."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agents.recognizer.appearances import GONE_S, Appearances
from agents.wire.identity import Box, Face, Identity
from agents.wire.liveness import ChallengeResult, ChallengeState, Doubt, Liveness, Verdict
from agents.wire.recognition import Recognition, RecognitionType

BOX = Box(left=0, top=0, width=100, height=100)
FRAME_S = 0.1


def face(person: str | None, track: int | None = 1) -> Face:
    return Face(person=person, distance=0.2, margin=0.1, box=BOX, sharpness=100, track=track)


def picture(person: str | None, track: int | None = 1, challenge: ChallengeState | None = None) -> Face:
    result = None if challenge is None else ChallengeResult(id="c1", state=challenge)
    looks = Liveness(verdict=Verdict.SPOOF, doubt=Doubt.TEXTURE, frames=5, challenge=result)
    return face(person, track).model_copy(update={"liveness": looks})


class Street:
    """A camera's frames, a tenth of a second apart."""

    def __init__(self) -> None:
        self._appearances, self._at, self._seq = Appearances(), 5000.0, 0
        self.told: list[Recognition] = []

    def frames(self, count: int, *faces: Face) -> list[str]:
        """Who is told of during so many frames with these faces: a name, or `unknown`."""
        before = len(self.told)
        for _ in range(count):
            self._at, self._seq = self._at + FRAME_S, self._seq + 1
            identity = Identity(
                id=f"front-{self._seq}", camera="front", captured_at=self._at, seq=self._seq, faces=faces
            )
            self.told += self._appearances.see(identity, self._at)
        return [one.person or str(one.event_type) for one in self.told[before:]]

    def wait(self, s: float) -> None:
        self._at += s


def test_two_frames_that_agree_are_somebody() -> None:
    street = Street()
    assert street.frames(1, face("Ana")) == []
    assert street.frames(1, face("Ana")) == ["Ana"]
    (told,) = street.told
    assert (told.event_type, told.id, told.camera) == (RecognitionType.RECOGNISED, "front-2", "front")


def test_two_frames_of_different_faces_are_nobody_yet() -> None:
    assert Street().frames(1, face("Ana", 1)) + Street().frames(1, face("Ana", 2)) == []
    street = Street()
    assert street.frames(1, face("Ana", 1)) + street.frames(1, face("Ana", 2)) == []


def test_one_frames_mistake_is_not_told() -> None:
    street = Street()
    street.frames(5, face("Ana"))
    assert street.frames(1, face("Ivan")) + street.frames(5, face("Ana")) == []


def test_who_stays_is_told_once_and_who_comes_back_again() -> None:
    street = Street()
    assert street.frames(100, face("Ana")) == ["Ana"]
    street.wait(GONE_S - 1)
    assert street.frames(10, face("Ana", 2)) == []
    street.wait(GONE_S + 1)
    assert street.frames(10, face("Ana", 3)) == ["Ana"]


def test_a_stranger_is_told_after_a_second_and_strangers_once_together() -> None:
    street = Street()
    assert street.frames(9, face(None)) == []
    assert street.frames(3, face(None)) == ["unknown"]
    assert street.frames(30, face(None, 1), face(None, 2)) == []


def test_who_is_known_in_a_moment_was_no_stranger() -> None:
    street = Street()
    assert street.frames(8, face(None)) + street.frames(2, face("Ana")) == ["Ana"]


def test_who_was_known_and_turns_away_is_no_stranger() -> None:
    street = Street()
    street.frames(3, face("Ana"))
    assert street.frames(30, face(None)) == []


def test_who_turns_away_for_long_and_back_was_there_all_the_time() -> None:
    street = Street()
    assert street.frames(20, face("Ana")) == ["Ana"]
    assert street.frames(150, face(None)) == []
    assert street.frames(20, face("Ana")) == []


def test_a_stranger_beside_somebody_is_told_too() -> None:
    street = Street()
    assert sorted(street.frames(20, face("Ana", 1), face(None, 2))) == ["Ana", "unknown"]


def test_at_a_frame_a_second_a_stranger_is_told_too() -> None:
    street = Street()
    told = []
    for _ in range(4):
        told += street.frames(1, face(None))
        street.wait(1 - FRAME_S)
    assert told == ["unknown"]


def test_a_face_that_is_not_followed_is_not_told() -> None:
    assert Street().frames(30, face("Ana", None)) == []


def kinds(street: Street) -> list[tuple[str, str | None]]:
    return [(str(one.event_type), one.person) for one in street.told]


def test_two_frames_in_a_row_that_look_like_a_picture_are_told_as_one_once() -> None:
    street = Street()
    street.frames(1, picture("Ana"))
    assert kinds(street) == []
    street.frames(300, picture("Ana"))
    assert kinds(street) == [("spoof", "Ana")]


def test_who_was_taken_for_somebody_is_told_as_a_picture_when_it_is_known_to_be_one() -> None:
    street = Street()
    street.frames(10, face("Ana"))
    street.frames(10, picture("Ana"))
    assert kinds(street) == [("recognised", "Ana"), ("spoof", "Ana")]


def test_a_picture_stays_one_whatever_is_made_of_it_later() -> None:
    street = Street()
    street.frames(3, picture("Ana"))
    street.frames(50, face("Ivan"))
    street.frames(50, face(None))
    assert kinds(street) == [("spoof", "Ana")]


def test_one_frame_that_looks_like_a_picture_is_nothing() -> None:
    street = Street()
    for _ in range(10):
        street.frames(1, picture("Ana"))
        street.frames(1, face("Ana"))
    assert kinds(street) == [("recognised", "Ana")]


def test_a_picture_of_a_face_that_is_not_made_out_any_more_is_still_of_whom_it_was() -> None:
    street = Street()
    street.frames(2, face("Ana"))
    street.frames(2, picture(None))
    assert kinds(street) == [("recognised", "Ana"), ("spoof", "Ana")]


def test_a_picture_of_a_stranger_is_told_without_a_name() -> None:
    street = Street()
    street.frames(30, picture(None))
    assert kinds(street) == [("spoof", None)]


def test_the_man_himself_beside_his_picture_is_told_as_somebody() -> None:
    street = Street()
    street.frames(5, picture("Ana", 1), face("Ana", 2))
    assert sorted(kinds(street)) == [("recognised", "Ana"), ("spoof", "Ana")]


def test_a_picture_that_is_held_up_again_after_a_while_is_told_again() -> None:
    street = Street()
    street.frames(5, picture("Ana"))
    street.wait(GONE_S + 1)
    street.frames(5, picture("Ana", 2))
    assert kinds(street) == [("spoof", "Ana")] * 2


def test_a_head_that_turns_because_it_was_asked_to_is_not_told_as_a_picture() -> None:
    street = Street()
    street.frames(10, picture("Ana", 1, ChallengeState.PENDING))
    street.frames(10, picture("Ana", 1, ChallengeState.PASSED))
    assert kinds(street) == [("recognised", "Ana")]
    street.frames(2, picture("Ana", 1, ChallengeState.FAILED))
    assert kinds(street) == [("recognised", "Ana"), ("spoof", "Ana")]


def test_a_picture_that_is_not_followed_is_not_told() -> None:
    assert Street().frames(30, picture("Ana", None)) == []


@given(
    st.lists(
        st.lists(
            st.tuples(st.sampled_from(["Ana", "Ivan", None]), st.integers(1, 3)), max_size=3, unique_by=lambda f: f[1]
        ),
        max_size=80,
    )
)
def test_nobody_is_told_twice_in_a_stay(frames: list[list[tuple[str | None, int]]]) -> None:
    street = Street()
    for faces in frames:
        street.frames(1, *(face(*one) for one in faces))
    names = [one.person for one in street.told]
    assert len(set(names)) == len(names)
    assert len(names) <= 3
