"""A door that is connected, orders to it, and what it made of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from agents.door.config import ContactSettings, DoorSettings, ExitButtonSettings, RelaySettings
from agents.door.core import Door
from agents.door.effects import Drive, Effect
from agents.runtime.clock import Now
from agents.wire.messages import DoorEvent, EventType
from tests.fakes import T0, after

HOLD_S, MAX_HOLD_S, REST_S, MAX_AGE_S = 3.0, 10.0, 5.0, 10.0
SETTLE_S = 0.125  # in binary without a rest, as every time here: due is due to the bit
WORD = "word-0"  # on the session topic, made at 0
RELAY = RelaySettings(pin=17, pin_factory="mock")
BUTTON = ExitButtonSettings(pin=27, debounce_s=SETTLE_S)
CONTACT = ContactSettings(pin=22, debounce_s=SETTLE_S)

YEARS_S = 86_400.0 * 365 * 10
JUMPS_S = [-YEARS_S, -86_400.0, -1.0, 1.0, 86_400.0, YEARS_S]


def door_settings(**keys: Any) -> DoorSettings:
    return DoorSettings(**{"relay": RELAY, "hold_s": HOLD_S, "max_hold_s": MAX_HOLD_S, "rest_s": REST_S, **keys})


def new_door(**keys: Any) -> Door:
    """Connected at 0, the button released, the leaf closed."""
    door = Door(door_settings(**keys))
    door.begin(pressed=False, closed=True, now=after(0))
    say_word(door, WORD, 0)
    return door


def say_word(door: Door, text: str, s: float) -> None:
    """As the agent does, every few seconds."""
    door.words.add(text, 1, after(s))
    door.words.acknowledged(1)


def command(action: str = "UNLOCK", **keys: Any) -> bytes:
    return json.dumps({"action": action, **keys}).encode()


def grant(id_: str = "g1", **keys: Any) -> bytes:
    return json.dumps({"id": id_, "session": WORD, "person": "Ana", "expires_at": T0 + 5, **keys}).encode()


def events(effects: Sequence[Effect]) -> list[DoorEvent]:
    return [effect.event for effect in effects if effect.event is not None]


def drives(effects: Sequence[Effect]) -> list[bool]:
    return [effect.on for effect in effects if isinstance(effect, Drive)]


def the_event(effects: Sequence[Effect]) -> DoorEvent:
    """The one answer that every order must get."""
    (event,) = events(effects)
    return event


def unlock(door: Door, s: float) -> DoorEvent:
    """By a bare word, on a connection that is alive."""
    if door.words.due_s(after(s)) <= 0:
        say_word(door, f"word-at-{s}", s)
    return the_event(door.command(b"UNLOCK", False, after(s)))


def unset(s: float, utc_jump_s: float = 0.0) -> Now:
    """The instant on a computer that does not know the time."""
    return replace(after(s, utc_jump_s), utc_is_set=False)


def press(door: Door, s: float, hold_s: float = SETTLE_S) -> list[bool]:
    """A button pressed at `s` and let go of; what it did to the relay."""
    driven = []
    for at, pressed in ((s, True), (s + hold_s, False)):
        door.press(pressed, after(at))
        door.sample(pressed, None, after(at + SETTLE_S))
        driven += drives(door.tick(after(at + SETTLE_S)))
    return driven


def swing(door: Door, is_open: bool, s: float) -> list[DoorEvent]:
    """The leaf moves so that its contact has settled at `s`; what is told of it."""
    door.close(not is_open, after(s - SETTLE_S))
    return events(door.tick(after(s)))


def held_to_the_last(door: Door, s: float = 0) -> None:
    """A pulse from `s` that is extended for as long as it may be."""
    for at in (0, 2, 4, 6, 8):
        assert unlock(door, s + at).event_type is not EventType.REJECTED
    assert drives(door.tick(after(s + MAX_HOLD_S))) == [False]
