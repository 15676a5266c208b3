"""`facelatch unlock`, as far as it goes without a broker; tests/live has the rest."""

from __future__ import annotations

import argparse
import socket
from pathlib import Path

import pytest

from agents.cli.common import CommandError
from agents.cli.listen import wait_for
from agents.cli.main import main
from agents.cli.unlock import _answer
from agents.runtime.clock import Clock
from agents.runtime.inbox import Fault, Inbox
from agents.runtime.events import Connected, Disconnected, Message
from agents.wire.messages import Action, Cause, Command, DoorEvent, EventType
from agents.wire.topics import EVENT

HOUSE = """\
mqtt: { port: PORT }
doors:
  front: { relay: { pin: 17, pin_factory: mock } }
cameras:
  porch: { source: 0 }
scheduler:
  timezone: UTC
  doors:
    front: { cameras: [porch] }
"""
ORDER = Command(action=Action.UNLOCK, id="cli-1")


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A house whose broker is not there."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    path = tmp_path / "house.yaml"
    path.write_text(HOUSE.replace("PORT", str(port)))
    return path


def test_a_door_that_is_not_there_is_told_with_those_that_are(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["unlock", "side", "-c", str(house)]) == 1
    assert capsys.readouterr().err == "facelatch: there is no door 'side': front\n"


@pytest.mark.parametrize("words", [["unlock", "front"], ["watch"]])
def test_without_a_broker_it_gives_up_and_says_where_it_looked(
    words: list[str], house: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "--timeout", "0.2", "-c", str(house)]) == 1
    assert "facelatch: no broker answers at 127.0.0.1:" in capsys.readouterr().err


def told(kind: EventType, id_: str | None) -> Message:
    event = DoorEvent(event_type=kind, at=1.8e9, cause=Cause.COMMAND, id=id_)
    return Message(EVENT, ("front",), event.encode(), False, (), 1.8e9)


def answer_among(*messages: Message) -> DoorEvent:
    inbox = Inbox()
    for message in messages:
        inbox.put(message)
    return _answer(inbox, Clock(), ORDER, argparse.Namespace(door="front", timeout=0.05))


def test_only_the_answer_to_its_own_order_counts() -> None:
    others = told(EventType.UNLOCKED, "cli-2"), told(EventType.UNLOCKED, None)
    assert answer_among(*others, told(EventType.REJECTED, "cli-1")).event_type is EventType.REJECTED
    with pytest.raises(CommandError, match="door front does not answer"):
        answer_among(*others)


def test_a_door_that_jams_is_an_answer() -> None:
    assert answer_among(told(EventType.JAMMED, None)).event_type is EventType.JAMMED


def test_waiting_is_for_the_asked_kind_and_an_error_of_the_network_thread_is_raised() -> None:
    inbox = Inbox()
    inbox.put(Disconnected("x"))
    inbox.put(Connected())
    assert isinstance(wait_for(inbox, Clock(), 1.0, "nothing", Connected), Connected)
    inbox.put(Fault(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        wait_for(inbox, Clock(), 1.0, "nothing", Connected)
    with pytest.raises(CommandError, match="nothing"):
        wait_for(inbox, Clock(), float("nan"), "nothing", Connected)
