"""The program that speaks to people: real ones, small."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agents.door.config import PromptSettings
from agents.door.prompt import Prompt, PromptError, Said, arguments
from agents.runtime.clock import Clock

LOG = logging.getLogger("test")
PATIENCE_S = 20.0
WRITE = 'printf "%s|%s\\n" "$1" "$2" >> "$0"'
Speak = Callable[..., Prompt]


def until(holds: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.005)


def said(text: str, good_for_s: float = 60.0, action: str = "nod") -> Said:
    return Said(action, text, Clock().now().mono + good_for_s)


def there_is(pid: int) -> bool:
    """Whether a process runs: a zombie that nobody reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def speak() -> Iterator[Speak]:
    made: list[Prompt] = []

    def speak(*command: str, timeout_s: float = 10.0) -> Prompt:
        made.append(Prompt(PromptSettings(command=list(command), timeout_s=timeout_s), Clock(), LOG))
        made[-1].start()
        return made[-1]

    yield speak
    for prompt in made:
        prompt.close()


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


@pytest.mark.parametrize("text", ["Please nod", "$(reboot); `x` && 'y' \"z\" | *", "Čekaj, {action} {text} \\n 你"])
def test_the_text_is_one_argument_whatever_stands_in_it(speak: Speak, tmp_path: Path, text: str) -> None:
    heard = tmp_path / "heard"
    prompt = speak("sh", "-c", WRITE, str(heard), "{text}", "{action}")
    prompt.say(said(text, action="turn_left"))
    until(lambda: lines(heard))
    assert lines(heard) == [f"{text}|turn_left"]
    until(lambda: prompt.counters == {"prompts": 1, "prompts_failed": 0})
    assert prompt.problem is None


def test_words_are_filled_in_within_an_argument() -> None:
    assert arguments(["say", "-v", "hr", "{text}!", "/sounds/{action}.wav"], said("Nod", action="nod")) == [
        *("say", "-v", "hr", "Nod!", "/sounds/nod.wav")
    ]


def test_a_text_never_becomes_an_option() -> None:
    with pytest.raises(PromptError, match="option"):
        arguments(["say", "{text}"], said("-f /etc/passwd"))
    assert arguments(["say", "--text={text}"], said("-f x")) == ["say", "--text=-f x"]


def test_a_program_that_is_not_there_is_a_problem_in_words_before_anybody_needs_it(speak: Speak) -> None:
    prompt = speak("no-such-program", "{text}")
    until(lambda: prompt.problem == "prompt: there is no program no-such-program")
    prompt.say(said("Nod"))
    until(lambda: prompt.counters["prompts_failed"] == 1)
    assert "No such file" in (prompt.problem or "")


def test_one_that_fails_is_a_problem_until_it_works_again(speak: Speak, tmp_path: Path) -> None:
    prompt = speak("sh", "-c", 'test -e "$0"', str(tmp_path / "speaker"))
    prompt.say(said("Nod"))
    until(lambda: prompt.problem == "prompt: sh failed: exit code 1")
    (tmp_path / "speaker").touch()
    prompt.say(said("Nod"))
    until(lambda: prompt.counters == {"prompts": 1, "prompts_failed": 1})
    assert prompt.problem is None


def test_one_that_hangs_is_killed_with_all_that_it_started(speak: Speak, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    prompt = speak("sh", "-c", 'trap "" TERM; sleep 1000 & echo $$ $! > "$0"; wait', str(pids), timeout_s=0.5)
    prompt.say(said("Nod"))
    until(lambda: prompt.problem == "prompt: sh took longer than 0.5 s and was killed")
    until(lambda: not any(there_is(int(pid)) for pid in pids.read_text().split()))


def test_what_it_leaves_behind_ends_with_it(speak: Speak, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    prompt = speak("sh", "-c", 'sleep 1000 & echo $! > "$0"', str(pids))
    prompt.say(said("Nod"))
    until(lambda: prompt.counters["prompts"] == 1)
    until(lambda: not there_is(int(pids.read_text())))


def test_the_end_of_the_door_is_the_end_of_what_speaks(speak: Speak, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    prompt = speak("sh", "-c", 'echo $$ > "$0"; exec sleep 1000', str(pids), timeout_s=30.0)
    prompt.say(said("Nod"))
    until(lambda: pids.exists() and pids.read_text())
    prompt.close()
    until(lambda: not there_is(int(pids.read_text())))
    assert prompt.problem is None


def test_of_what_waits_only_the_newest_is_said(speak: Speak, tmp_path: Path) -> None:
    heard, gate = tmp_path / "heard", tmp_path / "gate"
    os.mkfifo(gate)
    prompt = speak("sh", "-c", f'{WRITE}; read line < "{gate}"', str(heard), "{text}", "{action}")
    prompt.say(said("first"))
    until(lambda: lines(heard))
    for text in ("second", "third", "fourth"):
        prompt.say(said(text))
    gate.write_text("go on\n")
    until(lambda: len(lines(heard)) == 2)
    gate.write_text("go on\n")
    assert lines(heard) == ["first|nod", "fourth|nod"]
    until(lambda: prompt.counters["prompts"] == 2)


def test_what_is_too_late_is_not_said(speak: Speak, tmp_path: Path) -> None:
    heard = tmp_path / "heard"
    prompt = speak("sh", "-c", WRITE, str(heard), "{text}", "{action}")
    prompt.say(said("late", good_for_s=0.0))
    until(lambda: prompt._latest is None)
    prompt.say(said("in time"))
    until(lambda: lines(heard))
    assert lines(heard) == ["in time|nod"]
