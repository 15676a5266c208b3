"""What the files of a TLS connection may be, and what is said of those that are no use."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from agents.runtime import tls
from agents.runtime.settings import TlsSettings
from tests.certificates import Authority


@pytest.fixture
def ours(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "ours")


def believed(context: ssl.SSLContext) -> list[str]:
    """The names of the authorities that this context believes."""
    return [dict(part[0] for part in ca["subject"])["commonName"] for ca in context.get_ca_certs()]  # type: ignore[misc]


def test_the_brokers_certificate_and_its_name_are_checked_and_old_tls_is_refused(
    tmp_path: Path, ours: Authority
) -> None:
    for settings in (TlsSettings(), TlsSettings(ca_file="ours.crt")):
        context = tls.context(settings, tmp_path)
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname
        assert context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_beside_the_houses_authority_none_of_the_systems_counts(tmp_path: Path, ours: Authority) -> None:
    assert believed(tls.context(TlsSettings(ca_file="ours.crt"), tmp_path)) == ["ours"]


def test_without_one_the_systems_authorities_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Authority(tmp_path, "the system's")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "the system's.crt"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "nowhere"))
    assert believed(tls.context(TlsSettings(), tmp_path)) == ["the system's"]


def test_an_authoritys_file_may_be_anywhere_hold_several_and_be_commented(tmp_path: Path, ours: Authority) -> None:
    other = Authority(tmp_path, "other")
    both = tmp_path / "elsewhere.pem"
    both.write_text(
        f"# of Žarko\n{ours.file.read_text()}\n# of the neighbours\n{other.file.read_text()}\n",
        encoding="utf-8",
    )
    assert believed(tls.context(TlsSettings(ca_file=str(both)), Path("/nowhere"))) == ["ours", "other"]


PEM = "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n"
NO_AUTHORITY = {
    "empty": b"",
    "text": b"of the house\n",
    "not ASCII": b"\xff\xfe",
    "begun": b"-----BEGIN CERTIFICATE-----\n",
    "nothing in it": PEM.format("").encode(),
    "not base64": PEM.format("?").encode(),
    "no certificate in it": PEM.format("AAAA").encode(),
}


@pytest.mark.parametrize("content", NO_AUTHORITY.values(), ids=NO_AUTHORITY)
def test_a_file_that_is_no_authority_is_an_error_that_names_it(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.crt").write_bytes(content)
    with pytest.raises(OSError, match=f"{tmp_path}/bad.crt is no certificate in PEM form"):
        tls.context(TlsSettings(ca_file="bad.crt"), tmp_path)


def test_a_key_is_no_authority(tmp_path: Path, ours: Authority) -> None:
    ours.certify("me")
    with pytest.raises(OSError, match=r"me\.key is no certificate in PEM form"):
        tls.context(TlsSettings(ca_file="me.key"), tmp_path)


def test_a_missing_authority_is_an_error_that_names_its_file(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=f"{tmp_path}/secrets/ca.crt"):
        tls.context(TlsSettings(ca_file="secrets/ca.crt"), tmp_path)


def test_a_certificate_of_the_programs_own_is_taken_with_its_key(tmp_path: Path, ours: Authority) -> None:
    ours.certify("me")
    tls.context(TlsSettings(ca_file="ours.crt", cert_file="me.crt", key_file="me.key"), tmp_path)


def test_a_certificate_without_its_own_key_is_an_error_that_names_both_files(tmp_path: Path, ours: Authority) -> None:
    ours.certify("me")
    ours.certify("you")
    ours.certify("locked", password=b"s3cret")
    (tmp_path / "empty.key").touch()
    for cert, key in (
        ("me", "you"), ("locked", "locked"), ("me", "empty"), ("me", "gone"), ("gone", "me"), ("ours", "me")
    ):  # fmt: skip
        with pytest.raises(OSError, match=f"{tmp_path}/{cert}.crt and {tmp_path}/{key}.key are no certificate"):
            tls.context(TlsSettings(cert_file=f"{cert}.crt", key_file=f"{key}.key"), tmp_path)
