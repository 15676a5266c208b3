"""How long one unlock lasts, and what people may make of it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.door.hold import Hold
from agents.runtime.flood import BURST
from agents.wire.messages import BadMessage, Refusal
from agents.wire.orders import HoldOrder, plain_number
from tests.door.orders import HOLD_S, MAX_HOLD_S, door_settings
from tests.fakes import after


def new_hold() -> Hold:
    return Hold(door_settings())


def refusal_of(hold: Hold, payload: bytes, retain: bool = False) -> Refusal:
    with pytest.raises(BadMessage) as caught:
        hold.obey(payload, retain, after(0))
    assert str(caught.value).isprintable()
    return caught.value.refusal


@pytest.mark.parametrize(
    ("payload", "hold_s", "source"),
    [
        (b"4.5", 4.5, None),
        (b" 7\r\n", 7.0, None),
        (b"0.5", 0.5, None),
        (b"10", MAX_HOLD_S, None),
        (b"007.50", 7.5, None),
        (b'{"hold_s":4.5,"source":"Ana, phone"}', 4.5, "Ana, phone"),
        (b'{"hold_s":7}', 7.0, None),
    ],
)
def test_a_number_of_seconds_within_the_bounds_is_obeyed(payload: bytes, hold_s: float, source: str | None) -> None:
    hold = new_hold()
    assert hold.obey(payload, False, after(0)) == HoldOrder(hold_s=hold_s, source=source)
    assert hold.s == hold_s


BAD = {
    "too short": b"0.4999",
    "nothing at all": b"0",
    "too long": b"10.001",
    "endless": b"9" * 400,
    "endless in JSON": b'{"hold_s":1e999}',
    "not a number": b"nan",
    "infinite": b"inf",
    "negative": b"-3",
    "with a sign": b"+3",
    "with a comma": b"4,5",
    "with an exponent": b"1e0",
    "in Python's own way": b"1_0",
    "in another script": "٣".encode(),
    "with its unit": b"3 s",
    "empty": b"",
    "not UTF-8": b"\xff",
    "a word": b"UNLOCK",
    "a list": b"[3]",
    "true": b'{"hold_s":true}',
    "text in JSON": b'{"hold_s":"3"}',
    "no number in JSON": b'{"source":"Ana"}',
    "an unknown key": b'{"hold_s":3,"door":"back"}',
    "cut short": b'{"hold_s":3',
    "a deep nest": b'{"hold_s":' * 100,
}


@pytest.mark.parametrize("payload", BAD.values(), ids=BAD)
def test_what_is_no_number_within_the_bounds_changes_nothing(payload: bytes) -> None:
    hold = new_hold()
    assert refusal_of(hold, payload) is Refusal.MALFORMED
    assert hold.s == HOLD_S


def test_what_is_retained_or_too_large_changes_nothing() -> None:
    hold = new_hold()
    assert refusal_of(hold, b"5", retain=True) is Refusal.RETAINED
    assert refusal_of(hold, b"5" + b" " * 2000) is Refusal.TOO_LARGE
    assert hold.s == HOLD_S


def test_of_a_flood_the_first_are_obeyed_and_the_others_are_counted() -> None:
    hold = new_hold()
    for _ in range(BURST):
        assert hold.obey(b"5", False, after(0)) is not None
    for _ in range(7):
        assert hold.obey(b"6", False, after(0)) is None
    assert (hold.s, hold.unanswered(after(0)), hold.unanswered(after(1))) == (5.0, 7, 0)
    assert hold.obey(b"6", False, after(1)) is not None


@given(st.floats(0, MAX_HOLD_S * 2) | st.integers(-1, 20), st.booleans())
def test_whatever_is_sent_the_hold_time_stays_within_its_bounds(wanted: float, as_json: bool) -> None:
    hold = new_hold()
    payload = json.dumps({"hold_s": wanted}) if as_json else str(wanted)
    try:
        hold.obey(payload.encode(), False, after(0))
    except BadMessage:
        assert hold.s == HOLD_S
    else:
        assert hold.s == wanted
    assert 0.5 <= hold.s <= MAX_HOLD_S


@pytest.mark.parametrize(("value", "text"), [(3.0, "3"), (30, "30"), (4.5, "4.5"), (1e-05, "0.00001"), (0.1, "0.1")])
def test_a_number_is_told_in_the_shortest_decimal_text(value: float, text: str) -> None:
    assert plain_number(value) == text


@given(st.floats(min_value=0, exclude_min=True, allow_infinity=False))
def test_what_is_told_is_read_as_the_very_same_number(value: float) -> None:
    assert HoldOrder.read(plain_number(value).encode()).hold_s == value
