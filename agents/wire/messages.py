"""The payloads on the topics: typed, bounded, refused as a whole when anything is wrong."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from agents.wire.values import CorrelationId, PersonName, Seq, Text, UtcSeconds, one_line

MAX_JSON_BYTES = 16_384
MAX_COMMAND_BYTES = 1_024
MAX_FRAME_BYTES = 2_000_000
MOST_SAID = 150  # characters about what is wrong with a message


class LockState(StrEnum):
    LOCKED = "LOCKED"
    UNLOCKED = "UNLOCKED"
    JAMMED = "JAMMED"


class Switch(StrEnum):
    ON = "ON"
    OFF = "OFF"

    @classmethod
    def of(cls, on: bool) -> Switch:
        return cls.ON if on else cls.OFF


class Availability(StrEnum):
    ONLINE = "online"
    OFFLINE = "offline"


class Action(StrEnum):
    UNLOCK = "UNLOCK"
    OPEN = "OPEN"
    LOCK = "LOCK"
    TEST = "TEST"


class Outcome(StrEnum):
    GRANTED = "granted"
    DENIED = "denied"


class EventType(StrEnum):
    UNLOCKED = "unlocked"
    EXTENDED = "extended"
    LOCKED = "locked"
    REJECTED = "rejected"
    JAMMED = "jammed"
    OPENED = "opened"
    CLOSED = "closed"
    FORCED = "forced"
    HELD_OPEN = "held_open"


class Cause(StrEnum):
    """What made the door act."""

    GRANT = "grant"
    COMMAND = "command"
    BUTTON = "button"
    CONTACT = "contact"
    TIMEOUT = "timeout"
    BROKER_LOST = "broker_lost"
    STOP = "stop"
    RESTART = "restart"
    FAULT = "fault"


class Refusal(StrEnum):
    """Why the door did not do what it was told."""

    RETAINED = "retained"
    TOO_LARGE = "too_large"
    MALFORMED = "malformed"
    UNKNOWN_ACTION = "unknown_action"
    NOT_ENABLED = "not_enabled"
    STALE = "stale"
    EXPIRED = "expired"
    DUPLICATE = "duplicate"
    WRONG_SESSION = "wrong_session"
    CLOCK_NOT_SET = "clock_not_set"
    MAX_HOLD = "max_hold"
    LOCKED_OUT = "locked_out"
    FLOOD = "flood"
    JAMMED = "jammed"


class BadMessage(ValueError):
    """A payload that is not what its topic promises. `refusal` is the machine's word for it."""

    def __init__(self, refusal: Refusal, detail: str) -> None:
        super().__init__(detail)
        self.refusal = refusal


class Payload(BaseModel):
    """A JSON payload."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    def encode(self) -> bytes:
        return self.model_dump_json().encode()

    @classmethod
    def decode(cls, payload: bytes, max_bytes: int = MAX_JSON_BYTES) -> Self:
        """Read a payload. Raises BadMessage."""
        check_size(payload, max_bytes)
        try:
            return cls.model_validate_json(payload)
        except ValidationError as error:
            raise BadMessage(Refusal.MALFORMED, first_error(error)) from None


def check_size(payload: bytes, max_bytes: int) -> None:
    """Raises BadMessage for a payload of more than `max_bytes`."""
    if len(payload) > max_bytes:
        raise BadMessage(Refusal.TOO_LARGE, f"{len(payload)} bytes, at most {max_bytes} are read")


def first_error(error: ValidationError) -> str:
    """One line for people, without echoing the input (but for the start of a key nobody knows)."""
    first = error.errors(include_url=False, include_input=False)[0]
    where = one_line(".".join(str(part) for part in first["loc"])[:100])
    told = str(first["msg"])
    what = told if len(told) <= MOST_SAID else f"{told[:MOST_SAID]}…"  # of a long list of words
    return f"{where}: {what}" if where else what


def read_session(payload: bytes) -> str:
    """The nonce on a door's session topic. Raises BadMessage."""
    try:
        return _SESSION.validate_python(payload.decode())
    except (UnicodeDecodeError, ValidationError):
        raise BadMessage(Refusal.MALFORMED, "is no session nonce") from None


_SESSION: TypeAdapter[str] = TypeAdapter(CorrelationId)


class Grant(Payload):
    """The scheduler's order to one door in one session of it."""

    id: CorrelationId
    session: CorrelationId
    person: PersonName
    expires_at: UtcSeconds


class Command(Payload):
    """A person's order. A bare word (`UNLOCK`) is one without the optional keys.

    `session` is what the door last wrote on its session topic: proof of age that needs no clock.
    """

    action: Action
    session: CorrelationId | None = None
    ts: UtcSeconds | None = None
    source: Text | None = None
    id: CorrelationId | None = None

    @classmethod
    def locks(cls, payload: bytes) -> bool:
        """Whether this is an order to lock."""
        try:
            return cls.read(payload).action is Action.LOCK
        except BadMessage:
            return False

    @classmethod
    def read(cls, payload: bytes) -> Command:
        """A bare word or a JSON object. Raises BadMessage."""
        check_size(payload, MAX_COMMAND_BYTES)
        text = payload.strip()
        if text.startswith(b"{"):
            return cls._read_json(text)
        try:
            return cls(action=Action(text.decode()))
        except ValueError:
            raise BadMessage(Refusal.UNKNOWN_ACTION, "expected UNLOCK, OPEN, LOCK or TEST, or a JSON object") from None

    @classmethod
    def _read_json(cls, text: bytes) -> Command:
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            wrong_action = any(e["loc"] == ("action",) and e["type"] == "enum" for e in error.errors())
            refusal = Refusal.UNKNOWN_ACTION if wrong_action else Refusal.MALFORMED
            raise BadMessage(refusal, first_error(error)) from None


class DoorEvent(Payload):
    """What the door did or refused, and why. `seq` counts a door's events; null where the disk failed."""

    seq: Seq | None = None
    event_type: EventType
    at: UtcSeconds
    cause: Cause
    id: CorrelationId | None = None
    action: Action | None = None
    person: PersonName | None = None
    source: Text | None = None
    reason: Refusal | None = None
    detail: Text = ""


class Latency(Payload):
    """Of the last `n` times, in milliseconds."""

    p50: float
    p95: float
    n: Seq


class Health(Payload):
    """How an agent is. `problem` is null when all is well, `cpu_c` where the computer can't tell."""

    version: str
    started_at: UtcSeconds
    uptime_s: float
    problem: Text | None
    counters: dict[str, Seq]
    latency_ms: Latency | None
    cpu_c: float | None = None
