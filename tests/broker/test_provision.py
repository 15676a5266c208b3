"""The folder of a production broker: made once, kept, and brought in line with the house's file."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from broker import BrokerError, certificates, passwords, private, provision
from broker.clients import Client
from broker.folder import Folder
from broker.provision import Outcome
from tests.broker import houses
from tests.broker.houses import MQTT, NOW, after

PHONE = Client(doors=("front", "back"))
USERS = [
    *("door-front", "door-back", "recognizer-main", "scheduler-main", "journal", "camera-porch", "camera-yard"),
    *("unlock", "enroll", "watch"),
]


def folder_of(path: Path, content: str = MQTT + houses.text()) -> Folder:
    return Folder(*houses.write(path, content))


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Of a house with two doors and two cameras, and a telephone."""
    made = folder_of(tmp_path)
    provision.init(made, NOW)
    provision.add_client(made, "phone-1", PHONE, NOW)
    return made


def contents(folder: Folder) -> dict[Path, bytes]:
    """Everything but the lock, whose file is there for good."""
    return {path: path.read_bytes() for path in folder.base.rglob("*") if path.is_file() and path.name != ".lock"}


def acl_users(folder: Folder) -> list[str]:
    lines = (folder.path / "acl").read_text().splitlines()
    return [line.removeprefix("user ") for line in lines if line.startswith("user ")]


def test_everybody_gets_a_password_of_their_own_that_the_broker_knows(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    done = provision.init(folder, NOW)
    assert acl_users(folder) == USERS
    assert sorted(folder.hashes()) == sorted(USERS)
    found = {user: folder.password(user) for user in USERS}
    assert len(set(found.values())) == len(USERS)
    assert all(passwords.matches(folder.hashes()[user], password) for user, password in found.items())
    assert {f"{user}: added" for user in USERS} <= set(done.told)


def test_secrets_are_their_owners_only(folder: Folder) -> None:
    public = {"ca.crt", "server.crt", "facelatch.yaml", ".lock"}
    for path in folder.base.rglob("*"):
        mode = path.stat().st_mode & 0o777
        if path.is_dir():
            assert mode == 0o700, path
        elif path.name not in public:
            assert mode == 0o600, path


def test_to_run_it_again_changes_nothing(folder: Folder) -> None:
    before = contents(folder)
    assert provision.init(folder, after(days=30)) == Outcome()
    assert contents(folder) == before


def test_file_modes_are_put_right_again(folder: Folder) -> None:
    for path in (folder.path / "ca.key", folder.secrets / "door-front"):
        path.chmod(0o644)
    folder.secrets.chmod(0o755)
    provision.init(folder, NOW)
    test_secrets_are_their_owners_only(folder)


def test_a_new_door_is_added_and_nobody_else_notices(folder: Folder) -> None:
    before = contents(folder)
    content = MQTT + houses.text(("front", "back", "side"), ("porch", "yard"))
    done = provision.init(folder_of(folder.base, content), NOW)
    assert (done.told, done.reload, done.restart) == (["door-side: added"], True, False)
    kept = set(before) - {folder.path / name for name in ("acl", "passwords", "told.json")} - {folder.config}
    assert {path: contents(folder)[path] for path in kept} == {path: before[path] for path in kept}
    assert {**folder_of(folder.base, content).hashes(), **folder.hashes()}.keys() == {*USERS, "phone-1", "door-side"}


def test_who_left_the_house_is_shut_out_and_comes_back_with_a_new_password(folder: Folder) -> None:
    """A stolen camera's password must not work for the camera that takes its place."""
    stolen = folder.password("camera-yard")
    smaller = folder_of(folder.base, MQTT + houses.text(("front", "back"), ("porch",)))
    done = provision.init(smaller, NOW)
    assert done.told == ["camera-yard: removed, and its password with it"]
    assert done.reload
    assert "camera-yard" not in [*acl_users(smaller), *smaller.hashes()]
    again = folder_of(folder.base)
    assert provision.init(again, NOW).told == ["camera-yard: added"]
    assert again.password("camera-yard") != stolen
    assert not passwords.matches(again.hashes()["camera-yard"], stolen)


def test_files_that_init_did_not_make_are_left_alone(folder: Folder) -> None:
    note = folder.secrets / "front-camera.url"
    note.write_text("rtsp://…")
    provision.remove_client(folder, "phone-1", NOW)
    assert note.read_text() == "rtsp://…"


@pytest.mark.parametrize("user", ["door-front", "phone-1", "unlock"])
def test_rotate_replaces_one_password(folder: Folder, user: str) -> None:
    before, old = folder.hashes(), folder.password(user)
    done = provision.init(folder, NOW, rotate=user)
    assert (done.told, done.reload) == ([f"{user}: new password"], True)
    assert folder.password(user) != old
    assert passwords.matches(folder.hashes()[user], folder.password(user))
    assert {name for name in before if before[name] != folder.hashes()[name]} == {user}


def test_a_password_that_was_moved_to_its_machine_stays_the_one_that_counts(folder: Folder) -> None:
    before = folder.hashes()
    (folder.secrets / "door-front").unlink()
    assert provision.init(folder, NOW) == Outcome()
    assert folder.hashes() == before
    assert not (folder.secrets / "door-front").exists()


def test_lost_hashes_are_made_again_from_the_passwords_that_are_there(folder: Folder) -> None:
    before = {user: folder.password(user) for user in [*USERS, "phone-1"]}
    (folder.path / "passwords").unlink()
    assert provision.init(folder, NOW).reload
    assert {user: folder.password(user) for user in before} == before
    assert all(passwords.matches(folder.hashes()[user], password) for user, password in before.items())


@pytest.mark.parametrize("password", ["my own", "with: a colon", "kuća ", "\ufeffsecret"])
def test_a_password_that_somebody_wrote_into_its_file_counts(folder: Folder, password: str) -> None:
    (folder.secrets / "door-front").write_text(password + "\nand a note\n", encoding="utf-8")
    assert provision.init(folder, NOW).told == ["door-front: new password"]
    assert passwords.matches(folder.hashes()["door-front"], password.removeprefix("\ufeff"))


def test_clients_come_and_go(folder: Folder) -> None:
    assert acl_users(folder) == [*USERS, "phone-1"]
    assert folder.clients() == {"phone-1": PHONE}
    with pytest.raises(BrokerError, match="already"):
        provision.add_client(folder, "phone-1", PHONE, NOW)
    assert provision.remove_client(folder, "phone-1", NOW).reload
    assert (acl_users(folder), folder.clients()) == (USERS, {})
    assert "phone-1" not in folder.hashes()
    assert not (folder.secrets / "phone-1").exists()
    with pytest.raises(BrokerError, match="there is no client 'phone-1': none"):
        provision.remove_client(folder, "phone-1", NOW)


def test_a_client_whose_door_is_gone_is_told_of(folder: Folder) -> None:
    done = provision.init(folder_of(folder.base, MQTT + houses.text(("front",), ("porch",))), NOW)
    assert "phone-1: the house has no door 'back' any more" in done.told


@pytest.mark.parametrize(("days", "renewed"), [(700, False), (731, True), (900, True)])
def test_the_certificate_is_renewed_in_time_with_the_same_key_and_authority(
    folder: Folder, days: float, renewed: bool
) -> None:
    before = contents(folder)
    done = provision.init(folder, after(days))
    assert done.reload is renewed
    changed = {path.name for path, data in contents(folder).items() if before[path] != data}
    assert changed == ({"server.crt"} if renewed else set())


def test_it_is_renewed_when_the_house_gets_another_name(folder: Folder) -> None:
    content = MQTT + "broker: { names: [door.example.org, 192.168.1.10] }\n" + houses.text()
    done = provision.init(folder_of(folder.base, content), NOW)
    assert done.reload
    assert "it lacks 192.168.1.10, door.example.org" in done.told[0]
    pem = (folder.path / "server.crt").read_bytes()
    wanted = {"lock.local", "door.example.org", "192.168.1.10", "localhost", "127.0.0.1", "::1"}
    assert wanted <= set(certificates.names_in(pem, "server.crt"))


@pytest.mark.parametrize("name", ["not a name", "localhost", "raspberrypi.lan"])
def test_the_machines_own_name_is_in_the_certificate_if_it_can_be(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: name)
    folder = folder_of(tmp_path)
    provision.init(folder, NOW)
    names = certificates.names_in((folder.path / "server.crt").read_bytes(), "server.crt")
    assert (name in names) is (" " not in name)
    assert ("raspberrypi.local" in names) is (name == "raspberrypi.lan")


UNSET = replace(NOW, utc_is_set=False)


def test_without_a_clock_no_certificate_is_made(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    with pytest.raises(BrokerError, match="does not know what time it is"):
        provision.init(folder, UNSET)
    assert not (folder.path / "ca.key").exists()
    provision.init(folder, NOW)


@pytest.mark.parametrize("days", [-20_000, 0, 900])
def test_without_a_clock_no_certificate_is_replaced_and_the_rest_is_done(folder: Folder, days: float) -> None:
    """A Raspberry Pi starts in the year 1970, or at the hour it was switched off."""
    before = (folder.path / "server.crt").read_bytes()
    done = provision.init(folder, replace(after(days), utc_is_set=False), rotate="watch")
    assert (folder.path / "server.crt").read_bytes() == before
    assert "watch: new password" in done.told
    assert any("clock is not set" in line for line in done.told) is (days != 0)


def swap_server_key(folder: Folder) -> None:
    (folder.path / "server.key").write_bytes(certificates.make_key())


def swap_authority(folder: Folder) -> None:
    key = certificates.make_key()
    (folder.path / "ca.key").write_bytes(key)
    made = certificates.make_authority(key, "another", NOW.utc)
    (folder.path / "ca.crt").write_bytes(made)
    folder.ca_copy.write_bytes(made)


def broken(name: str) -> Callable[[Folder], object]:
    return lambda folder: (folder.path / name).write_bytes(b"junk")


def missing(name: str) -> Callable[[Folder], object]:
    return lambda folder: (folder.path / name).unlink()


DAMAGE: dict[str, tuple[Callable[[Folder], object], str]] = {
    "the authority's certificate is broken": (broken("ca.crt"), r"broker/ca\.crt is no certificate.*Restore both"),
    "the authority's key is broken": (broken("ca.key"), r"broker/ca\.key is no private key.*Restore both"),
    "the authority's key is missing": (missing("ca.key"), r"broker/ca\.key is missing beside .*Restore both"),
    "the server's certificate is broken": (broken("server.crt"), r"broker/server\.crt is no cert.*Remove both"),
    "the server's key is broken": (broken("server.key"), r"broker/server\.key is no private key.*Remove both"),
    "the server's key is missing": (missing("server.key"), r"broker/server\.key is missing.*Remove both"),
    "the server's key is another": (swap_server_key, r"server\.crt and .*server\.key don't belong together.*Remove"),
    "the authority is another": (swap_authority, r"server\.crt was not issued by .*ca\.crt"),
    "the copy is another authority": (
        lambda folder: folder.ca_copy.write_bytes(b"another"),
        r"secrets/ca\.crt is not the authority in .*broker/ca\.crt",
    ),
    "the passwords are broken": (broken("passwords"), r"broker/passwords is no file of mosquitto's passwords"),
    "the clients are broken": (broken("clients.json"), r"broker/clients\.json can't be read"),
    "a password is empty": (
        lambda folder: (folder.secrets / "door-front").write_bytes(b""),
        r"secrets/door-front: its first line should be a password",
    ),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_damage_is_told_by_the_files_name_and_never_repaired_by_a_replacement(folder: Folder, what: str) -> None:
    damage, text = DAMAGE[what]
    damage(folder)
    before = contents(folder)
    with pytest.raises(BrokerError, match=text):
        provision.init(folder, NOW, rotate="watch")
    del before[folder.secrets / "watch"]
    assert before.items() <= contents(folder).items()


def test_removed_server_files_are_made_anew_under_the_same_authority(folder: Folder) -> None:
    for name in ("server.crt", "server.key"):
        (folder.path / name).unlink()
    assert provision.init(folder, NOW).reload
    assert provision.init(folder, NOW) == Outcome()


def test_on_another_machine_than_the_brokers_nothing_is_made(
    folder: Folder, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """There the house's file and the authority's certificate are copies."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "secrets").mkdir()
    shutil.copy(folder.ca_copy, elsewhere / "secrets")
    with pytest.raises(BrokerError, match="is the house's broker on another machine"):
        provision.init(folder_of(elsewhere), NOW)
    assert sorted(path.name for path in elsewhere.rglob("*")) == ["ca.crt", "facelatch.yaml", "secrets"]


def test_a_password_never_takes_the_place_of_another_file(tmp_path: Path) -> None:
    content = MQTT + houses.text(("front",), ("porch",)).replace("source: 0", "source: secret:secrets/camera-porch")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "camera-porch").write_text("rtsp://me:secret@10.0.0.2/")
    with pytest.raises(BrokerError, match="secrets/camera-porch is where the password of user camera-porch has to be"):
        provision.init(folder_of(tmp_path, content), NOW)
    assert (tmp_path / "secrets" / "camera-porch").read_text() == "rtsp://me:secret@10.0.0.2/"


@pytest.mark.parametrize("credentials", [".", "secrets/.."])
def test_the_folder_that_is_shut_to_others_is_not_the_houses_own(tmp_path: Path, credentials: str) -> None:
    content = MQTT.replace("credentials: secrets", f"credentials: {credentials}") + houses.text()
    (tmp_path / "secrets").mkdir()
    with pytest.raises(BrokerError, match=r"mqtt\.credentials: the passwords need a folder of their own"):
        provision.init(folder_of(tmp_path, content), NOW)


def test_credentials_that_are_one_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "secrets").write_text("a password\n")
    content = MQTT.replace("secrets/ca.crt", "ca.crt") + houses.text()
    with pytest.raises(BrokerError, match=r"mqtt\.credentials: .*/secrets is no folder"):
        provision.init(folder_of(tmp_path, content), NOW)


@pytest.mark.parametrize("setting", ["host: lock local", "host: https://lock.local"])
def test_a_host_that_no_certificate_can_name_is_told(tmp_path: Path, setting: str) -> None:
    content = MQTT.replace("host: lock.local", setting) + houses.text()
    with pytest.raises(
        BrokerError, match=r"facelatch\.yaml: mqtt\.host or broker\.names: 'http.*|'lock local' is no host"
    ):
        provision.init(folder_of(tmp_path, content), NOW)


def test_an_unknown_user_to_rotate_is_told_with_those_there_are_and_nothing_changes(folder: Folder) -> None:
    before = contents(folder)
    with pytest.raises(BrokerError, match="there is no user 'door-side': door-front, door-back, "):
        provision.init(folder, NOW, rotate="door-side")
    assert contents(folder) == before


def test_a_second_command_at_the_same_time_changes_nothing(folder: Folder) -> None:
    before = contents(folder)
    with private.one_at_a_time(folder.path), pytest.raises(BrokerError, match="at work"):
        provision.init(folder, NOW, rotate="watch")
    assert contents(folder) == before


@pytest.mark.parametrize(
    ("host", "listener"), [("lock.local", "listener 8883"), ("127.0.0.1", "listener 8883 127.0.0.1")]
)
def test_a_broker_for_one_machine_listens_to_that_machine_only(tmp_path: Path, host: str, listener: str) -> None:
    folder = folder_of(tmp_path, MQTT.replace("lock.local", host) + houses.text())
    provision.init(folder, NOW)
    lines = folder.conf.read_text().splitlines()
    assert [line for line in lines if line.startswith(("listener", "port", "bind_address"))] == [listener]


def test_a_moved_house_is_told_to_restart_its_broker(folder: Folder, tmp_path_factory: pytest.TempPathFactory) -> None:
    moved = tmp_path_factory.mktemp("new place") / "house"
    shutil.copytree(folder.base, moved)
    done = provision.init(Folder(folder.house, moved / "facelatch.yaml"), NOW)
    conf = moved / "data" / "broker" / "mosquitto.conf"
    assert (done.told, done.restart) == ([f"{conf}: written"], True)
    assert str(folder.base) not in conf.read_text()
