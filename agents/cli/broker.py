"""`facelatch broker`: a production broker, its users and its clients."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from agents.cli.common import CommandError, add_action, add_command, load_house
from agents.house import House
from agents.runtime.clock import Clock
from broker import BrokerError, acl, private, running
from broker.clients import Client
from broker.folder import Folder, conf_of

if TYPE_CHECKING:  # it needs cryptography, which only the broker's machine has
    from broker.provision import Outcome

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

EXAMPLE = """\
facelatch broker init
facelatch broker add-client phone-1 --door front
facelatch broker init --rotate camera-front"""


def register(commands: Commands) -> None:
    broker = add_command(commands, "broker", _list, "set up a broker with TLS, passwords and an ACL", EXAMPLE)
    actions = broker.add_subparsers(metavar="ACTION", required=True)
    init = add_action(
        actions,
        "init",
        _init,
        "make the broker's files from the house's file, or bring them in line with it; safe to run again",
        "facelatch broker init\nfacelatch broker init --rotate camera-front",
    )
    init.add_argument("--rotate", metavar="USER", help="give this user a new password")
    _register_clients(actions)
    add_action(actions, "list", _list, "list the users and what they may do", "facelatch broker list")


def _register_clients(actions: Commands) -> None:
    example = "facelatch broker add-client phone-1 --door front\nfacelatch broker add-client ha --home-assistant"
    example += "\nfacelatch broker add-client esp32 --camera yard"
    add = add_action(actions, "add-client", _add, "let a telephone, a dashboard or Home Assistant in", example)
    add.add_argument("name", metavar="NAME", help="its user name")
    add.add_argument("--door", metavar="DOOR", action="append", help="a door that it may see and command; repeat it")
    add.add_argument("--home-assistant", action="store_true", help="it is Home Assistant; all doors, unless --door")
    add.add_argument(
        "--camera", metavar="CAMERA", help="it is this camera, publishes its frames, and may do nothing else"
    )
    add.add_argument("--read-only", action="store_true", help="it may see, and command nothing")
    example = "facelatch broker remove-client phone-1"
    remove = add_action(actions, "remove-client", _remove, "shut a client out, at once", example)
    remove.add_argument("name", metavar="NAME")


def prepare(args: argparse.Namespace, house: House) -> Folder | None:
    """For `facelatch up`: the broker's folder, in line with the house's file. None where the house has
    no broker of its own on this machine. Raises CommandError.
    """
    if not conf_of(house, args.config).exists():
        return None
    with _explained():
        from broker import provision

        folder = Folder(house, args.config)
        _say(folder, provision.init(folder, Clock(house.clock == "trust").now()), starts=True)
        return folder


def _init(args: argparse.Namespace) -> int:
    with _working(args) as (folder, clock):
        from broker import provision

        new = not folder.conf.exists()
        outcome = provision.init(folder, clock.now(), args.rotate)
        _say(folder, outcome, starts=new)
        if new:
            _say_first(folder)
        if args.rotate is not None:
            _say_next(folder, args.rotate)
        elif outcome == provision.Outcome():
            print(f"{folder.path}: nothing to do")
    return 0


def _add(args: argparse.Namespace) -> int:
    if args.camera is not None and (args.door or args.home_assistant or args.read_only):
        raise CommandError("--camera goes with no other option: a camera sees and commands nothing")
    if not args.door and not args.home_assistant and args.camera is None:
        raise CommandError("which doors? Name each: --door front")
    with _working(args) as (folder, clock):
        from broker import provision

        doors = tuple(dict.fromkeys(args.door)) if args.door else None if args.camera is None else ()
        client = Client(doors=doors, read_only=args.read_only, home_assistant=args.home_assistant, camera=args.camera)
        _say(folder, provision.add_client(folder, args.name, client, clock.now()))
        _say_next(folder, args.name)
    return 0


def _remove(args: argparse.Namespace) -> int:
    with _working(args) as (folder, clock):
        from broker import provision

        _say(folder, provision.remove_client(folder, args.name, clock.now()))
    return 0


def _list(args: argparse.Namespace) -> int:
    with _working(args) as (folder, _):
        from broker import certificates

        known = folder.clients()
        for user in acl.users(folder.house, known):
            kind = f"client: {_may(known[user.name])}" if user.name in known else "program"
            print(f"{user.name:20} {kind}")
        path = folder.path / "server.crt"
        if path.exists():
            pem, where = path.read_bytes(), str(path)
            names = ", ".join(certificates.names_in(pem, where))
            print(f"certificate valid until {certificates.valid_until(pem, where):%Y-%m-%d} for {names}")
    return 0


def _may(client: Client) -> str:
    if client.camera is not None:
        return f"publishes the frames of camera {client.camera}"
    doors = "all doors" if client.doors is None else ", ".join(client.doors)
    return f"{'sees' if client.read_only else 'sees and commands'} {doors}"


def _say(folder: Folder, outcome: Outcome, starts: bool = False) -> None:
    """What was done; and to a broker that runs, that it was. `starts`: it does not run yet."""
    for line in outcome.told:
        print(line)
    number = running.pid(folder)
    if number is None:
        if outcome.reload and not starts:
            print("no broker runs with these files now: it will read them when it starts")
        return
    if outcome.reload and running.reload(number):
        print("the broker read its files again, and dropped whoever's password is not the same any more")
    elif outcome.reload:
        print(f"the broker has to be told: as the account that runs it, kill -HUP {number}")
    if outcome.restart:
        print("the broker's settings changed: restart it")


def _say_first(folder: Folder) -> None:
    print(f"{folder.secrets}: a password for each user; give each machine {folder.ca_copy.name} and its own programs'")
    if private.owner(folder.path) == "root":
        print("mosquitto will run as root: better let an account of its own own this folder, and run this again")
    print("next: facelatch up")


def _say_next(folder: Folder, user: str) -> None:
    """What is left to do for people after a password was made."""
    house, known = folder.house, folder.clients()
    if user not in known:
        print(f"{user}: copy {folder.secrets / user} to the machine where it runs, and restart it there")
        return
    print(f"{user} {_may(known[user])}. Type into it, or copy:")
    print(f"  host      {house.mqtt.host}\n  port      {house.mqtt.port}, with TLS")
    print(f"  user      {user}\n  password  {folder.password(user)}")
    print(f"  CA file   {folder.ca_copy}\n  {_where(known[user], house)}")


def _where(client: Client, house: House) -> str:
    if client.home_assistant:
        return _appears(house)
    if client.camera is None or client.camera not in house.feeds:
        return f"topics    below {house.mqtt.base}/, see topics.md"
    return f"topic     {house.feeds[client.camera].topic(house.mqtt.base)}: a JPEG, QoS 0, nothing else"


def _appears(house: House) -> str:
    told = house.home_assistant
    if told.discovery == "off":
        return f"home_assistant.discovery is off: topics below {house.mqtt.base}/, see topics.md"
    prefix = "" if told.prefix == "homeassistant" else f" (discovery prefix {told.prefix})"
    return f"its doors and cameras appear by themselves{prefix}: see docs/home-assistant.md"


@contextlib.contextmanager
def _working(args: argparse.Namespace) -> Iterator[tuple[Folder, Clock]]:
    house, _ = load_house(args)
    with _explained():
        yield Folder(house, args.config), Clock(house.clock == "trust")


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    """What goes wrong with the files, as text for people."""
    try:
        yield
    except (BrokerError, OSError) as error:
        raise CommandError(str(error)) from None
    except ImportError as error:
        raise CommandError(f"something is not installed: {error}; it is in requirements/all.txt") from None
