"""`facelatch unlock`, between a session in the test's hands and a door that answers as it likes."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from agents.cli import unlock
from agents.cli.common import CommandError
from agents.cli.listen import wait_for
from agents.cli.main import main
from agents.runtime.clock import Clock
from agents.runtime.events import Connected, Disconnected, ReplyTo, Subscription
from agents.runtime.inbox import Fault, Inbox
from agents.wire.messages import Action, Cause, Command, DoorEvent, EventType, Refusal
from agents.wire.topics import COMMAND, REPLY, SESSION, Topic
from tests.fakes import T0, FakeSession, message

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


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A house whose broker is not there."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    path = tmp_path / "house.yaml"
    path.write_text(HOUSE.replace("PORT", str(port)))
    return path


class Door(FakeSession):
    """A session whose broker keeps `word` as the door's session, and whose door answers with `answers_with`."""

    def __init__(self) -> None:
        super().__init__()
        self.inbox = Inbox()
        self.word: bytes | None = b"a1b2"
        self.answers_with: bytes | None = told(EventType.UNLOCKED)
        self.asked: list[tuple[Command, ReplyTo]] = []
        self.user = ""

    @contextlib.contextmanager
    def listening(
        self, _house: object, _folder: Path, user: str, wanted: Sequence[Subscription], _timeout_s: float
    ) -> Iterator[tuple[FakeSession, Inbox]]:
        self.user, (session, self.reply) = user, wanted
        assert (session.topic, session.names) == (SESSION, ("front",))
        if self.word is not None:
            self.inbox.put(message(SESSION, "front", payload=self.word, retain=True))
        yield self, self.inbox

    def ask(self, topic: Topic, *names: str, payload: bytes, reply_to: ReplyTo) -> int | None:
        assert (topic, names) == (COMMAND, ("front",))
        assert (self.reply.topic, self.reply.names) == (REPLY, reply_to.names)
        self.asked.append((Command.read(payload), reply_to))
        self.inbox.put(message(SESSION, "front", payload=b"the-next-word"))
        if self.answers_with is not None:
            self.inbox.put(message(REPLY, *reply_to.names, payload=self.answers_with))
        return 1


def told(kind: EventType, **values: Any) -> bytes:
    return DoorEvent(event_type=kind, at=T0, cause=Cause.COMMAND, **values).encode()


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Door:
    made = Door()
    monkeypatch.setattr(unlock, "listening", made.listening)
    return made


def run(house: Path, *words: str) -> int:
    return main(["unlock", "front", *words, "-c", str(house)])


def test_a_door_that_is_not_there_is_told_with_those_that_are(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["unlock", "side", "-c", str(house)]) == 1
    assert capsys.readouterr().err == "facelatch: there is no door 'side': front\n"


@pytest.mark.parametrize("words", [["unlock", "front"], ["watch"]])
def test_without_a_broker_it_gives_up_and_says_where_it_looked(
    words: list[str], house: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "--timeout", "0.2", "-c", str(house)]) == 1
    assert "facelatch: no broker at 127.0.0.1:" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["unlock", "front"], ["watch"]])
def test_a_password_that_is_not_there_is_told_with_its_file(
    words: list[str], house: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (house.parent / "secrets").mkdir()
    house.write_text(house.read_text().replace("mqtt: {", "mqtt: { credentials: secrets,"))
    assert main([*words, "--as", "phone-1", "-c", str(house)]) == 1
    assert "facelatch: mqtt: " in (err := capsys.readouterr().err)
    assert "secrets/phone-1" in err


def test_an_order_proves_that_it_is_fresh_and_names_the_place_where_the_answer_is_waited_for(
    house: Path, door: Door
) -> None:
    assert run(house, "--as", "phone-1") == 0
    assert run(house, "--as", "phone-1") == 0
    (command, reply_to), (again, elsewhere) = door.asked
    assert (command.action, command.session, command.ts) == (Action.UNLOCK, "a1b2", None)
    assert command.source is not None
    assert command.source.startswith("facelatch unlock by ")
    assert reply_to.names[0] == door.user == "phone-1"
    assert reply_to.names != elsewhere.names
    assert command.id != again.id


def test_somebody_without_a_name_is_told_by_number(house: Path, door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr("getpass.getuser", nameless)
    assert run(house) == 0
    assert door.asked[0][0].source == f"facelatch unlock by uid {os.getuid()}"


def test_lock_asks_to_lock(house: Path, door: Door, capsys: pytest.CaptureFixture[str]) -> None:
    door.answers_with = told(EventType.LOCKED)
    assert run(house, "--lock") == 0
    assert door.asked[0][0].action is Action.LOCK
    assert capsys.readouterr().out == "front: locked\n"


GOOD = {"": {EventType.UNLOCKED, EventType.EXTENDED}, "--lock": {EventType.LOCKED}}


@pytest.mark.parametrize("order", GOOD)
@pytest.mark.parametrize("kind", EventType)
def test_it_exits_with_0_only_when_the_door_did_what_it_was_told(
    kind: EventType, order: str, house: Path, door: Door, capsys: pytest.CaptureFixture[str]
) -> None:
    door.answers_with = told(kind)
    assert run(house, *order.split()) == (0 if kind in GOOD[order] else 1)
    assert capsys.readouterr().out == f"front: {kind}\n"


def test_a_refusal_is_told_with_its_reason_and_its_remedy(
    house: Path, door: Door, capsys: pytest.CaptureFixture[str]
) -> None:
    door.answers_with = told(EventType.REJECTED, reason=Refusal.LOCKED_OUT, detail="wait")
    assert run(house) == 1
    assert capsys.readouterr().out == "front: rejected: locked_out: wait\n"


SILENT: dict[str, tuple[bytes | None, bytes | None, str]] = {
    "the door was never here": (None, None, "door front does not answer"),
    "the door is away": (b"a1b2", None, "door front does not answer"),
    "its word is no word": (b"a b", None, "what door front keeps as its session is no session nonce"),
    "its word was cleared": (b"", None, "what door front keeps as its session is no session nonce"),
    "its answer is none": (b"a1b2", b"yes", "the answer can't be read"),
}


@pytest.mark.parametrize(("word", "answer", "complaint"), SILENT.values(), ids=SILENT)
def test_without_an_answer_that_can_be_read_it_exits_with_1_and_says_why(
    word: bytes | None,
    answer: bytes | None,
    complaint: str,
    house: Path,
    door: Door,
    capsys: pytest.CaptureFixture[str],
) -> None:
    door.word, door.answers_with = word, answer
    assert run(house, "--timeout", "0.1") == 1
    assert complaint in capsys.readouterr().err


def waiting_for_a_connection(*events: object, timeout_s: float = 0.1) -> object:
    inbox = Inbox()
    for event in events:
        inbox.put(event)
    return wait_for(inbox, Clock(), timeout_s, "nothing", Connected)


def test_waiting_is_for_the_asked_kind() -> None:
    assert waiting_for_a_connection(Disconnected("x"), "noise", Connected()) == Connected()
    with pytest.raises(CommandError, match=r"^nothing$"):
        waiting_for_a_connection("noise")
    with pytest.raises(CommandError, match=r"^nothing$"):
        waiting_for_a_connection(Connected(), timeout_s=float("nan"))


def test_an_error_of_the_network_thread_is_raised_where_it_is_waited_for() -> None:
    with pytest.raises(ZeroDivisionError):
        waiting_for_a_connection(Fault(ZeroDivisionError()), Connected())


def test_what_the_broker_said_last_is_why_there_is_no_connection() -> None:
    with pytest.raises(CommandError, match="refused the connection: Not authorized"):
        waiting_for_a_connection(Disconnected("x"), Disconnected("it refused the connection: Not authorized"))
