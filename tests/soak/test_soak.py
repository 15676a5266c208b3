"""The long runs, made short: no kill and no flood breaks a promise. How long things take is theirs to judge."""

from __future__ import annotations

from pathlib import Path

from soak import faults, flood
from soak.site import PROGRAMS


def test_programs_are_killed_while_people_come_and_every_promise_is_kept(photos: dict[str, Path]) -> None:
    report = faults.run(visits=5, stop_s=0, seed=4)
    assert report.broken == []
    assert report.figures["pulses of the relay"] == report.figures["unlocks in the journal"] != 0
    assert report.figures["events in the journal"] == report.figures["events heard"] != 0
    for program in PROGRAMS:
        assert ", n 0" not in str(report.figures[f"{program} killed -> back, s"])


def test_a_flood_leaves_a_door_that_tells_the_truth_within_its_memory_and_obeys_again() -> None:
    report = flood.run("plain", rate=5000, seconds=3, count_dropped=False)
    assert report.broken == []
    assert report.figures["delivered to the door, passed over in its flood"] != 0
