"""`facelatch broker` as the person who installs a house meets it."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from agents import house
from agents.cli.main import main
from broker import private, running
from broker.folder import Folder
from tests.broker import houses

HOUSE = "clock: trust\n" + houses.text()
NOT_RUNNING = "no broker runs with these files now: it will read them when it starts"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "facelatch.yaml"
    path.write_text(houses.MQTT + HOUSE, encoding="utf-8")
    return path


@pytest.fixture
def run(config: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        status = main(["broker", *words, "--config", str(config)])
        told = capsys.readouterr()
        return status, told.out, told.err

    return run


@pytest.mark.parametrize(
    "mqtt",
    [
        "",
        "mqtt: { host: lock.local }\n",
        "mqtt: { port: 1883, base: home/lock }\n",
        "mqtt: { port: 8884, tls: { ca_file: my/ca.crt } }\n",
        "mqtt: { host: 10.0.0.2, port: 8883, tls: {}, credentials: passwords }\n",
    ],
)
def test_a_house_that_is_not_ready_is_told_the_very_lines_and_nothing_is_made(
    config: Path, run: Run, mqtt: str
) -> None:
    config.write_text(mqtt + HOUSE, encoding="utf-8")
    status, out, err = run("init")
    assert (status, out) == (1, "")
    assert list(config.parent.iterdir()) == [config]
    assert config.read_text(encoding="utf-8") == mqtt + HOUSE
    before = house.load(config).mqtt
    config.write_text(err.partition("\n\n")[2] + HOUSE, encoding="utf-8")
    after = house.load(config).mqtt
    assert {"base": before.base, "port": before.port if before.port != 1883 else 8883} == {
        "base": after.base,
        "port": after.port,
    }
    assert before.host == after.host or before.host == "127.0.0.1"
    assert run("init")[0] == 0


def test_init_says_what_it_made_and_then_that_there_is_nothing_to_do(config: Path, run: Run) -> None:
    status, out, err = run("init")
    assert (status, err) == (0, "")
    assert "door-front: added\n" in out
    assert "next: facelatch up\n" in out
    assert ("mosquitto will run as root" in out) is (private.owner(config.parent) == "root")
    assert run("init") == (0, f"{config.parent / 'data' / 'broker'}: nothing to do\n", "")


def test_a_new_client_is_told_with_all_that_it_takes_to_connect(config: Path, run: Run) -> None:
    run("init")
    status, out, _ = run("add-client", "phone-1", "--door", "front", "--door", "back", "--door", "front")
    assert status == 0
    password = (config.parent / "secrets" / "phone-1").read_text(encoding="utf-8").strip()
    assert textwrap.dedent(out) == textwrap.dedent(
        f"""\
        phone-1: added
        {NOT_RUNNING}
        phone-1 sees and commands front, back. Type into it, or copy:
          host      lock.local
          port      8883, with TLS
          user      phone-1
          password  {password}
          CA file   {config.parent}/secrets/ca.crt
          topics    below facelatch/, see topics.md
        """
    )


def test_a_client_is_for_named_doors_and_only_home_assistant_for_all(run: Run) -> None:
    run("init")
    assert run("add-client", "phone-1") == (1, "", "facelatch: which doors? Name each: --door front\n")
    assert run("add-client", "ha", "--home-assistant")[0] == 0
    assert run("add-client", "wall", "--door", "front", "--read-only")[0] == 0
    out = run("list")[1]
    assert "ha                   client: sees and commands all doors\n" in out
    assert "wall                 client: sees front\n" in out
    assert "camera-porch         program\n" in out
    assert "phone-1" not in out
    assert "certificate valid until 20" in out
    assert "lock.local" in out


def test_a_removed_client_is_gone(config: Path, run: Run) -> None:
    run("init")
    run("add-client", "phone-1", "--door", "front")
    assert run("remove-client", "phone-1") == (
        0,
        f"phone-1: removed, and its password with it\n{NOT_RUNNING}\n",
        "",
    )
    assert not (config.parent / "secrets" / "phone-1").exists()
    assert run("remove-client", "phone-1") == (1, "", "facelatch: there is no client 'phone-1': none\n")


def test_a_new_password_is_told_with_what_to_do_next(config: Path, run: Run) -> None:
    run("init")
    run("add-client", "phone-1", "--door", "front")
    secrets = config.parent / "secrets"
    assert run("init", "--rotate", "door-back")[1] == (
        f"door-back: new password\n{NOT_RUNNING}\n"
        f"door-back: copy {secrets / 'door-back'} to the machine where it runs, and restart it there\n"
    )
    out = run("init", "--rotate", "phone-1")[1]
    assert f"  password  {(secrets / 'phone-1').read_text(encoding='utf-8').strip()}\n" in out
    assert run("init", "--rotate", "nobody")[2].startswith("facelatch: there is no user 'nobody': door-front, ")


def test_a_broker_that_this_account_may_not_signal_is_told_of(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run("init")
    monkeypatch.setattr(running, "pid", lambda _: 1)
    monkeypatch.setattr(running, "reload", lambda _: False)
    assert "as the account that runs it, kill -HUP 1\n" in run("init", "--rotate", "watch")[1]
    assert run("init")[1].endswith("nothing to do\n")


def test_settings_that_only_a_restart_changes_are_told(config: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run("init")
    monkeypatch.setattr(running, "pid", lambda _: 1)
    monkeypatch.setattr(running, "reload", lambda _: True)
    config.write_text(config.read_text(encoding="utf-8").replace("port: 8883", "port: 8884"), encoding="utf-8")
    conf = config.parent / "data" / "broker" / "mosquitto.conf"
    assert run("init")[1] == f"{conf}: written\nthe broker's settings changed: restart it\n"


@pytest.mark.parametrize("line", ["{other} -c elsewhere.conf", "vi {conf}.bak", ""])
def test_only_the_mosquitto_with_these_files_is_taken_for_the_broker(
    config: Path, run: Run, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("init")
    folder = Folder(house.load(config), config)
    shown = line.format(other="mosquitto", conf=folder.conf)
    monkeypatch.setattr(running, "_command_line", lambda _: shown)
    assert running.pid(folder) is None
    (folder.path / "mosquitto.pid").write_text("4711\n")
    assert running.pid(folder) is None
    monkeypatch.setattr(running, "_command_line", lambda _: f"/usr/sbin/mosquitto -c {folder.conf}")
    assert running.pid(folder) == 4711
    (folder.path / "mosquitto.pid").write_text("")
    assert running.pid(folder) is None


WITHOUT = (
    "import sys; sys.modules['cryptography'] = None; from agents.cli.main import main; sys.exit(main(sys.argv[1:]))"
)


@pytest.mark.parametrize(("words", "status"), [(["broker", "init"], 1), (["broker", "list"], 1), (["check"], 0)])
def test_only_the_brokers_machine_needs_cryptography(config: Path, run: Run, words: list[str], status: int) -> None:
    """And where it is missing, it is told where it is listed."""
    run("init")
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, *words, "--config", str(config)], capture_output=True, text=True, check=False
    )
    assert done.returncode == status, done.stderr
    assert ("it is in requirements/all.txt" in done.stderr) is (status == 1)
    assert "Traceback" not in done.stderr


def test_an_unwritable_folder_is_told(config: Path, run: Run) -> None:
    (config.parent / "data").write_text("not a folder")
    status, _, err = run("init")
    assert status == 1
    assert err.startswith("facelatch: [Errno ")
    assert str(config.parent / "data") in err


def test_a_camera_that_publishes_by_itself_is_told_its_topic_and_named_when_it_is_no_more(
    config: Path, run: Run
) -> None:
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("source: 1", "source: mqtt:frigate/yard/person/snapshot"), encoding="utf-8")
    run("init")
    assert not (config.parent / "secrets" / "camera-yard").exists()
    out = run("add-client", "esp32", "--camera", "yard")[1]
    assert "esp32 publishes the frames of camera yard. Type into it, or copy:\n" in out
    assert out.endswith("  topic     frigate/yard/person/snapshot: a JPEG, QoS 0, nothing else\n")
    assert "esp32                client: publishes the frames of camera yard\n" in run("list")[1]
    for also in (["--door", "front"], ["--home-assistant"], ["--read-only"]):
        status, _, err = run("add-client", "other", "--camera", "yard", *also)
        assert (status, err) == (
            1,
            "facelatch: --camera goes with no other option: a camera sees and commands nothing\n",
        )
    assert "has an agent, which is a user of its own: camera-porch" in run("add-client", "x", "--camera", "porch")[2]
    config.write_text(text, encoding="utf-8")
    out = run("init")[1]
    assert "esp32: the house has no camera 'yard' any more that publishes its frames itself\n" in out
    assert "camera-yard: added\n" in out


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ("", "appear by themselves: see docs/home-assistant.md"),
        ("home_assistant: { prefix: ha }\n", "appear by themselves (discovery prefix ha)"),
        ("home_assistant: { discovery: off }\n", "home_assistant.discovery is off"),
    ],
)
def test_who_adds_home_assistant_is_told_what_to_expect(config: Path, run: Run, settings: str, told: str) -> None:
    config.write_text(houses.MQTT + settings + HOUSE, encoding="utf-8")
    assert run("init")[0] == 0
    status, out, _ = run("add-client", "ha", "--home-assistant")
    assert status == 0
    assert told in out
