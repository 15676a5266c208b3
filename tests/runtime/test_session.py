"""What a session does without a broker. With one it is tested in tests/live."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agents.runtime.clock import Clock
from agents.runtime.events import ReplyTo
from agents.runtime.inbox import Fault, Inbox
from agents.runtime.session import MAX_QUEUED, Session
from agents.runtime.settings import MqttSettings, Site, TlsSettings
from agents.wire.topics import COMMAND, EVENT, FRAME, GRANT, IDENTITY, Topic
from tests.fakes import close


def session(
    folder: Path, inbox: Inbox | None = None, who: tuple[str, str] | str = ("door", "front"), **settings: Any
) -> Session:
    return Session(Site(MqttSettings(**settings), folder, folder), who, inbox or Inbox(), Clock())


@pytest.mark.parametrize("topic", [FRAME, IDENTITY, GRANT, COMMAND], ids=lambda topic: topic.path)
def test_what_counts_only_now_is_not_kept_for_later(tmp_path: Path, topic: Topic) -> None:
    assert session(tmp_path).publish(topic, "front", payload=b"x") is None


def test_neither_a_question_nor_an_answer_is_kept_for_later(tmp_path: Path) -> None:
    made, reply_to = session(tmp_path), ReplyTo(("phone", "a1"), b"7")
    assert made.ask(COMMAND, "front", payload=b"UNLOCK", reply_to=reply_to) is None
    assert made.answer(reply_to, b"{}") is None


def test_without_a_broker_nothing_waits_for_the_line(tmp_path: Path) -> None:
    made = session(tmp_path)
    made.publish(FRAME, "front", payload=b"x")
    assert not made.behind


def test_what_must_arrive_is_kept_under_an_id_of_its_own_as_long_as_there_is_room(tmp_path: Path) -> None:
    made = session(tmp_path)
    ids = [made.publish(EVENT, "front", payload=b"x") for _ in range(MAX_QUEUED)]
    assert None not in ids
    assert len(set(ids)) == MAX_QUEUED
    assert made.publish(EVENT, "front", payload=b"x") is None


def test_a_program_logs_in_under_its_own_name_with_its_own_password(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "door-front").write_text("s3cret\n")
    assert session(tmp_path, credentials="secrets").user == "door-front"
    with pytest.raises(OSError, match="secrets/unlock"):
        session(tmp_path, who="unlock", credentials="secrets")


def test_a_missing_password_file_is_told_before_anything_connects(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="no-such-file"):
        session(tmp_path, credentials="no-such-file")


def test_a_missing_certificate_is_told_before_anything_connects(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="no-such-file"):
        session(tmp_path, tls=TlsSettings(ca_file="no-such-file"))


def test_a_session_that_never_started_can_be_renewed_and_closed(tmp_path: Path) -> None:
    made = session(tmp_path)
    assert not made.connected
    made.renew("the agent stood still")
    made.close()
    assert not made.connected


def test_an_error_that_ends_the_network_thread_reaches_the_agent(tmp_path: Path) -> None:
    inbox = Inbox()
    made = session(tmp_path, inbox, host="foo..bar")
    made.start()
    fault = inbox.get(20)
    close(made)
    assert isinstance(fault, Fault)
    assert isinstance(fault.error, UnicodeError)
