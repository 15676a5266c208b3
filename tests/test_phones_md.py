"""The tables of `docs/phones.md` that people copy from are the contract's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from agents.wire import topics
from agents.wire.liveness import Challenge
from agents.wire.messages import DoorEvent, Health, Payload
from agents.wire.scheduling import Decision, Question
from agents.wire.topics import Topic
from tests.contract_names import topic_of

PAGE = (Path(__file__).parents[1] / "docs" / "phones.md").read_text(encoding="utf-8")
MODELS: dict[Topic, type[Payload]] = {
    topics.EVENT: DoorEvent,
    topics.QUESTION: Question,
    topics.CHALLENGE: Challenge,
    topics.HEALTH: Health,
    topics.LAST: Decision,
}


def tiles() -> list[list[str]]:
    table = PAGE.partition("| tile | kind |")[2].partition("\n\n")[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]


@pytest.mark.parametrize("tile", tiles(), ids=lambda tile: str(tile[0]))
def test_a_tile_listens_to_what_people_may_read_and_sends_what_they_may_write(tile: list[str]) -> None:
    _, _, listens, sends, _, path = tile
    assert (listens, sends) != ("–", "–")
    if listens != "–":
        topic = topic_of(listens.strip("`"))
        assert "people" in topic.readers
        for word in re.findall(r"\$\.(\w+)", path):
            assert word in MODELS[topic].model_fields
    if sends != "–":
        assert topic_of(sends.strip("`")).writer == "people"


def test_every_topic_in_the_page_is_one() -> None:
    written = set(re.findall(r"`(facelatch/[^`#+]+[^`#+/])`", PAGE))
    assert len(written) > 10
    for topic in written:
        topic_of(topic)
