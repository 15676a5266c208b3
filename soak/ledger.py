"""What the relay did, what the door's journal says it did, and where the two differ. Pure, but for reading files."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from agents.wire.messages import Cause, DoorEvent, EventType

RELAY = "GPIO17"
CLOCKS_S = 0.02  # how well a wall clock's time can be told on the monotonic one, that of pins
LATE_S = 2.0  # how long after the relay went off a door that has much to do may tell so
KILLED_S = 0.4  # a kill so soon after one of two things came between them
SLACK_S = 0.2  # how late a busy machine may wake a door that has a pulse to end


@dataclass(frozen=True)
class Pulse:
    """The relay was on. Monotonic. `died` where the process that switched it on was gone before it switched it
    off: then it counts as on until the next process starts, and switches it off.
    """

    on_at: float
    off_at: float
    died: bool = False

    @property
    def length_s(self) -> float:
        return self.off_at - self.on_at


@dataclass(frozen=True)
class Opening:
    """An unlock of the journal, and what ended it. Monotonic. None where nothing did."""

    on: DoorEvent
    off: DoorEvent | None
    on_at: float
    off_at: float | None

    @property
    def from_s(self) -> float:
        """A pulse that began before is not this one's: the event is on disk before the relay is on."""
        return self.on_at - CLOCKS_S

    @property
    def cause(self) -> Cause | None:
        return None if self.off is None else self.off.cause

    def __str__(self) -> str:
        end = f"{self.off.event_type} {self.off.cause} (seq {self.off.seq})" if self.off else "nothing"
        return f"unlocked by {self.on.cause} at {self.on_at:.2f} (seq {self.on.seq}), ended by {end}"


def pulses(pins: Path, now: float) -> list[Pulse]:
    """From the bench's record of pins. A relay that is still on counts as on until `now`."""
    found: list[Pulse] = []
    on_at: float | None = None
    lines = pins.read_text(encoding="utf-8").splitlines() if pins.exists() else []
    for record in map(json.loads, lines):
        starts = "start" in record
        if not starts and record["pin"] != RELAY:
            continue
        if not starts and record["high"]:
            on_at = record["mono"] if on_at is None else on_at
        elif on_at is not None:
            found.append(Pulse(on_at, record["mono"], died=starts))
            on_at = None
    return found if on_at is None else [*found, Pulse(on_at, now)]


def journal(path: Path) -> list[tuple[int, bytes, bool]]:
    """Number, payload and whether the broker acknowledged it, of each event; once the door has ended."""
    with sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=0) as db:
        rows = db.execute("SELECT seq, payload, acknowledged FROM events ORDER BY seq").fetchall()
    db.close()
    return [(seq, payload, bool(acknowledged)) for seq, payload, acknowledged in rows]


def openings(events: Iterable[DoorEvent], utc_minus_mono: float) -> list[Opening]:
    """Each unlock with its end. Two unlocks in a row leave the first without one."""
    found: list[Opening] = []
    on: DoorEvent | None = None
    for event in events:
        if event.event_type is EventType.UNLOCKED:
            if on is not None:
                found.append(_opening(on, None, utc_minus_mono))
            on = event
        elif event.event_type in (EventType.LOCKED, EventType.JAMMED) and on is not None:
            found.append(_opening(on, event, utc_minus_mono))
            on = None
    return found if on is None else [*found, _opening(on, None, utc_minus_mono)]


def _opening(on: DoorEvent, off: DoorEvent | None, utc_minus_mono: float) -> Opening:
    return Opening(on, off, on.at - utc_minus_mono, None if off is None else off.at - utc_minus_mono)


@dataclass(frozen=True)
class Difference:
    """`excused` where the door was killed between writing of the relay and switching it, so that its journal
    errs to the safe side.
    """

    text: str
    excused: bool = False


def compare(done: Sequence[Pulse], told: Sequence[Opening], killed_at: Sequence[float]) -> list[Difference]:
    """Go through pulses and openings side by side, by time."""
    found: list[Difference] = []
    i = j = 0
    while i < len(done) or j < len(told):
        pulse, opening = done[i] if i < len(done) else None, told[j] if j < len(told) else None
        if pulse is not None and opening is not None and opening.from_s <= pulse.on_at < _until(told, j):
            found += _ends(pulse, opening, killed_at)
            i, j = i + 1, j + 1
        elif pulse is not None and (opening is None or pulse.on_at < opening.from_s):
            found.append(Difference(f"the relay was on at {pulse.on_at:.2f} for {pulse.length_s:.2f} s; untold"))
            i += 1
        elif opening is not None:
            found.append(_never_on(opening, killed_at))
            j += 1
    return found


def _until(told: Sequence[Opening], j: int) -> float:
    """A pulse that begins later is not that of the opening `j`."""
    following = told[j + 1].on_at if j + 1 < len(told) else float("inf")
    off_at = told[j].off_at
    return following if off_at is None else min(off_at + CLOCKS_S, following)


def _never_on(told: Opening, killed_at: Sequence[float]) -> Difference:
    excused = told.cause is Cause.RESTART and _soon(told.on_at, killed_at)
    return Difference(f"told, but the relay was not on: {told}", excused)


def _ends(done: Pulse, told: Opening, killed_at: Sequence[float]) -> list[Difference]:
    if told.off_at is None:
        return [Difference(f"the relay went off at {done.off_at:.2f}; untold: {told}")]
    if (told.cause is Cause.RESTART) is not done.died:
        excused = told.cause is Cause.RESTART and _soon(done.off_at, killed_at)
        how = "at the start of the next process" if done.died else "by its own door"
        return [Difference(f"the relay went off {how} at {done.off_at:.2f}, but: {told}", excused)]
    if not -CLOCKS_S <= told.off_at - done.off_at <= (float("inf") if done.died else LATE_S):
        return [Difference(f"the relay went off at {done.off_at:.2f}, told for {told.off_at:.2f}: {told}")]
    return []


def _soon(at: float, killed_at: Sequence[float]) -> bool:
    """Whether the door was killed just after."""
    return any(-CLOCKS_S <= kill - at <= KILLED_S for kill in killed_at)


def delays_s(done: Sequence[Pulse], told: Sequence[Opening]) -> list[float]:
    """From the event on disk to the relay that goes on, for each pulse that was told of."""
    befores = (max((o.on_at for o in told if o.from_s <= pulse.on_at), default=None) for pulse in done)
    return [pulse.on_at - before for pulse, before in zip(done, befores, strict=True) if before is not None]


def too_long(done: Iterable[Pulse], max_hold_s: float, killed_at: Sequence[float]) -> list[str]:
    """Pulses of more than `max_hold_s`. One whose door was killed counts up to the kill: from then on no
    program drives the pin.
    """
    found = []
    for pulse in done:
        kill = min((at for at in killed_at if pulse.on_at <= at <= pulse.off_at), default=pulse.off_at)
        length_s = (kill if pulse.died else pulse.off_at) - pulse.on_at
        if length_s > max_hold_s + SLACK_S:
            found.append(f"the relay was on at {pulse.on_at:.2f} for {length_s:.2f} s; max_hold_s is {max_hold_s:g}")
    return found


def unheard(kept: Sequence[tuple[int, bytes, bool]], heard: Iterable[bytes]) -> list[str]:
    """Where what was heard differs from the journal: it may be heard again, but not otherwise or out of turn."""
    found, wanted, got = [], {seq: payload for seq, payload, _ in kept}, list[int]()
    for payload in heard:
        seq = DoorEvent.decode(payload).seq
        if seq is None or wanted.get(seq) != payload:
            found.append(f"heard, but not in the journal like this: {payload.decode()}")
        elif seq not in got:
            got.append(seq)
    found += [f"not heard: {payload.decode()}" for seq, payload in wanted.items() if seq not in got]
    found += [] if got == sorted(got) else ["first heard out of turn"]
    return found
