"""The `facelatch` command as a person meets it: help, usage, errors."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

import pytest

from agents import __version__
from agents.cli.main import _parser, main

AGENTS = ["door", "camera", "recognizer", "scheduler"]
COMMANDS = [
    "up", *AGENTS, "check", "enroll", "people", "calibrate", "identify", "models", "schedule", "log", "stats", "unlock",
    "watch", "broker",
]  # fmt: skip


def subcommands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    found = [action.choices for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    return dict(found[0]) if found else {}


def every_command() -> list[list[str]]:
    """`up`, …, and the actions of those that have some: `people list`."""
    commands = subcommands(_parser())
    return [[name] for name in commands] + [
        [name, action] for name in commands for action in subcommands(commands[name])
    ]


def help_of(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        main([*words, "--help"])
    assert ended.value.code == 0
    return capsys.readouterr().out


def test_the_house_has_these_commands(capsys: pytest.CaptureFixture[str]) -> None:
    listed = help_of([], capsys).splitlines()
    assert sorted(subcommands(_parser())) == sorted(COMMANDS)
    assert all(any(line.split()[:1] == [name] for line in listed) for name in COMMANDS)


@pytest.mark.parametrize("words", [[], *every_command()], ids=" ".join)
def test_help_says_what_the_command_does_and_has_an_example_that_it_understands(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    text = help_of(words, capsys)
    examples = [line.strip() for line in text.partition("example:\n")[2].splitlines()]
    own = [line for line in examples if line.startswith(" ".join(["facelatch", *words]))]
    assert own
    for line in own:
        assert callable(_parser().parse_args(shlex.split(line, comments=True)[1:]).run)


@pytest.mark.parametrize("words", [["open"], ["unlock"], ["enroll", "Ana"], ["door", "a", "b"], ["up", "--now"], []])
def test_wrong_usage_is_2_and_says_what_was_expected(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert "usage: facelatch" in capsys.readouterr().err


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"facelatch {__version__}\n"


NEEDED = {"enroll": ["Ana", "a.jpg"], "identify": ["a.jpg"], "unlock": ["front"], "broker": ["init"]}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_wrong_file_ends_every_command_with_1_and_its_line_before_anything_happens(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "house.yaml"
    path.write_text("doors: {}\ncameras: {}\nscheduler: { timezone: UTC, doors: {} }\nspeed: 3\n")
    assert main([command, *NEEDED.get(command, []), "--config", str(path)]) == 1
    told = capsys.readouterr()
    assert told.err == f"{path}:4: speed: unknown key\n"
    assert told.out == ""
    assert [entry.name for entry in tmp_path.iterdir()] == ["house.yaml"]


def test_the_file_is_found_through_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FACELATCH_CONFIG", str(tmp_path / "elsewhere.yaml"))
    assert main(["check"]) == 1
    assert capsys.readouterr().err == f"{tmp_path / 'elsewhere.yaml'}: No such file or directory\n"
