"""The door agent between a session in the test's hands and gpiozero's mock pins: orders, answers, words, its end."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from agents.door.agent import CHECK_S
from agents.door.config import RelaySettings
from agents.door.inputs import InputError
from agents.door.relay import RelayError
from agents.door.words import ANSWER_S, GOOD_S, RENEW_S
from agents.runtime.agent import STALL_S
from agents.runtime.events import ReplyTo
from agents.runtime.flood import BURST
from agents.runtime.inbox import Fault
from agents.wire.messages import DoorEvent
from agents.wire.topics import COMMAND, CONTACT, EVENT, GRANT, HOLD, HOLD_SET, REPLY, SESSION, STATE, Topic
from tests.door.house import BUTTON_PIN, LEAF_PIN, RELAY_PIN, Build, House, grant
from tests.door.orders import HOLD_S, command
from tests.fakes import T0

WAITS = ReplyTo(("unlock", "w1"), b"\x00\xff")


# Who hears what


def test_it_hears_nothing_but_its_own_commands_grants_and_hold_times(house: House) -> None:
    heard = {(s.topic.path, s.names) for s in house.agent.subscriptions()}
    assert heard == {(topic.path, ("front",)) for topic in (COMMAND, GRANT, HOLD_SET)}


def test_an_order_to_lock_gets_through_when_the_inbox_is_full_and_nothing_else_does(house: House) -> None:
    urgent = {s.topic: s.urgent for s in house.agent.subscriptions()}
    assert (urgent[GRANT], urgent[HOLD_SET]) == (None, None)
    locks = urgent[COMMAND]
    assert locks is not None
    payloads = (b"LOCK", b'{"action":"LOCK"}', b"UNLOCK", b'{"action":"UNLOCK"}', b"\xff")
    assert [locks(payload) for payload in payloads] == [True, True, False, False, False]


def test_all_it_says_is_said_in_its_own_name(house: House) -> None:
    house.press()
    house.swing(is_open=True)
    assert {said.names for said in house.session.said} == {("front",)}
    assert {said.topic for said in house.session.said} == {SESSION, STATE, CONTACT, HOLD, EVENT}


def test_only_a_greeted_connection_is_told_how_the_door_is(build: Build) -> None:
    """paho's thread is connected a moment before the main thread takes that event."""
    house = build().start()
    house.session.there = True
    house.until(5)
    assert house.session.said == []
    house.connect()
    assert (house.states, house.leaf, house.holds, len(house.words)) == (["LOCKED"], ["OFF"], ["3"], 1)
    house.until(5 + RENEW_S)
    assert (house.states, house.leaf, house.holds) == (["LOCKED"], ["OFF"], ["3"])


def test_every_connection_is_told_anew_and_what_changed_in_between_only_then(house: House) -> None:
    house.disconnect()
    house.press()
    house.swing(is_open=True)
    assert (house.states, house.leaf) == (["LOCKED"], ["OFF"])
    house.connect()
    assert (house.states, house.leaf) == (["LOCKED", "UNLOCKED"], ["OFF", "ON"])
    house.until(10)
    house.disconnect()
    house.connect()
    assert (house.states[2:], house.leaf[2:]) == (["LOCKED", "LOCKED"], ["ON"])
    assert house.holds == ["3"] * 3


def test_all_that_is_retained_is_published_anew_when_somebody_wants_it(house: House) -> None:
    """Home Assistant was started, say."""
    house.agent.publish_all(house.clock.now())
    house.until(1)
    assert (house.states, house.leaf, house.holds) == (["LOCKED"] * 2, ["OFF"] * 2, ["3"] * 2)


def test_a_state_that_was_not_handed_on_is_published_again(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client's queue was full for a moment."""
    publish = house.session.publish

    def full(topic: Topic, *names: str, payload: bytes | str) -> int | None:
        return None if topic in (STATE, CONTACT, HOLD) else publish(topic, *names, payload=payload)

    with monkeypatch.context() as patch:
        patch.setattr(house.session, "publish", full)
        house.order("UNLOCK")
        house.swing(is_open=True)
        house.order("4.5", HOLD_SET)
    house.until(1)
    assert (house.states, house.leaf, house.holds) == (["LOCKED", "UNLOCKED"], ["OFF", "ON"], ["3", "4.5"])


def test_a_connection_that_is_no_longer_trusted_is_told_nothing(house: House) -> None:
    house.agent.on_stall(60, house.clock.now())
    house.press()
    house.swing(is_open=True)
    house.order("4.5", HOLD_SET)
    assert (house.states, house.leaf, house.holds, len(house.words)) == (["LOCKED"], ["OFF"], ["3"], 1)


# Orders


def test_the_relay_has_moved_before_any_reader_hears_of_it(house: House) -> None:
    house.order("UNLOCK")
    house.until(HOLD_S)
    assert [seen for seen in house.session.seen if seen[0] is STATE] == [
        (STATE, "LOCKED", False),
        (STATE, "UNLOCKED", True),
        (STATE, "LOCKED", False),
    ]
    told = [(json.loads(text)["event_type"], on) for topic, text, on in house.session.seen if topic is EVENT]
    assert told == [("unlocked", True), ("locked", False)]


def test_the_pulse_ends_when_it_should_though_the_broker_has_gone(house: House) -> None:
    house.order("UNLOCK")
    house.until(HOLD_S - 0.125)
    assert house.relay_is_on
    assert house.wait_s == 0.125
    house.disconnect()
    house.until(HOLD_S)
    assert not house.relay_is_on
    house.connect()
    assert house.states[-1] == "LOCKED"
    assert [(event["event_type"], event["cause"], event["at"]) for event in house.events] == [
        ("unlocked", "command", T0),
        ("locked", "timeout", T0 + HOLD_S),
    ]


def test_a_grant_opens_only_with_a_word_of_this_connection(house: House) -> None:
    (first,) = house.words
    house.disconnect()
    house.order(grant(first), GRANT)
    house.connect()
    house.order(grant(first), GRANT)
    assert house.reasons == ["wrong_session", "wrong_session"]
    assert not house.relay_is_on
    house.order(grant(house.words[-1]), GRANT)
    assert house.relay_is_on
    assert (house.events[-1]["person"], house.events[-1]["id"]) == ("Ana", "g1")


def test_a_command_is_no_grant_and_a_grant_no_command(house: House) -> None:
    house.order("UNLOCK", GRANT)
    house.order(grant(house.words[0]), COMMAND)
    assert house.reasons == ["malformed", "malformed"]
    assert [event["cause"] for event in house.events] == ["grant", "command"]
    assert not house.relay_is_on


@pytest.mark.parametrize("topic", [COMMAND, GRANT], ids=["a command", "a grant"])
def test_what_is_retained_is_refused_and_said_to_be(house: House, topic: Topic) -> None:
    house.order("UNLOCK" if topic is COMMAND else grant(house.words[0]), topic, retain=True)
    assert house.reasons == ["retained"]
    assert not house.relay_is_on


@pytest.mark.parametrize("payload", [b"\xff", b"", b"{", b"[" * 1000, b"x" * 100_000, b"null"])
def test_junk_is_answered_and_the_next_good_order_obeyed(payload: bytes, house: House) -> None:
    house.order(payload)
    house.order(payload, GRANT)
    assert house.told == ["rejected", "rejected"]
    house.order("UNLOCK")
    assert house.relay_is_on


def test_it_measures_how_long_an_order_takes_from_its_arrival(house: House) -> None:
    house.wire(RELAY_PIN).on_change = lambda high: house.clock.pass_(0.25)
    house.order("UNLOCK")
    latencies = house.agent.report().latencies
    assert latencies is not None
    summary = latencies.summary()
    assert summary is not None
    assert (summary.n, summary.p50) == (1, 250.0)


def test_it_counts_what_it_did_refused_dropped_and_lost(house: House) -> None:
    for payload in ("UNLOCK", "UNLOCK", "SESAME", "LOCK", "UNLOCK"):
        house.order(payload)
    for payload in ("4", "400", "four"):
        house.order(payload, HOLD_SET)
    house.inbox.dropped = 7
    house.agent._outbox._forgotten = 3
    assert house.agent.report().counters == {"unlocked": 2, "rejected": 1, "dropped": 7, "lost": 3, "hold_refused": 2}


# Answers


ORDERS: dict[str, tuple[str | bytes, bool, list[str]]] = {
    "obeyed": ("UNLOCK", False, ["unlocked"]),
    "obeyed, to lock": ("LOCK", False, ["locked"]),
    "junk": (b"\xff", False, ["rejected"]),
    "stale": (command(ts=1.0), False, ["rejected"]),
    "retained": ("UNLOCK", True, ["rejected"]),
}


@pytest.mark.parametrize(("payload", "retain", "told"), ORDERS.values(), ids=ORDERS)
def test_a_sender_that_waits_is_told_exactly_what_everybody_is_told(
    house: House, payload: str | bytes, retain: bool, told: list[str]
) -> None:
    house.order(payload, retain=retain, reply_to=WAITS)
    assert house.told == told
    assert house.session.answers == [(WAITS, said.payload) for said in house.session.said if said.topic is EVENT]
    assert house.answers[0].seq == 1


def test_a_grants_sender_is_answered_too(house: House) -> None:
    house.order(grant("another"), GRANT, reply_to=WAITS)
    assert [answer.reason for answer in house.answers] == ["wrong_session"]


def test_each_sender_gets_its_own_answer_and_who_did_not_ask_none(house: House) -> None:
    others = ReplyTo(("phone", "w2"))
    house.order(command("UNLOCK", id="a"), reply_to=WAITS)
    house.order(command("UNLOCK", id="b"))
    house.order(command("LOCK", id="c"), reply_to=others)
    answers = [(to, DoorEvent.decode(answer)) for to, answer in house.session.answers]
    assert [(to, event.event_type, event.id) for to, event in answers] == [
        (WAITS, "unlocked", "a"),
        (others, "locked", "c"),
    ]


def test_who_has_the_answer_finds_the_state_and_the_relay_to_be_so(house: House) -> None:
    house.order("UNLOCK", reply_to=WAITS)
    house.order("LOCK", reply_to=WAITS)
    seen = [(topic, text if topic is STATE else "", on) for topic, text, on in house.session.seen]
    seen = [each for each in seen if each[0] in (STATE, REPLY)]
    assert seen == [
        (STATE, "LOCKED", False),
        (STATE, "UNLOCKED", True),
        (REPLY, "", True),
        (STATE, "LOCKED", False),
        (REPLY, "", False),
    ]


def test_in_a_flood_nobody_is_answered_but_who_ends_the_pulse(house: House) -> None:
    house.order("UNLOCK")
    for _ in range(BURST):
        house.order(b"\xff", reply_to=WAITS)
    answered = len(house.answers)
    assert answered == BURST - 1
    for _ in range(50):
        house.order("UNLOCK", reply_to=WAITS)
    assert len(house.answers) == answered
    house.order("LOCK", reply_to=WAITS)
    assert [answer.event_type for answer in house.answers[answered:]] == ["locked"]
    assert not house.relay_is_on


# Words


def test_a_connection_has_a_word_at_once_and_a_new_one_every_few_seconds(house: House) -> None:
    born = [house.clock.s]
    for eighth in range(1, 13 * 8):
        house.until(eighth / 8)
        if len(house.words) > len(born):
            born.append(house.clock.s)
    assert born == [0, RENEW_S, 2 * RENEW_S, 3 * RENEW_S]
    assert house.session.renewed == []


def test_the_word_before_is_good_for_a_while_and_then_no_more(house: House) -> None:
    house.until(RENEW_S)
    first, second = house.words
    house.until(GOOD_S - 0.125)
    house.order(command(session=first))
    assert house.relay_is_on
    house.order("LOCK")
    house.until(GOOD_S + 0.125)
    house.order(command(session=first))
    assert house.reasons[-1] == "wrong_session"
    assert not house.relay_is_on
    house.order(command(session=second))
    assert house.relay_is_on


def test_no_two_words_are_the_same_and_nobody_can_guess_one(house: House) -> None:
    for _ in range(50):
        house.disconnect()
        house.connect()
    assert len(set(house.words)) == 51
    assert min(map(len, house.words)) >= 16
    assert house.states == ["LOCKED"] * 51


def test_a_new_connection_voids_the_words_of_the_one_before_by_itself(house: House) -> None:
    house.connect()
    house.order(command(session=house.words[0]))
    assert house.reasons == ["wrong_session"]


def obeys_nothing_but_lock(house: House) -> bool:
    house.order("UNLOCK")
    house.order(command(ts=house.clock.at.utc))
    house.order(command(session=house.words[-1]))
    house.order(grant(house.words[-1], expires_at=house.clock.at.utc + 5), GRANT)
    refused = house.reasons[-4:] == ["stale", "stale", "wrong_session", "wrong_session"] and not house.relay_is_on
    house.order("LOCK")
    return refused and house.told[-1] == "locked"


def test_a_broker_that_falls_silent_is_left_and_nothing_but_lock_obeyed_until_connected_anew(house: House) -> None:
    house.session.acknowledges = False
    house.until(RENEW_S + ANSWER_S)
    assert house.session.renewed == []
    house.until(RENEW_S + ANSWER_S + 0.125)
    assert len(house.session.renewed) == 1
    assert obeys_nothing_but_lock(house)
    house.until(60)
    assert len(house.session.renewed) == 1
    house.disconnect()
    house.session.acknowledges = True
    house.connect()
    house.order("UNLOCK")
    assert house.relay_is_on


def test_a_broker_that_answers_late_but_in_time_is_kept(house: House) -> None:
    house.session.acknowledges = False
    for s in range(1, 60):
        house.until(s)
        if s % RENEW_S == ANSWER_S - 1:
            house.session.acknowledges = True
            house.session.answer_all()
            house.session.acknowledges = False
    assert house.session.renewed == []
    house.order("UNLOCK")
    assert house.relay_is_on


def test_a_word_that_the_client_did_not_take_makes_it_connect_anew(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(house.session, "publish", lambda *_, **__: None)
    house.until(RENEW_S + ANSWER_S + 0.125)
    assert len(house.session.renewed) == 1


def test_a_door_that_stood_still_obeys_nothing_but_lock_until_connected_anew(house: House) -> None:
    house.agent.on_stall(10, house.clock.now())
    assert house.session.renewed == ["stood still for 10.0 s"]
    assert obeys_nothing_but_lock(house)
    house.disconnect()
    house.connect()
    house.order("UNLOCK")
    assert house.relay_is_on
    assert len(house.session.renewed) == 1


@pytest.mark.parametrize(("stood_s", "told"), [(STALL_S, "unlocked"), (STALL_S + 0.125, "rejected")])
def test_an_order_that_waited_while_the_door_stood_still_opens_nothing(build: Build, stood_s: float, told: str) -> None:
    """Suspended and continued: the main loop itself finds out, or sees that it was not for long."""
    house = build()

    def stand_still_meanwhile() -> None:
        house.say("UNLOCK")
        house.clock.pass_(stood_s)

    house.run(stand_still_meanwhile)
    assert house.told[0] == told
    assert house.reasons[0] == (None if told == "unlocked" else "stale")
    assert len(house.session.renewed) == (told == "rejected")


def test_a_connection_that_was_made_while_the_door_stood_still_is_not_trusted_and_the_next_one_is(
    build: Build,
) -> None:
    """The main thread hangs, at a dying disk say, and the network's does not: all of it waits in the inbox."""
    house = build()

    def stand_still_meanwhile() -> None:
        house.session.lose()
        house.session.connect()
        house.say("UNLOCK")
        house.clock.pass_(STALL_S + 10)

    def connect_anew() -> None:
        assert ([event["reason"] for event in house.on_disk], len(house.words)) == (["stale"], 1)
        house.session.lose()
        house.session.connect()
        house.say("UNLOCK")

    house.run(stand_still_meanwhile, connect_anew)
    assert [event["event_type"] for event in house.events] == ["rejected", "unlocked", "locked"]
    assert len(house.words) == 2


@pytest.mark.parametrize("how", ["lost", "silent", "stood still"])
@pytest.mark.parametrize("policy", ["finish", "cut"])
def test_when_the_broker_goes_a_pulse_is_finished_or_cut_as_set(build: Build, policy: str, how: str) -> None:
    house = build(on_broker_lost=policy, hold_s=6.0).start()
    house.connect()
    house.until(2)
    house.order("UNLOCK")
    house.session.acknowledges = how != "silent"
    house.until(RENEW_S + ANSWER_S)
    assert house.relay_is_on
    if how == "lost":
        house.disconnect()
    elif how == "stood still":
        house.agent.on_stall(10, house.clock.now())
    house.until(RENEW_S + ANSWER_S + 0.125)
    assert house.relay_is_on is (policy == "finish")
    house.until(20)
    assert not house.relay_is_on
    causes = [event["cause"] for event in house.on_disk if event["event_type"] == "locked"]
    assert causes == ["timeout" if policy == "finish" else "broker_lost"]


# The end


def test_told_to_stop_in_a_pulse_it_locks_and_says_so(build: Build) -> None:
    house = build()
    house.run(lambda: house.say("UNLOCK"))
    assert [(event["event_type"], event["cause"]) for event in house.events] == [
        ("unlocked", "command"),
        ("locked", "stop"),
    ]
    assert house.states == ["LOCKED", "UNLOCKED", "LOCKED"]
    assert house.has_let_go()
    assert house.session.diary == ["subscribe", "start", "close"]


def test_close_lets_go_of_everything_though_the_relay_fails(house: House) -> None:
    """And raises: the process ends with an error, and a person hears of it."""
    house.order("UNLOCK")
    house.wire(RELAY_PIN).refuses = (False,)
    with pytest.raises(RelayError, match="Input/output error"):
        house.agent.close()
    assert house.told == ["unlocked", "jammed"]
    assert house.states[-1] == "JAMMED"
    assert house.has_let_go()


def test_an_agent_that_never_got_its_relay_has_nothing_to_say(build: Build) -> None:
    house = build(relay=RelaySettings(pin="SESAME", pin_factory="mock"))
    with pytest.raises(RelayError, match="SESAME"):
        house.run()
    assert (house.session.said, house.session.diary) == ([], ["close"])
    assert house.on_disk_of_another() == []


@pytest.mark.parametrize("pin", [BUTTON_PIN, LEAF_PIN])
def test_an_input_that_can_not_be_read_at_the_start_ends_the_agent_with_the_relay_off(build: Build, pin: int) -> None:
    house = build()
    house.wire(pin).unreadable = True
    with pytest.raises(InputError, match=f"^pin {pin} "):
        house.run()
    assert house.has_let_go()


class Boom(Exception):
    """What goes wrong in the next test."""


def boom(*_: object, **__: object) -> Any:
    raise Boom


# What fails, where; and what then makes the agent notice.
FAULTS: dict[str, tuple[Callable[[House], tuple[object, str] | None], Callable[[House], object] | None]] = {
    "a helper thread": (lambda house: None, lambda house: house.inbox.put(Fault(Boom()))),
    "the inbox": (lambda house: (house.inbox, "get"), None),
    "the clock": (lambda house: (house.clock, "now"), None),
    "a command": (lambda house: (house.agent._door, "command"), lambda house: house.say("UNLOCK")),
    "a grant": (lambda house: (house.agent._door, "grant"), lambda house: house.say("x", GRANT)),
    "the button": (lambda house: (house.agent._door, "press"), lambda house: house.wire(BUTTON_PIN).hold(False)),
    "the leaf": (lambda house: (house.agent._door, "close"), lambda house: house.wire(LEAF_PIN).hold(True)),
    "the pulse": (lambda house: (house.agent._door, "tick"), None),
    "the inputs": (lambda house: (house.agent._door, "sample"), None),
    "the loss of the broker": (
        lambda house: (house.agent._door, "lose_broker"),
        lambda house: house.session.lose(),
    ),
    "the read-back": (lambda house: (house.agent._relay, "check"), None),
    "the words": (lambda house: (house.agent._door.words, "silent"), None),
    "the session": (lambda house: (house.session, "publish"), lambda house: house.say("LOCK")),
    "the journal": (lambda house: (house.agent._journal, "tell"), lambda house: house.say("UNLOCK")),
    "the outbox": (lambda house: (house.agent._outbox, "pump"), None),
}


@pytest.mark.parametrize(("what", "when"), FAULTS.values(), ids=FAULTS)
def test_whatever_fails_the_relay_goes_off_and_the_agent_ends_with_that_error(
    build: Build,
    what: Callable[[House], tuple[object, str] | None],
    when: Callable[[House], object] | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    house = build()
    was_on: list[bool] = []

    def fail() -> None:
        was_on.append(house.relay_is_on)
        part = what(house)
        if part is not None:
            monkeypatch.setattr(*part, boom)
        if when is not None:
            when(house)

    with pytest.raises(Boom):
        house.run(lambda: house.say("UNLOCK"), fail, lambda: house.clock.pass_(CHECK_S))
    monkeypatch.undo()
    assert was_on == [True]
    assert house.has_let_go()
    assert house.session.diary == ["subscribe", "start", "close"]
