"""A record of the journal as a line for people, as a row of a table, or as JSON. Pure.

What stands in the file may be of another version, or have been tampered with: a record that makes no
sense is shown as such, and the others as ever.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from agents.cli.words import LEAF, WORDS, explained
from agents.scheduler.chain import Kind
from agents.scheduler.journal_reader import Record
from agents.wire.messages import Action, Cause, EventType, Outcome
from agents.wire.values import one_line
from agents.wire.why import Why

Body = dict[str, Any]

ANSWER_S = 10.0  # a door tells at once what it did; after so long it was not there
SKEW_S = 1.0  # between the door's clock and the scheduler's
COLUMNS = (
    "number", "time", "kind", "door", "camera", "person", "outcome", "reason", "rule", "detail", "source",
    "distance", "id", "text",
)  # fmt: skip
FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
SENSELESS = (AttributeError, KeyError, OSError, OverflowError, TypeError, ValueError)


class Teller:
    """Tells in a house's time zone."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._tell: dict[str, Callable[[Body], str]] = {**_TELL, Kind.SWITCH: partial(_switch, time=self.time)}

    def line(self, record: Record, follow_up: str = "") -> str:
        """For people. `follow_up` is what came of it."""
        return one_line(f"{self.time(record.at)}  {self.text(record)}{follow_up}")

    def text(self, record: Record) -> str:
        if record.erased:
            return f"({record.kind}{_of_door(record.door)}, erased)"
        try:
            return self._tell[record.kind](record.body or {})
        except SENSELESS:
            return f"({record.kind} {record.n} can't be read)"

    def row(self, record: Record, follow_up: str = "") -> list[object]:
        """For a spreadsheet: what begins like a formula does not stay one."""
        body = record.body or {}
        outcome = next((body[key] for key in ("outcome", "event_type", "state") if body.get(key)), None)
        known = {
            **body,
            "number": record.n,
            "time": self.iso(record.at),
            "kind": record.kind,
            "door": record.door,
            "outcome": outcome,
            "text": f"{self.text(record)}{follow_up}",
        }
        return [_cell(known.get(column)) for column in COLUMNS]

    def json(self, record: Record) -> str:
        facts = {
            "n": record.n,
            "at": record.at,
            "time": self.iso(record.at),
            "kind": record.kind,
            "erased": record.erased,
            "body": record.body,
            "hash": record.hash.hex() if isinstance(record.hash, bytes) else None,
        }
        return json.dumps(facts, ensure_ascii=False)

    def time(self, utc: float) -> str:
        """As the clock on the wall showed it, and which of the two where it showed it twice."""
        local = self._local(utc)
        if local is None:
            return f"{utc}"
        twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
        return f"{local:%Y-%m-%d %H:%M:%S}" + (f" {local:%Z}" if twice else "")

    def iso(self, utc: float) -> str:
        local = self._local(utc)
        return local.isoformat(timespec="milliseconds") if local is not None else f"{utc}"

    def _local(self, utc: float) -> datetime | None:
        try:
            return datetime.fromtimestamp(utc, self._zone)
        except SENSELESS:
            return None


def follow_up(decision: Body, event: Body | None, now_utc: float) -> str:
    """What came of a grant: what the door told first of it."""
    try:
        if event is None:
            late = now_utc - decision["decided_at"] > ANSWER_S
            return "; the door did not answer" if late else ""
        if event["event_type"] not in (EventType.UNLOCKED, EventType.EXTENDED):
            return f"; the door refused: {event['reason'] or event['event_type']}"
        after_s = event["at"] - decision["decided_at"]
    except SENSELESS:
        return ""
    if not -SKEW_S < after_s < ANSWER_S:
        return "; door open"
    return f"; door open after {max(after_s, 0) * 1000:.0f} ms" if after_s < 1 else f"; door open after {after_s:.1f} s"


def _decision(body: Body) -> str:
    outcome = "GRANTED" if body["outcome"] == Outcome.GRANTED else "DENIED"
    distance = body["distance"]
    at = f" at distance {distance:.2f}" if distance is not None else ""
    reason = body["reason"]
    why = WORDS[Why(reason)] if reason in set(Why) else reason
    detail = explained(reason, body.get("detail") or "")
    more = "".join(f" ({text})" for text in (body.get("rule"), detail) if text)
    return f"{outcome}: door {body['door']}, {body['person'] or 'a stranger'}{at}: {why}{more}"


def _event(body: Body) -> str:
    door, kind = f"door {body['door']}", body["event_type"]
    detail = f" ({body['detail']})" if body.get("detail") else ""
    if kind in LEAF:
        return f"{door} {LEAF[kind]}"
    if kind == EventType.REJECTED:
        return f"REFUSED: {door} did not obey a {body['cause']}: {body['reason']}{detail}"
    if kind == EventType.LOCKED:
        return f"{door} locked" + ("" if body["cause"] == Cause.TIMEOUT else f" ({body['cause']})")
    longer = "" if body.get("action") == Action.TEST else " a little longer"
    words = {EventType.UNLOCKED: "unlocked", EventType.EXTENDED: f"stayed unlocked{longer}"}
    return f"{door} {words[kind]} {_by(body)}" if kind in words else f"{door} is {kind.upper()}{detail}"


def _by(body: Body) -> str:
    if body["cause"] == Cause.GRANT:
        return f"for {body['person']}"
    if body["cause"] == Cause.BUTTON:
        return "by the exit button"
    test = "for a test pulse " if body.get("action") == Action.TEST else ""
    return f"{test}by {body['source'] or 'a command over MQTT'}"


def _switch(body: Body, time: Callable[[float], str]) -> str:
    by = f", by {body['source']}" if body.get("source") else ""
    what, door = body["what"], _of_door(body.get("door"))
    if what == "let_in":
        until = f"until {time(body['until'])}" if body.get("until") is not None else "no more"
        return f"let in for once{door}: {body['person']} {until}{by}"
    named = {"enabled": "face unlock", "away": "away mode", "answer": "the answer"}.get(what, what)
    return f"{named}{door}: {body['state']}{by}"


def _agent(body: Body) -> str:
    return f"{body['agent']} {body['id']} is {body['state']}"


def _gap(body: Body) -> str:
    first, last = body["first"], body["last"]
    which = f"event {first}" if first == last else f"events {first} to {last}"
    return f"door {body['door']}: its {which} never came"


def _erased(body: Body) -> str:
    return f"{body['records']} records were erased"


def _of_door(door: object) -> str:
    return f" at door {door}" if door is not None else ""


def _cell(value: object) -> object:
    if not isinstance(value, str):
        return value if isinstance(value, int | float) else None
    line = one_line(value)
    return f"'{line}" if line.lstrip().startswith(FORMULA) else line


_TELL: dict[str, Callable[[Body], str]] = {
    Kind.DECISION: _decision,
    Kind.EVENT: _event,
    Kind.AGENT: _agent,
    Kind.GAP: _gap,
    Kind.ERASED: _erased,
}
