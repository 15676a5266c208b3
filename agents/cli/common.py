"""What the commands share: where the house's file is, and how a command is declared."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path

from agents import house
from agents.house import House

DEFAULT_CONFIG = "facelatch.yaml"


class CommandError(Exception):
    """Ends the command with exit status 1; its text is for the person, without a traceback."""


def add_command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    run: Callable[[argparse.Namespace], int],
    summary: str,
    example: str,
) -> argparse.ArgumentParser:
    """Declare `facelatch NAME`: `run` gets the arguments and returns the exit status."""
    parser = commands.add_parser(
        name,
        help=summary,
        description=summary[0].upper() + summary[1:] + ".",
        epilog=_epilog(example),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "-c",
        "--config",
        type=Path,
        metavar="FILE",
        default=Path(os.environ.get("FACELATCH_CONFIG", DEFAULT_CONFIG)),
        help=f"the house's file (default: $FACELATCH_CONFIG, or {DEFAULT_CONFIG} in this folder)",
    )
    parser.set_defaults(run=run)
    return parser


def add_action(
    actions: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    run: Callable[[argparse.Namespace], int],
    summary: str,
    example: str,
) -> argparse.ArgumentParser:
    """Like `add_command`, but what was given before the action is not overwritten by its defaults."""
    parser = actions.add_parser(
        name,
        help=summary,
        description=summary[0].upper() + summary[1:] + ".",
        epilog=_epilog(example),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("-c", "--config", type=Path, metavar="FILE", default=argparse.SUPPRESS, help="the house's file")
    parser.set_defaults(run=run)
    return parser


def _epilog(example: str) -> str:
    return "example:\n" + "\n".join(f"  {line}" for line in example.splitlines())


def load_house(args: argparse.Namespace) -> tuple[House, Path]:
    """The house and the folder its paths are relative to. Raises ConfigError."""
    path: Path = args.config
    return house.load(path), path.resolve().parent
