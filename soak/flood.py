"""A door under a flood of messages on its command topic: is its memory bounded, is LOCK still obeyed?

Other processes send a mix of UNLOCK, junk and look-alikes. Every second somebody is let in by a grant,
and somebody else locks: how long the relay stays on after that is read from the record of the pin.

    .venv/bin/python -m soak.flood [--seconds 30] [--rate 5000] [--broker plain|production] [--json]

Exits with 1 when a promise was broken.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import get_args

from agents.wire.messages import Availability, DoorEvent, EventType, Health, Refusal
from soak.ear import BASE, PATIENCE_S, Ear, Heard
from soak.ledger import Pulse, compare, delays_s, journal, openings, too_long, unheard
from soak.report import Report, progress
from soak.stand import FLOODERS, MAX_HOLD_S, Kind, Memory, Stand, standing

LOCKED_S = 1.0
SETTLED_S = 2.0  # before and after the flood, for those who connect, and for what is still on its way
OPEN_S = 0.3  # how long a grant may take before LOCK is sent, whether the relay is on or not
COMMAND, GRANT = "door/front/command", "door/front/grant"
# The door's inbox holds a thousand messages and the door takes packets of up to 65,536 bytes; the broker
# may keep 8 MB for each of its clients, of which there are seven.
GROWTH_BYTES = 1000 * 65_536


class Flood:
    def __init__(self, stand: Stand, ear: Ear, report: Report) -> None:
        self._stand, self._ear, self._report = stand, ear, report
        self.locks: list[float] = []  # when LOCK was sent, monotonic

    def run(self, rate: float, seconds: float) -> None:
        memory = Memory(door=self._stand.door.pid, broker=self._stand.broker)
        with self._counting() as count, contextlib.ExitStack() as senders:
            memory.start()
            time.sleep(SETTLED_S)
            cpu_s = self._stand.door_cpu_s
            running = [self._sender(user, rate / len(FLOODERS), seconds) for user in FLOODERS]
            for sender in running:
                senders.callback(sender.kill)
            self._lock_and_unlock(running)
            self._rates([json.loads(sender.communicate()[0]) for sender in running], rate)
            time.sleep(SETTLED_S)
            self._report.figures["processor time of the door, s"] = round(self._stand.door_cpu_s - cpu_s, 1)
            memory.stop()
        self._report.figures["delivered to another subscriber"] = count()
        self._judge_memory(memory)

    def still_works(self) -> None:
        """An UNLOCK by itself is obeyed, once the flood is over."""
        phone = self._stand.address.connected("phone")
        since, until = self._ear.mark(), time.monotonic() + PATIENCE_S
        try:
            while time.monotonic() < until:
                phone.publish(f"{BASE}/{COMMAND}", json.dumps({"action": "UNLOCK", "ts": time.time()}))
                if self._ear.wait(_unlocked, since, 5.0):
                    return
        finally:
            phone.publish(f"{BASE}/{COMMAND}", "LOCK").wait_for_publish(PATIENCE_S)
            phone.disconnect()
        self._report.broken.append("the door does not obey an UNLOCK after the flood")

    def count_dropped(self) -> None:
        """The door's own count comes with its next health."""
        since = self._ear.mark()
        health = self._ear.wait(_health, since)
        dropped = health.counters["dropped"] if health else None
        self._report.figures["delivered to the door, dropped by its full inbox"] = dropped

    def _lock_and_unlock(self, senders: Sequence[subprocess.Popen[bytes]]) -> None:
        """Every second, as long as the flood lasts: somebody is let in, and somebody else locks."""
        scheduler, phone = (self._stand.address.connected(user) for user in ("scheduler-main", "phone"))
        number = 0
        while any(sender.poll() is None for sender in senders):
            began, number = time.monotonic(), number + 1
            if phone.is_connected() and scheduler.is_connected():
                word = self._ear.heard("door/front/session")[-1].payload.decode()
                grant = {"id": f"g{number}", "session": word, "person": "Ana", "expires_at": time.time() + 5}
                scheduler.publish(f"{BASE}/{GRANT}", json.dumps(grant))
                time.sleep(OPEN_S)
                self.locks.append(time.monotonic())
                phone.publish(f"{BASE}/{COMMAND}", json.dumps({"action": "LOCK", "id": f"lock-{number}"}))
            time.sleep(max(0.0, began + 1.0 - time.monotonic()))
        for client in (scheduler, phone):
            client.disconnect()

    def _sender(self, user: str, rate: float, seconds: float) -> subprocess.Popen[bytes]:
        port, secrets = self._stand.address.port, self._stand.address.secrets
        words = [str(port), f"{BASE}/{COMMAND}", str(rate), str(seconds), user, *([str(secrets)] if secrets else [])]
        return subprocess.Popen([sys.executable, "-m", "soak.sender", *words], stdout=subprocess.PIPE)

    @contextlib.contextmanager
    def _counting(self) -> Iterator[Callable[[], int | None]]:
        """Another subscriber of the command topic; where there are passwords, nobody but the door may be one."""
        if self._stand.address.secrets is not None:
            yield lambda: None
            return
        out = self._stand.folder / "delivered"
        command = ["mosquitto_sub", "-p", str(self._stand.address.port), "-t", f"{BASE}/{COMMAND}", "-F", "x"]
        with out.open("wb") as file, subprocess.Popen(command, stdout=file) as counter:
            try:
                yield lambda: out.stat().st_size // len("x\n")
            finally:
                counter.terminate()

    def _rates(self, sent: Sequence[dict[str, float]], rate: float) -> None:
        count, took_s = sum(int(one["sent"]) for one in sent), max(one["seconds"] for one in sent)
        self._report.figures["sent"] = count
        self._report.figures["sent a second"] = round(count / took_s)
        if count / took_s < 0.95 * rate:
            self._report.late.append(f"not tried: {count / took_s:.0f} a second were sent, not {rate:g}")

    def _judge_memory(self, memory: Memory) -> None:
        for name, found in memory.bytes.items():
            grown = max(found) - found[0]
            megabytes = f"{found[0] / 1e6:.1f} before, {max(found) / 1e6:.1f} at most, {found[-1] / 1e6:.1f} after"
            self._report.figures[f"memory of the {name}, MB"] = megabytes
            if grown > GROWTH_BYTES:
                self._report.broken.append(
                    f"the {name} grew by {grown / 1e6:.0f} MB, more than {GROWTH_BYTES / 1e6:.0f}"
                )


def run(kind: Kind, rate: float, seconds: float, *, count_dropped: bool = True) -> Report:
    """One flood, to one door. `count_dropped` waits for the door's own count, up to half a minute."""
    with Report(f"flood, {kind} broker") as report, tempfile.TemporaryDirectory(prefix="facelatch-flood-") as temporary:
        folder = Path(temporary)
        progress(f"{rate:g} messages a second for {seconds:g} s, {kind} broker")
        with standing(kind, folder) as stand, contextlib.closing(Ear(stand.address)) as ear:
            ear.wait(_online, 0)
            flood = Flood(stand, ear, report)
            flood.run(rate, seconds)
            flood.still_works()
            if count_dropped:
                flood.count_dropped()
            stopped_at = stand.stop_door()
            ear.wait(lambda heard: _gone(heard, stopped_at), 0)
        kept, clock = journal(folder / "data/door-front.events"), time.time() - time.monotonic()
        events = [DoorEvent.decode(payload) for _, payload, _ in kept]
        _judge_locks(report, stand.pulses, flood.locks)
        report.broken += too_long(stand.pulses, MAX_HOLD_S, [])
        told = openings(events, clock)
        report.broken += [difference.text for difference in compare(stand.pulses, told, [])]
        report.spread("unlock in the journal -> relay on, s", delays_s(stand.pulses, told))
        report.broken += unheard(kept, [h.payload for h in ear.heard("door/front/event")])
        _count(report, events)
        # mosquitto drops its answers, too, where it can't get rid of its packets
        unanswered = sum(not answered for _, _, answered in kept)
        report.figures["events unanswered by the broker, to be told again"] = unanswered
    return report


def _judge_locks(report: Report, done: Sequence[Pulse], locks: Sequence[float]) -> None:
    """Those LOCKs count that were sent while the relay was on."""
    ends = [pulse.off_at - at for at in locks for pulse in done if pulse.on_at < at < pulse.off_at]
    report.figures["LOCK sent -> relay off, s, one by one"] = " ".join(f"{end:.2f}" for end in ends)
    report.spread(f"LOCK sent -> relay off, s ({len(locks)} sent)", ends)
    report.late += [
        f"the relay went off {end:.2f} s after LOCK, not within {LOCKED_S:g} s" for end in ends if end > LOCKED_S
    ]
    if len(ends) < len(locks) / 2:
        report.late.append(f"not tried: the relay was on at only {len(ends)} of {len(locks)} LOCKs")


def _count(report: Report, events: Sequence[DoorEvent]) -> None:
    floods = [event for event in events if event.reason is Refusal.FLOOD]
    report.figures["delivered to the door, passed over in its flood"] = sum(int(e.detail.split()[0]) for e in floods)
    report.figures["events in the door's journal"] = len(events)


def _online(heard: Sequence[Heard]) -> bool | None:
    return any(h.says("door/front/availability", Availability.ONLINE) for h in heard) or None


def _gone(heard: Sequence[Heard], since_s: float) -> bool | None:
    return any(h.at >= since_s and h.says("door/front/availability", Availability.OFFLINE) for h in heard) or None


def _unlocked(heard: Sequence[Heard]) -> bool | None:
    events = (DoorEvent.decode(h.payload) for h in heard if h.topic == "door/front/event")
    return any(event.event_type is EventType.UNLOCKED for event in events) or None


def _health(heard: Sequence[Heard]) -> Health | None:
    return next((Health.decode(h.payload) for h in heard if h.topic == "door/front/health"), None)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m soak.flood", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--rate", type=float, default=5000.0, help="messages a second, of all senders together")
    parser.add_argument("--broker", choices=get_args(Kind), default="plain")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    args = parser.parse_args()
    report = run(args.broker, args.rate, args.seconds)
    print(json.dumps(report.json) if args.json else report)
    return int(not report.kept)


if __name__ == "__main__":
    sys.exit(main())
