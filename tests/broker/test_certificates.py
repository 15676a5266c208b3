"""Authority and server certificate, judged by cryptography's own verifier. Time is passed in."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from broker import BrokerError, certificates
from broker.certificates import Pair
from tests.broker.houses import DAY_S, NOW

NAMES = ("lock.local", "192.168.1.10", "::1", "localhost")


def authority_at(now: float = NOW.utc) -> Pair:
    key = certificates.make_key()
    return Pair(certificates.make_authority(key, "lock.local", now), key, ("ca.crt", "ca.key"))


def server_of(authority: Pair, names: tuple[str, ...] = NAMES, now: float = NOW.utc) -> Pair:
    key = certificates.make_key()
    return Pair(certificates.make_server(authority, key, names, now), key, ("server.crt", "server.key"))


@pytest.fixture(scope="module")
def authority() -> Pair:
    return authority_at()


@pytest.fixture(scope="module")
def server(authority: Pair) -> Pair:
    return server_of(authority)


def verify(server: Pair, authority: Pair, name: str, at: float) -> None:
    """As a client would. Raises VerificationError."""
    store = Store([authority.read()[0]])
    try:
        subject: x509.DNSName | x509.IPAddress = x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        subject = x509.DNSName(name)
    builder = PolicyBuilder().store(store).time(datetime.fromtimestamp(at, UTC))
    builder.build_server_verifier(subject).verify(server.read()[0], [])


@pytest.mark.parametrize("name", NAMES)
def test_clients_believe_it_by_each_of_its_names_from_the_day_before_until_it_ends(
    authority: Pair, server: Pair, name: str
) -> None:
    for days in (-0.99, 0, certificates.SERVER_DAYS - 0.01):
        verify(server, authority, name, NOW.utc + days * DAY_S)


@pytest.mark.parametrize(
    ("name", "days"),
    [("other.local", 0), ("192.168.1.11", 0), ("lock.local", -1.01), ("lock.local", certificates.SERVER_DAYS + 0.01)],
)
def test_clients_do_not_believe_it_by_another_name_or_at_another_time(
    authority: Pair, server: Pair, name: str, days: float
) -> None:
    with pytest.raises(VerificationError):
        verify(server, authority, name, NOW.utc + days * DAY_S)


def test_another_houses_authority_vouches_for_nothing_here(server: Pair) -> None:
    with pytest.raises(VerificationError):
        verify(server, authority_at(), "lock.local", NOW.utc)


def test_the_authority_signs_servers_only_and_for_twenty_years(authority: Pair) -> None:
    certificate, _ = authority.read()
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (constraints.critical, constraints.value.ca, constraints.value.path_length) == (True, True, 0)
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.key_cert_sign, usage.digital_signature, usage.key_agreement) == (True, False, False)
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc > timedelta(days=20 * 365)


def test_telephones_of_apple_take_the_server_certificate(server: Pair) -> None:
    """They refuse more than 825 days, a missing purpose, and a name that is not an alternative name."""
    certificate, _ = server.read()
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc <= timedelta(days=825)
    assert certificates.names_in(server.certificate, "server.crt") == list(NAMES)
    purposes = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(purposes) == [ExtendedKeyUsageOID.SERVER_AUTH]


@pytest.mark.parametrize(
    ("names", "days", "reason"),
    [
        (NAMES, 0, None),
        (NAMES[:1], 0, None),
        (NAMES, certificates.SERVER_DAYS - 90.01, None),
        (NAMES, certificates.SERVER_DAYS - 89.99, "it is valid until 2029-04-14 only"),
        (NAMES, certificates.SERVER_DAYS + 10, "it is valid until 2029-04-14 only"),
        (NAMES, -1.5, "it is not valid before 2027-01-14"),
        ((*NAMES, "door.example.org"), 0, "it lacks door.example.org"),
        ((*NAMES, "10.0.0.1", "a.local"), 0, "it lacks 10.0.0.1, a.local"),
        (("LOCK.local.", *NAMES), 0, None),
    ],
)
def test_it_is_renewed_when_90_days_are_left_or_a_name_is_missing(
    authority: Pair, server: Pair, names: tuple[str, ...], days: float, reason: str | None
) -> None:
    assert certificates.why_renew(server, authority, names, NOW.utc + days * DAY_S) == reason


def test_a_certificate_of_another_authority_is_an_error_and_no_reason_to_renew(server: Pair) -> None:
    other = authority_at()
    with pytest.raises(BrokerError, match=r"server\.crt was not issued by ca\.crt"):
        certificates.why_renew(server, other, NAMES, NOW.utc)


def test_no_certificate_outlives_its_authority(authority: Pair) -> None:
    late = NOW.utc + (certificates.AUTHORITY_DAYS - 100) * DAY_S
    assert server_of(authority, now=late).read()[0].not_valid_after_utc == authority.read()[0].not_valid_after_utc
    with pytest.raises(BrokerError, match=r"ca\.crt is valid until 2047-01-10 only, which is over"):
        server_of(authority, now=late + 101 * DAY_S)


@pytest.mark.parametrize(
    ("part", "data", "text"),
    [
        ("certificate", b"", r"^server\.crt is no certificate in PEM form$"),
        ("certificate", b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", r"^server\.crt is no cert"),
        ("key", b"junk", r"^server\.key is no private key in PEM form"),
        ("key", certificates.make_key(), r"^server\.crt and server\.key don't belong together$"),
    ],
)
def test_damaged_and_mixed_up_files_are_told_by_name(server: Pair, part: str, data: bytes, text: str) -> None:
    parts = {"certificate": server.certificate, "key": server.key, part: data}
    with pytest.raises(BrokerError, match=text):
        Pair(parts["certificate"], parts["key"], server.where).check()
    server.check()


@pytest.mark.parametrize("password", [b"secret", None])
def test_keys_that_are_shut_or_of_another_kind_are_told(server: Pair, password: bytes | None) -> None:
    made = rsa.generate_private_key(65537, 2048) if password is None else server.read()[1]
    shut = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    pem = made.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, shut)
    with pytest.raises(BrokerError, match=r"^server\.key is no (private key in PEM form, or has a password|elliptic)"):
        Pair(server.certificate, pem, server.where).check()


@pytest.mark.parametrize("name", ["", "my house", "https://lock.local", "lock..local", "-lock", "*", "a" * 64, "a/b"])
def test_what_is_no_host_name_and_no_address_is_refused(name: str) -> None:
    assert not certificates.is_name(name)
    with pytest.raises(BrokerError, match="is no host name and no address"):
        certificates.general_names([name])


def test_a_name_with_accents_is_written_as_the_network_writes_it() -> None:
    assert [name.value for name in certificates.general_names(["kuća.local"])] == ["xn--kua-rpa.local"]
