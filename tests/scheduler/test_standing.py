"""What people have switched, and until when somebody is let in."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.runtime.clock import Now
from agents.scheduler.standing import LONGEST_S, Standing
from agents.wire.messages import BadMessage, Refusal
from agents.wire.scheduling import MAX_LET_IN, LetIn, LetInOrder

ZAGREB = ZoneInfo("Europe/Zagreb")
ZONES = ["Europe/Zagreb", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/St_Johns"]
NOON = datetime(2027, 1, 15, 12, 0, tzinfo=ZAGREB)
SPRING, AUTUMN = (2027, 3, 28), (2027, 10, 31)  # 02:00 to 03:00 does not come, or comes twice


def now(at: datetime = NOON, utc_is_set: bool = True) -> Now:
    return Now(at.timestamp(), 5000.0, utc_is_set)


def admit(standing: Standing, payload: str, at: datetime = NOON, zone: ZoneInfo = ZAGREB) -> Standing:
    """Raises BadMessage."""
    return standing.admit("front", LetInOrder.read(payload.encode()), now(at), zone)


def until(payload: str, at: datetime = NOON) -> datetime:
    (one,) = admit(Standing(), payload, at).people("front").people
    return datetime.fromtimestamp(one.until, ZAGREB)


def refusal(standing: Standing, payload: str, at: Now) -> Refusal:
    with pytest.raises(BadMessage) as error:
        standing.admit("front", LetInOrder.read(payload.encode()), at, ZAGREB)
    return error.value.refusal


# Switches


def test_a_door_that_nobody_switched_is_on_and_away_is_off() -> None:
    assert Standing().is_enabled("front")
    assert not Standing().away


def test_each_door_has_its_own_switch() -> None:
    standing = Standing().switch("front", False).switch("back", True).switch_away(True)
    assert [standing.is_enabled(door) for door in ("front", "back", "yard")] == [False, True, True]
    assert standing.switch("front", True).is_enabled("front")
    assert standing.away
    assert not standing.switch_away(False).away


def test_what_was_switched_survives_the_file() -> None:
    standing = admit(
        Standing().switch("front", False).switch_away(True), '{"person":"Ana","until":"22:00","source":"x"}'
    )
    assert Standing.decode(standing.encode()) == standing


# Who is let in


def test_somebody_is_let_in_at_that_door_until_then() -> None:
    standing = admit(Standing(), "Ana until 22:00")
    ten = NOON.replace(hour=22).timestamp()
    assert standing.people("front").people == (LetIn(person="Ana", until=ten, source=None, asked_at=NOON.timestamp()),)
    assert standing.admits("front", "Ana", ten - 0.01) is not None
    assert standing.admits("front", "Ana", ten) is None
    assert standing.admits("front", "Bob", ten - 0.01) is None
    assert standing.admits("back", "Ana", ten - 0.01) is None


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ("Ana until 22:00", NOON.replace(hour=22)),
        ("  Ana until Friday until 13:05 \n", NOON.replace(hour=13, minute=5)),
        ("Ana until 9:30", NOON.replace(day=16, hour=9, minute=30)),
        ("Ana until 12:00", NOON.replace(day=16)),
        ('{"person": "Ana", "until": "00:00"}', NOON.replace(day=16, hour=0)),
        (f'{{"person": "Ana", "until": {NOON.timestamp() + 60}}}', NOON.replace(minute=1)),
        (f'{{"person": "Ana", "until": {int(NOON.timestamp()) + 60}}}', NOON.replace(minute=1)),
        (f'{{"person": "Ana", "until": {NOON.timestamp() + LONGEST_S}}}', NOON + timedelta(days=31)),
    ],
)
def test_until_a_time_of_day_is_the_next_one(payload: str, expected: datetime) -> None:
    assert until(payload) == expected


def test_a_name_may_have_several_words_and_the_source_is_kept() -> None:
    people = admit(Standing(), "Ana Marija until Sunday until 22:00").people("front").people
    assert people[0].person == "Ana Marija until Sunday"
    people = admit(Standing(), '{"person":"Ana","until":"22:00","source":"Petra"}').people("front").people
    assert people[0].source == "Petra"


@pytest.mark.parametrize(
    "payload",
    [
        "", "Ana", "until 22:00", "Ana until", "Ana until 24:00", "Ana until 22", "Ana until 1800000000", "Ana 22:00",
        "unknown until 22:00", '{"person":"Ana"}', '{"until":"22:00"}', '{"person":"Ana","until":"tomorrow"}',
        '{"person":"Ana","until":1e30}', '{"person":"Ana","until":true}', '{"person":"Ana","until":"22:00","door":"x"}',
    ],
)  # fmt: skip
def test_what_names_nobody_or_no_time_is_malformed(payload: str) -> None:
    assert refusal(Standing(), payload, now()) is Refusal.MALFORMED


@pytest.mark.parametrize("s", [-1.0, 0.0, LONGEST_S + 1.0])
def test_a_time_that_is_past_or_more_than_a_month_ahead_is_refused(s: float) -> None:
    payload = f'{{"person": "Ana", "until": {NOON.timestamp() + s}}}'
    assert refusal(Standing(), payload, now()) is Refusal.EXPIRED


@pytest.mark.parametrize("payload", ["Ana until 22:00", f'{{"person": "Ana", "until": {NOON.timestamp() + 60}}}'])
def test_who_does_not_know_the_time_lets_nobody_in_until_then(payload: str) -> None:
    assert refusal(Standing(), payload, now(utc_is_set=False)) is Refusal.CLOCK_NOT_SET


def test_a_newer_order_replaces_the_one_before_for_the_same_person() -> None:
    standing = admit(admit(admit(Standing(), "Ana until 22:00"), "Bob until 21:00"), "Ana until 13:00")
    assert {one.person: datetime.fromtimestamp(one.until, ZAGREB).hour for one in standing.people("front").people} == {
        "Ana": 13,
        "Bob": 21,
    }


@pytest.mark.parametrize("utc_is_set", [True, False])
def test_null_ends_it_also_where_the_time_is_not_known(utc_is_set: bool) -> None:
    standing = admit(admit(Standing(), "Ana until 22:00"), "Bob until 22:00")
    order = LetInOrder.read(b'{"person": "Ana", "until": null}')
    standing = standing.admit("front", order, now(utc_is_set=utc_is_set), ZAGREB)
    assert [one.person for one in standing.people("front").people] == ["Bob"]


def full() -> Standing:
    standing = Standing()
    for i in range(MAX_LET_IN):
        standing = admit(standing, f"p{i} until {13 + i // 6}:00")
    return standing


def test_no_more_people_than_fit_in_the_message_and_those_there_can_be_changed() -> None:
    assert refusal(full(), "Ana until 22:00", now()) is Refusal.MALFORMED
    assert len(admit(full(), "p0 until 22:00").people("front").people) == MAX_LET_IN
    assert len(admit(full(), '{"person": "p0", "until": null}').people("front").people) == MAX_LET_IN - 1
    assert len(full().admit("back", LetInOrder(person="Ana", until="22:00"), now(), ZAGREB).people("back").people) == 1


def test_whose_time_is_over_makes_room_for_others() -> None:
    standing = admit(full(), "Ana until 22:00", NOON.replace(hour=13))
    assert len(standing.people("front").people) == MAX_LET_IN - 6 + 1


def test_what_is_over_is_tidied_away_and_the_rest_stays_as_it_is() -> None:
    standing = admit(admit(Standing(), "Ana until 13:00"), "Bob until 14:00")
    one = NOON.replace(hour=13).timestamp()
    assert standing.tidied(one - 0.01) is standing
    assert [left.person for left in standing.tidied(one).people("front").people] == ["Bob"]
    assert standing.tidied(one + 86_400).people("front").people == ()


# The nights in which the clock jumps


@pytest.mark.parametrize(
    ("asked", "clock_time", "hours_later"),
    [
        (datetime(*SPRING, 1, 30, tzinfo=ZAGREB), "03:30", 1.0),
        (datetime(*SPRING, 1, 30, tzinfo=ZAGREB), "02:30", 1.0),  # no clock shows it: as long as the old one would
        (datetime(*SPRING, 3, 30, tzinfo=ZAGREB), "02:30", 23.0),
        (datetime(2027, 3, 27, 12, 0, tzinfo=ZAGREB), "12:00", 23.0),
        (datetime(2027, 3, 27, 13, 0, tzinfo=ZAGREB), "12:00", 22.0),
        (datetime(*AUTUMN, 1, 30, tzinfo=ZAGREB), "02:30", 1.0),
        (datetime(*AUTUMN, 2, 45, tzinfo=ZAGREB), "02:30", 0.75),  # it comes again
        (datetime(*AUTUMN, 2, 45, fold=1, tzinfo=ZAGREB), "02:30", 23.75),
        (datetime(*AUTUMN, 1, 30, tzinfo=ZAGREB), "03:30", 3.0),
        (datetime(2027, 10, 30, 13, 0, tzinfo=ZAGREB), "12:00", 24.0),
    ],
)
def test_in_the_nights_of_the_change_the_clock_on_the_wall_counts(
    asked: datetime, clock_time: str, hours_later: float
) -> None:
    (one,) = admit(Standing(), f"Ana until {clock_time}", asked).people("front").people
    assert (one.until - asked.timestamp()) / 3600 == hours_later


def changes(zone: ZoneInfo) -> list[float]:
    """When clocks jump in two years, or just New Year where they never do."""
    hours = [1_798_761_600.0 + 1800.0 * i for i in range(2 * 366 * 48)]
    offsets = [datetime.fromtimestamp(utc, zone).utcoffset() for utc in hours]
    return [utc for utc, a, b in zip(hours[1:], offsets, offsets[1:], strict=False) if a != b] or hours[:1]


def jump(then: datetime) -> timedelta:
    """By how much clocks jumped within the hour before."""
    an_hour_ago = datetime.fromtimestamp(then.timestamp() - 3600, then.tzinfo)
    return (then.replace(tzinfo=None) - an_hour_ago.replace(tzinfo=None)) - timedelta(hours=1)


CHANGES = [(zone, utc) for zone in map(ZoneInfo, ZONES) for utc in changes(zone)]


@given(
    change=st.sampled_from(CHANGES),
    minutes=st.integers(-3 * 60, 27 * 60),
    hour=st.integers(0, 4) | st.integers(0, 23),
    minute=st.sampled_from([0, 15, 30]) | st.integers(0, 59),
)
def test_until_is_the_first_minute_in_which_the_clock_on_the_wall_shows_it(
    change: tuple[ZoneInfo, float], minutes: int, hour: int, minute: int
) -> None:
    zone, wanted = change[0], f"{hour:02}:{minute:02}"
    asked = datetime.fromtimestamp(change[1] - minutes * 60, zone)
    (one,) = admit(Standing(), f"Ana until {hour}:{minute:02}", asked, zone).people("front").people
    ahead = (asked.timestamp() + 60 * m for m in range(1, 49 * 60))
    first = next(utc for utc in ahead if f"{datetime.fromtimestamp(utc, zone):%H:%M}" == wanted)
    if one.until != first:  # a clock skips it tonight
        then = datetime.fromtimestamp(one.until, zone)
        assert f"{then - jump(then):%H:%M}" == wanted
        assert asked.timestamp() < one.until < first
