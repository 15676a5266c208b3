"""What the commands share: where the house's file is, and how a command is declared."""

from __future__ import annotations

import argparse
import contextlib
import difflib
import os
from collections.abc import Callable, Iterable, Iterator
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


@contextlib.contextmanager
def naming(option: str) -> Iterator[None]:
    """A ValueError as text for people, with the option that can't be read."""
    try:
        yield
    except ValueError as error:
        raise CommandError(f"{option} {error}") from None


def hint(text: str, known: Iterable[str]) -> str:
    """What was meant, or else what there is: the end of a sentence."""
    known = sorted(known)
    return near(text, known) or (f": {', '.join(known)}" if known else "")


def near(text: str, known: Iterable[str]) -> str:
    """What was meant: the end of a sentence, empty where nothing is called nearly so."""
    names = {name.casefold(): name for name in known if name != text}
    found = [names[key] for key in difflib.get_close_matches(text.casefold(), names, 3, 0.6)]
    return f"; did you mean {' or '.join(found)}?" if found else ""
