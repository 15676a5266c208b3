"""Passwords: made at random, and hashed as mosquitto reads them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from broker import BrokerError, program

LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that looks like another: people type these into telephones
LENGTH = 26  # 128 bits: nobody guesses it


def make() -> str:
    return "".join(secrets.choice(LETTERS) for _ in range(LENGTH))


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


def hashed(passwords: Mapping[str, str], folder: Path) -> dict[str, str]:
    """User → hash, made by mosquitto's own program in a file in `folder`. Raises BrokerError."""
    if not passwords:
        return {}
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".new-") as file:  # mode 0600
        path = Path(file.name)
        path.write_bytes(encode(passwords))
        done = subprocess.run(
            [program("mosquitto_passwd"), "-U", str(path)], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise BrokerError(f"mosquitto_passwd: {done.stderr.strip() or done.returncode}")
        return decode(path.read_bytes(), str(path))


def matches(hashed: str, password: str) -> bool:
    """Whether it is the hash of this password: $7$, iterations, salt, PBKDF2 with SHA-512."""
    try:
        _, kind, iterations, salt, digest = hashed.split("$")
        known = base64.b64decode(digest, validate=True)
        made = hashlib.pbkdf2_hmac("sha512", password.encode(), base64.b64decode(salt), int(iterations))
    except (ValueError, binascii.Error):
        return False
    return kind == "7" and hmac.compare_digest(made, known)
