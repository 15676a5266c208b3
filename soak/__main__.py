"""`scripts/soak`: the long runs, one after the other, and one report of what they found."""

from __future__ import annotations

import argparse
import json
import secrets
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import FrameType

from broker import BrokerError
from demo.house import HouseFailed
from demo.photos import PhotosError
from soak import faults, flood
from soak.report import Report, progress

FAILURES = (
    *(OSError, LookupError, ValueError, AssertionError, subprocess.SubprocessError),
    *(BrokerError, HouseFailed, PhotosError),
)
PARTS = ("faults", "flood", "fuzz")


@dataclass(frozen=True)
class Length:
    """How much of everything; the short one shows within minutes that nothing is plainly broken."""

    visits: int = 200
    stop_s: float = 10.0
    rate: float = 5000.0
    flood_s: float = 30.0
    inputs: int = 1_000_000


SHORT = Length(visits=20, stop_s=10.0, rate=5000.0, flood_s=10.0, inputs=20_000)


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/soak", description=__doc__)
    parser.add_argument("--short", action="store_true", help="minutes instead of the better part of an hour")
    parser.add_argument("--only", action="append", choices=PARTS, help="only this part; may be given again")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**31) + 1, help="to repeat a run (default: any)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the report there, as one JSON object")
    args = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # so that what was started is stopped
        signal.signal(number, _interrupt)
    reports = []
    try:
        for part in _parts(args.only or PARTS, SHORT if args.short else Length(), args.seed):
            reports.append(part())
            print(reports[-1], flush=True)
    except KeyboardInterrupt as interrupt:
        print(f"\nsoak: interrupted ({interrupt}); what was started is stopped", file=sys.stderr)
        return 130
    kept = all(report.kept for report in reports)
    if args.json is not None:
        found = {"seed": args.seed, "kept": kept, "parts": [report.json for report in reports]}
        args.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(f"seed {args.seed}: " + ("every promise was kept" if kept else "PROMISES WERE BROKEN"))
    return int(not kept)


def _parts(names: tuple[str, ...] | list[str], length: Length, seed: int) -> Iterator[Callable[[], Report]]:
    if "faults" in names:
        yield _tried("faults", lambda: faults.run(length.visits, length.stop_s, seed))
    if "flood" in names:
        yield _tried("flood, plain broker", lambda: flood.run("plain", length.rate, length.flood_s))
        yield _tried("flood, production broker", lambda: flood.run("production", length.rate, length.flood_s))
    if "fuzz" in names:
        yield _tried("hostile inputs", lambda: _fuzz(length.inputs, seed))


def _tried(title: str, part: Callable[[], Report]) -> Callable[[], Report]:
    """A part that can't be carried out has not shown that a promise is kept."""

    def tried() -> Report:
        try:
            return part()
        except FAILURES as error:
            return Report(title, broken=[f"not carried out: {type(error).__name__}: {error}"])

    return tried


def _fuzz(inputs: int, seed: int) -> Report:
    """In a process of its own, as the fuzzer has to be there before the code it follows is imported."""
    with Report(f"hostile inputs, seed {seed}") as report:
        if find_spec("atheris") is None:
            report.notes.append("not tried: there is no atheris for this machine")
            return report
        progress(f"{inputs} hostile inputs")
        command = [sys.executable, "-m", "soak.fuzz", "--inputs", str(inputs), "--seed", str(seed), "--json"]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        for run in json.loads(done.stdout)["targets"]:
            report.figures[f"{run['target']}: inputs, branches reached"] = f"{run['inputs']}, {run['coverage']}"
            report.broken += [f"{run['target']} broke on {crash}" for crash in run["crashes"]]
            report.broken += [f"{run['target']}: {run['problem']}"] if run["problem"] else []
    return report


def _interrupt(number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt(signal.Signals(number).name)


if __name__ == "__main__":
    sys.exit(main())
