"""Who may open a door, tried by somebody who may not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.runtime.clock import Now
from agents.scheduler.config import DoorPolicy
from agents.scheduler.core import Effect, Gate
from agents.wire.messages import Box, Decision, Face, Grant, Identity, Outcome, Why

ZAGREB = ZoneInfo("Europe/Zagreb")
FRIDAY_NOON = datetime(2027, 1, 15, 12, 0, tzinfo=ZAGREB)
SESSION = "session-now"
STRANGER = None


def face(person: str | None, distance: float = 0.3, track: int | None = None) -> Face:
    box = Box(left=0, top=0, width=100, height=100)
    return Face(person=person, distance=distance, margin=0.1, box=box, sharpness=50.0, track=track)


class Scene:
    """A gate, a camera that numbers its frames, and time. Effects pile up in `effects`."""

    def __init__(self, begins: datetime = FRIDAY_NOON, **policy: object) -> None:
        self.policy = DoorPolicy.model_validate({"cameras": ["front", "back"], **policy})
        self.gate = Gate("front", self.policy, ZAGREB)
        self.gate.session = SESSION
        self.utc, self.mono, self.seq = begins.timestamp(), 5000.0, 0
        self.effects: list[Effect] = []

    @property
    def now(self) -> Now:
        return Now(self.utc, self.mono)

    def wait(self, s: float) -> None:
        self.utc += s
        self.mono += s

    def frame(self, *people: str | Face | None, camera: str = "front", age_s: float = 0.0) -> Identity:
        """The next frame of a camera, captured `age_s` ago."""
        self.seq += 1
        faces = tuple(p if isinstance(p, Face) else face(p) for p in people)
        captured_at = self.utc - age_s
        return Identity(id=f"{camera}:{self.seq}", camera=camera, captured_at=captured_at, seq=self.seq, faces=faces)

    def deliver(self, identity: Identity) -> Sequence[Effect]:
        effects = self.gate.seen(identity, self.now)
        self.effects += effects
        return effects

    def see(self, *people: str | Face | None, camera: str = "front", age_s: float = 0.0) -> Sequence[Effect]:
        """A fresh frame arrives, a tenth of a second after the one before."""
        self.wait(0.1)
        return self.deliver(self.frame(*people, camera=camera, age_s=age_s))

    def tick(self) -> Sequence[Effect]:
        effects = self.gate.tick(self.now)
        self.effects += effects
        return effects

    def leave(self, s: float = 2.1) -> Sequence[Effect]:
        self.wait(s)
        return self.tick()

    @property
    def told(self) -> list[tuple[str | None, Why]]:
        return [(e.person, e.reason) for e in self.effects if isinstance(e, Decision)]

    @property
    def let_in(self) -> list[str]:
        return [e.person for e in self.effects if isinstance(e, Grant)]


# Enough evidence


def test_one_frame_never_suffices() -> None:
    scene = Scene()
    scene.see("Ana")
    scene.leave()
    assert scene.effects == []


def test_the_second_agreeing_frame_grants_in_the_session_of_the_door() -> None:
    scene = Scene()
    scene.see("Ana")
    began_at = scene.utc
    decision, grant = scene.see(face("Ana", 0.25))
    assert decision == Decision(
        id="front:2",
        door="front",
        camera="front",
        outcome=Outcome.GRANTED,
        reason=Why.CONFIRMED,
        person="Ana",
        distance=0.25,
        began_at=began_at,
        captured_at=scene.utc,
        decided_at=scene.utc,
    )
    assert grant == Grant(id="front:2", session=SESSION, person="Ana", expires_at=scene.utc + 5)


@pytest.mark.parametrize(
    ("people", "let_in"),
    [
        (["Ana", STRANGER, "Ana"], ["Ana"]),
        (["Ana", "Bob", "Ana"], ["Ana"]),
        (["Ana", STRANGER, STRANGER, "Ana"], []),
        (["Ana", "Bob", "Cem", "Ana", "Bob", "Cem"], []),
        ([STRANGER, "Ana", STRANGER, STRANGER, "Ana", STRANGER], []),
    ],
)
def test_two_of_the_last_three_frames_with_a_face_must_agree(people: list[str | None], let_in: list[str]) -> None:
    scene = Scene()
    for person in people:
        scene.see(person)
    assert scene.let_in == let_in


def test_frames_without_a_face_do_not_count_against_anybody() -> None:
    scene = Scene()
    for people in (["Ana"], [], [], [], ["Ana"]):
        scene.see(*people)
    assert scene.let_in == ["Ana"]


@pytest.mark.parametrize(("frames", "of"), [(1, 1), (3, 3), (5, 8)])
def test_as_many_frames_as_the_policy_asks_for(frames: int, of: int) -> None:
    scene = Scene(confirm={"frames": frames, "of": of})
    for _ in range(frames - 1):
        assert scene.see("Ana") == []
    scene.see("Ana")
    assert scene.let_in == ["Ana"]


def test_two_faces_with_one_name_in_one_frame_are_one_vote_for_the_nearer() -> None:
    scene = Scene()
    assert scene.see(face("Ana", 0.4), face("Ana", 0.2), face("Ana", 0.3)) == []
    decision, _ = scene.see(face("Ana", 0.4), face("Ana", 0.2))
    assert isinstance(decision, Decision)
    assert decision.distance == 0.2


# Evidence that does not count


def test_two_faces_that_each_look_like_ana_once_are_not_ana_twice() -> None:
    scene = Scene()
    scene.see(face("Ana", track=1), None)
    scene.see(None, face("Ana", track=2))
    assert scene.let_in == []
    scene.see(None, face("Ana", track=2))
    assert scene.let_in == ["Ana"]


def test_the_same_frame_again_never_counts_however_often_it_comes() -> None:
    scene = Scene()
    first = scene.frame("Ana")
    for _ in range(10):
        scene.deliver(first)
        scene.wait(0.1)
    assert scene.let_in == []
    assert scene.gate.repeated == 9


@pytest.mark.parametrize(
    "change",
    [{"captured_at": 0.0, "seq": 1}, {"captured_at": 0.1, "seq": 0}, {"captured_at": -0.1, "seq": 1}],
    ids=["the same time with a new number", "the same number with a new time", "older than the one before"],
)
def test_a_frame_must_have_a_new_number_and_a_later_time(change: dict[str, float]) -> None:
    scene = Scene()
    first = scene.frame("Ana", age_s=0.5)
    scene.deliver(first)
    second = {"captured_at": first.captured_at + change["captured_at"], "seq": first.seq + int(change["seq"])}
    scene.deliver(first.model_copy(update={**second, "id": "front:x"}))
    assert scene.let_in == []
    assert scene.gate.repeated == 1


@pytest.mark.parametrize(("age_s", "counts"), [(2.0, True), (2.001, False), (-1.0, True), (-1.001, False), (60, False)])
def test_stale_frames_and_frames_from_the_future_never_count(age_s: float, counts: bool) -> None:
    scene = Scene(begins=datetime(2027, 1, 15, 12, 0, tzinfo=ZAGREB))
    scene.utc = float(int(scene.utc))
    for _ in range(4):
        scene.wait(1.0)
        captured_at = scene.utc - age_s
        scene.seq += 1
        scene.deliver(scene.frame("Ana").model_copy(update={"captured_at": captured_at}))
    assert scene.let_in == (["Ana"] if counts else [])
    assert scene.gate.stale == (0 if counts else 4)


def test_a_vote_that_was_fresh_when_it_came_does_not_count_for_ever() -> None:
    scene = Scene(visit_gap_s=60.0, confirm={"within_s": 5.0})
    scene.see("Ana", age_s=0.5)
    scene.wait(4.5)
    scene.see("Ana", age_s=0.5)
    assert scene.let_in == []
    scene.see("Ana")
    assert scene.let_in == ["Ana"]


def test_a_machine_that_looks_at_a_frame_in_one_and_a_half_seconds_confirms_too() -> None:
    scene = Scene()
    for _ in range(2):
        scene.wait(1.5)
        scene.see("Ana", age_s=1.5)
    assert scene.let_in == ["Ana"]


def test_people_who_left_in_between_are_confirmed_anew() -> None:
    scene = Scene(max_age_s=60.0)
    scene.see("Ana")
    scene.wait(2.1)  # longer than visit_gap_s, and nobody ticked
    scene.see("Ana")
    assert scene.let_in == []
    scene.see("Ana")
    assert scene.let_in == ["Ana"]


def test_frames_of_two_cameras_are_not_added_up() -> None:
    scene = Scene(confirm={"frames": 2, "of": 2})
    scene.see("Ana", camera="front")
    scene.see("Ana", camera="back")
    assert scene.let_in == []
    scene.see("Ana", camera="front")
    assert scene.let_in == ["Ana"]


def test_cameras_may_use_the_same_numbers_and_times() -> None:
    scene = Scene()
    for _ in range(2):
        scene.wait(0.1)
        frame = scene.frame("Ana")
        scene.deliver(frame.model_copy(update={"camera": "back", "faces": (face(STRANGER),)}))
        scene.deliver(frame)
    assert scene.let_in == ["Ana"]
    assert scene.gate.repeated == 0


@pytest.mark.parametrize("jump_s", [-3600.0, -1.5, -0.5, 3600.0])
def test_after_a_jump_of_the_wall_clock_evidence_from_before_it_does_not_count(jump_s: float) -> None:
    scene = Scene(confirm={"frames": 2, "of": 30}, visit_gap_s=60.0)
    scene.see("Ana")
    scene.utc += jump_s
    scene.wait(1.9)
    if abs(jump_s) > 3:
        scene.see("Ana")
        assert scene.let_in == []
    for _ in range(30):
        scene.see("Ana")
    assert scene.let_in == ["Ana"], "the gate never recovered"


def test_one_frame_delivered_before_and_after_a_jump_back_is_one_vote() -> None:
    scene = Scene()
    first = scene.frame("Ana")
    scene.deliver(first)
    scene.wait(1.8)
    scene.see(STRANGER)
    scene.utc -= 1.5
    scene.deliver(first)
    assert scene.let_in == []


def test_a_camera_whose_clock_ran_ahead_and_was_put_right_is_believed_again() -> None:
    scene = Scene(max_age_s=10.0)
    scene.see("Ana", age_s=-0.9)
    scene.wait(1.0)
    for _ in range(3):
        scene.see("Ana")
    assert scene.let_in == ["Ana"]


def test_a_clock_that_runs_ahead_is_told_until_that_camera_is_right_again() -> None:
    scene = Scene()
    assert scene.gate.disagreement_s is None
    scene.see("Ana", camera="back", age_s=-5.0)
    scene.see("Ana", camera="front")
    assert scene.gate.disagreement_s == pytest.approx(5.0)
    scene.see("Ana", camera="back")
    assert scene.gate.disagreement_s is None


# Rules


def test_the_door_opens_once_for_a_person_in_a_visit_however_long_it_is() -> None:
    scene = Scene(cool_down_s=0.0)
    for _ in range(300):
        scene.see("Ana")
        scene.tick()
    assert scene.told == [("Ana", Why.CONFIRMED)]
    assert scene.let_in == ["Ana"]


def test_where_a_poster_hangs_a_person_who_comes_back_is_let_in_again() -> None:
    scene = Scene(cool_down_s=0)
    for _ in range(3):
        for _ in range(30):
            scene.see("Ana", STRANGER)
        for _ in range(30):  # longer than visit_gap_s, but somebody's face is always in view
            scene.see(STRANGER)
    assert scene.let_in == ["Ana"] * 3
    begins = [e.began_at for e in scene.effects if isinstance(e, Decision) and e.person == "Ana"]
    assert [b - begins[0] for b in begins] == pytest.approx([0, 6, 12], abs=0.01)


def test_a_stranger_gets_one_denial_a_visit_not_one_a_frame() -> None:
    scene = Scene()
    for _ in range(2):
        for _ in range(30):
            scene.see(face(STRANGER, 0.9), face(STRANGER, 0.7))
        scene.leave()
    assert scene.told == [(None, Why.UNKNOWN_PERSON)] * 2
    assert [e.distance for e in scene.effects if isinstance(e, Decision)] == [0.7, 0.7]


def test_a_stranger_is_one_after_as_many_frames_as_could_have_said_otherwise() -> None:
    scene = Scene()
    assert [len(scene.see(STRANGER)) for _ in range(3)] == [0, 0, 1]


def test_of_two_people_the_known_one_is_let_in_and_the_stranger_changes_nothing() -> None:
    scene = Scene()
    for _ in range(5):
        scene.see(STRANGER, "Ana")
    assert scene.told == [("Ana", Why.CONFIRMED)]
    assert scene.let_in == ["Ana"]


def test_two_known_people_are_both_let_in() -> None:
    scene = Scene()
    for _ in range(5):
        scene.see("Ana", "Bob")
    assert scene.let_in == ["Ana", "Bob"]


def test_outside_hours_everybody_is_denied_once_a_visit_and_nobody_let_in() -> None:
    scene = Scene(begins=FRIDAY_NOON.replace(hour=19))
    for _ in range(10):
        scene.see("Ana", "Bob")
    assert scene.told == [("Ana", Why.OUTSIDE_HOURS), ("Bob", Why.OUTSIDE_HOURS)]
    assert scene.let_in == []


@pytest.mark.parametrize(
    ("decided", "let_in"),
    [
        (FRIDAY_NOON.replace(hour=6, minute=59, second=59, microsecond=999_000), False),
        (FRIDAY_NOON.replace(hour=7), True),
        (FRIDAY_NOON.replace(hour=18, minute=59, second=59, microsecond=999_000), True),
        (FRIDAY_NOON.replace(hour=19), False),
        (FRIDAY_NOON + timedelta(days=1), False),
    ],
)
def test_the_moment_of_the_decision_counts_for_the_window(decided: datetime, let_in: bool) -> None:
    scene = Scene(begins=decided - timedelta(seconds=1))
    scene.deliver(scene.frame("Ana"))
    scene.wait(1.0)
    scene.utc = decided.timestamp()
    assert scene.gate.open_now(scene.now) is let_in
    scene.deliver(scene.frame("Ana"))
    assert bool(scene.let_in) is let_in


def test_without_windows_nobody_ever_gets_in() -> None:
    scene = Scene(hours=[])
    for _ in range(5):
        scene.see("Ana")
    assert scene.told == [("Ana", Why.OUTSIDE_HOURS)]


def test_who_waits_at_the_door_gets_in_when_the_window_opens() -> None:
    scene = Scene(begins=FRIDAY_NOON.replace(hour=6, minute=59, second=59))
    for _ in range(20):
        scene.see("Ana")
    assert scene.told == [("Ana", Why.OUTSIDE_HOURS), ("Ana", Why.CONFIRMED)]


def test_a_person_who_comes_back_within_the_cool_down_is_denied_and_later_let_in() -> None:
    scene = Scene(cool_down_s=10.0)
    for _ in range(3):
        scene.see("Ana")
        scene.see("Ana")
        scene.leave(5.0)
    assert scene.told == [("Ana", Why.CONFIRMED), ("Ana", Why.COOL_DOWN), ("Ana", Why.CONFIRMED)]


def test_the_cool_down_is_a_persons_own_and_holds_at_every_camera_of_the_door() -> None:
    scene = Scene()
    for person, camera in (("Ana", "front"), ("Bob", "front"), ("Ana", "back")):
        scene.see(person, camera=camera)
        scene.see(person, camera=camera)
    assert scene.told == [("Ana", Why.CONFIRMED), ("Bob", Why.CONFIRMED), ("Ana", Why.COOL_DOWN)]


def test_a_jump_of_the_wall_clock_does_not_shorten_the_cool_down() -> None:
    scene = Scene(begins=FRIDAY_NOON)
    scene.see("Ana")
    scene.see("Ana")
    scene.leave()
    scene.utc += 3600
    scene.see("Ana")
    scene.see("Ana")
    assert scene.told == [("Ana", Why.CONFIRMED), ("Ana", Why.COOL_DOWN)]


def test_while_the_door_is_away_nobody_is_let_in_and_once_it_is_back_its_new_session_counts() -> None:
    scene = Scene()
    scene.gate.session = None
    for _ in range(5):
        scene.see("Ana")
    assert scene.told == [("Ana", Why.DOOR_AWAY)]
    scene.gate.session = "session-new"
    scene.see("Ana")
    (grant,) = (e for e in scene.effects if isinstance(e, Grant))
    assert grant.session == "session-new"


def test_a_denial_does_not_begin_a_cool_down() -> None:
    scene = Scene()
    scene.gate.enabled = False
    scene.see("Ana")
    scene.see("Ana")
    scene.gate.enabled = True
    scene.see("Ana")
    assert scene.told == [("Ana", Why.SWITCHED_OFF), ("Ana", Why.CONFIRMED)]


def test_switched_off_nobody_is_let_in_and_that_is_the_first_thing_said() -> None:
    scene = Scene(begins=FRIDAY_NOON.replace(hour=3))
    scene.gate.enabled, scene.gate.session = False, None
    for _ in range(5):
        scene.see("Ana")
    assert scene.told == [("Ana", Why.SWITCHED_OFF)]


# Visits


def test_a_visit_nobody_could_be_made_out_in_is_told_when_it_is_over() -> None:
    scene = Scene()
    scene.see("Ana")
    scene.see(STRANGER)
    assert scene.leave(1.9) == []
    (decision,) = scene.leave(0.2)
    assert isinstance(decision, Decision)
    assert (decision.person, decision.reason, decision.outcome) == (None, Why.NOT_CONFIRMED, Outcome.DENIED)
    assert scene.tick() == []


def test_a_visit_that_led_to_a_decision_ends_without_another() -> None:
    scene = Scene()
    for _ in range(5):
        scene.see("Ana")
    assert scene.leave() == []


def test_frames_without_a_face_do_not_prolong_a_visit() -> None:
    scene = Scene()
    scene.see("Ana")
    scene.see(STRANGER)
    for _ in range(19):
        scene.see()
    assert scene.tick() == []
    scene.wait(0.2)
    scene.tick()
    assert scene.told == [(None, Why.NOT_CONFIRMED)]


def test_the_end_of_the_old_visit_is_told_before_the_new_one_even_without_a_tick() -> None:
    scene = Scene()
    scene.see("Ana")
    scene.see(STRANGER)
    scene.wait(10)
    for _ in range(3):
        scene.see(STRANGER)
    assert scene.told == [(None, Why.NOT_CONFIRMED), (None, Why.UNKNOWN_PERSON)]


# Everything at once


class Street(Scene):
    """A scene in which anything may happen to the frames, the switch, the door and the clock.

    Each grant is checked against all that was delivered, not against the gate's own book-keeping.
    """

    def __init__(self, begins: datetime, frames: int, of: int) -> None:
        super().__init__(begins, confirm={"frames": frames, "of": of})
        self.delivered: list[Identity] = []
        self.fresh: list[Identity] = []  # when they were delivered
        self.held: list[Identity] = []
        self.granted_at: dict[str, float] = {}

    def deliver(self, identity: Identity) -> Sequence[Effect]:
        self.delivered.append(identity)
        if -1.0 <= self.utc - identity.captured_at <= self.policy.max_age_s:
            self.fresh.append(identity)
        effects = super().deliver(identity)
        for grant in (e for e in effects if isinstance(e, Grant)):
            self.check_evidence(grant, identity)
            self.check_rules(grant)
            assert (grant.id, grant.person) in [(e.id, e.person) for e in effects if isinstance(e, Decision)]
        return effects

    def see_again(self, back: int) -> None:
        self.wait(0.1)
        if len(self.delivered) >= back:
            self.deliver(self.delivered[-back])

    def hold_back(self, person: str) -> None:
        self.held.append(self.frame(person))

    def release(self) -> None:
        if self.held:
            self.deliver(self.held.pop())

    def switch(self) -> None:
        self.gate.enabled = not self.gate.enabled

    def door(self, session: str | None) -> None:
        self.gate.session = session

    def clock_jumps(self, s: float) -> None:
        self.utc += s

    def check_evidence(self, grant: Grant, deciding: Identity) -> None:
        lately = [i for i in self.fresh if -1.0 <= self.utc - i.captured_at <= self.policy.confirm.within_s]
        agreeing = [i for i in lately if i.camera == deciding.camera and grant.person in {f.person for f in i.faces}]
        assert grant.person in {f.person for f in deciding.faces}
        assert grant.id == deciding.id
        assert len({(i.captured_at, i.seq) for i in agreeing}) >= self.policy.confirm.frames

    def check_rules(self, grant: Grant) -> None:
        local = datetime.fromtimestamp(self.utc, ZAGREB)
        assert self.gate.enabled
        assert local.weekday() < 5
        assert 7 <= local.hour < 19
        assert (grant.session, grant.expires_at) == (self.gate.session, self.utc + 5.0)
        assert self.mono - self.granted_at.get(grant.person, float("-inf")) >= self.policy.cool_down_s
        self.granted_at[grant.person] = self.mono


HAPPENINGS: list[Callable[[Street], object]] = [
    *[lambda street: street.see("Ana")] * 4,
    lambda street: street.see("Ana", STRANGER),
    lambda street: street.see("Ana", "Bob"),
    lambda street: street.see("Bob"),
    lambda street: street.see(STRANGER),
    lambda street: street.see(),
    lambda street: street.see("Ana", camera="back"),
    lambda street: street.see("Ana", age_s=1.9),
    lambda street: street.see("Ana", age_s=-0.9),
    lambda street: street.see_again(1),
    lambda street: street.see_again(2),
    lambda street: street.hold_back("Ana"),
    Street.release,
    Street.switch,
    lambda street: street.door(None),
    lambda street: street.door("session-new"),
    lambda street: street.clock_jumps(-3600.0),
    lambda street: street.clock_jumps(-1.5),
    lambda street: street.clock_jumps(1.5),
    lambda street: street.wait(1.0),
    lambda street: street.wait(9.0),
    Street.tick,
]


@settings(deadline=None, max_examples=300)
@given(
    happenings=st.lists(st.integers(0, len(HAPPENINGS) - 1), min_size=4, max_size=60),
    to_closing_s=st.sampled_from([3600, 5]),
    frames=st.sampled_from([2, 2, 1, 3]),
)
def test_no_stream_of_identities_is_granted_without_the_evidence(
    happenings: list[int], to_closing_s: int, frames: int
) -> None:
    """Frames come twice, late and out of order; the switch, the door and the clock change in between."""
    street = Street(FRIDAY_NOON.replace(hour=19) - timedelta(seconds=to_closing_s), frames, of=3)
    for happening in happenings:
        HAPPENINGS[happening](street)
