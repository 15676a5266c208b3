"""`facelatch models`: which model files are here, what each adds, and which are in use."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass

from agents.cli.common import add_command, load_house
from agents.recognizer.config import RecognizerSettings
from agents.recognizer.errors import ModelError
from agents.recognizer.vision.manifest import merged
from agents.recognizer.vision.models import Models


@dataclass(frozen=True)
class _Line:
    name: str
    purpose: str
    state: str
    in_use: bool
    adds: str
    licence: str
    source: str
    file: str
    sha256: str


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    example = "facelatch models\nfacelatch models --json"
    models = add_command(commands, "models", _list, "list the model files: present, in use, what each adds", example)
    models.add_argument("--json", action="store_true", help="one JSON object a model, each on its line")


def _list(args: argparse.Namespace) -> int:
    house, folder = load_house(args)
    models = Models(merged(house.recognizer.models), folder)
    lines = [_line(name, models, house.recognizer) for name in models.manifest]
    for line in lines:
        print(json.dumps(asdict(line), ensure_ascii=False) if args.json else _in_words(line))
    return 0 if all(line.state == "present" for line in lines if line.in_use) else 1


def _line(name: str, models: Models, settings: RecognizerSettings) -> _Line:
    model = models.entry(name)
    return _Line(
        name,
        model.purpose,
        _state(name, models),
        in_use=name in in_use(settings, models),
        adds=model.adds,
        licence=model.licence,
        source=model.source,
        file=str(models.where(name)),
        sha256=model.sha256,
    )


def _state(name: str, models: Models) -> str:
    if not models.is_present(name):
        return "absent"
    try:
        models.path(name)
    except ModelError as error:
        return f"refused: {error}"
    return "present"


def in_use(settings: RecognizerSettings, models: Models) -> set[str]:
    """The models that a recognizer with these settings loads."""
    used = {settings.encoder, models.detector(settings.detector)}
    if models.entry(settings.encoder).kind == "dlib-resnet":
        used.add("dlib-5-point")
    return used


def _in_words(line: _Line) -> str:
    use = ", in use" if line.in_use else ""
    return "\n".join(
        [
            f"{line.name}: {line.purpose}, {line.state}{use}",
            *([f"  {line.adds}"] if line.adds else []),
            f"  licence {line.licence}; from {line.source}",
            f"  {line.file}",
            f"  SHA-256 {line.sha256}",
        ]
    )
