"""What topics.md says of orders, answers and identities, written a second time: json and plain ifs.

Nothing here is taken from `agents`, so that the agents can be held against it.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Sequence
from typing import Any

WORDS = ("UNLOCK", "OPEN", "LOCK", "TEST")
VERDICTS = ("live", "spoof", "unsure")
DOUBTS = (
    *("texture", "flat", "carried", "few_frames", "too_dark", "too_bright", "too_small", "too_blurred", "at_the_edge"),
    *("doubtful", "no_evidence", "not_measured"),
)
ACTIONS = ("turn_left", "turn_right", "nod", "blink_twice")
PLAIN_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")
ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
CLOCK_TIME = re.compile(r"([01]?[0-9]|2[0-3]):[0-5][0-9]")


def command(payload: bytes) -> dict[str, Any] | None:
    """The order's keys, null for those left out; None when it is to be refused whatever the time."""
    bare = payload.strip()
    if len(payload) > 1024:
        return None
    if bare in (b"UNLOCK", b"OPEN", b"LOCK", b"TEST"):
        return dict.fromkeys(("session", "ts", "source", "id")) | {"action": bare.decode()}
    found = _object(bare, "action", ("session", "ts", "source", "id"))
    right = (
        found is not None
        and found["action"] in WORDS
        and (found["session"] is None or is_id(found["session"]))
        and (found["id"] is None or is_id(found["id"]))
        and (found["ts"] is None or is_time(found["ts"]))
        and is_text(found["source"])
    )
    return found if right else None


def switch(payload: bytes) -> dict[str, Any] | None:
    """ON or OFF, in words or as an object with its source."""
    found = _order(payload, "state", ())
    return found if found is not None and found["state"] in ("ON", "OFF") else None


def hold(payload: bytes) -> dict[str, Any] | None:
    """A plain number of seconds, or an object with its source. What it may be, each door says."""
    found = _order(payload, "hold_s", ())
    if found is None:
        return None
    wanted = found["hold_s"]
    if isinstance(wanted, str) and not payload.strip().startswith(b"{"):
        wanted = float(wanted) if PLAIN_NUMBER.fullmatch(wanted) else None
    return found | {"hold_s": float(wanted)} if _is_number(wanted, 0) and wanted > 0 else None


def answer(payload: bytes) -> dict[str, Any] | None:
    """YES or NO, in words or as an object with its source, the question's id and the time it was given."""
    found = _order(payload, "answer", ("id", "ts"))
    right = (
        found is not None
        and found["answer"] in ("YES", "NO")
        and (found["id"] is None or is_id(found["id"]))
        and (found["ts"] is None or is_time(found["ts"]))
    )
    return found if right else None


def let_in(payload: bytes) -> dict[str, Any] | None:
    """`NAME until 22:00`, or an object, in which `until` may also be UTC seconds, or null."""
    found = _order(payload, "person until", ())
    if found is None or not is_person(found["person"]):
        return None
    until = found["until"]
    clock_time = isinstance(until, str) and CLOCK_TIME.fullmatch(until) is not None
    return _composed(found) if until is None or clock_time or is_time(until) else None


def challenge(payload: bytes) -> dict[str, Any] | None:
    if len(payload) > 16_384:
        return None
    found = _object(payload, "id door camera track person action text asked_at expires_at")
    right = (
        found is not None
        and is_id(found["id"])
        and is_name(found["door"])
        and is_name(found["camera"])
        and is_count(found["track"])
        and is_person(found["person"])
        and _is_word(found["action"], ACTIONS)
        and found["text"] is not None
        and is_text(found["text"])
        and is_time(found["asked_at"])
        and is_time(found["expires_at"])
    )
    return _composed(found) if right and found else None


def grant(payload: bytes) -> dict[str, Any] | None:
    if len(payload) > 16_384:
        return None
    found = _object(payload, "id session person expires_at")
    right = (
        found is not None
        and is_id(found["id"])
        and is_id(found["session"])
        and is_person(found["person"])
        and is_time(found["expires_at"])
    )
    return _composed(found) if right and found else None


def identity(payload: bytes) -> dict[str, Any] | None:
    if len(payload) > 16_384:
        return None
    found = _object(payload, "id camera captured_at seq faces")
    right = (
        found is not None
        and is_id(found["id"])
        and is_name(found["camera"])
        and is_time(found["captured_at"])
        and is_count(found["seq"])
        and isinstance(found["faces"], list)
        and len(found["faces"]) <= 32
        and all(_is_face(face) for face in found["faces"])
        and sum(face.get("liveness") is not None for face in found["faces"]) <= 4
    )
    return found | {"faces": [_composed(face) for face in found["faces"]]} if right and found else None


def stamp(properties: Sequence[tuple[str, str]]) -> tuple[float, int] | None:
    """`captured_at` and `seq` of a picture; None where one is missing or makes no sense."""
    found = dict(properties)
    try:
        captured_at, seq = float(found["captured_at"]), int(found["seq"])
    except (KeyError, ValueError):
        return None
    return (captured_at, seq) if is_time(captured_at) and is_count(seq) else None


def is_id(value: object) -> bool:
    return isinstance(value, str) and ID.fullmatch(value) is not None


def is_name(value: object) -> bool:
    return isinstance(value, str) and NAME.fullmatch(value) is not None


def is_person(value: object) -> bool:
    """At most 64 letters, as they were typed and composed."""
    if not isinstance(value, str) or not 1 <= len(value) <= 64 or len(unicodedata.normalize("NFC", value)) > 64:
        return False
    return value.isprintable() and value == value.strip() and value.casefold() not in ("unknown", "none")


def is_text(value: object) -> bool:
    """A line for people, or none."""
    return value is None or (isinstance(value, str) and len(value) <= 200)


def is_time(value: object) -> bool:
    """UTC seconds; the bound refuses milliseconds."""
    return _is_number(value, 0) and value < 100_000_000_000  # type: ignore[operator]


def is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < 2**53


def _is_face(face: object) -> bool:
    if not isinstance(face, dict) or not _has_keys(face, "person distance margin box sharpness", ("liveness", "track")):
        return False
    person, distance, liveness, track = (face.get(key) for key in ("person", "distance", "liveness", "track"))
    return (
        (person is None or (is_person(person) and distance is not None))
        and (distance is None or _is_number(distance, 0))
        and (face["margin"] is None or _is_number(face["margin"], 0))
        and _is_number(face["sharpness"], 0)
        and (liveness is None or _is_liveness(liveness))
        and (track is None or is_count(track))
        and _is_box(face["box"])
    )


def _is_liveness(found: object) -> bool:
    optional = ("doubt", "texture", "depth", "context", "blinks", "challenge")
    if not isinstance(found, dict) or not _has_keys(found, "verdict frames", optional):
        return False
    doubt, challenge = found.get("doubt"), found.get("challenge")
    scores = [found.get(key) for key in ("texture", "depth", "context")]
    return (
        _is_word(found["verdict"], VERDICTS)
        and (doubt is None or _is_word(doubt, DOUBTS))
        and (doubt is None) == (found["verdict"] == "live")
        and is_count(found["frames"])
        and is_count(found.get("blinks", 0))
        and all(score is None or (_is_number(score, 0) and score <= 1) for score in scores)
        and (challenge is None or _is_result(challenge))
    )


def _is_result(found: object) -> bool:
    if not isinstance(found, dict) or not _has_keys(found, "id state", ("seen",)):
        return False
    seen = found.get("seen")
    return (
        is_id(found["id"])
        and _is_word(found["state"], ("pending", "passed", "failed"))
        and (seen is None or _is_word(seen, ACTIONS))
    )


def _is_word(value: object, words: tuple[str, ...]) -> bool:
    return isinstance(value, str) and value in words


def _is_box(box: object) -> bool:
    if not isinstance(box, dict) or not _has_keys(box, "left top width height"):
        return False
    sides = list(box.values())
    return (
        all(type(side) is int and -100_000 <= side <= 100_000 for side in sides)
        and box["width"] > 0
        and box["height"] > 0
    )


def _is_number(value: object, least: float) -> bool:
    """A finite number (json reads NaN, too), and no boolean, which Python counts among the whole numbers."""
    if type(value) not in (int, float):
        return False
    try:
        number = float(value)  # type: ignore[arg-type]
    except OverflowError:
        return False
    return math.isfinite(number) and number >= least


def _has_keys(found: dict[str, Any], needed: str, optional: tuple[str, ...] = ()) -> bool:
    return set(needed.split()) <= set(found) <= {*needed.split(), *optional}


def _order(payload: bytes, needed: str, optional: tuple[str, ...]) -> dict[str, Any] | None:
    """What people send: words, or a JSON object, of which the words are the most important part."""
    bare = payload.strip()
    if len(payload) > 1024:
        return None
    if bare.startswith(b"{"):
        found = _object(bare, needed, ("source", *optional))
        return found if found is not None and is_text(found["source"]) else None
    try:
        words = bare.decode("utf-8")
    except UnicodeDecodeError:
        return None
    values = [part.strip() for part in words.rsplit(" until ", 1)] if " " in needed else [words]
    if len(values) != len(needed.split()):
        return None
    return dict.fromkeys(("source", *optional)) | dict(zip(needed.split(), values, strict=True))


def _composed(found: dict[str, Any]) -> dict[str, Any]:
    """A name is the same however it was typed: people type it in parts, or whole."""
    person = found["person"]
    return found | {"person": person if person is None else unicodedata.normalize("NFC", person)}


def _object(payload: bytes, needed: str, optional: tuple[str, ...] = ()) -> dict[str, Any] | None:
    """A JSON object with these keys and no others; those left out are None."""
    try:
        text = payload.decode("utf-8")
        found = json.loads(text, object_pairs_hook=_unicode if "\\u" in text else None)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not _has_keys(found, needed, optional):
        return None
    return dict.fromkeys(optional) | found


def _unicode(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """json reads half a surrogate pair; no UTF-8 can hold it."""
    json.dumps(pairs, ensure_ascii=False).encode("utf-8")
    return dict(pairs)
