"""The section about the broker, and the password that is in a file of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from agents.runtime.settings import MqttSettings

SETTINGS = MqttSettings(username="facelatch-door", password_file="secrets/mqtt")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "secrets" / "mqtt"
    path.parent.mkdir()
    return path


@pytest.mark.parametrize(
    ("content", "password"),
    [
        (b"s3cret", "s3cret"),
        (b"s3cret\n", "s3cret"),
        (b"s3cret\r\n", "s3cret"),
        (b"s3cret\nold one\n", "s3cret"),
        (b"\xef\xbb\xbfs3cret\n", "s3cret"),
        (b" with spaces \n", " with spaces "),
        ("čš∞\n".encode(), "čš∞"),
    ],
    ids=["bare", "line", "CRLF", "two lines", "byte order mark", "spaces count", "not ASCII"],
)
def test_the_password_is_the_files_first_line(file: Path, tmp_path: Path, content: bytes, password: str) -> None:
    file.write_bytes(content)
    assert SETTINGS.password(tmp_path) == password


def test_without_a_file_there_is_no_password(tmp_path: Path) -> None:
    assert MqttSettings().password(tmp_path) is None


def test_a_missing_password_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="secrets/mqtt"):
        SETTINGS.password(tmp_path)


def test_a_password_file_that_is_no_text_is_an_error_that_names_it(file: Path, tmp_path: Path) -> None:
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(OSError, match="secrets/mqtt is not UTF-8 text"):
        SETTINGS.password(tmp_path)


def test_a_password_file_may_be_anywhere(tmp_path: Path) -> None:
    path = tmp_path / "elsewhere"
    path.write_text("s3cret\n")
    assert MqttSettings(username="ana", password_file=str(path)).password(Path("/nowhere")) == "s3cret"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_broker_on_this_machine_is_local(host: str) -> None:
    assert MqttSettings(host=host).local


def test_a_broker_elsewhere_is_not_local() -> None:
    assert not MqttSettings(host="192.168.1.10").local


@pytest.mark.parametrize("base", ["facelatch", "my_house/doors-1", "A/b/C"])
def test_the_base_may_have_several_levels(base: str) -> None:
    assert MqttSettings(base=base).base == base


@pytest.mark.parametrize("base", ["", "/", "a/", "/a", "a//b", "a/+", "#", "$SYS", "a b", "a\n"], ids=repr)
def test_a_base_that_would_be_another_topic_is_refused(base: str) -> None:
    with pytest.raises(ValidationError):
        MqttSettings(base=base)


def test_a_password_without_a_user_is_an_error() -> None:
    with pytest.raises(ValidationError, match="password_file without username"):
        MqttSettings(password_file="secrets/mqtt")
