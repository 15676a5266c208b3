"""The hold time at the agent: set over MQTT, answered, remembered, and never in a pulse's way."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from agents.door.agent import CHECK_S
from agents.runtime.flood import BURST
from agents.wire.topics import HOLD_SET
from tests.door.house import Build, House
from tests.door.orders import HOLD_S, MAX_HOLD_S


def file_of(house: House) -> Path:
    return house.data / "door-front.hold.json"


def set_and_end(house: House, payload: str) -> None:
    house.start()
    house.connect()
    house.order(payload, HOLD_SET)
    house.agent.close()


def pulse_s(house: House) -> float:
    house.order("UNLOCK")
    return house.wait_s if house.relay_is_on else 0.0


def test_an_order_is_answered_with_what_holds_and_so_is_one_that_is_refused(house: House) -> None:
    for payload in ("0.75", '{"hold_s":0.75,"source":"Ana"}', "400", "four", ""):
        house.order(payload, HOLD_SET)
    house.order("5", HOLD_SET, retain=True)
    assert house.holds == ["3"] + ["0.75"] * 6
    assert house.agent.report().counters["hold_refused"] == 4
    assert pulse_s(house) == 0.75
    assert house.reasons == [None]


def test_the_log_says_who_set_it_and_what_was_refused(house: House, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        house.order('{"hold_s":4.5,"source":"Ana,\\nphone"}', HOLD_SET)
        house.order("3", HOLD_SET)
        house.order("400", HOLD_SET)
    assert [record.getMessage() for record in caplog.records] == [
        "hold_s is 4.5, was 3, by Ana, phone",
        "hold_s is 3, was 4.5, by a command over MQTT",
        "refused an order for hold_s: 400 s: an unlock lasts at least 0.5 s and at most 10 s",
    ]


def test_a_flood_is_counted_and_answered_once_with_what_holds(house: House) -> None:
    for n in range(BURST):
        house.say(str(1 + n % 2), HOLD_SET)
    for _ in range(500):
        house.say("7", HOLD_SET)
    house.settle()
    answered = len(house.holds)
    assert answered <= BURST + 3
    house.until(2)
    assert house.holds[-1] == "2"
    assert len(house.holds) <= answered + 1
    assert house.agent.report().counters["hold_refused"] == 500


def test_orders_on_the_hold_time_take_nothing_from_commands_and_tell_no_events(house: House) -> None:
    for _ in range(3 * BURST):
        house.order("x", HOLD_SET)
    house.order("UNLOCK")
    assert house.relay_is_on
    assert house.told == ["unlocked"]


def test_it_is_remembered_over_a_restart(build: Build) -> None:
    set_and_end(build(), "4.5")
    again = build().start()
    again.connect()
    assert again.holds == ["4.5"]
    again.order("UNLOCK")
    again.until(4.375)
    assert again.relay_is_on
    again.until(4.5)
    assert not again.relay_is_on


def test_it_is_remembered_a_moment_later_also_by_a_door_that_is_killed(build: Build, tmp_path: Path) -> None:
    house = build().start()
    house.connect()
    house.order("4.5", HOLD_SET)
    house.until(CHECK_S)
    again = build(house.copy_disk(tmp_path / "copy")).start()
    again.connect()
    assert again.holds == ["4.5"]


def test_nothing_is_written_while_the_strike_is_released(house: House) -> None:
    house.order("UNLOCK")
    house.order("4.5", HOLD_SET)
    house.until(HOLD_S - 0.125)
    assert not file_of(house).exists()
    house.until(HOLD_S + CHECK_S)
    assert file_of(house).exists()


def test_what_was_never_set_is_not_written(build: Build) -> None:
    house = build().start()
    house.connect()
    house.order("400", HOLD_SET)
    house.until(2 * CHECK_S)
    house.agent.close()
    assert not file_of(house).exists()


def test_when_the_houses_file_says_another_hold_time_it_counts_and_the_memory_is_gone_for_good(build: Build) -> None:
    set_and_end(build(), "4.5")
    newer = build(hold_s=5.0).start()
    newer.connect()
    assert newer.holds == ["5"]
    newer.agent.close()
    old_again = build().start()
    old_again.connect()
    assert old_again.holds == ["3"]


def test_what_is_out_of_bounds_by_now_is_forgotten(build: Build) -> None:
    set_and_end(build(), str(MAX_HOLD_S))
    house = build(max_hold_s=5.0).start()
    house.connect()
    assert house.holds == ["3"]


@pytest.mark.parametrize("content", [b"", b"\xff", b"{}", b'{"hold_s":-1,"configured_s":3}', b"[" * 100_000])
def test_a_damaged_file_ends_no_door_and_the_next_order_mends_it(
    build: Build, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    house = build()
    house.data.mkdir()
    file_of(house).write_bytes(content)
    house.start()
    house.connect()
    assert house.holds == ["3"]
    assert any("as configured" in record.getMessage() for record in caplog.records)
    house.order("4.5", HOLD_SET)
    house.agent.close()
    again = build().start()
    again.connect()
    assert again.holds == ["4.5"]


def test_a_disk_that_can_not_be_written_is_a_problem_until_it_can_and_the_order_holds_all_the_while(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full)
        house.order("4.5", HOLD_SET)
        house.until(5 * CHECK_S)
        assert "door-front.hold.json: can't be written" in house.problem
        assert [record for record in caplog.records if "No space" in record.getMessage()] == caplog.records[-1:]
    assert house.holds[-1] == "4.5"
    house.until(7 * CHECK_S)
    assert house.problem == ""
    assert file_of(house).exists()
