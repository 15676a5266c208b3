"""One process of a flood: a mix of what opens, junk and look-alikes, at a steady rate, at QoS 0.

    python -m soak.sender PORT TOPIC RATE SECONDS USER [SECRETS]

Prints one JSON object: how many it sent, and in how many seconds.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from soak.ear import PATIENCE_S, Address

LARGE_BYTES = 60_000  # near the largest packet that a door takes
LARGE_SHARE = 0.01
SLICE_S = 0.01
POOL = 1000
LOOKALIKES = (
    b"LOCKED",
    b"lock",
    b"LOCK\x00",
    b'"LOCK"',
    b'{"action":"LOCK"',
    b'{"action":"LOCK","now":true}',
    b"LOCK LOCK",
)
Made = Callable[[random.Random], bytes]


def _fresh(chance: random.Random) -> bytes:
    return json.dumps({"action": "UNLOCK", "id": f"f{chance.getrandbits(40)}", "ts": time.time()}).encode()


KINDS: tuple[tuple[Made, float], ...] = (
    (lambda _: b"UNLOCK", 0.3),
    (lambda chance: chance.randbytes(chance.randrange(1, 200)), 0.25),
    (_fresh, 0.2),
    (lambda chance: chance.choice(LOOKALIKES), 0.2),
    (lambda chance: b'{"action":"UNLOCK","source":"' + b"[" * chance.randrange(900) + b'"}', 0.05 - LARGE_SHARE),
    (lambda _: b"{" * LARGE_BYTES, LARGE_SHARE),
)  # fmt: skip


def payload(chance: random.Random) -> bytes:
    made, _ = chance.choices(KINDS, [share for _, share in KINDS])[0]
    return made(chance)


def packet(topic: str, payload: bytes) -> bytes:
    """A PUBLISH of MQTT 5 at QoS 0 (its section 3.3). Made here: paho takes as long to send one as to read one."""
    body = len(topic.encode()).to_bytes(2, "big") + topic.encode() + b"\x00" + payload
    length, left = bytearray(), len(body)
    while not length or left:
        left, digit = divmod(left, 128)
        length.append(digit | (128 if left else 0))
    return b"\x30" + length + body


def send(sock: Any, topic: str, rate: float, seconds: float, chance: random.Random) -> tuple[int, float]:
    """Each second from a new pool of messages, so that most of the flood's time is left to the door. What is
    late is made up for.
    """
    sent, pools, began = 0, 0, time.monotonic()
    while (gone_s := time.monotonic() - began) < seconds:
        if gone_s >= pools:
            pool, pools = [packet(topic, payload(chance)) for _ in range(POOL)], pools + 1
        due = int(gone_s * rate) - sent
        sock.sendall(b"".join(chance.choices(pool, k=due)))
        sent += due
        time.sleep(SLICE_S)
    return sent, time.monotonic() - began


def main(port: str, topic: str, rate: str, seconds: str, user: str, secrets: str | None = None) -> None:
    client = Address(int(port), Path(secrets) if secrets else None).client(user)
    client.connect("127.0.0.1", int(port))
    until = time.monotonic() + PATIENCE_S
    while not client.is_connected() and time.monotonic() < until:
        client.loop(SLICE_S)
    sock = client.socket()
    assert sock is not None
    sock.setblocking(True)
    sent, took_s = send(sock, topic, float(rate), float(seconds), random.Random(user))  # noqa: S311 - junk
    client.disconnect()
    print(json.dumps({"sent": sent, "seconds": took_s}))


if __name__ == "__main__":
    main(*sys.argv[1:])
