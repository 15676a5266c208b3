"""An account of what topics.md and docs/rules.md let a scheduler decide at one door; nothing is from `agents`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.fuzz.scheduler_rules import DOORS, LIMITS, LOCK_OUT, Ruling, by_the_door, next_time, ruling
from tests.fuzz.scheduler_views import Frame, Stay, View, why_late

GRANT_S, READ_S, LOOK_AGAIN_S, A_MINUTE_S, LONGEST_S, MOST_LET_IN = 5.0, 1.0, 3.0, 60.0, 31 * 86_400.0, 12
RULES = {"no_window", "outside_window", "holiday", "closed_day", "not_yet_valid", "no_longer_valid"}
MAY_PASS = {"not_alone", "stranger_in_view", "door_away", "unanswered"}
STRANGE = {"unknown_person", "not_confirmed"}


@dataclass
class Moment:
    """The time, and what holds in the whole house. `s` never goes back."""

    s: float
    utc: float
    utc_is_set: bool = True
    away: bool = False
    journal: bool = True  # whether it can be written
    broker: bool = True


@dataclass
class LockOut:
    """One camera's strangers."""

    seen_s: list[float] = field(default_factory=list)
    until_s: float = 0.0
    rounds: int = 0

    def stranger(self, s: float) -> None:
        if s < self.until_s:
            return
        self.seen_s = [*(at for at in self.seen_s if s - at <= LOCK_OUT["within_s"]), s]
        if len(self.seen_s) == LOCK_OUT["after"]:
            self.rounds = 0 if s - self.until_s > LOCK_OUT["at_most_s"] else self.rounds
            self.until_s = s + min(LOCK_OUT["at_most_s"], LOCK_OUT["for_s"] * 2**self.rounds)
            self.seen_s, self.rounds = [], self.rounds + 1


class Door:
    def __init__(self, name: str) -> None:
        self.name = name
        self.enabled, self.online = True, False
        self.session: str | None = None
        self.let_in: dict[str, float] = {}
        self.lapsed: set[str] = set()  # whose time was over once, whatever the clock said later
        self.views = {camera: View(camera) for camera in DOORS[name]["cameras"]}
        self.lock_outs = {camera: LockOut() for camera in self.views}
        self.over: list[Stay] = []
        self.asked: Stay | None = None
        self.granted_s: list[tuple[str, float]] = []
        self.granting: dict[str, Any] | None = None  # a decision of which the grant has not come yet

    # What happens at it

    def lose(self) -> None:
        self.session, self.online = None, False

    def admit(self, order: dict[str, Any], now: Moment) -> bool:
        """Whether the order to let somebody in is one that is obeyed; then it is."""
        until, others = order["until"], {p: u for p, u in self.people(now).items() if p != order["person"]}
        if until is None:
            self.let_in = others
            return True
        if not now.utc_is_set:
            return False
        until_at = next_time(until, now.utc) if isinstance(until, str) else float(until)
        if not now.utc < until_at <= now.utc + LONGEST_S or len(others) == MOST_LET_IN:
            return False
        self.let_in = others | {order["person"]: until_at}
        self.lapsed.discard(order["person"])
        return True

    def people(self, now: Moment) -> dict[str, float]:
        """Who is let in now, until when."""
        return {person: until for person, until in self.let_in.items() if now.utc < until}

    def see(self, camera: str, frame: Frame | None, now: Moment) -> None:
        """A frame that is new, or None for another one."""
        view = self.views[camera]
        self.over += view.end(now.s)
        if frame is None or not frame.faces:
            return
        late = why_late(frame, now.utc, now.utc_is_set)
        if late is not None:
            view.add_late(frame, late, now.s)
            return
        view.add(frame, now.s)
        for person in frame.known():
            stay = view.stays[person]
            stay.closed = stay.closed or self._is_in(stay)
            stay.stood |= self.against(stay, now, sure=True)

    def tells(self, people: dict[str, float], now: Moment) -> bool:
        """Whether this is who is let in. Who was forgotten in time does not come back with the clock."""
        missing = {person for person in self.people(now) if person not in people}
        self.let_in = {person: until for person, until in self.let_in.items() if person not in missing & self.lapsed}
        return {person: until for person, until in people.items() if until > now.utc} == self.people(now)

    def pass_by(self, now: Moment) -> None:
        self.lapsed |= {person for person, until in self.let_in.items() if until <= now.utc}
        self.over += [stay for view in self.views.values() for stay in view.end(now.s)]

    def answer(self, read: dict[str, Any], now: Moment) -> bool:
        """Whether it answers the question that is open."""
        stay = self.asked
        if stay is None or stay.question is None or read["id"] not in (None, stay.question["id"]):
            return False
        if read["ts"] is not None and now.utc_is_set and not -2 <= now.utc - read["ts"] <= 10:
            return False
        if self._has_waited_too_long(now) or (read["id"] is None and now.s - stay.asked_s < READ_S):
            return False
        stay.answered = read["answer"] == "YES"
        stay.declined = not stay.answered
        stay.waits_until_s = max(stay.waits_until_s, now.s + LOOK_AGAIN_S)
        return True

    # What must be true of what is said

    def settle(self, camera: str | None, now: Moment, frame: Frame | None) -> None:
        """After the scheduler had its turn: who was owed an answer has it."""
        assert self.granting is None, "decided and did not grant"
        assert camera or not self._has_waited_too_long(now), "a question stays open"
        for stay in [stay for stay in self.over if camera in (None, stay.camera)]:
            assert not stay.is_owed_a_decision, f"a visit without a decision: {stay}"
            self.over.remove(stay)
        if frame is not None and camera is not None and why_late(frame, now.utc, now.utc_is_set) is None:
            for person in frame.known():
                self._settle_known(self.views[camera].stays[person], now)
        declined = [stay for view in self.views.values() for stay in view.stays.values() if stay.declined]
        assert not declined, "somebody said no, and nothing was denied"

    def decided(self, found: dict[str, Any], now: Moment, here: str | None) -> None:
        """`here` is the camera of the frame that was just seen, if it was one that counts."""
        stay = self._stay_of(found)
        assert self.granting is None, "a decision between a decision and its grant"
        assert found["door"] == self.name
        assert found["decided_at"] == now.utc
        assert found["id"] == (stay.question["id"] if stay.question else stay.last.id)
        assert found["evidence"]["faces"] == len(stay.last.faces)
        assert stay.late or found["distance"] in stay.last.distances(found["person"])
        assert not stay.late or found["evidence"]["frames"] == stay.frames
        assert found["evidence"]["frames"] >= 2 or found["evidence"]["agreeing"] >= found["evidence"]["needed"]
        assert not stay.granted, "decided on somebody who was let in already"
        assert not stay.closed, "decided on a visit that was closed"
        assert (found["reason"] in RULES) <= bool(found["rule"]), "no rule is named"
        stay.decisions += 1
        if found["reason"] in ("confirmed", "no_journal"):
            self._check_confirmed(stay, found, now, here)
        else:
            self._check_denied(stay, found, now, here)
        if self.asked is stay:
            self.asked = None
        stay.question, stay.answered, stay.declined = None, False, False

    def questioned(self, found: dict[str, Any], now: Moment, here: str | None) -> None:
        stay = self.views[found["camera"]].stays[found["person"]]
        assert here == found["camera"], "asked without a frame"
        assert self.asked is None, "two questions are open"
        assert not stay.closed
        assert self._rule(stay.person, now).confirm, "asked where nobody is to be asked"
        assert self.against(stay, now) == set(), "asked about somebody who can't be let in"
        assert (found["id"], found["door"]) == (stay.last.id, self.name)
        assert (found["asked_at"], found["expires_at"]) == (now.utc, now.utc + LIMITS["confirm_within_s"])
        self.asked, stay.question, stay.asked_s = stay, found, now.s
        stay.waits_until_s = now.s + LIMITS["confirm_within_s"]
        stay.asked += 1

    def ordered(self, found: dict[str, Any], now: Moment) -> None:
        """A grant went out."""
        decision = self.granting
        assert decision is not None, "granted and did not say so"
        self.granting = None
        assert (found["id"], found["person"]) == (decision["id"], decision["person"])
        assert found["expires_at"] == now.utc + GRANT_S
        assert self.online, "granted to a door that is away"
        assert found["session"] == self.session, "granted to a door that was"

    def against(self, stay: Stay, now: Moment, sure: bool = False) -> set[str]:
        """All that stands against letting in now somebody who is in the newest frame; what may does, to be `sure`."""
        assert stay.person is not None
        view, rule = self.views[stay.camera], self._rule(stay.person, now)
        seen, fit = (view.votes(stay.person, rule, now.utc, faces, sure) for faces in ("any_known", rule.faces))
        found = {rule.why} - {None}
        alone = "not_alone" if rule.faces == "single" else "stranger_in_view"
        others = [s for person, s in self.granted_s if person == stay.person]
        holds = {
            "not_confirmed": seen < rule.needed,
            alone: fit < rule.needed,
            "switched_off": not self.enabled,
            "clock_not_set": not now.utc_is_set,
            "away": now.away and stay.person not in self.people(now),
            "locked_out": now.s < self.lock_outs[stay.camera].until_s,
            "cool_down": any(now.s - s < LIMITS["cool_down_s"] for s in others),
            "too_many": sum(now.s - s < A_MINUTE_S for _, s in self.granted_s) >= LIMITS["grants_per_minute"],
            "door_away": not self.online or self.session is None,
            "unanswered": rule.confirm and self.asked not in (None, stay),
        }
        return {why for why in found if why} | {why for why, does in holds.items() if does}

    def _rule(self, person: str | None, now: Moment) -> Ruling:
        """Who is let in for once needs the door's evidence, and nobody's consent."""
        assert person is not None
        return by_the_door(self.name) if person in self.people(now) else ruling(self.name, person, now.utc)

    def _check_confirmed(self, stay: Stay, found: dict[str, Any], now: Moment, here: str | None) -> None:
        assert (found["outcome"], found["reason"]) == (
            ("granted", "confirmed") if now.journal else ("denied", "no_journal")
        )
        assert here == stay.camera, "granted without a frame that counts"
        assert stay is self.views[stay.camera].stays.get(stay.person), "granted to somebody who has left"
        rule = self._rule(stay.person, now)
        assert self.against(stay, now) == set(), "granted against the rules"
        agreed = stay.answered or stay.person in self.people(now)
        assert agreed or not (rule.confirm or stay.question), "granted and nobody said yes"
        assert found["evidence"]["needed"] == rule.needed
        most = self.views[stay.camera].votes(found["person"], rule, now.utc, "any_known")
        assert rule.needed <= found["evidence"]["agreeing"] <= most
        assert not stay.denials or stay.asked or found["began_at"] == found["captured_at"], "is a visit of its own"
        for same in (view.stays[stay.person] for view in self.views.values() if stay.person in view.stays):
            same.closed = True
            self.asked = None if self.asked is same else self.asked
        self.granted_s.append(
            (found["person"], now.s)
        )  # also where the journal failed: nobody is let in twice as often
        self.lock_outs[stay.camera] = LockOut()
        stay.granted = True
        self.granting = found if now.journal and now.broker else None

    def _check_denied(self, stay: Stay, found: dict[str, Any], now: Moment, here: str | None) -> None:
        why = found["reason"]
        assert found["outcome"] == "denied"
        assert stay.denials <= stay.asked, "denied twice"
        stay.denials += 1
        timed_out = stay is self.asked and self._has_waited_too_long(now)
        stay.closed = why == "declined" or (timed_out and why in ("unanswered", "not_confirmed"))
        assert self._is_so(stay, why, now, here), f"denied for what is not so: {stay}"
        if why in STRANGE and not stay.question:  # who was asked about was known
            self.lock_outs[stay.camera].stranger(now.s)

    def _is_so(self, stay: Stay, why: str, now: Moment, here: str | None) -> bool:
        """Whether the reason is true."""
        if stay.late or stay.person is None:
            return {why} == (stay.stood if stay.late else {"unknown_person"})
        over = stay in self.over
        if why in ("left", "declined"):
            return stay.question is not None and (over if why == "left" else stay.declined)
        if stay.closed:
            return stay.answered == (why == "not_confirmed")
        so = self.against(stay, now, sure=True) - {"not_confirmed"} if here == stay.camera else set()
        return why in (so | stay.stood if over or why in MAY_PASS else so)

    def _settle_known(self, stay: Stay, now: Moment) -> None:
        """Against whom nothing stands, and nobody could doubt it, is let in or asked about."""
        stay.stood |= self.against(stay, now, sure=True)
        waits = stay.question is not None and not stay.answered and stay.person not in self.people(now)
        if not (stay.closed or stay.granted or waits):
            assert self.against(stay, now, sure=True), f"nothing is against {stay.person}, and nothing came of it"

    def _has_waited_too_long(self, now: Moment) -> bool:
        return self.asked is not None and now.s > self.asked.waits_until_s

    def _is_in(self, stay: Stay) -> bool:
        """Whether another camera of this door sees the same person, who has been let in."""
        return any(
            view.stays[stay.person].granted
            for camera, view in self.views.items()
            if camera != stay.camera and stay.person in view.stays
        )

    def _stay_of(self, found: dict[str, Any]) -> Stay:
        late = found["person"] is None and found["reason"] != "unknown_person"
        stays = [stay for view in self.views.values() for stay in (*view.stays.values(), view.late) if stay]
        whose = (found["camera"], found["person"], late, found["captured_at"])
        mine = [
            stay
            for stay in (*self.over, *stays)
            if (stay.camera, stay.person, stay.late, stay.last.captured_at) == whose
        ]
        assert mine, f"a decision on nobody: {found}"
        return mine[0]
