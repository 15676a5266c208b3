"""The end of the process at any moment: nothing is lost that `append` returned for, and the chain is whole."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agents.scheduler.journal import NoJournal
from agents.scheduler.journal_reader import JournalReader, Wanted

ROOT = Path(__file__).parents[2]
JOURNALS, KILLS = 10, 10  # of each
LONGEST_S = 0.15  # by then it has been writing for a while

WRITER = """
import sys
from pathlib import Path
from agents.scheduler import flusher as module
from agents.scheduler.journal import Journal, Kind
module.CHECKPOINT_RECORDS = 50
journal = Journal(Path(sys.argv[1]))
flusher = module.Flusher(Path(sys.argv[1]))
told = 0
while True:
    told += 1
    n = journal.append(Kind.DECISION, 1.8e9 + told, {"door": "front", "person": "Ana", "told": f"{sys.argv[2]}-{told}"})
    print(n, f"{sys.argv[2]}-{told}", flush=True)
    if told % 20 == 0:
        flusher.flush(20)
"""


def killed(path: Path, run: int, moment: random.Random) -> dict[int, str]:
    """What a writer said it had written, in whole lines, before it was killed: sometimes before it wrote at all."""
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, path, str(run)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    lines = [writer.stdout.readline() for _ in range(moment.choice([0, 0, 1, 2, 50, 300]))]
    time.sleep(0 if lines else moment.uniform(0, LONGEST_S))
    writer.kill()
    lines += writer.communicate()[0].splitlines(keepends=True)
    said = [line.split() for line in lines if line.endswith("\n")]
    return {int(n): told for n, told in said}


def found(path: Path) -> dict[int, str]:
    """All that is in the journal, which must be whole."""
    try:
        with JournalReader(path) as reader:
            report = reader.verify()
            assert report.problems == ()
            bodies = {record.n: record.body for record in reader.records(Wanted())}
    except NoJournal:
        return {}
    return {n: body["told"] for n, body in bodies.items() if body is not None}


@pytest.mark.parametrize("seed", range(JOURNALS))
def test_a_kill_at_any_moment_loses_no_record_and_breaks_no_chain(seed: int, tmp_path: Path) -> None:
    moment, path = random.Random(seed), tmp_path / "journal.sqlite"
    said: dict[int, str] = {}
    for run in range(KILLS):
        said |= killed(path, run, moment)
        there = found(path)
        assert {n: there.get(n) for n in said} == said
        assert list(there) == list(range(1, len(there) + 1))
        assert len(there) - len(said) <= run + 1, "at most the one of each run that it had no time to speak of"
    assert len(said) > KILLS
