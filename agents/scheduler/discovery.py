"""The scheduler as Home Assistant is told of it, and what it says of each door."""

from __future__ import annotations

from math import ceil

from agents.discovery.common import link
from agents.discovery.device import Device, Entity
from agents.discovery.household import Household
from agents.scheduler.config import SchedulerSettings
from agents.wire.messages import Outcome, Switch
from agents.wire.scheduling import YesNo
from agents.wire.topics import (
    ANSWER,
    AWAY,
    AWAY_SET,
    CHALLENGE,
    DECISION,
    ENABLED,
    ENABLED_SET,
    LAST,
    LET_IN,
    LET_IN_SET,
    QUESTION,
    QUESTION_SNAPSHOT,
    WINDOW,
    Topic,
)
from agents.wire.why import Why

Config = dict[str, object]

# Home Assistant shows no more than 255 characters, and of a longer state none
WHO_IS_LET_IN = (
    "{{ value_json.people | map(attribute='person') | join(', ') | truncate(255, true, '…', 0) or 'nobody' }}"
)
# One that waited somewhere must not be the answer to the next question.
ANSWER_ORDER = '{"answer":"{{ value }}","ts":{{ now().timestamp() }},"source":"homeassistant"}'
# `Petra until 22:00`, with who asks; what is no such order goes as it is, and is refused
LET_IN_ORDER = (
    "{% set words = value.rsplit(' until ', 1) %}"
    "{{ {'person': words[0] | trim, 'until': words[1] | trim, 'source': 'homeassistant'} | tojson"
    " if words | length == 2 else value }}"
)


def devices(settings: SchedulerSettings, home: Household) -> list[Device]:
    """Its own; and for each door more of the device that the door itself tells of."""
    links = (link(home, "scheduler", settings.id),)
    away = _switch("Away", "mdi:home-export-outline", AWAY, AWAY_SET, home, settings.id)
    own = Device(home.node("scheduler", settings.id), home.the_scheduler(), (Entity("switch", "away", away, links),))
    return [own, *(_door(door, settings, links, home) for door in settings.doors)]


def _door(door: str, settings: SchedulerSettings, links: tuple[str, ...], home: Household) -> Device:
    entities = [
        ("switch", "face_unlock", _switch("Face unlock", "mdi:face-recognition", ENABLED, ENABLED_SET, home, door)),
        ("binary_sensor", "window", _window(door, home)),
        ("event", "access", _access(door, home)),
        ("text", "let_in", _let_in(door, home)),
        ("sensor", "last_person", _last("Last person", "value_json.person or 'stranger'", "mdi:account", door, home)),
        ("sensor", "last_decision", _last_decision(door, home)),
        ("sensor", "last_decision_at", _last_decision_at(door, home)),
        *(_questions(door, home) if settings.asks_people(door) else ()),
        *_challenges(door, settings.challenges_s(door), home),
        *(("device_automation", f"trigger_{outcome}", _trigger("outcome", outcome, door, home)) for outcome in Outcome),
        ("device_automation", "trigger_spoof", _trigger("reason", Why.SPOOF, door, home)),
        ("tag", "came", _came(door, home)),
    ]
    told = tuple(Entity(component, key, config, links) for component, key, config in entities)
    return Device(home.node("scheduler", settings.id, door), home.door(door), told)


def _switch(title: str, icon: str, state: Topic, order: Topic, home: Household, name: str) -> Config:
    return {
        "name": title,
        "icon": icon,
        "state_topic": state.at(home.base, name),
        "state_on": Switch.ON,
        "state_off": Switch.OFF,
        "command_topic": order.at(home.base, name),
        "payload_on": _order(state=Switch.ON),
        "payload_off": _order(state=Switch.OFF),
    }


def _window(door: str, home: Household) -> Config:
    return {
        "name": "Working hours",
        "icon": "mdi:calendar-clock",
        "state_topic": WINDOW.at(home.base, door),
        "payload_on": Switch.ON,
        "payload_off": Switch.OFF,
    }


def _access(door: str, home: Household) -> Config:
    """Everything that the decision says, and its outcome as the event's type."""
    return {
        "name": "Access",
        "icon": "mdi:shield-account",
        "state_topic": DECISION.at(home.base, door),
        "event_types": list(Outcome),
        "value_template": "{{ dict(value_json, event_type=value_json.outcome) | tojson }}",
    }


def _let_in(door: str, home: Household) -> Config:
    """Shows who is let in for once; what is written into it is the order: `Petra until 22:00`."""
    return {
        "name": "Let in",
        "icon": "mdi:account-clock",
        "entity_category": "config",
        "state_topic": LET_IN.at(home.base, door),
        "value_template": WHO_IS_LET_IN,
        "command_topic": LET_IN_SET.at(home.base, door),
        "command_template": LET_IN_ORDER,
        "min": 0,
        "max": 255,
    }


def _last(title: str, value: str, icon: str, door: str, home: Household) -> Config:
    return {
        "name": title,
        "icon": icon,
        "state_topic": LAST.at(home.base, door),
        "value_template": f"{{{{ {value} }}}}",
    }


def _last_decision(door: str, home: Household) -> Config:
    topic = LAST.at(home.base, door)
    more = {"json_attributes_topic": topic, "device_class": "enum", "options": list(Outcome)}
    return _last("Last decision", "value_json.outcome", "mdi:shield-key", door, home) | more


def _last_decision_at(door: str, home: Household) -> Config:
    time = _last("Last decision time", "value_json.decided_at | timestamp_utc", "mdi:clock-outline", door, home)
    return time | {"device_class": "timestamp"}


def _questions(door: str, home: Household) -> list[tuple[str, str, Config]]:
    question: Config = {
        "name": "Question",
        "icon": "mdi:account-question",
        "state_topic": QUESTION.at(home.base, door),
        "event_types": ["asked"],
        "value_template": "{{ dict(value_json, event_type='asked') | tojson }}",
    }
    who: Config = {
        "name": "Who asks",
        "icon": "mdi:account-question",
        "image_topic": QUESTION_SNAPSHOT.at(home.base, door),
        "content_type": "image/jpeg",
    }
    return [
        ("event", "question", question),
        ("image", "who_asks", who),
        ("button", "answer_yes", _answer("Let in who asks", "mdi:check", YesNo.YES, door, home)),
        ("button", "answer_no", _answer("Turn away who asks", "mdi:close", YesNo.NO, door, home)),
    ]


def _answer(title: str, icon: str, answer: YesNo, door: str, home: Household) -> Config:
    return {
        "name": title,
        "icon": icon,
        "command_topic": ANSWER.at(home.base, door),
        "command_template": ANSWER_ORDER,
        "payload_press": answer,
    }


def _challenges(door: str, within_s: float | None, home: Household) -> list[tuple[str, str, Config]]:
    """What somebody at the door is asked to do, for as long as they may do it; to be shown or said there."""
    if within_s is None:
        return []
    topic, icon = CHALLENGE.at(home.base, door), "mdi:head-question"
    told: Config = {
        "name": "Challenge",
        "icon": icon,
        "state_topic": topic,
        "value_template": "{{ value_json.text }}",
        "expire_after": ceil(within_s),
    }
    asked: Config = {
        "name": "Challenge asked",
        "icon": icon,
        "state_topic": topic,
        "event_types": ["asked"],
        "value_template": "{{ dict(value_json, event_type='asked') | tojson }}",
    }
    return [("sensor", "challenge", told), ("event", "challenge_asked", asked)]


def _trigger(key: str, word: Outcome | Why, door: str, home: Household) -> Config:
    """Where the decision says this word under that key."""
    return {
        "automation_type": "trigger",
        "type": "access",
        "subtype": str(word),
        "topic": DECISION.at(home.base, door),
        "value_template": f"{{{{ value_json.{key} }}}}",
        "payload": str(word),
    }


def _came(door: str, home: Household) -> Config:
    """A tag with the person's name is scanned whenever somebody is let in; a denial renders to nothing."""
    return {
        "topic": DECISION.at(home.base, door),
        "value_template": "{{ value_json.person if value_json.outcome == 'granted' else '' }}",
    }


def _order(**what: str) -> str:
    return "{" + "".join(f'"{key}":"{value}",' for key, value in what.items()) + '"source":"homeassistant"}'
