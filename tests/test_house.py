"""The house's file: the example is right in every line, and what does not fit together is refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from agents import house
from agents.house import House
from agents.runtime import yamlfile
from agents.runtime.yamlfile import ConfigError, Lines, Loc

EXAMPLE = Path(__file__).parents[1] / "facelatch.example.yaml"
COMMENTED_KEY = re.compile(r"^(?P<indent> *)# (?P<rest> *(?:- )?(?:[a-z_0-9]+:|\{).*)$")
# Keys whose comment shows how to write them, because there is nothing or little by default.
SHOWN: set[Loc] = {
    ("mqtt", "tls"),
    ("mqtt", "credentials"),
    ("home_assistant", "doors"),
    ("home_assistant", "cameras"),
    ("doors", "front", "exit_button"),
    ("doors", "front", "contact"),
    ("doors", "front", "prompt"),
    ("recognizer", "models"),
    ("recognizer", "keep_unknown"),
    ("scheduler", "groups"),
    ("scheduler", "holidays"),
    ("scheduler", "exceptions"),
    ("scheduler", "doors", "front", "windows"),
}


def uncommented(text: str) -> str:
    """The text with every commented key made a real one. A comment's prose has no `key:` at its start."""
    return "\n".join(COMMENTED_KEY.sub(r"\g<indent>\g<rest>", line) for line in text.splitlines())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "facelatch.yaml"


def load(file: Path, text: str) -> tuple[House, Lines]:
    file.write_text(text, encoding="utf-8")
    return yamlfile.load(file, House)


def errors(file: Path, text: str) -> list[str]:
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        house.load(file)
    return [error.removeprefix(f"{file.parent}/") for error in caught.value.errors]


def value(model: Any, loc: Loc) -> Any:
    """What stands at `loc` in a model, by the names of the file."""
    for part in loc:
        model = getattr(model, _field(model, str(part))) if isinstance(model, BaseModel) else model[part]
    return model


def _field(model: BaseModel, key: str) -> str:
    return next(name for name, field in type(model).model_fields.items() if key in (name, field.alias))


def test_the_example_is_a_house() -> None:
    example = house.load(EXAMPLE)
    assert list(example.doors) == list(example.cameras) == ["front"]


def test_the_example_is_a_house_with_every_commented_key(file: Path) -> None:
    file.write_text(uncommented(EXAMPLE.read_text(encoding="utf-8")), encoding="utf-8")
    assert house.load(file).scheduler.doors["front"].windows[1].days == "sat"


def commented_keys(folder: Path) -> list[Loc]:
    text = EXAMPLE.read_text(encoding="utf-8")
    _, bare = load(folder / "bare.yaml", text)
    _, full = load(folder / "full.yaml", uncommented(text))
    return sorted(full.keys() - bare.keys(), key=repr)


def test_a_commented_key_of_the_example_shows_its_default(tmp_path: Path) -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    bare, _ = load(tmp_path / "bare.yaml", text)
    full, _ = load(tmp_path / "full.yaml", uncommented(text))
    compared = [loc for loc in commented_keys(tmp_path) if not any(_within(loc, shown) for shown in SHOWN)]
    assert len(compared) > 25
    for loc in compared:
        assert (loc, value(full, loc)) == (loc, value(bare, loc))


def _within(loc: Loc, shown: Loc) -> bool:
    """Whether one holds the other."""
    return all(a == b for a, b in zip(loc, shown, strict=False))


def test_the_example_shows_every_key(tmp_path: Path) -> None:
    _, lines = load(tmp_path / "full.yaml", uncommented(EXAMPLE.read_text(encoding="utf-8")))
    assert schema_keys() <= {loc[-1] for loc in lines if loc}


def schema_keys() -> set[str]:
    schema = House.model_json_schema()
    return {key for part in [schema, *schema["$defs"].values()] for key in part.get("properties", {})}


HOUSE = """\
doors:
  front:
    relay: { pin: 17, pin_factory: mock }
cameras:
  front: { source: 0 }
scheduler:
  timezone: Europe/Zagreb
  doors:
    front: { cameras: [front] }
"""


def test_a_small_house_is_enough(file: Path) -> None:
    file.write_text(HOUSE, encoding="utf-8")
    small = house.load(file)
    assert small.agents == [("door", "front"), ("recognizer", "main"), ("scheduler", "main"), ("camera", "front")]


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        (
            "cameras:\n",
            "  back: { relay: { pin: 18, pin_factory: mock } }\ncameras:\n",
            "facelatch.yaml:4: doors.back: no scheduler serves this door: add it under scheduler.doors",
        ),
        (
            "    front: { cameras",
            "    bakc: { cameras: [front] }\n    front: { cameras",
            "facelatch.yaml:9: scheduler.doors.bakc: there is no such door under doors",
        ),
        (
            "{ cameras: [front] }",
            "\n      cameras:\n      - front\n      - porch",
            "facelatch.yaml:12: scheduler.doors.front.cameras.1: there is no camera 'porch' under cameras",
        ),
        ("source:", "sourec:", "facelatch.yaml:5: cameras.front.source: missing"),
        ("source:", "sourec:", "facelatch.yaml:5: cameras.front.sourec: unknown key; did you mean source?"),
        ("pin: 17,", "", "facelatch.yaml:3: doors.front.relay.pin: missing"),
        (
            "Zagreb",
            "Zagerb",
            "facelatch.yaml:7: scheduler.timezone: no such time zone; names look like Europe/Zagreb"
            " (got 'Europe/Zagerb')",
        ),
        (
            "mock }",
            "fake }",
            "facelatch.yaml:3: doors.front.relay.pin_factory: Input should be 'lgpio', 'rpigpio', 'pigpio', 'native'"
            " or 'mock' (got 'fake')",
        ),
        (
            "[front] }",
            "[front], windows: [{ who: everybody, days: sun, from: 19:00, to: 7 }] }",
            "facelatch.yaml:9: scheduler.doors.front.windows.0.to: Input should be a valid string (got 7)",
        ),
        (
            "[front] }",
            "[] }",
            "facelatch.yaml:9: scheduler.doors.front.cameras: List should have at least 1 item after validation, not 0"
            " (got [])",
        ),
        (
            "  front:\n    relay",
            "  Front Door:\n    relay",
            "facelatch.yaml:2: doors.Front Door: String should match pattern '^[a-z0-9][a-z0-9_-]{0,31}$'"
            " (got 'Front Door')",
        ),
    ],
    ids=lambda text: ascii(text)[:30],
)
def test_an_error_names_the_file_the_line_and_the_key(file: Path, old: str, new: str, error: str) -> None:
    assert HOUSE.count(old) == 1
    assert error in errors(file, HOUSE.replace(old, new))


def test_everything_that_does_not_fit_is_told_at_once(file: Path) -> None:
    assert errors(file, HOUSE.replace("    front: { cameras: [front] }", "    back: { cameras: [porch] }")) == [
        "facelatch.yaml:2: doors.front: no scheduler serves this door: add it under scheduler.doors",
        "facelatch.yaml:9: scheduler.doors.back: there is no such door under doors",
        "facelatch.yaml:9: scheduler.doors.back.cameras.0: there is no camera 'porch' under cameras",
    ]


FOREIGN = HOUSE.replace("{ source: 0 }", "{ source: mqtt }").replace(
    "scheduler:", "  yard: { source: 'mqtt:frigate/yard/person/snapshot' }\n  porch: { source: 1 }\nscheduler:"
)


def test_a_camera_that_publishes_by_itself_has_no_agent_and_its_frames_a_topic(file: Path) -> None:
    file.write_text(FOREIGN, encoding="utf-8")
    found = house.load(file)
    assert [name for kind, name in found.agents if kind == "camera"] == ["porch"]
    told = {device.node for devices in found.devices().values() for device in devices}
    assert {node for node in told if node.startswith("facelatch-camera-")} == {"facelatch-camera-porch"}
    assert "facelatch-recognizer-main-yard" in told
    assert {name: feed.topic("home/lock") for name, feed in found.feeds.items()} == {
        "front": "home/lock/camera/front/frame",
        "yard": "frigate/yard/person/snapshot",
        "porch": "home/lock/camera/porch/frame",
    }


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        (
            "{ source: mqtt }",
            "{ source: mqtt, crop: { left: 0.1 } }",
            "facelatch.yaml:5: cameras.front.crop: has no effect where source is mqtt: no agent makes the frames",
        ),
        (
            "{ source: 1 }",
            "{ source: 'mqtt:frigate/yard/person/snapshot' }",
            "facelatch.yaml:7: cameras.porch.source: camera 'yard' has the same topic: everybody would be seen twice",
        ),
        (
            "mqtt:frigate",
            "mqtt:facelatch",
            "facelatch.yaml:6: cameras.yard.source: facelatch/yard/person/snapshot is below facelatch/,"
            " where no camera of somebody else's publishes",
        ),
        (
            "[front] }",
            "[front, yard], evidence: { frames: 1 } }",
            "facelatch.yaml:11: scheduler.doors.front.evidence: one frame is too few for camera 'yard':"
            " on its topic an old one may come",
        ),
        (
            "[front] }",
            "[yard], windows: [{ who: everybody, days: sun, from: 08:00, to: 09:00, evidence: { frames: 1 } }] }",
            "facelatch.yaml:11: scheduler.doors.front.windows.0.evidence: one frame is too few for camera 'yard':"
            " on its topic an old one may come",
        ),
    ],
)
def test_what_does_not_fit_such_a_camera_is_refused(file: Path, old: str, new: str, error: str) -> None:
    assert FOREIGN.count(old) == 1
    assert error in errors(file, FOREIGN.replace(old, new))


def test_one_frame_is_enough_where_no_old_one_can_come(file: Path) -> None:
    file.write_text(FOREIGN.replace("[front] }", "[front], evidence: { frames: 1 } }"), encoding="utf-8")
    assert house.load(file).scheduler.doors["front"].evidence.frames == 1


def test_a_file_without_anything_says_what_it_needs(file: Path) -> None:
    assert errors(file, "") == [
        "facelatch.yaml:1: doors: missing",
        "facelatch.yaml:1: cameras: missing",
        "facelatch.yaml:1: scheduler: missing",
    ]


@pytest.mark.parametrize("key", ["password", "passwd", "token", "secret", "pasword_file"])
def test_a_secret_in_the_file_is_refused_and_not_repeated(file: Path, key: str) -> None:
    found = errors(file, f"mqtt: {{ {key}: hunter2 }}\n{HOUSE}")
    assert len(found) == 1
    assert found[0].startswith(f"facelatch.yaml:1: mqtt.{key}: unknown key")
    assert "hunter2" not in found[0]


def test_no_setting_of_the_house_takes_a_secret() -> None:
    assert {key for key in schema_keys() if re.search("pass|secret|token|key", key)} == {"key_file"}
