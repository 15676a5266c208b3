"""Who may be a client, and the file that says who is."""

from __future__ import annotations

from pathlib import Path

import pytest

from broker import BrokerError, clients
from broker.clients import Client
from tests.broker import houses

PHONE = Client(doors=("front",))


@pytest.mark.parametrize(
    "name",
    [
        *(
            "unlock",
            "enroll",
            "watch",
            "journal",
            "door",
            "door-front",
            "door-x",
            "camera-porch",
            "recognizer-main",
            "scheduler-2",
        ),
        *("", "-", "Phone", "ca.crt", "a/b", "..", "phone 1", "+", "#", "phone\n", "x" * 33),
    ],
)
def test_names_that_are_or_may_become_a_programs_or_no_topic_level_are_refused(name: str, tmp_path: Path) -> None:
    house, _ = houses.write(tmp_path, houses.text())
    with pytest.raises(BrokerError, match="can't be a client's name"):
        clients.check_new(name, PHONE, {}, house)
    with pytest.raises(BrokerError, match="can't be"):
        clients.decode(clients.encode({name: PHONE}), "clients.json")


def test_a_client_is_added_once_and_for_doors_that_are_there(tmp_path: Path) -> None:
    house, _ = houses.write(tmp_path, houses.text())
    clients.check_new("doorbell", PHONE, {}, house)
    with pytest.raises(BrokerError, match="there is a client 'phone-1' already"):
        clients.check_new("phone-1", PHONE, {"phone-1": PHONE}, house)
    with pytest.raises(BrokerError, match="there is no door 'side': front, back"):
        clients.check_new("phone-1", Client(doors=("front", "side")), {}, house)


def test_the_file_is_read_back_as_it_was_written() -> None:
    known = {"phone-1": PHONE, "ha": Client(doors=None, home_assistant=True), "wall": Client(doors=(), read_only=True)}
    assert clients.decode(clients.encode(known), "clients.json") == known


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"\xff", b'{"a": {}}', b'{"a": {"doors": ["front"], "may": "all"}}', b'{"a": {"doors": "front"}}'],
)
def test_a_damaged_file_is_told_by_name(data: bytes) -> None:
    with pytest.raises(BrokerError, match=r"^the/clients\.json can't be read: "):
        clients.decode(data, "the/clients.json")
