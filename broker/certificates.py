"""The house's certificate authority and the broker's certificate. Bytes in, bytes out; time is a parameter.

Elliptic keys on P-256: every telephone knows them, and a Raspberry Pi makes one in a millisecond.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from broker import BrokerError

AUTHORITY_DAYS = 20 * 365
SERVER_DAYS = 820  # iOS and macOS believe none of more than 825
RENEW_DAYS = 90
EARLIER = timedelta(days=1)  # a client's clock may be behind
NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*")


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, as they are in their files (PEM); `where` names the files in errors."""

    certificate: bytes
    key: bytes
    where: tuple[str, str]

    def check(self) -> None:
        """Raises BrokerError when a file is damaged, or the two don't belong together."""
        certificate, key = self.read()
        if certificate.public_key() != key.public_key():
            raise BrokerError(f"{self.where[0]} and {self.where[1]} don't belong together")

    def read(self) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        return _certificate(self.certificate, self.where[0]), _key(self.key, self.where[1])


def make_key() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def make_authority(key: bytes, name: str, now: float) -> bytes:
    """A certificate that vouches for the broker's, for twenty years. `now` is UTC seconds."""
    own = _key(key, "the new key")
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Facelatch authority of {name}"[:64])])
    builder = _builder(subject, subject, own.public_key(), _utc(now), _utc(now) + timedelta(days=AUTHORITY_DAYS))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(signs_certificates=True), critical=True)
    return builder.sign(own, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def make_server(authority: Pair, key: bytes, names: Iterable[str], now: float) -> bytes:
    """The broker's certificate, for these host names and addresses. Raises BrokerError."""
    issuer, issuer_key = authority.read()
    until = min(_utc(now) + timedelta(days=SERVER_DAYS), issuer.not_valid_after_utc)
    if until <= _utc(now):
        raise BrokerError(f"{authority.where[0]} is valid until {until:%Y-%m-%d} only, which is over")
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Facelatch broker")])
    public = _key(key, "the server's key").public_key()
    builder = _builder(subject, issuer.subject, public, _utc(now), until)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(signs_certificates=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    builder = builder.add_extension(x509.SubjectAlternativeName(general_names(names)), critical=False)
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    builder = builder.add_extension(identifier, critical=False)
    return builder.sign(issuer_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def why_renew(server: Pair, authority: Pair, names: Iterable[str], now: float) -> str | None:
    """Why the server's certificate has to be made anew; None while it is good. Raises BrokerError
    where somebody else's files are in the place of the house's.
    """
    certificate, _ = server.read()
    try:
        certificate.verify_directly_issued_by(authority.read()[0])
    except (ValueError, TypeError, InvalidSignature):
        raise BrokerError(f"{server.where[0]} was not issued by {authority.where[0]}") from None
    if certificate.not_valid_after_utc - _utc(now) < timedelta(days=RENEW_DAYS):
        return f"it is valid until {certificate.not_valid_after_utc:%Y-%m-%d} only"
    if certificate.not_valid_before_utc > _utc(now):
        return f"it is not valid before {certificate.not_valid_before_utc:%Y-%m-%d}"
    missing = set(general_names(names)) - set(_alternatives(certificate))
    return f"it lacks {', '.join(sorted(str(name.value) for name in missing))}" if missing else None


def names_in(certificate: bytes, where: str) -> list[str]:
    """The host names and addresses that it is made out to."""
    return [str(name.value) for name in _alternatives(_certificate(certificate, where))]


def valid_until(certificate: bytes, where: str) -> datetime:
    return _certificate(certificate, where).not_valid_after_utc


def is_name(name: str) -> bool:
    """Whether a certificate can be made out to it."""
    try:
        _general_name(name)
    except BrokerError:
        return False
    return True


def general_names(names: Iterable[str]) -> Sequence[x509.GeneralName]:
    """As a certificate holds them, each once. Raises BrokerError."""
    return list(dict.fromkeys(_general_name(name) for name in names))


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        pass
    try:
        ascii_name = name.rstrip(".").encode("idna").decode().lower()
    except UnicodeError:
        ascii_name = ""
    if not NAME.fullmatch(ascii_name):
        raise BrokerError(f"{name!r:.80} is no host name and no address")
    return x509.DNSName(ascii_name)


def _alternatives(certificate: x509.Certificate) -> Sequence[x509.GeneralName]:
    try:
        return list(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        return []


def _builder(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, now: datetime, until: datetime
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder(issuer, subject, public, x509.random_serial_number())
    builder = builder.not_valid_before(now - EARLIER).not_valid_after(until)
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _certificate(pem: bytes, where: str) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(pem)
    except ValueError:
        raise BrokerError(f"{where} is no certificate in PEM form") from None


def _key(pem: bytes, where: str) -> ec.EllipticCurvePrivateKey:
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError):  # damaged, or shut by a password
        raise BrokerError(f"{where} is no private key in PEM form, or has a password") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise BrokerError(f"{where} is no elliptic key")
    return key


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
