"""A session on the wire: what it says of itself, what it keeps, and what is said of it when a broker fails."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from agents.runtime.events import Connected, Disconnected, Message, Published, Subscription
from agents.runtime.session import KEEPALIVE_S, SMALL_PACKET
from agents.wire.topics import AVAILABILITY, COMMAND, FRAME, GRANT, SESSION, STATE
from tests.live.lines import CONNECT, DISCONNECT, PUBACK, PUBLISH, SUBACK, Line, Mosquitto, Scripted
from tests.live.tools import Broker, Ear, wait_until

ORDERS = Subscription(COMMAND, ("front",))
GRANTS = Subscription(GRANT, ("front",))


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    with Scripted() as made:
        yield made


def test_every_connection_starts_clean_and_leaves_nothing_behind(scripted: Scripted, tmp_path: Path) -> None:
    with Line(tmp_path, scripted.port, ORDERS) as line:
        for _ in range(2):
            wire = scripted.accept()
            connect = wire.greet()
            assert connect.clean_start
            assert connect.properties == {"SessionExpiryInterval": 0, "MaximumPacketSize": SMALL_PACKET}
            assert connect.keepalive_s == KEEPALIVE_S
            assert connect.client_id == "facelatch-door-front"
            assert connect.will == ("facelatch/door/front/availability", "offline", 1, True)
            assert connect.login is None
            wire.close()
            line.wait(Disconnected)


def test_who_reads_frames_is_sent_large_packets_and_nobody_else(scripted: Scripted, tmp_path: Path) -> None:
    frames = Subscription(FRAME, ("front",), latest=True)
    with Line(tmp_path, scripted.port, ORDERS, frames, who=("recognizer", "main")):
        assert scripted.accept().greet().properties == {"SessionExpiryInterval": 0}


def test_a_program_says_its_own_name_and_password_and_keeps_apart_from_other_houses(
    scripted: Scripted, tmp_path: Path
) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "door-front").write_text("s3cret\n")
    with Line(tmp_path, scripted.port, credentials="secrets", base="street/7"):
        connect = scripted.accept().greet()
    assert connect.login == ("door-front", "s3cret")
    assert connect.client_id == "street-7-door-front"
    assert connect.will is not None
    assert connect.will[0] == "street/7/door/front/availability"


def test_a_command_leaves_no_will_and_takes_nobodys_client_id(scripted: Scripted, tmp_path: Path) -> None:
    with Line(tmp_path, scripted.port, who="unlock"):
        connect = scripted.accept().greet()
    assert (connect.will, connect.client_id) == (None, "")


def test_what_is_true_only_now_is_asked_for_without_its_past_and_with_its_retain_flag(
    scripted: Scripted, tmp_path: Path
) -> None:
    with Line(tmp_path, scripted.port, ORDERS, GRANTS, Subscription(SESSION, ("front",))):
        wire = scripted.accept()
        wire.greet()
        retain_as_published, no_retained = 0x08, 0x20
        assert wire.subscribe() == {
            "facelatch/door/front/command": retain_as_published | no_retained,
            "facelatch/door/front/grant": retain_as_published | no_retained,
            "facelatch/door/front/session": 1,
        }


def test_what_is_said_does_not_wait_for_more_to_fill_a_packet(scripted: Scripted, tmp_path: Path) -> None:
    with Line(tmp_path, scripted.port) as line:
        scripted.accept().greet()
        line.wait(Connected)
        sock = cast("socket.socket", line.session._client.socket())
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1


def test_an_agent_that_may_not_hear_what_it_has_to_ends(scripted: Scripted, tmp_path: Path) -> None:
    not_authorized = 0x87
    with Line(tmp_path, scripted.port, ORDERS, GRANTS) as line:
        wire = scripted.accept()
        wire.greet()
        wire.subscribe(0, not_authorized)
        with pytest.raises(PermissionError, match="door/front/grant: Not authorized"):
            line.wait(Connected)
    assert not [event for event in line.came if isinstance(event, Connected)]


def test_a_connection_begins_with_connected_even_for_a_broker_that_is_quicker_with_messages(
    scripted: Scripted, tmp_path: Path
) -> None:
    with Line(tmp_path, scripted.port, ORDERS) as line:
        wire = scripted.accept()
        wire.greet()
        mid, _ = wire.read_subscribe()
        wire.publish("facelatch/door/front/command", b"LOCK")
        line.wait(Message)
        wire.send(SUBACK, mid + b"\x00\x00")
        wire.publish("facelatch/door/front/command", b"UNLOCK")
        line.wait(Message)
    assert [type(event) for event in line.came] == [Connected, Message, Message]


def test_what_was_not_acknowledged_is_sent_again_before_anything_new_can_be_said(
    scripted: Scripted, tmp_path: Path
) -> None:
    """Else a retained word of yesterday would stand after the one of today."""
    with Line(tmp_path, scripted.port, ORDERS) as line:
        wire = scripted.accept()
        wire.greet()
        wire.subscribe()
        line.wait(Connected)
        mid = line.session.publish(STATE, "front", payload="UNLOCKED")
        assert mid is not None
        assert wire.read(PUBLISH).endswith(b"UNLOCKED")
        wire.close()
        line.wait(Disconnected)
        wire = scripted.accept()
        wire.greet()
        subscribe_id, _ = wire.read_subscribe()
        assert wire.read(PUBLISH).endswith(b"UNLOCKED")
        assert line.drain() == []  # the agent has not been told of the connection yet, so it has said nothing
        wire.send(SUBACK, subscribe_id + b"\x00\x00")
        line.wait(Connected)
        wire.send(PUBACK, mid.to_bytes(2, "big"))
        assert line.wait(Published).mid == mid


@pytest.mark.parametrize(("code", "why"), [(0x8B, "Server shutting down"), (0x8E, "Session taken over")])
def test_a_connection_that_the_broker_ends_is_known_to_be_over_at_once_and_why(
    code: int, why: str, scripted: Scripted, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Line(tmp_path, scripted.port, ORDERS) as line:
        wire = scripted.accept()
        wire.greet()
        wire.subscribe()
        line.wait(Connected)
        assert line.session.connected
        wire.send(DISCONNECT, bytes([code, 0]))
        assert line.wait(Disconnected).reason == why
        assert not line.session.connected
        assert line.session.publish(COMMAND, "front", payload=b"LOCK") is None
        wire = scripted.accept()
        wire.greet()
        wire.subscribe()
        line.wait(Connected)
    assert f"lost broker 127.0.0.1:{scripted.port}: {why}; trying again" in caplog.text


def test_why_a_broker_refuses_is_told_once_and_again_when_it_changes(
    scripted: Scripted, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agents.runtime.session.RECONNECT_MAX_S", 1)
    refusals = {0x86: "Bad user name or password", 0x87: "Not authorized"}
    with Line(tmp_path, scripted.port, ORDERS) as line:
        for code in (0x87, 0x87, 0x86):
            wire = scripted.accept()
            wire.greet(code)
            assert line.wait(Disconnected).reason == f"it refused the connection: {refusals[code]}"
            assert not line.session.connected
        wire = scripted.accept()
        wire.greet()
        wire.subscribe()
        line.wait(Connected)
        wire.close()
        assert "refused" not in line.wait(Disconnected).reason
    told = [record.getMessage() for record in caplog.records]
    assert told[:-1] == [
        f"no broker at 127.0.0.1:{scripted.port}: it refused the connection: {refusals[code]}; "
        "trying again until there is one"
        for code in (0x87, 0x86)
    ]
    assert told[-1].startswith(f"lost broker 127.0.0.1:{scripted.port}: ")


def test_a_broker_that_never_answers_is_no_broker_and_does_not_keep_an_agent_from_ending(
    scripted: Scripted, tmp_path: Path
) -> None:
    with Line(tmp_path, scripted.port) as line:
        scripted.accept().read(CONNECT)
        assert not line.session.connected
        assert line.session.publish(COMMAND, "front", payload=b"UNLOCK") is None
    assert [type(event) for event in line.drain()] == [Disconnected]  # by the agent's own end


def test_of_two_with_one_name_each_says_that_it_was_cut_off_and_the_one_that_stays_goes_on(
    broker: Broker, ear: Ear, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with Line(tmp_path, broker.port, ORDERS) as one:
        one.wait(Connected)
        with Line(tmp_path, broker.port, ORDERS) as other:
            other.wait(Connected)
            one.wait(Disconnected)
            one.wait(Connected)
            other.wait(Disconnected)
        wait_until("it hears again", lambda: hears(one, ear))
    told = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len(told) >= 2
    assert all(text.startswith(f"lost broker 127.0.0.1:{broker.port}: ") for text in told)


def hears(line: Line, ear: Ear) -> bool:
    ear.say("door/front/command", "LOCK")
    return any(isinstance(event, Message) for event in line.drain())


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Mosquitto]:
    """A broker that lets anybody in, at an address that is not this machine's own name for itself."""
    made = Mosquitto(tmp_path, "allow_anonymous true", host="127.0.0.2")
    made.start()
    yield made
    made.stop()


def test_a_broker_elsewhere_that_lets_anybody_in_is_a_problem_that_is_told_loudly(
    elsewhere: Mosquitto, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Line(tmp_path, elsewhere.port, host="127.0.0.2") as line:
        line.wait(Connected)
        assert line.session.problem is not None
        assert line.session.problem.startswith(f"the broker at 127.0.0.2:{elsewhere.port} lets anybody in")
    assert [record.levelno for record in caplog.records if "lets anybody in" in record.getMessage()] == [logging.ERROR]


def test_a_broker_elsewhere_that_was_told_a_password_is_no_problem(elsewhere: Mosquitto, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("s3cret\n")
    with Line(tmp_path, elsewhere.port, host="127.0.0.2", credentials="password") as line:
        line.wait(Connected)
        assert line.session.problem is None


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_broker_on_this_machine_may_let_anybody_in_and_a_good_end_is_nothing_to_warn_of(
    host: str, broker: Broker, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Line(tmp_path, broker.port, host=host) as line:
        line.wait(Connected)
        assert line.session.problem is None
    assert [record.getMessage() for record in caplog.records] == []


def test_an_agent_says_that_it_is_gone_when_it_ends_and_its_will_says_it_when_it_is_cut_off(
    broker: Broker, ear: Ear, tmp_path: Path
) -> None:
    def offline(since: int) -> None:
        ear.wait("door/front/availability", lambda heard: heard.text == "offline", since)

    with Line(tmp_path, broker.port) as line:
        line.wait(Connected)
        mark = ear.mark()
        line.session.renew("the test pulls the plug")
        offline(mark)
        line.wait(Connected)
        mark = ear.mark()
    offline(mark)
    assert AVAILABILITY.retain
