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

from paho.mqtt.client import Client

from soak.ear import PATIENCE_S, Address

LARGE_BYTES = 60_000  # near the largest packet that a door takes
LARGE_SHARE = 0.002
SLICE_S = 0.01
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


def send(client: Client, topic: str, rate: float, seconds: float, chance: random.Random) -> tuple[int, float]:
    """Without a network thread: paho then writes each message at once. What is late is made up for."""
    sent, began = 0, time.monotonic()
    while (now := time.monotonic()) - began < seconds:
        while sent < (now - began) * rate:
            client.publish(topic, payload(chance))
            sent += 1
        client.loop(SLICE_S)
    while client.want_write():
        client.loop(SLICE_S)
    return sent, time.monotonic() - began


def main(port: str, topic: str, rate: str, seconds: str, user: str, secrets: str | None = None) -> None:
    client = Address(int(port), Path(secrets) if secrets else None).client(user)
    client.connect("127.0.0.1", int(port))
    until = time.monotonic() + PATIENCE_S
    while not client.is_connected() and time.monotonic() < until:
        client.loop(SLICE_S)
    sent, took_s = send(client, topic, float(rate), float(seconds), random.Random(user))  # noqa: S311 - junk
    client.disconnect()
    print(json.dumps({"sent": sent, "seconds": took_s}))


if __name__ == "__main__":
    main(*sys.argv[1:])
