"""What the benchmark makes of its measurements; the measuring itself is not a test."""

from __future__ import annotations

import os

import pytest

from benchmarks.idle import Usages, missed_targets, name_of, summary, table
from benchmarks.processes import Usage
from demo.house import HouseFailed

MB = 1_000_000
AGENTS = ("broker", "door", "scheduler", "recognizer", "camera")


def usages(cpu_s: float, pss_bytes: int = 50 * MB) -> Usages:
    """Five processes of the house, the supervisor, and a second camera's."""
    names = [*AGENTS, "camera", "supervisord"]
    return {(name, pid): Usage(pid + cpu_s, pss_bytes) for pid, name in enumerate(names)}


def test_the_house_is_its_agents_and_broker_without_the_supervisor() -> None:
    figures = summary(usages(0.0), usages(0.1), took_s=20.0)
    assert tuple(figures["processes"]) == AGENTS
    assert figures["processes"]["door"] == {"cpu_percent": 0.5, "pss_mb": 50.0}
    assert figures["processes"]["camera"] == {"cpu_percent": 1.0, "pss_mb": 100.0}, "two of them"
    assert (figures["cpu_percent"], figures["pss_mb"]) == (3.0, 300.0)
    assert figures["with_supervisor"] == {"cpu_percent": 3.5, "pss_mb": 350.0}


def test_a_house_in_which_something_was_started_anew_was_not_idle() -> None:
    after = dict(usages(0.1))
    after["door", 99] = after.pop(("door", 1))
    with pytest.raises(HouseFailed, match="door started or ended meanwhile"):
        summary(usages(0.0), after, took_s=20.0)


def test_a_target_that_is_met_is_not_named_and_one_that_is_missed_is() -> None:
    assert missed_targets(summary(usages(0.0), usages(0.1), 20.0)) == []
    assert missed_targets(summary(usages(0.0), usages(0.2, 100 * MB), 20.0)) == [
        "cpu_percent is 6, the target is 5",
        "pss_mb is 600, the target is 500",
    ]


def test_the_table_has_a_line_for_every_process_and_both_sums() -> None:
    lines = table(summary(usages(0.0), usages(0.1), 20.0)).splitlines()
    first_words = [line[:20].strip() for line in lines[3:]]
    assert first_words == [*AGENTS, "the house", "supervisord", "with the supervisor"]


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("/usr/sbin/mosquitto -c mosquitto.conf", "broker"),
        ("python -m agents.cli camera front --config facelatch.yaml", "camera"),
        ("python -m agents.cli recognizer --config facelatch.yaml", "recognizer"),
        ("python -m agents.cli up --config facelatch.yaml", "facelatch up"),
        ("python -m supervisor.supervisord -c supervisord.conf", "supervisord"),
        (f"{os.sep}bin{os.sep}sleep 5", "sleep"),
    ],
)
def test_a_process_is_called_what_it_is(words: str, name: str) -> None:
    assert name_of(words.split()) == name
