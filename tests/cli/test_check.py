"""`facelatch check`: every mistake is found, with its file, line and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.cli.main import main

EXAMPLE = Path(__file__).parents[2] / "facelatch.example.yaml"
HOUSE = """\
mqtt:
  port: 1883
doors:
  front:
    relay:
      pin: 17
      pin_factory: mock
    hold_s: 3
cameras:
  porch:
    source: 0
scheduler:
  timezone: Europe/Zagreb
  doors:
    front:
      cameras: [porch]
      windows:
        - { who: everybody, days: mon-fri, from: 07:00, to: 19:00 }
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "house.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_example_is_good(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "-c", str(EXAMPLE)]) == 0
    assert capsys.readouterr().out == f"{EXAMPLE}: good. Doors: front. Cameras: front. Broker: 127.0.0.1:1883.\n"


def test_a_good_house_is_named_with_its_parts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, HOUSE)
    assert main(["check", "-c", str(path)]) == 0
    assert capsys.readouterr().out == f"{path}: good. Doors: front. Cameras: porch. Broker: 127.0.0.1:1883.\n"


MISTAKES = {
    "unknown key": ("hold_s: 3", "holds_s: 3", 8, "doors.front.holds_s: unknown key; did you mean hold_s?"),
    "wrong type": ("hold_s: 3", "hold_s: three", 8, "doors.front.hold_s: "),
    "a clock that is neither": ("doors:", "clock: right\ndoors:", 3, "clock: Input should be 'check' or 'trust'"),
    "two that do not fit": ("hold_s: 3", "hold_s: 40", 4, "doors.front: max_hold_s (30.0) is shorter than hold_s (40"),
    "missing section": ("cameras:\n  porch:\n    source: 0\n", "", 1, "cameras: missing"),
    "given twice": ("hold_s: 3", "hold_s: 3\n    hold_s: 4", 9, "doors.front.hold_s: given twice"),
    "no such port": ("port: 1883", "port: 70000", 2, "mqtt.port: "),
    "a group that is none": (
        "who: everybody",
        "who: stuff",
        18,
        "scheduler.doors.front.windows.0.who: there is no group",
    ),
    "a country that is none": (
        "  timezone: Europe/Zagreb",
        "  holidays: { country: XX }\n  timezone: Europe/Zagreb",
        13,
        "scheduler.holidays: the holidays library knows no country 'XX'",
    ),
    "a door without a scheduler": ("    front:\n      cam", "    back:\n      cam", 4, "doors.front: no scheduler"),
    "not YAML": ("hold_s: 3", "hold_s: [3", 9, "not YAML: "),
}


@pytest.mark.parametrize(("old", "new", "line", "complaint"), MISTAKES.values(), ids=MISTAKES)
def test_each_mistake_is_told_with_file_line_and_key(
    old: str, new: str, line: int, complaint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert old in HOUSE
    path = write(tmp_path, HOUSE.replace(old, new, 1))
    assert main(["check", "-c", str(path)]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert any(error.startswith(f"{path}:{line}: {complaint}") for error in told.err.splitlines()), told.err


def test_all_mistakes_are_told_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, HOUSE.replace("1883", "0").replace("hold_s: 3", "hold: 3"))
    assert main(["check", "-c", str(path)]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 2


@pytest.mark.parametrize("content", [b"", b"\n", b"- front\n", b"front\n", b"\xff\xfe\x00", b"a: &a [*a]\n", b"\0"])
def test_a_file_that_is_no_house_at_all_is_told_by_name(
    content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "house.yaml"
    path.write_bytes(content)
    assert main(["check", "-c", str(path)]) == 1
    assert capsys.readouterr().err.startswith(f"{path}:")


def test_a_folder_in_place_of_the_file_is_told_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "-c", str(tmp_path)]) == 1
    assert capsys.readouterr().err.startswith(f"{tmp_path}: ")


FILES = {
    "credentials: nowhere": "mqtt.credentials",
    "tls: { ca_file: nowhere }": "mqtt.tls.ca_file",
    "tls: { cert_file: nowhere, key_file: house.yaml }": "mqtt.tls.cert_file",
    "tls: { cert_file: house.yaml, key_file: nowhere }": "mqtt.tls.key_file",
}


@pytest.mark.parametrize(("setting", "key"), FILES.items(), ids=FILES.values())
def test_a_secret_that_is_not_there_is_told_with_its_line_and_key(
    setting: str, key: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, HOUSE.replace("port: 1883", f"port: 1883\n  {setting}"))
    assert main(["check", "-c", str(path)]) == 1
    assert capsys.readouterr().err.startswith(f"{path}:3: {key}: {tmp_path / 'nowhere'} can't be read: ")
    (tmp_path / "nowhere").write_text("s3cret\n")
    assert main(["check", "-c", str(path)]) == 0


def test_a_folder_of_passwords_need_not_have_those_of_other_machines(tmp_path: Path) -> None:
    path = write(tmp_path, HOUSE.replace("port: 1883", "credentials: secrets"))
    (tmp_path / "secrets").mkdir()
    assert main(["check", "-c", str(path)]) == 0


def test_a_certificate_without_its_key_is_told_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, HOUSE.replace("port: 1883", "port: 1883\n  tls: { cert_file: me.crt }"))
    assert main(["check", "-c", str(path)]) == 1
    assert capsys.readouterr().err.startswith(f"{path}:3: mqtt.tls: cert_file and key_file need each other")


def test_a_missing_file_with_a_cameras_address_is_told_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, HOUSE.replace("source: 0", "source: secret:porch-camera"))
    assert main(["check", "-c", str(path)]) == 1
    line = path.read_text().splitlines().index("    source: secret:porch-camera") + 1
    assert capsys.readouterr().err.startswith(f"{path}:{line}: cameras.porch.source: {tmp_path / 'porch-camera'} can't")
    (tmp_path / "porch-camera").write_text("rtsp://ana:s3cret@camera/\n")
    assert main(["check", "-c", str(path)]) == 0


def test_where_liveness_is_off_is_said_with_its_line_and_the_house_is_good_all_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, HOUSE.replace("to: 19:00 }", "to: 19:00, liveness: off }") + "      liveness: off\n")
    assert main(["check", "-c", str(path)]) == 0
    said = "liveness is off: a photograph can open door front"
    assert capsys.readouterr().out.splitlines()[1:] == [
        f"{path}:19: warning: scheduler.doors.front.liveness: {said}",
        f"{path}:18: warning: scheduler.doors.front.windows.0.liveness: {said}",
    ]


def test_a_contradiction_about_liveness_is_told_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, HOUSE + "      liveness: { check: off, challenge: always }\n")
    assert main(["check", "-c", str(path)]) == 1
    assert capsys.readouterr().err.startswith(f"{path}:19: scheduler.doors.front.liveness: check is off, so")
