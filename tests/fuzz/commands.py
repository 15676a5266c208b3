"""What the commands make of what they hear: one line an event, and nobody writes to the terminal but they.

And every kind of payload: read as what it is, or refused; people's orders exactly where topics.md says so.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from typing import Any

from agents.cli.narrate import Narrator
from agents.runtime.events import Message
from agents.wire.identity import Identity
from agents.wire.liveness import Challenge, Liveness
from agents.wire.messages import BadMessage, Command, DoorEvent, Grant, Health, Payload, Refusal, read_session
from agents.wire.orders import HoldOrder, Order
from agents.wire.scheduling import Answer, Decision, LetInList, LetInOrder, Question, SwitchOrder
from agents.wire.topics import (
    ALL,
    ANSWER,
    AVAILABILITY,
    AWAY,
    CHALLENGE,
    DECISION,
    ENABLED,
    ENABLED_SET,
    EVENT,
    HEALTH,
    HOLD,
    HOLD_SET,
    IDENTITY,
    LET_IN,
    LET_IN_SET,
    QUESTION,
    STATE,
    WINDOW,
    Topic,
)
from agents.wire.why import Why
from tests.fakes import message
from tests.fuzz import contract
from tests.fuzz.junk import FRAGMENTS, RAW, Pair, damaged, obj, payload, text
from tests.fuzz.reader import Reader, blob
from tests.fuzz.targets import Target

HEARD: tuple[tuple[Topic, tuple[str, ...]], ...] = (
    *((IDENTITY, ("front",)), (DECISION, ("front",)), (EVENT, ("front",)), (HEALTH, ("door", "front"))),
    *((AVAILABILITY, ("door", "front")), (WINDOW, ("front",)), (ENABLED, ("front",)), (STATE, ("front",))),
    *((QUESTION, ("front",)), (LET_IN, ("front",)), (AWAY, ("main",)), (ANSWER, ("front",)), (LET_IN_SET, ("front",))),
    *((HEALTH, ("camera", "front")), *((t, ("front", "main")[: t.path.count("<")]) for t in ALL if t.below == "house")),
)
KINDS: tuple[type[Payload], ...] = (
    *(Identity, Decision, DoorEvent, Health, Grant, Command, Question, LetInList, Challenge, Liveness),
)
TOLD: tuple[tuple[type[Payload], Callable[[bytes], dict[str, Any] | None]], ...] = (
    *((Identity, contract.identity), (Grant, contract.grant), (Challenge, contract.challenge)),
)
ORDERS: tuple[tuple[type[Order], Callable[[bytes], dict[str, Any] | None]], ...] = (
    *((Answer, contract.answer), (SwitchOrder, contract.switch), (LetInOrder, contract.let_in)),
    (HoldOrder, contract.hold),
)
WORDS = (b"online", b"offline", b"ON", b"OFF", b"LOCKED", b"\x1b[2J", b"a\nRELAY ON: door front is unlocked", b"\xff")
IDS, PEOPLE = (b'"id-1"', b'"id-2"', b"null"), (b'"Ana"', b'"Borut"', b"null", b'"a\\nb"', b'"\\u202e"')
NUMBERS = (b"0", b"0.3", b"1800000000", b"1800000003.5", b"1e300", b"null", b"-1", b"5e-324", b"99999999999.9")
TEXTS = (b'""', b'"a line"', b'"a\\nb"', b'"\\u001b[2J"', b'"\\u0000"', b'"\\u2028"', b'"' + b"x" * 200 + b'"')
EVENTS = ("unlocked", "extended", "locked", "rejected", "jammed", "opened", "closed", "forced", "held_open", "exploded")
CAUSES = ("grant", "command", "button", "contact", "timeout", "broker_lost", "stop", "restart", "fault", "whim")
REASONS = (*(refusal.value for refusal in Refusal), "none")
DECIDED = tuple(why.value for why in Why)
SESSION = re.compile(rb"[A-Za-z0-9_.:-]{1,64}")
MAX_MESSAGES = 16
LIVENESS = (
    b"null",
    b'{"verdict":"live","frames":9,"texture":0.9,"depth":0,"context":1,"blinks":2}',
    b'{"verdict":"spoof","doubt":"texture","frames":3,"texture":0.03}',
    b'{"verdict":"unsure","doubt":"doubtful","frames":0,"challenge":{"id":"c1","state":"passed","seen":"nod"}}',
    *(b'{"verdict":"live","doubt":"flat","frames":3}', b'{"verdict":"spoof","doubt":null,"frames":3}', b"0.5", b"{}"),
    b'{"verdict":"live","frames":3,"challenge":{"id":"","state":"passed"}}',
)


def identity(reader: Reader) -> list[Pair]:
    box = obj([("left", b"0"), ("top", b"0"), ("width", b"9"), ("height", b"9")])
    faces = [
        obj(
            [
                ("person", reader.pick(PEOPLE)),
                ("distance", reader.pick(NUMBERS)),
                ("margin", b"null"),
                ("box", box),
                ("sharpness", b"9.0"),
                ("liveness", reader.pick(LIVENESS)),
            ]
        )
        for _ in range(reader.number() % 3)
    ]
    camera = text(reader.pick(("front", "back", "a\n")))
    faces_ = b"[" + b",".join(faces) + b"]"
    return [
        ("id", reader.pick(IDS)),
        ("camera", camera),
        ("captured_at", reader.pick(NUMBERS)),
        ("seq", b"1"),
        ("faces", faces_),
    ]


def decision(reader: Reader) -> list[Pair]:
    keys = ("distance", "began_at", "captured_at", "decided_at")
    return [
        ("id", reader.pick(IDS)),
        ("door", b'"front"'),
        ("camera", b'"front"'),
        ("outcome", text(reader.pick(("granted", "denied")))),
        ("reason", text(reader.pick(DECIDED))),
        ("person", reader.pick(PEOPLE)),
        *((key, reader.pick(NUMBERS)) for key in keys),
        ("evidence", b'{"agreeing":2,"needed":2,"frames":3,"faces":1}'),
        ("rule", reader.pick(TEXTS)),
        ("detail", reader.pick(TEXTS)),
        ("liveness", reader.pick(LIVENESS)),
    ]


def challenge(reader: Reader) -> list[Pair]:
    return [
        ("id", reader.pick(IDS)),
        *(("door", b'"front"'), ("camera", b'"front"'), ("track", b"3"), ("person", reader.pick(PEOPLE))),
        *(("action", reader.pick((b'"nod"', b'"turn_left"', b'"jump"'))), ("text", reader.pick((*TEXTS, b"null")))),
        *(("asked_at", reader.pick(NUMBERS)), ("expires_at", reader.pick(NUMBERS))),
    ]


def event(reader: Reader) -> list[Pair]:
    return [
        ("seq", reader.pick((b"null", b"1", b"2"))),
        ("event_type", text(reader.pick(EVENTS))),
        ("at", reader.pick(NUMBERS)),
        ("cause", text(reader.pick(CAUSES))),
        ("id", reader.pick(IDS)),
        ("action", reader.pick((b'"UNLOCK"', b"null"))),
        ("person", reader.pick(PEOPLE)),
        ("source", reader.pick((*TEXTS, b"null"))),
        ("reason", text(reader.pick(REASONS)) if reader.flag() else b"null"),
        ("detail", reader.pick(TEXTS)),
    ]


def health(reader: Reader) -> list[Pair]:
    return [
        ("version", reader.pick(TEXTS)),
        ("started_at", reader.pick(NUMBERS)),
        ("uptime_s", reader.pick(NUMBERS)),
        ("problem", reader.pick((*TEXTS, b"null"))),
        ("counters", obj([("x", reader.pick(NUMBERS))])),
        ("latency_ms", reader.pick((b"null", b'{"p50":1,"p95":2.5,"n":3}', b"{}"))),
    ]


def question(reader: Reader) -> list[Pair]:
    return [
        ("id", reader.pick(IDS)),
        *(("door", b'"front"'), ("camera", b'"front"'), ("person", reader.pick(PEOPLE))),
        *(("asked_at", reader.pick(NUMBERS)), ("expires_at", reader.pick(NUMBERS))),
    ]


def let_in(reader: Reader) -> list[Pair]:
    pairs = [("person", reader.pick(PEOPLE)), ("until", reader.pick(NUMBERS)), ("source", reader.pick(TEXTS))]
    one = obj([*pairs, ("asked_at", reader.pick(NUMBERS))])
    return [("people", b"[" + b",".join([one] * reader.pick((0, 1, 12, 13))) + b"]")]


def order(reader: Reader) -> list[Pair]:
    """An answer, a switch, somebody to let in, or a hold time."""
    some = [
        [
            ("answer", reader.pick((b'"YES"', b'"NO"', b'"maybe"'))),
            ("id", reader.pick(IDS)),
            ("ts", reader.pick(NUMBERS)),
        ],
        [("state", reader.pick((b'"ON"', b'"OFF"', b'"on"')))],
        [("hold_s", reader.pick(NUMBERS))],
        [("person", reader.pick(PEOPLE)), ("until", reader.pick((*NUMBERS, b'"22:00"', b'"24:00"', b'"7:5"')))],
    ]
    return [*reader.pick(some), ("source", reader.pick(TEXTS))]


def words(reader: Reader) -> bytes:
    said = (b"YES", b" NO\n", b"ON", b"OFF", b"Ana until 22:00", b"a until b until 7:00", b"Ana until", b"until 7:00")
    return reader.pick((*said, *NUMBERS))


def run(data: bytes) -> set[str]:
    reader, narrator, seen = Reader(data), Narrator(), set[str]()
    for _ in range(MAX_MESSAGES):
        if not reader.more:
            break
        topic, names = reader.pick(HEARD)
        content = payload(reader, *_MAKERS.get(topic.path, _ANY))
        seen |= _read(content)
        seen |= _tell(narrator, message(topic, *names, payload=content, retain=reader.flag()))
    return seen


def _tell(narrator: Narrator, heard: Message) -> set[str]:
    lines = list(narrator.lines(heard))
    assert len(lines) <= 1, lines
    assert all(line.isprintable() for line in lines), lines
    return {f"told of {heard.topic.path}" for _ in lines}


def _read(content: bytes) -> set[str]:
    """Every kind of message: read as what it is, or refused."""
    seen = set()
    for kind in KINDS:
        with contextlib.suppress(BadMessage):
            found = kind.decode(content)
            assert kind.decode(found.encode()) == found
            seen.add(f"read as {kind.__name__}")
    for kind, read in TOLD:
        assert (f"read as {kind.__name__}" in seen) == (read(content) is not None)
    for order_kind, read in ORDERS:
        with contextlib.suppress(BadMessage):
            as_told = order_kind.read(content).model_dump(mode="json", exclude={"source"})
            assert as_told == {key: value for key, value in (read(content) or {}).items() if key != "source"}
            seen.add(f"read as {order_kind.__name__}")
        assert (f"read as {order_kind.__name__}" in seen) == (read(content) is not None)
    with contextlib.suppress(BadMessage):
        assert read_session(content).encode() == content
        assert SESSION.fullmatch(content)
        seen.add("read as a session")
    return seen


_ANY = (lambda reader: reader.pick(WORDS),)
_MAKERS = {
    IDENTITY.path: (lambda reader: obj(damaged(reader, identity(reader))),),
    DECISION.path: (lambda reader: obj(damaged(reader, decision(reader))),),
    EVENT.path: (lambda reader: obj(damaged(reader, event(reader))),),
    HEALTH.path: (lambda reader: obj(damaged(reader, health(reader))),),
    CHALLENGE.path: (lambda reader: obj(damaged(reader, challenge(reader))),),
    QUESTION.path: (lambda reader: obj(damaged(reader, question(reader))),),
    LET_IN.path: (lambda reader: obj(damaged(reader, let_in(reader))),),
    **dict.fromkeys(
        (ANSWER.path, ENABLED_SET.path, LET_IN_SET.path, HOLD_SET.path),
        (lambda reader: obj(damaged(reader, order(reader))), words),
    ),
}


def heard(topic: Topic, content: bytes) -> bytes:
    at = next(n for n, (found, _) in enumerate(HEARD) if found is topic)
    return bytes([at]) + RAW + blob(content) + b"\x00"


SEEDS = [heard(topic, fragment) for topic, _ in HEARD[:8] for fragment in FRAGMENTS]
SEEDS += [
    heard(LET_IN_SET, fragment)
    for fragment in (b"Ana until 22:00", b"YES", b"OFF", b"\xef\xac\xac" * 30 + b" until 7:00")
]
SEEDS += [heard(topic, fragment) for topic in (HOLD, HOLD_SET) for fragment in (b"3", b"4.5", *FRAGMENTS)]
SEEDS += [heard(AWAY, b"ON") + heard(AWAY, b"OFF") + heard(AWAY, b"ON")]
_PAYLOADS = (
    *((IDENTITY, identity), (DECISION, decision), (EVENT, event), (HEALTH, health), (QUESTION, question)),
    (CHALLENGE, challenge),
)
for _topic, _make in (*_PAYLOADS, (LET_IN, lambda _: let_in(Reader(bytes([0, 1, 0, 2, 1])))), (ANSWER, order)):
    _good = _make(Reader(b""))
    SEEDS += [heard(_topic, obj(_good)) * 2]
    SEEDS += [
        heard(_topic, obj([*_good[:at], (key, fragment), *_good[at + 1 :]]))
        for at, (key, _) in enumerate(_good)
        for fragment in FRAGMENTS
    ]
_SEEN = [("id", b'"f1"'), ("camera", b'"front"'), ("captured_at", b"1800000000"), ("seq", b"1")]
_FACE = (("person", b"null"), ("distance", b"null"), ("margin", b"null"), ("sharpness", b"9"))
_BOX = ("box", b'{"left":0,"top":0,"width":9,"height":9}')
SEEDS += [
    heard(IDENTITY, obj([*_SEEN, ("faces", b"[" + b",".join([obj([*_FACE, _BOX, ("liveness", one)])] * n) + b"]")]))
    for one in LIVENESS
    for n in (1, 4, 5)
]

TARGET = Target(run, SEEDS)
