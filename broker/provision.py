"""Makes the folder of a production broker, and brings it in line when the house's file changes.

Authority, passwords and clients that are there already are kept: nothing on which somebody elsewhere
relies is replaced without being asked for. Every function here raises BrokerError, and OSError.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.resources import files
from pathlib import Path
from string import Template

from agents.runtime.clock import Now
from broker import BrokerError, acl, certificates, clients, passwords, private
from broker.certificates import Pair
from broker.clients import Client
from broker.folder import Folder, own_names

AGAIN = (
    "home_assistant.discovery is no longer device: run this once more when all agents have restarted; until then "
    "each may still tell Home Assistant of whole devices, to take them back"
)
CLIENTS_AUTHORITY = "clients-ca.crt"  # where a person put this file, clients need a certificate too


@dataclass
class Outcome:
    """What was done, in lines for people; and whether a broker that runs has to be told of it."""

    told: list[str] = field(default_factory=list)
    reload: bool = False
    restart: bool = False


def init(folder: Folder, now: Now, rotate: str | None = None) -> Outcome:
    """Make what is missing. The user `rotate` gets a new password."""
    with _at_work(folder):
        return _make(folder, folder.clients(), now, rotate)


def add_client(folder: Folder, name: str, client: Client, now: Now) -> Outcome:
    with _at_work(folder):
        known = folder.clients()
        clients.check_new(name, client, known, folder.house)
        return _make(folder, {**known, name: client}, now)


def remove_client(folder: Folder, name: str, now: Now) -> Outcome:
    with _at_work(folder):
        known = folder.clients()
        if name not in known:
            raise BrokerError(f"there is no client {name!r}: {', '.join(known) or 'none'}")
        return _make(folder, {key: client for key, client in known.items() if key != name}, now)


@contextlib.contextmanager
def _at_work(folder: Folder) -> Iterator[None]:
    folder.check()
    if folder.ca_copy.exists() and not (folder.path / "ca.crt").exists():
        raise BrokerError(
            f"{folder.ca_copy} is there, and the authority it came from is not in {folder.path}: is the house's "
            f"broker on another machine? To make a new one here, remove {folder.ca_copy}"
        )
    for path in (folder.path, folder.path / "store", folder.path / "conf.d", folder.secrets):
        private.make_folder(path)
    with private.one_at_a_time(folder.path):
        yield


def _make(folder: Folder, known: Mapping[str, Client], now: Now, rotate: str | None = None) -> Outcome:
    told = folder.told()
    after = told.with_(folder.house)
    everybody, reached_as = acl.users(folder.house, known, told), _names(folder)
    names = [user.name for user in everybody]
    for name in names:
        folder.check_user(name)
    if rotate is not None and rotate not in names:
        raise BrokerError(f"there is no user {rotate!r}: {', '.join(names)}")
    done = Outcome()
    _certify(folder, reached_as, now, done)
    if told.whole and not after.whole:
        done.told.append(AGAIN)
    private.write(folder.path / "clients.json", clients.encode(known))
    _set_passwords(folder, names, rotate, done)
    private.write(folder.path / "told.json", json.dumps(asdict(after), indent=2).encode() + b"\n")
    done.reload |= private.write(folder.path / "acl", acl.text(everybody, folder.house.home).encode())
    if private.write(folder.conf, conf_text(folder).encode()):
        done.restart = True
        done.told.append(f"{folder.conf}: written")
    for name, client in known.items():
        lost = clients.lost_doors(client, folder.house)
        done.told += [f"{name}: the house has no door {door!r} any more" for door in lost]
        if client.camera is not None and clients.publishes(client, folder.house) is None:
            done.told.append(
                f"{name}: the house has no camera {client.camera!r} any more that publishes its frames itself"
            )
    return done


def conf_text(folder: Folder) -> str:
    """production.conf for this house. On its own machine a broker listens to that machine only."""
    mqtt, account, authority = folder.house.mqtt, private.owner(folder.path), folder.path / CLIENTS_AUTHORITY
    template = Template(files("broker").joinpath("production.conf").read_text(encoding="utf-8"))
    return template.substitute(
        folder=folder.path,
        listener=f"{mqtt.port} 127.0.0.1" if mqtt.local else mqtt.port,
        user=f"user {account}" if account else "# (the account that owns them has no name)",
        clients=f"cafile {authority}\nrequire_certificate true" if authority.exists() else "# clients need none",
    )


def _certify(folder: Folder, names: Sequence[str], now: Now, done: Outcome) -> None:
    authority = _authority(folder, now, done)
    if not folder.ca_copy.exists():
        folder.ca_copy.parent.mkdir(parents=True, exist_ok=True)
        private.write(folder.ca_copy, authority.certificate, mode=0o644)
    elif folder.ca_copy.read_bytes() != authority.certificate:
        raise BrokerError(f"{folder.ca_copy} is not the authority in {authority.where[0]}: copy that one over it")
    _server(folder, authority, names, now, done)


def _authority(folder: Folder, now: Now, done: Outcome) -> Pair:
    certificate, key = folder.path / "ca.crt", folder.path / "ca.key"
    if not certificate.exists() and not key.exists():
        _need_clock(now)
        made = certificates.make_key()
        private.write(key, made)
        name = folder.house.mqtt.host
        private.write(certificate, certificates.make_authority(made, name, now.utc), mode=0o644)
        done.told.append(f"{certificate}: made; copy it to everything that connects")
    return _read(
        certificate, key, "Restore both from a backup. Or remove both, and give the new one to everything that connects"
    )


def _server(folder: Folder, authority: Pair, names: Sequence[str], now: Now, done: Outcome) -> None:
    certificate, key = folder.path / "server.crt", folder.path / "server.key"
    mend = "Remove both: they are made anew, and no client notices"
    reason = None
    if certificate.exists():
        reason = certificates.why_renew(_read(certificate, key, mend), authority, names, now.utc)
        if reason is None:
            return
        if not now.utc_is_set:  # the certificate may be good, and a new one be wrong
            done.told.append(f"{certificate}: not renewed, though {reason}: this computer's clock is not set")
            return
    _need_clock(now)
    if not key.exists():
        private.write(key, certificates.make_key())
    made = certificates.make_server(authority, key.read_bytes(), names, now.utc)
    done.reload |= private.write(certificate, made, mode=0o644)
    until = certificates.valid_until(made, str(certificate))
    done.told.append(f"{certificate}: " + (f"renewed: {reason}; " if reason else "") + f"valid until {until:%Y-%m-%d}")


def _read(certificate: Path, key: Path, mend: str) -> Pair:
    for path, other in ((certificate, key), (key, certificate)):
        if not path.exists():
            raise BrokerError(f"{path} is missing beside {other}. {mend}")
    key.chmod(0o600)
    pair = Pair(certificate.read_bytes(), key.read_bytes(), (str(certificate), str(key)))
    try:
        pair.check()
    except BrokerError as error:
        raise BrokerError(f"{error}. {mend}") from None
    return pair


def _names(folder: Folder) -> list[str]:
    """What clients may call the broker. A name that this machine gave itself need not be a good one."""
    asked = [folder.house.mqtt.host, *folder.house.broker.names]
    try:
        certificates.general_names(asked)
    except BrokerError as error:
        raise BrokerError(f"{folder.config}: mqtt.host or broker.names: {error}") from None
    own = [name for name in own_names() if certificates.is_name(name)]
    return [*asked, "localhost", "127.0.0.1", "::1", *own]


def _need_clock(now: Now) -> None:
    if not now.utc_is_set:
        raise BrokerError(
            "this computer does not know what time it is, and a certificate says from when it is valid: "
            "let it synchronise its clock, or write clock: trust into the house's file"
        )


def _set_passwords(folder: Folder, names: Sequence[str], rotate: str | None, done: Outcome) -> None:
    """The file with a password is what counts, where it is still on this machine; otherwise its hash."""
    old = folder.hashes()
    hashes = {name: old[name] for name in names if name in old}
    for name in names:
        path = folder.secrets / name
        if name == rotate or (name not in old and not path.exists()):
            private.write(path, passwords.make().encode() + b"\n")
        if path.exists():
            path.chmod(0o600)
            password = folder.password(name)
            if not passwords.matches(old.get(name, ""), password):
                hashes[name] = passwords.hashed(password)
                done.told.append(f"{name}: {'new password' if name in old else 'added'}")
    done.reload |= private.write(folder.path / "passwords", passwords.encode(hashes))
    _remove_secrets(folder, old.keys() - set(names), done)


def _remove_secrets(folder: Folder, gone: Iterable[str], done: Outcome) -> None:
    """So that nobody who comes back under the same name brings an old password along."""
    for name in sorted(gone):
        (folder.secrets / name).unlink(missing_ok=True)
        done.told.append(f"{name}: removed, and its password with it")
