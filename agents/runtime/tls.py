"""The TLS side of a connection to the broker."""

from __future__ import annotations

import ssl
from pathlib import Path

from agents.runtime.settings import TlsSettings


def context(settings: TlsSettings, folder: Path) -> ssl.SSLContext:
    """TLS 1.2 or newer, with the broker's certificate and name checked. Raises OSError, naming the file."""
    made = ssl.create_default_context() if settings.ca_file is None else _believing(folder / settings.ca_file)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.cert_file is not None and settings.key_file is not None:
        _present(made, folder / settings.cert_file, folder / settings.key_file)
    return made


def _believing(ca: Path) -> ssl.SSLContext:
    """Only the house's own authority: any of the system's could vouch for a false broker."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        made.load_verify_locations(cadata=ca.read_text(encoding="ascii", errors="ignore"))
    except (ssl.SSLError, ValueError):
        raise OSError(f"{ca} is no certificate in PEM form") from None
    return made


def _present(made: ssl.SSLContext, cert: Path, key: Path) -> None:
    try:
        made.load_cert_chain(cert, key, password="")  # an encrypted key would ask on the terminal
    except (OSError, ValueError) as error:
        raise OSError(f"{cert} and {key} are no certificate and its key: {error}") from None
