"""`topics.md` says what the code does: its table and every example are held against `agents.wire`."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from agents.wire import topics
from agents.wire.identity import Identity
from agents.wire.liveness import Challenge, ChallengeState, Doubt, HeadAction, Verdict
from agents.wire.messages import (
    MAX_COMMAND_BYTES,
    MAX_FRAME_BYTES,
    MAX_JSON_BYTES,
    Action,
    Availability,
    Cause,
    Command,
    DoorEvent,
    EventType,
    Grant,
    Health,
    LockState,
    Payload,
    Refusal,
    Switch,
    read_session,
)
from agents.wire.orders import HoldOrder, plain_number
from agents.wire.recognition import Recognition, RecognitionType
from agents.wire.scheduling import Answer, Decision, LetInList, LetInOrder, Question, SwitchOrder, YesNo
from agents.wire.stamp import Stamp
from agents.wire.topics import ALL, Topic
from agents.wire.values import NOBODY, UNKNOWN
from agents.wire.why import Why

ROOT = Path(__file__).parents[1]
AGENTS = ("camera", "recognizer", "scheduler", "door")
TABLE = "The table"
HOME_ASSISTANT = "homeassistant"  # the prefix as the page shows it
READER_WORDS = {"recognizer": "recognizer", "scheduler": "scheduler", r"\bdoor\b": "door"} | {
    r"people|dashboards|`facelatch (watch|unlock)`": "people",
    r"Home Assistant": "Home Assistant",
    r"each agent": "each agent",
}
MODELS: dict[Topic, type[Payload]] = {
    topics.IDENTITY: Identity,
    topics.RECOGNITION: Recognition,
    topics.DECISION: Decision,
    topics.LAST: Decision,
    topics.ENABLED_SET: SwitchOrder,
    topics.AWAY_SET: SwitchOrder,
    topics.LET_IN: LetInList,
    topics.LET_IN_SET: LetInOrder,
    topics.QUESTION: Question,
    topics.CHALLENGE: Challenge,
    topics.ANSWER: Answer,
    topics.GRANT: Grant,
    topics.COMMAND: Command,
    topics.HOLD_SET: HoldOrder,
    topics.EVENT: DoorEvent,
    topics.HEALTH: Health,
}
WORDS: dict[Topic, type[StrEnum]] = {
    topics.COMMAND: Action,
    topics.STATE: LockState,
    topics.WINDOW: Switch,
    topics.ENABLED: Switch,
    topics.ENABLED_SET: Switch,
    topics.AWAY: Switch,
    topics.AWAY_SET: Switch,
    topics.ANSWER: YesNo,
    topics.AVAILABILITY: Availability,
}
LISTS: dict[tuple[Topic, str], type[StrEnum]] = {
    (topics.IDENTITY, "verdict"): Verdict,
    (topics.IDENTITY, "doubt"): Doubt,
    (topics.IDENTITY, "state"): ChallengeState,
    (topics.CHALLENGE, "action"): HeadAction,
    (topics.DECISION, "reason"): Why,
    (topics.RECOGNITION, "event_type"): RecognitionType,
    (topics.COMMAND, "action"): Action,
    (topics.EVENT, "event_type"): EventType,
    (topics.EVENT, "cause"): Cause,
    (topics.EVENT, "refusal"): Refusal,
}


class Section:
    """What stands under one heading: the rows of its tables, by the first column's title, and its blocks."""

    def __init__(self, body: str) -> None:
        self._body = body
        self.tables: dict[str, list[list[str]]] = {}
        for table in re.findall(r"(?:^\|.*\n)+", body, re.MULTILINE):
            title, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines())
            self.tables[title[0]] = rows

    def blocks(self, language: str) -> list[str]:
        return re.findall(rf"^```{language}\n(.*?)^```$", self._body, re.MULTILINE | re.DOTALL)


def sections(page: str) -> dict[str, Section]:
    """By heading."""
    _, *parts = re.split(r"^#+ (.*)\n", page, flags=re.MULTILINE)
    headings = [heading.strip("`") for heading in parts[::2]]
    assert len(set(headings)) == len(headings)
    return {heading: Section(body) for heading, body in zip(headings, parts[1::2], strict=True)}


PAGE = (ROOT / "topics.md").read_text(encoding="utf-8")
SECTIONS = sections(PAGE)
ROWS = {row[0].strip("`"): row for row in SECTIONS[TABLE].tables["topic"]}


def code(cells: list[list[str]]) -> list[str]:
    """The first column's words in `code`."""
    return [row[0].strip("`") for row in cells]


def shown(topic: Topic) -> str:
    """As on the page: what does not stand below the house's base has its prefix."""
    return topic.path if topic.below == "house" else f"{HOME_ASSISTANT}/{topic.path}"


def by_path(topic: object) -> str:
    return shown(topic) if isinstance(topic, Topic) else getattr(topic, "__name__", str(topic))


def test_every_topic_has_one_row_in_the_codes_order() -> None:
    assert code(SECTIONS[TABLE].tables["topic"]) == [shown(topic) for topic in ALL]


@pytest.mark.parametrize("topic", ALL, ids=by_path)
def test_a_row_says_what_the_code_does(topic: Topic) -> None:
    _, _, qos, retain, expiry, writer, readers = ROWS[shown(topic)]
    assert qos == str(topic.qos)
    assert retain == ("yes" if topic.retain else "never" if topic.live_only else "no")
    assert expiry == ("none" if topic.expiry_s is None else f"{topic.expiry_s} s")
    assert writer == topic.writer
    assert {party for word, party in READER_WORDS.items() if re.search(word, readers)} == set(topic.readers)


def test_every_topic_has_a_section_of_its_own() -> None:
    assert [heading for heading in SECTIONS if "/" in heading] == [shown(topic) for topic in ALL]


def keys_of(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """All keys of a payload, those of its parts as `part.key` and `parts[].key`."""
    for name, info in model.model_fields.items():
        yield prefix + name
        for part, is_list in _parts(info.annotation, is_list=False):
            yield from keys_of(part, f"{prefix}{name}{'[]' if is_list else ''}.")


def _parts(annotation: Any, *, is_list: bool) -> Iterator[tuple[type[BaseModel], bool]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation, is_list
    for argument in get_args(annotation):
        yield from _parts(argument, is_list=is_list or getattr(annotation, "__origin__", None) is tuple)


@pytest.mark.parametrize(("topic", "model"), MODELS.items(), ids=by_path)
def test_every_key_is_explained_and_no_other(topic: Topic, model: type[Payload]) -> None:
    rows = SECTIONS[topic.path].tables["key"]
    assert code(rows) == list(keys_of(model))
    assert all(meaning for _, meaning in rows)


EXAMPLES = [(topic, text) for topic in MODELS for text in SECTIONS[topic.path].blocks("json")]


def test_every_json_topic_has_an_example_and_every_example_a_topic() -> None:
    assert {topic for topic, _ in EXAMPLES} == set(MODELS)
    assert len(EXAMPLES) == PAGE.count("```json")


@pytest.mark.parametrize(("topic", "text"), EXAMPLES, ids=by_path)
def test_an_example_is_a_message_of_its_topic(topic: Topic, text: str) -> None:
    read_it: Callable[[bytes], Payload] = getattr(MODELS[topic], "read", MODELS[topic].decode)
    sent = json.loads(text)
    passed_on = json.loads(read_it(text.encode()).encode())
    if topic.writer == "people":
        passed_on = {key: value for key, value in passed_on.items() if key in sent}
    assert passed_on == sent


def test_one_visitors_examples_carry_one_id() -> None:
    along = (topics.IDENTITY, topics.DECISION, topics.GRANT, topics.EVENT)
    assert len({json.loads(SECTIONS[topic.path].blocks("json")[0])["id"] for topic in along}) == 1


def test_a_grants_example_carries_the_sessions_example() -> None:
    (text,) = SECTIONS[topics.SESSION.path].blocks("text")
    assert json.loads(SECTIONS[topics.GRANT.path].blocks("json")[0])["session"] == read_session(text.strip().encode())


@pytest.mark.parametrize(("topic", "words"), WORDS.items(), ids=by_path)
def test_the_plain_words_of_a_topic_are_all_there(topic: Topic, words: type[StrEnum]) -> None:
    (text,) = SECTIONS[topic.path].blocks("text")
    assert text.split() == [str(word) for word in words]


def test_the_person_topics_own_words_are_there() -> None:
    (text,) = SECTIONS[topics.PERSON.path].blocks("text")
    assert text.splitlines()[1:] == [UNKNOWN, NOBODY]


def test_a_hold_time_is_told_and_asked_for_as_a_plain_number() -> None:
    (told,), (asked,) = (SECTIONS[topic.path].blocks("text") for topic in (topics.HOLD, topics.HOLD_SET))
    for line in (told + asked).splitlines():
        assert plain_number(HoldOrder.read(line.encode()).hold_s) == line


@pytest.mark.parametrize(("place", "words"), LISTS.items(), ids=str)
def test_every_reason_is_explained_and_no_other(place: tuple[Topic, str], words: type[StrEnum]) -> None:
    topic, title = place
    rows = SECTIONS[topic.path].tables[title]
    assert code(rows) == [str(word) for word in words]
    assert all(row[-1] for row in rows)


def test_a_frames_properties_are_a_stamp() -> None:
    (text,) = SECTIONS[topics.FRAME.path].blocks("properties")
    found = tuple((key, value) for key, value in (line.split(": ") for line in text.splitlines()))
    stamp = Stamp.of(found)
    assert stamp is not None
    assert stamp.properties() == found
    assert code(SECTIONS[topics.FRAME.path].tables["property"]) == [key for key, _ in found]


def test_the_limits_are_the_codes() -> None:
    limits = [row[1] for row in SECTIONS["How large a message may be"].tables["payload"]]
    assert limits == [f"{limit:,} bytes" for limit in (MAX_FRAME_BYTES, MAX_COMMAND_BYTES, MAX_JSON_BYTES)]


# The code's side: who really writes and reads, and that a topic's string stands only in agents/wire/topics.py.


def parsed(folder: str) -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted((ROOT / folder).rglob("*.py")):
        yield path.relative_to(ROOT), ast.parse(path.read_text(encoding="utf-8"))


def first_arguments(agent: str, function: str) -> set[Topic]:
    """The topics that an agent's code gives to calls of `function`."""
    calls = [node for _, tree in parsed(f"agents/{agent}") for node in ast.walk(tree) if isinstance(node, ast.Call)]
    called = [call for call in calls if getattr(call.func, "attr", getattr(call.func, "id", "")) == function]
    names = {call.args[0].id for call in called if call.args and isinstance(call.args[0], ast.Name)}
    return {topic for name, topic in vars(topics).items() if name in names and isinstance(topic, Topic)}


@pytest.mark.parametrize("agent", AGENTS)
def test_an_agent_writes_the_topics_that_are_its_own_and_no_other(agent: str) -> None:
    answers = {topics.REPLY}  # by session.answer, to whoever asked
    assert first_arguments(agent, "publish") == {topic for topic in ALL if topic.writer == agent} - answers


@pytest.mark.parametrize("agent", AGENTS)
def test_an_agent_reads_the_topics_in_whose_row_it_stands(agent: str) -> None:
    assert first_arguments(agent, "Subscription") == {
        topic for topic in ALL if agent in re.findall(r"\w+", ROWS[shown(topic)][-1])
    }


LAST_LEVELS = sorted({topic.path.rpartition("/")[2] for topic in ALL})
TOPIC_STRING = re.compile(rf"/({'|'.join(LAST_LEVELS)})\b|\b({'|'.join(AGENTS)})/")


def topic_strings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and text of the string literals, f-strings' parts among them, that look like a topic. Not docstrings."""
    prose = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    strings = (n for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str))
    for node in strings:
        if id(node) not in prose and TOPIC_STRING.search(str(node.value)):
            yield node.lineno, str(node.value)


@pytest.mark.parametrize(
    "written",
    [
        '"facelatch/door/front/command"',
        'f"{base}/{kind}/{name}/availability"',
        '"%s/identity" % camera',
        '"door/" + name',
        '"facelatch/camera/+/#"',
    ],
)
def test_a_topic_string_would_be_found(written: str) -> None:
    assert list(topic_strings(ast.parse(f"x = {written}")))


@pytest.mark.parametrize("written", ['"commands"', '"a/stateless/x"', '"outdoor/x"', '"""About door/<door>/state."""'])
def test_other_strings_are_left_alone(written: str) -> None:
    assert list(topic_strings(ast.parse(written))) == []


@pytest.mark.parametrize("folder", ["agents", "broker", "demo", "benchmarks"])
def test_a_topics_string_stands_once_in_the_code(folder: str) -> None:
    home = Path("agents/wire/topics.py")
    found = [
        f"{path}:{line}: {text!r}"
        for path, tree in parsed(folder)
        if path != home
        for line, text in topic_strings(tree)
    ]
    assert found == []
