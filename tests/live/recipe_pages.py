"""The shell commands with mosquitto's clients that are printed in the pages, as they are printed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
CLIENT = re.compile(r"\bmosquitto_(pub|sub|rr)\b")
BEGINS = re.compile(r"^[ \t$]*mosquitto_(?:pub|sub|rr) +-.*", re.MULTILINE)
SHELL = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"(?<!`)`(mosquitto_(?:pub|sub|rr)\s[^`]*-t\s[^`]*)`(?!`)")


def pages() -> list[Path]:
    """Every page for people, wherever it is."""
    hidden = {".venv", ".git", ".ci"}
    return sorted(page for page in ROOT.rglob("*.md") if not hidden & set(page.relative_to(ROOT).parts))


def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def recipes() -> dict[str, str]:
    """Each command in a ```sh block, as printed, by its `key`."""
    return {key(command): command for page in pages() for command in in_blocks(text(page))}


def in_sentences() -> set[str]:
    """The keys of the commands in the middle of a sentence."""
    return {key(command) for page in pages() for command in INLINE.findall(text(page))}


def outside() -> list[str]:
    """Commands that stand on a line of their own, but not in a ```sh block, where nobody would test them."""
    return [line for page in pages() for line in BEGINS.findall(SHELL.sub("", text(page)))]


def key(command: str) -> str:
    """The command without its comment, and on one line."""
    lines = (re.sub(r"\s+# .*$|\\$", "", line) for line in command.splitlines())
    return " ".join(" ".join(lines).split())


def in_blocks(page: str) -> Iterator[str]:
    for block in SHELL.findall(page):
        # a line that ends in a backslash or a pipe goes on in the next
        for command in re.findall(r"(?:.*(?:\\|\|)\n)*.*\n", block):
            if CLIENT.search(command) and not command.startswith("sudo apt"):
                yield command.rstrip("\n")
