"""A real door agent on a real mosquitto."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.live.tools import Broker, Ear, Home, wait_until

COMMAND, STATE, AVAILABILITY = "door/front/command", "door/front/state", "door/front/availability"


@pytest.fixture
def door(home: Home, ear: Ear) -> subprocess.Popen[bytes]:
    process = home.start("door")
    ear.wait(AVAILABILITY, lambda h: h.text == "online")
    return process


def test_mosquitto_pub_opens_the_door_and_it_locks_again_by_itself(
    door: subprocess.Popen[bytes], broker: Broker, ear: Ear
) -> None:
    subprocess.run(
        ["mosquitto_pub", "-p", str(broker.port), "-t", "facelatch/door/front/command", "-m", "UNLOCK"], check=True
    )
    ear.event("unlocked", cause="command")
    ear.event("locked", cause="timeout")
    wait_until("three states", lambda: len(ear.all(STATE)) == 3)
    assert [h.text for h in ear.all(STATE)] == ["LOCKED", "UNLOCKED", "LOCKED"]
    assert all(h.retain for h in ear.all(STATE))


def test_a_retained_unlock_is_refused_when_published_and_never_obeyed_after_a_restart(
    door: subprocess.Popen[bytes], home: Home, ear: Ear
) -> None:
    ear.say(COMMAND, "UNLOCK", 1, retain=True)
    ear.event("rejected", reason="retained")
    door.terminate()
    ear.wait(AVAILABILITY, lambda h: h.text == "offline")
    mark = ear.mark()
    home.start("door")
    ear.wait(AVAILABILITY, lambda h: h.text == "online", mark)
    ear.say(COMMAND, "LOCK")
    ear.event("locked", mark)
    assert [h.json["event_type"] for h in ear.all("door/front/event", mark)] == ["locked"]


def test_an_unlock_sent_while_the_door_was_away_is_not_obeyed_later(
    door: subprocess.Popen[bytes], home: Home, ear: Ear
) -> None:
    door.kill()
    ear.wait(AVAILABILITY, lambda h: h.text == "offline")
    ear.say(COMMAND, "UNLOCK", 1)
    mark = ear.mark()
    home.start("door")
    ear.wait(AVAILABILITY, lambda h: h.text == "online", mark)
    ear.say(COMMAND, "LOCK")
    ear.event("locked", mark)
    assert [h.json["event_type"] for h in ear.all("door/front/event", mark)] == ["locked"]


BAD = {
    "not UTF-8": (b"\xff\xfe", "unknown_action"),
    "unknown word": (b"SESAME", "unknown_action"),
    "lower case": (b"unlock", "unknown_action"),
    "empty": (b"", "unknown_action"),
    "not JSON": (b"{", "malformed"),
    "unknown key": (b'{"action":"UNLOCK","door":"back"}', "malformed"),
    "wrong type": (b'{"action":"UNLOCK","ts":"now"}', "malformed"),
    "unknown action": (b'{"action":"BLAST"}', "unknown_action"),
    "too large": (b"UNLOCK" + b" " * 2000, "too_large"),
    "stale": (b'{"action":"UNLOCK","ts":1.0}', "stale"),
    "milliseconds": (str({"action": "UNLOCK", "ts": time.time() * 1000}).replace("'", '"').encode(), "malformed"),
}


def test_bad_commands_are_answered_with_a_reason_and_open_nothing(door: subprocess.Popen[bytes], ear: Ear) -> None:
    for payload, reason in BAD.values():
        mark = ear.mark()
        ear.say(COMMAND, payload)
        ear.event("rejected", mark, reason=reason)
    assert [h.text for h in ear.all(STATE)] == ["LOCKED"]
    assert door.poll() is None


def test_the_same_id_opens_once(door: subprocess.Popen[bytes], ear: Ear) -> None:
    order = json.dumps({"action": "UNLOCK", "id": "one", "source": "test", "ts": time.time()})
    ear.say(COMMAND, order)
    ear.say(COMMAND, order)
    ear.event("unlocked", id="one", source="test")
    ear.event("rejected", id="one", reason="duplicate")


def test_a_grant_needs_the_session_the_door_has_now(door: subprocess.Popen[bytes], broker: Broker, ear: Ear) -> None:
    nonce = ear.wait("door/front/session").text
    grant = {"id": "g1", "session": nonce, "person": "Ana", "expires_at": time.time() + 5}
    ear.say("door/front/grant", json.dumps(grant))
    ear.event("unlocked", cause="grant", id="g1", person="Ana")
    ear.event("locked")
    mark = ear.mark()
    broker.stop()
    broker.start()
    fresh = ear.wait("door/front/session", lambda h: h.text != nonce, mark).text
    ear.say("door/front/grant", json.dumps({**grant, "id": "g2", "expires_at": time.time() + 5}))
    ear.event("rejected", mark, id="g2", reason="wrong_session")
    ear.say("door/front/grant", json.dumps({**grant, "id": "g3", "session": fresh, "expires_at": time.time() - 1}))
    ear.event("rejected", mark, id="g3", reason="expired")


def test_a_hold_time_that_was_set_is_remembered_and_the_next_pulse_lasts_as_long(
    door: subprocess.Popen[bytes], home: Home, broker: Broker, ear: Ear
) -> None:
    to_hold = ["mosquitto_pub", "-p", str(broker.port), "-t", "facelatch/door/front/hold_s/set", "-q", "1", "-m"]
    ear.wait("door/front/hold_s", lambda h: h.text == "0.5" and h.retain)
    subprocess.run([*to_hold, "2.5"], check=True)
    ear.wait("door/front/hold_s", lambda h: h.text == "2.5" and h.retain)
    mark = ear.mark()
    subprocess.run([*to_hold, "1000"], check=True)
    assert ear.wait("door/front/hold_s", since=mark).text == "2.5"
    door.terminate()
    ear.wait(AVAILABILITY, lambda h: h.text == "offline")
    assert "refused an order for hold_s: 1000 s" in home.log_of("door").read_text()
    mark = ear.mark()
    again = home.start("door")
    assert ear.wait("door/front/hold_s", since=mark).text == "2.5"
    ear.say(COMMAND, "UNLOCK")
    on, off = ear.event("unlocked", mark), ear.event("locked", mark, cause="timeout")
    assert off["at"] - on["at"] > 2.4
    again.terminate()
    assert again.wait(10) == 0
    home.edit("hold_s: 0.5", "hold_s: 0.75")
    mark = ear.mark()
    home.start("door")
    assert ear.wait("door/front/hold_s", since=mark).text == "0.75"


def test_a_test_pulse_moves_the_relay_of_a_door_that_has_one_and_no_other(home: Home, ear: Ear) -> None:
    refuses = home.start("door")
    ear.wait(AVAILABILITY, lambda h: h.text == "online")
    ear.say(COMMAND, "TEST")
    ear.event("rejected", reason="not_enabled", action="TEST")
    refuses.terminate()
    ear.wait(AVAILABILITY, lambda h: h.text == "offline")
    home.edit("hold_s: 0.5", "hold_s: 0.5\n    test_pulse_s: 0.2")
    mark = ear.mark()
    home.start("door")
    ear.wait(AVAILABILITY, lambda h: h.text == "online", mark)
    ear.say(COMMAND, "TEST")
    ear.event("unlocked", mark, action="TEST")
    ear.event("locked", mark, cause="timeout")


def test_sigterm_during_a_pulse_locks_says_so_and_goes_offline(home: Home, ear: Ear) -> None:
    home.edit("hold_s: 0.5", "hold_s: 20")
    process = home.start("door")
    ear.wait(AVAILABILITY, lambda h: h.text == "online")
    ear.say(COMMAND, "UNLOCK")
    ear.event("unlocked")
    process.terminate()
    ear.event("locked", cause="stop")
    ear.wait(AVAILABILITY, lambda h: h.text == "offline")
    assert process.wait(10) == 0
    assert "relay is off" in home.log_of("door").read_text()


def test_kill_9_is_told_by_the_last_will(door: subprocess.Popen[bytes], ear: Ear) -> None:
    door.kill()
    ear.wait(AVAILABILITY, lambda h: h.text == "offline")


def test_a_door_started_before_its_broker_waits_for_it(tmp_path: Path) -> None:
    late = Broker(tmp_path)
    home = Home(tmp_path, late.port)
    try:
        process = home.start("door")
        wait_until("the relay in hand", lambda: "is off" in home.log_of("door").read_text())
        assert process.poll() is None
        late.start()
        ear = Ear(late.port)
        ear.wait(AVAILABILITY, lambda h: h.text == "online")
        ear.close()
    finally:
        home.stop_all()
        late.stop()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_after_a_broker_restart_everything_retained_is_there_again(
    number: signal.Signals, door: subprocess.Popen[bytes], broker: Broker, ear: Ear
) -> None:
    mark = ear.mark()
    broker.stop(number)
    broker.start()
    for topic, payload in ((STATE, "LOCKED"), (AVAILABILITY, "online")):
        ear.wait(topic, lambda h, p=payload: h.text == p, mark)  # type: ignore[misc]
    ear.wait("door/front/health", since=mark)
    ear.say(COMMAND, "UNLOCK")
    ear.event("unlocked", mark)


def test_facelatch_unlock_exits_by_the_doors_answer(door: subprocess.Popen[bytes], home: Home, broker: Broker) -> None:
    done = home.run("unlock", "front")
    assert (done.returncode, done.stdout) == (0, "front: unlocked\n")
    assert home.run("unlock", "back").returncode == 1
    door.terminate()
    door.wait(10)
    absent = home.run("unlock", "front", "--timeout", "0.5")
    assert absent.returncode == 1
    assert "does not answer" in absent.stderr
    broker.stop()
    assert "no broker at" in home.run("unlock", "front", "--timeout", "0.5").stderr


def test_a_pin_library_that_does_not_work_here_ends_the_agent_with_a_clear_error(home: Home) -> None:
    home.edit("pin_factory: mock", "pin_factory: pigpio")
    done = home.run("door")
    assert done.returncode == 1
    assert "door stopped: pin 17 through pigpio" in done.stderr
