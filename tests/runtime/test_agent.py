"""The loop that runs an agent: it lets go of the hardware whatever happens, and says how it is."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from agents.discovery.household import Form, Household
from agents.runtime.agent import IDLE_S, STALL_S, Agent, open_session, run
from agents.runtime.announcer import file_of
from agents.runtime.clock import Clock, Now
from agents.runtime.events import Connected, Disconnected, Message, Published, Subscription
from agents.runtime.health import Report
from agents.runtime.herald import BIRTHS_APART_S, births
from agents.runtime.inbox import Fault, Inbox, Stop
from agents.runtime.session import Session
from agents.runtime.settings import MqttSettings, Site
from agents.wire.messages import Availability, Health
from agents.wire.topics import BIRTH, COMMAND, HEALTH, Topic

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Boom(Exception):
    """What goes wrong in these tests."""


class FakeClock(Clock):
    """Stands still unless a test moves it."""

    def __init__(self) -> None:
        self.s, self.is_set = 0.0, True

    def now(self) -> Now:
        return Now(utc=1_800_000_000 + self.s, mono=1000 + self.s, utc_is_set=self.is_set)


class FakeSession(Session):
    """Writes down what it is told."""

    def __init__(self, diary: list[str]) -> None:
        self.diary, self.there, self.takes = diary, True, True
        self.site = Site(MqttSettings(), Path("nowhere"), Path("nowhere"))
        self.healths: list[Health] = []
        self.subscribed: list[Subscription] = []

    @property
    def connected(self) -> bool:
        return self.there

    def subscribe(self, subscriptions: Sequence[Subscription]) -> None:
        self.subscribed = list(subscriptions)

    def start(self) -> None:
        self.diary.append("session starts")

    def publish(
        self, topic: Topic, *names: str, payload: bytes | str, properties: tuple[tuple[str, str], ...] = ()
    ) -> int | None:
        assert (topic, names) == (HEALTH, ("fake", "one"))
        assert isinstance(payload, bytes)
        self.healths.append(Health.decode(payload))
        return len(self.healths)

    def announce(self, availability: Availability) -> bool:
        self.diary.append(f"says {availability}" if self.takes else "can't say anything")
        return self.takes

    def close(self, timeout_s: float = 2.0) -> None:
        self.diary.append("session closes")


class FakeWatchdog:
    """Writes down what systemd would hear."""

    def __init__(self, diary: list[str]) -> None:
        self.diary = diary

    def ready(self) -> None:
        self.diary.append("ready")

    def pet(self, now_mono: float) -> None:
        self.diary.append(f"petted at {now_mono:g}")

    def stopping(self, reason: str) -> None:
        self.diary.append(f"stopping: {reason}")

    def close(self) -> None:
        self.diary.append("watchdog closes")


class FakeAgent(Agent):
    """Writes down what it is asked to do. A test may put something of its own in place of each part."""

    def __init__(self) -> None:
        self.diary: list[str] = []
        self.wire, self.clock = FakeSession(self.diary), FakeClock()
        super().__init__("fake", "one", self.wire, Inbox())
        self.does: dict[str, Callable[[], object]] = {}
        self.availability, self.problem, self.asked = Availability.ONLINE, "", 0
        self.retained_at: list[float] = []  # when all that is retained was asked for

    def become(self, problem: str) -> None:
        """After a while."""
        self.problem, self.clock.s = problem, self.clock.s + 0.2

    def subscriptions(self) -> Sequence[Subscription]:
        return self._do("subscriptions") or [Subscription(COMMAND, ("one",))]  # type: ignore[return-value]

    def start(self) -> None:
        self._do("starts")

    def on_connect(self, now: Now) -> None:
        self._do("is connected")

    def on_event(self, event: object, now: Now) -> None:
        self._do(f"hears {event}")

    def on_stall(self, stood_s: float, now: Now) -> None:
        super().on_stall(stood_s, now)
        self._do(f"stood still for {stood_s:g} s until {now.mono:g}")

    def on_tick(self, now: Now) -> float:
        self.does.get("tick", lambda: None)()
        return 0.0

    def publish_all(self, now: Now) -> None:
        self.retained_at.append(now.mono)
        self.does.get("publishes all", lambda: None)()

    def report(self) -> Report:
        self.asked += 1
        return Report(self.problem or None)

    def available(self) -> Availability:
        return self.availability

    def close(self) -> None:
        self._do("closes")

    def _do(self, what: str) -> object:
        self.diary.append(what)
        return self.does.get(what, lambda: None)()

    def run(self, *events: object) -> list[str]:
        """Run until the events are over; returns the diary."""
        for event in events:
            self.inbox.put(event)
        self.inbox.put(Stop("the test is over"))
        run(self, self.clock)
        return self.diary


@pytest.fixture
def agent() -> FakeAgent:
    return FakeAgent()


def boom() -> None:
    raise Boom


def test_an_agents_life_in_order(agent: FakeAgent) -> None:
    assert agent.run(Connected(), "knock") == [
        "starts",
        "subscriptions",
        "session starts",
        "is connected",
        "says online",
        "hears knock",
        "closes",
        "session closes",
    ]
    assert agent.wire.subscribed == [Subscription(COMMAND, ("one",))]


@pytest.fixture
def guarded(agent: FakeAgent, monkeypatch: pytest.MonkeyPatch) -> FakeAgent:
    monkeypatch.setattr("agents.runtime.agent.Watchdog", lambda _log: FakeWatchdog(agent.diary))
    return agent


def test_the_watchdog_is_told_when_the_agent_is_ready_at_every_turn_and_when_it_ends(guarded: FakeAgent) -> None:
    guarded.does["hears knock"] = lambda: setattr(guarded.clock, "s", 2.0)
    assert guarded.run("knock", "again") == [
        "starts",
        "subscriptions",
        "session starts",
        "ready",
        "petted at 1000",
        "hears knock",
        "says online",
        "petted at 1002",
        "hears again",
        "petted at 1002",
        "stopping: the test is over",
        "closes",
        "session closes",
        "watchdog closes",
    ]


def test_an_agent_without_its_hardware_is_never_ready(guarded: FakeAgent) -> None:
    guarded.does["starts"] = boom
    with pytest.raises(Boom):
        guarded.run()
    assert guarded.diary == ["starts", "closes", "session closes", "watchdog closes"]


@pytest.mark.parametrize("what", ["starts", "subscriptions", "is connected", "hears knock", "tick"])
def test_an_error_anywhere_lets_go_of_the_hardware_and_ends_the_agent(agent: FakeAgent, what: str) -> None:
    agent.does[what] = boom
    with pytest.raises(Boom):
        agent.run(Connected(), "knock")
    assert agent.diary[-2:] == ["closes", "session closes"]
    assert agent.diary.count("closes") == 1


@pytest.mark.parametrize("error", [Boom(), SystemExit(3), KeyboardInterrupt()], ids=lambda error: type(error).__name__)
def test_a_threads_fault_surfaces_in_the_main_thread(agent: FakeAgent, error: BaseException) -> None:
    with pytest.raises(type(error)) as caught:
        agent.run("knock", Fault(error), "after")
    assert caught.value is error
    assert "hears after" not in agent.diary
    assert agent.diary[-2:] == ["closes", "session closes"]
    assert agent.diary.count("closes") == 1


def test_an_error_while_closing_still_closes_the_session_and_is_not_hidden(agent: FakeAgent) -> None:
    agent.does["closes"] = boom
    with pytest.raises(Boom):
        agent.run()
    assert agent.diary[-2:] == ["closes", "session closes"]


def test_what_came_before_the_stop_is_done_and_what_came_after_is_not(agent: FakeAgent) -> None:
    agent.run("knock", Stop("now"), "too late")
    assert "hears knock" in agent.diary
    assert "hears too late" not in agent.diary


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_a_signal_ends_the_agent_in_good_order(agent: FakeAgent, number: signal.Signals) -> None:
    before = {each: signal.getsignal(each) for each in SIGNALS}
    agent.does["hears knock"] = lambda: os.kill(os.getpid(), number)
    agent.inbox.put("knock")
    run(agent, agent.clock)
    assert agent.diary[-3:] == ["says online", "closes", "session closes"]
    assert {each: signal.getsignal(each) for each in SIGNALS} == before


@pytest.mark.parametrize("what", ["starts", "closes"])
def test_a_signal_while_starting_or_closing_breaks_nothing_off(agent: FakeAgent, what: str) -> None:
    agent.does[what] = lambda: os.kill(os.getpid(), signal.SIGTERM)
    agent.run()
    assert agent.diary[-2:] == ["closes", "session closes"]


def test_a_failed_start_gives_the_signals_back(agent: FakeAgent) -> None:
    before = {each: signal.getsignal(each) for each in SIGNALS}
    agent.does["starts"] = boom
    with pytest.raises(Boom):
        agent.run()
    assert {each: signal.getsignal(each) for each in SIGNALS} == before


def test_availability_is_said_at_every_connect_and_at_every_change(agent: FakeAgent) -> None:
    def set_availability(availability: Availability) -> Callable[[], object]:
        return lambda: setattr(agent, "availability", availability)

    agent.does["hears lost"] = set_availability(Availability.OFFLINE)
    agent.does["hears found"] = set_availability(Availability.ONLINE)
    agent.run(Connected(), "a", "lost", "b", "found", Disconnected("x"), Connected(), "c")
    said = [line for line in agent.diary if line.startswith(("says", "is connected", "hears"))]
    assert said == [
        "is connected",
        "says online",
        "hears a",
        "hears lost",
        "says offline",
        "hears b",
        "hears found",
        "says online",
        f"hears {Disconnected('x')}",
        "is connected",
        "says online",
        "hears c",
    ]


def test_a_connection_that_was_dropped_before_the_agent_heard_of_it_is_not_greeted(agent: FakeAgent) -> None:
    agent.wire.dropped = 2
    said = agent.run(Connected(1), Connected(2), Disconnected("x"), Connected(3))
    assert [line for line in said if line.startswith(("is connected", "hears"))] == [
        f"hears {Disconnected('x')}",
        "is connected",
    ]


def test_a_connection_that_the_agent_drops_on_hearing_of_a_stall_is_not_greeted(agent: FakeAgent) -> None:
    agent.does["hears knock"] = stand_still(agent, 10.0)
    agent.does["stood still for 10 s until 1010"] = lambda: setattr(agent.wire, "dropped", 1)
    assert "is connected" not in agent.run("knock", Connected(1))


def test_nothing_is_said_while_there_is_no_broker(agent: FakeAgent) -> None:
    agent.wire.there = False
    agent.does["hears back"] = lambda: setattr(agent.wire, "there", True)
    agent.run("alone")
    assert "says online" not in agent.diary
    assert agent.wire.healths == []


def test_what_changed_while_there_was_no_broker_is_said_when_it_is_back(agent: FakeAgent) -> None:
    def lose() -> None:
        agent.wire.there, agent.availability, agent.problem = False, Availability.OFFLINE, "no camera"

    agent.does["hears lose"] = lose
    agent.does["is connected"] = lambda: setattr(agent.wire, "there", True)
    agent.run("lose", Connected())
    assert agent.diary.index("says offline") > agent.diary.index("is connected")
    assert agent.wire.healths[-1].problem == "no camera"


def test_health_is_told_at_every_connect_and_when_a_problem_comes_or_goes(agent: FakeAgent) -> None:
    agent.does["hears break"] = lambda: agent.become("no camera")
    agent.does["hears mend"] = lambda: agent.become("")
    agent.run("a", "b", Connected(), "c", "break", "d", "mend", "e")
    assert [health.problem for health in agent.wire.healths] == [None, None, "no camera", None]


def test_an_agent_that_is_kept_busy_is_not_asked_how_it_is_at_every_turn(agent: FakeAgent) -> None:
    """With a hundred doors the answer takes longer than most turns."""
    agent.does["hears break"] = lambda: setattr(agent, "problem", "no camera")
    agent.does["hears later"] = lambda: setattr(agent.clock, "s", 0.2)
    agent.run("a", "break", *["b"] * 9, "later", "c")
    assert agent.asked == 2
    assert [health.problem for health in agent.wire.healths] == [None, "no camera"]


def test_that_it_is_there_is_said_until_it_could_be_handed_on(agent: FakeAgent) -> None:
    """An agent with much to say at once may have filled the queue."""
    agent.wire.takes = False
    agent.does["hears b"] = lambda: setattr(agent.wire, "takes", True)
    agent.run("a", "b", "c")
    assert [line for line in agent.diary if " say" in line or line.startswith("say")] == [
        *("can't say anything", "says online"),
    ]


def test_health_is_told_again_when_time_has_passed(agent: FakeAgent) -> None:
    agent.does["hears later"] = lambda: setattr(agent.clock, "s", 31.0)
    agent.run("a", "later", "b", "c")
    assert [health.uptime_s for health in agent.wire.healths] == [0.0, 31.0]


def test_an_agent_ticks_even_when_nothing_happens(agent: FakeAgent) -> None:
    ticks = iter([None, None, lambda: agent.inbox.put(Stop("enough"))])

    def tick() -> None:
        act = next(ticks)
        if act is not None:
            act()

    agent.does["tick"] = tick
    run(agent, agent.clock)
    assert next(ticks, "over") == "over"


def test_the_broker_has_a_message_is_told_to_the_agent_and_is_no_new_connection(agent: FakeAgent) -> None:
    said = [line for line in agent.run(Connected(), Published(7)) if line.startswith(("hears", "is connected"))]
    assert said == ["is connected", f"hears {Published(7)}"]


def stand_still(agent: FakeAgent, s: float) -> Callable[[], object]:
    """Time passes while something is done."""
    return lambda: setattr(agent.clock, "s", agent.clock.s + s)


@pytest.mark.parametrize("waited", ["an order", Connected(), Disconnected("x")], ids=str)
def test_an_agent_that_stood_still_knows_before_it_hears_what_waited_meanwhile(
    agent: FakeAgent, waited: object, caplog: pytest.LogCaptureFixture
) -> None:
    agent.does["hears knock"] = stand_still(agent, 10.0)
    agent.run("knock", waited, "after")
    assert [line for line in agent.diary if line.startswith(("hears", "stood", "is connected"))] == [
        "hears knock",
        "stood still for 10 s until 1010",
        "is connected" if isinstance(waited, Connected) else f"hears {waited}",
        "hears after",
    ]
    assert "stood still for 10.0 s" in caplog.text


def test_a_moment_more_than_an_agent_may_take_is_standing_still(agent: FakeAgent) -> None:
    agent.does["hears knock"] = stand_still(agent, STALL_S + 0.125)
    assert f"stood still for {STALL_S + 0.125:g} s until {1000 + STALL_S + 0.125:g}" in agent.run("knock", "after")


def test_a_stop_after_a_stall_is_still_a_stop(agent: FakeAgent) -> None:
    agent.does["hears knock"] = stand_still(agent, 1e6)
    assert agent.run("knock")[-2:] == ["closes", "session closes"]


def test_standing_still_in_the_tick_counts_too(agent: FakeAgent) -> None:
    delays = iter([0.0, 10.0])
    agent.does["tick"] = lambda: stand_still(agent, next(delays, 0.0))()
    agent.run("a", "b", "c")
    assert [line for line in agent.diary if line.startswith(("hears", "stood"))] == [
        "hears a",
        "hears b",
        "stood still for 10 s until 1010",
        "hears c",
    ]


def test_an_agent_that_is_only_slow_or_has_nothing_to_do_does_not_stand_still(agent: FakeAgent) -> None:
    assert STALL_S > 2 * IDLE_S
    for event in "abc":
        agent.does[f"hears {event}"] = stand_still(agent, STALL_S)
    agent.run("a", "b", "c")
    assert not [line for line in agent.diary if line.startswith("stood")]


def test_what_the_wall_clock_does_is_no_stall(agent: FakeAgent) -> None:
    class Jumping(FakeClock):
        def now(self) -> Now:
            return Now(utc=1e9 * len(agent.diary), mono=1000.0)

    agent.clock = Jumping()
    agent.run("a", "b")
    assert not [line for line in agent.diary if line.startswith("stood")]


def test_what_is_wrong_with_the_connection_is_in_the_health_beside_what_else_is(agent: FakeAgent) -> None:
    agent.wire.problem = "lets anybody in"
    agent.does["hears break"] = lambda: agent.become("no camera")
    agent.does["hears mend"] = lambda: agent.become("")
    agent.run(Connected(), "break", "a", "mend", "b")
    assert [health.problem for health in agent.wire.healths] == [
        "lets anybody in",
        "no camera; lets anybody in",
        "lets anybody in",
    ]


@pytest.mark.parametrize("trusts_clock", [False, True])
def test_every_agent_is_made_with_a_session_of_its_own_and_the_houses_word_on_its_clock(
    trusts_clock: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agents.runtime.clock.synchronised", lambda: False)
    site = Site(MqttSettings(), tmp_path, tmp_path, trusts_clock)
    session, inbox, clock = open_session(site, "door", "front")
    assert session.user == "door-front"
    assert inbox.get(0) is None
    assert clock.now().utc_is_set is trusts_clock


def test_a_clock_that_is_not_set_is_a_problem_until_it_is(agent: FakeAgent) -> None:
    agent.clock.is_set = False

    def is_set() -> None:
        agent.clock.is_set = True
        agent.become("")

    agent.does["hears set"] = is_set
    agent.run(Connected(), "set", "on")
    problems = [health.problem for health in agent.wire.healths]
    assert problems[0] is not None
    assert "clock is not synchronised" in problems[0]
    assert problems[-1] is None


def birth(payload: bytes = b"online") -> Message:
    return Message(BIRTH, (), payload, False, (), 0.0)


def test_all_that_is_retained_is_told_at_a_connect_and_when_home_assistant_was_born(agent: FakeAgent) -> None:
    agent.does["hears later"] = lambda: setattr(agent.clock, "s", 60.0)
    agent.run(Connected(), "later", birth(), "on")
    assert agent.retained_at == [1000, 1060]
    assert agent.diary.count("says online") == 2
    assert len(agent.wire.healths) >= 2


def test_who_hears_only_those_who_are_online_misses_nothing_of_what_waited(agent: FakeAgent) -> None:
    agent.does["publishes all"] = lambda: agent.diary.append("publishes all")
    agent.does["tick"] = lambda: agent.diary.append("tick")
    diary = agent.run(Connected())
    assert [what for what in diary if what in ("is connected", "says online", "publishes all", "tick")][:4] == [
        "is connected",
        "says online",
        "publishes all",
        "tick",
    ]


def test_home_assistants_end_is_nothing_to_an_agent(agent: FakeAgent) -> None:
    agent.run(Connected(), birth(b"offline"), birth(b""), "on")
    assert agent.retained_at == [1000]


def test_however_often_it_is_born_it_is_not_told_more_often_than_it_can_read(agent: FakeAgent) -> None:
    agent.does["hears a second"] = lambda: setattr(agent.clock, "s", agent.clock.s + 1.0)
    agent.run(Connected(), *[birth(), birth(), "a second"] * 12)
    births = agent.retained_at[1:]
    assert 2 <= len(births) <= 4
    assert all(later - earlier >= BIRTHS_APART_S for earlier, later in itertools.pairwise(births))


def test_who_does_not_tell_home_assistant_does_not_listen_to_it(tmp_path: Path) -> None:
    forms: tuple[tuple[Form, tuple[Topic, ...]], ...] = (("off", ()), ("single", (BIRTH,)), ("device", (BIRTH,)))
    for form, wanted in forms:
        site = Site(MqttSettings(), tmp_path, tmp_path, home=Household(form=form))
        session, _, _ = open_session(site, "door", "front")
        assert tuple(subscription.topic for subscription in births(session, ("door", "front"))) == wanted
    file_of(site, ("door", "front")).write_text("{}")
    off, _, _ = open_session(Site(MqttSettings(), tmp_path, tmp_path), "door", "front")
    assert births(off, ("door", "front")), "there may be something to take back"
