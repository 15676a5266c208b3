"""The section about the broker, and the password that is in a file of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from agents.runtime.settings import MqttSettings, TlsSettings

SETTINGS = MqttSettings(credentials="secrets/facelatch")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "secrets" / "facelatch"
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
    assert SETTINGS.login("door-front", tmp_path) == ("facelatch", password)


def test_in_a_folder_every_program_has_a_password_of_its_own(file: Path, tmp_path: Path) -> None:
    for user in ("door-front", "camera-front"):
        (file.parent / user).write_text(f"of {user}\n")
    settings = MqttSettings(credentials="secrets")
    assert settings.login("camera-front", tmp_path) == ("camera-front", "of camera-front")
    with pytest.raises(OSError, match="secrets/door-back"):
        settings.login("door-back", tmp_path)


def test_without_credentials_nobody_logs_in(tmp_path: Path) -> None:
    assert MqttSettings().login("door-front", tmp_path) is None


def test_a_missing_password_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="secrets/facelatch"):
        SETTINGS.login("door-front", tmp_path)


def test_a_password_file_that_is_no_text_is_an_error_that_names_it(file: Path, tmp_path: Path) -> None:
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(OSError, match="secrets/facelatch is not UTF-8 text"):
        SETTINGS.login("door-front", tmp_path)


def test_a_password_file_may_be_anywhere(tmp_path: Path) -> None:
    path = tmp_path / "elsewhere"
    path.write_text("s3cret\n")
    assert MqttSettings(credentials=str(path)).login("door-front", Path("/nowhere")) == ("elsewhere", "s3cret")


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


def test_a_certificate_needs_its_key() -> None:
    with pytest.raises(ValidationError, match="need each other"):
        TlsSettings(cert_file="me.crt")
