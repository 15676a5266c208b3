"""The demo's story: seven visits, each with the end it should have."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import quantiles
from typing import Any

from agents.wire.messages import Action, Cause, DoorEvent, EventType, Outcome, Switch
from agents.wire.scheduling import Decision
from agents.wire.topics import COMMAND, WINDOW
from agents.wire.why import Why
from demo.follower import Follower, Story
from demo.house import HIM, PERSON, DemoHouse, HouseFailed, later

START_S = 60.0  # a Raspberry Pi takes its time to load the models
VISIT_S = 30.0
PULSE_S = 15.0


def tell(house: DemoHouse, follower: Follower, say: Callable[[str], None]) -> dict[str, Any]:
    """Tell it all. Returns the figures. Raises HouseFailed at the first thing that goes wrong."""

    def act(title: str) -> None:
        say(f"{time.strftime('%H:%M:%S')}      -- {title}")

    wait_until_ready(house, follower)
    act(f"{HIM}, enrolled from photographs of another day, comes to the door")
    known_person(house, follower, "known", HIM)
    act("a stranger comes")
    denied(house, follower, "stranger", Why.UNKNOWN_PERSON)
    act(f"two people stand there: {HIM} and somebody nobody knows")
    known_person(house, follower, "pair", HIM)
    act(f"somebody holds up a telephone with a photograph of {HIM}")
    denied(house, follower, "phone", Why.SPOOF, Why.CHALLENGE_FAILED)
    act(f"{HIM} himself comes")
    known_person(house, follower, "known", HIM)
    act("the owner closes for today, and restarts the scheduler")
    close_for_today(house, follower)
    act(f"{HIM} comes outside working hours")
    denied(house, follower, "known", Why.OUTSIDE_WINDOW)
    topic = COMMAND.at(house.settings.mqtt.base, "front")
    act(f"somebody sends: mosquitto_pub -t {topic} -m {Action.UNLOCK}")
    by_command(house, follower, topic)
    return figures(follower.story)


def wait_until_ready(house: DemoHouse, follower: Follower) -> None:
    """All agents online and the first picture looked at."""
    wanted = set(house.settings.agents)
    follower.wait("all agents online", lambda story: wanted <= story.online, START_S)
    follower.wait("a first picture looked at", lambda story: bool(story.identities), START_S)


def known_person(house: DemoHouse, follower: Follower, scene: str, person: str = PERSON) -> None:
    """Somebody known comes, and does what he is asked to: one grant, the relay on for it, and off again."""
    before, asked = len(follower.story.events), len(follower.story.challenges)
    house.show(scene)
    granted = _new(follower, Outcome.GRANTED)

    def found(story: Story) -> Decision | None:
        nonlocal asked
        if len(story.challenges) > asked:
            asked = len(story.challenges)
            house.show(f"{scene}-{story.challenges[-1].action}")
        return granted(story)

    decision = follower.wait("a grant", found, VISIT_S)
    if decision.person != person:
        raise HouseFailed(f"the door was opened for {decision.person}, not for {person}")
    opened = follower.wait("the relay on", lambda story: _event(story, before, EventType.UNLOCKED), PULSE_S)
    if opened.id != decision.id or opened.cause is not Cause.GRANT:
        raise HouseFailed(f"the door opened, but not because of this visit: {opened}")
    follower.wait("the relay off", lambda story: _event(story, before, EventType.LOCKED), PULSE_S)
    leave(house, follower)


def denied(house: DemoHouse, follower: Follower, scene: str, *why: Why) -> None:
    """Somebody comes and stays outside, for one of these reasons."""
    pulses = len(follower.story.pulses)
    house.show(scene)
    decision = follower.wait("a denial", _new(follower, Outcome.DENIED), VISIT_S)
    if decision.reason not in why:
        raise HouseFailed(f"denied because of {decision.reason}, not of {' or '.join(why)}")
    follower.stay(1.5)
    leave(house, follower)
    if len(follower.story.pulses) != pulses:
        raise HouseFailed("the door opened all the same")


def leave(house: DemoHouse, follower: Follower) -> None:
    """The hallway is empty for long enough to end the visit."""
    house.show("hallway")
    follower.wait("an empty picture", lambda story: not story.identities[-1].faces, VISIT_S)
    follower.stay(house.settings.scheduler.doors["front"].visit_gap_s + 0.5)


def close_for_today(house: DemoHouse, follower: Follower) -> None:
    house.set_windows(later())
    house.supervisor("restart", "scheduler")
    closed = Switch.OFF.encode()
    follower.wait("working hours closed", lambda _: follower.state(WINDOW, "front") == closed, START_S)
    follower.wait("the scheduler back", lambda story: set(house.settings.agents) <= story.online, START_S)


def by_command(house: DemoHouse, follower: Follower, topic: str) -> None:
    before = len(follower.story.events)
    house.send(topic, Action.UNLOCK)
    opened = follower.wait("the relay on", lambda story: _event(story, before, EventType.UNLOCKED), PULSE_S)
    if opened.cause is not Cause.COMMAND:
        raise HouseFailed(f"the door opened, but not because of the command: {opened}")
    follower.wait("the relay off", lambda story: _event(story, before, EventType.LOCKED), PULSE_S)


def figures(story: Story) -> dict[str, Any]:
    """What the last line of the demo says. Milliseconds count from the first frame with a face."""
    found = {
        "granted": story.count(Outcome.GRANTED),
        "denied": story.count(Outcome.DENIED),
        "pulses": len(story.pulses),
        "challenges": len(story.challenges),
        "frame_to_relay_ms": percentiles(story.frame_to_relay_ms(first=True)),
        "deciding_frame_to_relay_ms": percentiles(story.frame_to_relay_ms(first=False)),
    }
    if (found["granted"], found["denied"], found["pulses"]) != (3, 4, 4):
        raise HouseFailed(f"more or less happened than the story has: {found}")
    return found


def percentiles(values: list[float]) -> dict[str, float]:
    """Median and 95th percentile, rounded to a tenth."""
    cut = quantiles(values * 2 if len(values) == 1 else values, n=20, method="inclusive")
    return {"p50": round(cut[9], 1), "p95": round(cut[18], 1), "n": len(values)}


def _new(follower: Follower, outcome: Outcome) -> Callable[[Story], Decision | None]:
    """The first decision from now on, if it is of this outcome; another one fails the story."""
    before = len(follower.story.decisions)

    def found(story: Story) -> Decision | None:
        decision = next(iter(story.decisions[before:]), None)
        if decision is not None and decision.outcome is not outcome:
            raise HouseFailed(f"expected {outcome}, got {decision.outcome}: {decision.reason}")
        return decision

    return found


def _event(story: Story, before: int, kind: EventType) -> DoorEvent | None:
    return next((event for event in story.events[before:] if event.event_type is kind), None)
