"""A million hostile inputs, by a fuzzer that follows which lines of the code they reach.

The targets are those of `tests/fuzz`: functions that take any bytes and raise when a promise is broken.
Each runs in a process of its own, one after the other, under atheris (libFuzzer for Python). An input
that breaks something is kept and printed: mend the code, and add the input to the target's seeds.

    .venv/bin/python -m soak.fuzz [--inputs 1000000] [--target door] [--seed 1] [--json]

Exits with 1 when anything broke.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from tests.fuzz.targets import SHARES, load

MAX_BYTES = 4096  # of one input; longer seeds are cut off
TIMEOUT_S, MEMORY_MB = 30, 1024  # an input that needs more breaks a promise, too
COUNTED_EVERY = 500
NOT_FOLLOWED = ("agents.wire.values", "agents.scheduler.config")  # they read text letter by letter: much time, no news
COVERAGE = re.compile(r"^#\d+\s.*?cov: (\d+) ft: (\d+) corp: (\d+)", re.MULTILINE)
HEADING = f"{'target':<11} {'inputs':>9} {'s':>6} {'inputs/s':>8} {'cov':>6} {'ft':>6} {'corpus':>6} {'crashes':>7}"


@dataclass
class Run:
    """What became of one target's inputs. `coverage` and `features` are libFuzzer's: branches of the code
    that were taken, and these with how often. `led_to` counts inputs by what they led to.
    """

    target: str
    inputs: int = 0
    seconds: float = 0.0
    coverage: int = 0
    features: int = 0
    corpus: int = 0
    led_to: dict[str, int] = field(default_factory=dict)
    crashes: dict[str, str] = field(default_factory=dict)  # file: the input in it, as Python writes bytes
    problem: str = ""  # the end of what a process that failed had to say

    @property
    def row(self) -> str:
        rate = self.inputs / self.seconds if self.seconds else 0.0
        speed = f"{self.inputs:>9} {self.seconds:>6.0f} {rate:>8.0f}"
        return (
            f"{self.target:<11} {speed} {self.coverage:>6} {self.features:>6} {self.corpus:>6} {len(self.crashes):>7}"
        )


def fuzz(name: str, inputs: int, seed: int) -> Run:
    """Let a process of its own try so many inputs, and read what it left behind."""
    with tempfile.TemporaryDirectory(prefix="facelatch-soak-") as temporary:
        folder, began = Path(temporary), time.monotonic()
        itself = [sys.executable, "-m", "soak.fuzz", "--inputs", str(inputs), "--seed", str(seed)]
        with (folder / "log").open("wb") as log:
            done = subprocess.run(
                [*itself, "--target", name, "--inside", temporary],
                env=os.environ | {"TMPDIR": temporary},
                stdout=log,
                stderr=log,
                check=False,
            )
        return _read(name, folder, time.monotonic() - began, done.returncode)


def _read(name: str, folder: Path, seconds: float, status: int) -> Run:
    run, log = Run(name, seconds=round(seconds, 1)), (folder / "log").read_text(errors="replace")
    for coverage, features, corpus in COVERAGE.findall(log)[-1:]:
        run.coverage, run.features, run.corpus = int(coverage), int(features), int(corpus)
    if (folder / "counted").exists():
        run.led_to = json.loads((folder / "counted").read_text())
        run.inputs = run.led_to.pop("")
    for crash in folder.glob("broken-*"):
        kept = shutil.copy(crash, Path(tempfile.gettempdir()) / f"facelatch-{name}-{crash.name}")
        run.crashes[str(kept)] = repr(crash.read_bytes())
    if status or run.crashes:
        at = log.find("Uncaught Python exception")
        run.problem = log[at:][:4000] if at >= 0 else log[-4000:]
    return run


def _inside(name: str, inputs: int, seed: int, folder: Path) -> None:
    """The process of one target. libFuzzer ends it, without a return."""
    atheris = import_module("atheris")
    with atheris.instrument_imports(include=["agents", "tests.fuzz.contract"], exclude=NOT_FOLLOWED):
        target = load(name)
    counted: Counter[str] = Counter()

    def one(data: bytes) -> None:
        counted[""] += 1
        try:
            counted.update(target.run(data))
        finally:
            if counted[""] % COUNTED_EVERY == 0 or counted[""] >= inputs or sys.exc_info()[0]:
                (folder / "counted").write_text(json.dumps(counted))

    corpus = folder / "corpus"
    corpus.mkdir()
    for number, data in enumerate(target.seeds[:: 1 + 4 * len(target.seeds) // inputs]):  # a short run, fewer seeds
        (corpus / str(number)).write_bytes(data)
    options = {
        "runs": inputs,
        "seed": seed,
        "max_len": MAX_BYTES,
        "timeout": TIMEOUT_S,
        "report_slow_units": TIMEOUT_S,
        "rss_limit_mb": MEMORY_MB,
        "artifact_prefix": f"{folder}/broken-",
    }
    atheris.Setup([sys.argv[0], *(f"-{key}={value}" for key, value in options.items()), str(corpus)], one)
    atheris.Fuzz()


def report(runs: Sequence[Run]) -> str:
    """The table, what the inputs led to, and what broke."""
    total = sum(run.inputs for run in runs)
    lines = [
        HEADING,
        *(run.row for run in runs),
        f"{'together':<11} {total:>9} {sum(run.seconds for run in runs):>6.0f}",
    ]
    for run in runs:
        led_to = sorted(run.led_to.items(), key=lambda counted: -counted[1])
        lines += ["", f"{run.target}: inputs that led to", *(f"  {count:>8} {what}" for what, count in led_to)]
    for run in runs:
        lines += [f"\n{run.target} broke on {data}, kept in {file}" for file, data in run.crashes.items()]
        lines += [run.problem] if run.problem else []
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m soak.fuzz", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--inputs", type=int, default=1_000_000, help="of all targets together (default: a million)")
    parser.add_argument("--target", action="append", choices=tuple(SHARES), help="only this one; may be given again")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**31) + 1, help="to repeat a run (default: any)")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if find_spec("atheris") is None:
        parser.error("atheris is not installed; it is there for Linux on x86-64, Python 3.11 to 3.13")
    names = args.target or list(SHARES)
    if args.inside is not None:
        _inside(names[0], args.inputs, args.seed, args.inside)
    share = sum(SHARES[name] for name in names)
    runs = []
    for name in names:
        inputs = -(-args.inputs * SHARES[name] // share)
        print(f"{name}: {inputs} inputs", file=sys.stderr, flush=True)
        runs.append(fuzz(name, inputs, args.seed))
    if args.json:
        found = {"seed": args.seed, "inputs": sum(run.inputs for run in runs), "targets": [asdict(run) for run in runs]}
        print(json.dumps(found))
    else:
        print(f"seed {args.seed}", report(runs), sep="\n")
    return int(any(run.problem for run in runs))


if __name__ == "__main__":
    sys.exit(main())
