"""What nobody should send: pieces of JSON by hand, and JSON put together from them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cache

from tests.fuzz.reader import Reader

FRAGMENTS: tuple[bytes, ...] = (
    # numbers
    *(b"NaN", b"Infinity", b"-Infinity", b"1e400", b"-1e400", b"1e-400", b"1e5", b"-0.0", b"-0", b"0", b"1", b"-1"),
    *(b"1.0", b"1.5", b"01", b"1.", b".5", b"+1", b"0x10", b"1_000", b"9007199254740991", b"9007199254740992"),
    *(b"9" * 400, b"-" + b"9" * 400, b"9" * 5000, b"0." + b"1" * 400, b"100000000000", b"99999999999.99999"),
    *(b"1800000000000", b'"1800000000"', b"1800000000", b"1800000001.9999999", b"-100001", b"100001"),
    # things of another kind
    *(b"true", b"false", b"null", b"", b"[]", b"{}", b"[null]", b"[[]]", b'{"a":1}', b"undefined", b"'x'", b"TRUE"),
    # text
    *(b'""', b'" "', b'"a"', b'"a b"', b'"a/b"', b'"+"', b'"#"', b'"UNLOCK"', b'"OPEN"', b'"LOCK"', b'"unlock"'),
    *(b'"UNLOCK "', b'"UNLOCK\\n"', b'"UNLOCK\\u0000"', b'"\\u0055NLOCK"', b'"none"', b'"Unknown"', b'"Ana"'),
    *(b'"Ana "', b'"\\u0000"', b'"\\n"', b'"\n"', b'"a\x00b"', b'"\\u001b[2J"', b'"\\ud800"', b'"\\udc00\\ud800"'),
    *(b'"\\ud83d\\ude00"', b'"\xed\xa0\x80"', b'"\xff"', b'"\xc0\xaf"', b'"\xef\xbb\xbf"', b"\xef\xbb\xbf", b'"\\x41"'),
    *(b'"\\u202e"', b'"\\u2028"', b'"\\u0085"', b'"\\u00a0Ana"', b'"e\\u0301"', b'"\\ufb03"', b'"\\uff21na"'),
    *('"ẞ"'.encode(), '"١٢"'.encode(), '"Ana Kovač"'.encode(), '"🚪"'.encode(), '"ﬀ"'.encode(), '"nonﬁ"'.encode()),
    *(b'"' + b"a" * n + b'"' for n in (32, 33, 64, 65, 200, 201, 16_000)),
    *(b'"' + "č".encode() * n + b'"' for n in (64, 65, 200, 201)),
    # what breaks the object around it
    *(b'"', b"\\", b",", b"}", b"{", b"]", b"[", b'1,"action":"UNLOCK"', b'null,"session":null', b'"a"}{"', b"/**/1"),
    *(b"1 2", b"\x00", b"[" * 500, b"[" * 150 + b"]" * 150, b'{"a":' * 300, b"[" * 30_000, b'{"a":' * 150 + b"1"),
)
KEYS = (
    *("action", "session", "ts", "source", "id", "person", "expires_at", "camera", "captured_at", "seq", "faces"),
    *("distance", "margin", "box", "sharpness", "liveness", "track", "event_type", "at", "cause", "reason", "detail"),
    *("verdict", "doubt", "texture", "depth", "context", "blinks", "challenge", "state", "seen", "text", "asked_at"),
    *("", "x", "__class__", "\x00", "\x1b[2J", "ts ", "TS", "a" * 300, "\ud800", "\ufeffaction", "model_config"),
)
AROUND = (b"", b" ", b"\n", b"\r\n", b"\x0b", b"\x00", b"\xef\xbb\xbf", b"\x85", b"\xc2\xa0", b" " * 1024)

Pair = tuple[str, bytes]


def text(value: object) -> bytes:
    """The value as a fragment."""
    return json.dumps(value).encode()


@cache
def _key(key: str) -> bytes:
    return text(key) + b":"


def obj(pairs: Sequence[Pair]) -> bytes:
    """An object of these keys and fragments, whether or not that is JSON."""
    return b"{" + b",".join(_key(key) + value for key, value in pairs) + b"}"


def damaged(reader: Reader, pairs: Sequence[Pair]) -> list[Pair]:
    """The pairs; or with one of them changed, gone, given twice, or with a stranger among them."""
    found, kind = list(pairs), reader.number() % 16
    if kind >= 4 or not found:
        return found
    at = reader.number() % len(found)
    if kind == 0:
        found[at] = (found[at][0], reader.pick(FRAGMENTS))
    elif kind == 1:
        del found[at]
    elif kind == 2:
        found.insert(at, (found[reader.number() % len(found)][0], reader.pick(FRAGMENTS)))
    else:
        found.insert(at, (reader.pick(KEYS), reader.pick(FRAGMENTS)))
    return found


def payload(reader: Reader, *makers: Callable[[Reader], bytes]) -> bytes:
    """Bytes as they come, or what one of the makers makes, now and then with something around it or in it."""
    kind = reader.number()
    if kind == 0:
        return reader.blob()
    made = makers[kind % len(makers)](reader)
    change = reader.number()
    if change == 1:
        return reader.pick(AROUND) + made + reader.pick(AROUND)
    if change == 2:
        at = reader.number() * len(made) // 256
        return made[:at] + reader.blob() + made[at + reader.number() % 8 :]
    return made


RAW = b"\x00"
"""Before a blob, what `payload` reads as that blob."""
