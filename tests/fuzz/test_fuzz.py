"""Hostile input, for a few seconds; `python -m soak.fuzz` does the same for as long as one likes.

The random inputs are new ones in every run, so that the runs add up. A failure prints the input: add it
to the target's seeds, so that it is never forgotten.
"""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.wire.messages import Refusal
from agents.wire.why import Why
from tests.fuzz import targets
from tests.fuzz.targets import SHARES, Target

ROOT = Path(__file__).resolve().parents[2]
# Liveness is off at the doors of the stories: tests/scheduler/test_core_liveness.py tries it in their place.
OF_LIVENESS = (Why.SPOOF, Why.NOT_LIVE, Why.CHALLENGE_FAILED)
load = cache(targets.load)


@cache
def led_to(name: str) -> set[str]:
    """All that the target's seeds lead to."""
    target = load(name)
    return set().union(*(tried(target, seed) for seed in target.seeds))


def tried(target: Target, data: bytes) -> set[str]:
    try:
        return target.run(data)
    except BaseException as error:
        error.add_note(f"the input was {data!r}")
        raise


def inputs(name: str) -> st.SearchStrategy[bytes]:
    """Any bytes; and seeds with a piece replaced, or two of them in one."""
    seeds = st.sampled_from([seed for seed in load(name).seeds if len(seed) < 2000])
    places = st.integers(0, 200)
    spliced = st.builds(
        lambda seed, at, put, cut, end: seed[:at] + put + seed[at + cut :] + end,
        *(seeds, places, st.binary(max_size=8), st.integers(0, 8), seeds | st.binary(max_size=40)),
    )
    return st.binary(max_size=300) | spliced


@pytest.mark.parametrize("name", SHARES)
def test_nothing_that_somebody_thought_of_breaks_a_promise(name: str) -> None:
    assert led_to(name)


@pytest.mark.parametrize("name", SHARES)
@settings(
    max_examples=100, deadline=None, derandomize=False, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
@given(st.data())
def test_nothing_at_random_breaks_a_promise(name: str, data: st.DataObject) -> None:
    tried(load(name), data.draw(inputs(name)))


def test_the_doors_seeds_open_it_in_every_way_and_are_refused_for_every_reason() -> None:
    """A fuzzer that never opens the door would prove nothing by that it did not."""
    seen = led_to("door")
    ways = {"command unlocked", "grant unlocked", "button unlocked", "command extended", "grant extended"}
    assert ways <= seen
    assert {"a test pulse", "hold_s set", "hold_s refused", "hold_s in a flood"} <= seen
    assert {"contact opened", "contact forced", "contact closed", "contact held_open", "timeout locked"} <= seen
    reasons = {word.rpartition(" rejected ")[2] for word in seen if " rejected " in word}
    assert reasons == {refusal.value for refusal in Refusal}


def test_the_schedulers_seeds_lead_to_grants_and_to_denials_for_every_reason() -> None:
    seen = led_to("scheduler")
    assert {"grant at the front door", "grant at the back door", "a question", "a picture beside a question"} <= seen
    reasons = {word.split()[-1] for word in seen if word.startswith(("granted ", "denied "))}
    assert reasons == {why.value for why in Why if why not in OF_LIVENESS}
    assert {"refused", "stale", "repeated", "records"} <= seen


def test_the_other_seeds_lead_to_what_is_read_and_to_what_is_not() -> None:
    assert {"looked at a picture", "bad_frames", "stale_frames", "repeated_frames"} <= led_to("recognizer")
    assert {"people enrolled: 2", "a gallery that can't be read"} <= led_to("gallery")
    assert {"a house", "refused"} <= led_to("house_file")
    kinds = (
        "Identity",
        "DoorEvent",
        "Health",
        "a session",
        "Question",
        "LetInList",
        "Answer",
        "LetInOrder",
        "HoldOrder",
    )
    assert {f"read as {kind}" for kind in kinds} <= led_to("commands")
    assert {"told of door/<door>/hold_s", "told of scheduler/<id>/away", "told of scheduler/<door>/question"} <= led_to(
        "commands"
    )
    assert {"names that come out again", "read as reply/<client>/<word>"} <= led_to("topics")


@pytest.mark.skipif(find_spec("atheris") is None, reason="atheris is there for Linux on x86-64, Python 3.11 to 3.13")
def test_a_fuzzer_that_follows_the_code_breaks_no_promise_of_door_and_scheduler() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "soak.fuzz", "--inputs", "2000", "--target", "door", "--target", "scheduler", "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    runs = {run["target"]: run for run in json.loads(done.stdout)["targets"]}
    assert sum(run["inputs"] for run in runs.values()) >= 2000
    assert runs["door"]["led_to"]["command unlocked"] > 0
    assert runs["scheduler"]["led_to"]["grant at the front door"] > 0
