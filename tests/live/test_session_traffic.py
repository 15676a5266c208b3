"""What goes over a session's line: messages that must arrive, answers, floods, and what a renewal cuts off."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import Any, cast

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from agents.runtime.events import Connected, Disconnected, Message, Published, ReplyTo, Subscription
from agents.runtime.inbox import Inbox
from agents.runtime.session import KEEPALIVE_S, SMALL_PACKET
from agents.wire.messages import Command
from agents.wire.topics import COMMAND, EVENT, FRAME, GRANT, REPLY, STATE
from tests.fakes import T0, FakeClock
from tests.live.lines import PUBLISH, Line, Mosquitto, Scripted
from tests.live.tools import PATIENCE_S, Broker, Ear, wait_until

ORDERS = Subscription(COMMAND, ("front",))


def test_what_must_arrive_does_though_the_broker_is_killed_before_or_after_it_was_said(
    broker: Broker, tmp_path: Path
) -> None:
    with Line(tmp_path, broker.port, ORDERS) as line:
        line.wait(Connected)
        ids = [line.session.publish(EVENT, "front", payload=b"1")]
        assert line.wait(Published).mid == ids[0]
        broker.stop(signal.SIGKILL)
        ids += [line.session.publish(EVENT, "front", payload=payload) for payload in (b"2", b"3")]
        line.wait(Disconnected)
        ids += [line.session.publish(EVENT, "front", payload=payload) for payload in (b"4", b"5")]
        broker.start()
        ear = Ear(broker.port)
        ear.wait_until_listening()
        ids.append(line.session.publish(EVENT, "front", payload=b"6"))
        answered = [line.wait(Published).mid for _ in ids[1:]]
        ear.close()
    assert answered == ids[1:]


def test_what_the_broker_took_but_never_acknowledged_is_sent_again(tmp_path: Path) -> None:
    mosquitto = Mosquitto(tmp_path, "allow_anonymous true")
    mosquitto.start()
    with Line(tmp_path, mosquitto.port, ORDERS) as line:
        line.wait(Connected)
        mosquitto.signal(signal.SIGSTOP)
        mid = line.session.publish(EVENT, "front", payload=b"x")
        mosquitto.stop(signal.SIGKILL)
        line.wait(Disconnected)
        mosquitto.start()
        assert line.wait(Published).mid == mid
        assert [event for event in line.came if isinstance(event, Published)] == [Published(mid or 0)]
    mosquitto.stop()


def test_a_line_that_takes_no_more_is_told_before_much_waits_and_so_is_its_recovery(tmp_path: Path) -> None:
    frame, published, waited = b"x" * 30_000, 0, 0
    with Scripted() as broker, Line(tmp_path, broker.port) as line:
        wire = broker.accept()
        wire.greet()
        line.wait(Connected)

        def stuck() -> bool:
            nonlocal published, waited
            waited = waited + 1 if line.session.behind else 0
            if not waited:
                published += line.session.publish(FRAME, "front", payload=frame) is not None
            return waited >= 30

        wait_until("nothing more is taken", stuck)
        assert published <= 300, "what the kernel's buffers hold, 9 MB at most"
        arrived = [wire.read(PUBLISH) for _ in range(published)]
        assert all(body.endswith(frame) for body in arrived)
        wait_until("the line is free", lambda: not line.session.behind)


def test_a_message_arrives_with_all_that_was_said_of_it(broker: Broker, ear: Ear, tmp_path: Path) -> None:
    properties = (("captured_at", "1.5"), ("seq", "7"))
    frames = Subscription(FRAME, ("porch",))
    with Line(tmp_path, broker.port, ORDERS, frames, clock=FakeClock()) as door:
        door.wait(Connected)
        door.session.publish(FRAME, "porch", payload=b"jpeg", properties=properties)
        frame = door.wait(Message)
        assert (frame.topic, frame.names, frame.payload) == (FRAME, ("porch",), b"jpeg")
        assert (frame.properties, frame.retain, frame.reply_to) == (properties, False, None)
        assert frame.received_at == T0
        ear.say("door/front/command", "UNLOCK", retain=True)
        order = door.wait(Message)
        assert (order.topic, order.names, order.retain, order.properties) == (COMMAND, ("front",), True, ())


def test_what_expires_says_when_and_what_stays_is_retained(broker: Broker, ear: Ear, tmp_path: Path) -> None:
    with Line(tmp_path, broker.port, ORDERS) as door:
        door.wait(Connected)
        door.session.publish(GRANT, "front", payload=b"{}")
        door.session.answer(ReplyTo(("phone", "a1")), b"{}")
        door.session.publish(STATE, "front", payload="LOCKED")
        grant, answer = ear.wait("door/front/grant"), ear.wait("reply/phone/a1")
        assert [(heard.expiry_s, heard.retain) for heard in (grant, answer)] == [(5, False), (5, False)]
        state = ear.wait("door/front/state")
        assert (state.text, state.expiry_s, state.retain) == ("LOCKED", None, True)


def test_a_question_is_answered_where_its_sender_waits(broker: Broker, tmp_path: Path) -> None:
    reply_to = ReplyTo(("phone", "a1b2"), b"\x00\xff7")
    replies = Subscription(REPLY, reply_to.names)
    with Line(tmp_path, broker.port, ORDERS) as door, Line(tmp_path, broker.port, replies, who="phone") as phone:
        door.wait(Connected)
        phone.wait(Connected)
        phone.session.ask(COMMAND, "front", payload=b"UNLOCK", reply_to=reply_to)
        order = door.wait(Message)
        assert (order.payload, order.reply_to) == (b"UNLOCK", reply_to)
        assert order.reply_to is not None
        door.session.answer(order.reply_to, b"unlocked")
        answer = phone.wait(Message)
        assert (answer.topic, answer.names, answer.payload) == (REPLY, ("phone", "a1b2"), b"unlocked")


def ask(ear: Ear, payload: str, response_topic: str, correlation: bytes | None = None) -> None:
    """As a program that is none of ours would."""
    wishes = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # paho leaves it untyped
    wishes.ResponseTopic = response_topic
    if correlation is not None:
        wishes.CorrelationData = correlation
    ear.client.publish("facelatch/door/front/command", payload, properties=wishes).wait_for_publish(PATIENCE_S)


@pytest.mark.parametrize("correlation", [None, b"", b"\x00\xff7"])
def test_correlation_data_come_back_as_they_were(
    correlation: bytes | None, broker: Broker, ear: Ear, tmp_path: Path
) -> None:
    heard: list[bytes | None] = []
    ear.client.message_callback_add(
        "facelatch/reply/+/+", lambda _c, _d, raw: heard.append(getattr(raw.properties, "CorrelationData", None))
    )
    with Line(tmp_path, broker.port, ORDERS) as door:
        door.wait(Connected)
        ask(ear, "UNLOCK", "facelatch/reply/phone/a1", correlation)
        reply_to = door.wait(Message).reply_to
        assert reply_to == ReplyTo(("phone", "a1"), correlation)
        door.session.answer(reply_to, b"unlocked")
        wait_until("the answer", lambda: bool(heard))
    assert heard == [correlation]


def test_nobody_can_make_an_agent_publish_anywhere_else(broker: Broker, ear: Ear, tmp_path: Path) -> None:
    elsewhere = [
        "facelatch/door/back/command",
        "facelatch/door/front/grant",
        "facelatch/reply/phone",
        "facelatch/reply/phone/a1/b2",
        "facelatch/reply//a1",
        "other/reply/phone/a1",
        "reply/phone/a1",
        "facelatch/reply/../door/back/command",
    ]
    with Line(tmp_path, broker.port, ORDERS) as door:
        door.wait(Connected)
        for topic in elsewhere:
            ask(ear, "UNLOCK", topic)
        asked = [door.wait(Message) for _ in elsewhere]
    assert [message.reply_to for message in asked] == [None] * len(elsewhere)


def test_a_packet_too_large_for_an_order_never_arrives_and_the_next_one_does(
    broker: Broker, ear: Ear, tmp_path: Path
) -> None:
    with Line(tmp_path, broker.port, ORDERS) as door:
        door.wait(Connected)
        ear.say("door/front/command", b"x" * (SMALL_PACKET + 1))
        ear.say("door/front/command", b"LOCK")
        assert door.wait(Message).payload == b"LOCK"


def test_in_a_flood_the_inbox_stays_bounded_and_an_order_to_lock_gets_through(
    broker: Broker, ear: Ear, tmp_path: Path
) -> None:
    """Nobody takes anything out meanwhile."""
    inbox, orders = Inbox(limit=50), Subscription(COMMAND, ("front",), urgent=Command.locks)
    with Line(tmp_path, broker.port, orders, inbox=inbox) as door:
        door.wait(Connected)
        flood = 3000
        for i in range(flood):
            ear.client.publish("facelatch/door/front/command", f"UNLOCK {i}")
            if i == flood // 2:
                wait_until("a full inbox", lambda: inbox.full)
                for word in ("first", "second"):
                    ear.client.publish("facelatch/door/front/command", f'{{"action":"LOCK","id":"{word}"}}')
        wait_until("the rest is dropped", lambda: inbox.dropped == flood - 50)
        waiting = [cast("Message", event) for event in door.drain()]
    assert inbox.passed_over == 1
    assert len(waiting) == 51
    assert [Command.read(message.payload).id for message in waiting if Command.locks(message.payload)] == ["second"]


def test_while_there_is_room_every_order_counts_an_urgent_one_too(broker: Broker, ear: Ear, tmp_path: Path) -> None:
    orders = Subscription(COMMAND, ("front",), urgent=Command.locks)
    with Line(tmp_path, broker.port, orders, inbox=Inbox(limit=4)) as door:
        door.wait(Connected)
        for word in ("LOCK", "LOCK", "UNLOCK", "LOCK"):
            ear.say("door/front/command", word)
        wait_until("all are there", lambda: door.inbox.full)
        assert [door.wait(Message).payload for _ in range(4)] == [b"LOCK", b"LOCK", b"UNLOCK", b"LOCK"]


class Held(Inbox):
    """The network thread that puts a message here stands still until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.stands, self.goes = threading.Event(), threading.Event()

    def put(self, event: object) -> None:
        super().put(event)
        if isinstance(event, Message) and not self.goes.is_set():
            self.stands.set()
            assert self.goes.wait(PATIENCE_S)


def test_after_a_renewal_nothing_is_heard_that_was_sent_before_it(broker: Broker, ear: Ear, tmp_path: Path) -> None:
    stand_still_and_renew(tmp_path, broker.port, ear)


def stand_still_and_renew(folder: Path, port: int, ear: Ear, **mqtt: Any) -> None:
    """What waits in the socket is handled before the agent hears of the end of the connection, or never."""
    inbox = Held()
    with Line(folder, port, ORDERS, inbox=inbox, **mqtt) as door:
        door.wait(Connected)
        for turn in range(3):
            inbox.stands.clear()
            inbox.goes.clear()
            ear.say("door/front/command", f"first {turn}")
            assert inbox.stands.wait(PATIENCE_S)
            mark = ear.mark()
            for i in range(100):
                ear.say("door/front/command", f"waited {turn} {i} " + "x" * 1000)
            ear.say("test/mark", str(turn))
            ear.wait("test/mark", since=mark)  # so the broker has written all that to the door's socket
            came = len(door.came)
            door.session.renew("the test stood still")
            inbox.goes.set()
            assert door.wait(Connected).number > door.session.dropped
            ear.say("door/front/command", f"after {turn}")
            after = door.wait(Message)
            assert after.payload == b"after %d" % turn
            since = door.came[came:]
            kinds = [type(event) for event in since]
            assert kinds == [Message] * (len(kinds) - 3) + [Disconnected, Connected, Message]
            ends = [event.reason for event in since if isinstance(event, Disconnected)]
            assert "command" not in ends[0], "cipher was read as if it were packets"


def test_a_renewal_does_not_wait_for_a_broker_that_stands_still(tmp_path: Path) -> None:
    mosquitto = Mosquitto(tmp_path, "allow_anonymous true")
    mosquitto.start()
    with Line(tmp_path, mosquitto.port, ORDERS) as door:
        door.wait(Connected)
        mosquitto.signal(signal.SIGSTOP)
        door.session.renew("the broker did not answer")
        wait_until("it is over before a ping could fail", lambda: not door.session.connected, KEEPALIVE_S / 2)
        door.wait(Disconnected)
        mosquitto.signal(signal.SIGCONT)
        door.wait(Connected)
    mosquitto.stop()


def test_a_connection_that_was_renewed_before_anybody_heard_of_it_is_known_as_dropped(
    broker: Broker, tmp_path: Path
) -> None:
    with Line(tmp_path, broker.port, ORDERS) as door:
        first = door.wait(Connected)
        assert door.session.dropped < first.number
        door.session.renew("the test stood still")
        assert door.session.dropped == first.number
        second = door.wait(Connected)
        assert second.number == first.number + 1
        assert door.session.dropped < second.number


def test_renewing_again_and_again_in_a_flood_ends_well(broker: Broker, ear: Ear, tmp_path: Path) -> None:
    renew_in_a_flood(tmp_path, broker.port, ear)


def renew_in_a_flood(folder: Path, port: int, ear: Ear, **mqtt: Any) -> None:
    """Each connection has one beginning and one end, whatever is under way in either direction."""
    over = threading.Event()

    def flood() -> None:
        while not over.is_set():
            ear.client.publish("facelatch/door/front/command", b"x" * 2000).wait_for_publish(PATIENCE_S)

    thread = threading.Thread(target=flood)
    with Line(folder, port, ORDERS, **mqtt) as door:
        door.wait(Connected)
        thread.start()
        for _ in range(4):
            door.wait(Message)
            for _ in range(20):
                door.session.publish(EVENT, "front", payload=b"x" * 2000)
            door.session.renew("the test wants it")
            door.session.renew("the test wants it twice")
            assert door.wait(Connected).number > door.session.dropped
        over.set()
        thread.join()
        wait_for_all = door.session.publish(EVENT, "front", payload=b"the last")
        door.wait(Published, lambda event: event.mid == wait_for_all)
    turns = [event for event in door.came if isinstance(event, Connected | Disconnected)]
    assert [type(event) for event in turns] == [Connected, Disconnected] * 4 + [Connected]
    assert sum(isinstance(event, Published) for event in door.came) == 4 * 20 + 1
