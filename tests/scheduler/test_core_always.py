"""What is true of a door whatever happens before it: frames lost, late, twice, out of order; clocks that jump."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from agents.wire.identity import Face, Identity
from agents.wire.messages import Outcome
from agents.wire.why import Why
from tests.scheduler.gates import SESSION, STRANGER, Scene, face
from tests.scheduler.street import Street

Faces = Sequence[str | Face | None]
PLAIN: list[Faces] = [["Ana"], ["Ana"], ["Ana"], ["Bob"], ["Ana", "Bob"], ["Ana", STRANGER], [STRANGER], []]
VIEWS: list[Faces] = [
    *PLAIN,
    [face("Ana", track=1)], [face("Ana", track=2)], [face(STRANGER, track=1)],
    [face("Bob", track=1), face("Ana", track=2)], [face("Ana", 0.2, 1), face("Ana", 0.3, 2)],
]  # fmt: skip


def close(street: Street) -> None:
    street.rules.closed = not street.rules.closed


def ask(street: Street) -> None:
    street.rules.asking = not street.rules.asking


def keep_out(street: Street) -> None:
    street.rules.against = {} if street.rules.against else {"Ana": Why.HOLIDAY}


def lose_time(street: Street) -> None:
    street.utc_is_set = not street.utc_is_set


def door(street: Street) -> None:
    street.gate.session = SESSION if street.gate.session is None else None


SWITCHES: list[Callable[[Street], object]] = [
    close, ask, keep_out, lose_time, door,
    lambda street: street.switch(not street.standing.is_enabled("front")),
    lambda street: street.away(not street.standing.away),
    lambda street: street.admit("Ana", for_s=2.0),
    lambda street: street.say("YES"),
    lambda street: street.say("YES"),
    lambda street: street.say("YES", bare=True),
    lambda street: street.say("NO"),
    lambda street: street.say("YES", back=2),
]  # fmt: skip
MISHAPS: list[Callable[[Street], object]] = [
    lambda street: street.see("Ana", age_s=1.9),
    lambda street: street.see("Ana", age_s=-0.9),
    lambda street: street.see("Ana", age_s=3.0),
    lambda street: street.see("Ana", age_s=-5.0),
    lambda street: street.deliver_again(1),
    lambda street: street.deliver_again(2),
    lambda street: street.deliver_again(4),
    lambda street: street.hold_back("Ana"),
    Street.release,
    lambda street: street.jump(-3600.0),
    lambda street: street.jump(-1.5),
    lambda street: street.jump(1.5),
]


def see(view: Faces, times: int = 1, camera: str = "front") -> Callable[[Street], None]:
    return lambda street: street.watch(*view, frames=times, camera=camera)


def wait(s: float) -> Callable[[Street], None]:
    def waits(street: Street) -> None:
        street.wait(s)
        street.tick()

    return waits


def visit(*people: str | None, answer: str | None = None) -> Callable[[Street], None]:
    """They come, may be asked about, and leave."""

    def visits(street: Street) -> None:
        street.watch(*people, frames=2)
        if answer is not None:
            street.say(answer)
            street.see(*people)
        street.leave()

    return visits


def alternate(*views: Faces, camera: str = "back") -> Callable[[Street], None]:
    """Now these are seen, now those."""

    def alternates(street: Street) -> None:
        for i in range(12):
            street.see(*views[i % len(views)], camera=["front", camera][i % 2])

    return alternates


MIXTURES = st.sampled_from(
    [
        alternate(["Ana"], ["Ana"]), alternate(["Ana"], [STRANGER]), alternate(["Ana"], ["Bob"], camera="front"),
        alternate(["Ana"], [STRANGER], ["Bob"], camera="front"),
    ]
)  # fmt: skip
VISITS = st.sampled_from([visit(STRANGER), visit("Ana"), visit("Ana", answer="YES"), visit("Bob", answer="NO")])
SIGHTS, PLAIN_SIGHTS = (
    st.builds(see, st.sampled_from(views), st.sampled_from([1, 2, 2, 5]), st.sampled_from(["front", "front", "back"]))
    for views in (VIEWS, PLAIN)
)
WAITS = st.builds(wait, st.sampled_from([0.0, 1.0, 2.1, 2.1, 4.0, 31.0]))
HAPPENINGS = SIGHTS | SIGHTS | VISITS | MIXTURES | WAITS | st.sampled_from(SWITCHES) | st.sampled_from(MISHAPS)
EVIDENCE = st.sampled_from([(2, 3), (2, 2), (1, 1), (3, 5)])
POLICIES = st.fixed_dictionaries(
    {
        "evidence": st.builds(
            lambda of, faces, within_s: {"frames": of[0], "of": of[1], "faces": faces, "within_s": within_s},
            EVIDENCE, st.sampled_from(["any_known", "any_known", "all_known", "single"]), st.sampled_from([5.0, 0.5]),
        ),
        "patience_s": st.sampled_from([3.0, 0.0]),
        "grants_per_minute": st.sampled_from([30, 1]),
        "cool_down_s": st.sampled_from([3.0, 0.0]),
        "asking": st.booleans(),
    }
)  # fmt: skip


@settings(deadline=None, max_examples=400)
@given(happenings=st.lists(HAPPENINGS, min_size=10, max_size=60), policy=POLICIES)
def test_whatever_happens_no_door_opens_without_its_evidence_its_rules_and_its_limits(
    happenings: list[Callable[[Street], object]], policy: dict[str, Any]
) -> None:
    street = Street(**policy)
    for happens in happenings:
        happens(street)
    street.stop()
    street.check_stays()


@settings(deadline=None, max_examples=200)
@given(happenings=st.lists(PLAIN_SIGHTS | WAITS | st.sampled_from(SWITCHES), min_size=10, max_size=60), policy=POLICIES)
def test_every_stay_of_more_than_a_frame_is_decided(
    happenings: list[Callable[[Street], object]], policy: dict[str, Any]
) -> None:
    """Where no face is followed: one that is stays for longer than it is named."""
    street = Street(**policy)
    for happens in happenings:
        happens(street)
    street.stop()
    seen: dict[tuple[str, str | None, int], int] = {}
    for (id_, person), number in street.stay_of.items():
        stay = street.delivered[id_].camera, person, number
        seen[stay] = seen.get(stay, 0) + 1
    for stay, frames in seen.items():
        elsewhere = any(grant.person == stay[1] and camera != stay[0] for grant, camera, _ in street.granted)
        if frames > 1 and not elsewhere:
            assert any(street.decided[stay, outcome] for outcome in Outcome), stay


# The same frames, but some twice, or not at all

STEP = st.tuples(
    st.sampled_from(VIEWS), st.sampled_from([0.1, 0.1, 0.5, 2.1]), st.sampled_from([0.0, 0.4, 1.9, 3.0, 12.0])
)
STEPS = st.lists(STEP, min_size=2, max_size=25)


def play(scene: Scene, steps: Sequence[tuple[Faces, float, float]], extra: Callable[[int], Sequence[int]]) -> None:
    """Each step's frame arrives, of that age; and then the earlier ones that `extra` names, once more."""
    sent: list[Identity] = []
    for i, (view, wait_s, age_s) in enumerate(steps):
        scene.wait(wait_s)
        scene.tick()
        sent.append(scene.frame(*view, age_s=age_s))
        scene.deliver(sent[-1])
        for again in extra(i):
            scene.deliver(sent[again])
    scene.note(scene.gate.stop(scene.now))


@settings(deadline=None, max_examples=150)
@given(steps=STEPS, data=st.data())
def test_frames_that_come_twice_at_once_or_late_never_change_what_is_decided(
    steps: list[tuple[Faces, float, float]], data: st.DataObject
) -> None:
    once, twice = Scene(), Scene()
    play(once, steps, lambda _: [])
    play(twice, steps, lambda i: data.draw(st.lists(st.integers(0, i), max_size=2)))
    assert twice.effects == once.effects


@settings(deadline=None, max_examples=150)
@given(steps=STEPS, data=st.data())
def test_frames_that_are_lost_let_nobody_in_who_was_not_let_in_with_all_of_them(
    steps: list[tuple[Faces, float, float]], data: st.DataObject
) -> None:
    """Where all frames are looked at. With fewer of them, or `single`, a lost frame may have been the stranger's."""
    policy: dict[str, Any] = {"evidence": {"frames": 2, "of": 30}, "lock_out": None, "grants_per_minute": 1000}
    every, some = Scene(**policy), Scene(**policy)
    play(every, steps, lambda _: [])
    lost = data.draw(st.sets(st.integers(0, len(steps) - 1)))
    rest: list[tuple[Faces, float, float]] = [
        ([] if i in lost else view, wait_s, age_s) for i, (view, wait_s, age_s) in enumerate(steps)
    ]
    play(some, rest, lambda _: [])
    assert set(some.let_in) <= set(every.let_in)
