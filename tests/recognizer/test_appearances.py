"""When people are told that somebody has appeared."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agents.recognizer.appearances import GONE_S, Appearances
from agents.wire.identity import Box, Face, Identity
from agents.wire.recognition import Recognition, RecognitionType

BOX = Box(left=0, top=0, width=100, height=100)
FRAME_S = 0.1


def face(person: str | None, track: int | None = 1) -> Face:
    return Face(person=person, distance=0.2, margin=0.1, box=BOX, sharpness=100, track=track)


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
