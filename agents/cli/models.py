"""`facelatch models`: which model files are here, what each adds, and which are in use; and to fetch those that are in
no package.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass

from agents.cli.common import CommandError, add_action, add_command, load_house
from agents.cli.gallery import explained
from agents.recognizer.config import RecognizerSettings
from agents.recognizer.errors import ModelError
from agents.recognizer.vision.manifest import FETCHED, liveness, merged
from agents.recognizer.vision.models import Models

GROUP = "liveness"


@dataclass(frozen=True)
class _Line:
    name: str
    purpose: str
    state: str
    in_use: bool
    adds: str
    licence: str
    source: str
    url: str | None
    file: str
    sha256: str


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    example = "facelatch models\nfacelatch models --json"
    models = add_command(commands, "models", _list, "list the model files: present, in use, what each adds", example)
    models.add_argument("--json", action="store_true", help="one JSON object a model, each on its line")
    actions = models.add_subparsers(metavar="ACTION")
    example = "facelatch models install liveness\nfacelatch models install liveness --from /media/usb/models"
    fetch = add_action(actions, "install", _install, "fetch the models that are in no package", example)
    fetch.add_argument(
        "names", nargs="+", metavar="NAME", help=f"models, or {GROUP}: all that tell a face from a picture"
    )
    fetch.add_argument("--from", dest="source", metavar="PLACE", help="a folder, a file, or the address of a mirror")


def _install(args: argparse.Namespace) -> int:
    models = _models(args)[0]
    with explained():
        from agents.recognizer.vision.install import install  # loads libraries that a door does not have

        names = _named(args.names, models)
        new = install(names, models, args.source)
    for name in names:
        print(f"{name}: {'installed' if name in new else 'present'}, {models.where(name)}")
    return 0


def _named(given: list[str], models: Models) -> list[str]:
    """The models, each once. Raises CommandError for a group of none."""
    group = [name for name in liveness(models.manifest) if models.entry(name).url is not None]
    if GROUP in given and not group:
        raise CommandError(f"{GROUP}: the networks of this house are all files of its own")
    return list(dict.fromkeys(name for one in given for name in (group if one == GROUP else [one])))


def _models(args: argparse.Namespace) -> tuple[Models, RecognizerSettings]:
    """Raises ConfigError."""
    house, folder = load_house(args)
    fetched = house.site(folder).data / FETCHED
    return Models(merged(house.recognizer.models), folder, fetched), house.recognizer


def _list(args: argparse.Namespace) -> int:
    models, settings = _models(args)
    lines = [_line(name, models, settings) for name in models.manifest]
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
        url=model.url,
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
    networks = liveness(models.manifest)
    networks = networks if any(models.is_present(name) for name in networks) else []  # all of them, or none
    used = {settings.encoder, models.detector(settings.detector), "dlib-68-point", *networks}
    if models.entry(settings.encoder).kind == "dlib-resnet":
        used.add("dlib-5-point")
    return used


def _in_words(line: _Line) -> str:
    use = ", in use" if line.in_use else ""
    if line.url is not None and line.state != "present":
        use += f"; to fetch it: facelatch models install {GROUP}"
    return "\n".join(
        [
            f"{line.name}: {line.purpose}, {line.state}{use}",
            *([f"  {line.adds}"] if line.adds else []),
            f"  licence {line.licence}; from {line.source}",
            f"  {line.file}",
            f"  SHA-256 {line.sha256}",
        ]
    )
