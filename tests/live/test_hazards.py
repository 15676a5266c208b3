"""Each way in which doors of other MQTT projects opened by themselves, tried on this one.

Against the broker that `facelatch broker init` makes, with a real door agent whose pins are watched.
"""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live.bench import Bench
from tests.live.production import Guest, ProductionBroker
from tests.live.tools import PATIENCE_S, alive, wait_until

HOLD_S, MAX_HOLD_S, REST_S = 0.5, 2.0, 1.0
EXIT_BUTTON, CONTACT = "GPIO27", "GPIO22"
SETTINGS = f"""\
    hold_s: {HOLD_S}
    max_hold_s: {MAX_HOLD_S}
    rest_s: {REST_S}
    exit_button: {{ pin: 27, debounce_s: 0.02 }}
    contact: {{ pin: 22, debounce_s: 0.02, held_open_after_s: 0.3 }}
"""


class Site:
    """A house with its broker, a door on a bench, and whom it takes to see and to try things."""

    def __init__(self, folder: Path) -> None:
        self.broker = ProductionBroker(folder)
        self.home = self.broker.home
        self.home.edit("    hold_s: 0.5\n", SETTINGS)
        self.broker.facelatch("broker", "add-client", "phone", "--door", "front")
        self.broker.start()
        self.bench = Bench(folder / "bench")
        self.home.env = self.bench.env
        self.join()
        self.door = self.start_door()

    def join(self) -> None:
        """Connect those who watch and try; anew, after the broker was away."""
        self.watch = self.broker.guest("watch")
        self.watch.listen("facelatch/#")
        self.phone = self.broker.guest("phone")
        self.scheduler = self.broker.guest("scheduler-main")
        self.scheduler.listen("facelatch/door/front/session")

    def start_door(self) -> subprocess.Popen[bytes]:
        mark = self.mark()
        process = self.home.start("door")
        self.wait("availability", lambda text: text == "online", mark)
        return process

    def restart_door(self) -> None:
        self.door.kill()
        self.door.wait()
        self.door = self.start_door()

    def close(self) -> None:
        for guest in (self.watch, self.phone, self.scheduler):
            guest.close()
        self.home.stop_all()
        self.broker.stop()

    def mark(self) -> int:
        return len(self.watch.heard)

    def texts(self, what: str, since: int = 0) -> list[str]:
        return [payload for topic, payload in self.watch.heard[since:] if topic == f"facelatch/door/front/{what}"]

    def wait(self, what: str, wanted: Callable[[str], bool], since: int = 0) -> str:
        found: list[str] = []

        def holds() -> bool:
            found[:] = filter(wanted, self.texts(what, since))
            return bool(found)

        wait_until(f"{what} of the door", holds)
        return found[0]

    def events(self, since: int = 0) -> list[dict[str, Any]]:
        return [json.loads(text) for text in self.texts("event", since)]

    def event(self, kind: str, since: int, **values: object) -> dict[str, Any]:
        """A door's event of this type with these values."""

        def wanted(text: str) -> bool:
            event = json.loads(text)
            return event["event_type"] == kind and all(event[key] == value for key, value in values.items())

        found = json.loads(self.wait("event", wanted, since))
        assert isinstance(found, dict)
        return found

    def command(self, payload: str | dict[str, object], *, retain: bool = False) -> int:
        """As the phone. Returns a mark."""
        mark = self.mark()
        text = payload if isinstance(payload, str) else json.dumps(payload)
        assert self.phone.say("facelatch/door/front/command", text, retain=retain)
        return mark

    def grant(self, door: str = "front", **changed: object) -> int:
        """As the scheduler. Returns a mark."""
        mark = self.mark()
        made = {"id": f"g-{time.monotonic()}", "session": self.word(), "person": "Ana", "expires_at": time.time() + 5}
        assert self.scheduler.say(f"facelatch/door/{door}/grant", json.dumps({**made, **changed}))
        return mark

    def word(self) -> str:
        """The door's session word of this moment."""
        self.scheduler.settle()
        return self.scheduler.heard[-1][1]

    def settle(self) -> None:
        """Until the relay is off, and an order to lock shows that all before it was dealt with."""
        self.event("locked", self.command("LOCK"), cause="command")
        assert not self.open_pulses()

    def open_pulses(self) -> list[object]:
        return [pulse for pulse in self.bench.pulses() if pulse.off_at is None]

    def pulses(self) -> int:
        self.settle()
        return len(self.bench.pulses())


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("hazards"))
    yield made
    made.close()


@pytest.fixture(autouse=True)
def rested(site: Site) -> None:
    """Every test begins with a door that is locked, rested and answers."""
    time.sleep(REST_S if any(e["reason"] in ("max_hold", "locked_out", "flood") for e in site.events()[-5:]) else 0)
    site.settle()


def test_an_unlock_opens_for_hold_s_and_the_events_are_numbered(site: Site) -> None:
    before = site.pulses()
    mark = site.command("UNLOCK")
    site.event("locked", mark, cause="timeout")
    assert site.pulses() == before + 1
    pulse = site.bench.pulses()[-1]
    assert pulse.off_at is not None
    assert pulse.off_at - pulse.on_at > 0.9 * HOLD_S
    numbers = [event["seq"] for event in site.events()]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def test_a_retained_unlock_is_refused_live_and_after_restarts_of_door_and_broker(site: Site) -> None:
    before = site.pulses()
    site.event("rejected", site.command("UNLOCK", retain=True), reason="retained")
    site.restart_door()
    site.broker.stop()
    mark = site.mark()
    site.broker.start()  # its retained messages outlive it
    site.join()
    site.wait("availability", lambda text: text == "online")
    assert ("facelatch/door/front/command", "UNLOCK") not in site.watch.heard[mark:]  # nobody but doors reads it
    site.restart_door()
    assert site.pulses() == before
    site.event("rejected", site.command("", retain=True))  # takes it away


def test_an_unlock_that_was_queued_while_the_door_was_away_is_not_obeyed_later(site: Site) -> None:
    before = site.pulses()
    site.door.kill()
    site.door.wait()
    site.wait("availability", lambda text: text == "offline")
    site.command("UNLOCK")  # at QoS 1
    site.door = site.start_door()
    assert site.pulses() == before


def test_an_unlock_that_its_sender_kept_is_refused_by_its_age(site: Site) -> None:
    before = site.pulses()
    site.event("rejected", site.command({"action": "UNLOCK", "ts": time.time() - 60}), reason="stale")
    site.event("rejected", site.command({"action": "UNLOCK", "ts": time.time() + 60}), reason="stale")
    assert site.pulses() == before


def test_a_session_word_proves_age_without_clocks(site: Site) -> None:
    word, before = site.word(), site.pulses()
    site.event("unlocked", site.command({"action": "UNLOCK", "session": word, "id": "w1"}), id="w1")
    site.restart_door()
    site.event("rejected", site.command({"action": "UNLOCK", "session": word, "id": "w2"}), reason="wrong_session")
    assert site.pulses() == before + 1


def test_a_command_sent_twice_opens_once(site: Site) -> None:
    before = site.pulses()
    order: dict[str, object] = {"action": "UNLOCK", "id": "twice", "ts": time.time()}
    site.event("locked", site.command(order), cause="timeout")
    site.event("rejected", site.command(order), reason="duplicate", id="twice")
    assert site.pulses() == before + 1


def test_a_replayed_grant_opens_once_and_not_in_a_later_session(site: Site) -> None:
    before, word = site.pulses(), site.word()
    site.event("unlocked", site.grant(id="r1", session=word), id="r1", person="Ana")
    site.event("rejected", site.grant(id="r1", session=word), id="r1", reason="duplicate")
    site.restart_door()
    site.event("rejected", site.grant(id="r2", session=word), id="r2", reason="wrong_session")
    assert site.pulses() == before + 1


def test_a_grant_for_another_door_is_nothing_to_this_one(site: Site) -> None:
    before, mark = site.pulses(), site.mark()
    made = {"id": "other", "session": site.word(), "person": "Ana", "expires_at": time.time() + 5}
    assert not site.scheduler.say("facelatch/door/back/grant", json.dumps(made))  # the house has no such door
    assert site.pulses() == before
    assert not [event for event in site.events(mark) if event["id"] == "other"]


def test_an_expired_grant_is_refused(site: Site) -> None:
    before = site.pulses()
    site.event("rejected", site.grant(id="e1", expires_at=time.time() - 1), id="e1", reason="expired")
    site.event("rejected", site.grant(id="e2", expires_at=time.time() + 3600), id="e2", reason="expired")
    assert site.pulses() == before


def test_two_overlapping_pulses_are_one_and_the_second_is_not_cut_short(site: Site) -> None:
    before = site.pulses()
    mark = site.command("UNLOCK")
    time.sleep(HOLD_S / 2)
    site.event("extended", site.command("UNLOCK"), cause="command")
    site.event("locked", mark, cause="timeout")
    assert site.pulses() == before + 1
    pulse = site.bench.pulses()[-1]
    assert pulse.off_at is not None
    assert pulse.off_at - pulse.on_at > 1.4 * HOLD_S


def test_a_flood_of_unlocks_does_not_hold_the_door_open_beyond_its_cap(site: Site) -> None:
    before = site.pulses()
    end = time.monotonic() + MAX_HOLD_S + REST_S
    while time.monotonic() < end:
        site.phone.client.publish("facelatch/door/front/command", "UNLOCK")
        time.sleep(0.01)
    site.event("rejected", 0, reason="flood")
    time.sleep(REST_S)
    site.settle()
    for pulse in site.bench.pulses()[before:]:
        assert pulse.off_at is not None
        assert pulse.off_at - pulse.on_at < MAX_HOLD_S + 0.5


def test_a_door_that_is_killed_with_the_relay_on_says_so_when_it_is_back(site: Site) -> None:
    mark = site.command("UNLOCK")
    site.event("unlocked", mark)
    site.restart_door()
    site.event("locked", mark, cause="restart")
    kinds = [event["event_type"] for event in site.events(mark)]
    assert kinds.count("unlocked") == kinds.count("locked") == 1


def test_events_of_a_time_without_broker_come_later_in_order(site: Site) -> None:
    site.broker.stop()
    mark = len(site.events())
    for _ in range(3):
        site.bench.hold(EXIT_BUTTON, "low")
        wait_until("the relay is on", lambda: bool(site.open_pulses()))
        site.bench.hold(EXIT_BUTTON, "high")
        wait_until("the relay is off", lambda: not site.open_pulses())
    site.door.kill()
    site.door.wait()
    site.broker.start()
    site.join()
    site.door = site.start_door()
    wait_until("all six", lambda: len(site.events()) >= 6)
    assert mark >= 0
    told = [(event["event_type"], event["cause"]) for event in site.events()[:6]]
    assert told == [("unlocked", "button"), ("locked", "timeout")] * 3
    numbers = [event["seq"] for event in site.events()]
    assert numbers == sorted(set(numbers))


def test_what_waited_while_the_door_stood_still_opens_nothing(site: Site) -> None:
    before = site.pulses()
    site.door.send_signal(signal.SIGSTOP)
    mark = site.command("UNLOCK")
    site.grant(id="waited")
    time.sleep(4)
    site.door.send_signal(signal.SIGCONT)
    site.event("rejected", mark, reason="stale")
    assert site.pulses() == before


def test_what_waited_in_a_broker_that_stood_still_opens_nothing(site: Site) -> None:
    before, mark = site.pulses(), site.mark()
    site.broker.send(signal.SIGSTOP)
    site.phone.client.publish("facelatch/door/front/command", "UNLOCK")
    time.sleep(9)  # a word every 4 s, and 3 s to acknowledge it
    site.broker.send(signal.SIGCONT)
    site.wait("session", lambda _: True, mark)
    assert site.pulses() == before


def test_the_exit_button_opens_and_a_spike_on_its_wire_does_not(site: Site) -> None:
    before = site.pulses()
    for _ in range(5):
        site.bench.hold(EXIT_BUTTON, "low")
        site.bench.hold(EXIT_BUTTON, "high")
    assert site.pulses() == before
    mark = site.mark()
    site.bench.hold(EXIT_BUTTON, "low")
    site.event("unlocked", mark, cause="button")
    site.bench.hold(EXIT_BUTTON, "high")
    site.event("locked", mark, cause="timeout")


def test_a_door_that_opens_without_an_unlock_is_forced_and_one_that_stays_open_is_told(site: Site) -> None:
    site.bench.hold(CONTACT, "low")  # closed
    site.wait("contact", lambda text: text == "OFF")
    time.sleep(1.1)  # nobody who was let in a moment ago
    mark = site.mark()
    site.bench.hold(CONTACT, "high")
    site.event("forced", mark)
    site.wait("contact", lambda text: text == "ON", mark)
    site.event("held_open", mark)
    site.bench.hold(CONTACT, "low")
    site.event("closed", mark)
    mark = site.command("UNLOCK")
    site.bench.hold(CONTACT, "high")
    site.event("opened", mark)
    site.bench.hold(CONTACT, "low")


def test_the_answer_comes_where_its_sender_waits_and_facelatch_unlock_exits_by_it(site: Site) -> None:
    done = site.home.run("unlock", "front")
    assert (done.returncode, done.stdout, done.stderr) == (0, "front: unlocked\n", "")


def test_a_door_whose_clock_is_not_set_goes_by_the_session_word(site: Site) -> None:
    site.home.edit("clock: trust", "clock: check")
    site.home.env = {**site.bench.env, "FACELATCH_BENCH_CLOCK": "unset"}
    try:
        site.restart_door()
        order: dict[str, object] = {"action": "UNLOCK", "ts": time.time()}
        site.event("rejected", site.command(order), reason="clock_not_set")
        site.event("unlocked", site.grant(id="no-clock", expires_at=1.0), id="no-clock")
    finally:
        site.home.edit("clock: check", "clock: trust")
        site.home.env = site.bench.env
        site.restart_door()


def test_the_will_of_a_dead_twin_does_not_leave_the_door_offline(site: Site) -> None:
    for _ in range(3):
        site.door.kill()
        site.door.wait()
        site.door = site.home.start("door")
    wait_until("the newest is online", lambda: site.texts("availability")[-1:] == ["online"])
    site.settle()
    assert site.texts("availability")[-1] == "online"


def test_sigterm_during_a_pulse_ends_it_at_once(site: Site) -> None:
    mark = site.command("UNLOCK")
    site.event("unlocked", mark)
    site.door.terminate()
    assert site.door.wait(PATIENCE_S) == 0
    assert not site.open_pulses()
    site.event("locked", mark, cause="stop")
    assert not alive([site.door.pid])
    site.door = site.start_door()


def test_a_program_that_may_not_write_a_topic_says_so_in_its_log(site: Site) -> None:
    acl = site.broker.conf.with_name("acl")
    right = "topic write facelatch/door/front/state\n"
    text = acl.read_text(encoding="utf-8")
    assert right in text
    log = site.home.log_of("door")
    try:
        acl.write_text(text.replace(right, ""), encoding="utf-8")
        site.broker.send(signal.SIGHUP)
        site.command("UNLOCK")
        wait_until("the door says it", lambda: "broker refused a message: Not authorized" in log.read_text())
    finally:
        acl.write_text(text, encoding="utf-8")
        site.broker.send(signal.SIGHUP)


def test_a_stranger_without_a_password_is_not_let_in(site: Site) -> None:
    for user, password in ((None, None), ("phone", "guess"), ("door-front", "")):
        assert Guest(site.broker, user, password=password).code != "Success"
