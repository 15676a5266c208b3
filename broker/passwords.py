"""Passwords: made at random, and hashed as mosquitto reads them.

mosquitto's own `mosquitto_passwd -U` would do as well, were it not for passwords with a colon or a
space at an end: it hashes something else. And like this no password is ever in a second file.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Mapping

from broker import BrokerError

LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that looks like another: people type these into telephones
LENGTH = 26  # 128 bits: nobody guesses it
ITERATIONS = 1000  # for passwords that people choose; every connection costs the broker as much
SALT_BYTES = 12


def make() -> str:
    return "".join(secrets.choice(LETTERS) for _ in range(LENGTH))


def hashed(password: str) -> str:
    """$7$, iterations, salt and digest: PBKDF2 with SHA-512."""
    salt = secrets.token_bytes(SALT_BYTES)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS)
    return f"$7${ITERATIONS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def matches(hashed: str, password: str) -> bool:
    """Whether it is the hash of this password. One of another kind never is."""
    try:
        _, kind, iterations, salt, digest = hashed.split("$")
        known = base64.b64decode(digest, validate=True)
        made = hashlib.pbkdf2_hmac("sha512", password.encode(), base64.b64decode(salt), int(iterations))
    except (ValueError, binascii.Error):
        return False
    return kind == "7" and hmac.compare_digest(made, known)


def decode(data: bytes, where: str) -> dict[str, str]:
    """User → hash, from mosquitto's file `where`. Raises BrokerError."""
    try:
        lines = [line.partition(":") for line in data.decode().splitlines()]
    except UnicodeDecodeError:
        lines = [("", "", "")]
    if not all(user and hashed.startswith("$") for user, _, hashed in lines):
        raise BrokerError(
            f"{where} is no file of mosquitto's passwords: restore it, or remove it. Then it is made from the "
            "files with the passwords; who has none there any more gets a new one"
        )
    return {user: hashed for user, _, hashed in lines}


def encode(hashes: Mapping[str, str]) -> bytes:
    return "".join(f"{user}:{hashed}\n" for user, hashed in sorted(hashes.items())).encode()
