"""Every message of the contract, at random; and the rubbish that may arrive in its place."""

from __future__ import annotations

import json
import string
from typing import Any

from hypothesis import strategies as st

from agents.wire.identity import MOST_MEASURED, Box, Face, Identity
from agents.wire.liveness import Challenge, ChallengeResult, ChallengeState, Doubt, HeadAction, Liveness, Verdict
from agents.wire.messages import (
    Action,
    Cause,
    Command,
    DoorEvent,
    EventType,
    Grant,
    Health,
    Latency,
    Outcome,
    Payload,
    Refusal,
    Switch,
)
from agents.wire.orders import HoldOrder
from agents.wire.recognition import Recognition, RecognitionType
from agents.wire.scheduling import (
    MAX_LET_IN,
    Answer,
    Decision,
    LetIn,
    LetInList,
    LetInOrder,
    Question,
    SwitchOrder,
    Votes,
    YesNo,
)
from agents.wire.why import Why

LETTERS, DIGITS = string.ascii_lowercase, string.digits
names = st.text(LETTERS + DIGITS + "_-", min_size=1, max_size=32).filter(lambda name: name[0] not in "_-")
ids = st.text(string.ascii_letters + DIGITS + "_.:-", min_size=1, max_size=64)
utc = st.floats(0, 1e11, exclude_max=True)
seqs = st.integers(0, 2**53 - 1)
lines = st.text(max_size=200)
letters = st.characters(exclude_categories=["C", "Z"])
people = st.text(letters, min_size=1, max_size=64).filter(lambda name: name.casefold() not in ("unknown", "none"))
not_negative = st.floats(0, allow_infinity=False, allow_nan=False)
pixels = st.integers(-100_000, 100_000)

scores = st.none() | st.floats(0, 1)
results = st.builds(
    ChallengeResult, id=ids, state=st.sampled_from(ChallengeState), seen=st.none() | st.sampled_from(HeadAction)
)


def _liveness(
    verdict: st.SearchStrategy[Verdict], doubt: st.SearchStrategy[Doubt | None]
) -> st.SearchStrategy[Liveness]:
    return st.builds(
        Liveness,
        verdict=verdict,
        doubt=doubt,
        frames=seqs,
        texture=scores,
        depth=scores,
        context=scores,
        blinks=seqs,
        challenge=st.none() | results,
    )


livenesses = _liveness(st.just(Verdict.LIVE), st.none()) | _liveness(
    st.sampled_from([Verdict.SPOOF, Verdict.UNSURE]), st.sampled_from(Doubt)
)
boxes = st.builds(Box, left=pixels, top=pixels, width=st.integers(1, 100_000), height=st.integers(1, 100_000))


def _faces(person: st.SearchStrategy[str | None], distance: st.SearchStrategy[float | None]) -> st.SearchStrategy[Face]:
    return st.builds(
        Face,
        person=person,
        distance=distance,
        margin=st.none() | not_negative,
        box=boxes,
        sharpness=not_negative,
        liveness=st.none() | livenesses,
        track=st.none() | seqs,
    )


faces = _faces(st.none(), st.none() | not_negative) | _faces(people, not_negative)


def _few_are_measured(found: list[Face]) -> bool:
    return sum(face.liveness is not None for face in found) <= MOST_MEASURED


votes = st.builds(Votes, agreeing=seqs, needed=seqs, frames=seqs, faces=seqs)
clock_times = st.times().map(lambda time: f"{time:%H:%M}")
let_ins = st.builds(LetIn, person=people, until=utc, source=st.none() | lines, asked_at=utc)
latencies = st.builds(
    Latency,
    p50=st.floats(allow_nan=False, allow_infinity=False),
    p95=st.floats(allow_nan=False, allow_infinity=False),
    n=seqs,
)

MESSAGES: dict[type[Payload], st.SearchStrategy[Any]] = {
    Box: boxes,
    Face: faces,
    Latency: latencies,
    ChallengeResult: results,
    Liveness: livenesses,
    Identity: st.builds(
        Identity,
        id=ids,
        camera=names,
        captured_at=utc,
        seq=seqs,
        faces=st.lists(faces, max_size=MOST_MEASURED + 2).filter(_few_are_measured).map(tuple),
    ),
    Challenge: st.builds(
        Challenge,
        id=ids,
        door=names,
        camera=names,
        track=seqs,
        person=people,
        action=st.sampled_from(HeadAction),
        text=lines,
        asked_at=utc,
        expires_at=utc,
    ),
    Recognition: st.builds(
        Recognition,
        event_type=st.sampled_from(RecognitionType),
        id=ids,
        camera=names,
        person=st.none() | people,
        captured_at=utc,
    ),
    Decision: st.builds(
        Decision,
        id=ids,
        door=names,
        camera=names,
        outcome=st.sampled_from(Outcome),
        reason=st.sampled_from(Why),
        person=st.none() | people,
        distance=st.none() | not_negative,
        evidence=votes,
        began_at=utc,
        captured_at=utc,
        decided_at=utc,
        rule=lines,
        detail=lines,
        liveness=st.none() | livenesses,
    ),
    Votes: votes,
    Question: st.builds(Question, id=ids, door=names, camera=names, person=people, asked_at=utc, expires_at=utc),
    Answer: st.builds(Answer, answer=st.sampled_from(YesNo), id=st.none() | ids, source=st.none() | lines),
    SwitchOrder: st.builds(SwitchOrder, state=st.sampled_from(Switch), source=st.none() | lines),
    LetInOrder: st.builds(LetInOrder, person=people, until=st.none() | utc | clock_times, source=st.none() | lines),
    HoldOrder: st.builds(
        HoldOrder,
        hold_s=st.floats(0, exclude_min=True, allow_infinity=False),
        source=st.none() | lines,
    ),
    LetIn: let_ins,
    LetInList: st.builds(LetInList, people=st.lists(let_ins, max_size=MAX_LET_IN).map(tuple)),
    Grant: st.builds(Grant, id=ids, session=ids, person=people, expires_at=utc),
    Command: st.builds(
        Command,
        action=st.sampled_from(Action),
        session=st.none() | ids,
        ts=st.none() | utc,
        source=st.none() | lines,
        id=st.none() | ids,
    ),
    DoorEvent: st.builds(
        DoorEvent,
        seq=st.none() | seqs,
        event_type=st.sampled_from(EventType),
        at=utc,
        cause=st.sampled_from(Cause),
        id=st.none() | ids,
        action=st.none() | st.sampled_from(Action),
        person=st.none() | people,
        source=st.none() | lines,
        reason=st.none() | st.sampled_from(Refusal),
        detail=lines,
    ),
    Health: st.builds(
        Health,
        version=st.text(max_size=20),
        started_at=utc,
        uptime_s=not_negative,
        problem=st.none() | lines,
        counters=st.dictionaries(st.text(max_size=20), seqs, max_size=8),
        latency_ms=st.none() | latencies,
    ),
}

valid = st.one_of(*MESSAGES.values()).map(lambda message: bytes(message.encode()))

# json.dumps writes NaN, Infinity and lone surrogates (as escapes): just what a careless sender does
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters())
    | st.sampled_from([2**53, 10**400, -(10**400), 1e308, "UNLOCK", "١٢"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(), max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
any_json = values.map(lambda value: json.dumps(value).encode())


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A valid message with a few bytes replaced, added or missing."""
    payload = draw(valid)
    start = draw(st.integers(0, len(payload)))
    end = draw(st.integers(start, min(len(payload), start + 6)))
    scrap = st.binary(max_size=6) | st.sampled_from(
        [b"NaN", b"-Infinity", b"1e999", b'"\\ud800"', b"\xed\xa0\x80", b"null"]
    )
    return payload[:start] + draw(scrap) + payload[end:]


@st.composite
def wrong(draw: st.DrawFn) -> bytes:
    """A valid message in which one value, somewhere, is another, is gone, or has a stranger beside it."""
    tree = json.loads(draw(valid))
    place = draw(st.sampled_from(sorted(_objects(tree), key=repr)))
    key = draw(st.sampled_from(sorted(place))) if place else "x"
    change = draw(st.sampled_from(["replace", "remove", "add"]))
    if change == "replace":
        place[key] = draw(values)
    elif change == "remove":
        place.pop(key, None)
    else:
        place[draw(st.text(st.characters(), max_size=8))] = draw(values)
    return json.dumps(tree).encode()


def _objects(tree: Any) -> list[dict[str, Any]]:
    """The JSON objects in `tree`, itself among them."""
    if isinstance(tree, list):
        return [found for item in tree for found in _objects(item)]
    if isinstance(tree, dict):
        return [tree, *(found for item in tree.values() for found in _objects(item))]
    return []


near_misses = damaged() | wrong()
rubbish = st.one_of(st.binary(max_size=300), any_json, near_misses)
