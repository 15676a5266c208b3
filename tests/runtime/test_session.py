"""What a session does without a broker. With one it is tested in tests/live."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.runtime.clock import Clock
from agents.runtime.inbox import Fault, Inbox
from agents.runtime.session import Session
from agents.runtime.settings import MqttSettings
from agents.wire.topics import COMMAND, FRAME, GRANT, IDENTITY, Topic


def session(folder: Path, inbox: Inbox | None = None, **settings: str) -> Session:
    mqtt = MqttSettings(**settings)  # type: ignore[arg-type]
    return Session(mqtt, folder, ("door", "front"), inbox or Inbox(), Clock())


@pytest.mark.parametrize("topic", [FRAME, IDENTITY, GRANT, COMMAND], ids=lambda topic: topic.path)
def test_what_counts_only_now_is_not_kept_for_later(tmp_path: Path, topic: Topic) -> None:
    assert not session(tmp_path).publish(topic, "front", payload=b"x")


def test_a_missing_password_file_is_told_before_anything_connects(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="no-such-file"):
        session(tmp_path, username="door", password_file="no-such-file")


def test_a_session_that_never_started_can_be_closed(tmp_path: Path) -> None:
    made = session(tmp_path)
    assert not made.connected
    made.close()
    assert not made.connected


def test_an_error_that_ends_the_network_thread_reaches_the_agent(tmp_path: Path) -> None:
    inbox = Inbox()
    made = session(tmp_path, inbox, host="foo..bar")
    made.start()
    fault = inbox.get(20)
    made.close()
    assert isinstance(fault, Fault)
    assert isinstance(fault.error, UnicodeError)
