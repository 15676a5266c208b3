"""A YAML file into a pydantic model, with errors that name the file, the line and the key."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from agents.runtime.settings import SecretInFile
from agents.wire.values import one_line

Loc = tuple[int | str, ...]
Lines = dict[Loc, int]
ModelT = TypeVar("ModelT", bound=BaseModel)


class ConfigError(Exception):
    """The file can't be used. Each of `errors` is one line: file, line, key and what is wrong."""

    def __init__(self, errors: Sequence[str]) -> None:
        super().__init__("\n".join(errors))
        self.errors = tuple(errors)


class _Loader(yaml.SafeLoader):
    """YAML 1.2's plain values: YAML 1.1 reads 19:00 as the number 1140 and `on` as true.

    Aliases are refused: one can contain itself, and a few can stand for billions of nodes.
    """

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]  # types-pyyaml leaves it untyped
            raise yaml.composer.ComposerError(None, None, "aliases (*name) are not read here", mark)
        return super().compose_node(parent, index)


_Loader.yaml_implicit_resolvers = {}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(true|false)$"), list("tf"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile("^(null|~|)$"), ["n", "~", ""])
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^[-+]?[0-9]+$"), list("-+0123456789"))
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=e))(e[-+]?[0-9]+)?$"),
    list("-+.0123456789"),
)

# PyYAML's own constructors read 017 as 15 and fail in odd ways on values that don't fit their tag.
_VALUES: dict[str, Callable[[str], Any]] = {
    "tag:yaml.org,2002:str": str,
    "tag:yaml.org,2002:bool": {"true": True, "false": False}.__getitem__,
    "tag:yaml.org,2002:null": lambda _: None,
    "tag:yaml.org,2002:int": int,
    "tag:yaml.org,2002:float": float,
}


def load(path: Path, model: type[ModelT]) -> tuple[ModelT, Lines]:
    """Read `path` as `model`. Returns it with the line of each key. Raises ConfigError."""
    tree = _read(path)
    errors: list[str] = []
    lines: Lines = {(): 1}
    data = _plain(tree, (), lines, errors, path) if tree is not None else None
    if errors:
        raise ConfigError(errors)
    try:
        return model.model_validate({} if data is None else data), lines
    except ValidationError as error:
        raise ConfigError([_explain(path, lines, model, e) for e in error.errors(include_url=False)]) from None


def complain(path: Path, lines: Lines, problems: Iterable[tuple[Loc, str]]) -> None:
    """Raises ConfigError when there are any problems, each at its place in the file."""
    errors = [_place(path, lines, loc) + text for loc, text in problems]
    if errors:
        raise ConfigError(errors)


def _read(path: Path) -> yaml.Node | None:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError([f"{path}: {error.strerror}"]) from None
    except UnicodeDecodeError:
        raise ConfigError([f"{path}: is not UTF-8 text"]) from None
    try:
        return yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError([f"{path}:{line}: not YAML: {error.problem}"]) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ConfigError([f"{path}:{line}: not YAML: {error.reason}"]) from None
    except RecursionError:
        raise ConfigError([f"{path}: nested too deeply"]) from None
    except (ValueError, OverflowError):  # PyYAML does not check what it converts: "\UFFFFFFFF", %YAML 99…9.1
        raise ConfigError([f"{path}: not YAML: an escaped character or a version is out of range"]) from None


def _plain(node: yaml.Node, loc: Loc, lines: Lines, errors: list[str], path: Path) -> Any:
    """The node as dicts, lists and values, noting lines and refusing keys given twice."""
    lines.setdefault(loc, node.start_mark.line + 1)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*loc, i), lines, errors, path) for i, item in enumerate(node.value)]
    if not isinstance(node, yaml.MappingNode):
        return _scalar(node, loc, lines, errors, path)
    result: dict[str, Any] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            errors.append(f"{path}:{key_node.start_mark.line + 1}: a key must be a plain word")
            continue
        key = str(key_node.value)
        if key in result:
            errors.append(f"{path}:{key_node.start_mark.line + 1}: {_dotted((*loc, key))}: given twice")
        lines[(*loc, key)] = key_node.start_mark.line + 1
        result[key] = _plain(value_node, (*loc, key), lines, errors, path)
    return result


def _scalar(node: yaml.Node, loc: Loc, lines: Lines, errors: list[str], path: Path) -> Any:
    try:
        return _VALUES[node.tag](node.value)
    except (KeyError, ValueError):
        kind = node.tag.removeprefix("tag:yaml.org,2002:")
        errors.append(f"{_place(path, lines, loc)}{node.value!r:.60} can't be read as {kind!r}")
        return None


def _explain(path: Path, lines: Lines, model: type[BaseModel], error: Any) -> str:
    loc: Loc = tuple(part for part in error["loc"] if part != "[key]")
    if error["type"] == "extra_forbidden":
        hint = difflib.get_close_matches(str(loc[-1]), sorted(_known_keys(model)), 1, 0.7)
        text = "unknown key" + (f"; did you mean {hint[0]}?" if hint else "")
    elif error["type"] == "missing":
        text = "missing"
    else:
        secret = isinstance(error.get("ctx", {}).get("error"), SecretInFile)
        text = error["msg"].removeprefix("Value error, ") + ("" if secret else f" (got {error['input']!r:.60})")
        loc = _known(lines, loc)  # without the names pydantic gives to the alternatives of a union
    return _place(path, lines, loc) + text


@cache
def _known_keys(model: type[BaseModel]) -> frozenset[str]:
    """All keys of the file's schema: a misspelt one is near one of them, wherever it stands."""
    schema = model.model_json_schema()
    parts = [schema, *schema.get("$defs", {}).values()]
    return frozenset(key for part in parts for key in part.get("properties", {}))


def _place(path: Path, lines: Lines, loc: Loc) -> str:
    return f"{path}:{lines[_known(lines, loc)]}: " + (f"{_dotted(loc)}: " if loc else "")


def _known(lines: Lines, loc: Loc) -> Loc:
    """The longest part of `loc` that is in the file."""
    while loc not in lines:
        loc = loc[:-1]
    return loc


def _dotted(loc: Loc) -> str:
    return one_line(".".join(str(part) for part in loc))
