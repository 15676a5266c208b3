"""Settings of the scheduler: who may open which door, when, and on what evidence."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from agents.runtime.settings import Seconds, Section
from agents.scheduler.calendar_values import MINUTES_A_DAY, Day, Days, TimeOfDay, YearlyDay, minute
from agents.scheduler.liveness_config import ChallengeTexts, Liveness
from agents.wire.values import Name, PersonName, Text

IMPOSSIBLE = "more frames are to agree than are looked at (frames, of)"
EVERYBODY = "everybody"  # the group of all who are enrolled
JOURNAL_USER = "journal"  # the broker's user of the scheduler's second connection
Loc = tuple[int | str, ...]


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError("no such time zone; names look like Europe/Zagreb") from None
    return name


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


Groups = Annotated[list[Name], BeforeValidator(_as_list), Field(min_length=1)]


class Member(Section):
    """One of a group, where need be only from a first day on or until a last one, both included."""

    name: PersonName
    from_: Annotated[Day | None, Field(alias="from")] = None
    until: Day | None = None

    @model_validator(mode="before")
    @classmethod
    def _just_a_name(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        _check_order(self.from_, self.until)
        return self


class Evidence(Section):
    """A person counts as seen when in `frames` of the last `of` frames with a face.

    Each of them was fresh when it arrived; together they may span `within_s`, so that a slow machine,
    which looks at a frame a second, can confirm anybody. `faces` says which frames count at all:
    those with no other face (`single`), with no stranger's (`all_known`), or any.
    """

    frames: Annotated[int, Field(ge=1, le=30)] = 2
    of: Annotated[int, Field(ge=1, le=30)] = 3
    within_s: Annotated[float, Field(gt=0, le=30)] = 5.0
    faces: Literal["any_known", "all_known", "single"] = "any_known"

    @property
    def possible(self) -> bool:
        return self.frames <= self.of

    def changed_by(self, other: Evidence | None) -> Evidence:
        """This evidence with what `other` says in the file."""
        said = {} if other is None else {key: getattr(other, key) for key in other.model_fields_set}
        return self.model_copy(update=said)


class Opening(Section):
    """Who is let in from when to when; where `to` is not after `from`, until the next day.

    What `evidence` and `liveness` do not say is as the door has it. With `confirm: phone` somebody has to agree
    each time.
    """

    who: Groups
    from_: Annotated[TimeOfDay, Field(alias="from")]
    to: TimeOfDay
    evidence: Evidence | None = None
    liveness: Liveness | None = None
    confirm: Literal["phone"] | None = None

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if minute(self.from_) == minute(self.to):
            raise ValueError("from and to are the same: for a whole day use from: 00:00 to: 24:00")
        if minute(self.from_) == MINUTES_A_DAY:
            raise ValueError("nothing begins at 24:00: use from: 00:00, and the day after")
        return self


class Window(Opening):
    """An opening on each of `days`; `holidays` says whether also on holidays, or only on them."""

    days: Days
    holidays: Literal["closed", "open", "only"] = "closed"


class SpecialDay(Section):
    """A day, or the days until another one, that is not like the others, at all doors or at some.

    `close` shuts the windows that open on it; `open` adds openings of its own, holiday or not.
    """

    date: Day
    until: Day | None = None
    close: bool = False
    open: list[Opening] = []
    doors: Annotated[list[Name] | None, Field(min_length=1)] = None
    because: Text = ""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        _check_order(self.date, self.until)
        if not (self.close or self.open):
            raise ValueError("says neither close: true nor what to open")
        return self


class Holidays(Section):
    """The public holidays of a country, or of a part of it, as the `holidays` library knows them, and
    dates of one's own (`also`, with what they are), without those that are none here (`not`).
    """

    country: Annotated[str, StringConstraints(min_length=2, max_length=3)] | None = None
    subdivision: Annotated[str, StringConstraints(min_length=1, max_length=32)] | None = None
    also: dict[YearlyDay, Text] = {}
    not_: Annotated[list[YearlyDay], Field(alias="not")] = []

    @model_validator(mode="after")
    def _of_a_country(self) -> Self:
        if self.subdivision is not None and self.country is None:
            raise ValueError("subdivision needs a country")
        return self


class LockOut(Section):
    """After so many visits of strangers within `within_s` a camera opens nothing for `for_s`, then
    for twice as long each time, up to `at_most_s`, until somebody is let in.
    """

    after: Annotated[int, Field(ge=1, le=1000)] = 10
    within_s: Seconds = 300.0
    for_s: Seconds = 60.0
    at_most_s: Seconds = 900.0


class DoorPolicy(Section):
    """Nobody is let in whom no window lets in. A visit that something may still help stays undecided
    for `patience_s`: strangers may be known in a moment.
    """

    cameras: Annotated[list[Name], Field(min_length=1)]
    windows: list[Window] = []
    evidence: Evidence = Evidence()
    liveness: Liveness = Liveness()
    cool_down_s: Annotated[float, Field(ge=0, le=3600)] = 10.0
    grants_per_minute: Annotated[int, Field(ge=1, le=1000)] = 30
    lock_out: LockOut | None = LockOut()
    confirm_within_s: Annotated[float, Field(ge=5, le=300)] = 30.0
    max_age_s: Seconds = 2.0
    visit_gap_s: Seconds = 2.0
    patience_s: Annotated[float, Field(ge=0, le=60)] = 3.0


class JournalSettings(Section):
    """Whether a picture of each decision is kept beside the journal, for how long, and how many."""

    snapshots: bool = False
    max_age_days: Annotated[float, Field(gt=0, le=3650)] = 30.0
    max_mb: Annotated[float, Field(gt=0, le=1_000_000)] = 200.0


class SchedulerSettings(Section):
    id: Name = "main"
    timezone: Annotated[str, StringConstraints(min_length=1), AfterValidator(_zone)]
    groups: dict[Name, list[Member]] = {}
    holidays: Holidays = Holidays()
    exceptions: list[SpecialDay] = []
    challenge_texts: ChallengeTexts = ChallengeTexts()
    doors: dict[Name, DoorPolicy]
    journal: JournalSettings = JournalSettings()

    @property
    def wants_snapshots(self) -> bool:
        """Whether the recognizer's pictures are needed: for the journal, or to ask people."""
        return self.journal.snapshots or any(opening.confirm for _, opening, _ in self._openings())

    def asks_people(self, door: str) -> bool:
        """Whether there is any window at this door for which somebody has to agree."""
        wanted = self.doors[door]  # itself: another door may have an equal policy, and other exceptions
        return any(opening.confirm and any(p is wanted for p in policies) for _, opening, policies in self._openings())

    def challenges_s(self, door: str) -> float | None:
        """How long somebody at this door has for an action, at most; None where none is asked for."""
        return max((one.within_s for name, _, one in self._liveness() if name == door and one.asks), default=None)

    def without_liveness(self) -> Iterator[tuple[str, Loc]]:
        """The doors, and the places below this section, where a photograph is as good as a face."""
        for door, loc, liveness in self._liveness():
            if liveness.check == "off":
                yield door, loc

    @property
    def liveness_problem(self) -> str | None:
        """What people should know as long as it is so."""
        doors = ", ".join(dict.fromkeys(door for door, _ in self.without_liveness()))
        return f"liveness is off: a photograph can open {doors}" if doors else None

    def _liveness(self) -> Iterator[tuple[str, Loc, Liveness]]:
        """What is wanted at each door, and in each opening that says something else."""
        names = {id(policy): door for door, policy in self.doors.items()}
        for door, policy in self.doors.items():
            yield door, ("doors", door, "liveness"), policy.liveness
        for loc, opening, policies in self._openings():
            if opening.liveness is not None:
                for policy in policies:
                    yield names[id(policy)], (*loc, "liveness"), policy.liveness.changed_by(opening.liveness)

    def single_frames(self) -> Iterator[tuple[Loc, list[Name]]]:
        """Where one frame is evidence enough, and of which cameras."""
        for door, policy in self.doors.items():
            if policy.evidence.frames == 1:
                yield ("doors", door, "evidence"), policy.cameras
        for loc, opening, policies in self._openings():
            for policy in policies:
                if opening.evidence is not None and policy.evidence.changed_by(opening.evidence).frames == 1:
                    yield (*loc, "evidence"), policy.cameras

    def conflicts(self) -> Iterator[tuple[Loc, str]]:
        """What is right by itself but does not fit together: its place below this section, and why."""
        if EVERYBODY in self.groups:
            yield ("groups", EVERYBODY), "is the group of all who are enrolled; call this one otherwise"
        for door, policy in self.doors.items():
            if not policy.evidence.possible:
                yield ("doors", door, "evidence"), IMPOSSIBLE
        for loc, opening, policies in self._openings():
            yield from self._misfits(loc, opening, policies)
        yield from self._contradictions()
        for i, special in enumerate(self.exceptions):
            for k, door in enumerate(special.doors or ()):
                if door not in self.doors:
                    yield ("exceptions", i, "doors", k), f"there is no door {door!r} under doors"

    def _contradictions(self) -> Iterator[tuple[Loc, str]]:
        places = [loc for _, loc, liveness in self._liveness() if liveness.contradictory]
        for loc in dict.fromkeys(places):
            yield loc, "check is off, so an action must not be asked for always (challenge)"

    def _misfits(self, loc: Loc, opening: Opening, policies: list[DoorPolicy]) -> Iterator[tuple[Loc, str]]:
        for group in opening.who:
            if group not in self.groups and group != EVERYBODY:
                known = ", ".join([*self.groups, EVERYBODY])
                yield (*loc, "who"), f"there is no group {group!r} under groups: {known}"
        if not all(policy.evidence.changed_by(opening.evidence).possible for policy in policies):
            yield (*loc, "evidence"), IMPOSSIBLE

    def _openings(self) -> Iterator[tuple[Loc, Opening, list[DoorPolicy]]]:
        """Each opening, with its place and the doors it is for."""
        for door, policy in self.doors.items():
            for i, window in enumerate(policy.windows):
                yield ("doors", door, "windows", i), window, [policy]
        for i, special in enumerate(self.exceptions):
            doors = [policy for door, policy in self.doors.items() if special.doors is None or door in special.doors]
            for k, opening in enumerate(special.open):
                yield ("exceptions", i, "open", k), opening, doors


def _check_order(first: date | None, last: date | None) -> None:
    if first is not None and last is not None and last < first:
        raise ValueError(f"until ({last}) is before the first day ({first})")
