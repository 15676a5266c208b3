"""How often somebody is let in, and what too many strangers lead to."""

from __future__ import annotations

from typing import Any

import pytest

from agents.runtime.clock import Now
from agents.scheduler.config import DoorPolicy
from agents.scheduler.limits import REMEMBERED_PEOPLE, Limits
from agents.wire.why import Why

T = 1_800_000_000.0


def now(s: float, utc_jump_s: float = 0.0) -> Now:
    return Now(T + s + utc_jump_s, 5000.0 + s)


def limits(**policy: Any) -> Limits:
    return Limits(DoorPolicy.model_validate({"cameras": ["front", "back"], **policy}))


def why(of: Limits, person: str, s: float, camera: str = "front") -> Why | None:
    objection = of.objection(person, camera, now(s))
    return None if objection is None else objection.why


def strangers(of: Limits, times: int, s: float, camera: str = "front") -> None:
    for _ in range(times):
        of.stranger(camera, now(s))


# Cool-down


def test_a_cool_down_lasts_as_long_as_it_says_and_says_how_long_still() -> None:
    one = limits(cool_down_s=10.0)
    one.granted("Ana", "front", now(0))
    objection = one.objection("Ana", "back", now(4.0))
    assert objection is not None
    assert (objection.why, objection.detail) == (Why.COOL_DOWN, "for 6 s more")
    assert (why(one, "Ana", 9.99), why(one, "Ana", 10.0), why(one, "Bob", 0.0)) == (Why.COOL_DOWN, None, None)


def test_a_jump_of_the_wall_clock_shortens_nothing() -> None:
    one = limits(cool_down_s=10.0, grants_per_minute=1, lock_out={"after": 1})
    one.granted("Ana", "front", now(0))
    one.stranger("back", now(0))
    for camera, person, expected in [
        ("front", "Ana", Why.COOL_DOWN), ("front", "Bob", Why.TOO_MANY), ("back", "Bob", Why.LOCKED_OUT),
    ]:  # fmt: skip
        objection = one.objection(person, camera, now(1.0, utc_jump_s=86_400.0))
        assert objection is not None
        assert objection.why is expected


def test_without_a_cool_down_there_is_none() -> None:
    one = limits(cool_down_s=0.0)
    one.granted("Ana", "front", now(0))
    assert why(one, "Ana", 0.0) is None


def test_whoever_is_still_in_the_cool_down_is_not_forgotten_however_many_come() -> None:
    one = limits(cool_down_s=3600.0, grants_per_minute=1000)
    for i in range(REMEMBERED_PEOPLE + 200):
        one.granted(f"p{i}", "front", now(i))
    assert why(one, "p0", 1300.0) is Why.COOL_DOWN
    one.granted("last", "front", now(9000.0))
    assert [why(one, "p0", 9000.0), why(one, "last", 9000.0)] == [None, Why.COOL_DOWN]


# Grants a minute


def test_in_no_minute_are_more_people_let_in_than_the_policy_says() -> None:
    one = limits(grants_per_minute=3)
    for person, s in (("Ana", 0.0), ("Bob", 10.0), ("Cem", 20.0)):
        assert why(one, person, s) is None
        one.granted(person, "front", now(s))
    assert [why(one, "Dia", s) for s in (20.0, 59.99, 60.0)] == [Why.TOO_MANY, Why.TOO_MANY, None]
    one.granted("Dia", "back", now(60.0))
    assert [why(one, "Eva", s) for s in (69.99, 70.0)] == [Why.TOO_MANY, None]
    objection = one.objection("Eva", "front", now(65.0))
    assert objection is not None
    assert objection.detail == "3 in the last minute"


# Lock-out


def test_too_many_strangers_lock_their_camera_and_no_other() -> None:
    one = limits(lock_out={"after": 3, "for_s": 60.0})
    strangers(one, 2, 0.0)
    assert (why(one, "Ana", 1.0), one.locked_out(now(1.0))) == (None, [])
    strangers(one, 1, 1.0)
    objection = one.objection("Ana", "front", now(11.0))
    assert objection is not None
    assert objection.why is Why.LOCKED_OUT
    assert objection.detail == "camera front saw too many strangers; for 50 s more"
    assert why(one, "Ana", 11.0, "back") is None
    assert one.locked_out(now(60.9)) == ["front"]
    assert (why(one, "Ana", 60.99), why(one, "Ana", 61.0), one.locked_out(now(61.0))) == (Why.LOCKED_OUT, None, [])


def test_strangers_of_long_ago_do_not_count() -> None:
    one = limits(lock_out={"after": 3, "within_s": 100.0})
    for s in (0.0, 60.0, 101.0, 162.0):
        strangers(one, 1, s)
    assert one.locked_out(now(162.0)) == []
    strangers(one, 1, 200.0)
    assert one.locked_out(now(200.0)) == ["front"]


def test_each_lock_out_is_twice_as_long_as_the_one_before_up_to_a_limit() -> None:
    one = limits(lock_out={"after": 2, "for_s": 60.0, "at_most_s": 300.0})
    s = 0.0
    for length_s in (60.0, 120.0, 240.0, 300.0, 300.0):
        strangers(one, 2, s)
        assert one.locked_out(now(s + length_s - 0.01)) == ["front"]
        assert one.locked_out(now(s + length_s)) == []
        s += length_s


def test_after_a_thousand_lock_outs_it_still_counts() -> None:
    one = limits(lock_out={"after": 1, "for_s": 1.0, "at_most_s": 10.0})
    for i in range(1200):
        strangers(one, 1, i * 10.0)
    assert one.locked_out(now(1199 * 10.0 + 9.9)) == ["front"]


def test_a_lock_out_that_is_long_over_does_not_make_the_next_one_longer() -> None:
    """Whom the strangers of Friday keep out on Monday are the people of the house."""
    of = limits(lock_out={"after": 1, "within_s": 10, "for_s": 60, "at_most_s": 900})
    for s in (0, 1000, 1100):
        strangers(of, 1, s)
    assert why(of, "Ana", 1100 + 119) is Why.LOCKED_OUT
    strangers(of, 1, 1220 + 901)
    assert why(of, "Ana", 1220 + 901 + 59) is Why.LOCKED_OUT
    assert why(of, "Ana", 1220 + 901 + 61) is None


def test_strangers_during_a_lock_out_neither_prolong_it_nor_count_for_the_next() -> None:
    one = limits(lock_out={"after": 2, "for_s": 60.0})
    strangers(one, 2, 0.0)
    strangers(one, 50, 59.0)
    assert one.locked_out(now(60.0)) == []
    strangers(one, 1, 60.0)
    assert one.locked_out(now(60.0)) == []
    strangers(one, 1, 61.0)
    assert one.locked_out(now(180.9)) == ["front"], "and this one is twice as long"


def test_somebody_let_in_by_the_camera_ends_its_count_and_its_back_off() -> None:
    one = limits(lock_out={"after": 2, "for_s": 60.0})
    strangers(one, 2, 0.0)
    strangers(one, 1, 70.0)
    one.granted("Bob", "back", now(71.0))
    strangers(one, 1, 72.0)
    assert one.locked_out(now(72.0)) == ["front"], "at another camera it changes nothing"
    one.granted("Ana", "front", now(200.0))
    strangers(one, 1, 201.0)
    assert one.locked_out(now(201.0)) == []
    strangers(one, 1, 202.0)
    assert one.locked_out(now(262.0)) == []


def test_without_a_lock_out_no_camera_is_ever_locked() -> None:
    one = limits(lock_out=None)
    strangers(one, 1000, 0.0)
    assert (why(one, "Ana", 0.0), one.locked_out(now(0.0))) == (None, [])


@pytest.mark.parametrize("reason", [Why.LOCKED_OUT, Why.COOL_DOWN, Why.TOO_MANY])
def test_the_lock_out_is_told_before_the_cool_down_and_that_before_the_crowd(reason: Why) -> None:
    one = limits(grants_per_minute=1, lock_out={"after": 1} if reason is Why.LOCKED_OUT else None)
    one.granted("Ana", "front", now(0.0))
    strangers(one, 1, 0.0)
    assert why(one, "Bob" if reason is Why.TOO_MANY else "Ana", 1.0) is reason
