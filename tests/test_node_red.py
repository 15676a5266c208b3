"""`docs/node-red.json` keeps to the contract: its topics are ours, and nothing it sends can wait or stay."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.contract_names import topic_of

FLOW = Path(__file__).parents[1] / "docs" / "node-red.json"
NODES: list[dict[str, Any]] = json.loads(FLOW.read_text(encoding="utf-8"))
COME_WITH_NODE_RED = {"tab", "comment", "mqtt-broker", "inject", "function", "mqtt in", "mqtt out", "debug", "file"}


def of(kind: str) -> list[dict[str, Any]]:
    found = [node for node in NODES if node["type"] == kind]
    assert found, kind
    return found


def of_topic(node: dict[str, Any]) -> str:
    return str(node["topic"])


def test_it_needs_nothing_that_does_not_come_with_node_red() -> None:
    assert {node["type"] for node in NODES} <= COME_WITH_NODE_RED


@pytest.mark.parametrize("node", of("mqtt out"), ids=of_topic)
def test_what_it_sends_is_for_people_to_send_and_neither_waits_nor_stays(node: dict[str, Any]) -> None:
    assert topic_of(node["topic"]).writer == "people"
    # as words: Node-RED takes an empty one for "as the message says"
    assert (node["qos"], node["retain"]) == ("0", "false")


@pytest.mark.parametrize("node", of("mqtt in"), ids=of_topic)
def test_what_it_listens_to_is_for_people_to_read(node: dict[str, Any]) -> None:
    assert "people" in topic_of(node["topic"]).readers


def test_nothing_is_sent_when_it_starts_ends_or_dies_nor_by_the_clock() -> None:
    for broker in of("mqtt-broker"):
        assert [broker[when] for when in ("birthTopic", "closeTopic", "willTopic")] == ["", "", ""]
        assert broker["cleansession"] is True
    for inject in of("inject"):
        assert (inject["once"], inject["repeat"], inject["crontab"]) == (False, "", "")


def test_every_wire_ends_at_a_node_and_there_is_one_broker() -> None:
    ids = {node["id"] for node in NODES}
    assert len(ids) == len(NODES)
    assert {end for node in NODES for wire in node.get("wires", []) for end in wire} <= ids
    (broker,) = of("mqtt-broker")
    assert {node["broker"] for node in NODES if node["type"] in ("mqtt in", "mqtt out")} == {broker["id"]}


def test_no_user_nor_password_is_in_it() -> None:
    assert all("credentials" not in node for node in NODES)
