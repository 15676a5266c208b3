"""Kill and stop the programs of a house while people come to its door.

In each visit one program is killed (SIGKILL) at a random moment; then the house has to recover by
itself, and somebody who comes has to be let in. In some visits somebody else keeps sending UNLOCK
meanwhile. Then door, scheduler and broker are stopped (SIGSTOP) for a while, with orders on their way.
At the end what the relay did, the door's journal and what was heard over MQTT have to be the same.

    .venv/bin/python -m soak.faults [--visits 200] [--stop-s 10] [--seed 1] [--json]

Exits with 1 when a promise was broken.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import secrets
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agents.wire.messages import DoorEvent
from demo.house import PERSON
from soak.ear import PATIENCE_S
from soak.ledger import compare, delays_s, journal, openings, too_long, unheard
from soak.report import Report, progress
from soak.site import MAX_HOLD_S, PROGRAMS, REST_S, Site, back, built, let_in, up

RECOVERED_S = 5.0
KILLED_WITHIN_S = 1.6  # after somebody stepped into view: from before the first picture to after the pulse
INSISTING = 0.2  # in so many visits somebody sends UNLOCK after UNLOCK
INSISTS_EVERY_S = 0.15
WATCHED_S = 6.0  # how long nothing may open after a program goes on
STOPPED = ("door-front", "scheduler", "broker")
COMMAND, GRANT = "door/front/command", "door/front/grant"


@dataclass(frozen=True)
class Kill:
    """Monotonic; None for what did not come within a minute, or three visits."""

    program: str
    at: float
    back_at: float | None
    let_in_at: float | None


class Faults:
    def __init__(self, site: Site, chance: random.Random, report: Report) -> None:
        self._site, self._ear, self._chance, self._report = site, site.ear, chance, report
        self.kills: list[Kill] = []

    def visits(self, count: int) -> None:
        for number, program in enumerate(self._victims(count), start=1):
            kill = self._visit(program)
            self.kills.append(kill)
            after = "never" if kill.back_at is None else f"after {kill.back_at - kill.at:.1f} s"
            progress(f"visit {number} of {count}: {program} killed, back {after}")
            if kill.let_in_at is None:
                self._report.broken.append(f"visit {number}: nobody was let in after {program} was killed")
                self._report.notes.append(f"visit {number}: {self._site.what_happened()}")

    def stand_still(self, program: str, stop_s: float) -> None:
        """Stop a program while orders come; none of them may open, then or when it goes on."""
        progress(f"{program} is stopped for {stop_s:g} s")
        self._site.leave()
        since = self._ear.mark()
        stopped_at = self._site.send(program, signal.SIGSTOP)
        try:
            self._orders(stop_s) if program != "scheduler" else self._come_and_go(stop_s)
            time.sleep(max(0.0, stopped_at + stop_s - time.monotonic()))
        finally:
            went_on_at = self._site.send(program, signal.SIGCONT)
        time.sleep(WATCHED_S)
        late = [pulse for pulse in self._site.pulses if pulse.on_at >= stopped_at]
        for pulse in late:
            when = f"{pulse.on_at - went_on_at:.2f} s after it went on"
            self._report.broken.append(f"{program} stopped for {stop_s:g} s: the door opened {when}")
        if late:
            told = [h.payload.decode() for h in self._ear.heard("door/front/event", since)]
            self._report.notes.append(f"{program} stopped: {'; '.join(text for text in told if 'locked' in text)}")
        self._report.figures[f"openings after {program} stood still for {stop_s:g} s"] = len(late)
        if self._site.visit() is None:
            self._report.broken.append(f"nobody was let in after {program} was stopped")
            self._report.notes.append(f"{program} stopped: {self._site.what_happened()}")

    def _victims(self, count: int) -> Iterator[str]:
        """Each program as often as the others, in any order."""
        while count > 0:
            yield from self._chance.sample(PROGRAMS, min(count, len(PROGRAMS)))
            count -= len(PROGRAMS)

    def _visit(self, program: str) -> Kill:
        self._site.leave()
        since = self._ear.mark()
        insists = self._chance.random() < INSISTING
        self._site.house.show("known")
        with self._insisting() if insists else contextlib.nullcontext():
            time.sleep(self._chance.uniform(0, KILLED_WITHIN_S))
            at = self._site.send(program, signal.SIGKILL)
            back_at = self._recovery(program, at, since)
        if insists:
            time.sleep(REST_S)
        return Kill(program, at, back_at, None if back_at is None else self._let_in(back_at, since))

    def _recovery(self, program: str, at: float, since: int) -> float | None:
        """Who was let in goes away meanwhile."""
        is_back = back(program, at)
        self._ear.wait(lambda heard: is_back(heard) or let_in(heard), since)
        if let_in(self._ear.heard(since=since)) is not None:
            self._site.house.show("hallway")
        return self._ear.wait(is_back, since)

    def _let_in(self, back_at: float, since: int) -> float | None:
        """Who still stands there waits; who was let in before the house was whole again comes once more."""
        if let_in(self._ear.heard(since=since)) is None:
            self._ear.wait(let_in, since, 2.0)
        at = let_in(self._ear.heard(since=since))
        return at if at is not None and at > back_at else self._site.visit()

    @contextlib.contextmanager
    def _insisting(self) -> Iterator[None]:
        """Somebody sends UNLOCK after UNLOCK, as long as the block lasts."""
        enough = threading.Event()

        def insist() -> None:
            while not enough.wait(INSISTS_EVERY_S):
                self._ear.say(COMMAND, "UNLOCK")

        thread = threading.Thread(target=insist)
        thread.start()
        try:
            yield
        finally:
            enough.set()
            thread.join()

    def _orders(self, stop_s: float) -> None:
        """All that opens a door when it is fresh, three times."""
        word = self._ear.heard("door/front/session")[-1].payload.decode()
        for n in range(3):
            now = time.time()
            grant = {"id": f"late-{secrets.token_hex(4)}", "session": word, "person": PERSON, "expires_at": now + 5}
            self._ear.say(COMMAND, "UNLOCK")
            self._ear.say(COMMAND, json.dumps({"action": "UNLOCK", "ts": now, "id": f"late-{secrets.token_hex(4)}"}))
            self._ear.say(COMMAND, json.dumps({"action": "OPEN", "session": word}))
            self._ear.say(GRANT, json.dumps(grant))
            time.sleep(stop_s / 3 if n < 2 else 0)

    def _come_and_go(self, stop_s: float) -> None:
        self._site.house.show("known")
        time.sleep(stop_s * 0.7)
        self._site.house.show("hallway")


def run(visits: int, stop_s: float, seed: int) -> Report:
    """The long run, or a short one. `stop_s` 0 leaves the stops out."""
    with Report(f"faults, seed {seed}") as report, built() as house:
        with up(house) as site:
            faults = Faults(site, random.Random(seed), report)  # noqa: S311 - any moments will do
            try:
                faults.visits(visits)
                for program in STOPPED if stop_s else ():
                    faults.stand_still(program, stop_s)
                site.leave()
            except TimeoutError as error:  # what was found until then counts all the same
                report.broken.append(str(error))
        clock = time.time() - time.monotonic()
        kept = journal(house.folder / "data/door-front.events")
        _judge(report, site, faults.kills, kept, clock)
    return report


def _judge(
    report: Report, site: Site, kills: Sequence[Kill], kept: Sequence[tuple[int, bytes, bool]], clock: float
) -> None:
    killed_at = [kill.at for kill in kills if kill.program == "door-front"]
    done = site.pulses
    told = openings((DoorEvent.decode(payload) for _, payload, _ in kept), clock)
    _judge_recoveries(report, kills)
    report.broken += too_long(done, MAX_HOLD_S, killed_at)
    differences = compare(done, told, killed_at)
    report.broken += [difference.text for difference in differences if not difference.excused]
    report.notes += [f"killed just then: {difference.text}" for difference in differences if difference.excused]
    heard = [h.payload for h in site.ear.heard("door/front/event")]
    report.broken += unheard(kept, heard)
    report.spread("unlock in the journal -> relay on, s", delays_s(done, told))
    own = [pulse.length_s for pulse in done if not pulse.died]
    report.spread(f"pulses ended by the door, s (max_hold_s {MAX_HOLD_S:g})", own)
    report.spread("pulses ended by a kill, s until the next start", [p.length_s for p in done if p.died])
    report.figures["pulses of the relay"], report.figures["unlocks in the journal"] = len(done), len(told)
    report.figures["events in the journal"], report.figures["events heard"] = len(kept), len(set(heard))
    report.figures["events heard again"] = len(heard) - len(set(heard))
    report.figures["events unanswered by the broker, to be told again"] = sum(not answered for _, _, answered in kept)


def _judge_recoveries(report: Report, kills: Sequence[Kill]) -> None:
    for program in PROGRAMS:
        mine = [kill for kill in kills if kill.program == program]
        report.spread(f"{program} killed -> back, s", [k.back_at - k.at for k in mine if k.back_at is not None])
    for number, kill in enumerate(kills, start=1):
        if kill.back_at is None:
            report.broken.append(f"visit {number}: {kill.program} did not come back within {PATIENCE_S:g} s")
        elif kill.back_at - kill.at > RECOVERED_S:
            late = f"{kill.back_at - kill.at:.1f} s after it was killed"
            report.late.append(f"visit {number}: {kill.program} was back {late}, not within {RECOVERED_S:g} s")
    let_in_s = [kill.let_in_at - kill.at for kill in kills if kill.let_in_at is not None]
    report.spread("killed -> somebody let in, s, with coming again", let_in_s)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m soak.faults", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--visits", type=int, default=200, help="with a kill in each (default: 200)")
    parser.add_argument("--stop-s", type=float, default=10.0, help="how long programs are stopped; 0: not at all")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**31), help="to repeat a run (default: any)")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    args = parser.parse_args()
    report = run(args.visits, args.stop_s, args.seed)
    print(json.dumps(report.json) if args.json else report)
    return int(not report.kept)


if __name__ == "__main__":
    sys.exit(main())
