"""Whatever arrives is a whole message or a BadMessage, and never anything else."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from agents.wire.identity import MOST_MEASURED, Box, Face, Identity
from agents.wire.liveness import ChallengeResult, ChallengeState, Doubt, HeadAction, Liveness, Verdict
from agents.wire.messages import (
    MAX_COMMAND_BYTES,
    MAX_JSON_BYTES,
    Action,
    BadMessage,
    Cause,
    Command,
    DoorEvent,
    EventType,
    Grant,
    Health,
    Payload,
    Refusal,
    read_session,
)
from agents.wire.orders import HoldOrder
from agents.wire.scheduling import Answer, Decision, LetInList, LetInOrder, Question, SwitchOrder
from agents.wire.stamp import Stamp
from agents.wire.values import PersonName
from tests.wire.strategies import MESSAGES, ids, near_misses, rubbish, seqs, utc

T0 = 1_800_000_000.0  # UTC seconds
READERS: dict[str, Callable[[bytes], object]] = {
    **{kind.__name__: kind.decode for kind in MESSAGES},
    "command": Command.read,
    "session": read_session,
    **{f"{kind.__name__} in words": kind.read for kind in (Answer, SwitchOrder, LetInOrder, HoldOrder)},
}


def refusal_of(read: Callable[[bytes], object], payload: bytes) -> BadMessage | None:
    """What the reader has against the payload. Any other exception is the test's failure."""
    try:
        read(payload)
    except BadMessage as error:
        return error
    return None


def assert_fit_for_a_log(error: BadMessage) -> None:
    assert str(error).isprintable()
    assert 0 < len(str(error)) <= 300


def test_every_kind_of_payload_is_tested() -> None:
    assert set(_kinds(Payload)) == set(MESSAGES)


def _kinds(kind: type[Payload]) -> Iterator[type[Payload]]:
    """Those of the wire that nothing is derived from."""
    if not kind.__subclasses__() and kind.__module__.startswith("agents.wire."):
        yield kind
    for derived in kind.__subclasses__():
        yield from _kinds(derived)


@pytest.mark.parametrize(
    "kind",
    [Identity, Decision, Grant, Command, DoorEvent, Health, Question, Answer, SwitchOrder, LetInOrder, LetInList],
    ids=lambda kind: kind.__name__,
)
@given(data=st.data())
def test_what_is_encoded_is_decoded_to_the_same(kind: type[Payload], data: st.DataObject) -> None:
    message = data.draw(MESSAGES[kind])
    assert kind.decode(message.encode()) == message


@given(MESSAGES[Command])
def test_a_command_as_json_is_read_from_its_topic(command: Command) -> None:
    assert Command.read(command.encode()) == command


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("frame", [b"%s", b" %s\r\n", b"\t%s "], ids=repr)
def test_a_bare_word_is_a_command(action: Action, frame: bytes) -> None:
    assert Command.read(frame % action.encode()) == Command(action=action)


@settings(max_examples=200)
@given(payload=rubbish)
def test_rubbish_is_refused_in_one_short_line(payload: bytes) -> None:
    for read in READERS.values():
        error = refusal_of(read, payload)
        if error is not None:
            assert error.refusal in Refusal
            assert_fit_for_a_log(error)


@given(payload=near_misses)
def test_what_is_accepted_can_be_passed_on(payload: bytes) -> None:
    for kind in MESSAGES:
        if refusal_of(kind.decode, payload) is None:
            message = kind.decode(payload)
            assert kind.decode(message.encode()) == message


@given(st.binary(max_size=20) | st.sampled_from([b"unlock", b"UNLOCK!", b'"UNLOCK"', b"UNLOCK LOCK", b"OPEN\x00"]))
def test_only_the_very_word_is_a_command(payload: bytes) -> None:
    error = refusal_of(Command.read, payload)
    is_word = payload.strip() in [action.encode() for action in Action]
    assert (error is None) is is_word


@given(MESSAGES[Command])
def test_an_order_to_lock_is_known_as_one_in_words_and_in_json(command: Command) -> None:
    is_lock = command.action is Action.LOCK
    assert Command.locks(command.encode()) is is_lock
    assert Command.locks(command.action.encode()) is is_lock


@given(rubbish)
def test_what_can_not_be_read_is_no_order_to_lock(payload: bytes) -> None:
    if refusal_of(Command.read, payload) is not None:
        assert Command.locks(payload) is False


def test_an_order_says_that_it_is_fresh_by_the_doors_own_word() -> None:
    assert Command.read(b'{"action":"UNLOCK","session":"a1b2"}') == Command(action=Action.UNLOCK, session="a1b2")
    for word in (b'""', b'"a b"', b'"a\\n"', b"7", b'"%s"' % (b"x" * 65)):
        error = refusal_of(Command.read, b'{"action":"UNLOCK","session":%s}' % word)
        assert error is not None
        assert error.refusal is Refusal.MALFORMED


def test_an_unknown_action_is_told_from_a_malformed_command() -> None:
    def refusal(payload: bytes) -> Refusal:
        error = refusal_of(Command.read, payload)
        assert error is not None
        return error.refusal

    assert refusal(b"EXPLODE") is Refusal.UNKNOWN_ACTION
    assert refusal(b'{"action": "EXPLODE"}') is Refusal.UNKNOWN_ACTION
    assert refusal(b'{"ts": 1800000000}') is Refusal.MALFORMED
    assert refusal(b'{"action": "UNLOCK", "door": "front"}') is Refusal.MALFORMED


GRANT = '{"id":"a","session":"b","person":"Ana","expires_at":%s}'
EVIL = {
    "nothing": b"",
    "byte order mark": b"\xef\xbb\xbf" + (GRANT % "1").encode(),
    "UTF-16": (GRANT % "1").encode("utf-16"),
    "not UTF-8": (GRANT % "1").encode().replace(b"Ana", b"An\xe1"),
    "encoded surrogate": (GRANT % "1").encode().replace(b"Ana", b"\xed\xa0\x80"),
    "escaped lone surrogate": (GRANT % "1").replace("Ana", r"\ud800").encode(),
    "lone surrogate in a key": rb'{"\udfff":1}',
    "deep list": b"[" * 16_000,
    "deep object": b'{"id":' * 2_000,
    "deep inside": (GRANT % ("[" * 5_000 + "]" * 5_000)).encode(),
    "NaN": (GRANT % "NaN").encode(),
    "Infinity": (GRANT % "Infinity").encode(),
    "minus Infinity": (GRANT % "-Infinity").encode(),
    "overflowing exponent": (GRANT % "1e999").encode(),
    "negative": (GRANT % "-1").encode(),
    "number with 4,000 digits": (GRANT % ("9" * 4_000)).encode(),
    "number with 15,000 digits": (GRANT % ("9" * 15_000)).encode(),
    "unicode digits": (GRANT % "١٢").encode(),
    "number as text": (GRANT % '"1"').encode(),
    "true as number": (GRANT % "true").encode(),
    "hexadecimal": (GRANT % "0x1F").encode(),
    "leading zero": (GRANT % "01").encode(),
    "comment": (GRANT % "1 /* now */").encode(),
    "trailing comma": (GRANT % "1,").encode(),
    "single quotes": (GRANT % "1").replace('"', "'").encode(),
    "two objects": (GRANT % "1").encode() * 2,
    "trailing NUL": (GRANT % "1").encode() + b"\x00",
    "cut off": (GRANT % "1").encode()[:-1],
    "duplicate key of another type": (GRANT % '1,"expires_at":null').encode(),
    "key in another case": (GRANT % "1").replace('"id"', '"ID"').encode(),
    "pickle": b"\x80\x04\x95\x0b\x00\x00\x00\x00\x00\x00\x00\x8c\x07builtins\x94.",
}


@pytest.mark.parametrize("payload", EVIL.values(), ids=EVIL.keys())
def test_evil_payloads_are_refused_on_every_topic(payload: bytes) -> None:
    assert [name for name, read in READERS.items() if refusal_of(read, payload) is None] == []


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
@pytest.mark.parametrize("key", ["distance", "margin", "sharpness"])
def test_a_measured_number_is_finite(key: str, number: str) -> None:
    face: dict[str, object] = {"person": None, "distance": 0.5, "margin": 0.1, "sharpness": 1}
    face["box"] = {"left": 0, "top": 0, "width": 1, "height": 1}
    assert refusal_of(Face.decode, json.dumps(face).encode()) is None
    payload = json.dumps(face | {key: "?"}).replace('"?"', number)
    assert refusal_of(Face.decode, payload.encode()) is not None


@pytest.mark.parametrize(
    ("read", "payload", "limit"),
    [
        (Identity.decode, b'{"id":"a","camera":"c","captured_at":1,"seq":1,"faces":[]}', MAX_JSON_BYTES),
        (Command.read, b"UNLOCK", MAX_COMMAND_BYTES),
        (Command.read, b'{"action":"UNLOCK"}', MAX_COMMAND_BYTES),
    ],
    ids=["identity", "bare command", "JSON command"],
)
def test_a_payload_may_fill_its_limit_but_not_a_byte_more(
    read: Callable[[bytes], object], payload: bytes, limit: int
) -> None:
    assert refusal_of(read, payload.ljust(limit)) is None
    error = refusal_of(read, payload.ljust(limit + 1))
    assert error is not None
    assert error.refusal is Refusal.TOO_LARGE


LONGEST = Liveness(
    verdict=Verdict.UNSURE,
    doubt=Doubt.NOT_MEASURED,
    frames=2**53 - 1,
    texture=0.1 + 0.2,
    depth=0.1 + 0.2,
    context=0.1 + 0.2,
    blinks=2**53 - 1,
    challenge=ChallengeResult(id="x" * 64, state=ChallengeState.PENDING, seen=HeadAction.BLINK_TWICE),
)


def test_a_crowd_of_long_names_fits_into_an_identity() -> None:
    box = Box(left=-10_000, top=-10_000, width=10_000, height=10_000)
    face = Face(
        person="Č" * 64, distance=math.pi / 10, margin=math.e / 10, box=box, sharpness=math.pi * 100, track=2**53 - 1
    )
    measured = face.model_copy(update={"liveness": LONGEST})
    crowd = (measured,) * MOST_MEASURED + (face,) * (32 - MOST_MEASURED)
    identity = Identity(id="x" * 64, camera="x" * 32, captured_at=T0 + 0.123456, seq=2**53 - 1, faces=crowd)
    assert Identity.decode(identity.encode()) == identity


def test_of_a_crowd_the_liveness_of_few_is_told() -> None:
    box = Box(left=0, top=0, width=10, height=10)
    face = Face(person=None, distance=None, margin=None, box=box, sharpness=1, liveness=LONGEST)
    with pytest.raises(ValidationError, match="at most 4"):
        Identity(id="x", camera="x", captured_at=T0, seq=1, faces=(face,) * (MOST_MEASURED + 1))


@pytest.mark.parametrize("verdict", Verdict)
@pytest.mark.parametrize("doubt", [None, *Doubt], ids=str)
def test_only_a_live_face_is_beyond_doubt(verdict: Verdict, doubt: Doubt | None) -> None:
    payload = json.dumps({"verdict": verdict, "doubt": doubt, "frames": 3}).encode()
    assert (refusal_of(Liveness.decode, payload) is None) is ((verdict == "live") is (doubt is None))


@pytest.mark.parametrize("score", ["texture", "depth", "context"])
@pytest.mark.parametrize("number", ["-0.01", "1.01", "true", '"0.5"', "NaN"])
def test_a_score_is_between_0_and_1(score: str, number: str) -> None:
    payload = b'{"verdict":"live","frames":3,"%s":%s}' % (score.encode(), number.encode())
    assert refusal_of(Liveness.decode, payload) is not None


def test_a_decision_of_before_liveness_is_still_read() -> None:
    """Journals keep them for years."""
    votes = {"agreeing": 2, "needed": 2, "frames": 2, "faces": 1}
    decision = {"id": "a", "door": "front", "camera": "front", "outcome": "granted", "reason": "confirmed"}
    decision |= {"person": "Ana", "distance": 0.3, "evidence": votes}  # type: ignore[dict-item]
    times = dict.fromkeys(("began_at", "captured_at", "decided_at"), T0)
    assert Decision.decode(json.dumps(decision | times).encode()).liveness is None


TIMES = [(kind, key) for kind in MESSAGES for key in kind.model_fields if key in ("at", "ts") or key.endswith("_at")]


@pytest.mark.parametrize(("kind", "key"), TIMES, ids=[f"{kind.__name__}.{key}" for kind, key in TIMES])
@settings(max_examples=10)
@given(data=st.data(), at=st.floats(T0 - 1e9, T0 + 1e9))
def test_milliseconds_are_refused_where_seconds_belong(
    kind: type[Payload], key: str, data: st.DataObject, at: float
) -> None:
    tree = json.loads(data.draw(MESSAGES[kind]).encode())
    tree[key] = at * 1000
    error = refusal_of(kind.decode, json.dumps(tree).encode())
    assert error is not None
    assert str(error).startswith(f"{key}: ")


@given(st.builds(Stamp, captured_at=utc, seq=seqs))
def test_a_stamp_survives_the_wire_to_the_microsecond(stamp: Stamp) -> None:
    found = Stamp.of((("other", "thing"), *stamp.properties()))
    assert found is not None
    assert found.seq == stamp.seq
    assert abs(found.captured_at - stamp.captured_at) <= 1e-6


properties = st.lists(
    st.tuples(
        st.sampled_from(["captured_at", "seq", "Captured_At", ""]),
        st.text(st.characters(), max_size=12)
        | st.floats().map(str)
        | st.integers().map(str)
        | st.sampled_from(["nan", "-inf", "1e999", "-1", "0x10", "1800000000000", "9" * 5000, str(2**53), "١٢"]),
    ),
    max_size=4,
)


@given(properties)
def test_a_stamp_is_good_or_absent_or_refused_in_one_short_line(given_properties: list[tuple[str, str]]) -> None:
    stamp, error = None, None
    try:
        stamp = Stamp.of(given_properties)
    except BadMessage as bad:
        error = bad
    if error is not None:
        assert_fit_for_a_log(error)
    elif stamp is None:
        assert not {"captured_at", "seq"} & {key for key, _ in given_properties}
    else:
        assert 0 <= stamp.captured_at < 1e11
        assert 0 <= stamp.seq < 2**53


@pytest.mark.parametrize(
    "found",
    [
        {"captured_at": "1800000000"},
        {"seq": "7"},
        {"captured_at": "1800000000000", "seq": "7"},
        {"captured_at": "nan", "seq": "7"},
        {"captured_at": "inf", "seq": "7"},
        {"captured_at": "-1", "seq": "7"},
        {"captured_at": "1800000000", "seq": "7.5"},
        {"captured_at": "1800000000", "seq": "-7"},
        {"captured_at": "1800000000", "seq": str(2**53)},
        {"captured_at": "now", "seq": "7"},
        {"captured_at": "x" * 60_000, "seq": "7"},
        {"captured_at": "1800000000", "seq": "9" * 4000},
    ],
    ids=lambda found: str(found)[:50],
)
def test_a_doubtful_stamp_is_refused_not_replaced(found: dict[str, str]) -> None:
    with pytest.raises(BadMessage) as caught:
        Stamp.of(tuple(found.items()))
    assert_fit_for_a_log(caught.value)


@given(ids)
def test_a_session_nonce_is_read_as_it_is(nonce: str) -> None:
    assert read_session(nonce.encode()) == nonce


person_names: TypeAdapter[str] = TypeAdapter(PersonName)


@pytest.mark.parametrize(
    "name", ["A", "x" * 64, "Ana Kovač", "李小龍", "O'Neil-Müller, Jr.", "unknown soldier", "nonesuch"]
)
def test_people_may_be_called(name: str) -> None:
    assert person_names.validate_python(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "x" * 65,
        " Ana",
        "Ana ",
        "Ana\n",
        "A\tna",
        "Ana\x00",
        "unknown",
        "Unknown",
        "NONE",
        "none",
        "a\u202eb",
        "\ud800",
    ],
    ids=repr,
)
def test_people_may_not_be_called(name: str) -> None:
    with pytest.raises(ValidationError):
        person_names.validate_python(name)


@given(st.text(st.characters(), max_size=200))
def test_text_of_any_origin_becomes_one_line_that_can_be_sent(text: str) -> None:
    event = DoorEvent(event_type=EventType.REJECTED, at=T0, cause=Cause.COMMAND, source=text, detail=text)
    assert event.detail.isprintable()
    assert DoorEvent.decode(event.encode()) == event


def test_a_senders_text_cannot_forge_a_line_of_the_log() -> None:
    forged = b'{"action":"UNLOCK","source":"cat\\n2027-01-15T08:00:00Z INFO unlocked"}'
    assert Command.read(forged).source == "cat 2027-01-15T08:00:00Z INFO unlocked"
    error = refusal_of(Command.read, b'{"action":"UNLOCK","\\u001b[2J\\n":1}')
    assert str(error) == " [2J : Extra inputs are not permitted"


def test_a_text_that_is_too_long_is_refused() -> None:
    with pytest.raises(ValidationError):
        Health(version="1", started_at=T0, uptime_s=0, problem="x" * 201, counters={}, latency_ms=None)
