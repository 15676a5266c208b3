from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from agents.cli.gallery import Place
from agents.cli.main import main
from agents.recognizer.config import RecognizerSettings
from agents.recognizer.people.gallery import Gallery
from agents.recognizer.people.records import Sample
from agents.recognizer.vision.engine import Engine
from agents.runtime.clock import Now

HOUSE = """\
doors: { front: { relay: { pin: 17, pin_factory: mock } } }
cameras: { front: { source: 0 } }
scheduler: { timezone: Europe/Zagreb, doors: { front: { cameras: [front] } } }
"""


class Done(NamedTuple):
    status: int
    out: list[str]
    err: list[str]


Facelatch = Callable[..., Done]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "facelatch.yaml").write_text(HOUSE)
    return tmp_path


@pytest.fixture
def facelatch(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Facelatch:
    monkeypatch.delenv("FACELATCH_CONFIG", raising=False)
    monkeypatch.chdir(folder)

    def run(*arguments: str | Path) -> Done:
        status = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return Done(status, out.splitlines(), err.splitlines())

    return run


@pytest.fixture
def obama(facelatch: Facelatch, photos: dict[str, Path], one_engine: Engine) -> Facelatch:
    """The command, in a house where one man is enrolled from two photos."""
    assert facelatch("enroll", "Barack Obama", photos["obama.jpg"], photos["obama2.jpg"]).status == 0
    return facelatch


@pytest.fixture(scope="session")
def engine() -> Engine:
    return Engine(RecognizerSettings(), Path())


@pytest.fixture
def one_engine(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """Commands use an engine that is loaded already: that takes most of a second."""
    monkeypatch.setattr(Place, "engine", lambda _place: engine)
    return engine


@pytest.fixture
def enrolled(folder: Path) -> Callable[..., Path]:
    """Enrolls people of whom nobody took a photo; returns the gallery's path."""

    def enroll(*names: str, crop: bytes | None = None, encoder: str = "dlib-resnet-v1/mirrored") -> Path:
        path = folder / "data" / "gallery.sqlite"
        with Gallery(path, create=True) as gallery:
            for name in names:
                encoding = np.random.default_rng(len(name)).normal(size=128)
                gallery.add(name, Sample(encoding, encoder, f"photo of {name}", crop), Now(1_800_000_000.0, 0.0))
        return path

    return enroll
