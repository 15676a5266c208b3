"""`facelatch door|camera|…`: which one, and what is said when it can't run."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from agents.cli import run
from agents.cli.common import CommandError
from agents.cli.main import main
from agents.cli.run import _choose
from agents.discovery.household import Household
from agents.runtime.agent import HardwareError
from agents.runtime.settings import MqttSettings, Site

HOUSE = """\
doors:
  front: { relay: { pin: PIN, pin_factory: mock } }
cameras:
  porch: { source: 0 }
scheduler:
  timezone: UTC
  doors:
    front: { cameras: [porch] }
"""


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("agents.runtime.log.start", lambda level: None)  # pytest has the log
    path = tmp_path / "house.yaml"
    path.write_text(HOUSE.replace("PIN", "17"))
    return path


def test_the_only_one_needs_no_name() -> None:
    assert _choose("door", None, {"front": 1}) == "front"
    assert _choose("door", "front", {"front": 1, "back": 2}) == "front"


@pytest.mark.parametrize(
    ("name", "known", "told"),
    [
        (None, {"front": 1, "back": 2}, "which door? There are: back, front"),
        (None, {}, "which door? There are: none"),
        ("side", {"front": 1, "back": 2}, "there is no door 'side': back, front"),
        ("side", {"front": 1}, "there is no door 'side': front"),
        ("", {"front": 1, "back": 2}, "which door? There are: back, front"),
    ],
)
def test_one_that_is_not_there_is_told_with_those_that_are(name: str | None, known: dict[str, int], told: str) -> None:
    with pytest.raises(CommandError) as error:
        _choose("door", name, known)
    assert str(error.value) == told


@pytest.mark.parametrize("kind", ["door", "camera", "recognizer", "scheduler"])
def test_a_missing_package_is_told_with_the_lock_that_brings_it(
    kind: str, house: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(f"No module named 'noodles' for {name}", name="noodles")

    monkeypatch.setattr(run, "import_module", missing)
    assert main([kind, "-c", str(house)]) == 1
    told = capsys.readouterr().err
    assert told.startswith(f"facelatch: the {kind} agent needs something that is not installed: No module named")
    assert f"requirements/{kind}.txt" in told


@pytest.mark.parametrize("kind", ["door", "camera", "recognizer", "scheduler"])
@pytest.mark.parametrize(
    ("words", "data", "trusts_clock", "home"),
    [
        ("", "data", False, Household(form="single")),
        ("data: keep\nclock: trust\nhome_assistant: { discovery: off }\n", "keep", True, Household(form="off")),
    ],
)
def test_every_agent_is_told_of_the_house_around_it(
    words: str,
    data: str,
    trusts_clock: bool,
    home: Household,
    kind: str,
    house: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[object] = []
    monkeypatch.setattr(run, "import_module", lambda name: SimpleNamespace(main=lambda *given: told.extend(given)))
    house.write_text(house.read_text() + "mqtt: { port: 8883 }\n" + words)
    assert main([kind, "-c", str(house)]) == 0
    (site,) = (one for one in told if isinstance(one, Site))
    assert site == Site(MqttSettings(port=8883), house.parent, house.parent / data, trusts_clock, home)


def test_the_scheduler_is_told_what_the_other_agents_tell_home_assistant(
    house: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[object] = []
    monkeypatch.setattr(run, "import_module", lambda name: SimpleNamespace(main=lambda *given: told.extend(given)))
    assert main(["scheduler", "-c", str(house)]) == 0
    assert {agent.split("-")[1] for agent in told[-1]} == {"door", "camera", "recognizer"}  # type: ignore[attr-defined]


@pytest.mark.parametrize("error", [HardwareError("no pins"), FileNotFoundError(2, "No such file", "password")])
def test_an_agent_that_can_not_go_on_ends_with_1_and_its_reason(
    error: Exception, house: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(run, "import_module", lambda name: SimpleNamespace(main=fail))
    assert main(["scheduler", "-c", str(house)]) == 1
    assert capsys.readouterr().err == f"facelatch: scheduler stopped: {error}\n"


def test_a_door_without_its_pin_library_says_so_and_ends(
    house: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "gpiozero", None)
    assert main(["door", "-c", str(house)]) == 1
    assert "facelatch: door stopped: pin 17 through mock: " in capsys.readouterr().err


def test_a_door_on_a_pin_that_is_none_says_so_and_ends(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    house.write_text(HOUSE.replace("PIN", "GPIO99"))
    assert main(["door", "front", "-c", str(house)]) == 1
    assert "facelatch: door stopped: pin GPIO99 through mock: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["yard"], "camera 'yard' needs no agent: somebody else publishes its frames, on facelatch/camera/yard/frame"),
        (["hall"], "camera 'hall' needs no agent: somebody else publishes its frames, on esp32/hall/jpeg"),
        (["side"], "there is no camera 'side': porch"),
    ],
)
def test_a_camera_that_publishes_by_itself_is_not_run_and_nobody_wonders_why(
    words: list[str], told: str, house: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = "  yard: { source: mqtt }\n  hall: { source: 'mqtt:esp32/hall/jpeg' }\nscheduler:"
    house.write_text(house.read_text().replace("scheduler:", more))
    assert main(["camera", *words, "-c", str(house)]) == 1
    assert capsys.readouterr().err == f"facelatch: {told}\n"


def test_the_only_camera_with_an_agent_needs_no_name(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[object] = []
    monkeypatch.setattr(run, "import_module", lambda name: SimpleNamespace(main=lambda *given: told.extend(given)))
    house.write_text(house.read_text().replace("scheduler:", "  yard: { source: mqtt }\nscheduler:"))
    assert main(["camera", "-c", str(house)]) == 0
    assert told[0] == "porch"
