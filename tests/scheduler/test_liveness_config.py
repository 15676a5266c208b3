"""What may be said of liveness in the house's file, and where it is off."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from agents.scheduler.config import DoorPolicy, Loc, SchedulerSettings
from agents.scheduler.liveness_config import ChallengeTexts, Liveness
from agents.scheduler.rules import Rules
from agents.wire.liveness import HeadAction
from tests.scheduler.gates import FRIDAY_NOON

WINDOW = {"who": "everybody", "days": "mon-sun", "from": "00:00", "to": "24:00"}


def liveness(said: Any) -> Liveness:
    return Liveness.model_validate(said)


def house(said: Any = None, *windows: Any, special: Any = None) -> SchedulerSettings:
    """Doors `front`, of which this is said, and `back`, of which nothing is."""
    door: dict[str, Any] = {"cameras": ["porch"], "windows": [{**WINDOW, "liveness": one} for one in windows]}
    doors = {"front": door if said is None else {**door, "liveness": said}, "back": {"cameras": ["porch"]}}
    days = [] if special is None else [{"date": "2026-12-24", "open": [{**OPENING, "liveness": special}]}]
    return SchedulerSettings.model_validate({"timezone": "UTC", "doors": doors, "exceptions": days})


OPENING = {key: value for key, value in WINDOW.items() if key != "days"}


def test_a_door_of_which_nothing_is_said_wants_life_and_asks_in_doubt() -> None:
    policy = DoorPolicy(cameras=["porch"]).liveness
    assert (policy.check, policy.challenge, policy.within_s, policy.attempts) == ("required", "doubtful", 8.0, 2)
    assert policy.actions == ["turn_left", "turn_right", "nod"]


@pytest.mark.parametrize(
    ("word", "check", "challenge"),
    [("off", "off", "never"), ("required", "required", "doubtful"), ("challenge", "required", "always")],
)
def test_a_word_says_all_of_it(word: str, check: str, challenge: str) -> None:
    assert (liveness(word).check, liveness(word).challenge) == (check, challenge)
    door = liveness({"check": "off", "challenge": "never", "attempts": 5})
    changed = door.changed_by(liveness(word))
    assert (changed.check, changed.challenge, changed.attempts) == (check, challenge, 5)


def test_a_window_changes_only_what_it_says() -> None:
    settings = house({"challenge": "always", "within_s": 5.0}, {"attempts": 1}, "off")
    assert list(settings.conflicts()) == []
    ruling = Rules(settings, lambda _: None).judge("front", "Ana", FRIDAY_NOON.timestamp())
    assert (ruling.liveness.challenge, ruling.liveness.within_s, ruling.liveness.attempts) == ("always", 5.0, 1)


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        (False, "valid dictionary"),  # what another reader of YAML makes of `off`
        (None, "valid dictionary"),
        ("on", "off, required, challenge"),
        ({"check": "no"}, "check"),
        ({"challenge": "sometimes"}, "challenge"),
        ({"within_s": 2.9}, "within_s"),
        ({"within_s": 31}, "within_s"),
        ({"attempts": 0}, "attempts"),
        ({"attempts": 6}, "attempts"),
        ({"actions": ["nod"]}, "actions"),
        ({"actions": ["nod", "nod"]}, "twice"),
        ({"actions": ["nod", "smile"]}, "actions"),
        ({"spoof": True}, "Extra inputs"),
    ],
)
def test_what_is_no_policy_is_refused(said: Any, complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        liveness(said)


CONTRADICTION = "check is off, so an action must not be asked for always (challenge)"


@pytest.mark.parametrize(
    ("settings", "loc"),
    [
        (house({"check": "off", "challenge": "always"}), ("doors", "front", "liveness")),
        (house("off", {"challenge": "always"}), ("doors", "front", "windows", 0, "liveness")),
        (house(None, special={"check": "off", "challenge": "always"}), ("exceptions", 0, "open", 0, "liveness")),
    ],
)
def test_an_action_that_is_always_asked_for_and_wanted_by_nobody_is_a_conflict(
    settings: SchedulerSettings, loc: Loc
) -> None:
    assert list(settings.conflicts()) == [(loc, CONTRADICTION)]


def test_off_is_named_with_its_doors_and_its_place() -> None:
    settings = house("required", "off", "required", special="off")
    assert list(settings.without_liveness()) == [
        ("front", ("doors", "front", "windows", 0, "liveness")),
        ("front", ("exceptions", 0, "open", 0, "liveness")),
        ("back", ("exceptions", 0, "open", 0, "liveness")),
    ]
    assert settings.liveness_problem == "liveness is off: a photograph can open front, back"
    assert house("challenge", "required").liveness_problem is None


@pytest.mark.parametrize(
    ("settings", "within_s"),
    [
        (house(), 8.0),
        (house("off"), None),
        (house({"check": "off"}), None),
        (house({"challenge": "never"}), None),
        (house("off", {"check": "required", "challenge": "doubtful", "within_s": 12.0}), 12.0),
        (house({"within_s": 5.0}, {"within_s": 12.0}), 12.0),
    ],
)
def test_how_long_a_challenge_of_a_door_may_take(settings: SchedulerSettings, within_s: float | None) -> None:
    assert settings.challenges_s("front") == within_s
    assert settings.challenges_s("back") == 8.0


def test_every_action_has_words_and_one_may_be_said_otherwise() -> None:
    texts = ChallengeTexts.model_validate({"nod": "Bitte nicken"})
    assert texts.of(HeadAction.NOD) == "Bitte nicken"
    assert texts.of(HeadAction.TURN_LEFT) == "Please turn your head to your left"
    assert len({texts.of(action) for action in HeadAction}) == len(HeadAction)


@pytest.mark.parametrize("said", [{"nod": ""}, {"nod": "x" * 201}, {"smile": "Smile"}])
def test_words_that_say_nothing_too_much_or_what_nobody_asks_for_are_refused(said: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        ChallengeTexts.model_validate(said)
