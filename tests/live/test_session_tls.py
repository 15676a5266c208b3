"""TLS and logins, against a real mosquitto: what is wrong is never connected to, and the log says what it is."""

from __future__ import annotations

import contextlib
import re
import signal
import socket
import ssl
import subprocess
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.runtime.events import Connected, Disconnected, Subscription
from agents.runtime.settings import TlsSettings
from agents.wire.topics import COMMAND
from tests.certificates import Authority
from tests.live.lines import Line, Mosquitto
from tests.live.test_session_traffic import renew_in_a_flood, stand_still_and_renew
from tests.live.tools import Ear, wait_until

# paho leaves a socket whose handshake failed to the garbage collector
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")
ORDERS = Subscription(COMMAND, ("front",))
TLS = TlsSettings(ca_file="ours.crt")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A session tries again after one second, not five."""
    monkeypatch.setattr("agents.runtime.session.RECONNECT_MAX_S", 1)


@pytest.fixture
def ours(tmp_path: Path) -> Authority:
    """The house's authority, with a good certificate for the broker."""
    made = Authority(tmp_path, "ours")
    made.certify("good")
    return made


@pytest.fixture
def mosquitto(tmp_path: Path, ours: Authority) -> Iterator[Mosquitto]:
    """Not started, and with the good certificate."""
    made = Mosquitto(tmp_path, *serving(tmp_path, "good"))
    yield made
    made.stop()


def serving(folder: Path, name: str, *more: str) -> tuple[str, ...]:
    """mosquitto's settings for a certificate that is there."""
    return "allow_anonymous true", f"certfile {folder}/{name}.crt", f"keyfile {folder}/{name}.key", *more


def asking(folder: Path) -> tuple[str, ...]:
    """As `serving`, and clients have to show one of our authority's."""
    return serving(folder, "good", f"cafile {folder}/ours.crt", "require_certificate true")


def assert_refused(line: Line, mosquitto: Mosquitto, why: str, caplog: pytest.LogCaptureFixture) -> None:
    """It tries again and again, is never connected, and says why it is not."""
    before = mosquitto.attempts()
    wait_until("two more attempts", lambda: mosquitto.attempts() >= before + 2)
    wait_until(f"the log says {why}", lambda: re.search(f"no broker at .*: .*{why}", caplog.text) is not None)
    assert not line.session.connected
    assert not [event for event in line.drain() if not isinstance(event, Disconnected)]


def test_the_right_certificate_connects_and_what_is_said_leaves_at_once(mosquitto: Mosquitto, tmp_path: Path) -> None:
    mosquitto.start()
    with Line(tmp_path, mosquitto.port, ORDERS, tls=TLS) as line:
        line.wait(Connected)
        sock = line.session._client.socket()
        assert isinstance(sock, ssl.SSLSocket)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1


WRONG = {
    "another authority's": ("foreign", "CERTIFICATE_VERIFY_FAILED.*unable to get local issuer certificate"),
    "made out to another": ("elsewhere", r"CERTIFICATE_VERIFY_FAILED.*not valid for '127\.0\.0\.1'"),
    "expired": ("old", "CERTIFICATE_VERIFY_FAILED.*certificate has expired"),
    "none at all": ("", "reset by peer|EOF|WRONG_VERSION_NUMBER"),
}


@pytest.mark.parametrize(("name", "why"), WRONG.values(), ids=WRONG)
def test_a_wrong_certificate_is_never_connected_to_until_the_right_one_is_there(
    name: str, why: str, mosquitto: Mosquitto, ours: Authority, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    Authority(tmp_path, "theirs").certify("foreign")
    ours.certify("elsewhere", host="broker.example")
    ours.certify("old", days=-1)
    good = mosquitto.settings
    mosquitto.settings = serving(tmp_path, name) if name else ("allow_anonymous true",)
    mosquitto.start()
    with Line(tmp_path, mosquitto.port, ORDERS, tls=TLS) as line:
        assert_refused(line, mosquitto, why, caplog)
        mosquitto.stop()
        mosquitto.settings = good
        mosquitto.start()
        line.wait(Connected)


def test_a_broker_of_the_day_before_yesterday_is_never_connected_to(
    mosquitto: Mosquitto, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with only_tls_1_1(tmp_path, mosquitto.port) as met, Line(tmp_path, mosquitto.port, ORDERS, tls=TLS) as line:
        wait_until("two attempts", lambda: len(met) >= 2)
        wait_until("the log says why", lambda: "PROTOCOL" in caplog.text)
        assert not line.session.connected
    assert set(met) == {"UNSUPPORTED_PROTOCOL"}


@contextlib.contextmanager
def only_tls_1_1(folder: Path, port: int) -> Iterator[list[str | None]]:
    """A server that knows nothing newer. Notes how each connection ended."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "good.crt", folder / "good.key")
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    met: list[str | None] = []

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = server.accept()
                with sock, contextlib.suppress(ConnectionError):
                    try:
                        context.wrap_socket(sock, server_side=True).close()
                        met.append("connected")
                    except ssl.SSLError as error:
                        met.append(error.reason)

    with socket.create_server(("127.0.0.1", port)) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield met
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


REFUSED = {
    "none": ({}, "CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE"),
    "a stranger's": ({"cert_file": "stranger.crt", "key_file": "stranger.key"}, "UNKNOWN_CA"),
}


@pytest.mark.parametrize(("shown", "why"), REFUSED.values(), ids=REFUSED)
def test_a_broker_that_asks_for_a_certificate_takes_no_other_and_its_complaint_is_told(
    shown: dict[str, str], why: str, mosquitto: Mosquitto, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    Authority(tmp_path, "theirs").certify("stranger")
    mosquitto.settings = asking(tmp_path)
    mosquitto.start()
    with Line(tmp_path, mosquitto.port, ORDERS, tls=TlsSettings(ca_file="ours.crt", **shown)) as line:
        assert_refused(line, mosquitto, why, caplog)


def test_who_shows_the_certificate_that_is_asked_for_is_let_in(
    mosquitto: Mosquitto, ours: Authority, tmp_path: Path
) -> None:
    ours.certify("me")
    mosquitto.settings = asking(tmp_path)
    mosquitto.start()
    tls = TlsSettings(ca_file="ours.crt", cert_file="me.crt", key_file="me.key")
    with Line(tmp_path, mosquitto.port, ORDERS, tls=tls) as line:
        line.wait(Connected)


def test_whether_a_broker_elsewhere_lets_anybody_in_can_not_be_told_by_who_shows_a_certificate(
    ours: Authority, tmp_path: Path
) -> None:
    ours.certify("me", host="127.0.0.2")
    problems = []
    far = Mosquitto(tmp_path, *serving(tmp_path, "me"), host="127.0.0.2")
    far.start()
    shown = TlsSettings(ca_file="ours.crt", cert_file="me.crt", key_file="me.key")
    for tls in (TLS, shown):
        with Line(tmp_path, far.port, ORDERS, host="127.0.0.2", tls=tls) as line:
            line.wait(Connected)
            problems.append(line.session.problem)
    far.stop()
    assert problems[0] is not None
    assert "lets anybody in" in problems[0]
    assert problems[1] is None


def test_a_broker_with_tls_is_not_spoken_to_without(
    mosquitto: Mosquitto, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    mosquitto.start()
    with Line(tmp_path, mosquitto.port, ORDERS) as line:
        assert_refused(line, mosquitto, "reset by peer|Unspecified error", caplog)


def test_a_wrong_password_is_told_and_tried_again_until_it_is_right(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "door-front").write_text("s3cret\n")
    mosquitto = Mosquitto(tmp_path, f"password_file {tmp_path}/passwords")
    set_password(tmp_path, "another")
    mosquitto.start()
    with Line(tmp_path, mosquitto.port, ORDERS, credentials="secrets") as line:
        assert_refused(line, mosquitto, "it refused the connection: Not authorized", caplog)
        set_password(tmp_path, "s3cret")
        mosquitto.signal(signal.SIGHUP)
        line.wait(Connected)
    mosquitto.stop()
    assert "s3cret" not in caplog.text


def set_password(folder: Path, password: str) -> None:
    command = ["mosquitto_passwd", "-b", "-c", f"{folder}/passwords", "door-front", password]
    subprocess.run(command, check=True, capture_output=True)


@pytest.fixture
def beside(mosquitto: Mosquitto, tmp_path: Path) -> Iterator[Ear]:
    """An ear on a plain listener of the same broker, which is running."""
    plain = Mosquitto(tmp_path).port
    mosquitto.settings = *mosquitto.settings, f"listener {plain} 127.0.0.1"
    mosquitto.start()
    made = Ear(plain)
    made.wait_until_listening()
    yield made
    made.close()


def test_over_tls_too_nothing_is_heard_after_a_renewal_that_was_sent_before_it(
    mosquitto: Mosquitto, beside: Ear, tmp_path: Path
) -> None:
    stand_still_and_renew(tmp_path, mosquitto.port, beside, tls=TLS)


def test_over_tls_too_renewing_again_and_again_in_a_flood_ends_well(
    mosquitto: Mosquitto, beside: Ear, tmp_path: Path
) -> None:
    renew_in_a_flood(tmp_path, mosquitto.port, beside, tls=TLS)
