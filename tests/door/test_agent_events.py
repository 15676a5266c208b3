"""What the door did is never lost: on disk before the relay moves, at the broker in order, told by the next run."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.door import pins
from agents.door.agent import ACKNOWLEDGED_S, LATE_S
from agents.door.relay import GRACE_S
from agents.runtime.events import Connected, ReplyTo
from agents.runtime.outbox import WINDOW
from agents.runtime.spool import Spool
from agents.wire.topics import EVENT
from tests.door.house import BUTTON_PIN, RELAY_PIN, Build, House
from tests.door.orders import HOLD_S, MAX_HOLD_S, SETTLE_S, command
from tests.runtime.test_spool import failing_disk

WAITS = ReplyTo(("unlock", "w1"))


# The next run


def test_an_opening_is_on_disk_before_the_relay_moves(house: House, build: Build, tmp_path: Path) -> None:
    """Killed at that very moment: whether it opened, nobody knows; that it may have, the next run tells, once."""
    house.wire(RELAY_PIN).on_change = lambda high: house.copy_disk(tmp_path / f"killed-{high}")
    house.order(command(id="c1"))
    house.until(HOLD_S)
    following = build(tmp_path / "killed-True").start()
    following.connect()
    told = [(event["seq"], event["event_type"], event["cause"], event["id"]) for event in following.events]
    assert told == [(1, "unlocked", "command", "c1"), (2, "locked", "restart", None)]
    assert [event["cause"] for event in build(tmp_path / "killed-True").start().on_disk] == ["command", "restart"]


def test_that_the_relay_went_off_is_not_told_before_it_is(house: House, build: Build, tmp_path: Path) -> None:
    house.press()
    house.wire(RELAY_PIN).on_change = lambda high: house.copy_disk(tmp_path / "killed")
    house.until(10)
    following = build(tmp_path / "killed").start()
    assert [(event["event_type"], event["cause"]) for event in following.on_disk] == [
        ("unlocked", "button"),
        ("locked", "restart"),
    ]


def in_a_pulse(house: House) -> None:
    house.order("UNLOCK")


def in_a_pulse_that_was_extended(house: House) -> None:
    house.order("UNLOCK")
    house.order("UNLOCK")


def in_a_pulse_with_more_to_tell(house: House) -> None:
    house.press()
    house.swing(is_open=True)
    house.order(b"\xff")


def after_a_pulse(house: House) -> None:
    house.order("UNLOCK")
    house.until(HOLD_S)
    house.order(b"\xff")


def as_it_was_told_to(house: House) -> None:
    house.order("UNLOCK")
    house.agent.close()


def before_anything_happened(house: House) -> None:
    house.settle()


@pytest.mark.parametrize(
    ("ended", "open_"),
    [
        (in_a_pulse, True),
        (in_a_pulse_that_was_extended, True),
        (in_a_pulse_with_more_to_tell, True),
        (after_a_pulse, False),
        (as_it_was_told_to, False),
        (before_anything_happened, False),
    ],
)
def test_a_run_that_ended_open_is_brought_to_its_end_once_by_the_next(
    house: House, build: Build, ended: Callable[[House], None], open_: bool
) -> None:
    """The relay is off by then."""
    ended(house)
    for _ in range(2):
        following = build().start()
        told = [event["event_type"] for event in following.on_disk if event["cause"] == "restart"]
        assert told == ["locked"] * open_
        assert not following.relay_is_on


def test_what_the_broker_has_is_not_told_again_by_the_next_run_and_what_it_has_not_is(
    house: House, build: Build
) -> None:
    house.order("UNLOCK")
    house.session.acknowledges = False
    house.order("LOCK")
    following = build().start()
    following.connect()
    assert [(event["seq"], event["event_type"]) for event in following.events] == [(2, "locked")]


def test_a_door_that_ended_jammed_is_brought_to_its_end_by_the_next_run(house: House, build: Build) -> None:
    """Its state says LOCKED then; whoever follows the events would not know."""
    house.order("UNLOCK")
    house.wire(RELAY_PIN).refuses = (False,)
    house.until(HOLD_S)
    assert house.relay_is_on
    assert [(event["event_type"], event["cause"]) for event in build().start().on_disk][-1] == ("locked", "restart")


def test_the_relay_is_off_before_the_disk_is_touched(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be on since the run before, and the disk may take its time, or for ever."""
    relay_is: list[str] = []

    def watched(*args: Any) -> Spool:
        relay_is.append(pins.factory("mock").pin(RELAY_PIN).function)
        return Spool(*args)

    monkeypatch.setattr("agents.runtime.outbox.Spool", watched)
    build().start()
    assert relay_is == ["output"]


# The broker


def test_events_wait_for_the_broker_and_reach_it_in_order(house: House) -> None:
    house.order("UNLOCK")
    house.disconnect()
    house.until(4)
    house.press()
    house.until(10)
    assert house.told == ["unlocked"]
    house.connect()
    assert [(event["seq"], event["event_type"]) for event in house.events] == [
        (1, "unlocked"),
        (2, "locked"),
        (3, "unlocked"),
        (4, "locked"),
    ]


def locks(house: House, n: int) -> None:
    """As many events, not so fast that they were a flood."""
    for _ in range(n):
        house.order("LOCK")
        house.clock.pass_(0.25)


def test_no_more_are_under_way_than_the_window_and_answers_make_room(house: House) -> None:
    house.disconnect()
    locks(house, 2 * WINDOW)
    house.session.acknowledges = False
    house.connect()
    assert len(house.events) == WINDOW
    house.session.acknowledges = True
    house.session.answer_all()
    house.settle()
    assert [event["seq"] for event in house.events] == list(range(1, 2 * WINDOW + 1))


# Its end


def test_at_its_end_the_broker_gets_the_last_events_and_the_last_state(house: House, build: Build) -> None:
    house.disconnect()
    locks(house, 2 * WINDOW)
    house.connect()
    house.order("UNLOCK")
    at = house.clock.s
    house.agent.close()
    assert not house.relay_is_on
    assert house.told == ["locked"] * 2 * WINDOW + ["unlocked", "locked"]
    assert house.events[-1]["cause"] == "stop"
    assert house.states == ["LOCKED", "LOCKED", "UNLOCKED", "LOCKED"]
    assert house.clock.s == at
    following = build().start()
    following.connect()
    assert following.events == []


def test_at_its_end_it_waits_for_a_silent_broker_for_so_long_and_no_longer(house: House, build: Build) -> None:
    house.session.acknowledges = False
    house.order("UNLOCK")
    house.say("UNLOCK")
    house.inbox.put(Connected(99))
    house.agent.close()
    assert house.clock.s == ACKNOWLEDGED_S
    assert not house.relay_is_on
    assert house.told == ["unlocked", "locked"]
    following = build().start()
    following.connect()
    assert following.told == ["unlocked", "locked"]


def test_answers_that_come_late_but_in_time_are_taken_at_its_end(house: House, build: Build) -> None:
    house.session.acknowledges = False
    house.order("UNLOCK")

    def answer() -> None:
        house.clock.pass_(ACKNOWLEDGED_S - 0.125)
        house.session.acknowledges = True
        house.session.answer_all()

    house.inbox.acts = [answer]
    house.agent.close()
    assert house.clock.s == ACKNOWLEDGED_S - 0.125
    following = build().start()
    following.connect()
    assert following.events == []


@pytest.mark.parametrize("how", ["never there", "lost", "lost meanwhile"])
def test_at_its_end_nobody_waits_for_a_broker_that_is_gone(build: Build, how: str) -> None:
    house = build().start()
    house.session.acknowledges = False
    house.session.there = False
    if how != "never there":
        house.connect()
    house.press()
    if how == "lost":
        house.disconnect()

    house.inbox.acts = [house.session.lose]
    at = house.clock.s
    house.agent.close()
    assert house.clock.s == at
    assert [event["cause"] for event in build().start().on_disk] == ["button", "stop"]


# The disk


def test_while_the_disk_fails_the_door_works_and_says_so(build: Build, tmp_path: Path) -> None:
    file = tmp_path / "data" / "door-front.events"
    file.mkdir(parents=True)
    house = build().start()
    house.connect()
    assert str(file) in house.problem
    house.order(command(id="c1"), reply_to=WAITS)
    assert house.relay_is_on
    house.until(HOLD_S)
    assert [(event["seq"], event["event_type"]) for event in house.events] == [(None, "unlocked"), (None, "locked")]
    assert house.session.answers[0][1] == house.session.texts(EVENT)[0].encode()
    house.wire(RELAY_PIN).refuses = (True,)
    house.order(command(id="c2"))
    assert house.told[2:] == ["jammed"]
    assert "Input/output error" in house.problem  # the relay's is the worse one
    house.wire(RELAY_PIN).refuses = ()
    house.until(20)
    assert house.told[3:] == ["locked"]
    file.rmdir()
    house.order("LOCK")
    assert (house.events[-1]["seq"], house.events[-1]["event_type"]) == (1, "locked")
    house.until(30)
    assert house.problem == ""


def test_a_disk_that_works_again_is_no_problem_any_more(house: House) -> None:
    with failing_disk():
        house.order("LOCK")
        house.until(5)
        assert house.problem != ""
    house.until(10)
    assert house.problem == ""


SLOW = {"in time": (LATE_S, True), "late": (LATE_S + 0.125, False), "very late": (60.0, False)}


@pytest.mark.parametrize(("stuck_s", "opens"), SLOW.values(), ids=SLOW)
def test_an_order_that_waited_too_long_for_the_disk_opens_nothing_and_is_told_so(
    house: House, stuck_s: float, opens: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    levels: list[bool] = []
    house.wire(RELAY_PIN).on_change = levels.append
    with monkeypatch.context() as slow:
        slow_down(house, stuck_s, slow)
        house.order(command(id="c1"), reply_to=WAITS)
    assert levels == [True] * opens
    assert [(answer.event_type, answer.reason, answer.id) for answer in house.answers] == [
        ("unlocked", None, "c1") if opens else ("rejected", "stale", "c1")
    ]
    assert house.session.answers[0][1].decode() in house.session.texts(EVENT)
    assert ("unlocked" in house.told) is opens
    assert house.states[-1] == ("UNLOCKED" if opens else "LOCKED")
    house.until(house.clock.s + 10)
    house.order("UNLOCK")
    assert house.relay_is_on


def slow_down(house: House, stuck_s: float, patch: pytest.MonkeyPatch) -> None:
    """Every write to the disk takes so long."""
    write = Spool.write

    def slowly(*args: Any) -> int:
        house.clock.pass_(stuck_s)
        return write(*args)

    patch.setattr(Spool, "write", slowly)


def test_an_extension_that_waited_too_long_for_the_disk_ends_the_pulse(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By then the guard may have ended it, and nobody knows."""
    house.order("UNLOCK")
    with monkeypatch.context() as slow:
        slow_down(house, LATE_S + 0.125, slow)
        house.order("UNLOCK", reply_to=WAITS)
    assert not house.relay_is_on
    assert [answer.reason for answer in house.answers] == ["stale"]
    assert house.told == ["unlocked", "rejected", "locked"]


def test_nobody_waits_inside_for_a_disk(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    levels: list[tuple[float, bool]] = []
    house.wire(RELAY_PIN).on_change = lambda on: levels.append((house.clock.s, on))
    with monkeypatch.context() as slow:
        slow_down(house, LATE_S + 0.125, slow)
        house.press()
    assert levels == [(SETTLE_S, True)]
    assert house.told == ["unlocked"]
    house.until(10)
    assert [on for _, on in levels] == [True, False]
    assert house.told == ["unlocked", "locked"]


def test_without_a_disk_and_a_broker_the_exit_button_opens_and_the_broker_is_told_later(
    build: Build, tmp_path: Path
) -> None:
    (tmp_path / "data" / "door-front.events").mkdir(parents=True)
    house = build().start()
    house.press()
    assert house.relay_is_on
    house.until(10)
    house.connect()
    assert [(event["seq"], event["event_type"]) for event in house.events] == [(None, "unlocked"), (None, "locked")]


def test_a_disk_is_flushed_while_the_door_is_locked_and_never_in_a_pulse(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[bool] = []
    flush = house.agent._outbox.flush

    def watched() -> None:
        flushed.append(house.relay_is_on)
        flush()

    monkeypatch.setattr(house.agent._outbox, "flush", watched)
    house.order("UNLOCK")
    house.until(HOLD_S - 0.125)
    assert flushed == []
    house.until(HOLD_S + 2)
    assert flushed
    assert not any(flushed)


# All of it


class Story(House):
    """A house to which anything may happen; what the relay did is written down."""

    def __init__(self, data: Path, stack: contextlib.ExitStack) -> None:
        super().__init__(data)
        stack.callback(self.pull_the_plug)
        stack.enter_context(patch("agents.door.relay.Thread"))  # the guard looks when the story says so
        stack.enter_context(patch("agents.door.relay.monotonic", lambda: self.clock.s))
        self.moves: list[tuple[float, bool]] = []
        self._disk = stack.enter_context(contextlib.ExitStack())
        self.start()
        self.wire(RELAY_PIN).on_change = lambda on: self.moves.append((self.clock.at.utc, on))
        self.connect()

    def turn(self, event: object | None) -> None:
        super().turn(event)
        assert self.relay_is_on is (self.agent._door.state == "UNLOCKED")

    def unlock(self) -> None:
        self.order(command(session=self.words[-1]))

    def lock(self) -> None:
        self.order("LOCK")

    def finger_on(self) -> None:
        self.wire(BUTTON_PIN).hold(False)

    def finger_off(self) -> None:
        self.wire(BUTTON_PIN).hold(True)

    def pull(self) -> None:
        self.swing(is_open=True)

    def shut(self) -> None:
        self.swing(is_open=False)

    def fall_silent(self) -> None:
        self.session.acknowledges = False

    def speak(self) -> None:
        self.session.acknowledges = True
        self.session.answer_all()

    def stand_still(self) -> None:
        """All but the guard."""
        assert self.agent._relay is not None
        for _ in range(80):
            self.clock.pass_(0.125)
            self.agent._relay._look()
        self.agent.on_stall(10, self.clock.now())

    def break_disk(self) -> None:
        self._disk.enter_context(failing_disk())

    def mend_disk(self) -> None:
        self._disk.close()


ACTS = (
    Story.unlock, Story.lock, Story.finger_on, Story.finger_off, Story.pull, Story.shut, Story.fall_silent, Story.speak,
    Story.connect, Story.disconnect, Story.stand_still, Story.break_disk, Story.mend_disk,
)  # fmt: skip


def switched(events: list[dict[str, Any]]) -> list[tuple[float, bool, str]]:
    """When the relay went on and off, and why, by what was told."""
    told, on = [], False
    for event in events:
        if (event["event_type"], on) in (("unlocked", False), ("locked", True)):
            on = not on
            told.append((event["at"], on, event["cause"]))
    return told


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 40)), max_size=30))
def test_whatever_happens_the_events_are_what_the_relay_did_in_order_and_to_the_moment(
    acts: list[tuple[Callable[[Story], None], int]],
) -> None:
    with TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        pins.factory.cache_clear()
        story = Story(Path(folder), stack)
        for act, eighths in acts:
            act(story)
            story.until(story.clock.s + eighths / 8)
        story.mend_disk()
        story.speak()
        story.connect()
        story.until(story.clock.s + 30)
        story.settle()
        told = switched(story.events)
        assert [on for _, on, _ in told] == [on for _, on in story.moves]
        for (told_at, _, cause), (moved_at, _) in zip(told, story.moves, strict=True):
            # what the guard did, the agent told when it was back
            assert told_at == moved_at or (cause == "fault" and told_at > moved_at)
        times = [at for at, _ in story.moves]
        assert all(off - on <= MAX_HOLD_S + GRACE_S for on, off in zip(times[::2], times[1::2], strict=True))
        seqs = [event["seq"] for event in story.events if event["seq"] is not None]
        assert seqs == sorted(set(seqs))
        assert story.agent._outbox.under_way == 0
