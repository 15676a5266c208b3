"""What the commands of all benchmarks have in common: --json, --check, and how they end."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any


def parser(description: str | None) -> argparse.ArgumentParser:
    """With `--json` and `--check`; a benchmark adds what is its own."""
    made = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    made.add_argument("--check", action="store_true", help="exit 1 when a target is missed, and name it")
    return made


def finish(args: argparse.Namespace, figures: dict[str, Any], table: str, missed: Sequence[str]) -> int:
    """Print what was measured, and with `--check` the targets that were missed. Returns the exit status."""
    print(json.dumps(figures) if args.json else table)
    if not args.check:
        return 0
    for line in missed:
        print(f"target missed: {line}", file=sys.stderr)
    return 1 if missed else 0
