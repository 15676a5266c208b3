"""The production broker while it runs: what reaches it at once, and how it is run."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import broker as broker_files
from tests.live.production import Guest, ProductionBroker
from tests.live.tools import PATIENCE_S, alive, descendants, wait_until


@pytest.fixture
def folder() -> Iterator[Path]:
    """With a short path, and not below a folder that is shut to other accounts."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        yield Path(name)


@pytest.fixture
def broker(folder: Path) -> Iterator[ProductionBroker]:
    made = ProductionBroker(folder)
    yield made
    made.home.stop_all()
    made.stop()


def served_names(broker: ProductionBroker) -> set[str]:
    """What the certificate that the broker shows is made out to."""
    context = ssl.create_default_context(cafile=str(broker.home.folder / "secrets" / "ca.crt"))
    with (
        socket.create_connection(("127.0.0.1", broker.port)) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as shown,
    ):
        certificate: Any = shown.getpeercert()
    return {value for _, value in certificate["subjectAltName"]}


def test_a_new_password_shuts_the_old_one_out_at_once_and_nobody_else(broker: ProductionBroker) -> None:
    broker.start()
    door, camera, stolen = broker.guest("door-front"), broker.guest("camera-front"), broker.password("camera-front")
    said = broker.facelatch("broker", "init", "--rotate", "camera-front")
    assert "the broker read its files again" in said
    assert camera.lost.wait(PATIENCE_S)
    assert Guest(broker, "camera-front", password=stolen).code == "Not authorized"
    broker.guest("camera-front").close()
    assert not door.lost.is_set()
    door.close()


def test_a_client_gets_in_as_soon_as_it_is_added_and_is_out_as_soon_as_it_is_removed(broker: ProductionBroker) -> None:
    broker.start()
    broker.facelatch("broker", "add-client", "phone-1", "--door", "front")
    phone, password = broker.guest("phone-1"), broker.password("phone-1")
    assert phone.say("facelatch/door/front/command", "LOCK")
    broker.facelatch("broker", "remove-client", "phone-1")
    assert phone.lost.wait(PATIENCE_S)
    assert Guest(broker, "phone-1", password=password).code == "Not authorized"


def test_a_renewed_certificate_is_shown_without_a_restart_and_cuts_nobody_off(broker: ProductionBroker) -> None:
    broker.start()
    door = broker.guest("door-front")
    assert "lock.local" not in served_names(broker)
    with broker.home.config.open("a", encoding="utf-8") as file:
        file.write("broker: { names: [lock.local, 192.168.1.10] }\n")
    broker.facelatch("broker", "init")
    wait_until("the new certificate", lambda: {"lock.local", "192.168.1.10"} <= served_names(broker))
    door.settle()
    assert not door.lost.is_set()
    door.close()


def test_a_process_that_got_a_killed_brokers_number_is_left_alone(broker: ProductionBroker) -> None:
    """The signal that makes mosquitto read its files ends most other programs."""
    broker.start()
    broker.stop(signal.SIGKILL)
    (broker.conf.parent / "mosquitto.pid").write_text(str(os.getpid()))
    received: list[int] = []
    before = signal.signal(signal.SIGHUP, lambda number, _: received.append(number))
    try:
        said = broker.facelatch("broker", "init", "--rotate", "watch")
    finally:
        signal.signal(signal.SIGHUP, before)
    assert "read its files" not in said
    assert received == []


def test_retained_state_outlives_the_broker(broker: ProductionBroker) -> None:
    broker.start()
    door = broker.guest("door-front")
    assert door.say("facelatch/door/front/state", "LOCKED", retain=True)
    door.close()
    broker.stop()
    broker.start()
    watch = broker.guest("watch")
    watch.listen("facelatch/door/front/state")
    watch.wait("facelatch/door/front/state", "LOCKED")
    watch.close()


def test_settings_of_a_persons_own_are_read_and_kept(broker: ProductionBroker) -> None:
    own = broker.conf.parent / "conf.d" / "own.conf"
    own.write_text("max_packet_size 2000\n", encoding="utf-8")
    broker.facelatch("broker", "init")
    broker.start()
    door = broker.guest("door-front")
    door.client.publish("facelatch/door/front/event", b"x" * 3000, 0)
    assert door.lost.wait(PATIENCE_S)
    assert own.read_text(encoding="utf-8") == "max_packet_size 2000\n"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="the README's recipe is for openssl")
def test_client_certificates_are_asked_for_as_the_readme_says(broker: ProductionBroker) -> None:
    readme = Path(broker_files.__file__).with_name("README.md").read_text(encoding="utf-8")
    recipe = [line.strip() for line in readme.splitlines() if line.startswith("    openssl ")]
    folder = broker.conf.parent
    shutil.copy(folder / "ca.crt", folder / "clients-ca.crt")
    broker.facelatch("broker", "init")
    subprocess.run(" && ".join(recipe), shell=True, check=True, cwd=folder, capture_output=True)
    broker.start()
    password = broker.password("door-front")
    assert Guest(broker, "door-front", password=password).code is None
    broker.guest("door-front", certificate=(folder / "me.crt", folder / "me.key")).close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can run a broker as somebody else")
def test_started_by_root_it_runs_as_the_account_that_owns_the_house(folder: Path) -> None:
    account = pwd.getpwnam("nobody")
    os.chown(folder, account.pw_uid, account.pw_gid)
    broker = ProductionBroker(folder)
    made = [folder / "secrets", folder / "data", *(folder / "secrets").rglob("*"), *(folder / "data").rglob("*")]
    assert {path.stat().st_uid for path in made} == {account.pw_uid}
    broker.start()
    try:
        number = int((broker.conf.parent / "mosquitto.pid").read_text())
        assert Path(f"/proc/{number}").stat().st_uid == account.pw_uid
        broker.guest("door-front").close()
        broker.facelatch("broker", "init", "--rotate", "door-front")
        broker.guest("door-front").close()
    finally:
        broker.stop()


def test_facelatch_up_brings_up_the_house_with_its_own_broker(broker: ProductionBroker) -> None:
    home = broker.home
    (home.folder / "camera").mkdir()
    up = home.start("up")
    wait_until("the broker listens", broker._listens)
    ear = broker.guest("watch")
    ear.listen("facelatch/#")
    for agent in ("door/front", "scheduler/main", "recognizer/main"):
        ear.wait(f"facelatch/{agent}/availability", "online")
    wait_until("the camera", lambda: "facelatch/camera/front/health" in {topic for topic, _ in ear.heard})
    family = descendants(up.pid)
    opened = home.run("unlock", "front")
    assert (opened.returncode, opened.stdout) == (0, "front: unlocked\n"), opened.stderr
    ear.close()
    up.terminate()
    assert up.wait(PATIENCE_S) == 0
    wait_until("nothing is left", lambda: alive(family) == [])
