"""The house's messages in plain words."""

from __future__ import annotations

import pytest

from agents.cli.narrate import REMEMBERED_DECISIONS, Narrator
from agents.cli.words import DOUBTS, WORDS
from agents.runtime.events import Message
from agents.wire.identity import Box, Face, Identity
from agents.wire.liveness import Challenge, Doubt, HeadAction
from agents.wire.messages import Action, Cause, DoorEvent, EventType, Health, Outcome, Payload, Refusal
from agents.wire.scheduling import Decision, LetIn, LetInList, Question, Votes
from agents.wire.topics import (
    AVAILABILITY,
    AWAY,
    CHALLENGE,
    DECISION,
    ENABLED,
    EVENT,
    HEALTH,
    HOLD,
    IDENTITY,
    LET_IN,
    QUESTION,
    WINDOW,
    Topic,
)
from agents.wire.why import Why

T0 = 1_800_000_000.0


def face(person: str | None, distance: float | None) -> Face:
    box = Box(left=0, top=0, width=100, height=100)
    return Face(person=person, distance=distance, margin=None, box=box, sharpness=9.0)


def identity(*faces: Face, camera: str = "porch") -> Identity:
    return Identity(id="f1", camera=camera, captured_at=T0, seq=1, faces=faces)


def decision(reason: Why, person: str | None = None, distance: float | None = None, id_: str = "f1") -> Decision:
    return Decision(
        id=id_,
        door="front",
        camera="porch",
        outcome=Outcome.GRANTED if reason is Why.CONFIRMED else Outcome.DENIED,
        reason=reason,
        person=person,
        distance=distance,
        evidence=Votes(agreeing=2, needed=2, frames=3, faces=1),
        began_at=T0,
        captured_at=T0 + 0.1,
        decided_at=T0 + 0.12,
    )


def event(kind: EventType, cause: Cause = Cause.COMMAND, at: float = T0, **keys: object) -> DoorEvent:
    return DoorEvent.model_validate({"event_type": kind, "at": at, "cause": cause, **keys})


class Listener:
    """A narrator, and what it said."""

    def __init__(self) -> None:
        self.narrator = Narrator()

    def hear(self, topic: Topic, *names: str, payload: Payload | bytes | str) -> list[str]:
        raw = payload.encode() if not isinstance(payload, bytes) else payload
        return list(self.narrator.lines(Message(topic, names, raw, False, (), T0)))

    def see(self, *faces: Face, camera: str = "porch") -> list[str]:
        return self.hear(IDENTITY, camera, payload=identity(*faces, camera=camera))

    def door(self, told: DoorEvent) -> list[str]:
        return self.hear(EVENT, "front", payload=told)

    def decide(self, told: Decision) -> list[str]:
        return self.hear(DECISION, "front", payload=told)


@pytest.fixture
def listener() -> Listener:
    return Listener()


ANA, STRANGER = face("Ana", 0.314), face(None, 0.712)


def test_who_is_in_view_is_told_once_when_two_frames_agree(listener: Listener) -> None:
    assert [listener.see(ANA) for _ in range(4)] == [[], ["camera porch sees Ana (0.31)"], [], []]
    assert [listener.see(STRANGER, ANA) for _ in range(3)] == [
        [],
        ["camera porch sees a stranger (0.71) and Ana (0.31)"],
        [],
    ]
    assert [listener.see() for _ in range(3)] == [[], ["camera porch sees nobody any more"], []]


def test_one_frame_that_misjudged_is_not_told(listener: Listener) -> None:
    listener.see(ANA)
    listener.see(ANA)
    assert [listener.see(*faces) for faces in ([STRANGER], [ANA], [ANA], [], [ANA], [ANA])] == [[]] * 6


def test_a_house_without_visitors_tells_nothing(listener: Listener) -> None:
    assert [listener.see() for _ in range(3)] == [[]] * 3


def test_cameras_are_told_apart_and_a_face_without_a_gallery_has_no_distance(listener: Listener) -> None:
    told = [listener.see(face(None, None), camera=camera) for camera in ("porch", "yard", "porch")]
    assert told == [[], [], ["camera porch sees a stranger"]]


def test_a_grant_is_told_with_person_and_distance(listener: Listener) -> None:
    told = listener.decide(decision(Why.CONFIRMED, "Ana", 0.314))
    assert told == ["GRANTED: door front, Ana at distance 0.31: seen in enough fresh frames"]


@pytest.mark.parametrize("why", [why for why in Why if why is not Why.CONFIRMED])
def test_a_denial_is_told_with_its_reason(why: Why, listener: Listener) -> None:
    assert listener.decide(decision(why)) == [f"DENIED: door front, a stranger: {WORDS[why]}"]


def test_the_rule_that_decided_is_told(listener: Listener) -> None:
    closed = decision(Why.HOLIDAY, "Ana", 0.3).model_copy(update={"rule": "holiday: Božić"})
    assert listener.decide(closed) == [
        "DENIED: door front, Ana at distance 0.30: closed for a holiday (holiday: Božić)"
    ]


def test_a_picture_is_told_in_plain_words_with_what_was_measured(listener: Listener) -> None:
    spoof = decision(Why.SPOOF, "Ana", 0.3).model_copy(update={"detail": "texture (texture 0.03, context 0.10)"})
    assert listener.decide(spoof) == [
        "DENIED: door front, Ana at distance 0.30: looks like a picture of a face"
        " (a photograph or a screen; texture 0.03, context 0.10)"
    ]


@pytest.mark.parametrize("doubt", Doubt)
def test_every_doubt_is_told_in_words(doubt: Doubt, listener: Listener) -> None:
    unsure = decision(Why.NOT_LIVE, "Ana", 0.3).model_copy(update={"detail": str(doubt)})
    assert listener.decide(unsure) == [
        f"DENIED: door front, Ana at distance 0.30: could not be seen to live ({DOUBTS[doubt]})"
    ]


def test_another_reasons_detail_is_told_as_it_is(listener: Listener) -> None:
    failed = decision(Why.CHALLENGE_FAILED, "Ana", 0.3).model_copy(update={"detail": "texture was asked for"})
    assert listener.decide(failed)[0].endswith("did not do what was asked (texture was asked for)")


def test_a_challenge_is_told(listener: Listener) -> None:
    challenge = Challenge(
        id="c1",
        door="front",
        camera="porch",
        track=3,
        person="Ana",
        action=HeadAction.TURN_LEFT,
        text="Please turn your head to your left",
        asked_at=T0,
        expires_at=T0 + 8,
    )
    told = listener.hear(CHALLENGE, "front", payload=challenge)
    assert told == ["ASKED: Ana at door front: Please turn your head to your left"]


def test_a_question_is_told(listener: Listener) -> None:
    question = Question(id="f1", door="front", camera="porch", person="Ana", asked_at=T0, expires_at=T0 + 30)
    told = listener.hear(QUESTION, "front", payload=question)
    assert told == ["ASKED: may Ana come in at door front? (answer YES or NO)"]


def test_nobody_let_in_and_nobody_away_are_not_worth_a_line(listener: Listener) -> None:
    assert listener.hear(LET_IN, "front", payload=LetInList(people=())) == []
    assert listener.hear(AWAY, "main", payload="OFF") == []


def test_a_pulse_is_told_from_frame_to_relay_to_lock(listener: Listener) -> None:
    listener.decide(decision(Why.CONFIRMED, "Ana", 0.314))
    on = event(EventType.UNLOCKED, Cause.GRANT, T0 + 0.1503, id="f1", person="Ana", action=Action.UNLOCK)
    assert listener.door(on) == [
        "RELAY ON: door front is unlocked for Ana,"
        " 150 ms after the first frame with a face (50 ms after the deciding one)"
    ]
    off = event(EventType.LOCKED, Cause.TIMEOUT, T0 + 3.1503)
    assert listener.door(off) == ["RELAY OFF: door front is locked after 3.0 s"]
    assert listener.door(off) == ["RELAY OFF: door front is locked"]


@pytest.mark.parametrize(
    ("told", "line"),
    [
        (event(EventType.UNLOCKED, source="Ana's phone"), "RELAY ON: door front is unlocked by Ana's phone"),
        (event(EventType.UNLOCKED), "RELAY ON: door front is unlocked by a command over MQTT"),
        (event(EventType.UNLOCKED, Cause.GRANT, person="Ana", id="f9"), "RELAY ON: door front is unlocked for Ana"),
        (event(EventType.EXTENDED, Cause.GRANT, person="Ana"), "door front stays unlocked a little longer for Ana"),
        (
            event(EventType.UNLOCKED, action=Action.TEST, source="the installer"),
            "RELAY ON: door front is unlocked for a test pulse by the installer",
        ),
        (
            event(EventType.EXTENDED, action=Action.TEST),
            "door front stays unlocked for a test pulse by a command over MQTT",
        ),
        (event(EventType.LOCKED, Cause.STOP), "RELAY OFF: door front is locked (stop)"),
        (event(EventType.JAMMED, Cause.FAULT, detail="no pin"), "door front is JAMMED: no pin"),
        (event(EventType.REJECTED, reason=Refusal.RETAINED), "REFUSED: door front does not obey a command: retained"),
        (
            event(EventType.REJECTED, Cause.GRANT, reason=Refusal.MALFORMED, detail="id: missing"),
            "REFUSED: door front does not obey a grant: malformed (id: missing)",
        ),
    ],
)
def test_everything_a_door_does_is_one_line(told: DoorEvent, line: str, listener: Listener) -> None:
    assert listener.door(told) == [line]


def test_remembered_decisions_are_bounded(listener: Listener) -> None:
    for i in range(REMEMBERED_DECISIONS + 1):
        listener.decide(decision(Why.CONFIRMED, "Ana", 0.3, id_=f"f{i}"))
    first, last = (
        listener.door(event(EventType.UNLOCKED, Cause.GRANT, person="Ana", id=id_))[0]
        for id_ in ("f0", f"f{REMEMBERED_DECISIONS}")
    )
    assert ("ms after" in first, "ms after" in last) == (False, True)


PETRA = LetInList(people=(LetIn(person="Petra", until=T0 + 60, source=None, asked_at=T0),))


def health(problem: str | None) -> Health:
    return Health(version="1", started_at=T0, uptime_s=1.0, problem=problem, counters={}, latency_ms=None)


@pytest.mark.parametrize(
    ("topic", "names", "payload", "line"),
    [
        (AVAILABILITY, ("camera", "porch"), "offline", "camera porch is offline"),
        (WINDOW, ("front",), "ON", "door front: some window is open now"),
        (WINDOW, ("front",), "OFF", "door front: no window is open now"),
        (AWAY, ("main",), "ON", "the house is AWAY: no face opens a door"),
        (LET_IN, ("front",), PETRA, "door front lets in for once: Petra"),
        (ENABLED, ("front",), "ON", "face unlock of door front: on"),
        (ENABLED, ("front",), "OFF", "face unlock of door front: OFF"),
        (HOLD, ("front",), "4.5", "door front: an unlock lasts 4.5 s"),
        (HEALTH, ("camera", "porch"), health("frozen"), "camera porch has a problem: frozen"),
    ],
)
def test_what_stands_is_told_once_and_not_at_every_repetition(
    topic: Topic, names: tuple[str, ...], payload: Payload | str, line: str, listener: Listener
) -> None:
    assert [listener.hear(topic, *names, payload=payload) for _ in range(3)] == [[line], [], []]
    assert listener.hear(topic, "other", *names[1:], payload=payload) != []


def test_an_agent_without_a_problem_is_not_worth_a_line(listener: Listener) -> None:
    assert listener.hear(HEALTH, "camera", "porch", payload=health(None)) == []


JUNK = [b"", b"\xff\xfe", b"{", b"null", b"[]", b"\0" * 20_000, b"[" * 10_000, b'{"id":"x"}', b"online"]


@pytest.mark.parametrize("payload", JUNK, ids=range(len(JUNK)))
@pytest.mark.parametrize("topic", [IDENTITY, DECISION, EVENT, HEALTH, HOLD], ids=lambda topic: topic.path)
def test_junk_is_told_as_junk_with_its_topic_and_the_story_goes_on(
    topic: Topic, payload: bytes, listener: Listener
) -> None:
    names = ("camera", "porch")[: topic.path.count("<")]
    (line,) = listener.hear(topic, *names, payload=payload)
    assert line.startswith(topic.at("…", *names) + " carries something unreadable: ")
    assert listener.decide(decision(Why.CONFIRMED, "Ana"))[0].startswith("GRANTED")


@pytest.mark.parametrize("topic", [AVAILABILITY, WINDOW, ENABLED], ids=lambda topic: topic.path)
def test_junk_on_a_plain_topic_does_not_stop_the_story_either(topic: Topic, listener: Listener) -> None:
    names = ("camera", "porch")[: topic.path.count("<")]
    for payload in JUNK:
        listener.hear(topic, *names, payload=payload)
    states = ("online", "offline", "online") if topic is AVAILABILITY else ("ON", "OFF", "ON")
    changes = [listener.hear(topic, *names, payload=payload) for payload in states]
    assert [len(lines) for lines in changes[1:]] == [1, 1]


def test_every_reason_has_words() -> None:
    assert set(WORDS) == set(Why)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (EventType.OPENED, "was opened"),
        (EventType.FORCED, "was FORCED"),
        (EventType.HELD_OPEN, "stands open"),
        (EventType.CLOSED, "was closed"),
    ],
)
def test_the_leaf_of_the_door_is_told(kind: EventType, words: str, listener: Listener) -> None:
    (line,) = listener.door(event(kind, Cause.CONTACT))
    assert words in line


def test_an_event_that_comes_twice_is_told_once(listener: Listener) -> None:
    told = event(EventType.UNLOCKED, Cause.BUTTON, seq=7)
    assert [listener.door(told) for _ in range(2)] == [["RELAY ON: door front is unlocked by the exit button"], []]
