"""Who may open a door now, and why not. Pure: identities, answers and time in, effects out.

Every visit (see agents.scheduler.visits) ends in one decision: granted or denied, and why. Somebody
who is denied and stays gets in when what stood against it has passed; that is a visit of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

from agents.runtime.clock import Now
from agents.scheduler import telling
from agents.scheduler.challenges import Asks
from agents.scheduler.clocks import Frames
from agents.scheduler.config import DoorPolicy
from agents.scheduler.limits import Limits
from agents.scheduler.liveness_config import Liveness
from agents.scheduler.objection import NOT_CONFIRMED, STRANGE, UNKNOWN, Objection
from agents.scheduler.rules import Rules, Ruling
from agents.scheduler.standing import Standing
from agents.scheduler.visits import View, Visit
from agents.wire.identity import Identity
from agents.wire.liveness import Challenge
from agents.wire.messages import BadMessage, Grant, Refusal
from agents.wire.scheduling import Answer, Decision, Question, YesNo
from agents.wire.why import Why

GRANT_VALID_S = 5.0
LOOK_AGAIN_S = 3.0  # for so long after a YES, at least, the person is looked for
ANSWER_MAX_AGE_S, AHEAD_S = 10.0, 2.0  # of an answer that says when it was given; who gives it has another clock
READ_S = 1.0  # nobody reads a question and answers it in less: a bare YES that soon was for the one before
FEWEST_FRAMES = 2  # a face in one frame only is no visit

Effect = Decision | Grant | Question | Challenge


class Gate:
    """One door's policy at work. `standing` is what people have switched; `session` is the door's
    nonce while the door is there, else None. `asks` words the challenges.
    """

    def __init__(
        self, door: str, policy: DoorPolicy, rules: Rules, asks: Asks, standing: Standing | None = None
    ) -> None:
        self._door, self._policy, self._rules, self._asks = door, policy, rules, asks
        self.standing = standing or Standing()
        self.session: str | None = None
        self.limits = Limits(policy)
        self.frames = Frames(policy.max_age_s)
        self._views = {camera: View() for camera in policy.cameras}
        self._asked: Visit | None = None

    @property
    def busy(self) -> bool:
        """Whether somebody stands there."""
        return any(view.visits for view in self._views.values())

    def open_now(self, now: Now) -> bool:
        """Whether the rules let anybody in now. Who does not know the time lets nobody in."""
        return now.utc_is_set and self._rules.is_open(self._door, now.utc)

    def seen(self, identity: Identity, now: Now) -> list[Effect]:
        """What one frame leads to. Frames that are not fresh and new prove nothing."""
        view = self._views[identity.camera]
        effects = self._end(view, now)
        doubt = self.frames.doubt(identity, now)
        if not self.frames.is_new(identity, now) or not identity.faces:
            return effects
        if doubt is None:
            effects += self._attend(view, identity, now)
        else:
            view.add_late(identity, doubt, now)
        return effects

    def tick(self, now: Now) -> list[Effect]:
        """End the visits whose people have left, and the question that nobody answered."""
        effects = [effect for view in self._views.values() for effect in self._end(view, now)]
        visit = self._asked
        if visit is not None and now.mono > visit.wait_until:
            why = Why.UNANSWERED if visit.approved_by is None else Why.NOT_CONFIRMED
            effects += self._close(visit, Objection(why), now)
        for view in self._views.values():
            for visit in view.visits.values():
                visit.proof.tick(now.mono)
        return effects

    def answer(self, answer: Answer, now: Now) -> list[Effect]:
        """Somebody answered. After a YES it takes one more fresh frame: the person must be there still.

        Raises BadMessage for an answer to no open question.
        """
        visit = self._asked
        if visit is None or visit.question is None or answer.id not in (None, visit.question.id):
            raise BadMessage(Refusal.STALE, "no such question is open")
        if now.mono > visit.wait_until:
            raise BadMessage(Refusal.STALE, "it came too late")
        if answer.ts is not None and now.utc_is_set and not -AHEAD_S <= now.utc - answer.ts <= ANSWER_MAX_AGE_S:
            raise BadMessage(Refusal.STALE, "it was given too long ago, or in the future")
        if answer.id is None and now.mono - visit.asked < READ_S:
            raise BadMessage(Refusal.STALE, "it came too soon after the question; answer with its id")
        who = answer.source or "somebody"
        if answer.answer is YesNo.NO:
            return self._close(visit, Objection(Why.DECLINED, detail=f"by {who}"), now)
        visit.approved_by, visit.wait_until = who, max(visit.wait_until, now.mono + LOOK_AGAIN_S)
        return []

    def stop(self, now: Now) -> list[Effect]:
        """The scheduler ends: so do all visits."""
        return [effect for view in self._views.values() for effect in self._end(view, now, gap_s=-1.0)]

    def _attend(self, view: View, identity: Identity, now: Now) -> list[Effect]:
        sighting = view.add(identity, now)
        for visit in view.visits.values():
            visit.proof.heed(identity.faces, now.mono)
        effects = [effect for person in sighting.known for effect in self._decide(view, view.visits[person], now)]
        strangers = view.visits.get(None)
        if strangers is not None and strangers.frames >= FEWEST_FRAMES:
            effects += self._object(strangers, UNKNOWN, now)
        return effects

    def _decide(self, view: View, visit: Visit, now: Now) -> list[Effect]:
        """Whether the newest frame lets a known person in."""
        assert visit.person is not None
        visit.closed = visit.closed or self._granted_elsewhere(visit)
        if visit.closed or self._waits(visit, now):
            return []
        ruling = self._ruling(visit.person, now)
        visit.votes, visit.needed = view.votes(visit.person, ruling.evidence, now, "any_known"), ruling.evidence.frames
        if visit.votes < visit.needed:
            return []
        objection = self._objection(view, visit, ruling, now)
        if objection is not None and not (objection.passing and visit.proof.is_picture(ruling.liveness, visit.face)):
            return self._object(visit, objection, now)
        effects = self._alive(visit, ruling, now)
        if effects is not None:
            return effects
        if visit.told is not None:
            visit.begin_anew(now)
        if ruling.confirm and visit.approved_by is None:
            return self._ask(visit, now)
        return self._grant(visit, ruling, now)

    def _waits(self, visit: Visit, now: Now) -> bool:
        """Whether people are asked, and nobody has answered, nor ordered to let the person in."""
        assert visit.person is not None
        asked = visit.question is not None and visit.approved_by is None
        return asked and self.standing.admits(self._door, visit.person, now.utc) is None

    def _ruling(self, person: str, now: Now) -> Ruling:
        """The rules, unless people have said that the person is to be let in."""
        let_in = self.standing.admits(self._door, person, now.utc)
        if let_in is None:
            return self._rules.judge(self._door, person, now.utc)
        by = f", by {let_in.source}" if let_in.source else ""
        policy = self._policy
        return Ruling(None, f"let in by an order{by}", ("let_in",), policy.evidence, policy.liveness)

    def _objection(self, view: View, visit: Visit, ruling: Ruling, now: Now) -> Objection | None:
        """The first thing that is against it."""
        assert visit.person is not None
        if not self.standing.is_enabled(self._door):
            return Objection(Why.SWITCHED_OFF)
        if not now.utc_is_set:
            return Objection(Why.CLOCK_NOT_SET)
        if self.standing.away and ruling.loc != ("let_in",):
            return Objection(Why.AWAY)
        if ruling.objection is not None:
            return Objection(ruling.objection, ruling.rule)
        limit = self.limits.objection(visit.person, visit.last.identity.camera, now)
        absence = Objection(Why.DOOR_AWAY) if self.session is None else None
        return limit or self._company(view, visit.person, ruling, now) or absence or self._queue(visit, ruling)

    def _alive(self, visit: Visit, ruling: Ruling, now: Now) -> list[Effect] | None:
        """What becomes of who may be a picture; None for somebody who lives, as far as the rules want to know."""
        face, proof, policy = visit.face, visit.proof, ruling.liveness
        proof.follow(face, now.mono)
        objection = proof.objection(policy, face)
        if objection is None:
            proof.open = None
            return None
        if objection.why is Why.CHALLENGE_FAILED:
            return self._close(visit, objection, now)
        if proof.waits(now.mono):
            return []
        if objection.why is Why.SPOOF:
            return self._object_to_picture(visit, objection, now)
        if proof.wants_challenge(policy, face, now.mono - visit.began):
            return self._challenge(visit, objection, policy, now)
        return self._object(visit, objection, now)

    def _object_to_picture(self, visit: Visit, objection: Objection, now: Now) -> list[Effect]:
        """The first one is told also where something else was told before."""
        visit.told = visit.told if visit.proof.spoofs else None
        effects = self._object(visit, objection, now)
        visit.closed = visit.told is not None and visit.proof.is_enough(visit.face)
        return effects

    def _challenge(self, visit: Visit, objection: Objection, policy: Liveness, now: Now) -> list[Effect]:
        """One at a time at a door, where everybody hears what is asked for."""
        visit.pending = objection
        if any(other.proof.open for view in self._views.values() for other in view.visits.values()):
            return []
        challenge = self._asks.challenge(self._door, visit.last.identity, visit.face, policy, now)
        visit.proof.asked(challenge, now.mono)
        return [challenge]

    def _company(self, view: View, person: str, ruling: Ruling, now: Now) -> Objection | None:
        """Whether others in view spoil the evidence."""
        evidence = ruling.evidence
        if evidence.faces == "any_known" or view.votes(person, evidence, now, evidence.faces) >= evidence.frames:
            return None
        return Objection(Why.NOT_ALONE if evidence.faces == "single" else Why.STRANGER_IN_VIEW, ruling.rule)

    def _granted_elsewhere(self, visit: Visit) -> bool:
        """Whether another camera of this door sees the same person, who has been let in."""
        others = (view.visits.get(visit.person) for view in self._views.values())
        return any(other is not None and other.told is Why.CONFIRMED for other in others)

    def _queue(self, visit: Visit, ruling: Ruling) -> Objection | None:
        """One question at a time: a bare YES must have one meaning."""
        if not ruling.confirm or self._asked is None or self._asked is visit:
            return None
        return Objection(Why.UNANSWERED, detail="another question was open")

    def _ask(self, visit: Visit, now: Now) -> list[Effect]:
        visit.asked, self._asked = now.mono, visit
        visit.wait_until = now.mono + self._policy.confirm_within_s
        visit.question = telling.question(self._door, visit, self._policy.confirm_within_s, now)
        return [visit.question]

    def _grant(self, visit: Visit, ruling: Ruling, now: Now) -> list[Effect]:
        assert self.session is not None
        assert visit.person is not None
        by = f"confirmed by {visit.approved_by}" if visit.approved_by is not None else ""
        decision = self._tell(visit, Objection(Why.CONFIRMED, ruling.rule, by), now)
        for view in self._views.values():  # also where another camera sees the same person
            if (same := view.visits.get(visit.person)) is not None:
                same.closed, same.proof.open = True, None
                self._forget_question(same)
        self.limits.granted(visit.person, decision.camera, now)
        grant = Grant(id=decision.id, session=self.session, person=visit.person, expires_at=now.utc + GRANT_VALID_S)
        return [decision, grant]

    def _object(self, visit: Visit, objection: Objection, now: Now) -> list[Effect]:
        """Deny, once; what may pass by itself is given time to."""
        visit.pending = objection
        if visit.told is not None or (objection.passing and now.mono - visit.began < self._policy.patience_s):
            return []
        return [self._deny(visit, objection, now)]

    def _close(self, visit: Visit, objection: Objection, now: Now) -> list[Effect]:
        """Deny for good, for as long as they stay."""
        visit.closed = True
        return [self._deny(visit, objection, now)]

    def _deny(self, visit: Visit, objection: Objection, now: Now) -> Decision:
        """An answer is for once: who is to come in later is asked for again."""
        strange = objection.why in STRANGE and not (objection.why is Why.NOT_CONFIRMED and visit.question)
        if strange and not visit.counted:
            visit.counted = True
            self.limits.stranger(visit.last.identity.camera, now)
        decision = self._tell(visit, objection, now)
        self._forget_question(visit)
        return decision

    def _end(self, view: View, now: Now, gap_s: float | None = None) -> list[Effect]:
        """Visits that led to no decision are denied now."""
        gap_s = self._policy.visit_gap_s if gap_s is None else gap_s
        return [effect for visit in view.take_over(now, gap_s) for effect in self._say_farewell(visit, now)]

    def _say_farewell(self, visit: Visit, now: Now) -> Iterator[Effect]:
        enough = visit.frames >= FEWEST_FRAMES or 0 < visit.needed <= visit.votes
        if visit.question is not None:
            yield self._deny(visit, Objection(Why.LEFT), now)
        elif visit.proof.open is not None and not visit.closed:
            yield self._deny(visit, Objection(Why.CHALLENGE_FAILED, detail="they left"), now)
        elif visit.told is None and not visit.closed and enough:
            yield self._deny(visit, self._last_word(visit, now), now)

    def _last_word(self, visit: Visit, now: Now) -> Objection:
        """What is told of who leaves, and was told nothing."""
        if visit.person is None:
            return visit.pending or UNKNOWN
        wanted = self._ruling(visit.person, now).liveness
        if visit.proof.failed is None and visit.proof.is_picture(wanted, visit.face):
            return visit.proof.objection(wanted, visit.face) or NOT_CONFIRMED
        return visit.proof.failed or visit.pending or NOT_CONFIRMED

    def _forget_question(self, visit: Visit) -> None:
        visit.question = visit.approved_by = None
        if self._asked is visit:
            self._asked = None

    def _tell(self, visit: Visit, objection: Objection, now: Now) -> Decision:
        visit.told = objection.why
        return telling.decision(self._door, visit, visit.needed or self._policy.evidence.frames, objection, now)
