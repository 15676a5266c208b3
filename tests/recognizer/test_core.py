"""What a frame's identity says, and which frames are looked at."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from agents.recognizer.core import MAX_FACES, SILENT_S, Arrivals, Known, Seen, choose, in_a_word, judge, read_challenge
from agents.recognizer.matcher import Match
from agents.runtime.clock import Now
from agents.runtime.events import Message
from agents.wire.feed import Feed
from agents.wire.identity import Box
from agents.wire.liveness import Doubt, HeadAction, Liveness, Verdict
from agents.wire.messages import BadMessage, Refusal
from agents.wire.stamp import Stamp
from agents.wire.topics import CHALLENGE

T0 = 1_800_000_000.0


def box(width: int, height: int | None = None) -> Box:
    return Box(left=0, top=0, width=width, height=height or width)


def seen(width: int = 100) -> Seen:
    return Seen(box(width), box(width), np.zeros(128), 50.0)


def test_the_largest_faces_are_looked_at_and_no_more_than_a_message_holds() -> None:
    faces = [seen(width=width) for width in range(50, 150)]
    chosen = choose(faces, min_face_px=60)
    assert [face.box.width for face in chosen] == list(range(149, 149 - MAX_FACES, -1))
    assert [face.box.width for face in choose([seen(width=59), seen(width=60)], min_face_px=60)] == [60]


def known(*people: str | None) -> list[Known]:
    """Faces of these people, the first on track 0."""
    return [Known(seen(), Match(person, 0.3, 0.1), track) for track, person in enumerate(people)]


@pytest.mark.parametrize(
    ("people", "word"),
    [([], "none"), ([None], "unknown"), (["Ana", "Ivan"], "Ana"), ([None, "Ivan"], "Ivan")],
    ids=["nobody", "a stranger", "two people: the larger face", "a stranger before a person"],
)
def test_a_frame_in_a_word(people: list[str | None], word: str) -> None:
    assert in_a_word(judge("front", Stamp(T0, 7), known(*people))) == word


def test_an_identity_carries_the_frames_stamp_and_an_id_made_of_it() -> None:
    identity = judge("front", Stamp(1_790_000_000.1234, 42), known("Ana", None))
    assert identity.id == "front-1790000000.123-42"
    assert (identity.camera, identity.captured_at, identity.seq) == ("front", 1_790_000_000.1234, 42)
    assert [(face.person, face.track) for face in identity.faces] == [("Ana", 0), (None, 1)]


def test_the_longest_camera_name_and_number_still_make_an_id() -> None:
    camera = "c" * 32
    assert judge(camera, Stamp(9_999_999_999.999, 2**53 - 1), []).id.startswith(camera)


# --- frames ---


def now(s: float) -> Now:
    return Now(utc=T0 + s, mono=100.0 + s)


@pytest.fixture
def arrivals() -> Arrivals:
    return Arrivals(Feed("front"), max_age_s=2.0)


@pytest.mark.parametrize(
    ("age_s", "fresh"), [(0.0, True), (2.0, True), (2.01, False), (-1.0, True), (-1.01, False), (3600.0, False)]
)
def test_a_frame_is_looked_at_only_while_it_is_fresh(arrivals: Arrivals, age_s: float, fresh: bool) -> None:
    assert arrivals.news(b"frame", Stamp(T0 - age_s, 1), now(0)) is fresh
    assert arrivals.stale == (not fresh)


def test_a_cameras_own_stamp_counts(arrivals: Arrivals) -> None:
    assert arrivals.stamp(Stamp(5.0, 9), T0) == Stamp(5.0, 9)


def test_frames_without_a_stamp_get_one_when_they_arrive(arrivals: Arrivals) -> None:
    assert [arrivals.stamp(None, T0 + i) for i in range(3)] == [Stamp(T0 + i, i) for i in range(3)]


def test_a_frozen_picture_is_news_once_whatever_its_stamps_claim(arrivals: Arrivals) -> None:
    looked_at = [arrivals.news(b"same", Stamp(T0 + s, s), now(s)) for s in range(8)]
    assert looked_at == [True] + [False] * 7
    assert arrivals.repeated == 7
    assert arrivals.problem(now(7)) == "frames of camera front are always the same: is the picture frozen?"
    assert arrivals.news(b"other", Stamp(T0 + 8, 8), now(8))
    assert arrivals.problem(now(8)) is None


def test_a_frame_refused_for_its_age_may_come_again_in_time(arrivals: Arrivals) -> None:
    assert not arrivals.news(b"frame", Stamp(T0 + 5, 1), now(0))
    assert arrivals.news(b"frame", Stamp(T0 + 5, 1), now(5))


def test_stale_frames_are_a_problem_once_they_go_on_until_a_fresh_one_comes(arrivals: Arrivals) -> None:
    def stale(s: float) -> str | None:
        assert not arrivals.news(b"%f" % s, Stamp(T0 + s - 40, 1), now(s))
        return arrivals.problem(now(s))

    assert [stale(s) for s in (0, 2, 4.9)] == [None, None, None]
    problem = stale(5.0)
    assert problem == "frames of camera front are 40 s old: do the clocks agree?"
    assert arrivals.problem(now(34)) == problem
    assert arrivals.problem(now(36)) is None, "the camera is gone: that is another problem"
    assert arrivals.news(b"fresh", Stamp(T0 + 40, 2), now(40))
    assert stale(41) is None


def test_frames_from_the_future_are_named_as_such(arrivals: Arrivals) -> None:
    for s in range(6):
        arrivals.news(b"%d" % s, Stamp(T0 + s + 90, s), now(s))
    assert "90 s ahead" in (arrivals.problem(now(5)) or "")


ESP32 = Feed("yard", ours=False)
FRIGATE = Feed("yard", ours=False, at="frigate/yard/person/snapshot")


def test_a_camera_without_an_agent_that_is_silent_is_named_until_it_speaks() -> None:
    arrivals = Arrivals(ESP32, 2.0)
    assert arrivals.problem(now(1000)) is None, "nobody listens yet"
    arrivals.listen(now(1000))
    assert arrivals.problem(now(1000 + SILENT_S)) is None
    assert arrivals.problem(now(1001 + SILENT_S)) == "no frame of camera yard for more than 60 s: does it publish?"
    assert arrivals.news(b"frame", Stamp(T0 + 1062, 0), now(1062))
    assert arrivals.problem(now(1063)) is None
    arrivals.listen(now(2000))
    assert arrivals.problem(now(2001)) is None, "the broker was away, and it is back"


def test_what_is_refused_is_no_silence() -> None:
    arrivals = Arrivals(ESP32, 2.0)
    arrivals.listen(now(0))
    for s in range(70):
        assert not arrivals.wrong("retained", now(s))
    assert arrivals.problem(now(69)) == "frames of camera yard are retained"


@pytest.mark.parametrize("feed", [Feed("yard"), FRIGATE], ids=["its agent tells", "hours without an event"])
def test_others_may_be_silent(feed: Feed) -> None:
    arrivals = Arrivals(feed, 2.0)
    arrivals.listen(now(0))
    assert arrivals.problem(now(100_000)) is None


def test_the_best_picture_of_an_event_is_no_news_when_it_comes_again() -> None:
    arrivals = Arrivals(FRIGATE, 2.0)
    pictures = [b"far", b"near", b"best", b"back", b"best", b"far", b"next event", b"best"]
    looked_at = [arrivals.news(picture, Stamp(T0 + s, s), now(s)) for s, picture in enumerate(pictures)]
    assert looked_at == [True, True, True, True, False, False, True, False]
    assert arrivals.repeated == 3


def test_an_old_picture_that_comes_for_long_is_not_called_frozen_where_events_are_told() -> None:
    arrivals = Arrivals(FRIGATE, 2.0)
    for s in range(20):
        arrivals.news(b"same", Stamp(T0 + s, s), now(s))
    assert (arrivals.repeated, arrivals.problem(now(20))) == (19, None)


def test_a_still_life_of_an_own_camera_may_come_back() -> None:
    """The folder of stills that a demo or a test shows goes round."""
    arrivals = Arrivals(Feed("front"), 2.0)
    assert [arrivals.news(p, Stamp(T0 + s, s), now(s)) for s, p in enumerate([b"a", b"b", b"a"])] == [True] * 3


def challenge(retain: bool = False, door: str = "front", **changes: object) -> Message:
    told = {
        "id": "c1", "door": door, "camera": "front", "track": 3, "person": "Ana", "action": "nod", "text": "Please nod",
        "asked_at": T0, "expires_at": T0 + 8,
    } | changes  # fmt: skip
    return Message(CHALLENGE, ("front",), json.dumps(told).encode(), retain, (), T0)


def test_a_challenge_is_read_while_it_is_open() -> None:
    assert read_challenge(challenge(), now(0.1)).action is HeadAction.NOD
    assert read_challenge(challenge(), now(-0.5)).track == 3, "clocks agree to within a second"


@pytest.mark.parametrize(
    ("message", "at_s", "refusal"),
    [
        (challenge(retain=True), 0.1, Refusal.RETAINED),
        (challenge(), 8.1, Refusal.STALE),
        (challenge(), -2.0, Refusal.STALE),
        (challenge(door="back"), 0.1, Refusal.MALFORMED),
        (challenge(action="jump"), 0.1, Refusal.MALFORMED),
    ],
)
def test_a_challenge_that_is_no_open_one_of_this_door_is_refused(
    message: Message, at_s: float, refusal: Refusal
) -> None:
    with pytest.raises(BadMessage) as caught:
        read_challenge(message, now(at_s))
    assert caught.value.refusal is refusal


def test_who_is_in_a_picture_that_is_held_up_is_not_there() -> None:
    spoof = Liveness(verdict=Verdict.SPOOF, doubt=Doubt.TEXTURE, frames=5, texture=0.02)
    seen = known("Ana")
    identity = judge("front", Stamp(T0, 7), [replace(one, liveness=spoof) for one in seen])
    assert identity.faces[0].liveness == spoof
    assert in_a_word(identity) == "unknown"
