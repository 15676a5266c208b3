"""`facelatch`: one command for the house, its agents and its people."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from agents import __version__
from agents.cli import (
    broker,
    calibrate,
    check,
    enroll,
    identify,
    log,
    models,
    people,
    run,
    schedule,
    stats,
    unlock,
    up,
    watch,
)
from agents.cli.common import CommandError
from agents.house import ConfigError

COMMANDS = (
    up, run, check, enroll, people, calibrate, identify, models, schedule, log, stats, unlock, watch, broker,
)  # fmt: skip
EXAMPLE = """\
example:
  cp facelatch.example.yaml facelatch.yaml
  facelatch check
  facelatch enroll "Ana Kovač" ana1.jpg ana2.jpg
  facelatch up
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Returns its exit status: 0 done, 1 not done, 2 wrong usage."""
    args = _parser().parse_args(argv)
    try:
        return int(args.run(args))
    except ConfigError as error:
        print(error, file=sys.stderr)
    except CommandError as error:
        print(f"facelatch: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader, `head` say, has seen enough
        sys.stderr.close()
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="facelatch",
        description="A door lock that recognises faces, made of independent agents that talk over MQTT.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"facelatch {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for module in COMMANDS:
        module.register(commands)
    return parser
